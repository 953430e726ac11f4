//! A temporary instance needs a complete data backup of its master (SQL-09).

use super::TemporaryViolation;
use super::truth::{backups, complete};
use super::witness::{Choice, Order, TEMPORARIES, asked_at, choice, faulted_before, is_fresh, orders, skewed};
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::Lens;
use jiff::{SignedDuration, Timestamp};
use recovery::model::BackupId;
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::instance::{Origin, Restored};
use recovery::model::views::{BackupList, InstanceView};
use serde::Deserialize;

/// Refusals that name the cause.
const CAUSES: [&str; 2] = ["OperationDenied.NotFoundBackup", "OperationDenied.BackupStatus"];
/// No backup is deleted for its age before this.
const STAYS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Judges orders of masters that certainly had no complete data backup, or on a backup that is not one.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let call = &order.call;
        let bad = named(lens, &order).filter(|id| is_bad(lens, id, call.at));
        let some = has_one(lens, &order);
        let refused_for_it = call.it.code().is_some_and(|code| CAUSES.contains(&code));
        if !order.made.is_empty() && (bad.is_some() || (!some && certainly_none(lens, &order))) {
            let violation = TemporaryViolation::MadeWithoutBackup { master: order.master.id.clone(), backup: bad };
            finding.judge(call, Some(violation));
        } else if refused_for_it && (bad.is_some() || !some) {
            finding.judge(call, None::<TemporaryViolation>);
        }
    }
    finding
}

/// Whether a complete data backup of the master was seen that no later list left out again, as after its retention.
fn has_one(lens: &Lens<'_>, order: &Order<'_, '_>) -> bool {
    let call = &order.call;
    backups(lens).filter(|(_, backup)| backup.instance == *order.master.id && complete(backup)).any(
        |(seen_at, backup)| {
            let mut lists = lens.calls_to("GET /v1/instances/{}/backups").filter(|(list, found)| {
                let between = list.it.sent_at >= seen_at && list.at <= call.it.sent_at;
                between && list.it.accepted() && found[0] == order.master.id.as_str()
            });
            let on_it = |list: &BackupList| list.backups.iter().any(|listed| listed.id == backup.id);
            let left_out =
                lists.any(|(list, _)| BackupList::deserialize(&*list.it.answer).is_ok_and(|list| !on_it(&list)));
            // What was seen before the order had begun before it, whatever the service's clock says.
            (seen_at <= call.at || backup.began_at <= call.at) && !left_out
        },
    )
}

/// The backup that was asked for, or that the instance says it stands on.
fn named(lens: &Lens<'_>, order: &Order<'_, '_>) -> Option<BackupId> {
    if let Some(Choice::BackupSet(id)) = choice(order.call.it) {
        return Some(id);
    }
    match &lens.instance(order.made.first()?)?.first.origin {
        Origin::Temporary {
            restored: Restored::BackupSet { backup_set_id } | Restored::PointInTime { backup_set_id, .. },
            ..
        } => Some(backup_set_id.clone()),
        _ => None,
    }
}

/// Whether a backup was seen to be no complete data backup at a time.
fn is_bad(lens: &Lens<'_>, id: &BackupId, at: Timestamp) -> bool {
    lens.history.events.iter().enumerate().any(|(index, event)| match &event.what {
        What::BackupSeen(backup) if backup.id == *id => {
            let now = || is_fresh(lens, index) && asked_at(lens, index) >= at;
            let unfinished = backup.status == BackupStatus::Running && now();
            backup.kind == BackupKind::Log || backup.status == BackupStatus::Failed || unfinished
        }
        _ => false,
    })
}

/// Whether a list asked for afterwards would have shown a backup, or nobody and no policy had one taken.
fn certainly_none(lens: &Lens<'_>, order: &Order<'_, '_>) -> bool {
    let (master, at) = (order.master, order.call.at);
    let mut lists = lens.calls_to("GET /v1/instances/{}/backups").filter(|(_, found)| found[0] == master.id.as_str());
    let listed = lists.any(|(list, _)| list.it.accepted() && list.it.sent_at >= at && list.at < at + STAYS);
    let mut requests =
        lens.calls_to("POST /v1/instances/{}/backups").filter(|(_, found)| found[0] == master.id.as_str());
    let requested = requests.any(|(request, _)| !request.it.refused() && request.it.sent_at <= at);
    let skewed = skewed(lens) || faulted_before(lens, order.call.index);
    // Nothing is backed up before it was made; how an instance was asked for counts only where it was not seen since.
    let known: Vec<_> = master.views.iter().filter(|seen| seen.at <= at).collect();
    let made = known.iter().any(|seen| seen.it.created_at.is_some());
    let due =
        || known.iter().any(|seen| (seen.it.created_at.is_some() || !made) && automatic_backup_is_due(seen.it, at));
    listed || (!requested && !skewed && !due())
}

