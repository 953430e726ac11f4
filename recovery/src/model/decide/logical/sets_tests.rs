//! Facts about sets: ranges, choices, retention.

use super::*;
use crate::model::decide::duties::{Agenda, Duty};
use crate::model::decide::logical::bench::{Desk, by_set, desk, desk_of};
use crate::model::decide::logical::{restores, tasks, views};
use crate::model::decide::testing::{MYSQL, SQL_SERVER_WEB, at, code};
use crate::model::work::Report;
use crate::ports::clock::{later, later_s};
use jiff::SignedDuration;

fn can(desk: &Desk) -> LogicalRestorable {
    restorable(&desk.bench.state, &desk.task, desk.bench.now).unwrap()
}

fn span(earliest: Timestamp, latest: Timestamp) -> RestorableRange {
    RestorableRange { earliest, latest }
}

fn by_time(time: Timestamp) -> RestoreMethod {
    RestoreMethod::PointInTime { point_in_time: time }
}

fn choice(desk: &Desk, method: &RestoreMethod) -> Result<(SetId, Vec<SetId>), Refusal> {
    desk.bench.ask(|ctx| choose(ctx, desk.task(), method).map(|chosen| (chosen.set.id.clone(), chosen.logs)))
}

fn dropped_sets(desk: &Desk) -> Vec<SetId> {
    let due = Agenda::of(&desk.bench.state, &desk.bench.policy, desk.bench.now).due;
    due.into_iter().filter_map(|duty| if let Duty::DropSet(set) = duty { Some(set) } else { None }).collect()
}

#[test]
fn the_range_reaches_from_the_first_snapshot_to_the_last_second_collected() {
    let mut desk = desk(MYSQL);
    desk.bench.now = later(desk.bench.now, SignedDuration::from_millis(400));
    let begun = later(desk.bench.now, SignedDuration::from_millis(600));
    assert_eq!(can(&desk), LogicalRestorable { ranges: vec![], backup_sets: vec![] });
    let set = desk.complete();
    let end = later_s(begun, 9);
    assert_eq!(can(&desk), LogicalRestorable { ranges: vec![span(begun, end)], backup_sets: vec![set] });
    desk.collect();
    assert_eq!(can(&desk).ranges, [span(begun, end)]);
    desk.bench.wait(30);
    assert_eq!(can(&desk).ranges, [span(begun, end)]);
    desk.collect();
    assert_eq!(can(&desk).ranges, [span(begun, later_s(end, 30))]);
    desk.run();
    desk.collect();
    let ranges = can(&desk).ranges;
    assert_eq!((ranges.len(), ranges[0].earliest), (1, begun));
    assert_eq!(ranges[0].latest, later(desk.bench.now, SignedDuration::from_millis(-400)));
}

#[test]
fn the_range_never_reaches_beyond_the_services_own_time() {
    let mut desk = desk(MYSQL);
    desk.complete();
    let ahead = Instant { position: 500, at: later_s(desk.bench.now, 40) };
    desk.work(&[Report::LogCollected { to: ahead, segment_bytes: None }]);
    assert_eq!(can(&desk).ranges[0].latest, desk.bench.now);
    assert_eq!(code(choice(&desk, &by_time(later_s(desk.bench.now, 1)))), RefusalCode::RestoreTime);
    assert!(choice(&desk, &by_time(desk.bench.now)).is_ok());
}

#[test]
fn without_a_log_only_sets_can_be_restored() {
    let mut desk = desk(SQL_SERVER_WEB);
    let set = desk.complete();
    assert_eq!(can(&desk), LogicalRestorable { ranges: vec![], backup_sets: vec![set.clone()] });
    assert_eq!(code(choice(&desk, &by_time(desk.bench.now))), RefusalCode::RestoreMethodNotSupported);
    assert_eq!(choice(&desk, &by_set(&set)).unwrap(), (set, vec![]));
    let mut desk = desk_of(MYSQL, LogicalType::StructureFull);
    desk.complete();
    assert_eq!(code(choice(&desk, &by_time(desk.bench.now))), RefusalCode::RestoreMethodNotSupported);
}

