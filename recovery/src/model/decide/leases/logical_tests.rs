//! Facts about the leases of logical backup and restore tasks, and about what is reported under them.

use super::*;
use crate::model::content::ObjectKind;
use crate::model::decide::logical::bench::{Desk, WORKER, by_set, desk, success};
use crate::model::decide::logical::{restores, tasks};
use crate::model::decide::testing::{MYSQL, SQL_SERVER_WEB, code};
use crate::model::logical::backup::{Instant, SetStatus};
use crate::model::logical::restore::{
    RestoreFailure, RestoreMethod, RestorePhase, RestoreStatus, RestoredObject, RestoredStatus,
};
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::task::Work;
use crate::model::work::Job;

fn away() -> Report {
    Report::SourceAway { why: "cable cut".into() }
}

fn completed(to: Instant) -> Report {
    Report::SetCompleted { to, objects: Vec::new(), size_bytes: 1 }
}

fn restored(name: &str, status: RestoredStatus, cursor: u64, announced: bool) -> RestoredObject {
    RestoredObject {
        phase: RestorePhase::Full,
        kind: ObjectKind::Table,
        database: "app".into(),
        name: name.into(),
        target_name: name.into(),
        status,
        began_at: None,
        ended_at: None,
        records: cursor,
        records_skipped: 0,
        cursor,
        announced,
        rows_before: None,
    }
}

fn said(name: &str, status: RestoredStatus, cursor: u64, announced: bool) -> Report {
    let index = usize::from(name == "items");
    Report::RestoreObject { index, object: restored(name, status, cursor, announced) }
}

fn plan() -> Report {
    let waiting = |name| restored(name, RestoredStatus::Waiting, 0, false);
    Report::RestorePlanned(vec![waiting("orders"), waiting("items")])
}

/// A restore that runs, under a lease.
fn restoring() -> (Desk, TaskId, LeasedWork) {
    let mut desk = desk(SQL_SERVER_WEB);
    let set = desk.complete();
    let id = desk.checked(&set);
    desk.bench.decide(|ctx| restores::start(ctx, &id)).unwrap();
    let leased = desk.lease().unwrap();
    (desk, id, leased)
}

#[test]
fn a_set_is_taken_under_a_lease_that_ends_with_it() {
    let mut desk = desk(MYSQL);
    let leased = desk.lease().unwrap();
    let Job::Dump(job) = &leased.job else { panic!("{leased:?}") };
    assert_eq!(Some(&job.set), desk.task().running.as_ref());
    assert_eq!((job.source.login.account.as_str(), job.source.endpoint.is_some()), ("app", true));
    assert!(desk.lease().is_none());
    let (snapshot, to) = (desk.instant(), desk.instant());
    assert_eq!(code(desk.say(&leased, &[completed(to)])), RefusalCode::InvalidParameter);
    assert_eq!(desk.say(&leased, &[Report::Snapshot(snapshot)]).unwrap().lease_s, desk.bench.policy.lease_s);
    assert_eq!(code(desk.say(&leased, &[completed(to), Report::Renew])), RefusalCode::InvalidParameter);
    assert_eq!(desk.say(&leased, &[completed(to)]).unwrap().lease_s, 0);
    let set = desk.set(&job.set);
    assert_eq!((set.status, set.from, set.to), (SetStatus::Completed, Some(snapshot), Some(to)));
    assert_eq!((desk.task().running.as_ref(), desk.task().lease.as_ref()), (None, None));
    assert_eq!(code(desk.say(&leased, &[completed(to)])), RefusalCode::LeaseLost);
}

#[test]
fn the_log_is_collected_from_the_snapshot_on_whenever_it_is_due() {
    let mut desk = desk(MYSQL);
    let set = desk.complete();
    let snapshot = desk.set(&set).from.unwrap();
    for (segment, bytes) in [(0, Some(5)), (1, None), (1, Some(6)), (2, None)] {
        let leased = desk.lease().unwrap();
        let Job::CollectLog(job) = &leased.job else { panic!("{leased:?}") };
        assert_eq!((job.segment, Some(job.after)), (segment, desk.log().to));
        assert!(segment > 0 || job.after == snapshot);
        let to = desk.instant();
        desk.say(&leased, &[Report::LogCollected { to, segment_bytes: bytes }]).unwrap();
        assert_eq!(desk.log().to, Some(to));
        assert!(desk.lease().is_none());
        let due_at = later_s(desk.bench.now, 30);
        assert_eq!(next_at(&desk.bench.state, desk.bench.now), Some(due_at));
        desk.bench.now = due_at;
    }
    assert_eq!((desk.log().segments, desk.log().size_bytes), (2, 11));
}

