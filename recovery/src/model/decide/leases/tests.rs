//! Facts about leases and reports.

use super::*;
use crate::model::content::Object;
use crate::model::content::ObjectKind;
use crate::model::decide::tasks;
use crate::model::decide::testing::{Bench, SQL_SERVER_WEB, code};
use crate::model::decide::{duties, instances, views};
use crate::model::precheck::PrecheckItem;
use crate::model::precheck::{PrecheckOutcome, PrecheckResult};
use crate::model::task::{MigrationType, ObjectProgress, PhaseStatus, SameNameMode, Stage, TaskFailure, TaskStatus};
use crate::model::views::Shields;
use crate::model::work::Job;
use crate::model::work::MigrationJob;

const FULL: &[MigrationType] = &[MigrationType::Structure, MigrationType::Full];
const ALL: &[MigrationType] = &[MigrationType::Structure, MigrationType::Full, MigrationType::Incremental];

const CAUGHT_UP: (TaskStatus, PhaseStatus) = (TaskStatus::Migrating, PhaseStatus::Catched);
const FOLLOW_AGAIN_S: i64 = 30;

/// A bench with one task between a temporary instance and its master.
struct Desk {
    bench: Bench,
    task: TaskId,
}

fn desk(types: &[MigrationType]) -> Desk {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_WEB);
    let source = bench.temporary(&master);
    let task = bench.selected_task(&source, &master, types);
    Desk { bench, task }
}

fn success(item: PrecheckItem) -> Report {
    Report::PrecheckItem(PrecheckResult { item, outcome: PrecheckOutcome::Success })
}

fn failure(item: PrecheckItem) -> Report {
    let outcome = PrecheckOutcome::failed("no account app", "make it");
    Report::PrecheckItem(PrecheckResult { item, outcome })
}

fn passing() -> TaskFailure {
    TaskFailure::Unreachable { side: "source".into(), detail: "timeout".into() }
}

fn entry(rows_written: u64) -> ObjectProgress {
    ObjectProgress {
        kind: ObjectKind::Table,
        database: "app".into(),
        name: "orders".into(),
        target_database: "app".into(),
        target_name: "orders".into(),
        made: false,
        announced: false,
        revision: 1,
        rows_written,
        rows_done: false,
        after: None,
    }
}

fn described() -> Object {
    Object {
        kind: ObjectKind::Table,
        name: "orders".into(),
        table: None,
        definition: "create table orders (id int)".into(),
        columns: Vec::new(),
        key: Vec::new(),
        needs: Vec::new(),
        definer: None,
        security: None,
        revision: 1,
        rows: 3,
    }
}

fn planned() -> Report {
    Report::Planned { progress: vec![entry(0)], planned: vec![described()], log_position: Some(7) }
}

/// What a leased migration brings along.
fn job(leased: &LeasedWork) -> &MigrationJob {
    let Job::Migration(job) = &leased.job else { panic!("no migration: {leased:?}") };
    job
}

impl Desk {
    fn lease(&mut self, worker: &str) -> Option<LeasedWork> {
        let decision = self.bench.ask(|ctx| next(ctx, worker))?;
        self.bench.state.apply(&decision.changes);
        Some(decision.answer)
    }

    fn say(&mut self, worker: &str, epoch: u64, said: &[Report]) -> Result<LeaseKept, Refusal> {
        let reports = Reports { worker: worker.into(), epoch, reports: said.to_vec() };
        let task = self.task.clone();
        self.bench.decide(|ctx| report(ctx, &task, &reports))
    }

    /// Leases and says at once.
    fn work(&mut self, said: &[Report]) {
        let leased = self.lease("w").unwrap();
        self.say("w", leased.epoch, said).unwrap();
    }

