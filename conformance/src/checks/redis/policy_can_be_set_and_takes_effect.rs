//! The user sets days and hour of the automatic backup; that takes effect when it is confirmed, and not before
//! (RED-05, RED-06).

use super::RedisViolation;
use super::witness::KEPT;
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, is_fresh, released_by_user, skewed};
use crate::history::Call;
use crate::history::lens::{InstanceStory, Lens, Seen};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::BackupMode;
use recovery::model::instance::{BackupPolicy, Weekday};
use recovery::model::views::InstanceView;
use serde::Deserialize;

/// How long the window is that begins at the hour (RED-05).
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Days a backup stays (RED-08): a request with another number is refused for that.
const DAYS: u16 = 7;

/// Judges requests for other settings, sights of settings nobody asked for, and when automatic backups began.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.redis_instances() {
        let asked = requests(lens, story);
        for (call, policy) in &asked {
            let instance = story.id.clone();
            if call.it.accepted() {
                let next = story.views.iter().find(|seen| seen.index > call.index && is_fresh(lens, seen.index));
                let again = next.is_some_and(|next| {
                    asked.iter().any(|(other, _)| other.index > call.index && other.index < next.index)
                });
                if let Some(seen) = next.filter(|_| !again) {
                    let kept = !same(&seen.it.configuration.backup_policy, policy);
                    finding.judge(seen, kept.then_some(RedisViolation::PolicyWithoutEffect { instance }));
                }
            } else if call.it.code() == Some("InvalidParameter") && sound(policy) {
                finding.judge(call, Some(RedisViolation::PolicyRefused { instance }));
            }
        }
        unasked(lens, story, &mut finding);
        automatic(lens, story, &mut finding);
    }
    finding
}

/// Requests for other backup settings with the fixed retention.
fn requests<'a>(lens: &Lens<'a>, story: &InstanceStory<'a>) -> Vec<(Seen<'a, Call>, BackupPolicy)> {
    let own = lens.calls_to("PUT /v1/instances/{}/configuration").filter(|(_, found)| found[0] == story.id.as_str());
    own.filter_map(|(call, _)| {
        let policy = BackupPolicy::deserialize(call.it.request.get("backup_policy")?).ok()?;
        (policy.data_retention_days == DAYS).then_some((call, policy))
    })
    .collect()
}

fn same(one: &BackupPolicy, other: &BackupPolicy) -> bool {
    one.weekdays == other.weekdays && one.hour == other.hour
}

/// Whether settings are such as anybody may want: some days, and an hour of the day.
fn sound(policy: &BackupPolicy) -> bool {
    policy.weekdays.len() >= 2 && policy.hour < 24
}

/// Settings that changed between two sights though nobody asked.
fn unasked(lens: &Lens<'_>, story: &InstanceStory<'_>, finding: &mut Finding) {
    let fresh: Vec<_> = story.views.iter().filter(|seen| is_fresh(lens, seen.index)).collect();
    for pair in fresh.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        let policy = |view: &InstanceView| view.configuration.backup_policy.clone();
        let asked = lens.calls_to("PUT /v1/instances/{}/configuration").any(|(call, found)| {
            found[0] == story.id.as_str() && call.index < after.index && call.at >= before.at && !call.it.refused()
        });
        if !asked && policy(before.it) != policy(after.it) {
            let instance = story.id.clone();
            finding.judge(after, Some(RedisViolation::PolicyChangedUnasked { instance }));
            return;
        }
    }
}

/// Automatic backups: in the window of a day that was set, and one in each such window that passed and was looked at.
fn automatic(lens: &Lens<'_>, story: &InstanceStory<'_>, finding: &mut Finding) {
    if skewed(lens) {
        return;
    }
    let own =
        || lens.redis_backups().filter(|it| it.first.instance == *story.id && it.first.mode == BackupMode::Automated);
    for backup in own() {
        let began_at = backup.first.began_at;
        let Some(policy) = in_force(lens, story, began_at) else { continue };
        if faulted_before(lens, backup.views[0].index) {
            continue;
        }
        let inside = opens(&policy, began_at) || opens(&policy, began_at - WINDOW);
        let (instance, id) = (story.id.clone(), backup.id.clone());
        let violation = (!inside).then_some(RedisViolation::OutsideWindow { instance, backup: id, began_at });
        finding.judge(&backup.views[0], violation);
    }
    let Some(begins) = story.running().map(|seen| seen.at) else { return };
    for listing in lens.redis_listings().filter(|listing| listing.of == story.id && listing.from.is_none()) {
        if faulted_before(lens, listing.index) || listing.to.is_some() || released_by_user(lens, story, listing.at) {
            continue;
        }
        let mut window = whole_hour(begins.max(listing.at - KEPT)) + HOUR;
        while window + WINDOW + HOUR <= listing.at {
            let set = in_force(lens, story, window).filter(|policy| opens(policy, window));
            let steady = set.is_some() && in_force(lens, story, window + WINDOW) == set;
            let engaged = lens.moved_into_between(story.id, 0, listing.index);
            if steady && !engaged {
                let taken = own().any(|it| it.first.began_at >= window && it.first.began_at < window + WINDOW);
                if !taken {
                    let (instance, at) = (story.id.clone(), window);
                    let seen = Seen { index: listing.index, at: listing.at, it: &() };
                    finding.judge(&seen, Some(RedisViolation::NotBackedUp { instance, at }));
                    return;
                }
            }
            window += HOUR;
        }
    }
}