#[test]
fn only_a_completed_full_set_of_the_task_is_restored() {
    let mut desk = desk(MYSQL);
    let running = desk.task().running.clone().unwrap();
    assert_eq!(code(choice(&desk, &by_set(&running))), RefusalCode::SetNotRestorable);
    assert_eq!(code(choice(&desk, &by_set(&"bkx-none".into()))), RefusalCode::NotFoundBackup);
    assert_eq!(code(choice(&desk, &by_time(desk.bench.now))), RefusalCode::NotFoundBackup);
    desk.work(&[Report::SetFailed { why: "no rights".into() }]);
    assert_eq!(code(choice(&desk, &by_set(&running))), RefusalCode::SetNotRestorable);
    let whole = desk.run();
    assert_eq!(choice(&desk, &by_set(&whole)).unwrap(), (whole.clone(), vec![]));
    assert_eq!(code(choice(&desk, &by_set(&"bkx-none".into()))), RefusalCode::SetNotFound);
    let log = desk.task().log.clone().unwrap();
    assert_eq!(code(choice(&desk, &by_set(&log))), RefusalCode::SetNotRestorable);
    desk.bench.state.sets.get_mut(&whole).unwrap().task = "bk-other".into();
    assert_eq!(code(choice(&desk, &by_set(&whole))), RefusalCode::SetNotRestorable);
}

#[test]
fn a_structure_set_is_never_restored() {
    let mut desk = desk_of(MYSQL, LogicalType::Structure);
    let set = desk.complete();
    assert_eq!(desk.set(&set).kind, SetKind::Structure);
    assert_eq!(code(choice(&desk, &by_set(&set))), RefusalCode::SetNotRestorable);
    assert!(can(&desk).backup_sets.is_empty());
}

#[test]
fn a_point_in_time_is_a_whole_second_inside_the_range() {
    let mut desk = desk(MYSQL);
    let begun = desk.bench.now;
    let set = desk.complete();
    let log = desk.task().log.clone().unwrap();
    let completed = desk.bench.now;
    for time in [begun, completed] {
        assert_eq!(choice(&desk, &by_time(time)).unwrap(), (set.clone(), vec![]));
    }
    desk.bench.wait(5);
    assert_eq!(code(choice(&desk, &by_time(later_s(completed, 1)))), RefusalCode::LogNotCovering);
    desk.collect();
    let collected = desk.bench.now;
    desk.bench.wait(20);
    let fraction = later(begun, SignedDuration::from_millis(1_500));
    assert_eq!(code(choice(&desk, &by_time(fraction))), RefusalCode::InvalidParameter);
    assert_eq!(code(choice(&desk, &by_time(later_s(begun, -1)))), RefusalCode::RestoreTime);
    assert_eq!(code(choice(&desk, &by_time(later_s(desk.bench.now, 1)))), RefusalCode::RestoreTime);
    assert_eq!(code(choice(&desk, &by_time(later_s(collected, 1)))), RefusalCode::LogNotCovering);
    for time in [later_s(completed, 1), collected] {
        assert_eq!(choice(&desk, &by_time(time)).unwrap(), (set.clone(), vec![log.clone()]));
    }
}

#[test]
fn the_newest_full_set_read_before_the_point_in_time_is_chosen_with_the_logs_that_join_it() {
    let mut desk = desk(MYSQL);
    let first = desk.complete();
    let first_log = desk.task().log.clone().unwrap();
    desk.bench.wait(30);
    desk.collect();
    let before = desk.bench.now;
    let second = desk.run();
    let second_log = desk.task().log.clone().unwrap();
    assert_ne!(first_log, second_log);
    assert_eq!(desk.set(&second_log).from, desk.set(&first_log).to);
    desk.bench.wait(30);
    desk.collect();
    let read_at = desk.set(&second).from.unwrap().at;
    assert_eq!(choice(&desk, &by_time(before)).unwrap(), (first.clone(), vec![first_log.clone()]));
    let between = later_s(read_at, -1);
    let (set, logs) = choice(&desk, &by_time(between)).unwrap();
    assert_eq!((&set, &logs[0]), (&first, &first_log));
    assert_eq!(choice(&desk, &by_time(read_at)).unwrap(), (second.clone(), vec![]));
    assert_eq!(choice(&desk, &by_time(desk.bench.now)).unwrap(), (second, vec![second_log]));
}

