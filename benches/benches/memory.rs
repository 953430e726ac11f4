//! The most memory that the worker holds in a logical restore of more and more rows: that of a batch, not of the table.
//!
//! The servers on both sides make and check rows by their numbers and keep none, and the backup lies in files. Backup and
//! restore each run in a process of their own, and what is shown is the peak that the kernel noted for the restore's.

use async_trait::async_trait;
use jiff::Timestamp;
use object_store::local::LocalFileSystem;
use recovery::model::content::{Change, Column, DatabaseFacts, Object, ObjectKind, Row, Value};
use recovery::model::instance::{Grants, Rights};
use recovery::model::logical::backup::LogicalType;
use recovery::model::logical::restore::{DataConflict, RestoreObjects, RestoreType, StructureConflict};
use recovery::model::policy::Policy;
use recovery::model::task::Work;
use recovery::model::work::{Access, DumpJob, Job, LeaseKept, LeasedWork, Report, RestoreJob};
use recovery::model::{Product, Secret, SetId, TaskId};
use recovery::ports::database::{
    Apply, Chunk, DatabaseError, Login, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use recovery::ports::{Clock, Database, Session, Vault};
use recovery::worker::channel::{Channel, ReportError};
use recovery::worker::lease::Lease;
use recovery::worker::logical::layout::Shelf;
use recovery::worker::logical::{dump, restore};
use recovery::worker::servers::{Outages, Servers, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const SET: &str = "bkx-memory";
const COLUMNS: [&str; 3] = ["id", "customer", "note"];
/// First argument of a process that does one part of the work; then come the part, the rows and the vault's folder.
const CHILD: &str = "--child";

/// Measures every size and prints a table; as a test the smallest only.
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, part, rows, folder] = arguments.as_slice()
        && first == CHILD
    {
        return child(part, rows.parse().expect("a number of rows"), Path::new(folder));
    }
    // As criterion tells them apart: `cargo test` does not say `--bench`.
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let sizes = if given("--test") || !given("--bench") { &SIZES[..1] } else { &SIZES[..] };
    println!("memory of a logical restore, {} rows a batch", Policy::default().chunk_rows);
    println!("{:>12} {:>12} {:>12} {:>12}", "rows", "peak MiB", "seconds", "rows/s");
    for rows in sizes {
        let folder = tempfile::tempdir().expect("a temporary folder");
        in_child("dump", *rows, folder.path());
        let Measured { peak_kib, seconds } = in_child("restore", *rows, folder.path());
        let (peak_mib, speed) = (peak_kib as f64 / 1_024.0, *rows as f64 / seconds);
        println!("{rows:>12} {peak_mib:>12.1} {seconds:>12.2} {speed:>12.0}");
    }
}

/// What one part of the work took.
struct Measured {
    peak_kib: u64,
    seconds: f64,
}

/// Does a part in a process of its own, whose peak is that of nothing else.
fn in_child(part: &str, rows: u64, folder: &Path) -> Measured {
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.args([CHILD, part, &rows.to_string()]).arg(folder).stderr(Stdio::inherit());
    let output = command.output().expect("the process starts");
    assert!(output.status.success(), "the {part} of {rows} rows ended with {}", output.status);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = said.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("the {part} said {said:?}"));
    let peak_kib = word().parse().expect("a peak");
    Measured { peak_kib, seconds: word().parse().expect("seconds") }
}

