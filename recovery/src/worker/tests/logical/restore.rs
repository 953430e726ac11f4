//! Restoring: what comes, in which order, with which names and definers.

use super::*;
use crate::model::logical::restore::{Branch, RestorePhase, RestoredStatus, TableMapping};
use crate::ports::database::DatabaseError;
use crate::worker::logical::layout::Part;
use object_store::ObjectStoreExt;

fn names(shared: &Shared, kind: K) -> Vec<String> {
    shared.lock().servers["target"].names("shop", kind)
}

#[test]
fn all_of_a_set_comes_but_its_foreign_keys() {
    let shared = world();
    dump(&shared);
    assert_eq!(restore(&shared, restore_job()), None);
    for table in ["orders", "goods", "notes"] {
        assert!(equal(&shared, table), "{table}");
    }
    for kind in [K::Table, K::Index, K::View, K::Procedure, K::Trigger, K::Event] {
        let mut had = shared.lock().servers["source"].names("shop", kind);
        let mut has = names(&shared, kind);
        had.sort();
        has.sort();
        assert_eq!(had, has);
    }
    assert!(names(&shared, K::ForeignKey).is_empty());
    let world = shared.lock();
    assert_eq!(world.servers["source"].epoch, 0);
    assert_eq!((world.servers["target"].largest_write, world.servers["target"].writes > 10), (2, true));
}

#[test]
fn nothing_is_written_to_a_target_older_than_the_set() {
    let shared = world();
    dump(&shared);
    shared.server("target", |server| server.product = super::super::sample::product("mysql 5.6"));
    let failure = restore(&shared, restore_job());
    let Some(RestoreFailure::Refused { object, detail }) = failure else { panic!("{failure:?}") };
    assert_eq!(object, "target");
    assert!(detail.contains("the data is of mysql 5.7, and the server is mysql 5.6"), "{detail}");
    assert_eq!(shared.lock().servers["target"].writes, 0);
}

#[test]
fn what_acts_on_rows_is_made_after_them() {
    let shared = world();
    dump(&shared);
    assert_eq!(restore(&shared, restore_job()), None);
    let order: Vec<(RestorePhase, K)> = details(&shared).iter().map(|entry| (entry.phase, entry.kind)).collect();
    let place = |wanted: (RestorePhase, K)| order.iter().rposition(|entry| *entry == wanted).expect("it is there");
    let rows = place((RestorePhase::Full, K::Table));
    assert!(place((RestorePhase::Structure, K::Trigger)) > rows && place((RestorePhase::Structure, K::Event)) > rows);
    assert!(place((RestorePhase::Structure, K::Procedure)) < rows && place((RestorePhase::Structure, K::View)) < rows);
    let orders = details(&shared).into_iter().find(|entry| entry.name == "orders" && entry.phase == RestorePhase::Full);
    let orders = orders.expect("it is there");
    assert_eq!((orders.records, orders.cursor, orders.status), (5, 5, RestoredStatus::Done));
    assert!(orders.began_at.is_some() && orders.ended_at.is_some() && !orders.announced);
}

#[test]
fn every_definer_is_the_restoring_account_and_security_stays() {
    let shared = world();
    shared.server("source", |server| {
        let shop = server.db("shop").expect("it is there");
        for object in &mut shop.objects {
            object.definer = Some("root@%".into());
        }
        let view = shop.objects.iter_mut().find(|object| object.kind == K::View).expect("it is there");
        view.security = Some(crate::model::content::Security::Definer);
    });
    dump(&shared);
    wait_until(&shared, 5);
    statement(&shared, "late", "create definer=`root`@`%` sql security invoker view late as select 1 from orders");
    wait_until(&shared, 9);
    collect(&shared, 0, Instant { position: 0, at: at(0) });
    let job = RestoreJob { logs: log(1, 0), until: Some(at(5)), ..restore_job() };
    assert_eq!(restore(&shared, job), None);
    let world = shared.lock();
    let objects = &world.servers["target"].databases["shop"].objects;
    for kind in [K::View, K::Procedure, K::Trigger, K::Event] {
        let of_kind: Vec<_> = objects.iter().filter(|object| object.kind == kind).collect();
        assert!(
            !of_kind.is_empty() && of_kind.iter().all(|object| object.definer.as_deref() == Some("app")),
            "{kind:?}"
        );
        assert!(of_kind.iter().all(|object| !object.definition.contains("root")));
    }
    let security = |name: &str| objects.iter().find(|object| object.name == name).and_then(|object| object.security);
    assert_eq!(security("open_orders"), Some(crate::model::content::Security::Definer));
    assert_eq!(security("late"), Some(crate::model::content::Security::Invoker));
}

