//! Claims: which epoch of a task's lease may write on this server.
//!
//! They are kept in a database of their own, [`BOOKS`], which no user's database has a part in and nothing here shows. A
//! write reads the task's epoch in its own transaction under a shared lock, so that a later claim, which changes it,
//! waits for the write or stops it. Statements that change definitions end transactions; they and claims take turns by a
//! lock of the server (`GET_LOCK`). A session holds another such lock by which a later claim knows that the connection to
//! end is still that session.

use super::line::Line;
use super::quote;
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};

/// The database of the claims.
pub(crate) const BOOKS: &str = "firedrill";

/// What makes the database of the claims.
pub(crate) const MAKE_BOOKS: &str = "CREATE DATABASE IF NOT EXISTS firedrill CHARACTER SET utf8mb4;
CREATE TABLE IF NOT EXISTS firedrill.tasks (task varbinary(200) PRIMARY KEY, epoch bigint unsigned NOT NULL) ENGINE=InnoDB;
CREATE TABLE IF NOT EXISTS firedrill.sessions (connection bigint unsigned PRIMARY KEY, task varbinary(200) NOT NULL, \
epoch bigint unsigned NOT NULL) ENGINE=InnoDB;
CREATE TABLE IF NOT EXISTS firedrill.triggers (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, task varbinary(200) NOT NULL, \
db varchar(64) NOT NULL, name varchar(64) NOT NULL, statement longtext NOT NULL, modes text NOT NULL) ENGINE=InnoDB";

/// Seconds to wait for another's turn.
const TURN_S: u32 = 45;

/// A claim of a session.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// Task.
    pub task: String,
    epoch: u64,
}

impl Claim {
    /// A lock's name, which has 64 characters at most.
    fn lock(&self, what: &str) -> String {
        let digest = Sha256::digest(self.task.as_bytes());
        quote::text(&format!("{BOOKS}.{}.{what}", super::values::hex(&digest[..10])))
    }

    fn session_lock(&self, epoch: u64, connection: u64) -> String {
        self.lock(&format!("{epoch}.{connection}"))
    }

    fn task(&self) -> String {
        quote::text(&self.task)
    }

    /// Claims a task for a session: ends those of earlier epochs.
    pub async fn take(line: &mut Line, task: &str, epoch: u64) -> Result<Self, DatabaseError> {
        let claim = Self { task: task.to_owned(), epoch };
        match claim.latest(line, "").await {
            Err(DatabaseError::NoSuchDatabase(_) | DatabaseError::NoSuchObject(_)) => {
                line.exec(MAKE_BOOKS).await?;
            }
            latest => latest?,
        }
        claim.end_earlier(line).await?;
        claim.in_turn(line).await?;
        let entered = claim.enter(line).await;
        claim.out_of_turn(line).await?;
        if entered.is_err() {
            line.exec("ROLLBACK").await?;
        }
        entered?;
        Ok(claim)
    }

    /// Refuses where a later epoch has claimed the task.
    async fn latest(&self, line: &mut Line, locking: &str) -> Result<(), DatabaseError> {
        let sql = format!("SELECT epoch FROM {BOOKS}.tasks WHERE task = {} {locking}", self.task());
        let latest: Option<u64> = line.first(&sql).await?;
        match latest.filter(|latest| *latest > self.epoch) {
            Some(latest) => Err(DatabaseError::Fenced(latest)),
            None => Ok(()),
        }
    }

    /// Ends the sessions of earlier epochs and waits until they are gone.
    async fn end_earlier(&self, line: &mut Line) -> Result<(), DatabaseError> {
        let (task, epoch) = (self.task(), self.epoch);
        let sql = format!("SELECT connection, epoch FROM {BOOKS}.sessions WHERE task = {task} AND epoch < {epoch}");
        for found in line.texts(&sql).await? {
            let [connection, epoch] = found.as_slice() else { continue };
            let (Ok(connection), Ok(epoch)) = (connection.parse::<u64>(), epoch.parse()) else { continue };
            let lock = self.session_lock(epoch, connection);
            let holder: Option<Option<u64>> = line.first(&format!("SELECT IS_USED_LOCK({lock})")).await?;
            if holder.flatten() == Some(connection) {
                match line.exec(&format!("KILL CONNECTION {connection}")).await {
                    // Another account's goes on, and writes nothing any more once the epoch is written down.
                    Err(DatabaseError::NotPermitted { .. }) => {}
                    // It may have ended by itself just now.
                    Ok(_) | Err(DatabaseError::Statement(_)) => {
                        self.wait_for(line, &lock).await?;
                        line.exec(&format!("DO RELEASE_LOCK({lock})")).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            line.exec(&format!("DELETE FROM {BOOKS}.sessions WHERE connection = {connection}")).await?;
        }
        Ok(())
    }

    async fn wait_for(&self, line: &mut Line, lock: &str) -> Result<(), DatabaseError> {
        let got: Option<Option<i64>> = line.first(&format!("SELECT GET_LOCK({lock}, {TURN_S})")).await?;
        match got.flatten() {
            Some(1) => Ok(()),
            _ => Err(DatabaseError::Unreachable(format!("another session of task {} does not end", self.task))),
        }
    }

    async fn enter(&self, line: &mut Line) -> Result<(), DatabaseError> {
        let (task, epoch, id) = (self.task(), self.epoch, line.id());
        self.wait_for(line, &self.session_lock(epoch, id.into())).await?;
        line.exec("START TRANSACTION").await?;
        line.exec(&format!("INSERT INTO {BOOKS}.tasks VALUES ({task}, {epoch}) ON DUPLICATE KEY UPDATE epoch = epoch"))
            .await?;
        self.latest(line, "FOR UPDATE").await?;
        line.exec(&format!("UPDATE {BOOKS}.tasks SET epoch = {epoch} WHERE task = {task}")).await?;
        line.exec(&format!("REPLACE INTO {BOOKS}.sessions VALUES ({id}, {task}, {epoch})")).await?;
        line.exec("COMMIT").await?;
        Ok(())
    }

    /// In a transaction: refuses where a later epoch has claimed the task, and keeps one from doing so until the
    /// transaction ends.
    pub async fn hold(&self, line: &mut Line) -> Result<(), DatabaseError> {
        self.latest(line, "LOCK IN SHARE MODE").await
    }

    /// Waits for the turn of a statement that changes definitions.
    async fn in_turn(&self, line: &mut Line) -> Result<(), DatabaseError> {
        self.wait_for(line, &self.lock("turn")).await
    }

    async fn out_of_turn(&self, line: &mut Line) -> Result<(), DatabaseError> {
        line.exec(&format!("DO RELEASE_LOCK({})", self.lock("turn"))).await.map(|_| ())
    }

    /// Takes the turn for statements that change definitions; refuses where a later epoch has claimed the task.
    pub async fn begin_turn(&self, line: &mut Line) -> Result<(), DatabaseError> {
        self.in_turn(line).await?;
        let latest = self.latest(line, "").await;
        if latest.is_err() {
            self.out_of_turn(line).await?;
        }
        latest
    }

    /// Gives the turn back.
    pub async fn end_turn(&self, line: &mut Line) -> Result<(), DatabaseError> {
        self.out_of_turn(line).await
    }
}
