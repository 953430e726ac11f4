//! What is accepted, and what it is read as.

use super::{last, parse, text_with_steps, with_steps};
use crate::error::Problems;
use crate::fields::{At, Fields, Read};
use crate::keys::{SCENARIO, Shape, Takes};
use crate::read::{table, toml};
use crate::*;
use jiff::SignedDuration;
use recovery::model::RefusalCode;
use recovery::model::backup::BackupKind;
use recovery::model::content::{ObjectKind, Security, Value};
use recovery::model::instance::{Billing, InstanceState, NetworkType, Rights};
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{ConnectionMode, MigrationType, PhaseStatus, Stage, TaskStatus};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every action with every key it has.
pub(super) const EVERYTHING: &str = r#"
backup = "shop"
backup = { of = "shop", kind = "data", as = "monday", wait = false }
backup = { of = "shop", kind = "log", refused = "OperationDenied.BackupJobExists" }
sql = { on = "shop", run = "insert into orders values (3, 'chair')", account = "app", password = "s3cret", database = "app", error = "duplicate" }
mark = "before the mistake"
account = { on = "shop", name = "app", password = "changed", rights = "owner", exceptions = { "app.orders" = "none" } }
account = { on = "shop", create = { name = "reader", password = "r", rights = "read-only", exceptions = { crm = "none" } } }
account = { on = "shop", drop = "reader" }
account = { on = "shop", drop = "nobody", refused = "InvalidAccountName.NotFound" }
temporary = { of = "shop", to = "before the mistake", as = "rescue", key = "first", wait = true, covered = true }
temporary = { of = "shop", to = "before the mistake", as = "rescue", key = "first" }
temporary = { of = "shop", at = "before the mistake - 1s", refused = "OperationDenied.TempDBInstanceExists" }
temporary = { of = "shop", set = "latest", refused = "OperationDenied.TempDBInstanceExists" }
clone = { of = "shop", set = "monday", as = ["one", "two"], billing = "subscription", network = "vpc", count = 2, terms = true, key = "c", wait = true, covered = false }
clone = { of = "shop", at = 2026-01-05T09:30:00Z, as = "three" }
clone = { of = "shop", to = "before the mistake", terms = false, refused = "OperationDenied.TermsNotAccepted" }
migrate = { from = "rescue", into = "shop", objects = ["orders", "crm.customers"], databases = ["old"], types = ["structure", "full"], as = "put-back", name = "put back", columns = { orders = ["id", "item"] }, rename = { orders = "orders_old", "orders.item" = "thing", "db:crm" = "crm2" }, same_name = "ignore", without_advice = ["ADVISE_KEY", "ADVISE_CLOCK"], connection = { source = "ssl", target = "plain" }, source = { account = "app", password = "p" }, target = { account = "app" }, until = "running", ends = "finished", terms = true, at_most = "1h" }
migrate = { from = "one", into = "shop", objects = [], refused = "InvalidParameter" }
task = { of = "put-back", do = "pause", refused = "OperationDenied.TaskStatus" }
task = { of = "put-back", do = "purchase", terms = false }
task = { of = "put-back", do = "shield", items = ["CHECK_SRC"] }
task = { of = "put-back", do = "select", objects = ["orders"], databases = ["old"], types = ["full"], columns = { orders = ["id"] }, rename = { orders = "o" }, same_name = "stop", without_advice = ["ADVISE_KEY"] }
task = { of = "put-back", do = "edit", name = "again", from = "one", into = "shop", connection = { target = "ssl" }, source = { password = "q" }, target = { password = "t" } }
wait = { task = "put-back", status = "Migrating", at_most = "2h" }
wait = { task = "put-back", stage = "ordered" }
wait = { task = "put-back", phase = "full", phase_status = "Finished" }
wait = { task = "put-back", rows = 100 }
wait = { instance = "rescue", state = "Running" }
wait = { backup = "monday", status = "success" }
wait = { restorable = "shop", contains = "before the mistake" }
data_source = { instance = "shop", as = "shop source", name = "the shop", account = "app", password = "p", connection = "ssl" }
data_source = { instance = "shop", refused = "InvalidParameter" }
logical_backup = { of = "shop source", as = "nightly", name = "night", type = "structure-full", databases = ["app"], schedule = { weekdays = ["monday"], hour = 2 }, retention_days = 30, wait = true, ends = "completed" }
logical_backup = { of = "shop", refused = "InvalidParameter" }
logical_backup = { of = "ds-nothing", refused = "InvalidParameter" }
logical_task = { of = "nightly", do = "run", as = "second", wait = true, ends = "failed" }
logical_task = { of = "nightly", do = "stop", refused = "InvalidParameter" }
wait = { logical_set = "nightly log", status = "running" }
wait = { logical_restorable = "nightly", contains = "before the mistake" }
restore = { task = "nightly", of = "shop", into = "rescue", to = "before the mistake", as = "back", name = "bring back", types = ["structure"], objects = ["app", "app.view", "app.table.orders"], mapping = { orders = "orders_2", "crm.customers" = "people" }, structure_conflict = "ignore", data_conflict = "delete-then-rewrite", until = "finished", ends = "stopped", covered = false, at_most = "1h" }
restore = { task = "nightly", into = "shop source", set = "second" }
restore = { task = "nightly", into = "rescue", at = "latest + 1s", refused = "InvalidParameter" }
restore_task = { of = "back", do = "delete", refused = "InvalidParameter" }
wait = { restore = "back", status = "stopped" }
wait = { restore = "back", records = 3 }
remove_data_source = "shop source"
remove_data_source = { of = "shop source", refused = "InvalidParameter" }
commands = { on = "cache", run = "set a 1" }
backup = { of = "cache", as = "cached" }
recover = { instance = "cache", set = "cached", confirm = true, wait = true }
recover = { instance = "cache", confirm = false, refused = "InvalidParameter" }
download = "cached"
download = { backup = "cached", link = "old", refused = "InvalidParameter" }
clone = { of = "cache", set = "cached", as = "cache two", entry = "recover-data" }
release = "two"
release = { instance = "two", refused = "InvalidDBInstanceId.NotFound" }
configure = { on = "shop", add_whitelist = ["10.0.0.1"], remove_whitelist = ["10.0.0.2"], ssl = true, parameters = { a = "b" }, backup_policy = { weekdays = ["monday", "friday"], hour = 3, log_backup = true, data_retention_days = 30, log_retention_days = 7 }, alarm_thresholds = { cpu = 80 } }
configure = { on = "shop", whitelist = ["0.0.0.0/0"], refused = "InvalidParameter" }
login = { on = "rescue", account = "app", password = "wrong", ssl = true, from = "stranger", refused = "access denied" }
login = { on = "rescue", ok = true }
advance = "47h 59m 59s"
advance = { to = "rescue expires - 1s" }
advance = { until = { instance = "rescue", expiry = "+0s" } }
application = "pause"
fault = { crash = "worker-1", torn = true, for = "5s", after = ["10ms", "3s"], background = true }
fault = { restart = "worker-1" }
fault = { partition = ["service", "machine of rescue"], oneway = true, for = "10s" }
fault = { hold = ["application", "machine-1"] }
fault = { slow = ["operator", "service"], latency_ms = 200 }
fault = { pause = "service", for = "1m" }
fault = { skew = "machine-2", ms = -500 }
fault = { reorder = ["service", "worker-1"], latency_ms = 50, for = "10s" }
fault = { reset = ["service", "worker-2"], when = { task = "not yet made", phase = "full", phase_status = "Migrating" } }
fault = { disk_full = "service", for = "5s", when = { task = "put-back", status = "Migrating" }, background = true }
fault = { disk_full = "machine of shop", when = { task = "put-back", stage = "ordered" } }
fault = { jump = "service", ms = -3600000, when = { task = "put-back", rows = 10 }, after = ["0s", "1s"] }
fault = { twice = 3, at_once = true, when = { instance = "not yet there", state = "Creating" } }
fault = { answers_lost = 2, when = { backup = "monday", status = "success" } }
fault = { client_zone = "+05:30" }
fault = { ddl = { on = "shop", run = "alter table orders add note text", account = "app", password = "s3cret", database = "app" }, when = { restorable = "shop", contains = "before the mistake" } }
fault = { sql = { on = "shop", run = "delete from orders" }, when = { restore = "back", status = "running" } }
fault = { rights = { on = "shop", name = "app", rights = "none", exceptions = { "app.orders" = "read-only" } }, for = "1m", when = { restore = "back", records = 1 } }
fault = { password = { on = "shop", name = "app", password = "other" }, when = { logical_set = "not yet taken", status = "running" } }
fault = { drop_account = { on = "shop", name = "app" }, when = { logical_restorable = "nightly", contains = "before the mistake" } }
fault = { ssl = { on = "shop", enabled = false }, for = "1m" }
fault = { whitelist = { on = "shop", remove = ["worker-1"], add = ["10.0.0.9"] } }
fault = { delete = "rescue" }
fault = { damage = { backup = "monday", how = "corrupt" } }
fault = { damage = { newest = { of = "shop", kind = "log" }, how = "half" } }
fault = { damage = { newest = { of = "shop" }, how = "missing" } }
fault = { damage = { backup = "second", how = "corrupt" } }
fault = { log_gap = "shop" }
fault = { log_file_lost = "shop" }
fault = { failover = "shop" }
fault = { version = { of = "shop", engine = "sqlserver 2008r2" } }
fault = { lag = { of = "cache", ms = 5000 }, for = "1h" }
fault = { time_zone = { of = "shop", zone = "Europe/Berlin" } }
fault = { vanish = "rescue" }
migrate = { from = "one", into = "shop", objects = ["orders"], as = "not yet made" }
clone = { of = "shop", set = "monday", as = "not yet there" }
logical_task = { of = "nightly", do = "run", as = "not yet taken" }
fault = { heal = true }
call = { method = "PUT", path = "/v1/migration-tasks/{put-back}/objects?of={monday}", body = { types = ["full"], rest = { depth = 1.5, on = true } }, key = "k", token = "wrong", status = 401, code = "Unauthorised", contains = "token" }
call = { path = "/v1/instances", raw = "{" }
call = { method = "PUT", path = "/v1/restore-tasks/{back}", body = { backup_task = "{nightly}", sets = ["{nightly set}", "{second}"], source = "{shop source}" } }
expect = { on = "shop", query = "select * from orders", rows = [[1, "lamp", 1.5, { null = true }, { hex = "00FF" }]], database = "app", account = "app", password = "s3cret" }
expect = { instance = "rescue", state = "Released", network = "classic", billing = "free", region = "region-1", gone = true, listed = false, offered = false, recovered_to = "before the mistake", free = true, ssl = false, whitelisted = ["worker-1"] }
expect = { task = "put-back", status = "MigrationFailed", stage = "ordered", failure = "ddl-during-migration", item = { name = "CHECK_SAME_OBJ", result = "failed", cause = "orders", remedy = "drop" }, phase = "full", phase_status = "Failed", rows = 3, absent = false, purchase_required = true, precheck_runs = 2 }
expect = { restore = "back", status = "stopped", failure = "object-exists", failure_says = "app.orders", item = { name = "RESTORE_CHARSET", result = "warning", cause = "latin1", remedy = "utf8" }, records = { orders = 2 }, skipped = { "crm.customers" = 1 }, listed = true }
expect = { logical_sets = { of = "nightly", kind = "full", status = "completed", count = 2 } }
expect = { logical_sets = { of = "nightly", at_least = 1 } }
expect = { logical_restorable = { of = "nightly", contains = "before the mistake" } }
expect = { logical_restorable = { of = "nightly", excludes = "before the mistake" } }
expect = { backup = "cached", listed = true, from = "8d", to = "1h" }
expect = { node = "replica", of = "cache", holds = "a" }
expect = { node = "master", of = "cache", lacks = "b" }
expect = { same = "one", as_of = "before the mistake", of = "shop", databases = ["app"], tables = ["orders", "crm.customers"] }
expect = { unchanged = "shop", since = "before the mistake" }
expect = { backups = { of = "shop", kind = "log", count = 2 } }
expect = { backups = { of = "shop", at_least = 2 } }
expect = { restorable = { of = "shop", contains = "before the mistake" } }
expect = { restorable = { of = "shop", excludes = "before the mistake" } }
expect = { charges = { of = "rescue", none = true } }
expect = { charges = { of = "put-back", cents = 7 } }
expect = { charges = { of = "three", at_least = 1 } }
expect = { object = { on = "shop", database = "app", kind = "view", name = "open_orders", exists = true, definer = "app", security = "definer" } }
"#;

