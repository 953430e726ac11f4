//! Claims: which epoch of a task's lease may write on this server.
//!
//! They are keys of a database behind the sixteen that clients use, [`BOOKS`]; servers are started with one more for
//! it. A write watches the key of its task, so that it comes to nothing where a later claim changed it meanwhile.

use super::line::{Line, number};
use recovery::ports::database::DatabaseError;
use redis::{Pipeline, Value};

/// The database of the claims.
pub(super) const BOOKS: usize = super::table::DATABASES;

/// A claim of a session.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    task: String,
    epoch: u64,
}

/// Writes the epoch of a task down unless a later one is there; gives the one that is there then.
const TAKE: &str = "local there = redis.call('GET', KEYS[1])
if not there or tonumber(there) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1] end
return there";

impl Claim {
    /// Claims a task for a session.
    pub async fn take(line: &mut Line, task: &str, epoch: u64) -> Result<Self, DatabaseError> {
        let claim = Self { task: task.to_owned(), epoch };
        let mut pipe = redis::pipe();
        pipe.cmd("SELECT").arg(BOOKS).cmd("EVAL").arg(TAKE).arg(1).arg(claim.key()).arg(epoch);
        let answers = match line.all(&mut pipe).await {
            Err(DatabaseError::NoSuchDatabase(_)) => {
                let why = format!("the server has no database {BOOKS}, which claims are kept in: start it with more");
                return Err(DatabaseError::Statement(why));
            }
            answers => answers?,
        };
        claim.compare(answers.last())?;
        Ok(claim)
    }

    fn key(&self) -> String {
        format!("firedrill:{}", self.task)
    }

    fn compare(&self, latest: Option<&Value>) -> Result<(), DatabaseError> {
        let latest = latest.and_then(number).and_then(|latest| u64::try_from(latest).ok());
        match latest.filter(|latest| *latest > self.epoch) {
            Some(latest) => Err(DatabaseError::Fenced(latest)),
            None => Ok(()),
        }
    }

    /// Watches the task's epoch; the commands for it come first.
    pub fn watch(&self, pipe: &mut Pipeline) {
        pipe.cmd("SELECT").arg(BOOKS).cmd("WATCH").arg(self.key()).cmd("GET").arg(self.key());
    }

    /// Refuses where the answers to [`Self::watch`] tell of a later epoch.
    pub fn check(&self, answers: &[Value]) -> Result<(), DatabaseError> {
        self.compare(answers.get(2))
    }

    /// Refuses where a later epoch has claimed the task.
    pub async fn hold(&self, line: &mut Line) -> Result<(), DatabaseError> {
        let mut pipe = redis::pipe();
        pipe.cmd("SELECT").arg(BOOKS).cmd("GET").arg(self.key());
        let answers = line.all(&mut pipe).await?;
        self.compare(answers.last())
    }
}