#[test]
fn a_restore_by_set_has_the_state_at_its_completion() {
    let shared = world();
    shared.before("read", 2, |world| {
        let now = world.now;
        let source = world.servers.get_mut("source").expect("a server");
        change_in(source, now, "orders", Some(order(1)), None);
        change_in(source, now, "orders", Some(order(5)), Some(row(5, &[("item", "desk"), ("note", "n")])));
        change_in(source, now, "notes", Some(note(2)), None);
        change_in(source, now, "notes", None, Some(note(3)));
    });
    dump(&shared);
    let then = ["orders", "notes"].map(|table| rows(&shared, "source", table));
    change(&shared, "orders", None, Some(order(8)));
    assert_eq!(restore(&shared, restore_job()), None);
    assert_eq!(["orders", "notes"].map(|table| rows(&shared, "target", table)), then);
}

#[test]
fn a_point_in_time_tells_two_seconds_apart() {
    let shared = world();
    dump(&shared);
    let mut then = BTreeMap::new();
    for second in [10, 11] {
        wait_until(&shared, second);
        change(&shared, "orders", None, Some(order(second)));
        change(&shared, "notes", Some(note(1)), None);
        then.insert(second, rows(&shared, "source", "orders"));
    }
    wait_until(&shared, 20);
    collect(&shared, 0, Instant { position: 0, at: at(0) });
    for (second, orders) in then {
        shared.server("target", |server| server.databases.clear());
        let job = RestoreJob { logs: log(1, 0), until: Some(at(second)), ..restore_job() };
        assert_eq!(restore(&shared, job), None);
        assert_eq!(rows(&shared, "target", "orders"), orders);
    }
    assert!(equal(&shared, "notes"));
}

#[test]
fn triggers_and_events_of_the_log_are_lost_but_not_the_rows_they_wrote() {
    let shared = world();
    dump(&shared);
    wait_until(&shared, 5);
    statement(
        &shared,
        "stamp",
        "create trigger stamp after insert on goods begin insert into notes values (9, 'x'); end",
    );
    statement(&shared, "hourly", "create event hourly on schedule every 1 hour do delete from notes");
    statement(&shared, "audit", "drop trigger audit");
    change(&shared, "goods", None, Some(row(2, &[("name", "desk")])));
    change(&shared, "notes", None, Some(note(9)));
    wait_until(&shared, 9);
    collect(&shared, 0, Instant { position: 0, at: at(0) });
    let job = RestoreJob { logs: log(1, 0), until: Some(at(8)), ..restore_job() };
    assert_eq!(restore(&shared, job), None);
    assert!(equal(&shared, "notes") && equal(&shared, "goods"));
    assert_eq!((names(&shared, K::Trigger), names(&shared, K::Event)), (Vec::new(), vec!["nightly".to_owned()]));
}

#[test]
fn another_table_name_in_a_database_with_a_view_fails_before_anything_is_written() {
    let shared = world();
    dump(&shared);
    let renamed = |to: &str| vec![TableMapping { database: "shop".into(), table: "goods".into(), table_as: to.into() }];
    let failure = restore(&shared, RestoreJob { mapping: renamed("wares"), ..restore_job() });
    let Some(RestoreFailure::MappingWithProgrammableObjects { objects }) = failure else { panic!("{failure:?}") };
    assert_eq!(objects, ["view shop.open_orders", "trigger shop.audit", "procedure shop.clean"]);
    assert!(!shared.lock().calls.contains(&"connect"));
    assert_eq!(restore(&shared, RestoreJob { mapping: renamed("goods"), ..restore_job() }), None);
}

#[test]
fn a_table_gets_its_other_name_with_its_indexes_where_only_events_are() {
    let shared = world();
    shared.server("source", |server| {
        let shop = server.db("shop").expect("it is there");
        shop.objects.retain(|object| matches!(object.kind, K::Table | K::Index | K::Event));
    });
    dump(&shared);
    let mapping = vec![TableMapping { database: "shop".into(), table: "orders".into(), table_as: "old".into() }];
    assert_eq!(restore(&shared, RestoreJob { mapping, ..restore_job() }), None);
    assert_eq!(rows(&shared, "target", "old"), rows(&shared, "source", "orders"));
    let world = shared.lock();
    let objects = &world.servers["target"].databases["shop"].objects;
    let index = objects.iter().find(|object| object.kind == K::Index).expect("it is there");
    assert_eq!(
        (index.table.as_deref(), index.definition.as_str()),
        (Some("old"), "create index by_note on `old` (note)")
    );
    assert!(!objects.iter().any(|object| object.name == "orders"));
}

