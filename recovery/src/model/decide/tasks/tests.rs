//! Facts about decisions on tasks.

use super::*;
use crate::model::InstanceId;
use crate::model::decide::testing::{Bench, MYSQL, REDIS, SQL_SERVER_WEB, code, table};
use crate::model::decide::views::task_view;
use crate::model::decide::{clones, instances};
use crate::model::instance::Billing;
use crate::model::task::{ConnectionMode, MigrationType, PhaseStatus, Selection, TaskFailure};
use crate::model::views::{NewClone, NewTask, Purchase, TaskObjects};

const FULL: &[MigrationType] = &[MigrationType::Structure, MigrationType::Full];

struct Flow {
    bench: Bench,
    master: InstanceId,
    source: InstanceId,
}

/// A master with a temporary instance.
fn temporary_flow() -> Flow {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_WEB);
    let source = bench.temporary(&master);
    Flow { bench, master, source }
}

/// A master with a clone.
fn clone_flow() -> Flow {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(MYSQL);
    let restore = bench.last_set(&master);
    let order = NewClone {
        restore,
        billing: Billing::PayAsYouGo,
        network: None,
        count: None,
        terms_accepted: true,
        entry: None,
    };
    let source = bench.decide(|ctx| clones::create(ctx, &master, &order)).unwrap().remove(0);
    bench.make(&source);
    Flow { bench, master, source }
}

impl Flow {
    fn ready(&mut self) -> TaskId {
        self.bench.selected_task(&self.source, &self.master, FULL)
    }

    fn create(&mut self, edit: impl FnOnce(&mut NewTask)) -> Result<TaskId, Refusal> {
        let mut new = Bench::new_task(&self.source, &self.master);
        edit(&mut new);
        self.bench.decide(|ctx| create(ctx, &new))
    }

