//! A clone has the whitelist, parameters, backup settings and alarm thresholds its master has now, and the accounts and
//! passwords of the chosen time (CLN-28; C-11; prechecks.md section 7.2).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::truth::{
    account_difference, authorised_between, fresh_shot, setting_difference, truth, untouched,
};
use crate::checks::temporary::witness::order_of;
use crate::history::lens::{InstanceStory, Lens, Seen};
use recovery::model::instance::Configuration;
use recovery::model::views::InstanceView;

/// Compares the configuration and the server settings of each clone with those of a master that kept its own meanwhile.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.clones() {
        let clone = story.id.clone();
        let shown = in_views(lens, story);
        let wrong = shown.as_ref().is_some_and(|(_, setting)| setting.is_some());
        if let Some((seen, setting)) = shown {
            let violation =
                setting.map(|setting| CloneViolation::CloneSettingsDiffer { clone: clone.clone(), setting });
            finding.judge(&seen, violation);
        }
        if let (false, Some((seen, setting))) = (wrong, on_photographs(lens, story)) {
            let clone = clone.clone();
            finding.judge(&seen, setting.map(|setting| CloneViolation::CloneSettingsDiffer { clone, setting }));
        }
        if let (Some(truth), Some(shot)) = (truth(lens, story), fresh_shot(lens, story)) {
            let difference = account_difference(truth, &shot.it.photograph);
            finding
                .judge(&shot, difference.map(|difference| CloneViolation::CloneContentDiffers { clone, difference }));
        }
    }
    finding
}

fn in_views<'a>(lens: &Lens<'a>, story: &InstanceStory<'a>) -> Option<(Seen<'a, InstanceView>, Option<String>)> {
    let master = lens.instance(story.master()?)?;
    let (order, running) = (order_of(lens, story.id)?, story.running()?);
    let before = master.views.iter().rev().find(|seen| seen.index < order.index && seen.at <= order.it.sent_at)?;
    let after = master.views.iter().find(|seen| seen.index > running.index)?;
    let steady = before.it.configuration == after.it.configuration
        && !lens.touched_between(master.id, before.index, after.index)
        && !lens.touched_between(story.id, 0, running.index)
        && !authorised_between(lens, before.index, after.index);
    steady.then(|| (running, other_setting(&before.it.configuration, &running.it.configuration).map(str::to_owned)))
}

/// The first setting a clone did not take over. SSL is none of those that are taken over.
fn other_setting(want: &Configuration, got: &Configuration) -> Option<&'static str> {
    let same = [
        ("whitelist", want.whitelist == got.whitelist),
        ("parameters", want.parameters == got.parameters),
        ("backup policy", want.backup_policy == got.backup_policy),
        ("alarm thresholds", want.alarm_thresholds == got.alarm_thresholds),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(name, _)| name)
}

fn on_photographs<'a>(
    lens: &Lens<'a>,
    story: &InstanceStory<'a>,
) -> Option<(Seen<'a, crate::history::Shot>, Option<String>)> {
    let master = story.master()?;
    let (order, shot) = (order_of(lens, story.id)?, fresh_shot(lens, story)?);
    let before = lens.shots(master).rev().find(|seen| seen.index < order.index && seen.at <= order.it.sent_at)?;
    let after = lens
        .shots(master)
        .find(|seen| seen.index > order.index && seen.at >= shot.at)
        .or_else(|| lens.shots(master).find(|seen| seen.index > order.index))?;
    let (want, now, got) = (&before.it.photograph, &after.it.photograph, &shot.it.photograph);
    let steady = setting_difference(want, now).is_none()
        && untouched(lens, master, &before, after.at.max(shot.at))
        && !authorised_between(lens, before.index, shot.index.max(after.index));
    steady.then(|| (shot, setting_difference(want, got).map(|difference| difference.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, clone_body, holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, photograph, start};
    use serde_json::json;

    fn story(copy: &InstanceView, between: impl Fn(&mut Story)) -> Story {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[copy]);
        between(&mut story);
        story.see(copy).see(&shop);
        story
    }

    #[test]
    fn a_password_given_after_the_backup_is_found() {
        let (shop, content) = (master("rm-1", "mysql 5.7"), photograph(&[]));
        let mut other = content.clone();
        other.accounts.values_mut().for_each(|account| account.password_mark = "bbbb".into());
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", &content).data_backup(&shop);
        story.order_clones("k", &shop, clone_body(by_set()), &[&copy()]).see(&copy()).shot("rm-2", &other);
        let difference = crate::checks::temporary::Difference::Changed { what: "password of app".into() };
        let expected = CloneViolation::CloneContentDiffers { clone: "rm-2".into(), difference };
        assert_eq!(wrong_clone(&story, check), vec![expected]);
    }

    fn copy() -> InstanceView {
        clone_of("rm-2", &master("rm-1", "mysql 5.7"), start())
    }

    #[test]
    fn a_clone_with_an_old_whitelist_is_found() {
        let mut copy = copy();
        copy.configuration.whitelist.clear();
        let expected = CloneViolation::CloneSettingsDiffer { clone: "rm-2".into(), setting: "whitelist".into() };
        assert_eq!(wrong_clone(&story(&copy, |_| {}), check), vec![expected]);
    }

    #[test]
    fn a_server_with_other_settings_than_it_shows_is_found() {
        let (shop, content) = (master("rm-1", "mysql 5.7"), photograph(&[]));
        let mut other = content.clone();
        other.settings.insert("parameter wait_timeout".into(), "1".into());
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", &content).order_clones("k", &shop, clone_body(by_set()), &[&copy()]);
        story.see(&copy()).shot("rm-2", &other).shot("rm-1", &content).see(&shop);
        let setting = "setting parameter wait_timeout that must not be there".into();
        assert_eq!(
            wrong_clone(&story, check),
            vec![CloneViolation::CloneSettingsDiffer { clone: "rm-2".into(), setting }]
        );
    }

    #[test]
    fn a_clone_with_its_masters_settings_holds_whatever_its_ssl() {
        let mut copy = copy();
        copy.configuration.ssl = true;
        holds(&story(&copy, |_| {}), check, 1);
    }

    #[test]
    fn settings_changed_meanwhile_exercise_nothing() {
        let change = |story: &mut Story| {
            story.call("PUT /v1/instances/rm-1/configuration", json!({"whitelist": []}), 200, json!({}));
        };
        holds(&story(&copy(), change), check, 0);
    }
}
