//! One connection to one database of a server.

use super::errors::At;
use super::tls::Tls;
use recovery::ports::database::{DatabaseError, Login};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

/// How long a login may take.
const LOGIN_LIMIT: Duration = Duration::from_secs(15);

/// Where and as whom connections are made.
#[derive(Debug, Clone)]
pub struct Door {
    /// Host.
    host: String,
    /// Port.
    port: u16,
    /// Who logs in.
    login: Login,
}

impl Door {
    /// The door at `host:port`.
    ///
    /// # Errors
    /// When that is no address.
    pub fn new(endpoint: &str, login: &Login) -> Result<Self, DatabaseError> {
        let no_address = || DatabaseError::Unreachable(format!("'{endpoint}' is not host:port"));
        let (host, port) = endpoint.rsplit_once(':').ok_or_else(no_address)?;
        let port = port.parse().map_err(|_| no_address())?;
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, login: login.clone() })
    }

    /// Logs in to a database under a name that other sessions of the account see.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn open(&self, database: &str, name: &str) -> Result<Connection, DatabaseError> {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(&self.login.account)
            .password(self.login.password.expose())
            .dbname(database)
            .application_name(name)
            .connect_timeout(LOGIN_LIMIT)
            .ssl_mode(if self.login.ssl { SslMode::Require } else { SslMode::Disable });
        let at = At { account: &self.login.account, database };
        let opening = async {
            if self.login.ssl {
                let tls = Tls::new().map_err(|error| DatabaseError::Statement(error.to_string()))?;
                let (client, driver) = config.connect(tls).await.map_err(|error| at.logging_in(&error, true))?;
                Ok::<_, DatabaseError>((client, tokio::spawn(async move { drop(driver.await) })))
            } else {
                let (client, driver) = config.connect(NoTls).await.map_err(|error| at.logging_in(&error, false))?;
                Ok::<_, DatabaseError>((client, tokio::spawn(async move { drop(driver.await) })))
            }
        };
        let silent = || DatabaseError::Unreachable(format!("no answer within {} seconds", LOGIN_LIMIT.as_secs()));
        let (client, driver) = tokio::time::timeout(LOGIN_LIMIT, opening).await.map_err(|_| silent())??;
        let (account, database) = (self.login.account.clone(), database.to_owned());
        Ok(Connection { client, driver, account, database, snapshot: false })
    }
}

/// A connection; it breaks off when dropped, whatever is under way on it.
pub struct Connection {
    client: Client,
    driver: JoinHandle<()>,
    account: String,
    database: String,
    /// Whether it is within a transaction that reads as of one instant.
    pub snapshot: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// The driver's client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What an error of the driver means here.
    #[must_use]
    pub fn means(&self, error: &tokio_postgres::Error) -> DatabaseError {
        At { account: &self.account, database: &self.database }.means(error)
    }

    /// Asks for rows.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn query(&self, sql: &str, with: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseError> {
        self.client.query(sql, with).await.map_err(|error| self.means(&error))
    }

    /// Asks for one row.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn one(&self, sql: &str, with: &[&(dyn ToSql + Sync)]) -> Result<Row, DatabaseError> {
        self.client.query_one(sql, with).await.map_err(|error| self.means(&error))
    }

    /// Runs statements whose rows do not matter.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn execute(&self, sql: &str) -> Result<(), DatabaseError> {
        self.client.batch_execute(sql).await.map_err(|error| self.means(&error))
    }

    /// Begins to read, as of one instant if `still`; within a snapshot that began already, just another step of it.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn begin_reading(&self, still: bool) -> Result<(), DatabaseError> {
        let begin = match (self.snapshot, still) {
            (true, _) => "SAVEPOINT firedrill",
            (false, true) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = public",
            (false, false) => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = public",
        };
        self.execute(begin).await
    }

    /// Ends what [`Self::begin_reading`] began, and gives the outcome on.
    ///
    /// # Errors
    /// The error that was found, or a new one.
    pub async fn end_reading<T>(&self, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        let end = match (self.snapshot, outcome.is_ok()) {
            (true, true) => "RELEASE SAVEPOINT firedrill",
            (true, false) => "ROLLBACK TO SAVEPOINT firedrill; RELEASE SAVEPOINT firedrill",
            (false, _) => "COMMIT",
        };
        let ended = self.execute(end).await;
        let found = outcome?;
        ended.map(|()| found)
    }

    /// Ends a transaction that writes as its outcome says.
    ///
    /// # Errors
    /// The error that was found, or a new one.
    pub async fn end_writing<T>(&self, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        match outcome {
            Ok(found) => self.execute("COMMIT").await.map(|()| found),
            Err(error) => {
                // A connection that is gone has rolled back by itself.
                let _ = self.execute("ROLLBACK").await;
                Err(error)
            }
        }
    }
}