    fn step(&mut self, id: &TaskId, step: fn(&Context<'_>, &TaskId) -> Decided<()>) -> Result<(), Refusal> {
        self.bench.decide(|ctx| step(ctx, id))
    }

    fn set(&mut self, id: &TaskId, status: TaskStatus) {
        self.bench.edit_task(id, |task| task.status = status);
    }

    fn task(&self, id: &TaskId) -> &Task {
        &self.bench.state.tasks[id]
    }
}

#[test]
fn a_name_has_1_to_32_characters_whatever_they_are() {
    for (name, is_allowed) in [
        (String::new(), false),
        (" ".into(), false),
        ("a".into(), true),
        ("a".repeat(32), true),
        ("a".repeat(33), false),
        ("恢".repeat(32), true),
        ("恢".repeat(33), false),
    ] {
        let mut flow = temporary_flow();
        let decided = flow.create(|new| new.name = Some(name.clone()));
        match is_allowed {
            true => assert_eq!(flow.task(&decided.unwrap()).name, name),
            false => assert_eq!(code(decided), RefusalCode::InvalidParameter, "{name}"),
        }
    }
}

#[test]
fn a_default_name_is_made_and_names_need_not_be_unique() {
    let mut flow = temporary_flow();
    let ids = [flow.create(|_| ()).unwrap(), flow.create(|_| ()).unwrap()];
    let names = ids.each_ref().map(|id| flow.task(id).name.clone());
    assert!((1..=32).contains(&names[0].chars().count()), "{names:?}");
    assert_eq!(names[0], names[1]);
}

#[test]
fn every_field_of_both_sides_is_needed() {
    let edits: [fn(&mut NewTask); 5] = [
        |new| new.source.account = " ".into(),
        |new| new.target.account = String::new(),
        |new| new.source.password = crate::model::Secret::new(""),
        |new| new.target.region = "west".into(),
        |new| new.source.instance_type = Some("redis".into()),
    ];
    for edit in edits {
        assert_eq!(code(temporary_flow().create(edit)), RefusalCode::InvalidParameter);
    }
    assert!(temporary_flow().create(|new| new.source.instance_type = Some("rds".into())).is_ok());
    assert!(temporary_flow().create(|new| new.target.connection = ConnectionMode::Ssl).is_ok());
}

#[test]
fn both_instances_have_to_run() {
    let mut flow = temporary_flow();
    let creating = flow.bench.creating(SQL_SERVER_WEB);
    assert_eq!(code(flow.create(|new| new.source.instance_id = creating)), RefusalCode::InstanceStatus);
    let source = flow.source.clone();
    flow.bench.decide(|ctx| instances::release(ctx, &source)).unwrap();
    assert_eq!(code(flow.create(|_| ())), RefusalCode::InstanceNotFound);
}

#[test]
fn an_expired_temporary_instance_is_no_source() {
    let mut flow = temporary_flow();
    flow.bench.wait(48 * 3_600 - 1);
    assert!(flow.create(|_| ()).is_ok());
    flow.bench.wait(1);
    assert_eq!(code(flow.create(|_| ())), RefusalCode::InstanceNotFound);
}

#[test]
fn a_master_that_is_being_cloned_is_no_target() {
    let mut flow = clone_flow();
    let restore = flow.bench.last_set(&flow.master);
    let order = NewClone {
        restore,
        billing: Billing::PayAsYouGo,
        network: None,
        count: None,
        terms_accepted: true,
        entry: None,
    };
    let master = flow.master.clone();
    flow.bench.decide(|ctx| clones::create(ctx, &master, &order)).unwrap();
    assert_eq!(code(flow.create(|_| ())), RefusalCode::InstanceStatus);
}

#[test]
fn engines_have_to_be_the_same() {
    let mut flow = temporary_flow();
    let other = flow.bench.primary(MYSQL);
    assert_eq!(code(flow.create(|new| new.target.instance_id = other)), RefusalCode::EnginePair);
}

#[test]
fn the_way_back_leads_to_the_master_alone() {
    for (mut flow, product) in [(temporary_flow(), SQL_SERVER_WEB), (clone_flow(), MYSQL)] {
        let other = flow.bench.primary(product);
        let decided = flow.create(|new| new.target.instance_id = other);
        assert_eq!(code(decided), RefusalCode::InvalidParameter);
        assert!(flow.create(|_| ()).is_ok());
    }
}

#[test]
fn source_and_target_may_be_the_same_instance() {
    let mut flow = temporary_flow();
    let master = flow.master.clone();
    assert!(flow.create(|new| new.source.instance_id = master).is_ok());
}

#[test]
fn authorising_adds_the_service_and_keeps_who_was_there() {
    let mut flow = temporary_flow();
    let master = flow.master.clone();
    flow.bench.edit(&master, |instance| {
        instance.configuration.whitelist.insert("office".into());
    });
    let id = flow.create(|_| ()).unwrap();
    let pushed = flow.bench.decide(|ctx| authorise(ctx, &id)).unwrap();
    assert_eq!(pushed.len(), 2);
    for instance in [&flow.master, &flow.source] {
        let whitelist = &flow.bench.state.instances[instance].configuration.whitelist;
        assert!(flow.bench.policy.migration_addresses.iter().all(|address| whitelist.contains(address)));
        assert!(whitelist.contains("application"));
    }
    assert!(flow.bench.state.instances[&master].configuration.whitelist.contains("office"));
}

#[test]
fn no_step_comes_before_the_ones_it_stands_on() {
    let mut flow = temporary_flow();
    let id = flow.create(|_| ()).unwrap();
    let objects = Bench::objects(FULL);
    assert_eq!(code(flow.bench.decide(|ctx| select(ctx, &id, &objects))), RefusalCode::TaskStep);
    assert_eq!(code(flow.step(&id, precheck)), RefusalCode::TaskStep);
    assert_eq!(code(flow.step(&id, start)), RefusalCode::TaskStep);
    flow.bench.decide(|ctx| authorise(ctx, &id)).unwrap();
    assert_eq!(code(flow.step(&id, precheck)), RefusalCode::TaskStep);
    assert_eq!(code(flow.step(&id, confirm)), RefusalCode::TaskStatus);
    flow.bench.decide(|ctx| select(ctx, &id, &objects)).unwrap();
    assert_eq!(flow.step(&id, precheck), Ok(()));
    assert_eq!(code(flow.bench.decide(|ctx| select(ctx, &id, &objects))), RefusalCode::TaskStatus);
}

#[test]
fn types_and_objects_are_needed_and_have_to_be_clear() {
    let mut flow = temporary_flow();
    let id = flow.create(|_| ()).unwrap();
    flow.bench.decide(|ctx| authorise(ctx, &id)).unwrap();
    let orders = || table("app", "orders");
    let whole = || Selection { table: None, ..orders() };
    let wrong = [
        vec![],
        vec![orders(), orders()],
        vec![whole(), orders()],
        vec![table("app", " ")],
        vec![table("", "orders")],
        vec![Selection { columns: Some(vec!["id".into()]), ..whole() }],
        vec![Selection { columns: Some(vec![]), ..orders() }],
        vec![Selection { columns: Some(vec!["id".into(), "id".into()]), ..orders() }],
        vec![Selection { table_as: Some("items".into()), ..orders() }, table("app", "items")],
    ];
    for objects in wrong {
        let chosen = TaskObjects { objects: objects.clone(), ..Bench::objects(FULL) };
        let decided = flow.bench.decide(|ctx| select(ctx, &id, &chosen));
        assert_eq!(code(decided), RefusalCode::InvalidParameter, "{objects:?}");
    }
    let no_type = Bench::objects(&[]);
    assert_eq!(code(flow.bench.decide(|ctx| select(ctx, &id, &no_type))), RefusalCode::InvalidParameter);
    let right = TaskObjects { objects: vec![orders(), table("app", "items")], ..Bench::objects(FULL) };
    flow.bench.decide(|ctx| select(ctx, &id, &right)).unwrap();
    assert_eq!(flow.task(&id).stage, Stage::Selected);
}

#[test]
fn start_after_a_failed_precheck_is_a_fresh_precheck() {
    let mut flow = temporary_flow();
    let id = flow.ready();
    flow.step(&id, start).unwrap();
    flow.set(&id, TaskStatus::PrecheckFailed);
    flow.step(&id, start).unwrap();
    let task = flow.task(&id);
    assert_eq!((task.status, task.precheck.as_ref().unwrap().number), (TaskStatus::Prechecking, 2));
}

#[test]
fn ok_is_guarded_by_a_fresh_precheck() {
    let mut flow = temporary_flow();
    let id = flow.ready();
    assert_eq!(code(flow.step(&id, confirm)), RefusalCode::TaskStatus);
    flow.step(&id, precheck).unwrap();
    assert_eq!(code(flow.step(&id, confirm)), RefusalCode::TaskStatus);
    flow.set(&id, TaskStatus::PrecheckPassed);
    assert_eq!(code(flow.step(&id, start)), RefusalCode::TaskStatus);
    flow.step(&id, confirm).unwrap();
    let task = flow.task(&id);
    let run = task.precheck.as_ref().unwrap();
    assert_eq!((task.status, task.stage, run.number), (TaskStatus::Prechecking, Stage::Ordered, 2));
    assert!(run.items.is_empty() && !run.passed());
}

#[test]
fn a_clone_task_starts_only_after_ok_and_then_purchase_with_the_terms() {
    let mut flow = clone_flow();
    let id = flow.ready();
    let buy =
        |flow: &mut Flow, terms_accepted| flow.bench.decide(|ctx| purchase(ctx, &id, &Purchase { terms_accepted }));
    assert_eq!(code(buy(&mut flow, true)), RefusalCode::TaskStep);
    flow.step(&id, precheck).unwrap();
    flow.set(&id, TaskStatus::PrecheckPassed);
    assert_eq!(code(buy(&mut flow, true)), RefusalCode::TaskStep);
    flow.step(&id, confirm).unwrap();
    assert_eq!((flow.task(&id).status, flow.task(&id).stage), (TaskStatus::PrecheckPassed, Stage::Confirmed));
    assert_eq!(code(buy(&mut flow, false)), RefusalCode::TermsNotAccepted);
    buy(&mut flow, true).unwrap();
    assert_eq!((flow.task(&id).status, flow.task(&id).stage), (TaskStatus::Prechecking, Stage::Ordered));
    assert_eq!(flow.task(&id).precheck_runs, 2);
}

#[test]
fn a_temporary_instance_task_needs_no_purchase() {
    let mut flow = temporary_flow();
    let id = flow.ready();
    let purchase = flow.bench.decide(|ctx| purchase(ctx, &id, &Purchase { terms_accepted: true }));
    assert_eq!(code(purchase), RefusalCode::TaskStep);
}

#[test]
fn a_confirmation_does_not_outlive_a_new_precheck() {
    let mut flow = clone_flow();
    let id = flow.ready();
    flow.set(&id, TaskStatus::PrecheckPassed);
    flow.step(&id, confirm).unwrap();
    flow.step(&id, precheck).unwrap();
    assert_eq!(flow.task(&id).stage, Stage::Selected);
}

#[test]
fn changing_a_task_throws_its_pass_away() {
    let mut flow = temporary_flow();
    let id = flow.ready();
    let objects = Bench::objects(FULL);
    let new = Bench::new_task(&flow.source, &flow.master);
    flow.step(&id, precheck).unwrap();
    assert_eq!(code(flow.bench.decide(|ctx| edit(ctx, &id, &new))), RefusalCode::TaskStatus);
    flow.set(&id, TaskStatus::PrecheckPassed);
    flow.bench.decide(|ctx| select(ctx, &id, &objects)).unwrap();
    assert_eq!(flow.task(&id).status, TaskStatus::NotStarted);
    flow.set(&id, TaskStatus::PrecheckPassed);
    flow.bench.decide(|ctx| edit(ctx, &id, &new)).unwrap();
    let task = flow.task(&id);
    assert_eq!((task.status, task.stage), (TaskStatus::NotStarted, Stage::Configured));
    assert_eq!(task.objects, objects.objects);
    // What it said is still shown, as said of a task that is another one now.
    let view = task_view(task, &flow.bench.state, flow.bench.now);
    assert!(view.precheck.is_some() && view.precheck_stale.iter().any(|fact| fact.contains("edited")), "{view:?}");
}

/// A task that migrates, in the incremental phase if asked.
fn migrating(flow: &mut Flow, incremental: bool) -> TaskId {
    let types = if incremental { &[MigrationType::Full, MigrationType::Incremental] } else { FULL };
    let id = flow.bench.selected_task(&flow.source, &flow.master, types);
    let now = flow.bench.now;
    flow.bench.edit_task(&id, |task| {
        begin_migration(task, now);
        task.phases.insert(MigrationType::Full, PhaseStatus::Migrating);
    });
    if incremental {
        let before = flow.task(&id).clone();
        let mut after = before.clone();
        after.phases.insert(MigrationType::Full, PhaseStatus::Finished);
        after.phases.insert(MigrationType::Incremental, PhaseStatus::Catched);
        after.incremental_since = Some(now);
        let changes = flow.bench.ask(|ctx| put(ctx, &before, after));
        flow.bench.state.apply(&changes);
    }
    id
}

#[test]
fn an_incremental_pause_of_six_hours_may_be_resumed_and_of_a_second_more_not() {
    for (seconds, is_allowed) in [(6 * 3_600, true), (6 * 3_600 + 1, false)] {
        for go in [start, resume] {
            let mut flow = temporary_flow();
            let id = migrating(&mut flow, true);
            flow.step(&id, pause).unwrap();
            flow.bench.wait(seconds);
            let decided = flow.step(&id, go);
            match is_allowed {
                true => assert_eq!(flow.task(&id).status, TaskStatus::Migrating),
                false => assert_eq!(code(decided), RefusalCode::TaskStatus),
            }
        }
    }
}

#[test]
fn a_pause_before_the_incremental_phase_may_last() {
    let mut flow = temporary_flow();
    let id = migrating(&mut flow, false);
    flow.step(&id, pause).unwrap();
    flow.bench.wait(7 * 3_600);
    assert_eq!(flow.step(&id, resume), Ok(()));
}

#[test]
fn pause_and_stop_are_for_migrating_tasks_alone() {
    let statuses = [
        TaskStatus::NotStarted,
        TaskStatus::Prechecking,
        TaskStatus::PrecheckFailed,
        TaskStatus::PrecheckPassed,
        TaskStatus::Suspending,
        TaskStatus::MigrationFailed,
        TaskStatus::Finished,
    ];
    let mut flow = temporary_flow();
    let id = flow.ready();
    for status in statuses {
        flow.set(&id, status);
        for step in [pause, stop] {
            assert_eq!(code(flow.step(&id, step)), RefusalCode::TaskStatus, "{status:?}");
        }
    }
}

#[test]
fn a_stopped_task_is_finished_for_good() {
    let mut flow = temporary_flow();
    let id = migrating(&mut flow, true);
    assert_eq!(flow.bench.state.charges.values().filter(|charge| charge.subject == id.as_str()).count(), 1);
    flow.bench.wait(90);
    flow.step(&id, stop).unwrap();
    let task = flow.task(&id);
    assert_eq!((task.status, task.ended_at), (TaskStatus::Finished, Some(flow.bench.now)));
    assert_eq!(task.phases[&MigrationType::Incremental], PhaseStatus::Finished);
    assert_eq!(task.incremental_billed_s, 90);
    assert!(flow.bench.state.charges.values().all(|charge| charge.subject != id.as_str() || charge.until.is_some()));
    for step in [start, resume, precheck, confirm, stop] {
        assert_eq!(code(flow.step(&id, step)), RefusalCode::TaskStatus);
    }
}

#[test]
fn a_failed_task_is_started_again_only_if_its_failure_may_pass() {
    let passing = TaskFailure::Unreachable { side: "source".into(), detail: "timeout".into() };
    let lasting = TaskFailure::DdlDuringMigration { object: "app.orders".into() };
    for (failure, is_allowed) in [(passing, true), (lasting, false), (TaskFailure::PausedTooLong, false)] {
        let mut flow = temporary_flow();
        let id = migrating(&mut flow, false);
        flow.bench.edit_task(&id, |task| {
            task.status = TaskStatus::MigrationFailed;
            task.failure = Some(failure.clone());
        });
        assert_eq!(flow.step(&id, start).is_ok(), is_allowed, "{failure:?}");
    }
}

#[test]
fn a_task_is_deleted_whatever_its_status_and_is_then_unknown() {
    let mut flow = temporary_flow();
    let id = migrating(&mut flow, true);
    flow.step(&id, delete).unwrap();
    assert!(flow.bench.state.tasks.is_empty());
    assert!(flow.bench.state.charges.values().all(|charge| charge.subject != id.as_str() || charge.until.is_some()));
    for step in [start, delete] {
        assert_eq!(code(flow.step(&id, step)), RefusalCode::TaskNotFound);
    }
}

#[test]
fn nothing_is_copied_onto_itself() {
    let mut bench = Bench::new();
    let (shop, other) = (bench.primary(MYSQL), bench.primary(MYSQL));
    let mut choose = |target: &InstanceId, object: Selection| {
        let id = bench.task(&shop, target);
        bench.decide(|ctx| authorise(ctx, &id)).unwrap();
        let chosen = TaskObjects { objects: vec![object], ..Bench::objects(FULL) };
        bench.decide(|ctx| select(ctx, &id, &chosen)).map_err(|refusal| refusal.code)
    };
    let (orders, whole) = (table("app", "orders"), Selection { table: None, ..table("app", "orders") });
    let named = |to: &str| Selection { table_as: Some(to.into()), ..orders.clone() };
    let moved = |object: &Selection| Selection { database_as: Some("old".into()), ..object.clone() };
    for object in [orders.clone(), whole.clone(), named("orders")] {
        assert_eq!(choose(&shop, object.clone()), Err(RefusalCode::InvalidParameter), "{object:?}");
        assert_eq!(choose(&other, object), Ok(()));
    }
    for object in [named("orders_2"), moved(&orders), moved(&whole)] {
        assert_eq!(choose(&shop, object), Ok(()));
    }
}

#[test]
fn between_redis_instances_whole_logical_databases_move_without_structure() {
    use MigrationType::{Full, Incremental, Structure};
    let mut bench = Bench::new();
    let (source, target) = (bench.primary(REDIS), bench.primary("redis 7.0"));
    let id = bench.task(&source, &target);
    bench.decide(|ctx| authorise(ctx, &id)).unwrap();
    let whole = |name: &str| Selection { table: None, ..table(name, "keys") };
    let to = |name: &str, other: &str| Selection { database_as: Some(other.into()), ..whole(name) };
    let mut choose = |types: &[MigrationType], objects: Vec<Selection>| {
        let chosen = TaskObjects { objects, ..Bench::objects(types) };
        bench.decide(|ctx| select(ctx, &id, &chosen)).map_err(|refusal| refusal.code)
    };
    assert_eq!(choose(&[Full, Incremental], vec![whole("0"), whole("15")]), Ok(()));
    assert_eq!(choose(&[Incremental], vec![to("0", "1"), to("1", "0")]), Ok(()));
    for (types, objects) in [
        (&[Structure, Full][..], vec![whole("0")]),
        (&[Full], vec![table("0", "keys")]),
        (&[Full], vec![whole("16")]),
        (&[Full], vec![whole("app")]),
        (&[Full], vec![to("0", "00")]),
        (&[Full], vec![to("0", "1"), whole("1")]),
    ] {
        assert_eq!(choose(types, objects), Err(RefusalCode::InvalidParameter));
    }
}
