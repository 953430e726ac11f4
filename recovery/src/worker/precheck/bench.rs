//! What precheck items look at: the one or two servers of a task through sessions opened when first needed, and what was
//! read of them kept for the length of one run. Items that look at one server take turns on its session.

use crate::model::TaskId;
use crate::model::content::{DatabaseFacts, Object, ObjectKind};
use crate::model::precheck::Finding;
use crate::model::task::{MigrationType, ObjectProgress};
use crate::model::work::{Access, MigrationJob};
use crate::ports::database::{Circumstances, DatabaseError, Outcome, ServerFacts};
use crate::ports::{Clock, Database, Session};
use crate::worker::ask::{Ask, AskCircumstances, Claim, CreateDatabase, Databases, Describe, Facts, Query};
use crate::worker::lease::{Lease, LetGo};
use crate::worker::migrate::plan::{self, Planned};
use crate::worker::scope::Scope;
use crate::worker::servers::{CALL_TIMEOUT_S, Side, silent};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Why the look at an item ended early.
#[derive(Debug)]
pub enum Snag {
    /// The worker has to let go of the task.
    LetGo(LetGo),
    /// What is found is known already.
    Found(Finding),
}

impl From<LetGo> for Snag {
    fn from(let_go: LetGo) -> Self {
        Self::LetGo(let_go)
    }
}

/// One server, and what is known of it.
struct Desk {
    access: Access,
    session: Option<Result<Box<dyn Session>, DatabaseError>>,
    claimed: bool,
    facts: Option<ServerFacts>,
    /// How far the server's clock is ahead of the worker's.
    ahead: SignedDuration,
    circumstances: Option<Arc<Circumstances>>,
    databases: Option<Vec<DatabaseFacts>>,
    objects: BTreeMap<String, Vec<Object>>,
}

/// The servers of one precheck run.
pub struct Bench<W = MigrationJob> {
    task: TaskId,
    epoch: u64,
    work: Arc<W>,
    clock: Arc<dyn Clock>,
    database: Arc<dyn Database>,
    desks: BTreeMap<Side, Mutex<Desk>>,
}

impl Bench {
    /// The bench of a migration. Nothing is looked at yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, database: Arc<dyn Database>, lease: &Lease, work: MigrationJob) -> Self {
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

    /// The tables of the source that rows are brought over from, each with its database.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn source_tables(&self) -> Result<Vec<(String, Object)>, Snag> {
        let scope = Scope::new(&self.work.objects);
        let mut tables = Vec::new();
        for (database, objects) in self.source_objects().await? {
            let chosen = objects
                .into_iter()
                .filter(|object| object.kind == ObjectKind::Table && scope.place(&database, &object.name).is_some());
            tables.extend(chosen.map(|table| (database.clone(), table)));
        }
        Ok(tables)
    }

    /// The objects of every database of the source that something is selected of.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn source_objects(&self) -> Result<BTreeMap<String, Vec<Object>>, Snag> {
        let mut described = BTreeMap::new();
        for database in Scope::new(&self.work.objects).databases() {
            described.insert(database.to_owned(), self.objects(Side::Source, database).await?);
        }
        Ok(described)
    }

    /// What the task makes or fills, in the order it does.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn planned(&self) -> Result<Vec<Planned>, Snag> {
        let described = self.source_objects().await?;
        let engine = self.work.source.product.engine;
        Ok(plan::plan(engine, Scope::new(&self.work.objects), &self.work.types, &described))
    }

    /// The same with the names it gets in the target.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn planned_as(&self) -> Result<Vec<ObjectProgress>, Snag> {
        let (planned, engine) = (self.planned().await?, self.work.source.product.engine);
        Ok(plan::progress(engine, Scope::new(&self.work.objects), &planned))
    }
}

impl<W> Bench<W> {
    /// A bench with these servers. Nothing is looked at yet.
    #[must_use]
    pub fn with(
        clock: Arc<dyn Clock>,
        database: Arc<dyn Database>,
        lease: &Lease,
        work: W,
        sides: &[(Side, Access)],
    ) -> Self {
        let desk = |access: &Access| Desk {
            access: access.clone(),
            session: None,
            claimed: false,
            facts: None,
            ahead: SignedDuration::ZERO,
            circumstances: None,
            databases: None,
            objects: BTreeMap::new(),
        };
        let desks = sides.iter().map(|(side, access)| (*side, Mutex::new(desk(access)))).collect();
        Self { task: lease.task().clone(), epoch: lease.epoch(), work: Arc::new(work), clock, database, desks }
    }

    /// The work.
    #[must_use]
    pub fn work(&self) -> Arc<W> {
        Arc::clone(&self.work)
    }

    fn desk(&self, side: Side) -> Result<&Mutex<Desk>, DatabaseError> {
        self.desks.get(&side).ok_or_else(|| DatabaseError::Unreachable(format!("the task has no {side}")))
    }

    /// Logs in to a server, once a run.
    ///
    /// # Errors
    /// What kept it from working.
    pub async fn connect(&self, side: Side) -> Result<(), DatabaseError> {
        self.open(&mut *self.desk(side)?.lock().await).await
    }