#[test]
fn only_what_is_chosen_is_made() {
    let chosen = |kind, name: Option<&str>| {
        let shared = world();
        dump(&shared);
        let branches = vec![Branch { database: "shop".into(), kind, name: name.map(ToOwned::to_owned) }];
        let objects = RestoreObjects::Custom { branches };
        assert_eq!(restore(&shared, RestoreJob { objects, ..restore_job() }), None);
        let world = shared.lock();
        let objects = &world.servers["target"].databases["shop"].objects;
        let mut made: Vec<String> = objects.iter().map(|object| object.name.clone()).collect();
        made.sort();
        made
    };
    assert_eq!(chosen(Some(K::Table), Some("orders")), ["by_note", "orders"]);
    assert_eq!(chosen(Some(K::Event), None), ["nightly"]);
    assert_eq!(chosen(Some(K::Table), None), ["by_note", "goods", "notes", "orders"]);
    assert_eq!(chosen(None, None).len(), 8);
}

#[test]
fn rows_alone_make_no_table() {
    let shared = world();
    dump(&shared);
    let job = RestoreJob { types: BTreeSet::from([RestoreType::Full]), ..restore_job() };
    let failure = restore(&shared, job);
    assert!(matches!(failure, Some(RestoreFailure::Refused { object, .. }) if object == "table shop.goods"));
    assert_eq!(shared.lock().servers["target"].writes, 0);
    let entry = details(&shared).into_iter().find(|entry| entry.name == "goods").expect("it is there");
    assert_eq!(entry.status, RestoredStatus::Failed);
}

#[test]
fn structure_alone_brings_triggers_too_and_no_row() {
    let shared = world();
    dump(&shared);
    let job = RestoreJob { types: BTreeSet::from([RestoreType::Structure]), ..restore_job() };
    assert_eq!(restore(&shared, job), None);
    assert_eq!((names(&shared, K::Trigger).len(), rows(&shared, "target", "orders").len()), (1, 0));
    assert!(details(&shared).iter().all(|entry| entry.phase == RestorePhase::Structure));
}

fn vault(shared: &Shared, part: Part, bytes: Option<&'static [u8]>) {
    let path = part.path(&SetId::from("bkx-1"));
    let done = match bytes {
        Some(bytes) => shared.drive(1, async { shared.1.put(&path, bytes.into()).await.map(|_| ()) }),
        None => shared.drive(1, shared.1.delete(&path)),
    };
    assert!(matches!(done, End::Done(Ok(()))));
}

#[test]
fn a_missing_damaged_or_exchanged_object_fails_the_restore() {
    for (part, bytes) in [
        (Part::Rows { table: 0, chunk: 1 }, None),
        (Part::Rows { table: 1, chunk: 0 }, Some(&b"{\"sha256\":\"00"[..])),
        (Part::Manifest, None),
    ] {
        let shared = world();
        dump(&shared);
        vault(&shared, part, bytes);
        let failure = restore(&shared, restore_job());
        let wanted = part.path(&SetId::from("bkx-1")).to_string();
        assert!(
            matches!(&failure, Some(RestoreFailure::BackupUnreadable { set, detail }) if set == "bkx-1" && detail.contains(&wanted)),
            "{failure:?}"
        );
    }
}

#[test]
fn a_chunk_in_the_place_of_another_is_noticed() {
    let shared = world();
    dump(&shared);
    let [one, other] = [0, 1].map(|chunk| Part::Rows { table: 2, chunk }.path(&SetId::from("bkx-1")));
    assert!(matches!(shared.drive(1, shared.1.copy(&one, &other)), End::Done(Ok(()))));
    let failure = restore(&shared, restore_job());
    assert!(matches!(&failure, Some(RestoreFailure::BackupUnreadable { .. })), "{failure:?}");
}

#[test]
fn a_target_away_for_a_while_is_waited_for_and_one_that_is_gone_is_not() {
    let shared = world();
    dump(&shared);
    shared.before("write", 2, |world| {
        let away = Some(DatabaseError::Unreachable("no route".into()));
        world.servers.get_mut("target").expect("a server").refuses = away;
    });
    shared.after_s(40, |world| world.servers.get_mut("target").expect("a server").refuses = None);
    assert_eq!(restore(&shared, restore_job()), None);
    assert!(equal(&shared, "orders") && equal(&shared, "notes"));
    let mut job = restore_job();
    job.target.endpoint = None;
    assert_eq!(restore(&shared, job), Some(RestoreFailure::InstanceGone { instance: "rm-target".into() }));
}