/// Backs up or restores, and says the peak in KiB and the seconds.
fn child(part: &str, rows: u64, folder: &Path) {
    let world = Arc::new(World { rows, made: Mutex::default(), said: Mutex::default() });
    let vault: Vault = Arc::new(LocalFileSystem::new_with_prefix(folder).expect("a folder for the vault"));
    let job = match part {
        "dump" => Job::Dump(Box::new(dump_job())),
        "restore" => Job::Restore(Box::new(restore_job())),
        other => panic!("there is no part {other}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let seconds = seconds(|| runtime.block_on(handle(&world, &vault, job)));
    let said = world.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if part == "dump" {
        assert!(matches!(said, Some(Report::SetCompleted { .. })), "the backup ended with {said:?}");
    } else {
        assert!(matches!(said, Some(Report::Finished)), "the restore ended with {said:?}");
        assert_eq!(world.made().arrived, rows, "rows arrived");
    }
    println!("{} {seconds}", peak_kib());
}

/// The most memory this process ever had resident.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux system");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn seconds(work: impl FnOnce()) -> f64 {
    let begun = std::time::Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// Does one piece of work as a worker does that was leased it.
async fn handle(world: &Arc<World>, vault: &Vault, job: Job) {
    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let database: Arc<dyn Database> = Arc::new(Servant(Arc::clone(world)));
    let channel: Arc<dyn Channel> = Arc::new(Servant(Arc::clone(world)));
    let work = LeasedWork { task: TaskId::from("task-memory"), epoch: 1, lease_s: Policy::default().lease_s, job };
    let lease = Lease::take(Arc::clone(&clock), channel, &work, clock.now()).await.expect("a lease");
    let shelf = Shelf::new(Arc::clone(vault), Arc::clone(&clock), SetId::from(SET));
    let mut outages = Outages::default();
    let done = match work.job {
        Job::Dump(job) => {
            let sides = [(Side::Source, &job.source)];
            let mut servers = Servers::new(clock, database, lease, &mut outages, &sides, 0);
            dump::dump(&mut servers, &shelf, &job).await
        }
        Job::Restore(job) => {
            let sides = [(Side::Target, &job.target)];
            let mut servers = Servers::new(clock, database, lease, &mut outages, &sides, 0);
            restore::restore(&mut servers, &shelf, *job).await
        }
        other => panic!("not measured: {other:?}"),
    };
    done.expect("the lease is kept");
}

fn product() -> Product {
    "mysql 5.7".parse().expect("a product")
}

fn access(side: &str) -> Access {
    let login = Login { account: "app".to_owned(), password: Secret::new("s3cret"), ssl: false };
    Access {
        instance: format!("rm-{side}"),
        endpoint: Some(side.to_owned()),
        product: product(),
        login,
        replica_of: None,
        expires_at: None,
    }
}

fn dump_job() -> DumpJob {
    DumpJob {
        set: SetId::from(SET),
        source: access("source"),
        backup_type: LogicalType::StructureFull,
        databases: BTreeSet::new(),
        chunk_rows: Policy::default().chunk_rows,
    }
}

fn restore_job() -> RestoreJob {
    RestoreJob {
        work: Work::Migrate,
        target: access("target"),
        registered: product(),
        source_product: product(),
        set: SetId::from(SET),
        set_completed: true,
        logs: Vec::new(),
        until: None,
        types: BTreeSet::from([RestoreType::Structure, RestoreType::Full]),
        objects: RestoreObjects::All,
        mapping: Vec::new(),
        structure_conflict: StructureConflict::Stop,
        data_conflict: DataConflict::Stop,
        details: Vec::new(),
        planned: false,
        chunk_rows: Policy::default().chunk_rows,
        connection_retry_s: 0,
    }
}

/// The table `orders` as the source describes it.
fn orders(rows: u64) -> Object {
    let column = |name: &str, declared: &str| Column { name: name.into(), declared: declared.into(), nullable: false };
    let definition = "create table orders (id int not null, customer varchar(40) not null, note varchar(80) not null, \
                      primary key (id))";
    Object {
        kind: ObjectKind::Table,
        name: "orders".to_owned(),
        table: None,
        definition: definition.to_owned(),
        columns: vec![column("id", "int"), column("customer", "varchar(40)"), column("note", "varchar(80)")],
        key: vec!["id".to_owned()],
        needs: Vec::new(),
        definer: None,
        security: None,
        revision: 1,
        rows,
    }
}

/// The row of a number, from 1.
fn row(number: u64) -> Row {
    let customer = format!("customer-{}", number % 997);
    let note = format!("order {number:>9}, to be left with the neighbours if nobody is in");
    vec![Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)), Value::Text(customer), Value::Text(note)]
}

