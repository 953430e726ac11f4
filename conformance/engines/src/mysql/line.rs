//! The connection under a session: what it is set to, and what it is asked in.

use super::{errors, quote};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row, SslOpts};
use recovery::ports::database::{DatabaseError, Login};

/// What the statements of a connection are run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As the server runs what any client sends it.
    Plain,
    /// Values arrive as they left or not at all: strict, with zero and impossible dates, with zeros in columns that count
    /// by themselves; foreign keys do not act.
    Bulk,
}

/// `sql_mode` of [`Mode::Bulk`].
const BULK: &str = "NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

/// A connection.
pub(super) struct Line {
    conn: Conn,
    /// The account logged in.
    pub account: String,
    /// What the server calls itself.
    pub version: String,
    /// Whether it is MariaDB.
    pub is_mariadb: bool,
    /// Bytes a statement may have.
    pub max_packet: usize,
    mode: Option<Mode>,
    database: Option<String>,
    /// A call was begun and did not end: the connection cannot be used any more.
    cut_off: bool,
}

impl Line {
    /// Logs in.
    pub async fn open(endpoint: &str, login: &Login) -> Result<Self, DatabaseError> {
        let bad = || DatabaseError::Unreachable(format!("{endpoint} is no address"));
        let (host, port) = endpoint.rsplit_once(':').ok_or_else(bad)?;
        let port: u16 = port.parse().map_err(|_| bad())?;
        // Servers sign their own certificates, and nothing here knows which are right: the way is enciphered, no more.
        let ssl = SslOpts::default().with_danger_accept_invalid_certs(true).with_danger_skip_domain_validation(true);
        let opts = OptsBuilder::default()
            .ip_or_hostname(host.trim_matches(['[', ']']))
            .tcp_port(port)
            .user(Some(login.account.clone()))
            .pass(Some(login.password.expose()))
            .prefer_socket(false)
            .tcp_nodelay(true)
            .stmt_cache_size(0)
            .ssl_opts(login.ssl.then_some(ssl));
        let failed = |error| errors::failed(&login.account, error);
        let conn = Conn::new(opts).await.map_err(failed)?;
        let (account, version) = (login.account.clone(), String::new());
        let mut line = Self {
            conn,
            account,
            version,
            is_mariadb: false,
            max_packet: 0,
            mode: None,
            database: None,
            cut_off: false,
        };
        line.set_up().await?;
        Ok(line)
    }

    async fn set_up(&mut self) -> Result<(), DatabaseError> {
        self.exec("SET NAMES utf8mb4").await?;
        // Lock waits end before the worker takes the server for silent.
        self.exec("SET SESSION time_zone = '+00:00', lock_wait_timeout = 50, innodb_lock_wait_timeout = 50").await?;
        self.exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        let found: Option<(String, u64)> = self.first("SELECT VERSION(), @@max_allowed_packet").await?;
        let (version, max_packet) = found.unwrap_or_default();
        self.is_mariadb = version.contains("MariaDB");
        self.version = version;
        self.max_packet = usize::try_from(max_packet).unwrap_or(usize::MAX);
        Ok(())
    }

    /// Number of the connection on the server.
    pub fn id(&self) -> u32 {
        self.conn.id()
    }

    /// Has statements run in a mode from now on.
    pub async fn set(&mut self, mode: Mode) -> Result<(), DatabaseError> {
        if self.mode != Some(mode) {
            self.mode = None;
            match mode {
                Mode::Plain => self.exec("SET SESSION sql_mode = @@global.sql_mode, foreign_key_checks = 1").await?,
                Mode::Bulk => self.exec(&format!("SET SESSION sql_mode = '{BULK}', foreign_key_checks = 0")).await?,
            };
            self.mode = Some(mode);
        }
        Ok(())
    }

    /// Says that something else was set than a mode says.
    pub fn forget_mode(&mut self) {
        self.mode = None;
    }

    /// Makes a database the one that names without one are of.
    pub async fn enter(&mut self, database: &str) -> Result<(), DatabaseError> {
        if self.database.as_deref() != Some(database) {
            self.database = None;
            self.exec(&format!("USE {}", quote::name(database))).await?;
            self.database = Some(database.to_owned());
        }
        Ok(())
    }

    /// Says that statements may have entered another database.
    pub fn forget_database(&mut self) {
        self.database = None;
    }

    fn begin(&mut self) -> Result<(), DatabaseError> {
        if std::mem::replace(&mut self.cut_off, true) {
            return Err(DatabaseError::Unreachable("an earlier call of the session was cut off".to_owned()));
        }
        Ok(())
    }

    fn end<T>(&mut self, outcome: mysql_async::Result<T>) -> Result<T, DatabaseError> {
        let outcome = outcome.map_err(|error| errors::failed(&self.account, error));
        self.cut_off = matches!(outcome, Err(DatabaseError::Unreachable(_)));
        outcome
    }

    /// Runs statements; gives how many rows they changed.
    pub async fn exec(&mut self, sql: &str) -> Result<u64, DatabaseError> {
        Ok(self.sets(sql).await?.iter().map(|set| set.affected).sum())
    }

    /// Runs one statement with values sent beside it.
    pub async fn exec_with(&mut self, sql: &str, values: Vec<mysql_async::Value>) -> Result<u64, DatabaseError> {
        self.begin()?;
        let conn = &mut self.conn;
        let done = async {
            conn.exec_drop(sql, mysql_async::Params::Positional(values)).await?;
            Ok(conn.affected_rows())
        };
        let done = done.await;
        self.end(done)
    }

    /// The rows of a query.
    pub async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, DatabaseError> {
        self.begin()?;
        let rows = self.conn.query(sql).await;
        self.end(rows)
    }

    /// The rows of a query of texts; NULL is empty.
    pub async fn texts(&mut self, sql: &str) -> Result<Vec<Vec<String>>, DatabaseError> {
        let text = |value: mysql_async::Value| match value {
            mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            mysql_async::Value::NULL => String::new(),
            other => other.as_sql(true),
        };
        let rows = self.rows(sql).await?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect())
    }

    /// The first row of a query.
    pub async fn first<T: mysql_async::prelude::FromRow + Send + 'static>(
        &mut self,
        sql: &str,
    ) -> Result<Option<T>, DatabaseError> {
        self.begin()?;
        let row = self.conn.query_first(sql).await;
        self.end(row)
    }

    /// Runs statements; gives what each gave.
    pub async fn sets(&mut self, sql: &str) -> Result<Vec<ResultSet>, DatabaseError> {
        self.begin()?;
        let sets = sets(&mut self.conn, sql).await;
        self.end(sets)
    }
}

/// What one statement gave.
pub(super) struct ResultSet {
    /// Columns; none where it is no query.
    pub columns: Vec<mysql_async::Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Rows changed.
    pub affected: u64,
}

async fn sets(conn: &mut Conn, sql: &str) -> mysql_async::Result<Vec<ResultSet>> {
    let mut result = conn.query_iter(sql).await?;
    let mut sets = Vec::new();
    loop {
        let columns = result.columns_ref().to_vec();
        let affected = if columns.is_empty() { result.affected_rows() } else { 0 };
        let rows = result.collect::<Row>().await?;
        sets.push(ResultSet { columns, rows, affected });
        if result.is_empty() {
            return Ok(sets);
        }
    }
}
