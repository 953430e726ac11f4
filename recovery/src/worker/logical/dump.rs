//! Taking a full or structure set: a snapshot, its definitions and rows, and what changed while they were read, so that
//! the set gives the state at its completion (LOG-28, C-29).

use super::collect::reached;
use super::fold::State;
use super::layout::{DatabaseContent, Manifest, Part, Seals, Shelf, TableContent};
use super::source::{LogReader, Trouble, ask};
use crate::model::content::{Object, ObjectKind};
use crate::model::instance::{Grants, Rights};
use crate::model::logical::backup::{Instant, LogicalType};
use crate::model::work::{DumpJob, Report};
use crate::ports::database::{ReadChunk, ServerFacts};
use crate::worker::ask::{Databases, Describe, Facts, Snapshot};
use crate::worker::lease::{LetGo, Stop};
use crate::worker::servers::{Servers, Side};

/// Times a set is begun anew because a statement came between that cannot be carried.
const TRIES: u32 = 3;

/// Takes the set. What an earlier lease wrote of it is written over.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn dump(servers: &mut Servers<'_>, shelf: &Shelf, job: &DumpJob) -> Result<(), LetGo> {
    let mut tries = 1;
    let report = loop {
        match attempt(servers, shelf, job).await {
            Ok(Ok(report)) => break report,
            Ok(Err((object, sql))) if tries == TRIES => {
                let why = format!("definitions were changed while the backup was taken: {object}: {sql}");
                break Report::SetFailed { why };
            }
            Ok(Err(_)) => tries += 1,
            Err(Stop::LetGo(let_go)) => return Err(let_go),
            Err(Stop::Failed(Trouble::Away(why))) => break Report::SourceAway { why },
            Err(Stop::Failed(Trouble::Broken(why) | Trouble::Denied(why))) => break Report::SetFailed { why },
        }
        servers.hang_up(Side::Source);
    };
    servers.lease.report(vec![report]).await
}

/// The statement that came between, with its object.
type Between = (String, String);

async fn attempt(
    servers: &mut Servers<'_>,
    shelf: &Shelf,
    job: &DumpJob,
) -> Result<Result<Report, Between>, Stop<Trouble>> {
    let full = job.backup_type != LogicalType::Structure;
    shelf.remove(&mut servers.lease, Part::Manifest).await?;
    let facts = ask(servers, &Facts).await?;
    if let Some(why) = lacking(&facts.grants, job, full) {
        return Err(Stop::Failed(Trouble::Broken(why)));
    }
    let snapshot = ask(servers, &Snapshot).await?;
    let snapshot = Instant { position: snapshot.position, at: snapshot.at };
    servers.lease.report(vec![Report::Snapshot(snapshot)]).await?;
    let mut set = Set { manifest: begin(servers, job, &facts, snapshot).await?, bytes: 0 };
    if full {
        let tables = tables(&set.manifest.databases);
        for (database, table) in tables {
            set.copy(servers, shelf, &database, &table).await?;
        }
    }
    let mut state = State::begin(&set.manifest, full);
    if full {
        let facts = ask(servers, &Facts).await?;
        set.manifest.completion = reached(snapshot, facts.log_position, facts.now);
        state = State::begin(&set.manifest, full);
        set.follow(servers, shelf, job, &mut state).await?;
        if let Some(between) = state.unsupported() {
            return Ok(Err(between));
        }
    }
    set.bytes += shelf.put(&mut servers.lease, Part::Manifest, &set.manifest).await?.bytes;
    let objects = state.objects(&set.manifest.tables);
    Ok(Ok(Report::SetCompleted { to: set.manifest.completion, objects, size_bytes: set.bytes }))
}

/// Why the account cannot take the backup: the log needs rights of an owner, and nothing may be hidden from it.
fn lacking(grants: &Grants, job: &DumpJob, full: bool) -> Option<String> {
    let (account, instance) = (&job.source.login.account, &job.source.instance);
    if full && grants.default < Rights::Owner {
        return Some(format!(
            "account {account} may not read the log of {instance}: grant it the rights of an owner (REPLICATION SLAVE, \
             REPLICATION CLIENT), or register the data source with another account"
        ));
    }
    let concerns = |name: &str| {
        let database = name.split_once('.').map_or(name, |(database, _)| database);
        job.databases.is_empty() || job.databases.contains(database)
    };
    let hidden = grants.exceptions.iter().find(|(name, rights)| !rights.reads() && concerns(name));
    let hidden = hidden.map(|(name, _)| name.clone());
    let name = hidden.or_else(|| (!grants.default.reads()).then(|| "everything".to_owned()))?;
    Some(format!("account {account} may not read {name} on {instance}: grant it to read that (GRANT SELECT)"))
}

