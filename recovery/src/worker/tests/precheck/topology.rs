//! Facts about circles of tasks that follow logs.

use super::{I, Shared, cause, failed, only, whole, world};
use crate::model::Engine;
use crate::model::instance::{Grants, Rights};
use crate::model::task::Selection;
use crate::model::work::Following;

fn following(task: &str, source: &str, target: &str, objects: &[Selection]) -> Following {
    Following { task: task.into(), source: source.into(), target: target.into(), objects: objects.to_vec() }
}

/// A task that follows `rm-source` while others lead back to it.
fn among(objects: Vec<Selection>, others: &[Following]) -> Shared {
    let shared = world(Engine::MySql, "sfi", objects);
    shared.server("source", |server| server.grants = Grants::all(Rights::Owner));
    shared.lock().service.work.way_back = others.to_vec();
    shared
}

fn renamed(database: &str, table: &str, name: &str) -> Selection {
    Selection { table_as: Some(name.into()), ..only(database, table) }
}

fn into(database: &str, name: &str) -> Selection {
    Selection { database_as: Some(name.into()), ..whole(database) }
}

#[test]
fn a_task_that_goes_the_opposite_way_with_the_same_tables_makes_a_circle() {
    let both = [only("shop", "goods"), only("shop", "orders")];
    let shared = among(both.to_vec(), &[following("dts-2", "rm-target", "rm-source", &[whole("shop")])]);
    let (_, cause, remedy) = failed(&shared).remove(0);
    let wanted = "what changes in table shop.goods, table shop.orders of the source rm-source comes back there, since this \
                  task carries it to rm-target and the log is followed further by task dts-2 from rm-target to rm-source: \
                  each change would be carried round without end";
    assert_eq!(cause, wanted);
    let wanted =
        "End task dts-2, or leave table shop.goods, table shop.orders out of what this task moves, then start again.";
    assert_eq!(remedy, wanted);
}

#[test]
fn a_circle_is_of_the_objects_that_come_back_and_of_no_others() {
    let back = following("dts-2", "rm-target", "rm-source", &[only("shop", "goods")]);
    let found = cause(&among(vec![whole("shop")], &[back]), I::Topology);
    assert!(found.starts_with("what changes in table shop.goods of the source"), "{found}");
    let back = following("dts-2", "rm-target", "rm-source", &[whole("shop")]);
    let found = cause(&among(vec![whole("shop")], &[back]), I::Topology);
    assert!(found.starts_with("what changes in database shop of the source"), "{found}");
}

#[test]
fn a_circle_goes_over_any_number_of_instances_in_the_order_of_the_way() {
    let others = [
        following("dts-2", "rm-far", "rm-source", &[whole("shop")]),
        following("dts-3", "rm-target", "rm-far", &[whole("shop")]),
    ];
    let found = cause(&among(vec![whole("shop")], &others), I::Topology);
    let way = "by task dts-3 from rm-target to rm-far and task dts-2 from rm-far to rm-source:";
    assert!(found.contains(way), "{found}");
}

#[test]
fn names_that_differ_make_no_circle_and_names_that_are_given_back_do() {
    let others = |objects: &[Selection]| vec![following("dts-2", "rm-target", "rm-source", objects)];
    let cases = [
        (whole("shop"), whole("crm"), false),
        (into("shop", "crm"), whole("crm"), false),
        (into("shop", "crm"), into("crm", "shop"), true),
        (renamed("shop", "goods", "things"), only("shop", "goods"), false),
        (renamed("shop", "goods", "things"), renamed("shop", "things", "goods"), true),
        (only("shop", "goods"), renamed("shop", "goods", "things"), false),
    ];
    for (own, back, circle) in cases {
        let shared = among(vec![own.clone()], &others(std::slice::from_ref(&back)));
        shared.server("target", |server| server.put_empty("crm"));
        assert_eq!(failed(&shared).iter().any(|it| it.0 == I::Topology), circle, "{own:?} {back:?}");
    }
}

#[test]
fn a_table_that_moves_on_to_another_name_on_its_way_back_comes_round_only_if_it_ever_has_its_own_again() {
    let back = |name: &str| following("dts-2", "rm-target", "rm-source", &[renamed("shop", "goods", name)]);
    let own = vec![only("shop", "goods"), only("shop", "orders")];
    assert_eq!(failed(&among(own.clone(), &[back("orders")])), []);
    let swap = [renamed("shop", "goods", "orders"), renamed("shop", "orders", "goods")];
    let found = cause(&among(own, &[following("dts-2", "rm-target", "rm-source", &swap)]), I::Topology);
    assert!(found.contains("table shop.goods, table shop.orders"), "{found}");
}

#[test]
fn within_one_instance_a_task_makes_no_circle_with_itself_but_two_do() {
    let within = |others: &[Following]| {
        let shared = among(vec![into("shop", "crm")], others);
        let mut world = shared.lock();
        world.service.work.target.instance = "rm-source".into();
        drop(world);
        shared.server("target", |server| server.put_empty("crm"));
        shared
    };
    assert_eq!(failed(&within(&[])), []);
    let back = following("dts-2", "rm-source", "rm-source", &[into("crm", "shop")]);
    assert!(cause(&within(&[back]), I::Topology).contains("task dts-2 from rm-source to rm-source"));
}
