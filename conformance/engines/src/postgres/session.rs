//! A session with a PostgreSQL server: one connection to the server's own database, and one to each database asked of.

use super::claim::{Claim, UNCLAIMED};
use super::connection::{Connection, Door};
use super::errors::statement;
use super::read::Seen;
use super::{CONTROL, describe, grants, read, run, told, write};
use async_trait::async_trait;
use jiff::Timestamp;
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::model::instance::{Grants, Rights};
use recovery::model::product::Product;
use recovery::ports::Session;
use recovery::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use std::collections::BTreeMap;

/// How often a snapshot of several databases is tried, until nothing is written between the first and the last.
const SNAPSHOT_TRIES: u32 = 20;

/// A session.
pub struct PostgresSession {
    door: Door,
    product: Product,
    control: Connection,
    open: BTreeMap<String, Connection>,
    seen: Seen,
    claim: Option<Claim>,
    /// Whether a call was cut off, so that nobody knows what is under way on its connections.
    broken: bool,
    snapshot: bool,
}

impl PostgresSession {
    /// Logs in.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn open(door: Door, product: Option<Product>) -> Result<Self, DatabaseError> {
        let control = door.open(CONTROL, UNCLAIMED).await?;
        // Sessions are ended as the account that logged in, whomever it acts as.
        control.execute("SET ROLE NONE").await?;
        let product = match product {
            Some(product) => product,
            None => super::product::of(&control).await?,
        };
        let (open, seen) = (BTreeMap::new(), Seen::default());
        Ok(Self { door, product, control, open, seen, claim: None, broken: false, snapshot: false })
    }

    /// Marks the session as broken until the call that begins ends.
    fn enter(&mut self) -> Result<(), DatabaseError> {
        if self.broken {
            return Err(DatabaseError::Unreachable("the session is broken: a call was cut off".to_owned()));
        }
        self.broken = true;
        Ok(())
    }

    fn leave<T>(&mut self, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        self.broken = matches!(outcome, Err(DatabaseError::Unreachable(_) | DatabaseError::Fenced(_)));
        outcome
    }

    /// The connection to a database. One that is opened under a claim sees after that whether the claim still holds: an
    /// earlier look could come before a later lease ends all sessions it sees.
    async fn database(&mut self, name: &str) -> Result<&Connection, DatabaseError> {
        if name == CONTROL {
            return Ok(&self.control);
        }
        if !self.open.contains_key(name) {
            if self.snapshot {
                return Err(DatabaseError::NoSuchDatabase(name.to_owned()));
            }
            let called = self.claim.as_ref().map_or_else(|| UNCLAIMED.to_owned(), Claim::name);
            let opened = self.door.open(name, &called).await?;
            if let Some(claim) = &self.claim {
                claim.check(&self.control).await?;
            }
            self.open.insert(name.to_owned(), opened);
        }
        self.open.get(name).ok_or_else(|| DatabaseError::NoSuchDatabase(name.to_owned()))
    }

    async fn claimed(&mut self, claim: Claim) -> Result<(), DatabaseError> {
        for connection in self.open.values().chain([&self.control]) {
            connection.query("SELECT set_config('application_name', $1, false)", &[&claim.name()]).await?;
        }
        claim.take(&self.control).await?;
        self.claim = Some(claim);
        Ok(())
    }

    async fn names(&self) -> Result<Vec<(String, String)>, DatabaseError> {
        let sql = "SELECT datname::text, pg_encoding_to_char(encoding)::text FROM pg_database \
                   WHERE datallowconn AND NOT datistemplate AND datname <> $1 \
                   AND has_database_privilege(oid, 'CONNECT') ORDER BY datname";
        let rows = self.control.query(sql, &[&CONTROL]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn rights(&mut self) -> Result<Grants, DatabaseError> {
        let mut found = Grants::all(grants::default(&self.control).await?);
        if found.default < Rights::ReadWrite {
            for (name, _) in self.names().await? {
                let connection = self.database(&name).await?;
                grants::of_database(connection, &name, &mut found).await?;
            }
        }
        Ok(found)
    }

    async fn seen_databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        let grants = self.rights().await?;
        let names = self.names().await?.into_iter();
        let sees = |name: &str| {
            let inside = format!("{name}.");
            let mut named = grants.exceptions.iter().filter(|(on, _)| *on == name || on.starts_with(&inside));
            grants.on_database(name).reads() || named.any(|(_, rights)| rights.reads())
        };
        let seen = names.filter(|(name, _)| sees(name));
        Ok(seen.map(|(name, charset)| DatabaseFacts { name, charset }).collect())
    }

    async fn server_facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        let grants = self.rights().await?;
        let rows = self.control.query("SELECT name, setting FROM pg_settings WHERE setting IS NOT NULL", &[]).await?;
        let mut parameters: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        parameters.extend(parameters.get("TimeZone").cloned().map(|zone| ("time_zone".to_owned(), zone)));
        let (log_position, now) = position(&self.control).await?;
        Ok(ServerFacts { product: self.product, now, grants, parameters, log_position })
    }

    /// What it tells of itself and of the databases the account may enter.
    async fn told(&mut self) -> Result<Circumstances, DatabaseError> {
        let mut told = told::of_server(&self.control).await?;
        for (name, _) in self.names().await? {
            told::of_database(self.database(&name).await?, &name, &mut told).await?;
        }
        Ok(told)
    }

    async fn make_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        let sql = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
        let shared = self.control.one(sql, &[&grants::WRITERS]).await?.get(0);
        let owner = if shared { format!(" OWNER {}", super::ident(grants::WRITERS)) } else { String::new() };
        let (name, charset) = (super::ident(name), super::literal(charset));
        let sql = format!("CREATE DATABASE {name}{owner} ENCODING {charset} TEMPLATE template0");
        self.control.execute(&sql).await
    }

    /// Opens every database and begins to read in each. PostgreSQL knows no snapshot of several databases, so it is taken
    /// again until nothing was logged between the first and the last.
    async fn stand_still(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        let names = self.names().await?;
        for (name, _) in &names {
            self.database(name).await?;
        }
        for _ in 0..SNAPSHOT_TRIES {
            let (before, _) = position(&self.control).await?;
            for connection in self.open.values_mut() {
                connection
                    .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = public")
                    .await?;
                connection.one("SELECT txid_current_snapshot()::text", &[]).await?;
            }
            let (position, at) = position(&self.control).await?;
            if position == before || self.open.len() < 2 {
                self.open.values_mut().for_each(|connection| connection.snapshot = true);
                self.snapshot = true;
                return Ok(SnapshotFacts { position, at });
            }
            for connection in self.open.values() {
                connection.execute("ROLLBACK").await?;
            }
        }
        let many = self.open.len();
        Err(statement(format!(
            "no instant was found as of which all {many} databases could be read: too much is written"
        )))
    }
}