/// The manifest without rows.
async fn begin(
    servers: &mut Servers<'_>,
    job: &DumpJob,
    facts: &ServerFacts,
    snapshot: Instant,
) -> Result<Manifest, Stop<Trouble>> {
    let there = ask(servers, &Databases).await?;
    if let Some(missing) = job.databases.iter().find(|name| !there.iter().any(|one| one.name == **name)) {
        let why = format!("there is no database {missing} on {}", job.source.instance);
        return Err(Stop::Failed(Trouble::Broken(why)));
    }
    let mut databases = Vec::new();
    for database in there.into_iter().filter(|one| job.databases.is_empty() || job.databases.contains(&one.name)) {
        let objects = ask(servers, &Describe(&database.name)).await?;
        databases.push(DatabaseContent { name: database.name, charset: database.charset, objects });
    }
    Ok(Manifest {
        product: facts.product,
        parameters: facts.parameters.clone(),
        databases,
        tables: Vec::new(),
        chunk_rows: job.chunk_rows.max(1),
        snapshot,
        completion: snapshot,
        tail_parts: 0,
        epoch: servers.lease.epoch(),
    })
}

fn tables(databases: &[DatabaseContent]) -> Vec<(String, Object)> {
    let of_database = |database: &DatabaseContent| {
        let tables = database.objects.iter().filter(|object| object.kind == ObjectKind::Table);
        tables.map(|table| (database.name.clone(), table.clone())).collect::<Vec<_>>()
    };
    databases.iter().flat_map(of_database).collect()
}

/// The set as far as it is written.
struct Set {
    manifest: Manifest,
    bytes: u64,
}

impl Set {
    /// Writes the rows of one table, chunk by chunk.
    async fn copy(
        &mut self,
        servers: &mut Servers<'_>,
        shelf: &Shelf,
        database: &str,
        table: &Object,
    ) -> Result<(), Stop<Trouble>> {
        let mut read = ReadChunk {
            database: database.to_owned(),
            table: table.name.clone(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            after: None,
            limit: self.manifest.chunk_rows,
        };
        let place = self.manifest.tables.len();
        let (mut rows, mut chunks, mut seals) = (0, 0, Seals::default());
        let mut gathered = Vec::new();
        loop {
            read.limit = self.manifest.chunk_rows - gathered.len();
            let chunk = ask(servers, &read).await?;
            gathered.extend(chunk.rows);
            let over = chunk.done || chunk.last.is_none();
            if gathered.len() >= self.manifest.chunk_rows || (over && !gathered.is_empty()) {
                let part = Part::Rows { table: place, chunk: chunks };
                let written = shelf.put(&mut servers.lease, part, &gathered).await?;
                seals.add(&written.seal);
                self.bytes += written.bytes;
                rows += gathered.len() as u64;
                chunks += 1;
                gathered.clear();
            }
            if over {
                break;
            }
            read.after = chunk.last;
        }
        let (database, table) = (read.database, read.table);
        self.manifest.tables.push(TableContent { database, table, rows, chunks, sha256: seals.all() });
        Ok(())
    }

    /// Writes what changed from the snapshot to the completion, and folds it.
    async fn follow(
        &mut self,
        servers: &mut Servers<'_>,
        shelf: &Shelf,
        job: &DumpJob,
        state: &mut State,
    ) -> Result<(), Stop<Trouble>> {
        let (from, to) = (self.manifest.snapshot.position, self.manifest.completion.position);
        let mut reader = LogReader::new(from, to, &job.databases);
        while let Some(changes) = reader.next(servers).await? {
            if changes.is_empty() {
                continue;
            }
            let part = Part::Tail { number: self.manifest.tail_parts };
            self.bytes += shelf.put(&mut servers.lease, part, &changes).await?.bytes;
            self.manifest.tail_parts += 1;
            for change in &changes {
                state.take(change).map_err(|why| Stop::Failed(Trouble::Broken(why)))?;
            }
        }
        Ok(())
    }
}
