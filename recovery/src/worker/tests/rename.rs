//! Descriptions with the target's names.

use super::sample::{foreign_key, object, of_table, only, shop, table, view, whole};
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind as K, Security};
use crate::model::task::Selection;
use crate::worker::migrate::rename::Names;
use crate::worker::scope::Scope;
use std::collections::BTreeMap;

fn mapped(engine: Engine, selections: &[Selection], objects: &[Object], name: &str) -> Option<(String, Object)> {
    let all: Vec<&Object> = objects.iter().collect();
    let names = Names { engine, scope: Scope::new(selections), database: "shop", objects: &all };
    names.mapped(objects.iter().find(|object| object.name == name)?)
}

fn definition(engine: Engine, selections: &[Selection], objects: &[Object], name: &str) -> String {
    mapped(engine, selections, objects, name).map(|(_, object)| object.definition).unwrap_or_default()
}

fn renamed() -> Selection {
    let columns_as = BTreeMap::from([("item".to_owned(), "thing".to_owned())]);
    Selection { table_as: Some("old_orders".into()), columns_as, ..only("shop", "orders") }
}

#[test]
fn without_a_mapping_nothing_changes() {
    for object in shop() {
        assert_eq!(definition(Engine::MySql, &[whole("shop")], &shop(), &object.name), object.definition);
    }
}

#[test]
fn a_renamed_table_keeps_column_names_and_literals_that_look_like_its_name() {
    let text = "create table `orders` (id int, orders varchar(9) default 'orders', check (orders <> 'orders'))";
    let orders = Object { definition: text.into(), ..table("orders", &["orders"]) };
    let selection = Selection { table_as: Some("kept".into()), ..only("shop", "orders") };
    let wanted = "create table `kept` (id int, orders varchar(9) default 'orders', check (orders <> 'orders'))";
    assert_eq!(definition(Engine::MySql, &[selection], &[orders], "orders"), wanted);
}

#[test]
fn a_renamed_column_is_renamed_in_keys_and_checks_but_not_where_a_type_is_spelled_like_it() {
    let text = "create table t (id int, date date not null, primary key (id, date), check (date > '2020'))";
    let t = Object { definition: text.into(), ..table("t", &["date"]) };
    let columns_as = BTreeMap::from([("date".to_owned(), "day".to_owned())]);
    let selection = Selection { columns_as, ..only("shop", "t") };
    let wanted = "create table t (id int, `day` date not null, primary key (id, `day`), check (`day` > '2020'))";
    let (_, object) = mapped(Engine::MySql, &[selection], &[t], "t").expect("it is selected");
    assert_eq!(object.definition, wanted);
    assert_eq!(object.columns[1].name, "day");
}

#[test]
fn indexes_and_foreign_keys_follow_their_table() {
    let selections = [renamed(), Selection { table_as: Some("wares".into()), ..only("shop", "goods") }];
    let key = definition(Engine::SqlServer, &selections, &shop(), "fk_item");
    let wanted = "alter table [old_orders] add constraint fk_item foreign key ([thing]) references [wares] (id)";
    assert_eq!(key, wanted);
    let index = of_table(K::Index, "by_item", "orders", "create index by_item on public.orders using btree (item)");
    let objects = [table("orders", &["item"]), index];
    let index = definition(Engine::PostgreSql, &selections, &objects, "by_item");
    assert_eq!(index, "create index by_item on public.\"old_orders\" using btree (\"thing\")");
}

#[test]
fn a_table_of_some_columns_has_those_columns_only() {
    let selection = Selection { columns: Some(vec!["id".into(), "item".into()]), ..renamed() };
    let (database, object) = mapped(Engine::PostgreSql, &[selection], &shop(), "orders").expect("it is selected");
    assert_eq!(database, "shop");
    let wanted = "CREATE TABLE \"old_orders\" (\"id\" int NOT NULL, \"thing\" varchar(40), PRIMARY KEY (\"id\"))";
    assert_eq!(object.definition, wanted);
    assert_eq!(object.key, ["id"]);
}

#[test]
fn a_key_that_is_not_selected_as_a_whole_is_no_key() {
    let selection = Selection { columns: Some(vec!["item".into()]), ..only("shop", "orders") };
    let (_, object) = mapped(Engine::MySql, &[selection], &shop(), "orders").expect("it is selected");
    assert!(object.key.is_empty());
    assert_eq!(object.definition, "CREATE TABLE `orders` (`item` varchar(40))");
}

#[test]
fn on_mysql_views_and_routines_run_with_the_callers_rights() {
    let definer = |kind, text: &str| Object {
        definer: Some("root@%".into()),
        security: Some(Security::Definer),
        ..object(kind, "x", text)
    };
    let text = "create sql security definer view x as select 'sql security definer'";
    let (_, made) = mapped(Engine::MySql, &[whole("shop")], &[definer(K::View, text)], "x").expect("it is selected");
    assert_eq!((made.definer, made.security), (None, Some(Security::Invoker)));
    assert_eq!(made.definition, "create sql security INVOKER view x as select 'sql security definer'");
    let trigger =
        Object { table: Some("orders".into()), ..definer(K::Trigger, "create trigger x after insert on orders") };
    let objects = [table("orders", &[]), trigger];
    let (_, made) = mapped(Engine::MySql, &[whole("shop")], &objects, "x").expect("it is selected");
    assert_eq!((made.definer, made.security), (None, Some(Security::Definer)));
}

fn broken(selections: &[Selection], objects: &[Object], name: &str, there: bool) -> Option<String> {
    let all: Vec<&Object> = objects.iter().collect();
    let names = Names { engine: Engine::MySql, scope: Scope::new(selections), database: "shop", objects: &all };
    names.broken(objects.iter().find(|object| object.name == name)?, "shop", &|_| there)
}

#[test]
fn a_view_on_a_renamed_table_is_broken_unless_the_target_has_that_name() {
    let renamed = Selection { table_as: Some("old_orders".into()), ..only("shop", "orders") };
    let selections = [whole("shop"), renamed];
    let why = broken(&selections, &shop(), "open_orders", false);
    assert_eq!(why.as_deref(), Some("it needs orders, which is shop.old_orders in the target"));
    assert_eq!(broken(&selections, &shop(), "open_orders", true), None);
    assert_eq!(broken(&[whole("shop")], &shop(), "open_orders", false), None);
}

#[test]
fn a_view_that_names_a_renamed_column_is_broken() {
    let columns_as = BTreeMap::from([("item".to_owned(), "thing".to_owned())]);
    let selections = [whole("shop"), Selection { columns_as, ..only("shop", "orders") }];
    let objects = [table("orders", &["item", "note"]), view("v", &["orders"], "select item from orders")];
    assert!(broken(&selections, &objects, "v", true).is_some_and(|why| why.contains("column item of orders")));
    let objects = [table("orders", &["item", "note"]), view("v", &["orders"], "select note from orders")];
    assert_eq!(broken(&selections, &objects, "v", true), None);
}

#[test]
fn a_foreign_key_of_a_table_to_itself_follows_it_twice() {
    let objects = [table("orders", &["item"]), foreign_key("fk", "orders", "item", "orders")];
    let text = definition(Engine::MySql, &[renamed()], &objects, "fk");
    let wanted = "alter table `old_orders` add constraint fk foreign key (`thing`) references `old_orders` (id)";
    assert_eq!(text, wanted);
}
