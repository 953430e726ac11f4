//! Every precheck item, passed and failed for each cause.

mod advice;
mod log;
mod properties;
mod topology;

use super::sample::{foreign_key, object, only, product, row, shop, table, whole, work};
use super::servers::Server;
use super::world::{End, Shared};
use crate::model::Engine;
use crate::model::content::ObjectKind;
use crate::model::instance::{Grants, Rights};
use crate::model::precheck::{PrecheckItem as I, PrecheckResult};
use crate::model::task::{MigrationType, SameNameMode, Selection, Work};
use crate::ports::database::DatabaseError;
use crate::worker::Interruption;
use crate::worker::lease::LetGo;
use jiff::SignedDuration;

fn world(engine: Engine, letters: &str, objects: Vec<Selection>) -> Shared {
    let shared = Shared::new(work(Work::Precheck, engine, letters, objects));
    shared.server("source", |server| {
        server.put("shop", shop()).rows.insert("goods".into(), vec![row(1, &[])]);
    });
    shared.server("target", |server| server.put_empty("shop"));
    shared
}

fn mysql() -> Shared {
    world(Engine::MySql, "sf", vec![whole("shop")])
}

/// Runs the precheck; the failed items with cause and remedy.
fn failed(shared: &Shared) -> Vec<(I, String, String)> {
    let end = shared.turn(1_000);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
    let world = shared.lock();
    assert!(world.service.precheck_done);
    // Those that can be looked at may overtake those that cannot.
    let mut items: Vec<PrecheckResult> = world.service.items.clone();
    items.retain(|result| !result.item.is_advisory());
    items.sort_by_key(|result| result.item);
    let order: Vec<I> = items.iter().map(|result| result.item).collect();
    let has = |kind| world.service.work.types.contains(&kind);
    let engine = world.service.work.source.product.engine;
    let structure = has(MigrationType::Structure).then_some(I::SameNameObject);
    let log =
        [I::BinlogOn, I::BinlogMode, I::BinlogRowImage, I::ServerId, I::BinlogExistence, I::StorageEngine].into_iter();
    let log = log.filter(|_| has(MigrationType::Incremental) && engine == Engine::MySql);
    let mysql = [I::PasswordFormat, I::SqlMode].into_iter().filter(|_| engine == Engine::MySql);
    let full = has(MigrationType::Full).then_some(I::TargetTablesEmpty);
    let logged = [I::RecoveryModel, I::Superuser].into_iter().filter(|item| {
        has(MigrationType::Incremental)
            && (engine == Engine::SqlServer || (*item == I::Superuser && engine != Engine::MySql))
    });
    let circle = has(MigrationType::Incremental).then_some(I::Topology);
    let target_super = structure.filter(|_| engine == Engine::MySql).map(|_| I::TargetSuper);
    let always = [
        I::SourceConnectivity,
        I::SourcePermission,
        I::TargetConnectivity,
        I::TargetPermission,
        I::SourceVersion,
        I::SchemaExistence,
    ];
    let wanted: Vec<I> = always.into_iter().chain(structure).chain([I::ConstraintIntegrity]).collect();
    let wanted: Vec<I> = wanted
        .into_iter()
        .chain(log)
        .chain(mysql)
        .chain(full)
        .chain(logged)
        .chain(circle)
        .chain(target_super)
        .collect();
    assert_eq!(order, wanted);
    let failed = items.iter().filter_map(|result| {
        let found = result.outcome.found()?;
        let remedies: Vec<&str> = found.findings.iter().map(|finding| finding.remedy.as_str()).collect();
        Some((result.item, found.causes(), remedies.join(" ")))
    });
    failed.collect()
}

/// Runs the precheck; the cause of its one failed item.
fn cause(shared: &Shared, item: I) -> String {
    let failed = failed(shared);
    assert_eq!(failed.iter().map(|(item, ..)| *item).collect::<Vec<_>>(), [item], "{failed:?}");
    assert!(!failed[0].2.is_empty());
    failed[0].1.clone()
}

fn change(shared: &Shared, name: &str, change: impl FnOnce(&mut Server)) {
    shared.server(name, change);
}

#[test]
fn all_items_pass_and_nothing_is_written() {
    for engine in [Engine::MySql, Engine::SqlServer, Engine::PostgreSql, Engine::Ppas] {
        let shared = world(engine, "sf", vec![whole("shop")]);
        assert_eq!(failed(&shared), []);
        let world = shared.lock();
        assert_eq!((world.servers["target"].writes, world.servers["target"].epoch), (0, 0));
        assert_eq!(world.servers["source"].writes, 0);
    }
}

