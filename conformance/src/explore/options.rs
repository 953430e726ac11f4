//! Everything about an explored run that is drawn at the start: its world, which kinds of steps and faults are switched
//! on and how likely each is, how long the plan is and how much time passes in it. The plan follows from these alone.

use super::draw::Draw;
use super::kinds::StepKind::{self, *};
use super::profiles::{PRODUCTS, Profile};
use super::shapes::{Extra, Shape};
use recovery::model::product::Engine;
use recovery::model::{Edition, Product, Series, Version};
use scenarios::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Seed of the options, the plan and the run.
    pub seed: u64,
    /// Name of the profile.
    pub profile: String,
    /// Workers of the service.
    pub workers: usize,
    /// Machines.
    pub machines: usize,
    /// Greatest latency of a message.
    pub latency_ms_max: u64,
    /// Clocks that are off from the start, by host.
    pub skew_ms: BTreeMap<String, i64>,
    /// Instances that are there at the start; the first one is the one most things are about.
    pub instances: Vec<InstanceOptions>,
    /// The application, where there is one.
    pub application: Option<ApplicationOptions>,
    /// Kinds of steps that are switched on, with their weights.
    pub steps: BTreeMap<StepKind, u32>,
    /// Kinds of faults that are switched on, with their weights.
    pub faults: BTreeMap<String, u32>,
    /// Steps without the faults.
    pub length: usize,
    /// Faults.
    pub fault_count: usize,
    /// Longest idle time of one step, in seconds.
    pub idle_s: u64,
    /// How many of a hundred steps are asked for though they will hardly be accepted.
    pub mischief_percent: u64,
}

/// An instance of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceOptions {
    /// Name.
    pub name: String,
    /// Engine, version, edition and series.
    pub product: Product,
    /// Its master, where it is a read-only instance.
    pub master: Option<String>,
    /// Tables with their rows.
    pub tables: Vec<TableOptions>,
    /// Other objects.
    pub extras: Vec<Extra>,
    /// Accounts beside the first one.
    pub accounts: usize,
    /// Whether SSL connections are offered; the service's default where it is not said.
    pub ssl: Option<bool>,
    /// Whether it is in a private network.
    pub vpc: bool,
    /// Whether it is paid beforehand.
    pub subscription: bool,
    /// Whether logs are backed up; the service's default where it is not said.
    pub log_backup: Option<bool>,
}

/// A table of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableOptions {
    /// Database.
    pub database: String,
    /// Name.
    pub name: String,
    /// Columns.
    pub shape: Shape,
    /// Rows at first.
    pub rows: u64,
}

/// The application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApplicationOptions {
    /// Pause between two rows.
    pub every_ms: u64,
    /// Whether it writes from the start.
    pub from_start: bool,
}

/// The table the application writes to.
pub const JOURNAL: &str = "journal";
/// The table of a Redis instance's application: the first part of its keys.
pub const VISIT: &str = "visit";

/// How likely each kind of step is before it is switched off or weighed anew.
const STEPS: [(StepKind, u32); 23] = [
    (Sql, 10),
    (Backup, 5),
    (Mark, 5),
    (Temporary, 5),
    (Clone, 5),
    (Migrate, 7),
    (Task, 6),
    (Wait, 5),
    (DataSource, 2),
    (RemoveDataSource, 1),
    (LogicalBackup, 3),
    (LogicalTask, 3),
    (Restore, 4),
    (RestoreTask, 2),
    (Recover, 3),
    (Download, 3),
    (Release, 2),
    (Account, 3),
    (Configure, 3),
    (Login, 3),
    (Advance, 4),
    (Application, 3),
    (Call, 3),
];