    async fn open(&self, desk: &mut Desk) -> Result<(), DatabaseError> {
        if desk.session.is_none() {
            desk.session = Some(match &desk.access.endpoint {
                None => Err(DatabaseError::Unreachable(format!("instance {} is gone", desk.access.instance))),
                Some(endpoint) => {
                    let connecting = self.database.connect(endpoint, &desk.access.login);
                    let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
                    self.clock.timeout(limit, connecting).await.unwrap_or_else(|| Err(silent()))
                }
            });
        }
        match &desk.session {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Asks a server something over its one session.
    async fn ask<A: Ask>(&self, desk: &mut Desk, ask: &A) -> Result<Result<A::Answer, DatabaseError>, LetGo> {
        if let Err(error) = self.open(desk).await {
            return Ok(Err(unreachable_as(&error)));
        }
        let Some(Ok(session)) = &mut desk.session else {
            return Ok(Err(silent()));
        };
        let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
        let answer = self.clock.timeout(limit, ask.ask(session.as_mut())).await.unwrap_or_else(|| Err(silent()));
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
    pub async fn facts(&self, side: Side) -> Result<ServerFacts, Snag> {
        let mut desk = self.desk(side).map_err(|error| not_looked_at(side, &error))?.lock().await;
        if let Some(facts) = &desk.facts {
            return Ok(facts.clone());
        }
        let asked_at = self.clock.now();
        let facts = self.ask(&mut desk, &Facts).await?.map_err(|error| not_looked_at(side, &error))?;
        // The server's time was read at some instant between.
        let took = self.clock.now().duration_since(asked_at);
        desk.ahead = facts.now.duration_since(asked_at) - took / 2;
        desk.facts = Some(facts.clone());
        Ok(facts)
    }

    /// How far a server's clock is ahead of the worker's.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn ahead(&self, side: Side) -> Result<SignedDuration, Snag> {
        self.facts(side).await?;
        let desk = self.desk(side).map_err(|error| not_looked_at(side, &error))?.lock().await;
        Ok(desk.ahead)
    }

    /// The worker's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs a query in a database of a server.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn query(&self, side: Side, database: &str, sql: &str) -> Result<Outcome, Snag> {
        let mut desk = self.desk(side).map_err(|error| not_looked_at(side, &error))?.lock().await;
        let answer = self.ask(&mut desk, &Query(database, sql)).await?;
        answer.map_err(|error| not_looked_at(side, &error))
    }

    /// What else a server tells of itself.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn circumstances(&self, side: Side) -> Result<Arc<Circumstances>, Snag> {
        let mut desk = self.desk(side).map_err(|error| not_looked_at(side, &error))?.lock().await;
        if let Some(circumstances) = &desk.circumstances {
            return Ok(Arc::clone(circumstances));
        }
        let told = self.ask(&mut desk, &AskCircumstances).await?.map_err(|error| not_looked_at(side, &error))?;
        let told = Arc::new(told);
        desk.circumstances = Some(Arc::clone(&told));
        Ok(told)
    }

    /// A parameter of a server; nothing where it has none of that name.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn parameter(&self, side: Side, name: &str) -> Result<Option<String>, Snag> {
        Ok(self.facts(side).await?.parameters.get(name).cloned())
    }

    /// The databases of a server.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn databases(&self, side: Side) -> Result<Vec<DatabaseFacts>, Snag> {
        let mut desk = self.desk(side).map_err(|error| not_looked_at(side, &error))?.lock().await;
        if let Some(databases) = &desk.databases {
            return Ok(databases.clone());
        }
        let databases = self.ask(&mut desk, &Databases).await?.map_err(|error| not_looked_at(side, &error))?;
        desk.databases = Some(databases.clone());
        Ok(databases)
    }

    /// A database of a server, if it has it.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn database(&self, side: Side, name: &str) -> Result<Option<DatabaseFacts>, Snag> {
        Ok(self.databases(side).await?.into_iter().find(|database| database.name == name))
    }

    /// The objects of a database; none where there is no such database.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn objects(&self, side: Side, database: &str) -> Result<Vec<Object>, Snag> {
        let mut desk = self.desk(side).map_err(|error| not_looked_at(side, &error))?.lock().await;
        if let Some(objects) = desk.objects.get(database) {
            return Ok(objects.clone());
        }
        let objects = match self.ask(&mut desk, &Describe(database)).await? {
            Err(DatabaseError::NoSuchDatabase(_)) => Vec::new(),
            described => described.map_err(|error| not_looked_at(side, &error))?,
        };
        desk.objects.insert(database.to_owned(), objects.clone());
        Ok(objects)
    }

    /// Makes a database in the target; claims the task there first, as this writes. One that is there by now is as good.
    ///
    /// # Errors
    /// When the worker has to let go of the task.
    pub async fn create_database(&self, name: &str, charset: &str) -> Result<Result<(), DatabaseError>, LetGo> {
        let mut desk = match self.desk(Side::Target) {
            Ok(desk) => desk.lock().await,
            Err(error) => return Ok(Err(error)),
        };
        if !desk.claimed {
            let claim = Claim(self.task.as_str(), self.epoch);
            if let Err(error) = self.ask(&mut desk, &claim).await? {
                return Ok(Err(error));
            }
        }
        (desk.claimed, desk.databases) = (true, None);
        Ok(match self.ask(&mut desk, &CreateDatabase(name, charset)).await? {
            Err(DatabaseError::ObjectExists(_)) => Ok(()),
            made => made,
        })
    }
}

/// Whatever kept a session from being opened, the server cannot be reached by it.
fn unreachable_as(error: &DatabaseError) -> DatabaseError {
    DatabaseError::Unreachable(error.to_string())
}

/// The finding of an item that could not be looked at.
fn not_looked_at(side: Side, error: &DatabaseError) -> Snag {
    Snag::Found(match error {
        DatabaseError::Unreachable(_) => Finding::new(
            format!("could not be looked at because the {side} is not reachable"),
            format!("Repair the connectivity of the {side} first, then start again."),
        ),
        error => Finding::new(
            format!("could not be looked at because the {side} said: {error}"),
            format!("Repair what the {side} names, then start again."),
        ),
    })
}
