//! The one or two database servers of a task: sessions that are opened when needed, given a time limit, and tried again
//! while a server cannot be reached.

use super::ask::Ask;
use super::lease::{Lease, LetGo, Stop};
use crate::model::task::TaskFailure;
use crate::model::work::Access;
use crate::model::{Product, TaskId};
use crate::ports::clock::later_s;
use crate::ports::database::DatabaseError;
use crate::ports::{Clock, Database, Session};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Seconds one call of a session may take; a server that is silent for longer counts as unreachable.
pub const CALL_TIMEOUT_S: i64 = 60;
/// Seconds before an unreachable server is tried again at first, and at most.
const AGAIN_S: (i64, i64) = (1, 30);
/// Seconds an unreachable server is tried under one lease. Then the worker stops renewing and lets the lease lapse:
/// nothing reported is lost, and the next lease brings fresh addresses, or the news that the instance is gone.
const AWAY_S: i64 = 60;
/// Seconds after which a worker's memory of an outage is stale: somebody else has been working on the task since.
const OUTAGE_STALE_S: i64 = 600;

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Where the data is; only read.
    Source,
    /// Where the data goes.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// Since when, and until when, servers of tasks were seen unreachable. Kept from lease to lease, so that the documented
/// patience of 12 hours is counted over all of them.
#[derive(Debug, Default)]
pub struct Outages(BTreeMap<(TaskId, Side), (Timestamp, Timestamp)>);

impl Outages {
    /// Notes that a server cannot be reached now; says since when that has been so.
    fn note(&mut self, task: &TaskId, side: Side, now: Timestamp) -> Timestamp {
        self.0.retain(|_, (_, seen)| later_s(*seen, OUTAGE_STALE_S) > now);
        let (since, seen) = self.0.entry((task.clone(), side)).or_insert((now, now));
        *seen = now;
        *since
    }

    fn over(&mut self, task: &TaskId, side: Side) {
        self.0.remove(&(task.clone(), side));
    }
}

/// Why a server of a task is not asked any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The instance was released or deleted.
    Gone {
        /// Which server.
        side: Side,
        /// Instance.
        instance: String,
    },
    /// It could not be reached for too long.
    Unreachable {
        /// Which server.
        side: Side,
        /// What the last attempt said.
        detail: String,
    },
    /// It is of an earlier version than what it is to take, or of another engine.
    Older {
        /// Which server.
        side: Side,
        /// What both are.
        detail: String,
    },
}

impl From<Stop<Lost>> for Stop {
    fn from(stop: Stop<Lost>) -> Self {
        Self::Failed(match stop {
            Stop::LetGo(let_go) => return Self::LetGo(let_go),
            Stop::Failed(Lost::Gone { side, instance }) => {
                TaskFailure::InstanceGone { side: side.to_string(), instance }
            }
            Stop::Failed(Lost::Unreachable { side, detail }) => {
                TaskFailure::Unreachable { side: side.to_string(), detail }
            }
            Stop::Failed(Lost::Older { side, detail }) => TaskFailure::Refused { side: side.to_string(), detail },
        })
    }
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer<T> {
    side: Side,
    /// The answer.
    pub outcome: Result<T, DatabaseError>,
    /// Whether the call was made more than once, so that an earlier one may have had its effect.
    pub repeated: bool,
}

impl<T> Answer<T> {
    /// The answer, or the failure of the task that a refusal means.
    ///
    /// # Errors
    /// When the server refused.
    pub fn or_fail(self) -> Result<T, Stop> {
        self.outcome.map_err(|error| refused(self.side, &error))
    }
}

/// The failure of a task whose server refused something.
#[must_use]
pub fn refused(side: Side, what: &impl ToString) -> Stop {
    Stop::Failed(TaskFailure::Refused { side: side.to_string(), detail: what.to_string() })
}

struct Line {
    access: Access,
    session: Option<Box<dyn Session>>,
    away_since: Option<Timestamp>,
    pause_s: i64,
}

impl Line {
    fn new(access: &Access) -> Self {
        Self { access: access.clone(), session: None, away_since: None, pause_s: AGAIN_S.0 }
    }
}

/// The sessions of one attempt at a task, and the lease it is made under.
pub struct Servers<'a> {
    /// The lease.
    pub lease: Lease,
    clock: Arc<dyn Clock>,
    database: Arc<dyn Database>,
    outages: &'a mut Outages,
    lines: BTreeMap<Side, Line>,
    /// What each side said it is when the newest session with it was opened.
    products: BTreeMap<Side, Product>,
    patience_s: i64,
}