/// Position of the newest log entry, and the server's time.
pub async fn position(connection: &Connection) -> Result<(u64, Timestamp), DatabaseError> {
    let sql = "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
               ELSE pg_current_wal_insert_lsn() END, '0/0')::bigint, \
               (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let row = connection.one(sql, &[]).await?;
    let (position, micros): (i64, i64) = (row.get(0), row.get(1));
    Ok((position.unsigned_abs(), Timestamp::from_microsecond(micros).map_err(statement)?))
}

/// What a real server of this engine does not offer here.
fn unavailable() -> DatabaseError {
    statement("incremental migration is unavailable on real PostgreSQL: its log is not read")
}

#[async_trait]
impl Session for PostgresSession {
    async fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        self.enter()?;
        let outcome = self.claimed(Claim { task: task.to_owned(), epoch }).await;
        self.leave(outcome)
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        self.enter()?;
        let outcome = self.server_facts().await;
        self.leave(outcome)
    }

    async fn circumstances(&mut self) -> Result<Circumstances, DatabaseError> {
        self.enter()?;
        let outcome = self.told().await;
        self.leave(outcome)
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        self.enter()?;
        let outcome = self.seen_databases().await;
        self.leave(outcome)
    }

    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        self.enter()?;
        let outcome = self.make_database(name, charset).await;
        self.leave(outcome)
    }

    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError> {
        self.enter()?;
        let outcome = async { describe::describe(self.database(database).await?).await }.await;
        self.leave(outcome)
    }

    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        self.enter()?;
        let outcome = async { run::create(self.database(database).await?, object).await }.await;
        self.leave(outcome)
    }

    async fn run(&mut self, database: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        self.enter()?;
        let outcome = async { run::run(self.database(database).await?, sql).await }.await;
        self.leave(outcome)
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        self.enter()?;
        let mut seen = std::mem::take(&mut self.seen);
        let outcome = async { read::read(self.database(&read.database).await?, &mut seen, read).await }.await;
        self.seen = seen;
        self.leave(outcome)
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        self.enter()?;
        let outcome = self.stand_still().await;
        self.leave(outcome)
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        self.enter()?;
        let outcome = async { write::write(self.database(&write.database).await?, write).await }.await;
        self.leave(outcome)
    }

    async fn changes(&mut self, _: u64, _: usize) -> Result<Vec<Change>, DatabaseError> {
        Err(unavailable())
    }

    async fn apply(&mut self, _: &[Apply]) -> Result<(), DatabaseError> {
        Err(unavailable())
    }
}