impl Options {
    /// Draws the options of a seed.
    #[must_use]
    pub fn draw(seed: u64, profile: &Profile) -> Self {
        let mut draw = Draw::new(seed, "options");
        let instances = instances(&mut draw, profile);
        let workers = draw.weighted([(2, 8), (1, 2), (3, 1)]).unwrap_or(2);
        let machines = instances.len() + draw.count(1..=3);
        let long = draw.chance(profile.long_percent);
        let (most_idle, longest_idle) = profile.idle_s;
        let faults = if profile.faults.1 == 0 { BTreeMap::new() } else { faults(&mut draw) };
        Self {
            seed,
            profile: profile.name.to_owned(),
            workers,
            machines,
            latency_ms_max: draw.weighted([(2, 6), (1, 2), (4, 1), (0, 1)]).unwrap_or(2),
            skew_ms: skews(&mut draw, profile, workers, machines),
            application: application(&mut draw, profile, &instances),
            steps: steps(&mut draw, profile),
            faults,
            length: draw.count(30..=51),
            fault_count: draw.count(profile.faults.0..=profile.faults.1),
            idle_s: if long { longest_idle } else { most_idle },
            mischief_percent: draw.one(5, [0, 10, 25]),
            instances,
        }
    }
}

/// A random subset of the kinds of steps, each with a random weight; those that the profile favours are always on.
fn steps(draw: &mut Draw, profile: &Profile) -> BTreeMap<StepKind, u32> {
    let mut steps = BTreeMap::new();
    for (kind, base) in STEPS {
        let favour = profile.favours.iter().find(|(favoured, _)| *favoured == kind).map(|(_, times)| *times);
        let weight = base * u32::try_from(draw.whole(1..=8)).unwrap_or(1);
        let on = draw.chance(70);
        match favour {
            Some(times) => drop(steps.insert(kind, weight.max(base * 3) * times)),
            None if on => drop(steps.insert(kind, weight)),
            None => {}
        }
    }
    if steps.is_empty() {
        steps.insert(Sql, 1);
    }
    steps
}

fn faults(draw: &mut Draw) -> BTreeMap<String, u32> {
    let most = draw.one(6, [3, 12, Fault::ALL_KINDS.len()]);
    let kinds = draw.some(Fault::ALL_KINDS.to_vec(), 2, most);
    kinds.into_iter().map(|kind| (kind.to_owned(), u32::try_from(draw.whole(1..=8)).unwrap_or(1))).collect()
}

fn skews(draw: &mut Draw, profile: &Profile, workers: usize, machines: usize) -> BTreeMap<String, i64> {
    if profile.faults.1 == 0 || !draw.chance(15) {
        return BTreeMap::new();
    }
    let mut hosts = vec!["service".to_owned()];
    hosts.extend((1..=workers).map(|number| format!("worker-{number}")));
    hosts.extend((1..=machines).map(|number| format!("machine-{number}")));
    let some = draw.some(hosts, 1, 3);
    let most = draw.one(1_500, [100, 60_000]);
    some.into_iter().map(|host| (host, draw.signed(-most..=most))).collect()
}

fn application(draw: &mut Draw, profile: &Profile, instances: &[InstanceOptions]) -> Option<ApplicationOptions> {
    let favoured = profile.favours.iter().any(|(kind, _)| *kind == Application);
    if !draw.chance(if favoured { 60 } else { 30 }) {
        return None;
    }
    let first = instances.first()?;
    let has_journal = first.tables.iter().any(|table| table.name == JOURNAL);
    let every_ms = draw.one(5_000, [1_000, 20_000, 60_000]);
    let from_start = draw.chance(40);
    (has_journal || first.product.engine == Engine::Redis).then_some(ApplicationOptions { every_ms, from_start })
}

