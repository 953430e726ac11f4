//! The application that keeps writing to a master while recovery goes on, and its ledger of what was acknowledged.

use super::operator::Operator;
use super::recorder::Recorder;
use super::target::Guest;
use crate::history::{LedgerEntry, What};
use jiff::SignedDuration;
use recovery::ports::database::{DatabaseError, Login};
use recovery::ports::{Ports, Session};
use scenarios::{ApplicationSpec, Host, Scenario};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What the application is told, and whether it is between two rows.
#[derive(Default)]
struct Reins {
    writing: Cell<bool>,
    held: Cell<bool>,
    stopped: Cell<bool>,
    busy: Cell<bool>,
    alive: Cell<bool>,
    rows: Cell<i64>,
    endpoint: RefCell<Option<String>>,
}

/// The application under way: however it ends, another one may be started afterwards.
struct Life(Rc<Reins>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.alive.set(false);
        self.0.busy.set(false);
    }
}

/// The application of a scenario, if it has one.
pub struct Application {
    operator: Rc<Operator>,
    spec: Option<ApplicationSpec>,
    reins: Rc<Reins>,
}

/// The first key the application writes: far from what scenarios write themselves.
pub const FIRST_ROW: i64 = 1_000_000;

impl Application {
    /// The application a scenario describes; nothing happens before [`Self::begin`].
    pub fn new(operator: &Rc<Operator>, scenario: &Scenario) -> Self {
        Self { operator: Rc::clone(operator), spec: scenario.application.clone(), reins: Rc::default() }
    }

    /// Begins to write, where the scenario says from the start.
    pub fn begin(&self) {
        if self.spec.as_ref().is_some_and(|spec| spec.from_start) {
            self.resume();
        }
    }

    /// Begins to write, or goes on.
    pub fn resume(&self) {
        let Some(spec) = self.spec.clone() else { return };
        self.reins.writing.set(true);
        if self.reins.alive.replace(true) {
            return;
        }
        let (reins, operator) = (Rc::clone(&self.reins), Rc::clone(&self.operator));
        // The application's host is there in every world.
        let guest: Guest = Box::new(move |ports| Box::pin(write(ports, operator, spec, reins)));
        let _ = self.operator.stage.control.spawn_on(&Host::Application.to_string(), guest);
        let (reins, operator) = (Rc::clone(&self.reins), Rc::clone(&self.operator));
        if reins.endpoint.borrow().is_some() {
            return;
        }
        let on = self.spec.as_ref().map(|spec| spec.on.clone()).unwrap_or_default();
        tokio::task::spawn_local(async move {
            if let Ok(id) = operator.instance(&on)
                && let Ok(endpoint) = operator.endpoint(&id).await
            {
                *reins.endpoint.borrow_mut() = endpoint;
            }
        });
    }

    /// Writes nothing until told; returns once no row is under way.
    pub async fn pause(&self) {
        self.reins.writing.set(false);
        self.quiet().await;
    }

    /// Writes no more.
    pub async fn stop(&self) {
        self.reins.stopped.set(true);
        self.quiet().await;
    }

    /// Holds its breath for a mark.
    pub async fn hold(&self) {
        self.reins.held.set(true);
        self.quiet().await;
    }

    /// Breathes again.
    pub fn release(&self) {
        self.reins.held.set(false);
    }

    async fn quiet(&self) {
        for _ in 0..1_000 {
            if !self.reins.busy.get() {
                return;
            }
            self.operator.sleep(SignedDuration::from_millis(50)).await;
        }
    }
}

/// The application's life on its own host, until it pauses: a row every so often, each in the ledger.
async fn write(ports: Ports, operator: Rc<Operator>, spec: ApplicationSpec, reins: Rc<Reins>) {
    let life = Life(reins);
    let reins = &life.0;
    let every = SignedDuration::try_from(spec.every).unwrap_or(SignedDuration::from_secs(1));
    let recorder: Recorder = operator.recorder.clone();
    let mut session: Option<Box<dyn Session>> = None;
    while reins.writing.get() && !reins.stopped.get() {
        ports.clock.sleep(every).await;
        let endpoint = reins.endpoint.borrow().clone();
        let (Some(endpoint), Ok(instance)) = (endpoint, operator.instance(&spec.on)) else { continue };
        if reins.stopped.get() || reins.held.get() || !reins.writing.get() {
            continue;
        }
        reins.busy.set(true);
        let still = operator.hold_breath().await;
        let id = FIRST_ROW + reins.rows.replace(reins.rows.get() + 1);
        let sent_at = operator.now();
        let statement = statement(&spec, recorder.is_redis(&instance), id);
        let outcome = insert(&ports, &endpoint, &spec, &statement, &mut session).await;
        if outcome.is_err() {
            session = None;
        }
        let unsent = matches!(outcome, Err(Insert::NotSent));
        let entry = LedgerEntry {
            instance,
            database: spec.database.clone(),
            table: spec.table.clone(),
            id,
            sent_at,
            acknowledged: outcome.is_ok(),
            refused: matches!(outcome, Err(Insert::Refused)),
        };
        if !unsent {
            recorder.record(operator.now(), What::Ledger(entry));
        }
        drop(still);
        reins.busy.set(false);
    }
}

/// Why a row was not acknowledged.
enum Insert {
    /// It was never sent: there was no session.
    NotSent,
    /// The server said no.
    Refused,
    /// The server said nothing.
    Silent,
}

/// What writes a row: an insert, or for Redis a key with the table's name before the row's.
fn statement(spec: &ApplicationSpec, redis: bool, id: i64) -> String {
    if redis {
        return format!("set {}:{id} row-{id}", spec.table);
    }
    format!("insert into {} ({}, {}) values ({id}, 'row {id}')", spec.table, spec.key_column, spec.note_column)
}

async fn insert(
    ports: &Ports,
    endpoint: &str,
    spec: &ApplicationSpec,
    statement: &str,
    session: &mut Option<Box<dyn Session>>,
) -> Result<(), Insert> {
    if session.is_none() {
        let login = Login { account: spec.login.account.clone(), password: spec.login.password.clone(), ssl: false };
        *session = ports.database.connect(endpoint, &login).await.ok();
    }
    let Some(open) = session else { return Err(Insert::NotSent) };
    let outcome: Result<_, DatabaseError> = open.run(&spec.database, statement).await;
    outcome.map(drop).map_err(|error| match error {
        DatabaseError::Unreachable(_) => Insert::Silent,
        _ => Insert::Refused,
    })
}
