//! What is planned, and in which order.

use super::sample::{foreign_key, object, of_table, only, shop, table, types, view, whole};
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind as K};
use crate::model::task::Selection;
use crate::worker::migrate::plan::{Stage, missing, plan, stage};
use crate::worker::scope::Scope;
use std::collections::BTreeMap;

fn names(engine: Engine, selections: &[Selection], letters: &str, objects: Vec<Object>) -> Vec<String> {
    let described = BTreeMap::from([("shop".to_owned(), objects)]);
    let planned = plan(engine, Scope::new(selections), &types(letters), &described);
    planned.into_iter().map(|planned| planned.object.name).collect()
}

fn every_kind() -> Vec<Object> {
    let mut objects = shop();
    let more = [K::Procedure, K::Function, K::Event, K::Synonym, K::Type, K::Rule, K::Default, K::PlanGuide];
    let more = more.into_iter().chain([K::Sequence, K::Domain, K::Aggregate]);
    objects.extend(more.map(|kind| object(kind, &format!("a_{kind:?}"), "create")));
    objects.reverse();
    objects
}

#[test]
fn on_mysql_everything_but_events_is_made_before_the_rows() {
    let planned = names(Engine::MySql, &[whole("shop")], "sf", every_kind());
    let wanted = ["goods", "orders", "by_note", "fk_item", "open_orders", "a_Function", "a_Procedure", "audit"];
    assert_eq!(planned, wanted);
    assert!(wanted.len() == planned.len() && stage(Engine::MySql, K::Event).is_none());
}

#[test]
fn on_sql_server_what_acts_on_rows_is_made_after_them() {
    let planned = names(Engine::SqlServer, &[whole("shop")], "sf", every_kind());
    let before =
        ["a_Type", "a_Rule", "a_Default", "goods", "orders", "by_note", "open_orders", "a_Synonym", "a_PlanGuide"];
    let after = ["a_Function", "a_Procedure", "audit", "fk_item"];
    assert_eq!(planned, [&before[..], &after[..]].concat());
    assert_eq!(stage(Engine::SqlServer, K::Procedure), Some(Stage::After));
}

#[test]
fn on_postgresql_only_triggers_and_foreign_keys_come_after_the_rows() {
    for engine in [Engine::PostgreSql, Engine::Ppas] {
        let planned = names(engine, &[whole("shop")], "sf", every_kind());
        assert_eq!(planned[planned.len() - 2..], ["audit", "fk_item"]);
        for kind in [K::View, K::Function, K::Sequence, K::Domain, K::Aggregate, K::Rule, K::Type] {
            assert_eq!(stage(engine, kind), Some(Stage::Before));
        }
    }
}

#[test]
fn a_selected_table_brings_its_indexes_and_foreign_keys_and_nothing_else() {
    let selected = [only("shop", "orders"), only("shop", "goods")];
    assert_eq!(names(Engine::MySql, &selected, "sf", shop()), ["goods", "orders", "by_note", "fk_item"]);
    let two = [view("v", &[], "select 1"), table("alone", &[])];
    assert_eq!(names(Engine::MySql, &[only("shop", "alone")], "sf", two.to_vec()), ["alone"]);
}

#[test]
fn without_structure_only_tables_are_planned() {
    assert_eq!(names(Engine::MySql, &[whole("shop")], "f", shop()), ["goods", "orders"]);
}

#[test]
fn views_come_after_the_views_they_need_and_parents_before_children() {
    let objects = vec![
        view("a", &["z"], "select * from z"),
        view("z", &["t"], "select * from t"),
        table("c", &["p"]),
        table("t", &["c"]),
        foreign_key("fk", "c", "p", "t"),
    ];
    assert_eq!(names(Engine::MySql, &[whole("shop")], "sf", objects), ["t", "c", "fk", "z", "a"]);
}

#[test]
fn tables_that_are_each_others_parents_are_all_planned() {
    let objects = vec![
        table("a", &["b"]),
        table("b", &["a"]),
        foreign_key("ab", "a", "b", "b"),
        foreign_key("ba", "b", "a", "a"),
    ];
    assert_eq!(names(Engine::PostgreSql, &[whole("shop")], "sf", objects), ["a", "b", "ab", "ba"]);
}

#[test]
fn an_index_on_a_column_that_is_not_selected_is_left_out() {
    let selection = Selection { columns: Some(vec!["id".into(), "item".into()]), ..only("shop", "orders") };
    assert_eq!(names(Engine::MySql, &[selection], "sf", shop()), ["orders"]);
}

#[test]
fn a_selected_table_that_is_not_there_is_named() {
    let selections = [only("shop", "orders"), only("shop", "gone"), only("shop", "open_orders")];
    let described = BTreeMap::from([("shop".to_owned(), shop())]);
    assert_eq!(missing(Scope::new(&selections), &described), ["shop.gone", "shop.open_orders"]);
}

#[test]
fn a_dependent_object_kind_is_described_with_its_table() {
    let trigger = of_table(K::Trigger, "audit", "orders", "create trigger audit after insert on orders");
    assert_eq!(names(Engine::MySql, &[only("shop", "orders")], "sf", vec![table("orders", &[]), trigger]), ["orders"]);
}