/// The settings in force at a time: none where they may have been changed just then.
fn in_force(lens: &Lens<'_>, story: &InstanceStory<'_>, at: Timestamp) -> Option<BackupPolicy> {
    let before = story.views.iter().rev().find(|seen| seen.at <= at && is_fresh(lens, seen.index))?;
    let after = story.views.iter().find(|seen| seen.at >= at && is_fresh(lens, seen.index))?;
    let policy = &before.it.configuration.backup_policy;
    let changed = lens.calls_to("PUT /v1/instances/{}/configuration").any(|(call, found)| {
        found[0] == story.id.as_str() && call.at >= before.at && call.it.sent_at <= after.at && !call.it.refused()
    });
    (!changed && *policy == after.it.configuration.backup_policy).then(|| policy.clone())
}

fn whole_hour(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(3600) * 3600).unwrap_or(at)
}

/// Whether the hour of a time begins a window.
fn opens(policy: &BackupPolicy, at: Timestamp) -> bool {
    const DAYS: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let civil = at.to_zoned(TimeZone::UTC);
    let day = usize::try_from(civil.weekday().to_monday_zero_offset()).ok().and_then(|day| DAYS.get(day));
    day.is_some_and(|day| policy.weekdays.contains(day)) && i16::from(civil.hour()) == i16::from(policy.hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backup, cache, holds, show, wrong};
    use crate::checks::testing::{Story, span};
    use crate::history::What;
    use recovery::model::views::BackupView;
    use serde_json::json;

    /// Monday and Thursday at three; the story begins on a Monday at midnight.
    fn policy() -> BackupPolicy {
        let weekdays = [Weekday::Monday, Weekday::Thursday].into();
        BackupPolicy { weekdays, hour: 3, log_backup: false, data_retention_days: 7, log_retention_days: 7 }
    }

    fn with_policy() -> InstanceView {
        let mut view = cache();
        view.configuration.backup_policy = policy();
        view
    }

    fn ask(story: &mut Story, status: u16) {
        let body = json!({"backup_policy": policy()});
        let answer = if status == 200 { json!(with_policy()) } else { json!({"code": "InvalidParameter"}) };
        story.call("PUT /v1/instances/r-1/configuration", body, status, answer).wait("1s");
    }

    fn automated(story: &mut Story, after: &str) {
        let view = BackupView { mode: BackupMode::Automated, ..backup("bk-1", story.now + span(after)) };
        story.now = view.ended_at.unwrap_or(story.now);
        show(story, &view);
        story.see(&with_policy());
    }

    #[test]
    fn settings_that_are_refused_or_have_no_effect_are_found() {
        let mut story = Story::new();
        story.see(&cache());
        ask(&mut story, 400);
        assert_eq!(wrong(&story, check), vec![RedisViolation::PolicyRefused { instance: "r-1".into() }]);
        let mut story = Story::new();
        story.see(&cache());
        ask(&mut story, 200);
        story.see(&cache());
        assert_eq!(wrong(&story, check), vec![RedisViolation::PolicyWithoutEffect { instance: "r-1".into() }]);
    }

    #[test]
    fn settings_that_change_unasked_are_found() {
        let mut story = Story::new();
        story.see(&cache()).wait("1s").see(&with_policy());
        assert_eq!(wrong(&story, check), vec![RedisViolation::PolicyChangedUnasked { instance: "r-1".into() }]);
    }

    #[test]
    fn an_automatic_backup_at_another_hour_is_found() {
        let mut story = Story::new();
        story.see(&with_policy()).wait("1s");
        automated(&mut story, "5h");
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::OutsideWindow { .. }]));
    }

    #[test]
    fn a_window_without_a_backup_is_found() {
        let mut story = Story::new();
        story.see(&with_policy()).wait("6h");
        story.push(What::BackupsListed { of: "r-1".into(), from: None, to: None, ids: vec![] }).see(&with_policy());
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::NotBackedUp { .. }]));
    }

    #[test]
    fn settings_that_take_effect_and_a_backup_in_its_window_hold() {
        let mut story = Story::new();
        story.see(&cache());
        ask(&mut story, 200);
        story.see(&with_policy());
        automated(&mut story, "3h");
        story.wait("2h").push(What::BackupsListed { of: "r-1".into(), from: None, to: None, ids: vec!["bk-1".into()] });
        story.see(&with_policy());
        holds(&story, check, 2);
    }
}