    fn step(&mut self, step: fn(&Context<'_>, &TaskId) -> Decided<()>) {
        let task = self.task.clone();
        self.bench.decide(|ctx| step(ctx, &task)).unwrap();
    }

    fn pass(&mut self) {
        self.work(&[success(PrecheckItem::SourceConnectivity), Report::PrecheckDone]);
    }

    /// Through precheck, OK and the precheck that guards the start.
    fn migrate(&mut self) -> LeasedWork {
        self.step(tasks::precheck);
        self.pass();
        self.step(tasks::confirm);
        self.pass();
        assert_eq!(self.task().status, TaskStatus::Migrating);
        self.lease("w").unwrap()
    }

    fn task(&self) -> &Task {
        &self.bench.state.tasks[&self.task]
    }

    fn charges(&self) -> Vec<bool> {
        let own = self.bench.state.charges.values().filter(|charge| charge.subject == self.task.as_str());
        own.map(|charge| charge.until.is_none()).collect()
    }
}

#[test]
fn a_lease_lapses_at_its_exact_second_and_the_next_one_fences_it_off() {
    let mut desk = desk(FULL);
    assert!(desk.lease("a").is_none());
    desk.step(tasks::precheck);
    let first = desk.lease("a").unwrap();
    let given_at = desk.bench.now;
    desk.bench.now = later_s(given_at, desk.bench.policy.lease_s - 1);
    assert!(desk.lease("b").is_none());
    desk.bench.now = later_s(given_at, desk.bench.policy.lease_s);
    assert_eq!(code(desk.say("a", first.epoch, &[Report::Renew])), RefusalCode::LeaseLost);
    let second = desk.lease("b").unwrap();
    assert_eq!((first.epoch, second.epoch), (1, 2));
    for (worker, epoch) in [("a", 1), ("a", 2), ("b", 1)] {
        assert_eq!(code(desk.say(worker, epoch, &[Report::Renew])), RefusalCode::LeaseLost, "{worker} {epoch}");
    }
    assert!(desk.say("b", 2, &[Report::Renew]).is_ok());
}

#[test]
fn a_report_renews_the_lease() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    let leased = desk.lease("a").unwrap();
    for _ in 0..5 {
        desk.bench.wait(desk.bench.policy.lease_s - 1);
        assert_eq!(desk.say("a", leased.epoch, &[Report::Renew]).unwrap().lease_s, desk.bench.policy.lease_s);
    }
}

#[test]
fn the_oldest_task_is_given_first() {
    let mut desk = desk(FULL);
    let side = desk.bench.state.tasks[&desk.task].clone();
    desk.bench.wait(1);
    let younger = desk.bench.selected_task(&side.source.instance, &side.target.instance, FULL);
    desk.bench.decide(|ctx| tasks::precheck(ctx, &younger)).unwrap();
    desk.step(tasks::precheck);
    assert_eq!(desk.lease("a").unwrap().task, desk.task);
    assert_eq!(desk.lease("b").unwrap().task, younger);
    assert!(desk.lease("c").is_none());
}

#[test]
fn a_task_that_follows_a_log_and_one_that_waits_take_turns() {
    let mut desk = desk(ALL);
    let leased = desk.migrate();
    let applied = Report::Applied { log_position: 9, caught_up: true };
    assert!(!desk.say("w", leased.epoch, &[planned(), applied]).unwrap().others_wait);
    let side = desk.task().clone();
    let younger = desk.bench.selected_task(&side.source.instance, &side.target.instance, FULL);
    desk.bench.decide(|ctx| tasks::precheck(ctx, &younger)).unwrap();
    assert!(desk.say("w", leased.epoch, &[Report::Renew]).unwrap().others_wait);
    assert_eq!(desk.say("w", leased.epoch, &[Report::TurnOver]).unwrap().lease_s, 0);
    assert_eq!((desk.task().status, desk.task().phases[&MigrationType::Incremental]), CAUGHT_UP);
    let other = desk.lease("w").unwrap();
    assert_eq!(other.task, younger);
    assert!(desk.lease("v").is_none());
    let again_at = later_s(desk.bench.now, FOLLOW_AGAIN_S);
    assert!(desk.bench.ask(|ctx| free_times(ctx.state).any(|at| at == again_at)));
    desk.bench.now = again_at;
    let shown = |desk: &Desk| {
        views::task_view(desk.task(), &desk.bench.state, desk.bench.now).phases[&MigrationType::Incremental]
    };
    assert_eq!(shown(&desk), PhaseStatus::Migrating);
    desk.bench.now = later_s(again_at, -1);
    assert_eq!(shown(&desk), PhaseStatus::Catched);
    desk.bench.now = again_at;
    let second = desk.lease("v").unwrap();
    assert_eq!(shown(&desk), PhaseStatus::Migrating);
    assert_eq!((&second.task, second.epoch, job(&second).log_position), (&desk.task, leased.epoch + 1, Some(9)));
}

