//! Redis (6 to 8) and Valkey behind the port [`Database`]: each logical database is one table of keys.

mod accounts;
mod answers;
mod backup;
mod claims;
mod line;
mod photograph;
mod server;
mod table;
mod words;

use async_trait::async_trait;
use claims::Claim;
use jiff::Timestamp;
use line::{Line, elements, number};
use recovery::model::content::{Change, DatabaseFacts, Object, ObjectKind};
use recovery::model::instance::{Grants, Rights};
use recovery::model::product::{Edition, Engine, Product, Series, Version};
use recovery::ports::database::{
    Apply, Chunk, DatabaseError, Login, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use recovery::ports::{Database, Session};
use redis::Value;
pub use server::RedisServers;
use table::Listed;

/// The character set its databases are said to have.
const CHARSET: &str = "binary";
/// A key that nobody has: whether it may be written tells what an account may do.
const NOBODYS: &str = "firedrill:nobody's key";

/// Sessions with Redis and Valkey servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Redis;

#[async_trait]
impl Database for Redis {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        let line = Line::open(endpoint, login).await?;
        Ok(Box::new(RedisSession { line, claim: None, listed: Listed::default() }))
    }
}

struct RedisSession {
    line: Line,
    claim: Option<Claim>,
    listed: Listed,
}

fn unavailable(what: &str) -> DatabaseError {
    DatabaseError::Statement(format!("{what} is not available with real Redis and Valkey servers"))
}

/// The product that stands for a server in the documents' lists.
pub(crate) fn product(version: (u32, u32)) -> Product {
    let version = if version.0 >= 7 { Version::V7_0 } else { Version::V6_0 };
    Product { engine: Engine::Redis, version, edition: Edition::Only, series: Series::HighAvailability }
}

impl RedisSession {
    /// What the account may do, found by trying: only administrators may ask.
    async fn rights(&mut self) -> Result<Rights, DatabaseError> {
        let mut pipe = redis::pipe();
        pipe.cmd("EXISTS").arg(NOBODYS).cmd("DEL").arg(NOBODYS).cmd("CONFIG").arg("GET").arg("maxmemory");
        let answers = self.line.ask(&mut pipe).await?;
        let may = |at: usize| answers.get(at).is_some_and(|answer| !matches!(answer, Value::ServerError(_)));
        Ok(match (may(0), may(1), may(2)) {
            (true, true, true) => Rights::Owner,
            (true, true, false) => Rights::ReadWrite,
            (true, false, _) => Rights::ReadOnly,
            (false, ..) => Rights::None,
        })
    }

    async fn permit_writing(&mut self, what: &str) -> Result<(), DatabaseError> {
        if self.rights().await?.writes() {
            return Ok(());
        }
        Err(DatabaseError::NotPermitted { account: self.line.account.clone(), what: what.to_owned() })
    }

    async fn now(&mut self) -> Result<Timestamp, DatabaseError> {
        let told: Vec<i64> = elements(self.line.one(&[b"TIME"]).await?).iter().filter_map(number).collect();
        let time = told.first().zip(told.get(1)).and_then(|(second, micros)| {
            Timestamp::from_microsecond(second.checked_mul(1_000_000)?.checked_add(*micros)?).ok()
        });
        time.ok_or_else(|| DatabaseError::Statement("the server does not tell its time".to_owned()))
    }
}

#[async_trait]
impl Session for RedisSession {
    async fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        self.claim = Some(Claim::take(&mut self.line, task, epoch).await?);
        Ok(())
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        self.line.look().await?;
        let policy =
            self.line.said("maxmemory_policy").map(|policy| ("maxmemory-policy".to_owned(), policy.to_owned()));
        let parameters = policy.into_iter().collect();
        let log_position = self.line.said("master_repl_offset").and_then(|at| at.parse().ok()).unwrap_or(0);
        Ok(ServerFacts {
            product: product(self.line.version()),
            now: self.now().await?,
            grants: Grants::all(self.rights().await?),
            parameters,
            log_position,
        })
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        if !self.rights().await?.reads() {
            return Ok(Vec::new());
        }
        let counts = table::counts(&mut self.line).await?;
        let there = (0..table::DATABASES).filter(|database| *database == 0 || counts.contains_key(database));
        Ok(there.map(|name| DatabaseFacts { name: name.to_string(), charset: CHARSET.to_owned() }).collect())
    }

    async fn create_database(&mut self, name: &str, _charset: &str) -> Result<(), DatabaseError> {
        // Each is there already.
        table::index(name)?;
        self.permit_writing("make a database").await
    }

    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError> {
        let index = table::index(database)?;
        if !self.rights().await?.reads() {
            return Ok(Vec::new());
        }
        let counts = table::counts(&mut self.line).await?;
        Ok(vec![table::described(counts.get(&index).copied().unwrap_or(0))])
    }

    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        table::index(database)?;
        self.permit_writing("make an object").await?;
        match object.kind {
            ObjectKind::Table if object.name == table::NAME => Ok(()),
            _ => {
                Err(DatabaseError::Statement(format!("this engine has no other object than the table {}", table::NAME)))
            }
        }
    }

    async fn run(&mut self, database: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        let index = table::index(database)?;
        let commands = words::commands(sql).map_err(DatabaseError::Statement)?;
        if let Some(claim) = &self.claim {
            claim.hold(&mut self.line).await?;
        }
        let mut pipe = redis::pipe();
        // One of several that fails is not undone by the server; one that is not understood keeps all from being run.
        pipe.cmd("SELECT").arg(index).cmd("MULTI");
        for command in &commands {
            let mut words = command.iter();
            let mut made = redis::cmd(&String::from_utf8_lossy(words.next().map_or(&[][..], Vec::as_slice)));
            words.for_each(|word| {
                made.arg(word.as_slice());
            });
            pipe.add_command(made);
        }
        pipe.cmd("EXEC");
        let mut answers = self.line.ask(&mut pipe).await?;
        let done = answers.pop();
        if let Some(error) = answers.iter().find_map(error_of) {
            return Err(line::of_server(&self.line.account, error));
        }
        let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 };
        match done {
            Some(Value::Array(answers)) => {
                for (words, answer) in commands.iter().zip(answers) {
                    outcome = answers::outcome(&self.line.account, words, answer)?;
                }
            }
            Some(Value::ServerError(error)) => return Err(line::of_server(&self.line.account, &error)),
            _ => {}
        }
        Ok(outcome)
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        table::read(&mut self.line, &mut self.listed, read).await
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        Err(unavailable("reading as of an instant"))
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        table::write(&mut self.line, self.claim.as_ref(), write).await
    }

    async fn changes(&mut self, _after: u64, _limit: usize) -> Result<Vec<Change>, DatabaseError> {
        Err(unavailable("incremental migration"))
    }

    async fn apply(&mut self, _changes: &[Apply]) -> Result<(), DatabaseError> {
        Err(unavailable("incremental migration"))
    }
}

fn error_of(value: &Value) -> Option<&redis::ServerError> {
    if let Value::ServerError(error) = value { Some(error) } else { None }
}