#[test]
fn a_run_asked_for_while_the_log_is_collected_takes_nothing_from_it() {
    let mut desk = desk(MYSQL);
    desk.complete();
    let leased = desk.lease().unwrap();
    let task = desk.task.clone();
    let set = desk.bench.decide(|ctx| tasks::run(ctx, &task)).unwrap();
    let to = desk.instant();
    assert_eq!(code(desk.say(&leased, &[completed(to)])), RefusalCode::InvalidParameter);
    desk.say(&leased, &[Report::LogCollected { to, segment_bytes: None }]).unwrap();
    assert_eq!((desk.log().to, desk.set(&set).status), (Some(to), SetStatus::Running));
    let leased = desk.lease().unwrap();
    assert!(matches!(leased.job, Job::Dump(_)));
    assert_eq!(
        code(desk.say(&leased, &[Report::LogCollected { to, segment_bytes: None }])),
        RefusalCode::InvalidParameter
    );
    desk.say(&leased, &[Report::SetFailed { why: "no rights".into() }]).unwrap();
    assert_eq!((desk.set(&set).status, desk.set(&set).failure.as_deref()), (SetStatus::Failed, Some("no rights")));
    assert!(desk.task().log.is_some());
}

#[test]
fn a_set_whose_source_is_away_is_tried_again_ever_later_and_given_up_after_an_hour() {
    let mut desk = desk(SQL_SERVER_WEB);
    let set = desk.task().running.clone().unwrap();
    let begun = desk.bench.now;
    let mut pauses = Vec::new();
    while desk.task().running.is_some() {
        desk.work(&[away()]);
        let Some(retry_at) = desk.task().retry_at else { break };
        assert!(desk.lease().is_none());
        assert_eq!(next_at(&desk.bench.state, desk.bench.now), Some(retry_at));
        pauses.push(desk.bench.now.duration_until(retry_at).as_secs());
        desk.bench.now = retry_at;
    }
    assert_eq!(pauses[..6], [5, 10, 20, 40, 80, 120]);
    let lasted = begun.duration_until(desk.bench.now).as_secs();
    assert!((3_600..3_720).contains(&lasted), "{lasted}");
    assert_eq!((desk.set(&set).status, desk.set(&set).failure.as_deref()), (SetStatus::Failed, Some("cable cut")));
}

#[test]
fn a_log_waits_for_its_source_and_a_released_one_is_given_up_at_once() {
    let mut desk = desk(MYSQL);
    desk.complete();
    let log = desk.task().log.clone().unwrap();
    for _ in 0..100 {
        desk.work(&[away()]);
        desk.bench.now = desk.task().log_due_at.unwrap();
    }
    assert_eq!(desk.set(&log).status, SetStatus::Running);
    desk.collect();
    let task = desk.task.clone();
    let set = desk.bench.decide(|ctx| tasks::run(ctx, &task)).unwrap();
    let instance = desk.bench.state.sources[&desk.source].instance.clone();
    let now = desk.bench.now;
    desk.bench.edit(&instance, |instance| instance.expires_at = Some(now));
    desk.work(&[away()]);
    assert_eq!(desk.set(&set).status, SetStatus::Failed);
    desk.bench.wait(30);
    let leased = desk.lease().unwrap();
    let Job::CollectLog(job) = &leased.job else { panic!("{leased:?}") };
    assert_eq!(job.source.endpoint, None);
    desk.say(&leased, &[away()]).unwrap();
    assert_eq!((desk.set(&log).status, desk.task().log.as_ref()), (SetStatus::Completed, None));
}

