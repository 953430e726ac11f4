//! Steps of logical backup and restore, and of Redis.

use super::{last, parse, with_steps};
use crate::*;
use recovery::model::content::ObjectKind;
use recovery::model::logical::backup::{LogicalType, SetStatus};
use recovery::model::logical::restore::{Branch, DataConflict, RestoreObjects, RestoreType, StructureConflict};
use recovery::model::precheck::PrecheckItem;
use std::collections::BTreeSet;
use std::time::Duration;

/// The last action of a file with a MySQL, a PostgreSQL and a Redis instance, and some steps.
fn last_of(steps: &str) -> Result<Action, String> {
    let instance = |name: &str, engine: &str| {
        format!("[instances.{name}]\nengine = \"{engine}\"\naccount = {{ name = \"app\", password = \"p\" }}\n")
    };
    let mut text = String::from("title = \"a fact\"\n");
    for (name, engine) in [("shop", "mysql 5.7"), ("books", "postgresql 9.4"), ("cache", "redis 7.0")] {
        text.push_str(&instance(name, engine));
    }
    for line in steps.lines() {
        text.push_str(&format!("[[step]]\n{}\n", line.trim()));
    }
    let scenario = parse(&text).map_err(|error| error.render())?;
    scenario.steps.into_iter().last().map(|step| step.action).ok_or_else(|| "no step".to_owned())
}

const NIGHTLY: &str = "logical_backup = { of = \"shop\", as = \"nightly\" }\n";