impl<'a> Servers<'a> {
    /// The servers of a task, which has one or both sides; an unreachable one is tried again for `patience_s` seconds. No
    /// session is opened yet.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        database: Arc<dyn Database>,
        lease: Lease,
        outages: &'a mut Outages,
        sides: &[(Side, &Access)],
        patience_s: i64,
    ) -> Self {
        let lines = sides.iter().map(|(side, access)| (*side, Line::new(access))).collect();
        Self { lease, clock, database, outages, lines, products: BTreeMap::new(), patience_s }
    }

    /// Says what the data is of that goes to the target, where it is not read from a server.
    pub fn comes_from(&mut self, product: Product) {
        self.products.insert(Side::Source, product);
    }

    /// The time on this host.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn line(&mut self, side: Side) -> Result<&mut Line, Stop<Lost>> {
        let none = Lost::Unreachable { side, detail: format!("the task has no {side}") };
        self.lines.get_mut(&side).ok_or(Stop::Failed(none))
    }

    /// Ends the session with a server; the next question opens another.
    pub fn hang_up(&mut self, side: Side) {
        if let Some(line) = self.lines.get_mut(&side) {
            line.session = None;
        }
    }

    /// Asks a server something, again and again while it cannot be reached.
    ///
    /// # Errors
    /// When the lease is over, the server is gone, away for too long, or has been claimed under a later lease.
    pub async fn call<A: Ask + ?Sized>(&mut self, side: Side, ask: &A) -> Result<Answer<A::Answer>, Stop<Lost>> {
        let mut repeated = false;
        loop {
            match self.call_once(side, ask).await? {
                Err(DatabaseError::Unreachable(detail)) => self.wait_out(side, detail).await?,
                outcome => return Ok(Answer { side, outcome, repeated }),
            }
            repeated = true;
        }
    }

    /// Asks a server something once, opening a session if there is none. After [`DatabaseError::Unreachable`] the session
    /// is gone, and whether the question had its effect is open.
    ///
    /// # Errors
    /// When the lease is over, the server is gone, or has been claimed under a later lease.
    pub async fn call_once<A: Ask + ?Sized>(
        &mut self,
        side: Side,
        ask: &A,
    ) -> Result<Result<A::Answer, DatabaseError>, Stop<Lost>> {
        let outcome = match self.connected(side).await? {
            Ok(()) => self.attempt(side, ask).await?,
            Err(error) => Err(error),
        };
        match &outcome {
            Err(DatabaseError::Unreachable(_)) => self.hang_up(side),
            Err(DatabaseError::Fenced(_)) => return Err(LetGo::Fenced.into()),
            _ => {
                self.outages.over(self.lease.task(), side);
                let line = self.line(side)?;
                (line.away_since, line.pause_s) = (None, AGAIN_S.0);
            }
        }
        Ok(outcome)
    }

    async fn attempt<A: Ask + ?Sized>(
        &mut self,
        side: Side,
        ask: &A,
    ) -> Result<Result<A::Answer, DatabaseError>, Stop<Lost>> {
        let Some(session) = self.lines.get_mut(&side).and_then(|line| line.session.as_deref_mut()) else {
            return Ok(Err(DatabaseError::Unreachable("the session is gone".to_owned())));
        };
        let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
        let answer = self.lease.keep(self.clock.timeout(limit, ask.ask(session))).await?;
        Ok(answer.unwrap_or_else(|| Err(silent())))
    }

    /// Opens a session if there is none. On the target it claims the task first of all, so that no earlier lease can
    /// write there any more and this one cannot once a later one has come. Whoever opens a session asks the server what
    /// it is: it may have been upgraded or downgraded since the precheck, and nothing is written to an older one.
    async fn connected(&mut self, side: Side) -> Result<Result<(), DatabaseError>, Stop<Lost>> {
        let line = self.line(side)?;
        if line.session.is_some() {
            return Ok(Ok(()));
        }
        let access = line.access.clone();
        let Some(endpoint) = access.endpoint else {
            return Err(Stop::Failed(Lost::Gone { side, instance: access.instance }));
        };
        let claim = (self.lease.task().clone(), self.lease.epoch());
        let database = Arc::clone(&self.database);
        let has_target = self.lines.contains_key(&Side::Target);
        let connecting = async {
            let mut session = database.connect(&endpoint, &access.login).await?;
            if side == Side::Target {
                session.claim(claim.0.as_str(), claim.1).await?;
            }
            let product = if has_target { Some(session.facts().await?.product) } else { None };
            Ok((session, product))
        };
        let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
        let session = self.lease.keep(self.clock.timeout(limit, connecting)).await?;
        match session.unwrap_or_else(|| Err(silent())) {
            Ok((session, product)) => {
                self.products.extend(product.map(|product| (side, product)));
                if let Some(detail) = self.older_target() {
                    return Err(Stop::Failed(Lost::Older { side: Side::Target, detail }));
                }
                self.line(side)?.session = Some(session);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Why the target cannot take what comes from the source, as far as both have said what they are (DTS-17, LOG-05).
    fn older_target(&self) -> Option<String> {
        let (source, target) = (self.products.get(&Side::Source)?, self.products.get(&Side::Target)?);
        let fits = source.engine == target.engine && source.version <= target.version;
        (!fits)
            .then(|| format!("the data is of {source}, and the server is {target}: choose or upgrade to a later one"))
    }

    /// Waits before a server is tried again, or gives up.
    ///
    /// # Errors
    /// When the lease is over, or the server has been away for too long.
    pub async fn wait_out(&mut self, side: Side, detail: String) -> Result<(), Stop<Lost>> {
        let now = self.clock.now();
        let since = self.outages.note(self.lease.task(), side, now);
        if later_s(since, self.patience_s) <= now {
            return Err(Stop::Failed(Lost::Unreachable { side, detail }));
        }
        let line = self.line(side)?;
        line.session = None;
        if later_s(*line.away_since.get_or_insert(now), AWAY_S) <= now {
            return Err(LetGo::Away.into());
        }
        let pause_s = line.pause_s;
        line.pause_s = (pause_s * 2).min(AGAIN_S.1);
        tracing::debug!(task = %self.lease.task(), %side, detail, pause_s, "server not reached");
        Ok(self.lease.wait(SignedDuration::from_secs(pause_s)).await?)
    }
}

/// What a server that does not answer is taken for.
#[must_use]
pub fn silent() -> DatabaseError {
    DatabaseError::Unreachable(format!("no answer within {CALL_TIMEOUT_S} seconds"))
}