#[test]
fn a_lapsed_lease_is_given_to_another_worker_with_the_same_set() {
    let mut desk = desk(MYSQL);
    let first = desk.lease().unwrap();
    let snapshot = desk.instant();
    desk.say(&first, &[Report::Snapshot(snapshot)]).unwrap();
    desk.bench.wait(desk.bench.policy.lease_s - 1);
    assert!(desk.lease().is_none());
    desk.bench.wait(1);
    let second = desk.lease().unwrap();
    assert_eq!((second.epoch, &second.task), (first.epoch + 1, &first.task));
    assert_eq!(code(desk.say(&first, &[Report::Renew])), RefusalCode::LeaseLost);
    let (snapshot, to) = (desk.instant(), desk.instant());
    desk.say(&second, &[Report::Snapshot(snapshot), completed(to)]).unwrap();
    assert_eq!(desk.log().from, Some(snapshot));
}

#[test]
fn the_oldest_task_of_any_kind_comes_first() {
    let mut desk = desk(SQL_SERVER_WEB);
    let set = desk.complete();
    desk.bench.wait(1);
    let restore = desk.restore(&desk.new_restore(by_set(&set))).unwrap();
    desk.bench.wait(1);
    let task = desk.task.clone();
    desk.bench.decide(|ctx| tasks::run(ctx, &task)).unwrap();
    assert_eq!([desk.lease().unwrap().task, desk.lease().unwrap().task], [task, restore]);
    assert!(desk.lease().is_none());
}

#[test]
fn a_restore_job_holds_all_a_worker_needs_and_nothing_of_the_source_server() {
    let mut desk = desk(MYSQL);
    let set = desk.complete();
    desk.bench.wait(1);
    desk.collect();
    let recovery = RestoreMethod::PointInTime { point_in_time: desk.bench.now };
    let id = desk.restore(&desk.new_restore(recovery)).unwrap();
    let leased = desk.lease().unwrap();
    let Job::Restore(job) = &leased.job else { panic!("{leased:?}") };
    let target = &desk.bench.state.sources[&desk.target];
    assert_eq!((&leased.task, job.work, &job.set, job.set_completed), (&id, Work::Precheck, &set, true));
    assert_eq!((job.target.instance.as_str(), job.until), (target.instance.as_str(), Some(desk.bench.now)));
    let log = desk.log();
    assert_eq!(job.logs.iter().map(|part| (&part.set, part.segments)).collect::<Vec<_>>(), [(&log.id, 1)]);
    assert_eq!(job.logs[0].from_position, desk.set(&set).from.unwrap().position);
}

#[test]
fn a_warning_needs_cause_and_remedy_and_blocks_nothing() {
    let mut desk = desk(SQL_SERVER_WEB);
    let set = desk.complete();
    let id = desk.restore(&desk.new_restore(by_set(&set))).unwrap();
    let leased = desk.lease().unwrap();
    let warning = |cause: &str, remedy: &str| {
        let outcome = PrecheckOutcome::warning(cause, remedy);
        Report::PrecheckItem(PrecheckResult { item: PrecheckItem::RestoreCharset, outcome })
    };
    for (cause, remedy) in [("", "do it"), ("it differs", " ")] {
        assert_eq!(code(desk.say(&leased, &[warning(cause, remedy)])), RefusalCode::InvalidParameter);
    }
    assert_eq!(code(desk.say(&leased, &[plan()])), RefusalCode::InvalidParameter);
    desk.say(&leased, &[success(PrecheckItem::RestoreVersion), warning("it differs", "set it")]).unwrap();
    assert_eq!(desk.say(&leased, &[Report::PrecheckDone]).unwrap().lease_s, 0);
    assert_eq!(desk.restore_of(&id).status, RestoreStatus::CheckPassed);
}

#[test]
fn a_precheck_that_passes_to_another_worker_begins_anew() {
    let mut desk = desk(SQL_SERVER_WEB);
    let set = desk.complete();
    let id = desk.restore(&desk.new_restore(by_set(&set))).unwrap();
    let leased = desk.lease().unwrap();
    desk.say(&leased, &[success(PrecheckItem::RestoreVersion)]).unwrap();
    desk.bench.wait(desk.bench.policy.lease_s);
    let leased = desk.lease().unwrap();
    assert!(desk.restore_of(&id).precheck.as_ref().unwrap().items.is_empty());
    desk.say(&leased, &[Report::PrecheckDone]).unwrap();
    assert_eq!(desk.restore_of(&id).status, RestoreStatus::CheckFailed);
}

