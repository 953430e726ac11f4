//! A session with one database server.

use crate::model::Secret;
use crate::model::content::{Change, DatabaseFacts, Object, Row, Value};
use crate::model::instance::Grants;
use crate::model::product::Product;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Who logs in, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// Account.
    pub account: String,
    /// Password.
    #[serde(with = "crate::model::secret::exposed")]
    pub password: Secret,
    /// Whether the connection is encrypted.
    pub ssl: bool,
}

/// Why a server, or the way to it, said no. The codes are those of the connection errors (DTS-2003 to DTS-2010).
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "error", content = "detail", rename_all = "kebab-case")]
pub enum DatabaseError {
    /// The host cannot be reached (DTS-2003), or the connection broke; whether the last request had an effect is open.
    #[error("host not reached: {0}")]
    Unreachable(String),
    /// The client's address is not on the whitelist (DTS-2006).
    #[error("address {0} is not on the whitelist")]
    NotWhitelisted(String),
    /// No such account (DTS-2004), or a wrong password (DTS-2005); servers do not say which.
    #[error("access denied for account {0}")]
    AccessDenied(String),
    /// SSL was asked for and is not enabled there.
    #[error("SSL is not enabled on the server")]
    SslDisabled,
    /// The account may not do that.
    #[error("account {account} lacks the privilege to {what}")]
    NotPermitted {
        /// Account.
        account: String,
        /// What it tried.
        what: String,
    },
    /// No such database (DTS-2008).
    #[error("there is no database {0}")]
    NoSuchDatabase(String),
    /// No such table or other object.
    #[error("there is no object {0}")]
    NoSuchObject(String),
    /// An object of that name is there already.
    #[error("object {0} exists")]
    ObjectExists(String),
    /// A constraint was violated.
    #[error("constraint: {0}")]
    Constraint(String),
    /// The statement is not understood or failed otherwise.
    #[error("statement: {0}")]
    Statement(String),
    /// The disk of the server is full: it writes nothing until there is room again.
    #[error("the disk of the server is full")]
    DiskFull,
    /// A later lease of the task has taken over on this server; this session may not write any more.
    #[error("fenced off by epoch {0}")]
    Fenced(u64),
    /// The log no longer reaches back to that position.
    #[error("the log begins after position {0}")]
    LogGone(u64),
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Column names of a query.
    pub columns: Vec<String>,
    /// Rows of a query.
    pub rows: Vec<Row>,
    /// Rows changed.
    pub affected: u64,
}

/// What a server says of itself and of the logged-in account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Product.
    pub product: Product,
    /// The server's clock.
    pub now: Timestamp,
    /// The logged-in account's rights.
    pub grants: Grants,
    /// Parameters.
    pub parameters: BTreeMap<String, String>,
    /// Position of the newest log entry.
    pub log_position: u64,
}

/// What prechecks ask of a server beside what tasks need. What a server does not tell is left empty, and no precheck item
/// finds fault with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Circumstances {
    /// Storage engines of tables by `database.table`, where the tables of one server differ in it (MySQL).
    pub storage: BTreeMap<String, String>,
    /// How databases can be recovered, where that is set for each (SQL Server).
    pub recovery: BTreeMap<String, Recovery>,
    /// Files of the log that are listed and not there (MySQL).
    pub lost_log_files: Vec<String>,
    /// Whether the account has SUPER, which stands above all other privileges (MySQL).
    pub is_super: bool,
    /// The accounts there are, where that may be known.
    pub accounts: Option<BTreeSet<String>>,
    /// Bytes the content takes.
    pub used_bytes: Option<u64>,
    /// Bytes there is room for.
    pub free_bytes: Option<u64>,
    /// Transactions of others that are open, where the account may see them (MySQL, PostgreSQL).
    pub transactions: Vec<OpenTransaction>,
    /// Triggers that fire when definitions are changed, without those that are switched off (PostgreSQL).
    pub event_triggers: Vec<EventTrigger>,
    /// Extensions by database (PostgreSQL).
    pub extensions: BTreeMap<String, Extensions>,
    /// Extensions that can be installed, where the server tells (PostgreSQL).
    pub offered_extensions: Option<BTreeSet<String>>,
}

/// A transaction that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTransaction {
    /// As statements of the server name it: the number of its session, or the quoted id it was prepared under.
    pub id: String,
    /// Whether it was prepared, so that it outlives its session until somebody commits it or rolls it back.
    pub prepared: bool,
    /// Whose it is, where the server tells.
    pub account: Option<String>,
    /// The database it is in, where it is in one.
    pub database: Option<String>,
    /// When it began or was prepared, by the server's clock, where the server tells.
    pub since: Option<Timestamp>,
}