#[test]
fn the_task_that_has_been_free_for_longest_is_given_first() {
    let mut desk = desk(ALL);
    let leased = desk.migrate();
    desk.say("w", leased.epoch, &[planned(), Report::Applied { log_position: 9, caught_up: true }]).unwrap();
    desk.say("w", leased.epoch, &[Report::TurnOver]).unwrap();
    let side = desk.task().clone();
    let younger = desk.bench.selected_task(&side.source.instance, &side.target.instance, FULL);
    desk.bench.decide(|ctx| tasks::precheck(ctx, &younger)).unwrap();
    desk.bench.wait(FOLLOW_AGAIN_S);
    assert_eq!(desk.lease("a").unwrap().task, younger);
    assert_eq!(desk.lease("b").unwrap().task, desk.task);
}

#[test]
fn only_a_task_that_follows_a_log_is_given_back() {
    let mut desk = desk(ALL);
    let leased = desk.migrate();
    assert_eq!(code(desk.say("w", leased.epoch, &[Report::TurnOver])), RefusalCode::InvalidParameter);
}

#[test]
fn an_instance_that_is_gone_has_no_endpoint() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    let source = desk.task().source.instance.clone();
    desk.bench.decide(|ctx| instances::release(ctx, &source)).unwrap();
    let leased = desk.lease("a").unwrap();
    assert_eq!((job(&leased).source.endpoint.is_none(), job(&leased).target.endpoint.is_some()), (true, true));
}

#[test]
fn a_pass_waits_for_ok_and_the_start_for_another_pass() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    desk.pass();
    assert_eq!(desk.task().status, TaskStatus::PrecheckPassed);
    desk.step(tasks::confirm);
    desk.work(&[failure(PrecheckItem::SourcePermission), Report::PrecheckDone]);
    let task = desk.task();
    assert_eq!((task.status, task.stage, task.precheck_runs), (TaskStatus::PrecheckFailed, Stage::Selected, 2));
    desk.step(tasks::start);
    desk.pass();
    assert_eq!(desk.task().status, TaskStatus::PrecheckPassed);
    desk.step(tasks::confirm);
    desk.pass();
    let task = desk.task();
    assert_eq!((task.status, task.started_at), (TaskStatus::Migrating, Some(desk.bench.now)));
    assert!(task.phases.keys().eq(FULL) && task.lease.is_none());
}

#[test]
fn one_failed_item_fails_the_precheck_and_none_at_all_does_not_pass_it() {
    for said in [vec![success(PrecheckItem::SourceVersion), failure(PrecheckItem::SourcePermission)], vec![]] {
        let mut desk = desk(FULL);
        desk.step(tasks::precheck);
        desk.work(&[said, vec![Report::PrecheckDone]].concat());
        assert_eq!(desk.task().status, TaskStatus::PrecheckFailed);
    }
}

