//! Advisory items: each flaw gets its own advice, a task in order gets none, and none ever blocks.

use super::super::sample::{table, whole};
use super::super::servers::Server;
use super::super::world::{End, Shared};
use super::{change, mysql, world};
use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem as I};
use crate::ports::database::{EventTrigger, Extensions, OpenTransaction};
use jiff::SignedDuration;

/// Runs the precheck of a shop with this change; what its advice says.
fn advice(shared: &Shared) -> Vec<(I, String)> {
    let end = shared.turn(1_000);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
    let world = shared.lock();
    let said = world.service.items.iter().filter(|result| result.item.is_advisory()).filter_map(|result| {
        assert!(!result.outcome.is_failure(), "advice never blocks: {result:?}");
        // The servers here run no queries.
        let found = result.outcome.found().filter(|_| result.item != I::AdviseOrphans)?;
        Some((result.item, found.causes()))
    });
    said.collect()
}

#[test]
fn a_shop_in_order_gets_no_advice_and_each_flaw_gets_its_own() {
    assert_eq!(advice(&mysql()), []);
    type Change = fn(&mut Server);
    let flaws: [(I, &str, Change, Change); 4] = [
        (
            I::AdviseNameCase,
            "table shop.Stock is called shop.stock in the target rm-target (lower_case_table_names)",
            |source| source.db("shop").expect("it is there").objects.push(table("Stock", &[])),
            |target| {
                target.parameters.insert("lower_case_table_names".into(), "1".into());
            },
        ),
        (
            I::AdviseSpace,
            "the target rm-target has room for 9 bytes, and the source rm-source takes 10",
            |source| source.told.used_bytes = Some(10),
            |target| target.told.free_bytes = Some(9),
        ),
        (
            I::AdviseKey,
            "table shop.log has neither a primary nor a unique key: a row that is brought over twice stands there twice",
            |source| {
                let keyless = crate::model::content::Object { key: Vec::new(), ..table("log", &[]) };
                source.db("shop").expect("it is there").objects.push(keyless);
            },
            |_| {},
        ),
        (
            I::AdviseEmpty,
            "no selected table of the source holds a row",
            |source| source.db("shop").expect("it is there").rows.clear(),
            |_| {},
        ),
    ];
    for (item, cause, source, target) in flaws {
        let shared = mysql();
        change(&shared, "source", source);
        change(&shared, "target", target);
        assert_eq!(advice(&shared), [(item, cause.to_owned())]);
        let without = mysql();
        change(&without, "source", source);
        change(&without, "target", target);
        without.lock().service.work.without_advice = [item].into();
        assert_eq!(advice(&without), []);
    }
}

#[test]
fn advice_counts_what_is_left_to_a_temporary_instance_and_who_follows_whom() {
    let server = || world(Engine::SqlServer, "sf", vec![whole("shop")]);
    let shared = server();
    let soon = shared.lock().now + SignedDuration::from_mins(59);
    shared.lock().service.work.source.expires_at = Some(soon);
    let said = advice(&shared);
    assert!(said.len() == 1 && said[0].0 == I::AdviseExpiry, "{said:?}");
    assert!(said[0].1.contains("is reckoned to take up to 60 minutes"), "{said:?}");
    let shared = server();
    shared.lock().service.work.source.expires_at = Some(soon + SignedDuration::from_mins(2));
    shared.lock().service.work.source.replica_of = Some("rm-master".into());
    let said = advice(&shared);
    let wanted = "the source rm-source is a replica of rm-master: what it has not got yet does not come over";
    assert_eq!(said, [(I::AdviseReplica, wanted.to_owned())]);
}

/// The one finding of an item, with its remedy and statement.
fn found(shared: &Shared, item: I) -> Finding {
    let said = advice(shared);
    assert!(said.iter().any(|(own, _)| *own == item), "{said:?}");
    let world = shared.lock();
    let result = world.service.items.iter().find(|result| result.item == item);
    let found = result.and_then(|result| result.outcome.found()).expect("it was found");
    assert_eq!(found.findings.len(), 1, "{found:?}");
    found.findings[0].clone()
}

fn postgresql() -> Shared {
    world(Engine::PostgreSql, "sf", vec![whole("shop")])
}

fn open(id: &str, prepared: bool, database: &str) -> OpenTransaction {
    let since = "2023-12-31T23:20:00Z".parse().ok();
    OpenTransaction { id: id.into(), prepared, account: Some("clerk".into()), database: Some(database.into()), since }
}