#[test]
fn a_log_that_could_not_be_followed_leaves_a_gap_until_the_next_full_set() {
    let mut desk = desk(MYSQL);
    desk.complete();
    desk.collect();
    let known = desk.bench.now;
    let log = desk.task().log.clone().unwrap();
    desk.bench.wait(30);
    desk.work(&[Report::SetFailed { why: "the log begins later".into() }]);
    assert_eq!(
        (desk.set(&log).status, desk.set(&log).failure.as_deref()),
        (SetStatus::Completed, Some("the log begins later"))
    );
    assert_eq!(desk.task().log, None);
    let second = desk.run();
    let again = desk.set(&second).from.unwrap().at;
    desk.collect();
    assert_eq!(
        can(&desk).ranges.iter().map(|range| (range.earliest, range.latest)).collect::<Vec<_>>()[1..],
        [(again, desk.bench.now)]
    );
    assert_eq!(code(choice(&desk, &by_time(later_s(known, 1)))), RefusalCode::LogNotCovering);
    assert!(choice(&desk, &by_time(known)).is_ok() && choice(&desk, &by_time(again)).is_ok());
}

#[test]
fn a_log_that_never_held_anything_and_cannot_be_followed_has_failed() {
    let mut desk = desk(MYSQL);
    desk.complete();
    let log = desk.task().log.clone().unwrap();
    desk.work(&[Report::SetFailed { why: "no log".into() }]);
    assert_eq!(desk.set(&log).status, SetStatus::Failed);
    assert_eq!(can(&desk).ranges[0].latest, desk.bench.now);
    desk.bench.wait(1);
    assert_eq!(code(choice(&desk, &by_time(desk.bench.now))), RefusalCode::LogNotCovering);
}

#[test]
fn a_set_goes_when_its_retention_has_passed_unless_a_restore_uses_it() {
    let mut desk = desk(MYSQL);
    let set = desk.complete();
    let log = desk.task().log.clone().unwrap();
    let id = desk.checked(&set);
    let expires_at = later_s(desk.set(&set).ended_at.unwrap(), 7 * 86_400);
    assert_eq!(desk.set(&set).expires_at, Some(expires_at));
    desk.bench.now = later_s(expires_at, -1);
    assert!(can(&desk).backup_sets.contains(&set));
    desk.bench.now = expires_at;
    assert!(can(&desk).backup_sets.is_empty());
    assert!(views::show_set(&desk.bench.state, &set, desk.bench.now).is_err());
    assert_eq!(dropped_sets(&desk), []);
    desk.bench.decide(|ctx| restores::start(ctx, &id)).unwrap();
    assert_eq!(dropped_sets(&desk), []);
    desk.bench.state.restores.get_mut(&id).unwrap().status = crate::model::logical::restore::RestoreStatus::Failed;
    assert_eq!(dropped_sets(&desk), std::slice::from_ref(&set));
    desk.bench.decide(|ctx| dropped(ctx, &set)).unwrap();
    assert!(!desk.bench.state.sets.contains_key(&set));
    assert_eq!((desk.task().log.as_ref(), desk.set(&log).status), (None, SetStatus::Completed));
    desk.bench.now = later_s(expires_at, 7 * 86_400);
    assert_eq!(dropped_sets(&desk), [log]);
}

#[test]
fn the_log_is_followed_while_a_later_full_set_needs_it() {
    let mut desk = desk(MYSQL);
    let first = desk.complete();
    desk.wait_days(3);
    let second = desk.run();
    desk.wait_days(5);
    assert_eq!(dropped_sets(&desk), std::slice::from_ref(&first));
    desk.bench.decide(|ctx| dropped(ctx, &first)).unwrap();
    assert!(desk.task().log.is_some());
    desk.collect();
    let choice = choice(&desk, &by_time(desk.bench.now)).unwrap();
    assert_eq!(choice.0, second);
    let task = desk.task.clone();
    desk.bench.decide(|ctx| tasks::stop(ctx, &task)).unwrap();
    assert_eq!(can(&desk).ranges[0].latest, desk.bench.now);
    assert!(can(&desk).ranges[0].earliest > at("2026-01-08T00:00:00Z"));
}