/// One to four instances: the first one, perhaps a second master for what is brought back or as a bystander, a read-only
/// instance, a cache.
fn instances(draw: &mut Draw, profile: &Profile) -> Vec<InstanceOptions> {
    let pool = if profile.products.is_empty() { &PRODUCTS[..] } else { profile.products };
    let fallback = Product {
        engine: Engine::MySql,
        version: Version::V5_7,
        edition: Edition::Only,
        series: Series::HighAvailability,
    };
    let product_of = |text: Option<&&str>| text.and_then(|text| text.parse().ok()).unwrap_or(fallback);
    let first = product_of(draw.pick(pool));
    let mut instances = vec![instance(draw, "shop", first, true)];
    let restores = profile.favours.iter().any(|(kind, _)| *kind == Restore);
    if draw.chance(if restores { 80 } else { 45 }) {
        let family: Vec<&str> = PRODUCTS.into_iter().filter(|text| text.starts_with(first.engine.word())).collect();
        let second = match draw.chance(60) {
            true => first,
            false => product_of(if draw.chance(75) { draw.pick(&family) } else { draw.pick(&PRODUCTS) }),
        };
        let filled = draw.chance(40);
        instances.push(instance(draw, "depot", second, filled));
    }
    if first.engine != Engine::Redis && draw.chance(8) {
        let replica = InstanceOptions { master: Some("shop".into()), ..instance(draw, "reader", first, false) };
        instances.push(InstanceOptions {
            tables: vec![],
            extras: vec![],
            accounts: 0,
            ssl: None,
            log_backup: None,
            ..replica
        });
    }
    if first.engine != Engine::Redis && draw.chance(6) {
        instances.push(instance(draw, "cache", product_of(Some(&"redis 5.0")), true));
    }
    instances
}

fn instance(draw: &mut Draw, name: &str, product: Product, filled: bool) -> InstanceOptions {
    let relational = product.engine != Engine::Redis;
    let tables = if filled { tables(draw, product.engine) } else { vec![] };
    let extras = if relational && filled { extras(draw, product.engine, &tables) } else { vec![] };
    let accounts = draw.weighted([(0, 6), (1, 3), (2, 1)]).unwrap_or(0);
    let ssl = (draw.chance(20) && has_ssl(&product)).then_some(true);
    let (vpc, subscription) = (draw.chance(25), draw.chance(20));
    let log_backup_off = relational && product.engine != Engine::SqlServer && draw.chance(8) && may_lack_logs(&product);
    InstanceOptions {
        name: name.to_owned(),
        product,
        master: None,
        tables,
        extras,
        accounts,
        ssl,
        vpc,
        subscription,
        log_backup: log_backup_off.then_some(false),
    }
}

/// Products whose log backup can be switched off when they are made.
fn may_lack_logs(product: &Product) -> bool {
    match product.engine {
        Engine::MySql | Engine::PostgreSql => product.series != Series::Basic,
        Engine::Ppas => true,
        Engine::SqlServer | Engine::Redis => false,
    }
}

/// Products that offer SSL for certain.
fn has_ssl(product: &Product) -> bool {
    match product.engine {
        Engine::SqlServer => true,
        Engine::MySql => matches!(product.version, Version::V5_6 | Version::V8_0),
        Engine::PostgreSql | Engine::Ppas | Engine::Redis => false,
    }
}

fn tables(draw: &mut Draw, engine: Engine) -> Vec<TableOptions> {
    if engine == Engine::Redis {
        let rows = draw.whole(0..=25);
        return vec![TableOptions { database: "0".into(), name: "keys".into(), shape: Shape::Keys, rows }];
    }
    let mut menu = vec![Shape::Customers, Shape::Lines, Shape::Words, Shape::Keyless, Shape::Journal];
    if engine == Engine::MySql {
        menu.push(Shape::Numbers);
    }
    let mut shapes = vec![Shape::Orders];
    shapes.extend(draw.some(menu, 0, 3));
    let table = |draw: &mut Draw, database: &str, shape: Shape| TableOptions {
        database: database.to_owned(),
        name: shape.name().to_owned(),
        shape,
        rows: draw.weighted([(0, 1), (2, 3), (12, 4), (45, 2), (90, 1)]).unwrap_or(2),
    };
    let mut tables: Vec<TableOptions> = shapes.into_iter().map(|shape| table(draw, "app", shape)).collect();
    if draw.chance(15) {
        tables.push(table(draw, "crm", Shape::Customers));
    }
    tables
}

fn extras(draw: &mut Draw, engine: Engine, tables: &[TableOptions]) -> Vec<Extra> {
    let mut menu = vec![Extra::View, Extra::Index, Extra::Procedure, Extra::Function];
    if tables.iter().any(|table| table.shape == Shape::Keyless) {
        menu.push(Extra::Trigger);
    }
    if engine == Engine::MySql {
        menu.push(Extra::Event);
    }
    let most = if draw.chance(50) { 0 } else { 3 };
    draw.some(menu, 0, most)
}