/// Whether an automatic backup may have begun between the making of an instance and a time: its hour came round.
fn automatic_backup_is_due(view: &InstanceView, at: Timestamp) -> bool {
    const DAY_S: i64 = 86_400;
    let policy = &view.configuration.backup_policy;
    let from = view.created_at.unwrap_or(view.requested_at).as_second();
    let today = from.div_euclid(DAY_S) * DAY_S + i64::from(policy.hour) * 3_600;
    let next = if today < from { today + DAY_S } else { today };
    !policy.weekdays.is_empty() && next <= at.as_second()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
    use crate::checks::testing::{Story, master, span, start, temporary};
    use serde_json::json;
    use std::sync::Arc;

    const ORDER: &str = "POST /v1/instances/rm-1/temporary-instances";

    #[test]
    fn an_order_without_any_backup_that_is_accepted_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        story.call("GET /v1/instances/rm-1/backups", json!(null), 200, json!({"backups": []}));
        let expected = TemporaryViolation::MadeWithoutBackup { master: "rm-1".into(), backup: None };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn an_order_without_any_backup_and_before_its_hour_is_found_though_nobody_looked_afterwards() {
        let mut shop = master("rm-1", "sqlserver 2012 web");
        shop.configuration.backup_policy.weekdays.insert(recovery::model::instance::Weekday::Monday);
        let creating = InstanceView { created_at: None, requested_at: start(), ..shop.clone() };
        let mut story = Story::new();
        story.see(&creating).wait("2s");
        shop.created_at = Some(story.now);
        story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        story.push(What::fault("heal", "everything heals", None));
        let expected = TemporaryViolation::MadeWithoutBackup { master: "rm-1".into(), backup: None };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn an_order_on_a_failed_backup_that_is_accepted_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).data_backup(&shop);
        if let What::BackupSeen(backup) = &mut story.history.events[1].what {
            Arc::make_mut(backup).status = BackupStatus::Failed;
        }
        story.order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        let expected = TemporaryViolation::MadeWithoutBackup { master: "rm-1".into(), backup: Some("bk-1".into()) };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn an_order_without_any_backup_that_is_refused_holds() {
        let mut story = Story::new();
        story.see(&master("rm-1", "sqlserver 2012 web")).refused(ORDER, by_set(), 403, CAUSES[0]);
        holds(&story, check, 1);
    }

    #[test]
    fn an_order_on_a_complete_backup_exercises_nothing() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).data_backup(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        holds(&story, check, 0);
    }

    #[test]
    fn a_backup_seen_before_an_order_counts_though_the_services_clock_is_ahead() {
        let (mut story, shop) = (Story::new(), master("rm-1", "sqlserver 2012 web"));
        story.see(&shop).data_backup(&shop);
        for event in &mut story.history.events {
            if let What::BackupSeen(backup) = &mut event.what {
                Arc::make_mut(backup).began_at += span("1h");
            }
        }
        story.order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        story.call("GET /v1/instances/rm-1/backups", json!(null), 200, json!({"backups": []}));
        holds(&story, check, 0);
    }

    #[test]
    fn a_refusal_after_the_last_backup_was_deleted_holds() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).data_backup(&shop).wait("192h");
        story.call("GET /v1/instances/rm-1/backups", json!(null), 200, json!({"backups": []}));
        story.refused(ORDER, by_set(), 403, CAUSES[0]);
        holds(&story, check, 1);
    }

    #[test]
    fn an_automatic_backup_is_due_once_its_hour_came() {
        let mut shop = master("rm-1", "sqlserver 2012 web");
        shop.configuration.backup_policy.hour = 3;
        shop.configuration.backup_policy.weekdays.insert(recovery::model::instance::Weekday::Monday);
        let hours = |hours| start() + SignedDuration::from_hours(hours);
        assert!(!automatic_backup_is_due(&shop, hours(2)));
        assert!(automatic_backup_is_due(&shop, hours(3)));
    }
}