#[test]
fn a_start_after_shields_of_all_that_failed_begins_by_itself_and_of_some_does_not() {
    let (name, right) = (PrecheckItem::SameNameObject, PrecheckItem::SourcePermission);
    let shield = |desk: &mut Desk, item, shielded| {
        let (task, shields) = (desk.task.clone(), Shields { items: [item].into(), shielded });
        desk.bench.decide(|ctx| tasks::shield(ctx, &task, &shields))
    };
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    desk.work(&[failure(name), failure(right), Report::PrecheckDone]);
    assert_eq!(code(shield(&mut desk, right, true)), RefusalCode::NotShieldable);
    shield(&mut desk, name, true).unwrap();
    desk.step(tasks::start);
    desk.work(&[failure(name), failure(right), Report::PrecheckDone]);
    assert_eq!(desk.task().status, TaskStatus::PrecheckFailed);
    desk.step(tasks::start);
    desk.work(&[failure(name), Report::PrecheckDone]);
    assert_eq!((desk.task().status, desk.task().stage), (TaskStatus::PrecheckPassed, Stage::Selected));
    shield(&mut desk, name, false).unwrap();
    assert_eq!(desk.task().status, TaskStatus::NotStarted);
    desk.step(tasks::start);
    desk.work(&[failure(name), Report::PrecheckDone]);
    shield(&mut desk, name, true).unwrap();
    desk.step(tasks::start);
    desk.work(&[failure(name), Report::PrecheckDone]);
    assert_eq!(desk.task().status, TaskStatus::Migrating);
    assert_eq!(job(&desk.lease("w").unwrap()).same_name, SameNameMode::Ignore);
}

#[test]
fn a_side_that_changed_while_it_was_looked_at_is_looked_at_again() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    let target = desk.task().target.instance.clone();
    desk.work(&[success(PrecheckItem::SourceConnectivity)]);
    desk.bench.edit(&target, |instance| {
        let _ = instance.configuration.whitelist.insert("10.0.0.9".into());
    });
    desk.say("w", 1, &[Report::PrecheckDone]).unwrap();
    assert_eq!((desk.task().status, desk.task().precheck_runs), (TaskStatus::Prechecking, 2));
    desk.pass();
    assert_eq!(desk.task().status, TaskStatus::PrecheckPassed);
    let stale = |desk: &Desk| views::task_view(desk.task(), &desk.bench.state, desk.bench.now).precheck_stale;
    assert!(stale(&desk).is_empty());
    desk.bench.edit(&target, |instance| instance.configuration.ssl = true);
    assert_eq!(stale(&desk), ["target settings"]);
}

#[test]
fn an_item_said_again_takes_the_place_of_the_first() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    desk.work(&[failure(PrecheckItem::SourceVersion), success(PrecheckItem::SourceVersion), Report::PrecheckDone]);
    assert_eq!(desk.task().status, TaskStatus::PrecheckPassed);
}

#[test]
fn what_a_lost_worker_found_is_looked_at_anew() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    desk.work(&[success(PrecheckItem::SourceConnectivity)]);
    desk.bench.wait(desk.bench.policy.lease_s);
    desk.lease("b").unwrap();
    assert!(desk.task().precheck.as_ref().unwrap().items.is_empty());
}

#[test]
fn a_failed_item_says_cause_and_remedy() {
    let mut desk = desk(FULL);
    desk.step(tasks::precheck);
    let leased = desk.lease("w").unwrap();
    let outcome = PrecheckOutcome::failed(String::new(), "make it");
    let said = Report::PrecheckItem(PrecheckResult { item: PrecheckItem::SourceVersion, outcome });
    assert_eq!(code(desk.say("w", leased.epoch, &[said])), RefusalCode::InvalidParameter);
}

#[test]
fn pause_stop_and_delete_take_the_lease_away() {
    for step in [tasks::pause, tasks::stop, tasks::delete] {
        let mut desk = desk(FULL);
        let leased = desk.migrate();
        desk.step(step);
        assert_eq!(code(desk.say("w", leased.epoch, &[Report::Renew])), RefusalCode::LeaseLost);
        assert!(desk.lease("w").is_none());
    }
}