/// Every key outside of the steps.
const WORLD: &str = r#"
[world]
workers = 3
machines = 6
latency_ms_max = 3
skew_ms = { "worker-3" = 250, service = -20 }
region = "region-9"

[instances.copy]
engine = "sqlserver 2012 enterprise"
role = "read-only"
master = "books"

[instances.books]
engine = "sqlserver 2012 enterprise"
role = "primary"
region = "region-2"
network = "vpc"
billing = "subscription"
accounts = [{ name = "first", password = "p", rights = "owner", exceptions = { crm = "read-only" } }, { name = "second", password = "p" }]
ssl = true
whitelist = ["10.0.0.1"]
parameters = { timeout = "5" }
backup_policy = { weekdays = [], hour = 4, log_backup = false, data_retention_days = 8, log_retention_days = 7 }
sql = "create table t (id int);"
databases = { zoo = "create table z (id int)", crm = "" }

[instances.cache]
engine = "redis 7.0"
account = { name = "default", password = "p" }
commands = "set a 1"

[application]
on = "books"
database = "crm"
table = "t"
every = "2s"
columns = ["number", "words"]
account = "second"
password = "p"
from = "step"

"#;

/// Every key of a case.
const CASE: &str = "case = [{ name = \"one\", covers = [\"SQL-14\"], title = \"one case\", parameter = 1 }]\n";