#[test]
fn each_cause_of_no_connection_is_told_apart_with_its_remedy() {
    let causes = [
        (DatabaseError::NotWhitelisted("worker-1".into()), "not on its whitelist", "Add worker-1 to the whitelist"),
        (DatabaseError::AccessDenied("app".into()), "denies access to account app", "Correct the account"),
        (DatabaseError::SslDisabled, "does not offer SSL", "Enable SSL on rm-"),
        (DatabaseError::Unreachable("no route".into()), "cannot be reached: no route", "See that rm-"),
    ];
    for (name, item, permission) in
        [("source", I::SourceConnectivity, I::SourcePermission), ("target", I::TargetConnectivity, I::TargetPermission)]
    {
        for (error, cause, remedy) in causes.clone() {
            let shared = mysql();
            change(&shared, name, |server| server.refuses = Some(error));
            let failed = failed(&shared);
            let of = |wanted: I| failed.iter().find(|(item, ..)| *item == wanted).expect("it failed");
            assert!(of(item).1.contains(cause) && of(item).2.starts_with(remedy), "{failed:?}");
            assert!(of(item).1.contains(&format!("rm-{name}")));
            assert_eq!(of(permission).1, format!("could not be looked at because the {name} is not reachable"));
        }
    }
}

#[test]
fn a_gone_instance_and_a_silent_one_fail_connectivity() {
    let shared = mysql();
    shared.lock().service.work.source.endpoint = None;
    let items = failed(&shared);
    assert_eq!(
        (items[0].0, items[0].1.as_str()),
        (I::SourceConnectivity, "the source instance rm-source does not exist any more")
    );
    let shared = mysql();
    change(&shared, "target", |server| server.hangs = true);
    let items = failed(&shared);
    assert!(items[0].0 == I::TargetConnectivity && items[0].1.contains("no answer within 60 seconds"), "{items:?}");
}

#[test]
fn a_source_account_that_only_reads_passes_for_structure_and_full_but_not_for_incremental() {
    for (letters, fails) in [("sf", false), ("sfi", true)] {
        let shared = world(Engine::MySql, letters, vec![whole("shop")]);
        change(&shared, "source", |server| server.grants = Grants::all(Rights::ReadOnly));
        if fails {
            let cause = cause(&shared, I::SourcePermission);
            assert_eq!(cause, "source account app lacks REPLICATION SLAVE and REPLICATION CLIENT on shop");
        } else {
            assert_eq!(failed(&shared), []);
        }
    }
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    change(&shared, "source", |server| server.grants = Grants::all(Rights::Owner));
    assert_eq!(failed(&shared), []);
}

#[test]
fn a_privilege_lacking_on_one_selected_object_fails_and_names_it() {
    let without = |rights| {
        let mut grants = Grants::all(Rights::ReadWrite);
        grants.exceptions.insert("shop.goods".into(), rights);
        grants
    };
    let shared = mysql();
    change(&shared, "source", |server| server.grants = without(Rights::None));
    assert_eq!(cause(&shared, I::SourcePermission), "source account app lacks SELECT on shop.goods");
    let shared = mysql();
    change(&shared, "target", |server| server.grants = without(Rights::ReadOnly));
    assert_eq!(cause(&shared, I::TargetPermission), "target account app lacks read and write on shop.goods");
    let shared = world(Engine::SqlServer, "sf", vec![only("shop", "lonely")]);
    change(&shared, "source", |server| {
        server.db("shop").expect("it is there").objects.push(table("lonely", &[]));
        server.grants = without(Rights::None);
    });
    assert_eq!(failed(&shared), []);
}

#[test]
fn a_target_account_that_only_reads_fails() {
    let shared = mysql();
    change(&shared, "target", |server| server.grants = Grants::all(Rights::ReadOnly));
    assert_eq!(cause(&shared, I::TargetPermission), "target account app lacks read and write on shop");
}

#[test]
fn a_source_of_another_engine_or_newer_than_the_target_fails() {
    let shared = mysql();
    change(&shared, "target", |server| server.product = product("mysql 5.6"));
    assert_eq!(cause(&shared, I::SourceVersion), "the target mysql 5.6 is older than the source mysql 5.7");
    let shared = mysql();
    change(&shared, "target", |server| server.product = product("sqlserver 2012 web"));
    assert!(cause(&shared, I::SourceVersion).contains("only within one engine"));
}

#[test]
fn a_missing_target_database_is_made_with_the_sources_character_set() {
    let shared = mysql();
    change(&shared, "target", |server| server.databases.clear());
    change(&shared, "source", |server| server.db("shop").expect("it is there").charset = "gbk".into());
    assert_eq!(failed(&shared), []);
    let world = shared.lock();
    assert_eq!(world.servers["target"].databases["shop"].charset, "gbk");
    assert_eq!(world.servers["target"].epoch, 1);
}