#[test]
fn a_worker_from_before_a_pause_is_shut_out_after_it() {
    let mut desk = desk(FULL);
    let leased = desk.migrate();
    desk.step(tasks::pause);
    desk.step(tasks::resume);
    assert_eq!(code(desk.say("w", leased.epoch, &[Report::Renew])), RefusalCode::LeaseLost);
    assert_eq!(desk.lease("w").unwrap().epoch, leased.epoch + 1);
}

#[test]
fn progress_is_kept_for_the_next_worker() {
    let mut desk = desk(ALL);
    let leased = desk.migrate();
    assert!(job(&leased).progress.is_empty() && !job(&leased).loaded);
    let finished = |phase| Report::Phase { phase, status: PhaseStatus::Finished };
    let object = Report::Object { index: 0, progress: entry(200) };
    desk.say("w", leased.epoch, &[planned(), object, finished(MigrationType::Structure)]).unwrap();
    desk.say("w", leased.epoch, &[finished(MigrationType::Full)]).unwrap();
    desk.bench.wait(desk.bench.policy.lease_s);
    let second = desk.lease("v").unwrap();
    let second = job(&second);
    assert_eq!((&second.progress, second.log_position, second.loaded), (&vec![entry(200)], Some(7), true));
}

#[test]
fn a_late_or_repeated_report_turns_nothing_back() {
    let mut desk = desk(ALL);
    let leased = desk.migrate();
    let object = |rows| Report::Object { index: 0, progress: entry(rows) };
    let applied = |log_position| Report::Applied { log_position, caught_up: false };
    desk.say("w", leased.epoch, &[planned(), object(200), applied(9)]).unwrap();
    desk.say("w", leased.epoch, &[planned(), object(100), applied(8)]).unwrap();
    assert_eq!((desk.task().progress[0].rows_written, desk.task().log_position), (200, Some(9)));
}

#[test]
fn senseless_reports_are_refused_and_change_nothing() {
    let mut desk = desk(FULL);
    let leased = desk.migrate();
    let unpaired = Report::Planned { progress: vec![entry(0)], planned: vec![], log_position: None };
    let catched = Report::Phase { phase: MigrationType::Full, status: PhaseStatus::Catched };
    let applied = Report::Applied { log_position: 1, caught_up: true };
    let nowhere = Report::Object { index: 3, progress: entry(1) };
    let before = desk.bench.state.clone();
    for said in [unpaired, catched, applied, nowhere, Report::PrecheckDone] {
        assert_eq!(code(desk.say("w", leased.epoch, &[planned(), said])), RefusalCode::InvalidParameter);
    }
    assert_eq!(code(desk.say("w", leased.epoch, &[Report::Finished, Report::Renew])), RefusalCode::InvalidParameter);
    assert_eq!(desk.bench.state, before);
}

#[test]
fn a_task_without_incremental_part_ends_by_itself_and_costs_nothing() {
    let mut desk = desk(FULL);
    let leased = desk.migrate();
    assert_eq!(desk.say("w", leased.epoch, &[planned(), Report::Finished]).unwrap().lease_s, 0);
    let task = desk.task();
    assert_eq!((task.status, task.ended_at), (TaskStatus::Finished, Some(desk.bench.now)));
    assert!(task.phases.values().all(|status| *status == PhaseStatus::Finished));
    assert!(desk.charges().is_empty());
}

