//! A worker that dies at any call of a backup or restore: the next one goes on, and no row is lost or there twice.

use super::super::world::Death;
use super::*;
use crate::model::logical::restore::RestorePhase;

/// Runs a job until the n-th call, dies, and goes on with a new worker; for every n and both deaths.
fn survives(make: impl Fn() -> (Shared, Job), holds: impl Fn(&Shared) -> bool) {
    let (shared, job) = make();
    shared.order(job);
    run(&shared);
    assert!(holds(&shared), "{:?}", last(&shared));
    let all = shared.lock().calls.len();
    assert!(all > 10);
    for at in 1..=all {
        for death in [Death::Before, Death::After] {
            let (shared, job) = make();
            shared.order(job);
            shared.lock().dies_at = Some((at, death));
            let end = shared.turn(200);
            let name = shared.lock().calls.last().copied();
            assert!(matches!(end, End::Dead), "call {at} {name:?}: {end:?}");
            shared.lock().dies_at = None;
            drop(shared.turn(200));
            assert!(holds(&shared), "died {death:?} call {at} {name:?}: {:?}", last(&shared));
        }
    }
}

/// A backup with a tail and a log, so that rows of all kinds are restored.
fn backed_up() -> Shared {
    let shared = world();
    shared.before("read", 2, |world| {
        let now = world.now;
        let source = world.servers.get_mut("source").expect("a server");
        change_in(source, now, "orders", Some(order(2)), None);
        change_in(source, now, "notes", Some(note(2)), None);
    });
    dump(&shared);
    wait_until(&shared, 5);
    for id in 10..13 {
        change(&shared, "orders", None, Some(order(id)));
        change(&shared, "notes", None, Some(note(1)));
    }
    wait_until(&shared, 9);
    collect(&shared, 0, Instant { position: 0, at: at(0) });
    shared
}

fn point_in_time() -> RestoreJob {
    RestoreJob { logs: log(1, 0), until: Some(at(8)), ..restore_job() }
}

fn whole(shared: &Shared) -> bool {
    let entries = details(shared);
    let full = entries.iter().filter(|entry| entry.phase == RestorePhase::Full);
    let records: u64 = full.map(|entry| entry.records).sum();
    matches!(last(shared), Report::Finished)
        && ["orders", "goods", "notes"].iter().all(|table| equal(shared, table))
        && records == 7 + 1 + 7
        && shared.lock().servers["target"].names("shop", K::Trigger).len() == 1
}

#[test]
fn a_restore_survives_the_death_of_its_worker_at_any_call_under_each_policy() {
    for (structure_conflict, data_conflict) in [
        (StructureConflict::Stop, DataConflict::Stop),
        (StructureConflict::Ignore, DataConflict::Ignore),
        (StructureConflict::Stop, DataConflict::DeleteThenRewrite),
    ] {
        let job = RestoreJob { structure_conflict, data_conflict, ..point_in_time() };
        survives(|| (backed_up(), Job::Restore(Box::new(job.clone()))), whole);
    }
}

/// A target whose goods has a row of the backup's key with other values.
fn occupied() -> Shared {
    let shared = backed_up();
    shared.server("target", |server| {
        let shop = server.put("shop", vec![super::super::sample::table("orders", &["item", "note"])]);
        let own = |id| row(id, &[("item", "mine"), ("note", "n")]);
        shop.rows.insert("orders".into(), vec![own(3), own(11), own(99)]);
    });
    shared
}

#[test]
fn rows_of_the_target_stay_or_go_whenever_the_worker_dies() {
    for data_conflict in [DataConflict::Ignore, DataConflict::DeleteThenRewrite] {
        let structure_conflict = StructureConflict::Ignore;
        let job = RestoreJob { structure_conflict, data_conflict, ..point_in_time() };
        let holds = |shared: &Shared| {
            let mine = rows(shared, "target", "orders").iter().filter(|row| row.contains("mine")).count();
            let wanted = if data_conflict == DataConflict::Ignore { 3 } else { 1 };
            matches!(last(shared), Report::Finished) && mine == wanted && rows(shared, "target", "orders").len() == 8
        };
        survives(|| (occupied(), Job::Restore(Box::new(job.clone()))), holds);
    }
}

/// A target whose notes, without a key, are those of the backup already.
fn the_same_there() -> Shared {
    let shared = backed_up();
    let notes_there = shared.lock().servers["source"].rows("shop", "notes").to_vec();
    shared.server("target", |server| {
        server.put("shop", vec![notes()]).rows.insert("notes".into(), notes_there);
    });
    shared
}

#[test]
fn rows_without_a_key_come_beside_those_that_are_the_same_whenever_the_worker_dies() {
    for data_conflict in [DataConflict::Ignore, DataConflict::DeleteThenRewrite, DataConflict::Stop] {
        let structure_conflict = StructureConflict::Ignore;
        let job = RestoreJob { structure_conflict, data_conflict, ..point_in_time() };
        let holds = |shared: &Shared| {
            let mut twice = [rows(shared, "source", "notes"), rows(shared, "source", "notes")].concat();
            twice.sort();
            matches!(last(shared), Report::Finished) && rows(shared, "target", "notes") == twice
        };
        survives(|| (the_same_there(), Job::Restore(Box::new(job.clone()))), holds);
    }
}

#[test]
fn a_conflict_stops_the_task_whenever_the_worker_dies() {
    let structure_conflict = StructureConflict::Ignore;
    let job = RestoreJob { structure_conflict, ..point_in_time() };
    let holds = |shared: &Shared| {
        let stopped = matches!(last(shared), Report::RestoreFailed(RestoreFailure::DataExists { .. }));
        let mine = rows(shared, "target", "orders").iter().filter(|row| row.contains("mine")).count();
        stopped && mine == 3
    };
    survives(|| (occupied(), Job::Restore(Box::new(job.clone()))), holds);
}

#[test]
fn a_set_survives_the_death_of_its_worker_at_any_call() {
    let holds = |shared: &Shared| {
        let completed = matches!(last(shared), Report::SetCompleted { .. });
        if !completed {
            return false;
        }
        shared.server("target", |server| server.databases.clear());
        let then = rows(shared, "source", "orders");
        let done = restore(shared, restore_job()).is_none() && rows(shared, "target", "orders") == then;
        done && matches!(last(shared), Report::Finished)
    };
    let make = || (world(), Job::Dump(Box::new(job())));
    let (shared, _) = make();
    shared.order(Job::Dump(Box::new(job())));
    run(&shared);
    let all = shared.lock().calls.len();
    for at in 1..=all {
        for death in [Death::Before, Death::After] {
            let (shared, job) = make();
            shared.order(job);
            shared.lock().dies_at = Some((at, death));
            assert!(matches!(shared.turn(200), End::Dead), "call {at}");
            shared.lock().dies_at = None;
            drop(shared.turn(200));
            assert!(holds(&shared), "died {death:?} call {at}");
        }
    }
}