/// A trigger that fires when definitions of a database are changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTrigger {
    /// Database.
    pub database: String,
    /// Name.
    pub name: String,
    /// What it fires at: `ddl_command_start`, `ddl_command_end` and others.
    pub event: String,
    /// The commands it fires for, such as `CREATE TABLE`; all of them where there are none.
    pub tags: Vec<String>,
    /// The function it runs.
    pub function: String,
}

/// The extensions of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extensions {
    /// Those that are installed.
    pub installed: BTreeSet<String>,
    /// Those that objects cannot do without, by the object's name.
    pub used: BTreeMap<String, BTreeSet<String>>,
}

/// How a database can be recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its recovery model, in lower case: `full`, `bulk_logged` or `simple`.
    pub model: String,
    /// Whether a full backup of it was taken on this server.
    pub backed_up: bool,
}

/// Asks for rows of a table in the order of its key (or in the server's own order without one).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadChunk {
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Columns, in the order wanted.
    pub columns: Vec<String>,
    /// Go on after this mark of an earlier chunk.
    pub after: Option<String>,
    /// Rows at most.
    pub limit: usize,
}

/// Rows of a table, and the table's revision at the same instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Rows.
    pub rows: Vec<Row>,
    /// Mark to go on after; `None` when there was no row.
    pub last: Option<String>,
    /// Whether these were the last.
    pub done: bool,
    /// [`Object::revision`] at that instant.
    pub revision: u64,
}

/// The instant a session reads as of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFacts {
    /// Log position: every change up to it shows, none after it.
    pub position: u64,
    /// The server's time then.
    pub at: Timestamp,
}

/// What a row is to do whose primary or unique key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// The row that is there stays.
    #[default]
    Keep,
    /// The whole write is refused with [`DatabaseError::Constraint`] and nothing of it is written.
    Stop,
    /// The row or rows that are there are deleted, then this one is written.
    Replace,
}

/// Rows to write. Constraints between tables and triggers do not act on them, as in a bulk load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WriteChunk {
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Columns.
    pub columns: Vec<String>,
    /// Key columns among them; empty without a key, and then every row is inserted.
    pub key: Vec<String>,
    /// Rows.
    pub rows: Vec<Row>,
    /// What a row is to do whose key is there already.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// A change to write to the target, with names as they are there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Apply {
    /// Insert the row, or put it in the place of the one with the same key.
    Upsert {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Key columns; empty without a key.
        key: Vec<String>,
        /// The row before, by column: deleted first when its key differs or there is no key.
        old: Option<BTreeMap<String, Value>>,
        /// The row, by column.
        new: BTreeMap<String, Value>,
    },
    /// Delete the row.
    Delete {
        /// Database.
        database: String,
        /// Table.
        table: String,
        /// Key columns; empty without a key.
        key: Vec<String>,
        /// The row, by column.
        old: BTreeMap<String, Value>,
    },
    /// Run a statement that changes definitions.
    Ddl {
        /// Database.
        database: String,
        /// The statement.
        sql: String,
    },
}

/// Opens sessions with database servers.
#[async_trait]
pub trait Database: Send + Sync {
    /// Logs in at `host:port`, with a timeout of its own.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError>;
}

/// One session. A call that is cut off breaks the session.
#[async_trait]
pub trait Session: Send {
    /// Says that this session works for a task under a lease. Ends every session that said so under an earlier epoch;
    /// refused with [`DatabaseError::Fenced`] where a later one has.
    async fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError>;

    /// What the server says of itself.
    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError>;

    /// What else prechecks want to know of the server; nothing unless it tells.
    async fn circumstances(&mut self) -> Result<Circumstances, DatabaseError> {
        Ok(Circumstances::default())
    }

    /// The databases.
    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError>;

    /// Makes a database.
    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError>;

    /// All objects of a database.
    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError>;

    /// Makes an object from its description, with the logged-in account as definer where it has one.
    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError>;

    /// Runs statements.
    async fn run(&mut self, database: &str, sql: &str) -> Result<Outcome, DatabaseError>;

    /// Reads rows.
    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError>;

    /// From now on this session reads ([`Self::databases`], [`Self::describe`], [`Self::read`]) as of this instant.
    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError>;

    /// Writes rows in one transaction, each as [`WriteChunk::on_conflict`] says. Returns how many were written.
    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError>;

    /// Changes after a log position, at most `limit`, oldest first.
    async fn changes(&mut self, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError>;

    /// Writes changes in one transaction for each database.
    async fn apply(&mut self, changes: &[Apply]) -> Result<(), DatabaseError>;
}