#[test]
fn a_restore_goes_on_and_never_back() {
    let (mut desk, id, leased) = restoring();
    use RestoredStatus::{Done, Running, Waiting};
    desk.say(&leased, &[plan(), said("orders", Running, 0, true), said("orders", Running, 5, false)]).unwrap();
    desk.say(&leased, &[plan(), said("orders", Running, 5, true)]).unwrap();
    for late in [said("orders", Waiting, 0, false), said("orders", Running, 0, true), said("orders", Running, 5, false)]
    {
        desk.say(&leased, &[late]).unwrap();
        let known = &desk.restore_of(&id).details[0];
        assert_eq!((known.status, known.cursor, known.announced), (Running, 5, true));
    }
    let other_plan = Report::RestorePlanned(vec![restored("orders", Waiting, 0, false)]);
    let nowhere = Report::RestoreObject { index: 2, object: restored("orders", Done, 9, false) };
    let mistaken = Report::RestoreObject { index: 1, object: restored("orders", Done, 9, false) };
    for wrong in [other_plan, nowhere, mistaken, Report::Finished, Report::PrecheckDone] {
        assert_eq!(code(desk.say(&leased, &[said("orders", Done, 9, false), wrong])), RefusalCode::InvalidParameter);
    }
    assert_eq!(desk.restore_of(&id).details[0].status, Running);
    desk.bench.wait(desk.bench.policy.lease_s);
    let leased = desk.lease().unwrap();
    let Job::Restore(job) = &leased.job else { panic!("{leased:?}") };
    assert_eq!((job.work, job.planned, job.details[0].cursor), (Work::Migrate, true, 5));
    let done = [said("orders", Done, 9, false), said("items", RestoredStatus::Skipped, 0, false), Report::Finished];
    assert_eq!(desk.say(&leased, &done).unwrap().lease_s, 0);
    let task = desk.restore_of(&id);
    assert_eq!((task.status, task.ended_at), (RestoreStatus::Completed, Some(desk.bench.now)));
}

#[test]
fn a_conflict_stops_a_restore_and_anything_else_fails_it() {
    let exists = RestoreFailure::ObjectExists { object: "table app.orders".into() };
    let rows = RestoreFailure::DataExists { table: "app.orders".into(), detail: "key 1".into() };
    let gone = RestoreFailure::InstanceGone { instance: "rm-1".into() };
    let unlike = RestoreFailure::MappingWithProgrammableObjects { objects: vec!["view app.v".into()] };
    for (failure, status) in [
        (exists, RestoreStatus::Stopped),
        (rows, RestoreStatus::Stopped),
        (gone, RestoreStatus::Failed),
        (unlike, RestoreStatus::Failed),
    ] {
        let (mut desk, id, leased) = restoring();
        let running = said("orders", RestoredStatus::Running, 0, true);
        desk.say(&leased, &[plan(), running, Report::RestoreFailed(failure.clone())]).unwrap();
        let task = desk.restore_of(&id);
        assert_eq!((task.status, task.failure.as_ref()), (status, Some(&failure)));
        assert_eq!(task.details[0].status, RestoredStatus::Failed);
        assert_eq!((task.details[0].ended_at, task.details[1].status), (Some(desk.bench.now), RestoredStatus::Waiting));
        assert!(desk.lease().is_none());
        assert_eq!(code(desk.say(&leased, &[Report::Renew])), RefusalCode::LeaseLost);
    }
}

#[test]
fn a_task_nobody_knows_has_no_lease() {
    let mut desk = desk(MYSQL);
    let reports = Reports { worker: WORKER.into(), epoch: 1, reports: vec![Report::Renew] };
    assert_eq!(code(desk.bench.decide(|ctx| report(ctx, &"rst-none".into(), &reports))), RefusalCode::LeaseLost);
}