#[test]
fn a_task_with_incremental_part_never_ends_by_itself_and_is_charged() {
    let mut desk = desk(ALL);
    let leased = desk.migrate();
    assert_eq!(code(desk.say("w", leased.epoch, &[Report::Finished])), RefusalCode::InvalidParameter);
    let phase = |status| Report::Phase { phase: MigrationType::Incremental, status };
    assert_eq!(code(desk.say("w", leased.epoch, &[phase(PhaseStatus::Finished)])), RefusalCode::InvalidParameter);
    assert!(desk.charges().is_empty());
    desk.say("w", leased.epoch, &[phase(PhaseStatus::Migrating)]).unwrap();
    desk.say("w", leased.epoch, &[Report::Applied { log_position: 9, caught_up: true }]).unwrap();
    assert_eq!(desk.task().phases[&MigrationType::Incremental], PhaseStatus::Catched);
    assert_eq!(desk.charges(), [true]);
    desk.step(tasks::pause);
    assert_eq!(desk.charges(), [true]);
    desk.step(tasks::resume);
    desk.step(tasks::stop);
    assert_eq!(desk.charges(), [false]);
}

#[test]
fn a_retried_incremental_phase_begins_another_charge() {
    let mut desk = desk(ALL);
    desk.migrate();
    let phase = |status| Report::Phase { phase: MigrationType::Incremental, status };
    desk.say("w", 3, &[phase(PhaseStatus::Migrating), phase(PhaseStatus::Failed), Report::Failed(passing())]).unwrap();
    assert_eq!(desk.charges(), [] as [bool; 0]);
    desk.bench.now = desk.task().retry_at.unwrap();
    desk.step(duties::retry);
    assert_eq!(desk.charges(), [true]);
}

/// Fails at every attempt and returns the seconds from the first failure to each later one, until no retry follows.
fn failures(desk: &mut Desk) -> Vec<i64> {
    let leased = desk.migrate();
    let first = desk.bench.now;
    desk.say("w", leased.epoch, &[Report::Failed(passing())]).unwrap();
    let mut at = Vec::new();
    while let Some(retry_at) = desk.task().retry_at {
        desk.bench.now = retry_at;
        desk.step(duties::retry);
        at.push(first.duration_until(desk.bench.now).as_secs());
        desk.work(&[Report::Failed(passing())]);
    }
    at
}

#[test]
fn retries_come_at_doubling_distances_up_to_an_hour_for_seven_days() {
    let mut desk = desk(FULL);
    let at = failures(&mut desk);
    assert_eq!(at[..7], [60, 180, 420, 900, 1_860, 3_780, 7_380]);
    let last = *at.last().unwrap();
    assert!(last <= 7 * 86_400 && last > 7 * 86_400 - 3_600, "{last}");
    assert_eq!((desk.task().status, desk.task().is_under_way()), (TaskStatus::MigrationFailed, false));
}

#[test]
fn good_progress_gives_the_next_failure_seven_days_of_its_own() {
    let mut desk = desk(FULL);
    let leased = desk.migrate();
    desk.say("w", leased.epoch, &[planned(), Report::Failed(passing())]).unwrap();
    desk.bench.wait(60);
    desk.step(duties::retry);
    assert_eq!((desk.task().status, desk.task().retries), (TaskStatus::Migrating, 1));
    desk.bench.wait(600);
    let object = Report::Object { index: 0, progress: entry(5) };
    desk.work(&[object, Report::Failed(passing())]);
    let task = desk.task();
    assert_eq!((task.failed_since, task.retries), (Some(desk.bench.now), 0));
    assert_eq!(task.retry_at, Some(later_s(desk.bench.now, 60)));
}

#[test]
fn a_failure_that_does_not_pass_is_not_retried() {
    let mut desk = desk(FULL);
    let leased = desk.migrate();
    let phase = Report::Phase { phase: MigrationType::Structure, status: PhaseStatus::Migrating };
    let failed = Report::Failed(TaskFailure::InstanceGone { side: "source".into(), instance: "sub1_rm-1".into() });
    desk.say("w", leased.epoch, &[phase, failed]).unwrap();
    let task = desk.task();
    assert_eq!((task.status, task.retry_at), (TaskStatus::MigrationFailed, None));
    assert_eq!(task.phases[&MigrationType::Structure], PhaseStatus::Failed);
    assert!(!task.is_under_way() && task.lease.is_none());
}