#[test]
fn a_missing_target_database_that_cannot_be_made_fails() {
    let named = |name: &str| Selection { database_as: Some(name.into()), ..whole("shop") };
    let shared = world(Engine::MySql, "sf", vec![named("Shop2")]);
    assert!(cause(&shared, I::SchemaExistence).contains("lower-case letters"));
    let shared = world(Engine::MySql, "sf", vec![named("shop_2-a")]);
    assert_eq!(failed(&shared), []);
    let shared = world(Engine::MySql, "sf", vec![named("other")]);
    change(&shared, "source", |server| server.db("shop").expect("it is there").charset = "big5".into());
    assert!(cause(&shared, I::SchemaExistence).contains("its character set big5"));
    let shared = world(Engine::PostgreSql, "sf", vec![named("other")]);
    assert!(cause(&shared, I::SchemaExistence).contains("on PostgreSQL it has to be made beforehand"));
    let shared = world(Engine::MySql, "sf", vec![named("other")]);
    change(&shared, "target", |server| {
        server.grants = Grants::all(Rights::ReadOnly);
    });
    let failed = failed(&shared);
    let schema = failed.iter().find(|(item, ..)| *item == I::SchemaExistence).expect("it failed");
    assert!(schema.1.contains("account app may not make it"), "{failed:?}");
    assert!(!shared.lock().servers["target"].databases.contains_key("other"));
}

#[test]
fn what_is_selected_has_to_be_in_the_source() {
    let columns = Some(vec!["id".to_owned(), "ghost".to_owned()]);
    let selections = vec![
        whole("nothing"),
        only("shop", "gone"),
        only("nothing", "t"),
        Selection { columns, ..only("shop", "goods") },
    ];
    let shared = world(Engine::MySql, "sf", selections);
    change(&shared, "target", |server| server.put_empty("nothing"));
    let cause = cause(&shared, I::SchemaExistence);
    for what in ["database nothing", "table shop.gone", "column shop.goods.ghost"] {
        assert!(cause.contains(&format!("selected {what} is not in the source rm-source")), "{cause}");
    }
    assert!(!cause.contains("nothing.t"));
}

#[test]
fn full_without_structure_needs_the_tables_in_the_target() {
    let shared = world(Engine::MySql, "f", vec![whole("shop")]);
    change(&shared, "target", |server| server.db("shop").expect("it is there").objects.push(table("orders", &[])));
    assert_eq!(cause(&shared, I::SchemaExistence), "table shop.goods is not in the target rm-target");
}

#[test]
fn objects_of_the_same_name_fail_all_named_unless_they_are_ignored() {
    let occupied = |shared: &Shared| {
        change(shared, "target", |server| {
            let objects = &mut server.db("shop").expect("it is there").objects;
            objects.extend([table("orders", &[]), table("open_orders", &[]), table("unrelated", &[])]);
        });
    };
    let shared = mysql();
    occupied(&shared);
    let found = cause(&shared, I::SameNameObject);
    let wanted = "table shop.orders is already in the target rm-target; table shop.open_orders is already in the target rm-target";
    assert_eq!(found, wanted);
    let shared = mysql();
    occupied(&shared);
    shared.lock().service.work.same_name = SameNameMode::Ignore;
    assert_eq!(failed(&shared), []);
    let mapped = |table: &str| Selection { table_as: Some(format!("{table}_2")), ..only("shop", table) };
    let shared = world(Engine::MySql, "sf", vec![mapped("orders"), mapped("goods")]);
    occupied(&shared);
    assert_eq!(failed(&shared), []);
    let shared = world(Engine::MySql, "f", vec![only("shop", "orders"), only("shop", "goods")]);
    change(&shared, "target", |server| server.db("shop").expect("it is there").objects.extend(shop()));
    assert_eq!(failed(&shared), []);
}

#[test]
fn a_child_table_selected_without_its_parent_fails() {
    let shared = world(Engine::MySql, "sf", vec![only("shop", "orders")]);
    let cause = cause(&shared, I::ConstraintIntegrity);
    assert_eq!(cause, "table shop.orders is selected without shop.goods, which its foreign key fk_item needs");
    let shared = world(Engine::MySql, "sf", vec![only("shop", "orders"), only("shop", "goods")]);
    change(&shared, "source", |server| {
        let own = foreign_key("fk_self", "orders", "item", "orders");
        server.db("shop").expect("it is there").objects.push(own);
    });
    assert_eq!(failed(&shared), []);
}

#[test]
fn a_precheck_that_may_not_write_any_more_lets_go() {
    let shared = mysql();
    change(&shared, "target", |server| {
        server.databases.clear();
        server.epoch = 9;
    });
    let end = shared.turn(1_000);
    assert!(matches!(end, End::Done(Err(Interruption::LetGo(LetGo::Fenced)))), "{end:?}");
    assert!(shared.lock().servers["target"].databases.is_empty());
}