pub(super) fn everything() -> String {
    let steps = text_with_steps(EVERYTHING);
    let (before, after) = steps.split_once("[[step]]").unwrap_or_default();
    format!("seed = \"0x5eed\"\ntolerant = true\n{before}{WORLD}[[step]]{after}")
}

#[test]
fn everything_is_accepted() {
    let scenario = parse(&everything()).map_err(|error| error.render());
    assert_eq!(scenario.map(|scenario| scenario.steps.len()), Ok(EVERYTHING.trim().lines().count()));
}

#[test]
fn every_key_of_the_language_is_used_here() {
    fn used(fields: &Fields, shape: &'static Shape, seen: &mut BTreeSet<(usize, String)>) {
        for entry in &fields.entries {
            let place = std::ptr::from_ref(shape) as usize;
            seen.insert((place, entry.key.value.clone()));
            let key = shape.every_key().find(|(form, key)| {
                key.name == entry.key.value && form.is_none_or(|form| fields.has(form.chosen_by()))
            });
            if let Some((_, key)) = key {
                below(&entry.value, key.takes, seen);
            }
        }
    }
    fn below(at: &At<Read>, takes: Takes, seen: &mut BTreeSet<(usize, String)>) {
        match (&at.value, takes) {
            (Read::Table(fields), Takes::Table(shape) | Takes::Open(shape)) => used(fields, shape, seen),
            (Read::List(items), Takes::List { of, .. }) => items.iter().for_each(|item| below(item, *of, seen)),
            (Read::Map(entries), Takes::Map(of)) => entries.iter().for_each(|entry| below(&entry.value, *of, seen)),
            (_, Takes::Either(kinds)) => kinds.iter().for_each(|kind| below(at, *kind, seen)),
            _ => {}
        }
    }
    fn unused(takes: Takes, seen: &BTreeSet<(usize, String)>, missing: &mut BTreeSet<String>) {
        match takes {
            Takes::Table(shape) | Takes::Open(shape) => {
                for (_, key) in shape.every_key() {
                    if !seen.contains(&(std::ptr::from_ref(shape) as usize, key.name.to_owned())) {
                        missing.insert(format!("{} of {}", key.name, shape.name));
                    }
                    unused(key.takes, seen, missing);
                }
            }
            Takes::List { of, .. } | Takes::Map(of) => unused(*of, seen, missing),
            Takes::Either(kinds) => kinds.iter().for_each(|kind| unused(*kind, seen, missing)),
            _ => {}
        }
    }
    let text = everything();
    let text = format!("{CASE}{}", text.replacen("[[step]]\n", "[[step]]\nonly = [\"one\"]\nexcept = [\"two\"]\n", 1));
    let mut problems = Problems::of("file", &text);
    let fields = toml(&text, &mut problems).and_then(|toml| table(&toml, &SCENARIO, &mut problems));
    assert!(!problems.any());
    let (mut seen, mut missing) = (BTreeSet::new(), BTreeSet::new());
    fields.iter().for_each(|fields| used(fields, &SCENARIO, &mut seen));
    unused(Takes::Table(&SCENARIO), &seen, &mut missing);
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn a_scenario_has_the_name_of_its_file_and_defaults_for_the_rest() {
    let scenario = with_steps("mark = \"here\"").unwrap_or_else(|error| panic!("{}", error.render()));
    assert_eq!((scenario.name.as_str(), scenario.title.as_str()), ("a-fact", "a fact"));
    assert_eq!(scenario.covers, [RuleId("TMP-11".into())]);
    assert_eq!((scenario.world.workers, scenario.world.machines, scenario.world.latency_ms_max), (2, 2, 2));
    let shop = &scenario.instances[0];
    assert_eq!((shop.name.as_str(), shop.line, shop.region.as_str()), ("shop", 4, "region-1"));
    assert_eq!(
        (shop.network, shop.billing, &shop.role),
        (NetworkType::Classic, Billing::PayAsYouGo, &InstanceRole::Primary)
    );
    assert_eq!(shop.accounts[0].grants.default, Rights::ReadWrite);
    assert_eq!(shop.databases[0].name, "app");
    assert_eq!((scenario.steps[0].line, scenario.steps[0].text.as_str()), (9, "mark = \"here\""));
}

#[test]
fn world_instances_and_application_are_read_whole() {
    let scenario = parse(&everything()).unwrap_or_else(|error| panic!("{}", error.render()));
    assert_eq!((scenario.world.workers, scenario.world.machines, scenario.world.latency_ms_max), (3, 6, 3));
    assert_eq!(scenario.world.skew_ms[&Host::Worker(3)], 250);
    let names: Vec<&str> = scenario.instances.iter().map(|instance| instance.name.as_str()).collect();
    assert_eq!(names, ["shop", "books", "cache", "copy"], "a master stands before those that name it");
    let (books, cache, copy) = (&scenario.instances[1], &scenario.instances[2], &scenario.instances[3]);
    assert_eq!(cache.databases, [DatabaseSpec { name: "0".into(), sql: "set a 1".into() }]);
    assert_eq!((books.region.as_str(), books.network, books.ssl), ("region-2", NetworkType::Vpc, Some(true)));
    assert_eq!(books.accounts[0].grants.exceptions["crm"], Rights::ReadOnly);
    let databases: Vec<&str> = books.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!(databases, ["app", "zoo", "crm"]);
    assert_eq!(books.backup_policy.as_ref().and_then(|policy| policy.hour), Some(4));
    assert_eq!((&copy.role, copy.region.as_str()), (&InstanceRole::ReadOnly { master: "books".into() }, "region-9"));
    let application = scenario.application.unwrap_or_else(|| panic!("no application"));
    assert_eq!((application.login.account.as_str(), application.from_start), ("second", false));
    assert_eq!((application.key_column.as_str(), application.every), ("number", Duration::from_secs(2)));
}

#[test]
fn an_application_writes_from_the_start_unless_a_step_starts_it() {
    let with = |step: &str| {
        let text = text_with_steps(step);
        let application = "[application]\non = \"shop\"\ntable = \"orders\"\nevery = \"2s\"\n[[step]]";
        parse(&text.replacen("[[step]]", application, 1)).ok().and_then(|scenario| scenario.application)
    };
    let from_start = |step: &str| with(step).map(|application| application.from_start);
    assert_eq!(from_start("mark = \"here\""), Some(true));
    assert_eq!(from_start("application = \"stop\""), Some(true));
    assert_eq!(from_start("application = \"start\""), Some(false));
}

#[test]
fn a_restored_instance_has_the_passwords_of_its_recovery_point() {
    let steps = |point: &str| {
        format!(
            "mark = \"before\"\naccount = {{ on = \"shop\", name = \"app\", password = \"new\" }}\n\
             temporary = {{ of = \"shop\", {point}, as = \"rescue\" }}\nsql = {{ on = \"rescue\", run = \"select 1\" }}"
        )
    };
    let password = |point: &str| match last(&steps(point)) {
        Ok(Action::Sql(sql)) => sql.login.password.expose().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(password("to = \"before\""), "s3cret");
    assert_eq!(password("at = \"before - 1s\""), "s3cret");
    assert_eq!(password("set = \"latest\""), "new");
}

#[test]
fn recovery_points_are_marks_backups_and_moved_moments() {
    let point = |text: &str| {
        let steps = format!(
            "mark = \"one\"\nbackup = {{ of = \"shop\", as = \"monday\" }}\ntemporary = {{ of = \"shop\", {text}, as = \"rescue\" }}"
        );
        match last(&steps) {
            Ok(Action::Temporary(step)) => Ok(step.restore),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error),
        }
    };
    let second = SignedDuration::from_secs;
    assert_eq!(point("to = \"one\""), Ok(RestorePoint::Mark { mark: "one".into(), offset: second(0) }));
    assert_eq!(point("at = \"one-1s\""), Ok(RestorePoint::Mark { mark: "one".into(), offset: second(-1) }));
    assert_eq!(point("at = \"earliest - 1s\""), Ok(RestorePoint::Earliest(second(-1))));
    assert_eq!(point("at = \"latest\""), Ok(RestorePoint::Latest(second(0))));
    assert_eq!(point("at = \"now + 1h\""), Ok(RestorePoint::Now(second(3_600))));
    assert_eq!(point("set = \"monday\""), Ok(RestorePoint::Backup("monday".into())));
    assert_eq!(point("set = \"latest\""), Ok(RestorePoint::LatestBackup));
    let time = "2026-01-05T09:30:00Z".parse().unwrap_or_default();
    assert_eq!(point("at = \"2026-01-05T09:30:00Z\""), Ok(RestorePoint::Time(time)));
    assert_eq!(point("at = 2026-01-05T09:30:00Z"), Ok(RestorePoint::Time(time)));
}

#[test]
fn a_repeated_key_gives_the_same_instance() {
    let again = "temporary = { of = \"shop\", set = \"latest\", as = \"rescue\", key = \"k\" }\n\
                 temporary = { of = \"shop\", set = \"latest\", key = \"k\" }";
    match last(again) {
        Ok(Action::Temporary(step)) => assert_eq!(step.name.as_deref(), Some("rescue")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_step_is_asked_at_once() {
    match last("temporary = { of = \"shop\", set = \"latest\", refused = \"OperationDenied.NotFoundBackup\" }") {
        Ok(Action::Temporary(step)) => {
            assert_eq!((step.name, step.covered), (None, false));
            assert_eq!(step.refused, Some(RefusalCode::NotFoundBackup));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_migration_has_its_objects_with_columns_and_new_names() {
    let scenario = parse(&everything()).unwrap_or_else(|error| panic!("{}", error.render()));
    let migrate = scenario.steps.iter().find_map(|step| match &step.action {
        Action::Migrate(migrate) => Some(migrate),
        _ => None,
    });
    let migrate = migrate.unwrap_or_else(|| panic!("no migration"));
    let [orders, customers, old] = migrate.objects.as_slice() else { panic!("{:?}", migrate.objects) };
    assert_eq!((orders.database.as_str(), orders.table_as.as_deref()), ("app", Some("orders_old")));
    assert_eq!((orders.columns.as_ref().map(Vec::len), orders.columns_as["item"].as_str()), (Some(2), "thing"));
    assert_eq!((customers.table.as_deref(), customers.target_database()), (Some("customers"), "crm2"));
    assert_eq!((old.database.as_str(), old.table.as_deref()), ("old", None));
    assert_eq!((migrate.source.connection, migrate.target.connection), (ConnectionMode::Ssl, ConnectionMode::Plain));
    assert_eq!(migrate.source.login.password.expose(), "p");
    assert_eq!(migrate.target.login.password.expose(), "changed");
    assert_eq!((migrate.until, migrate.ends), (MigrateUntil::Running, MigrateEnd::Finished));
    assert_eq!(migrate.types, BTreeSet::from([MigrationType::Structure, MigrationType::Full]));
}

#[test]
fn an_edit_keeps_what_it_does_not_say() {
    let steps = "migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], connection = { source = \"ssl\" }, as = \"t\" }\n\
                 task = { of = \"t\", do = \"edit\", source = { password = \"typo\" } }";
    match last(steps) {
        Ok(Action::Task(TaskStep { request: TaskRequest::Edit { source, target, task_name }, .. })) => {
            assert_eq!((source.login.account.as_str(), source.login.password.expose()), ("app", "typo"));
            assert_eq!(
                (source.connection, target.login.password.expose(), task_name),
                (ConnectionMode::Ssl, "s3cret", None)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn waits_faults_and_calls_are_read_whole() {
    let scenario = parse(&everything()).unwrap_or_else(|error| panic!("{}", error.render()));
    let actions: Vec<&Action> = scenario.steps.iter().map(|step| &step.action).collect();
    let has = |wanted: &dyn Fn(&Action) -> bool| actions.iter().any(|action| wanted(action));
    assert!(has(
        &|action| matches!(action, Action::Wait(WaitStep { until: WaitUntil::TaskStatus { status: TaskStatus::Migrating, .. }, at_most }) if at_most.as_secs() == 7_200)
    ));
    assert!(has(
        &|action| matches!(action, Action::Wait(WaitStep { until: WaitUntil::TaskStage { stage: Stage::Ordered, .. }, at_most }) if at_most.as_secs() == 86_400)
    ));
    assert!(has(&|action| matches!(
        action,
        Action::Wait(WaitStep {
            until: WaitUntil::TaskPhase { phase: MigrationType::Full, status: PhaseStatus::Finished, .. },
            ..
        })
    )));
    let crash = FaultStep {
        fault: Fault::Crash { host: Host::Worker(1), torn: true },
        lasts: Some(Duration::from_secs(5)),
        after: Some((Duration::from_millis(10), Duration::from_secs(3))),
        when: None,
        background: true,
    };
    assert!(has(&|action| *action == Action::Fault(crash.clone())));
    assert!(has(
        &|action| matches!(action, Action::Fault(FaultStep { fault: Fault::Partition { b: Host::MachineOf(of), oneway: true, .. }, .. }) if of == "rescue")
    ));
    assert!(has(&|action| matches!(
        action,
        Action::Fault(FaultStep { fault: Fault::Skew { ms: -500, .. }, lasts: None, .. })
    )));
    assert!(has(&|action| match action {
        Action::Call(call) => {
            call.method == CallMethod::Put
                && call.token == CallToken::Wrong
                && call.path.contains(&PathPiece::Task("put-back".into()))
                && call.path.contains(&PathPiece::Backup("monday".into()))
                && call.body.as_ref().is_some_and(|body| body["rest"]["depth"] == 1.5)
        }
        _ => false,
    }));
    assert!(has(&|action| *action
        == Action::Advance(AdvanceStep::ToExpiry {
            instance: "rescue".into(),
            offset: SignedDuration::from_secs(-1)
        })));
    assert!(has(&|action| *action == Action::Advance(AdvanceStep::By(Duration::from_secs(172_799)))));
}

#[test]
fn expectations_are_read_whole() {
    let scenario = parse(&everything()).unwrap_or_else(|error| panic!("{}", error.render()));
    let expectations = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Expect(expectation) => Some(expectation),
        _ => None,
    });
    let (mut rows_seen, mut facts_seen, mut objects_seen) = (0, 0, 0);
    for expectation in expectations {
        match expectation {
            Expectation::Rows { rows, .. } => {
                rows_seen += 1;
                assert_eq!(rows[0][1..3], [Value::Text("lamp".into()), Value::Real(1.5)]);
                assert_eq!(rows[0][3..], [Value::Null, Value::Bytes { hex: "00ff".into() }]);
            }
            Expectation::Instance { facts, .. } => {
                facts_seen += 1;
                assert_eq!((facts.state, facts.billing), (Some(InstanceState::Released), Some(Billing::Free)));
                assert_eq!((facts.gone, facts.listed, facts.free), (Some(true), Some(false), Some(true)));
            }
            Expectation::Task { facts, .. } => {
                facts_seen += 1;
                let item = facts.item.as_ref().map(|item| (item.item, item.result));
                assert_eq!(item, Some((PrecheckItem::SameNameObject, PrecheckVerdict::Failed)));
                assert_eq!(facts.failure, Some(FailureReason::DdlDuringMigration));
                assert_eq!(facts.phase, Some((MigrationType::Full, PhaseStatus::Failed)));
            }
            Expectation::Same { of, tables, .. } => {
                assert_eq!((of.as_str(), tables.as_ref().map(Vec::len)), ("shop", Some(2)));
            }
            Expectation::Backups { kind: Some(kind), number, .. } => {
                assert_eq!((*kind, *number), (BackupKind::Log, Number::Exactly(2)));
            }
            Expectation::Charges { of: Subject::Task(of), cents } => {
                assert_eq!((of.as_str(), *cents), ("put-back", Charged::Cents(Number::Exactly(7))));
            }
            Expectation::Object { kind, security, .. } => {
                objects_seen += 1;
                assert_eq!((*kind, *security), (ObjectKind::View, Some(Security::Definer)));
            }
            _ => {}
        }
    }
    assert_eq!((rows_seen, facts_seen, objects_seen), (1, 2, 1));
}

#[test]
fn words_are_read_in_any_case() {
    match last("wait = { instance = \"shop\", state = \"ins_cloning\" }") {
        Ok(Action::Wait(WaitStep { until: WaitUntil::Instance { state, .. }, .. })) => {
            assert_eq!(state, InstanceState::InsCloning);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_line_of_a_step_says_it_without_a_password() {
    let steps = "login = { on = \"shop\", password = \"hidden\" }\ncall = { path = \"/v1\", body = { account = { password = \"hidden\" } } }\n\
                 call = { path = \"/v1\", raw = \"{ password: hidden }\" }\nadvance = \"48h\"";
    let scenario = with_steps(steps).unwrap_or_else(|error| panic!("{}", error.render()));
    let texts: Vec<&str> = scenario.steps.iter().map(|step| step.text.as_str()).collect();
    assert!(texts.iter().all(|text| !text.contains("hidden")), "{texts:?}");
    assert_eq!(texts[0], "login = { on = \"shop\", password = *** }");
    assert_eq!(texts[3], "advance = 48h");
}
