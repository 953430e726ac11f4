//! What precheck items look at: the one or two servers of a task through sessions opened when first needed, and what was
//! read of them kept for the length of one run.

use super::failed;
use crate::model::content::{DatabaseFacts, Object};
use crate::model::precheck::PrecheckOutcome;
use crate::model::task::MigrationType;
use crate::model::work::{Access, MigrationJob};
use crate::ports::database::{DatabaseError, ServerFacts};
use crate::ports::{Clock, Database, Session};
use crate::worker::ask::{Ask, Claim, CreateDatabase, Databases, Describe, Facts};
use crate::worker::lease::{Lease, LetGo};
use crate::worker::scope::Scope;
use crate::worker::servers::{CALL_TIMEOUT_S, Side, silent};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why the look at an item ended early.
#[derive(Debug)]
pub enum Snag {
    /// The worker has to let go of the task.
    LetGo(LetGo),
    /// Its outcome is known already.
    Outcome(PrecheckOutcome),
}

impl From<LetGo> for Snag {
    fn from(let_go: LetGo) -> Self {
        Self::LetGo(let_go)
    }
}

struct Desk {
    access: Access,
    session: Option<Result<Box<dyn Session>, DatabaseError>>,
    claimed: bool,
    facts: Option<ServerFacts>,
    databases: Option<Vec<DatabaseFacts>>,
    objects: BTreeMap<String, Vec<Object>>,
}

impl Desk {
    fn new(access: &Access) -> Self {
        let (access, objects) = (access.clone(), BTreeMap::new());
        Self { access, session: None, claimed: false, facts: None, databases: None, objects }
    }
}

/// The servers of one precheck run.
pub struct Bench<W = MigrationJob> {
    /// The lease the run is made under.
    pub lease: Lease,
    work: Arc<W>,
    clock: Arc<dyn Clock>,
    database: Arc<dyn Database>,
    desks: BTreeMap<Side, Desk>,
}

impl Bench {
    /// The bench of a migration. Nothing is looked at yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, database: Arc<dyn Database>, lease: Lease, work: MigrationJob) -> Self {
        let sides = [(Side::Source, work.source.clone()), (Side::Target, work.target.clone())];
        Self::with(clock, database, lease, work, &sides)
    }

    /// Whether the task has this type.
    #[must_use]
    pub fn has(&self, kind: MigrationType) -> bool {
        self.work.types.contains(&kind)
    }

    /// Whether the task moves what is there: structure or rows.
    #[must_use]
    pub fn loads(&self) -> bool {
        self.has(MigrationType::Structure) || self.has(MigrationType::Full)
    }

    /// One side as the task names it.
    #[must_use]
    pub fn access(&self, side: Side) -> &Access {
        match side {
            Side::Source => &self.work.source,
            Side::Target => &self.work.target,
        }
    }

    /// The objects of every database of the source that something is selected of.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn source_objects(&mut self) -> Result<BTreeMap<String, Vec<Object>>, Snag> {
        let work = self.work();
        let mut described = BTreeMap::new();
        for database in Scope::new(&work.objects).databases() {
            described.insert(database.to_owned(), self.objects(Side::Source, database).await?);
        }
        Ok(described)
    }
}

impl<W> Bench<W> {
    /// A bench with these servers. Nothing is looked at yet.
    #[must_use]
    pub fn with(
        clock: Arc<dyn Clock>,
        database: Arc<dyn Database>,
        lease: Lease,
        work: W,
        sides: &[(Side, Access)],
    ) -> Self {
        let desks = sides.iter().map(|(side, access)| (*side, Desk::new(access))).collect();
        Self { lease, work: Arc::new(work), clock, database, desks }
    }

    /// The work.
    #[must_use]
    pub fn work(&self) -> Arc<W> {
        Arc::clone(&self.work)
    }

    fn desk(&mut self, side: Side) -> Result<&mut Desk, DatabaseError> {
        self.desks.get_mut(&side).ok_or_else(|| DatabaseError::Unreachable(format!("the task has no {side}")))
    }