#[test]
fn items_are_told_together_unless_one_takes_long() {
    let reports = |shared: &Shared| {
        assert_eq!(failed(shared), []);
        shared.lock().calls.iter().filter(|call| **call == "report").count()
    };
    assert_eq!(reports(&mysql()), 1);
    let slow = mysql();
    slow.before("connect", 2, |world| world.now += SignedDuration::from_secs(3));
    assert_eq!(reports(&slow), 2);
}

#[test]
fn more_findings_than_are_shown_are_counted() {
    let shared = mysql();
    change(&shared, "target", |server| {
        for number in 0..23 {
            server.grants.exceptions.insert(format!("shop.t{number:02}"), Rights::ReadOnly);
        }
    });
    change(&shared, "source", |server| {
        let objects = &mut server.db("shop").expect("it is there").objects;
        objects.extend((0..23).map(|number| table(&format!("t{number:02}"), &[])));
    });
    let said = cause(&shared, I::TargetPermission);
    assert!(said.contains("shop.t19") && !said.contains("shop.t20") && said.ends_with("; and 3 more"), "{said}");
}

#[test]
fn old_passwords_and_modes_that_read_otherwise_fail_on_mysql() {
    let shared = mysql();
    change(&shared, "source", |server| {
        server.parameters.insert("old_passwords".into(), "ON".into());
    });
    assert!(cause(&shared, I::PasswordFormat).starts_with("old_passwords of the source rm-source is ON"));
    let shared = mysql();
    for (side, mode) in [("source", "PIPES_AS_CONCAT,STRICT_TRANS_TABLES"), ("target", "PIPES_AS_CONCAT,ANSI_QUOTES")] {
        change(&shared, side, |server| {
            server.parameters.insert("sql_mode".into(), mode.into());
        });
    }
    assert!(cause(&shared, I::SqlMode).starts_with("ANSI_QUOTES is among the sql_mode of the target"));
}

#[test]
fn rows_in_the_tables_copied_into_fail_unless_they_are_to_stay() {
    let occupied = |shared: &Shared| {
        change(shared, "target", |server| {
            let db = server.put("shop", Vec::new());
            db.objects.push(table("goods", &["name"]));
            db.rows.insert("goods".into(), vec![row(1, &[]), row(2, &[])]);
        });
    };
    let shared = world(Engine::PostgreSql, "f", vec![only("shop", "goods")]);
    occupied(&shared);
    assert_eq!(cause(&shared, I::TargetTablesEmpty), "table shop.goods of the target rm-target holds 2 rows");
    let shared = world(Engine::PostgreSql, "f", vec![only("shop", "goods")]);
    occupied(&shared);
    shared.lock().service.work.same_name = SameNameMode::Ignore;
    assert_eq!(failed(&shared), []);
}

#[test]
fn triggers_and_functions_need_super_where_the_target_does_not_trust_their_makers() {
    let distrusting = |letters, value: &str| {
        let shared = world(Engine::MySql, letters, vec![whole("shop")]);
        change(&shared, "source", |server| {
            let objects = &mut server.db("shop").expect("it is there").objects;
            objects.push(object(ObjectKind::Function, "price", "create function price() returns int return 1"));
            objects.push(object(ObjectKind::Procedure, "close", "create procedure close() begin end"));
        });
        change(&shared, "target", |server| {
            server.parameters.insert("log_bin".into(), "ON".into());
            server.parameters.insert("log_bin_trust_function_creators".into(), value.into());
        });
        shared
    };
    let found = cause(&distrusting("sf", "OFF"), I::TargetSuper);
    let wanted = |what: &str| {
        format!(
            "{what} cannot be made in the target rm-target: it writes a binary log, log_bin_trust_function_creators is OFF, \
             and account app lacks SUPER (error 1419)"
        )
    };
    let mut named: Vec<&str> = found.split("; ").collect();
    named.sort_unstable();
    assert_eq!(named, [wanted("function shop.price"), wanted("trigger shop.audit")]);
    assert_eq!(failed(&distrusting("sf", "ON")), []);
    let unlogged = distrusting("sf", "0");
    change(&unlogged, "target", |server| drop(server.parameters.insert("log_bin".into(), "OFF".into())));
    assert_eq!(failed(&unlogged), []);
    let above = distrusting("sf", "OFF");
    change(&above, "target", |server| server.told.is_super = true);
    assert_eq!(failed(&above), []);
    let kept = distrusting("sf", "OFF");
    kept.lock().service.work.same_name = SameNameMode::Ignore;
    change(&kept, "target", |server| {
        let there = shop().into_iter().filter(|object| object.kind == ObjectKind::Trigger);
        server.db("shop").expect("it is there").objects.extend(there);
    });
    assert_eq!(cause(&kept, I::TargetSuper), wanted("function shop.price"));
}
