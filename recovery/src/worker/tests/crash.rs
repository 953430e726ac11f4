//! A worker that dies at any moment: the next one goes on, and no row is lost or there twice.

use super::load::{failure, rows_are_equal, world};
use super::sample::{row, whole};
use super::world::{Death, End, Shared};
use crate::model::Engine;
use crate::model::content::ChangeKind;

/// How many calls a run makes that nobody disturbs.
fn calls(make: impl Fn() -> Shared, ends: impl Fn(&Shared) -> bool) -> usize {
    let shared = make();
    drop(shared.turn(200));
    assert!(ends(&shared), "{:?}", failure(&shared));
    shared.lock().calls.len()
}

/// Runs until the n-th call, dies, and goes on with a new worker; for every n and both deaths.
fn survives(make: impl Fn() -> Shared, ends: impl Fn(&Shared) -> bool) {
    let all = calls(&make, &ends);
    assert!(all > 10);
    for at in 1..=all {
        for death in [Death::Before, Death::After] {
            let shared = make();
            shared.lock().dies_at = Some((at, death));
            let end = shared.turn(200);
            let name = shared.lock().calls.last().copied();
            assert!(matches!(end, End::Dead), "call {at} {name:?}: {end:?}");
            shared.lock().dies_at = None;
            drop(shared.turn(200));
            assert!(ends(&shared), "died {death:?} call {at} {name:?}: {:?}", failure(&shared));
        }
    }
}

fn loaded(shared: &Shared) -> bool {
    let finished = shared.lock().service.finished;
    let (orders, goods) = (rows_are_equal(shared, "orders"), rows_are_equal(shared, "goods"));
    let world = shared.lock();
    let written: Vec<u64> = world.service.work.progress.iter().map(|entry| entry.rows_written).collect();
    finished && orders && goods && written.iter().sum::<u64>() == 6
}

#[test]
fn a_load_survives_the_death_of_its_worker_at_any_call() {
    for engine in [Engine::MySql, Engine::SqlServer] {
        survives(|| world(engine, "sf", vec![whole("shop")]), loaded);
    }
}

fn changing() -> Shared {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    shared.after_s(20, |world| {
        let source = world.servers.get_mut("source").expect("a server");
        let insert = |id| ChangeKind::Row { table: "goods".into(), old: None, new: Some(row(id, &[("name", "x")])) };
        for id in 2..=4 {
            source.log("shop", insert(id));
        }
        source.ddl("shop", "alter table goods add size text").expect("it is there");
        let sql = "alter table goods add size text".to_owned();
        source.log("shop", ChangeKind::Ddl { object: "goods".into(), sql });
        let sized = row(3, &[("name", "x"), ("size", "l")]);
        let update =
            ChangeKind::Row { table: "goods".into(), old: Some(row(3, &[("name", "x")])), new: Some(sized.clone()) };
        source.log("shop", update);
        let gone = row(4, &[("name", "x")]);
        source.log("shop", ChangeKind::Row { table: "goods".into(), old: Some(gone), new: None });
        let goods = source.db("shop").expect("it is there").rows.get_mut("goods").expect("it is there");
        goods.extend([row(2, &[("name", "x")]), sized]);
    });
    shared
}

fn carried_over(shared: &Shared) -> bool {
    let goods = rows_are_equal(shared, "goods");
    let mut world = shared.lock();
    let target = world.servers.get_mut("target").expect("a server").db("shop").expect("it is there");
    let columns = target.table("goods").expect("it is there").columns.len();
    goods && columns == 3 && world.service.caught_up && world.service.work.log_position == Some(6)
}

#[test]
fn incremental_migration_survives_the_death_of_its_worker_at_any_call() {
    survives(changing, carried_over);
}