/// All there is beside the worker: how much the source has, what the target was given, and what the worker said.
struct World {
    rows: u64,
    made: Mutex<Made>,
    said: Mutex<Option<Report>>,
}

/// What the target was given.
#[derive(Default)]
struct Made {
    database: Option<DatabaseFacts>,
    objects: Vec<Object>,
    /// Rows that came, in order and as they were in the source; they are not kept.
    arrived: u64,
}

impl World {
    fn made(&self) -> std::sync::MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service and the servers, as the worker reaches them.
struct Servant(Arc<World>);

#[async_trait]
impl Channel for Servant {
    async fn lease(&self) -> Result<Option<LeasedWork>, ReportError> {
        Ok(None)
    }

    async fn report(&self, _: &TaskId, _: u64, reports: &[Report]) -> Result<LeaseKept, ReportError> {
        *self.0.said.lock().unwrap_or_else(PoisonError::into_inner) = reports.last().cloned();
        Ok(LeaseKept { lease_s: Policy::default().lease_s, others_wait: false })
    }
}

#[async_trait]
impl Database for Servant {
    async fn connect(&self, endpoint: &str, _: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        Ok(Box::new(Line { world: Arc::clone(&self.0), is_source: endpoint == "source" }))
    }
}

/// A session with the source or the target.
struct Line {
    world: Arc<World>,
    is_source: bool,
}

impl Line {
    fn unexpected(what: &str) -> DatabaseError {
        DatabaseError::Statement(format!("not expected in this benchmark: {what}"))
    }
}

#[async_trait]
impl Session for Line {
    async fn claim(&mut self, _: &str, _: u64) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        let (grants, parameters) = (Grants::all(Rights::Owner), BTreeMap::new());
        Ok(ServerFacts { product: product(), now: RealClock.now(), grants, parameters, log_position: 0 })
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        if self.is_source {
            return Ok(vec![DatabaseFacts { name: "shop".to_owned(), charset: "utf8".to_owned() }]);
        }
        Ok(self.world.made().database.iter().cloned().collect())
    }

    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        self.world.made().database = Some(DatabaseFacts { name: name.to_owned(), charset: charset.to_owned() });
        Ok(())
    }

    async fn describe(&mut self, _: &str) -> Result<Vec<Object>, DatabaseError> {
        if self.is_source { Ok(vec![orders(self.world.rows)]) } else { Ok(self.world.made().objects.clone()) }
    }

    async fn create(&mut self, _: &str, object: &Object) -> Result<(), DatabaseError> {
        self.world.made().objects.push(object.clone());
        Ok(())
    }

    async fn run(&mut self, _: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        Err(Self::unexpected(sql))
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        assert_eq!(read.columns, COLUMNS, "columns read");
        let after: u64 = read.after.as_ref().map_or(0, |mark| mark.parse().expect("a mark given before"));
        let last = after.saturating_add(read.limit as u64).min(self.world.rows);
        let mark = (last > after).then(|| last.to_string());
        Ok(Chunk {
            rows: (after + 1..=last).map(row).collect(),
            last: mark,
            done: last == self.world.rows,
            revision: 1,
        })
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        Ok(SnapshotFacts { position: 0, at: RealClock.now() })
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        assert_eq!(write.columns, COLUMNS, "columns written");
        let mut made = self.world.made();
        for written in &write.rows {
            made.arrived += 1;
            assert_eq!(*written, row(made.arrived), "row {} as it arrived", made.arrived);
        }
        Ok(write.rows.len() as u64)
    }

    async fn changes(&mut self, _: u64, _: usize) -> Result<Vec<Change>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn apply(&mut self, _: &[Apply]) -> Result<(), DatabaseError> {
        Err(Self::unexpected("changes to apply"))
    }
}

/// The time of this computer.
struct RealClock;

#[async_trait]
#[allow(clippy::disallowed_methods, reason = "a benchmark runs in real time")]
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let left = Duration::try_from(Timestamp::now().duration_until(deadline)).unwrap_or_default();
        tokio::time::sleep(left).await;
    }
}