#[test]
fn a_transaction_that_stays_open_is_named_with_its_age_and_what_ends_it() {
    let shared = postgresql();
    change(&shared, "source", |server| server.told.transactions = vec![open("'bill'", true, "shop")]);
    let said = found(&shared, I::AdviseTransaction);
    let wanted = "prepared transaction 'bill', of account clerk, is open on the source rm-source for 40 minutes: what it \
                  wrote is not copied until it is committed, and what it locked nobody else changes";
    assert_eq!((said.cause.as_str(), said.statement.as_deref()), (wanted, Some("COMMIT PREPARED 'bill'")));
    let shared = mysql();
    let open_elsewhere = [open("7", false, "shop"), open("8", false, "elsewhere")];
    change(&shared, "source", |server| server.told.transactions = open_elsewhere.into());
    let said = found(&shared, I::AdviseTransaction);
    assert!(said.cause.starts_with("the transaction of session 7, of account clerk,"), "{said:?}");
    assert_eq!(said.statement.as_deref(), Some("KILL 7"));
    let young = mysql();
    let begun = young.lock().now - SignedDuration::from_secs(299);
    change(&young, "source", |server| {
        server.told.transactions = vec![OpenTransaction { since: Some(begun), ..open("7", false, "shop") }];
    });
    assert_eq!(advice(&young), []);
}

#[test]
fn a_row_larger_than_a_packet_of_the_target_is_told_with_the_setting_that_takes_it() {
    let with = |limit: &str, largest: i64, column: &str| {
        let shared = mysql();
        change(&shared, "source", |server| {
            server.counted = Some(largest);
            let db = server.db("shop").expect("it is there");
            db.objects.retain(|object| object.name == "goods");
            db.objects[0].columns[1].declared = column.into();
        });
        change(&shared, "target", |server| {
            server.parameters.insert("max_allowed_packet".into(), limit.into());
        });
        shared
    };
    let said = found(&with("4096", 5_000, "longtext"), I::AdvisePacket);
    let wanted =
        "the largest row of table shop.goods has 5000 bytes, and max_allowed_packet of the target rm-target is 4096";
    assert_eq!(said.cause, wanted);
    assert_eq!(said.statement.as_deref(), Some("SET GLOBAL max_allowed_packet = 10240"));
    assert_eq!(advice(&with("5000", 5_000, "longtext")), []);
    // No row of such columns can be that large, so none is looked for.
    assert_eq!(advice(&with("4096", 5_000, "varchar(40)")), []);
}

#[test]
fn an_event_trigger_is_told_where_it_fires_for_what_the_task_makes() {
    let with = |tags: &[&str], event: &str, database: &str| {
        let shared = postgresql();
        change(&shared, "target", |server| {
            server.told.event_triggers = vec![EventTrigger {
                database: database.into(),
                name: "no_ddl".into(),
                event: event.into(),
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                function: "guard".into(),
            }];
        });
        shared
    };
    let said = found(&with(&["CREATE TABLE", "DROP TABLE"], "ddl_command_start", "shop"), I::AdviseEventTrigger);
    let wanted = "event trigger no_ddl of database shop of the target rm-target runs guard at ddl_command_start of what the \
                  task does there: CREATE TABLE";
    assert_eq!(said.cause, wanted);
    assert_eq!(said.statement.as_deref(), Some("ALTER EVENT TRIGGER \"no_ddl\" DISABLE"));
    let all = found(&with(&[], "ddl_command_end", "shop"), I::AdviseEventTrigger);
    assert!(all.cause.ends_with("ALTER TABLE, CREATE INDEX, CREATE TABLE, CREATE TRIGGER, CREATE VIEW"), "{all:?}");
    for quiet in [
        with(&["DROP TABLE"], "ddl_command_start", "shop"),
        with(&[], "sql_drop", "shop"),
        with(&[], "ddl_command_start", "other"),
    ] {
        assert_eq!(advice(&quiet), []);
    }
}

#[test]
fn an_extension_that_the_target_lacks_is_told_with_what_needs_it_and_whether_it_can_be_installed() {
    let with = |installed: &[&str], offered: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let shared = postgresql();
        change(&shared, "source", |server| {
            let used = ["goods", "orders"].map(|table| (table.to_owned(), ["citext".to_owned()].into())).into();
            server.told.extensions = [("shop".to_owned(), Extensions { installed: names(&["citext"]), used })].into();
        });
        change(&shared, "target", |server| {
            let own = Extensions { installed: names(installed), ..Extensions::default() };
            server.told.extensions = [("shop".to_owned(), own)].into();
            server.told.offered_extensions = Some(names(offered));
        });
        shared
    };
    let said = found(&with(&["hstore"], &["citext", "hstore"]), I::AdviseExtension);
    let wanted = "database shop of the target rm-target lacks the extension citext, without which shop.goods, shop.orders \
                  cannot be made";
    assert_eq!((said.cause.as_str(), said.statement.as_deref()), (wanted, Some("CREATE EXTENSION \"citext\"")));
    let said = found(&with(&[], &["hstore"]), I::AdviseExtension);
    assert!(said.cause.ends_with("; rm-target does not offer it") && said.statement.is_none(), "{said:?}");
    assert_eq!(advice(&with(&["citext"], &["citext"])), []);
}