#[test]
fn a_logical_backup_has_the_log_where_the_engine_has_one() {
    let of = |instance: &str| match last_of(&format!("logical_backup = {{ of = \"{instance}\", as = \"nightly\" }}")) {
        Ok(Action::LogicalBackup(step)) => step,
        other => panic!("{other:?}"),
    };
    let (shop, books) = (of("shop"), of("books"));
    assert_eq!((shop.backup_type, books.backup_type), (LogicalType::StructureFullLog, LogicalType::StructureFull));
    assert!(
        matches!(&shop.of, SourceName::Instance { instance, login } if instance == "shop" && login.account == "app")
    );
    assert_eq!((shop.name.as_deref(), shop.service_name.as_str()), (Some("nightly"), "nightly"));
    assert_eq!((shop.databases, shop.wait, shop.ends), (BTreeSet::new(), true, SetEnd::Completed));
    let registered = "data_source = { instance = \"shop\", as = \"source\" }\n\
                      logical_backup = { of = \"source\", as = \"nightly\" }";
    match last_of(registered) {
        Ok(Action::LogicalBackup(step)) => {
            assert_eq!(step.of, SourceName::Registered("source".into()));
            assert_eq!(step.backup_type, LogicalType::StructureFullLog);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_data_source_has_the_account_by_now() {
    let steps = "account = { on = \"shop\", name = \"app\", password = \"new\" }\n\
                 data_source = { instance = \"shop\", as = \"source\" }";
    match last_of(steps) {
        Ok(Action::DataSource(step)) => {
            assert_eq!((step.login.account.as_str(), step.login.password.expose()), ("app", "new"));
            assert_eq!(step.service_name, "source");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_restore_has_defaults_for_what_it_does_not_say() {
    match last_of(&format!("{NIGHTLY}restore = {{ task = \"nightly\", into = \"books\", set = \"latest\" }}")) {
        Ok(Action::Restore(step)) => {
            assert_eq!((step.point, step.objects), (RestorePoint::LatestBackup, RestoreObjects::All));
            assert_eq!(step.types, BTreeSet::from([RestoreType::Structure, RestoreType::Full]));
            assert_eq!((step.structure_conflict, step.data_conflict), (StructureConflict::Stop, DataConflict::Stop));
            assert_eq!((step.until, step.ends, step.covered), (RestoreUntil::Finished, RestoreEnd::Completed, true));
            assert_eq!((step.service_name.as_str(), step.name, step.of), ("restore of nightly", None, None));
            assert_eq!(step.at_most, Duration::from_secs(86_400));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_restores_set_is_a_tasks_first_one_a_named_one_or_its_log() {
    let point = |set: &str| {
        let again = "logical_task = { of = \"nightly\", do = \"run\", as = \"again\" }\n";
        let restore = format!("restore = {{ task = \"nightly\", into = \"books\", set = \"{set}\" }}");
        match last_of(&format!("{NIGHTLY}{again}{restore}")) {
            Ok(Action::Restore(step)) => Ok(step.point),
            other => Err(format!("{other:?}")),
        }
    };
    for set in ["nightly", "again", "nightly log"] {
        assert_eq!(point(set), Ok(RestorePoint::Backup(set.into())));
    }
    assert!(point("again log").is_err_and(|said| said.contains("there is no backup set `again log`")));
}

#[test]
fn a_restores_objects_are_branches_of_the_tree() {
    let objects = "objects = [\"app\", \"app.view\", \"crm.table.customers\"]";
    let restore = format!("restore = {{ task = \"nightly\", into = \"books\", set = \"latest\", {objects} }}");
    let branch = |database: &str, kind, name: Option<&str>| Branch {
        database: database.into(),
        kind,
        name: name.map(str::to_owned),
    };
    match last_of(&format!("{NIGHTLY}{restore}")) {
        Ok(Action::Restore(step)) => assert_eq!(
            step.objects,
            RestoreObjects::Custom {
                branches: vec![
                    branch("app", None, None),
                    branch("app", Some(ObjectKind::View), None),
                    branch("crm", Some(ObjectKind::Table), Some("customers")),
                ]
            }
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_id_that_is_nobodys_is_sent_where_the_step_is_refused() {
    let backup = |rest: &str| last_of(&format!("logical_backup = {{ of = \"ds-nothing\", {rest} }}"));
    match backup("refused = \"InvalidParameter\"") {
        Ok(Action::LogicalBackup(step)) => assert_eq!(step.of, SourceName::Unknown("ds-nothing".into())),
        other => panic!("{other:?}"),
    }
    assert!(backup("as = \"nightly\"").is_err_and(|said| said.contains("no data source or instance")));
}

#[test]
fn statements_for_redis_go_to_its_first_database() {
    let database = |step: &str| match last_of(step) {
        Ok(Action::Sql(step)) => step.database,
        Ok(Action::Expect(Expectation::Rows { database, .. })) => database,
        other => panic!("{other:?}"),
    };
    assert_eq!(database("commands = { on = \"cache\", run = \"set a 1\" }"), "0");
    assert_eq!(database("sql = { on = \"cache\", run = \"set a 1\" }"), "0");
    assert_eq!(database("sql = { on = \"cache\", run = \"set a 1\", database = \"3\" }"), "3");
    assert_eq!(database("sql = { on = \"shop\", run = \"select 1\" }"), "app");
    assert_eq!(database("expect = { on = \"cache\", query = \"get a\", rows = [] }"), "0");
    let clone = "backup = { of = \"cache\", as = \"b\" }\nclone = { of = \"cache\", set = \"b\", as = \"two\" }\n";
    assert_eq!(database(&format!("{clone}commands = {{ on = \"two\", run = \"get a\" }}")), "0");
}

#[test]
fn an_old_link_is_one_that_was_given_before() {
    let backup = "backup = { of = \"cache\", as = \"b\" }\n";
    let old = "download = { backup = \"b\", link = \"old\" }";
    assert!(last_of(&format!("{backup}{old}")).is_err_and(|said| said.contains("no step before this one")));
    match last_of(&format!("{backup}download = \"b\"\n{old}")) {
        Ok(Action::Download(step)) => assert!(step.old_link),
        other => panic!("{other:?}"),
    }
}

#[test]
fn expectations_of_a_restore_are_read_whole() {
    let restore = "restore = { task = \"nightly\", into = \"books\", set = \"latest\", as = \"back\" }\n";
    let expect = "expect = { restore = \"back\", failure = \"data-exists\", records = { orders = 2, \"crm.people\" = 1 }, \
                  item = { name = \"RESTORE_CHARSET\", result = \"warning\", cause = \"latin1\" } }";
    match last_of(&format!("{NIGHTLY}{restore}{expect}")) {
        Ok(Action::Expect(Expectation::Restore { facts, .. })) => {
            assert_eq!(facts.failure, Some(RestoreReason::DataExists));
            assert_eq!(facts.records, [("orders".to_owned(), 2), ("crm.people".to_owned(), 1)].into());
            let item = facts.item.as_ref().map(|item| (item.item, item.result));
            assert_eq!(item, Some((PrecheckItem::RestoreCharset, PrecheckVerdict::Warning)));
        }
        other => panic!("{other:?}"),
    }
    match last_of(&format!("{NIGHTLY}wait = {{ logical_set = \"nightly\" }}")) {
        Ok(Action::Wait(WaitStep { until: WaitUntil::LogicalSet { set, status }, .. })) => {
            assert_eq!((set.as_str(), status), ("nightly", SetStatus::Completed));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_world_has_a_machine_for_each_redis_clone_and_each_target() {
    let scenario = with_steps("mark = \"here\"").map(|scenario| scenario.world.machines);
    assert_eq!(scenario.ok(), Some(2));
    let text = "title = \"a fact\"\n[instances.cache]\nengine = \"redis 7.0\"\naccount = { name = \"a\", password = \"p\" }\n\
                [instances.shop]\nengine = \"mysql 5.7\"\naccount = { name = \"a\", password = \"p\" }\n\
                [instances.target]\nengine = \"mysql 5.7\"\naccount = { name = \"a\", password = \"p\" }\n\
                [[step]]\nbackup = { of = \"cache\", as = \"b\" }\n\
                [[step]]\nclone = { of = \"cache\", set = \"b\", as = [\"one\", \"two\"], count = 2 }\n";
    assert_eq!(parse(text).ok().map(|scenario| scenario.world.machines), Some(5));
}

#[test]
fn commands_are_for_redis() {
    assert!(matches!(last("commands = { on = \"shop\", run = \"set a 1\" }"), Err(said) if said.contains("no Redis")));
}
