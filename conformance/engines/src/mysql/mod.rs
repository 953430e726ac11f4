//! MySQL (8 and later) and MariaDB (10.5 and later) behind the port [`Database`].

mod accounts;
mod backup;
mod claims;
mod describe;
mod errors;
mod facts;
mod layout;
mod line;
mod photograph;
mod program;
mod quote;
mod restore;
mod rows;
mod server;
mod table_text;
mod triggers;
mod values;

use async_trait::async_trait;
use claims::Claim;
use line::{Line, Mode};
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Login, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use recovery::ports::{Database, Session};
use rows::Layouts;
pub use server::MySqlServers;
use values::Shape;
pub(crate) use values::{hex, unhex};

/// Sessions with MySQL and MariaDB servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct MySql;

#[async_trait]
impl Database for MySql {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        let line = Line::open(endpoint, login).await?;
        Ok(Box::new(MySqlSession { line, claim: None, layouts: Layouts::default(), snapshot: false }))
    }
}

struct MySqlSession {
    line: Line,
    claim: Option<Claim>,
    layouts: Layouts,
    /// The session reads as of an instant.
    snapshot: bool,
}

/// Changes of a running server are not followed.
fn unavailable() -> DatabaseError {
    DatabaseError::Statement("incremental migration is not available with real MySQL and MariaDB servers".to_owned())
}

impl MySqlSession {
    /// Runs a statement that changes definitions, in turn with those of other sessions of the task.
    async fn define(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let claim = self.claim.clone();
        if let Some(claim) = &claim {
            claim.begin_turn(&mut self.line).await?;
        }
        let done = self.line.exec(sql).await;
        if let Some(claim) = &claim
            && !matches!(done, Err(DatabaseError::Unreachable(_)))
        {
            claim.end_turn(&mut self.line).await?;
        }
        self.layouts.clear();
        done.map(|_| ())
    }

    /// As of this instant: no transaction ends while the position is read.
    async fn freeze(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        let stopped = match self.line.exec("FLUSH TABLES WITH READ LOCK").await {
            Ok(_) => true,
            // Without the right to stop the others, the position may be a little before the instant.
            Err(DatabaseError::NotPermitted { .. }) => false,
            Err(error) => return Err(error),
        };
        let position = facts::position(&mut self.line).await;
        let begun = self.line.exec("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await;
        let at = facts::now(&mut self.line).await;
        if stopped {
            self.line.exec("UNLOCK TABLES").await?;
        }
        begun?;
        self.snapshot = true;
        Ok(SnapshotFacts { position: position?, at: at? })
    }

    async fn refuse_snapshot(&self) -> Result<(), DatabaseError> {
        if self.snapshot {
            return Err(DatabaseError::Statement("the session reads as of an instant and writes nothing".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Session for MySqlSession {
    async fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        self.line.set(Mode::Bulk).await?;
        let claim = Claim::take(&mut self.line, task, epoch).await?;
        claim.begin_turn(&mut self.line).await?;
        let woken = triggers::wake_all(&mut self.line, task).await;
        if !matches!(woken, Err(DatabaseError::Unreachable(_))) {
            claim.end_turn(&mut self.line).await?;
        }
        woken?;
        self.claim = Some(claim);
        Ok(())
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        self.line.set(Mode::Bulk).await?;
        facts::facts(&mut self.line).await
    }

    async fn circumstances(&mut self) -> Result<Circumstances, DatabaseError> {
        self.line.set(Mode::Bulk).await?;
        facts::circumstances(&mut self.line).await
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        facts::databases(&mut self.line).await
    }

    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        self.line.set(Mode::Bulk).await?;
        if facts::is_own(name) {
            return Err(DatabaseError::ObjectExists(name.to_owned()));
        }
        let charset = quote::text(charset);
        self.define(&format!("CREATE DATABASE {} CHARACTER SET {charset}", quote::name(name))).await
    }

    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError> {
        if facts::is_own(database) {
            return Err(DatabaseError::NoSuchDatabase(database.to_owned()));
        }
        describe::describe(&mut self.line, database).await
    }

    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        self.refuse_snapshot().await?;
        self.line.set(Mode::Plain).await?;
        self.line.enter(database).await?;
        let (modes, text) = program::modes(&object.definition);
        if let Some(modes) = modes {
            self.line.forget_mode();
            self.line.exec(&format!("SET SESSION sql_mode = {}", quote::text(modes))).await?;
        }
        self.define(&program::with_security(object.kind, text, object.security)).await
    }

    async fn run(&mut self, database: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        self.line.set(Mode::Plain).await?;
        self.line.enter(database).await?;
        let claim = self.claim.clone();
        // A distributed transaction begins and ends by its own statements, and within no other.
        let own = claim.is_none() && sql.trim_start().get(..3).is_some_and(|word| word.eq_ignore_ascii_case("xa "));
        if !own {
            self.line.exec("START TRANSACTION").await?;
        }
        if let Some(claim) = &claim
            && let Err(error) = claim.hold(&mut self.line).await
        {
            self.line.exec("ROLLBACK").await?;
            return Err(error);
        }
        let done = self.line.sets(sql).await;
        // The statements may have set whatever they liked.
        self.line.forget_mode();
        self.line.forget_database();
        self.layouts.clear();
        match &done {
            _ if own => 0,
            Ok(_) => self.line.exec("COMMIT").await?,
            Err(DatabaseError::Unreachable(_)) => 0,
            Err(_) => self.line.exec("ROLLBACK").await?,
        };
        let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 };
        for set in done? {
            outcome.affected += set.affected;
            if set.columns.is_empty() {
                continue;
            }
            let shapes: Vec<Shape> = set.columns.iter().map(Shape::of_column).collect();
            outcome.columns = set.columns.iter().map(|column| column.name_str().into_owned()).collect();
            let row = |row: mysql_async::Row| {
                row.unwrap().into_iter().zip(&shapes).map(|(given, shape)| shape.read(given)).collect()
            };
            outcome.rows = set.rows.into_iter().map(row).collect();
        }
        Ok(outcome)
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        rows::read(&mut self.line, &mut self.layouts, read).await
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        self.line.set(Mode::Bulk).await?;
        self.freeze().await
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        self.refuse_snapshot().await?;
        rows::write(&mut self.line, &mut self.layouts, self.claim.as_ref(), write).await
    }

    async fn changes(&mut self, _after: u64, _limit: usize) -> Result<Vec<Change>, DatabaseError> {
        Err(unavailable())
    }

    async fn apply(&mut self, _changes: &[Apply]) -> Result<(), DatabaseError> {
        Err(unavailable())
    }
}
