//! Heartbeats: an application writes a row every moment, in a database of its own, and keeps when each was acknowledged.
//! Which of them a recovered copy has tells how much time is lost, whatever the recovery says of itself.

use super::desk::Desk;
use engines::RealStage;
use jiff::{SignedDuration, Timestamp};
use recovery::model::content::Value;
use recovery::ports::Session;
use recovery::ports::database::{DatabaseError, Login};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The database of the heartbeats; a server's own as far as the rehearsal compares contents.
pub const DATABASE: &str = "firedrill_heartbeat";
/// Time between two.
const EVERY: SignedDuration = SignedDuration::from_millis(100);

/// The application and its ledger.
pub struct Beats {
    /// When each was acknowledged, in order; the first is number 1.
    acknowledged: Arc<Mutex<Vec<Timestamp>>>,
    over: Arc<AtomicBool>,
}

impl Beats {
    /// Makes the database, and writes from now on.
    pub async fn begin(desk: &Desk<'_>, endpoint: &str) -> Result<Self, DatabaseError> {
        let mut session = desk.stage.ports.database.connect(endpoint, &desk.login).await?;
        session.create_database(DATABASE, "utf8").await?;
        session.run(DATABASE, "CREATE TABLE beats (number int PRIMARY KEY)").await?;
        let beats = Self { acknowledged: Arc::default(), over: Arc::default() };
        let (ledger, over) = (Arc::clone(&beats.acknowledged), Arc::clone(&beats.over));
        let clock = Arc::clone(&desk.stage.ports.clock);
        desk.stage.site.tasks.run(async move {
            for number in 1_u64.. {
                let sql = format!("INSERT INTO beats VALUES ({number})");
                if over.load(Ordering::SeqCst) || session.run(DATABASE, &sql).await.is_err() {
                    return;
                }
                ledger.lock().unwrap_or_else(PoisonError::into_inner).push(clock.now());
                clock.sleep(EVERY).await;
            }
        });
        Ok(beats)
    }

    /// Ends them; gives when each was acknowledged.
    pub fn end(&self) -> Vec<Timestamp> {
        self.over.store(true, Ordering::SeqCst);
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The number of the last heartbeat that a copy has.
pub async fn last(stage: &RealStage, endpoint: &str, login: &Login) -> Result<usize, DatabaseError> {
    let mut session: Box<dyn Session> = stage.ports.database.connect(endpoint, login).await?;
    let outcome = session.run(DATABASE, "SELECT max(number) FROM beats").await?;
    match outcome.rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(number)) => Ok(usize::try_from(*number).unwrap_or(0)),
        _ => Ok(0),
    }
}
