//! Facts about scheduled runs.

use super::*;
use crate::model::decide::duties::{Agenda, Duty};
use crate::model::decide::logical::bench::{Desk, desk};
use crate::model::decide::logical::tasks;
use crate::model::decide::testing::{SQL_SERVER_WEB, at};
use crate::model::instance::Weekday;
use crate::model::logical::backup::Schedule;
use crate::model::work::Report;

/// A task made on Monday at nine that runs on Mondays and Thursdays at ten; its first set is complete.
fn scheduled() -> Desk {
    let mut desk = desk(SQL_SERVER_WEB);
    let schedule = Schedule { weekdays: [Weekday::Monday, Weekday::Thursday].into(), hour: 10 };
    desk.bench.state.logical_tasks.get_mut(&desk.task).unwrap().schedule = Some(schedule);
    desk.complete();
    desk
}

fn is_due(desk: &Desk) -> bool {
    Agenda::of(&desk.bench.state, &desk.bench.policy, desk.bench.now).due.contains(&Duty::StartRun(desk.task.clone()))
}

fn wakes_at(desk: &Desk) -> Option<Timestamp> {
    Agenda::of(&desk.bench.state, &desk.bench.policy, desk.bench.now).next_at
}

fn run(desk: &mut Desk) {
    let task = desk.task.clone();
    desk.bench.decide(|ctx| tasks::run(ctx, &task)).unwrap();
}

#[test]
fn a_task_runs_on_its_weekdays_at_its_hour() {
    let mut desk = scheduled();
    for time in ["2026-01-05T10:00:00Z", "2026-01-08T10:00:00Z", "2026-01-12T10:00:00Z"] {
        assert_eq!(wakes_at(&desk), Some(at(time)));
        desk.bench.now = later_s(at(time), -1);
        assert!(!is_due(&desk));
        desk.bench.now = at(time);
        assert!(is_due(&desk));
        run(&mut desk);
        assert!(!is_due(&desk));
        desk.complete();
        assert!(!is_due(&desk));
        desk.bench.state.sets.values_mut().for_each(|set| set.expires_at = None);
    }
}

#[test]
fn a_missed_run_is_made_up_for_and_a_failed_one_is_made_again_after_an_hour() {
    let mut desk = scheduled();
    desk.bench.now = at("2026-01-07T03:00:00Z");
    assert!(is_due(&desk));
    run(&mut desk);
    desk.work(&[Report::SetFailed { why: "disk full".into() }]);
    assert!(!is_due(&desk));
    assert_eq!(wakes_at(&desk), Some(at("2026-01-07T04:00:00Z")));
    desk.bench.now = at("2026-01-07T04:00:00Z");
    assert!(is_due(&desk));
    run(&mut desk);
    desk.complete();
    assert_eq!(wakes_at(&desk), Some(at("2026-01-08T10:00:00Z")));
}

#[test]
fn a_stopped_task_and_a_released_instance_run_no_more() {
    let mut desk = scheduled();
    desk.bench.now = at("2026-01-05T10:00:00Z");
    let instance = desk.bench.state.sources[&desk.source].instance.clone();
    let expires_at = desk.bench.now;
    desk.bench.edit(&instance, |instance| instance.expires_at = Some(expires_at));
    assert!(!is_due(&desk));
    desk.bench.edit(&instance, |instance| instance.expires_at = None);
    assert!(is_due(&desk));
    let task = desk.task.clone();
    desk.bench.decide(|ctx| tasks::stop(ctx, &task)).unwrap();
    assert!(!is_due(&desk));
}
