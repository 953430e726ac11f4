//! Random servers and selections: a source, a target, and one migration between them, sound in most respects and wrong in
//! a few.

use crate::explore::draw::Draw;
use crate::explore::shapes::Shape;
use recovery::model::instance::{Billing, Grants, NetworkType, Rights};
use recovery::model::product::{Engine, Product};
use recovery::model::task::{ConnectionMode, MigrationType, SameNameMode, Selection};
use recovery::model::{Edition, Secret, Series, Version};
use scenarios::{
    AccountSpec, Action, Credentials, DatabaseSpec, InstanceRole, InstanceSpec, MigrateEnd, MigrateSide, MigrateStep,
    MigrateUntil, Scenario, Step, WorldSpec,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const REGION: &str = "region-1";

/// Products by engine, oldest first.
const FAMILIES: [(&[&str], u32); 5] = [
    (&["mysql 5.5", "mysql 5.6", "mysql 5.7", "mysql 8.0"], 8),
    (&["sqlserver 2012 web", "sqlserver 2016 web", "sqlserver 2016 standard"], 4),
    (&["postgresql 9.4", "postgresql 10", "postgresql 11"], 4),
    (&["ppas 9.3", "ppas 10"], 2),
    (&["redis 2.8", "redis 4.0", "redis 5.0"], 2),
];

/// A scenario with one migration, and the same with an account that may do more.
pub struct Pair {
    /// The scenario.
    pub scenario: Scenario,
    /// The same with one more privilege; nothing where the accounts may do everything.
    pub more: Option<Scenario>,
}

/// The migration a seed stands for.
#[must_use]
pub fn pair(seed: u64) -> Pair {
    let mut draw = Draw::new(seed, "quality");
    let family = draw.weighted(FAMILIES).unwrap_or(FAMILIES[0].0);
    let product = |draw: &mut Draw| draw.pick(family).and_then(|text| text.parse().ok()).unwrap_or(FALLBACK);
    let first: Product = product(&mut draw);
    let second = if draw.chance(70) { first } else { product(&mut draw) };
    let tables = tables(&mut draw, first.engine);
    let (source, target) = (source(&mut draw, first, &tables), target(&mut draw, second, &tables));
    let migrate = migrate(&mut draw, first.engine, &tables, &source, &target);
    let mut raised = [source.clone(), target.clone()];
    let more = raised.iter_mut().any(raise);
    let scenario = |instances: Vec<InstanceSpec>| Scenario {
        name: format!("quality-{seed}"),
        case: None,
        file: format!("quality-{seed}.toml"),
        title: format!("One migration drawn from seed {seed}"),
        covers: vec![],
        seed: Some(seed),
        tolerant: true,
        world: WorldSpec {
            workers: 1,
            machines: 2,
            latency_ms_max: 2,
            skew_ms: BTreeMap::new(),
            region: REGION.into(),
        },
        instances,
        application: None,
        steps: vec![Step { line: 1, text: String::new(), action: Action::Migrate(migrate.clone()) }],
    };
    Pair { scenario: scenario(vec![source, target]), more: more.then(|| scenario(raised.to_vec())) }
}

const FALLBACK: Product =
    Product { engine: Engine::MySql, version: Version::V5_7, edition: Edition::Only, series: Series::HighAvailability };

/// Gives the account of the migration one privilege it lacks.
fn raise(instance: &mut InstanceSpec) -> bool {
    let Some(account) = instance.accounts.iter_mut().find(|account| account.name == "mover") else { return false };
    if let Some(name) = account.grants.exceptions.keys().next().cloned() {
        account.grants.exceptions.remove(&name);
        return true;
    }
    let higher = match account.grants.default {
        Rights::None => Rights::ReadOnly,
        Rights::ReadOnly => Rights::ReadWrite,
        Rights::ReadWrite => Rights::Owner,
        Rights::Owner => return false,
    };
    account.grants.default = higher;
    true
}

/// Tables of the source by database.
type Tables = Vec<(&'static str, Shape, u64)>;

fn tables(draw: &mut Draw, engine: Engine) -> Tables {
    if engine == Engine::Redis {
        return vec![("0", Shape::Keys, draw.whole(0..=12))];
    }
    let mut shapes = vec![Shape::Orders];
    shapes.extend(draw.some(vec![Shape::Customers, Shape::Lines, Shape::Words, Shape::Keyless], 0, 3));
    let mut tables: Tables = shapes.into_iter().map(|shape| ("app", shape, draw.whole(0..=8))).collect();
    if draw.chance(15) {
        tables.push(("Crm", Shape::Customers, 3));
    }
    tables
}

fn filled(tables: &[(&'static str, Shape, u64)], engine: Engine, draw: &mut Draw) -> Vec<DatabaseSpec> {
    if engine == Engine::Redis {
        let keys = tables.iter().flat_map(|(_, _, rows)| (1..=*rows).map(|row| format!("set plain:{row} {row}")));
        return vec![DatabaseSpec { name: "0".into(), sql: keys.collect::<Vec<_>>().join("\n") }];
    }
    let mut databases: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (database, shape, rows) in tables {
        let made = [shape.create(shape.name()), shape.fill(shape.name(), *rows)];
        databases.entry(database).or_default().extend(made.into_iter().filter(|sql| !sql.is_empty()));
    }
    if let Some(app) = databases.get_mut("app")
        && draw.chance(25)
    {
        app.push("create view lamps as select * from orders where item = 'lamp'".to_owned());
    }
    let spec = |(name, sql): (&str, Vec<String>)| DatabaseSpec { name: name.into(), sql: sql.join(";\n") };
    databases.into_iter().map(spec).collect()
}

fn source(draw: &mut Draw, product: Product, tables: &Tables) -> InstanceSpec {
    let databases = filled(tables, product.engine, draw);
    let mut parameters = BTreeMap::new();
    let bad = [("log_bin", "OFF"), ("binlog_format", "STATEMENT"), ("binlog_row_image", "MINIMAL"), ("server_id", "1")];
    if product.engine == Engine::MySql {
        let bad = bad.into_iter().filter(|_| draw.chance(4));
        parameters.extend(bad.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let rights = draw.weighted([(Rights::Owner, 14), (Rights::ReadOnly, 3), (Rights::ReadWrite, 2), (Rights::None, 1)]);
    let mut mover = account("mover", rights.unwrap_or(Rights::Owner));
    if draw.chance(6) {
        let table = draw.pick(tables).map(|(database, shape, _)| format!("{database}.{}", shape.name()));
        mover.grants.exceptions.extend(table.map(|table| (table, Rights::None)));
    }
    InstanceSpec { parameters, ..instance(draw, "shop", product, mover, databases) }
}

/// A target that is mostly empty, and now and then holds a table of a name that comes, with the same columns or others.
fn target(draw: &mut Draw, product: Product, tables: &Tables) -> InstanceSpec {
    let mut databases = vec![];
    let mut parameters = BTreeMap::new();
    if product.engine == Engine::Redis {
        let sql = if draw.chance(12) { "set plain:1 mine" } else { "" };
        databases.push(DatabaseSpec { name: "0".into(), sql: sql.into() });
        if draw.chance(8) {
            parameters.insert("maxmemory-policy".to_owned(), "allkeys-lru".to_owned());
        }
    } else if draw.chance(75) {
        let taken = draw.pick(tables).copied().filter(|(database, ..)| *database == "app" && draw.chance(20));
        let sql = match taken {
            Some((_, shape, _)) if shape != Shape::Lines && draw.chance(60) => shape.create(shape.name()),
            Some((_, shape, _)) => format!("create table {} (other int primary key)", shape.name()),
            None => String::new(),
        };
        databases.push(DatabaseSpec { name: "app".into(), sql });
    }
    let rights = draw.weighted([(Rights::Owner, 14), (Rights::ReadWrite, 4), (Rights::ReadOnly, 2), (Rights::None, 1)]);
    let mover = account("mover", rights.unwrap_or(Rights::Owner));
    InstanceSpec { parameters, ..instance(draw, "depot", product, mover, databases) }
}

fn account(name: &str, rights: Rights) -> AccountSpec {
    AccountSpec { name: name.into(), password: Secret::new("s3cret-one"), grants: Grants::all(rights) }
}

fn instance(
    draw: &mut Draw,
    name: &str,
    product: Product,
    mover: AccountSpec,
    databases: Vec<DatabaseSpec>,
) -> InstanceSpec {
    let offers = product.engine == Engine::SqlServer || matches!(product.version, Version::V5_6 | Version::V8_0);
    let ssl = (offers && product.engine != Engine::Redis && draw.chance(40)).then_some(true);
    InstanceSpec {
        name: name.into(),
        line: 1,
        product,
        role: InstanceRole::Primary,
        region: REGION.into(),
        network: NetworkType::Classic,
        billing: Billing::PayAsYouGo,
        accounts: vec![account("app", Rights::Owner), mover],
        ssl,
        whitelist: None,
        parameters: BTreeMap::new(),
        backup_policy: None,
        databases,
    }
}

fn side(draw: &mut Draw, of: &InstanceSpec) -> MigrateSide {
    let password = Secret::new(if draw.chance(2) { "wrong-one" } else { "s3cret-one" });
    let name = if draw.chance(2) { "nobody" } else { "mover" };
    let ssl = draw.chance(if of.ssl == Some(true) { 40 } else { 3 });
    MigrateSide {
        instance: of.name.clone(),
        login: Credentials { account: name.to_owned(), password },
        connection: if ssl { ConnectionMode::Ssl } else { ConnectionMode::Plain },
    }
}

fn migrate(
    draw: &mut Draw,
    engine: Engine,
    tables: &Tables,
    source: &InstanceSpec,
    target: &InstanceSpec,
) -> MigrateStep {
    use MigrationType::{Full, Incremental, Structure};
    let redis = engine == Engine::Redis;
    let sets: [(&[MigrationType], u32); 5] = [
        (&[Structure, Full], if redis { 0 } else { 10 }),
        (&[Full], 3),
        (&[Structure], if redis { 0 } else { 2 }),
        (&[Structure, Full, Incremental], if redis { 0 } else { 5 }),
        (&[Full, Incremental], 2),
    ];
    let types: BTreeSet<MigrationType> = draw.weighted(sets).unwrap_or(&[Full]).iter().copied().collect();
    let until = if types.contains(&Incremental) { MigrateUntil::CaughtUp } else { MigrateUntil::Finished };
    MigrateStep {
        name: Some("move".into()),
        task_name: None,
        source: side(draw, source),
        target: side(draw, target),
        types,
        objects: selection(draw, engine, tables),
        same_name: if draw.chance(20) { SameNameMode::Ignore } else { SameNameMode::Stop },
        without_advice: BTreeSet::new(),
        until,
        ends: MigrateEnd::Finished,
        refused: None,
        terms: true,
        at_most: Duration::from_secs(900),
    }
}

fn selection(draw: &mut Draw, engine: Engine, tables: &Tables) -> Vec<Selection> {
    let plain = |database: &str, table: Option<&str>| Selection {
        database: database.into(),
        table: table.map(str::to_owned),
        columns: None,
        database_as: None,
        table_as: None,
        columns_as: BTreeMap::new(),
    };
    if engine == Engine::Redis {
        return vec![plain("0", None)];
    }
    if draw.chance(40) {
        let mut whole = plain("app", None);
        if draw.chance(20) {
            whole.database_as = Some(draw.one("app_recovered", ["App Recovered"]).into());
        }
        return vec![whole];
    }
    let some = draw.some(tables.clone(), 1, 3);
    let mut objects: Vec<Selection> = Vec::new();
    for (database, shape, _) in some {
        let mut one = plain(database, Some(shape.name()));
        if draw.chance(12) {
            one.table_as = Some(format!("{}_recovered", shape.name()));
        }
        objects.push(one);
    }
    if draw.chance(3) {
        objects.push(plain("app", Some("nowhere")));
    }
    objects
}