    /// Logs in to a server, once a run.
    ///
    /// # Errors
    /// When the worker has to let go of the task.
    pub async fn connect(&mut self, side: Side) -> Result<Result<(), DatabaseError>, LetGo> {
        let desk = match self.desk(side) {
            Ok(desk) => desk,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(session) = &desk.session {
            return Ok(session.as_ref().map(|_| ()).map_err(Clone::clone));
        }
        let access = desk.access.clone();
        let session = match access.endpoint {
            None => Err(DatabaseError::Unreachable(format!("instance {} is gone", access.instance))),
            Some(endpoint) => {
                let database = Arc::clone(&self.database);
                let connecting = database.connect(&endpoint, &access.login);
                let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
                let session = self.lease.keep(self.clock.timeout(limit, connecting)).await?;
                session.unwrap_or_else(|| Err(silent()))
            }
        };
        let connected = session.as_ref().map(|_| ()).map_err(Clone::clone);
        if let Ok(desk) = self.desk(side) {
            desk.session = Some(session);
        }
        Ok(connected)
    }

    /// Asks a server something. An item whose server cannot be reached, or does not tell, fails with that.
    async fn ask<A: Ask>(&mut self, side: Side, ask: &A) -> Result<A::Answer, Snag> {
        self.try_ask(side, ask).await?.map_err(|error| Snag::Outcome(not_looked_at(side, &error)))
    }

    async fn try_ask<A: Ask>(&mut self, side: Side, ask: &A) -> Result<Result<A::Answer, DatabaseError>, LetGo> {
        if let Err(error) = self.connect(side).await? {
            return Ok(Err(unreachable_as(&error)));
        }
        let Some(desk) = self.desks.get_mut(&side) else {
            return Ok(Err(silent()));
        };
        let Some(Ok(session)) = &mut desk.session else {
            return Ok(Err(silent()));
        };
        let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
        let answer = self.lease.keep(self.clock.timeout(limit, ask.ask(session.as_mut()))).await?;
        let answer = answer.unwrap_or_else(|| Err(silent()));
        match &answer {
            // A broken session answers nothing more in this run.
            Err(error @ DatabaseError::Unreachable(_)) => desk.session = Some(Err(error.clone())),
            Err(DatabaseError::Fenced(_)) => return Err(LetGo::Fenced),
            _ => {}
        }
        Ok(answer)
    }

    /// What a server says of itself and of the account.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn facts(&mut self, side: Side) -> Result<ServerFacts, Snag> {
        if let Some(facts) = self.desks.get(&side).and_then(|desk| desk.facts.clone()) {
            return Ok(facts);
        }
        let facts = self.ask(side, &Facts).await?;
        if let Ok(desk) = self.desk(side) {
            desk.facts = Some(facts.clone());
        }
        Ok(facts)
    }

    /// The databases of a server.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn databases(&mut self, side: Side) -> Result<Vec<DatabaseFacts>, Snag> {
        let databases = match self.desks.get(&side).and_then(|desk| desk.databases.clone()) {
            Some(databases) => databases,
            None => self.ask(side, &Databases).await?,
        };
        if let Ok(desk) = self.desk(side) {
            desk.databases = Some(databases.clone());
        }
        Ok(databases)
    }

    /// A database of a server, if it has it.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn database(&mut self, side: Side, name: &str) -> Result<Option<DatabaseFacts>, Snag> {
        Ok(self.databases(side).await?.into_iter().find(|database| database.name == name))
    }

    /// The objects of a database; none where there is no such database.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn objects(&mut self, side: Side, database: &str) -> Result<Vec<Object>, Snag> {
        if let Some(objects) = self.desks.get(&side).and_then(|desk| desk.objects.get(database)) {
            return Ok(objects.clone());
        }
        let described = self.try_ask(side, &Describe(database)).await?;
        let objects = match described {
            Err(DatabaseError::NoSuchDatabase(_)) => Vec::new(),
            described => described.map_err(|error| Snag::Outcome(not_looked_at(side, &error)))?,
        };
        if let Ok(desk) = self.desk(side) {
            desk.objects.insert(database.to_owned(), objects.clone());
        }
        Ok(objects)
    }

    /// Makes a database in the target; claims the task there first, as this writes. One that is there by now is as good.
    ///
    /// # Errors
    /// When the worker has to let go of the task.
    pub async fn create_database(&mut self, name: &str, charset: &str) -> Result<Result<(), DatabaseError>, LetGo> {
        if !self.desks.get(&Side::Target).is_some_and(|desk| desk.claimed) {
            let task = self.lease.task().clone();
            let claim = Claim(task.as_str(), self.lease.epoch());
            if let Err(error) = self.try_ask(Side::Target, &claim).await? {
                return Ok(Err(error));
            }
        }
        if let Ok(desk) = self.desk(Side::Target) {
            (desk.claimed, desk.databases) = (true, None);
        }
        Ok(match self.try_ask(Side::Target, &CreateDatabase(name, charset)).await? {
            Err(DatabaseError::ObjectExists(_)) => Ok(()),
            made => made,
        })
    }
}

/// Whatever kept a session from being opened, the server cannot be reached by it.
fn unreachable_as(error: &DatabaseError) -> DatabaseError {
    DatabaseError::Unreachable(error.to_string())
}

/// The outcome of an item that could not be looked at.
fn not_looked_at(side: Side, error: &DatabaseError) -> PrecheckOutcome {
    match error {
        DatabaseError::Unreachable(_) => failed(
            format!("could not be looked at because the {side} is not reachable"),
            format!("Repair the connectivity of the {side} first, then start again."),
        ),
        error => failed(
            format!("could not be looked at because the {side} said: {error}"),
            format!("Repair what the {side} names, then start again."),
        ),
    }
}
