//! Structure and full data cost nothing, incremental data is paid for afterwards (DTS-12; C-31).

use super::MigrationViolation;
use super::scene::follows;
use crate::checks::Finding;
use crate::checks::temporary::witness::skewed;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::task::{MigrationType, PhaseStatus};
use recovery::model::views::{ChargeList, ChargeView, TaskView};
use serde::Deserialize;

const PAID_AFTERWARDS: &str = "PostPaid";

/// Looks at how each task is paid, and at every answer that tells its charges.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let otherwise = task.views.iter().find(|seen| seen.it.pay_type != PAID_AFTERWARDS);
        if let Some(seen) = otherwise.or_else(|| task.started().and_then(|_| task.views.first())) {
            let wrong = MigrationViolation::TaskPayType { task: task.id.clone(), pay_type: seen.it.pay_type.clone() };
            finding.judge(seen, otherwise.map(|_| wrong));
        }
        let about = |call: &Seen<'_, Call>| {
            call.it.path.split_once('?').is_none_or(|(_, query)| query == format!("subject={}", task.id))
        };
        let calls = lens
            .calls_to("GET /v1/charges")
            .map(|(call, _)| call)
            .filter(|call| call.it.accepted() && call.index > task.views[0].index);
        for call in calls.filter(about) {
            let Ok(list) = ChargeList::deserialize(&*call.it.answer) else { continue };
            let charges: Vec<ChargeView> =
                list.charges.into_iter().filter(|charge| charge.subject == task.id.as_str()).collect();
            if task.started().is_some_and(|begun| begun.index < call.index) {
                finding.judge(&call, charges_wrong(lens, task, &call, &charges));
            }
        }
    }
    finding
}

fn charges_wrong(
    lens: &Lens<'_>,
    task: &TaskStory<'_>,
    call: &Seen<'_, Call>,
    charges: &[ChargeView],
) -> Option<MigrationViolation> {
    let seen_before: Vec<_> = task.views.iter().filter(|seen| seen.index < call.index).collect();
    let phase = |status: Option<&PhaseStatus>| matches!(status, Some(PhaseStatus::Migrating | PhaseStatus::Catched));
    let paid = seen_before.iter().find(|seen| phase(seen.it.phases.get(&MigrationType::Incremental)));
    // Until the last sight of the load, nothing can have been charged. A phase that is over had begun, seen or not.
    let begun = |seen: &TaskView| {
        seen.phases.get(&MigrationType::Incremental).is_some_and(|status| *status != PhaseStatus::NotStarted)
    };
    let ever = seen_before.iter().find(|seen| begun(seen.it));
    let loading = seen_before.iter().rev().find(|seen| ever.is_none_or(|ever| seen.index < ever.index));
    let early = |charge: &&ChargeView| {
        !skewed(lens) && loading.is_some_and(|seen| charge.from < task_call(lens, seen.index).unwrap_or(seen.at))
    };
    let wrong = charges.iter().find(|charge| !follows(task.last()) || early(charge));
    if let Some(charge) = wrong {
        return Some(MigrationViolation::LoadCharged {
            task: task.id.clone(),
            what: charge.what.clone(),
            from: charge.from,
        });
    }
    let nothing = charges.iter().all(|charge| charge.cents == 0);
    (paid.is_some() && nothing).then(|| MigrationViolation::IncrementalNotCharged { task: task.id.clone() })
}

/// When the call whose answer showed a sight was sent.
fn task_call(lens: &Lens<'_>, index: usize) -> Option<jiff::Timestamp> {
    lens.calls().rev().find(|call| call.index < index).map(|call| call.it.sent_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};
    use crate::checks::testing::start;
    use serde_json::{Value, json};

    fn told(plot: &mut Plot, charges: Value) {
        plot.story.call("GET /v1/charges?subject=dts-1", Value::Null, 200, json!({ "charges": charges }));
    }

    fn charge(from: jiff::Timestamp) -> Value {
        json!([{"subject": "dts-1", "what": "incremental-migration", "from": from, "until": null, "cents": 7}])
    }

    fn following() -> Plot {
        let mut plot = Plot::of("mysql 5.7");
        plot.types(&[MigrationType::Full, MigrationType::Incremental]).ready(&orders(), &nothing()).begin();
        plot.phase(MigrationType::Incremental, PhaseStatus::Catched);
        plot
    }

    #[test]
    fn a_charge_for_structure_and_full_is_found() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().finish();
        told(&mut plot, charge(start()));
        let expected = MigrationViolation::LoadCharged {
            task: "dts-1".into(),
            what: "incremental-migration".into(),
            from: start(),
        };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn incremental_data_that_cost_nothing_are_found() {
        let mut plot = following();
        told(&mut plot, json!([]));
        let expected = vec![MigrationViolation::IncrementalNotCharged { task: "dts-1".into() }];
        assert_eq!(wrong(&plot.story, check), expected);
        let mut plot = following();
        let mut nothing = charge(plot.story.now);
        nothing[0]["cents"] = json!(0);
        told(&mut plot, nothing);
        assert_eq!(wrong(&plot.story, check), expected);
    }

    #[test]
    fn another_way_of_paying_is_found() {
        let mut plot = Plot::of("mysql 5.7");
        plot.task.pay_type = "PrePaid".into();
        plot.ready(&orders(), &nothing());
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::TaskPayType { task: "dts-1".into(), pay_type: "PrePaid".into() }]
        );
    }

    #[test]
    fn a_free_load_and_a_charged_rest_hold() {
        let mut plot = following();
        let now = plot.story.now;
        told(&mut plot, charge(now));
        holds(&plot.story, check, 2);
        let mut free = Plot::between(&orders(), &nothing());
        free.begin().finish();
        told(&mut free, json!([]));
        holds(&free.story, check, 2);
    }

    #[test]
    fn incremental_data_that_were_paid_until_they_failed_unseen_hold_and_a_load_that_was_paid_is_found() {
        let charged = |early: bool| {
            let mut plot = Plot::of("mysql 5.7");
            plot.types(&[MigrationType::Full, MigrationType::Incremental]).ready(&orders(), &nothing());
            let before = plot.story.now;
            plot.story.wait("1m");
            plot.begin().story.wait("1m");
            let from = if early { before } else { plot.story.now };
            plot.story.wait("1m");
            plot.task.phases.insert(MigrationType::Incremental, PhaseStatus::Failed);
            plot.sight(recovery::model::task::TaskStatus::MigrationFailed);
            told(&mut plot, charge(from));
            plot.story
        };
        holds(&charged(false), check, 2);
        assert!(matches!(wrong(&charged(true), check)[..], [MigrationViolation::LoadCharged { .. }]));
    }

    #[test]
    fn a_task_that_never_began_exercises_nothing() {
        holds(&Plot::between(&orders(), &nothing()).story, check, 0);
    }
}
