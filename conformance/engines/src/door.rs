//! The door of the machines: who may come in, through which the sessions of each host pass.

use crate::cloud::Site;
use crate::rack::Lodger;
use crate::time::Busy;
use async_trait::async_trait;
use jiff::SignedDuration;
use recovery::model::InstanceId;
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::ports::clock::Clock;
use recovery::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Login, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use recovery::ports::{Database, Session};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};

/// How long a login may take.
const CONNECTING: SignedDuration = SignedDuration::from_secs(10);

/// Sessions as one host opens them.
#[derive(Clone)]
pub struct Door {
    site: Site,
    host: String,
    clock: Arc<dyn Clock>,
    /// Whether what passes can be cut, held and slowed down; direct ways are faster.
    guarded: bool,
    /// The ports of this host's guarded ways, by machine.
    ports: Arc<Mutex<BTreeMap<String, u16>>>,
}

impl Door {
    /// The door of a site, for a host.
    #[must_use]
    pub fn new(site: Site, host: impl Into<String>, clock: Arc<dyn Clock>, guarded: bool) -> Self {
        Self { site, host: host.into(), clock, guarded, ports: Arc::default() }
    }

    /// Who is at an endpoint, where this host may come in.
    fn admitted(&self, machine: &str, login: &Login) -> Result<Lodger, DatabaseError> {
        let nobody = || DatabaseError::Unreachable(format!("{machine}: connection refused"));
        let lodger = self.site.rack.on(machine).ok_or_else(nobody)?;
        if lodger.expires.is_some_and(|expires| expires <= self.site.time.now()) {
            return Err(nobody());
        }
        let whitelist = &lodger.configuration.whitelist;
        if !whitelist.contains(&self.host) && !whitelist.contains("0.0.0.0/0") {
            return Err(DatabaseError::NotWhitelisted(self.host.clone()));
        }
        if login.ssl && !lodger.configuration.ssl {
            return Err(DatabaseError::SslDisabled);
        }
        Ok(lodger)
    }

    /// Where a session with a machine is to be opened.
    async fn address(&self, machine: &str, lodger: &Lodger) -> Result<String, DatabaseError> {
        let unreachable = |why: String| DatabaseError::Unreachable(format!("{machine}: {why}"));
        if !self.guarded {
            return lodger.server.container.endpoint().await.map_err(|error| unreachable(error.to_string()));
        }
        let known = self.ports.lock().unwrap_or_else(PoisonError::into_inner).get(machine).copied();
        if let Some(port) = known {
            return Ok(format!("127.0.0.1:{port}"));
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| unreachable(error.to_string()))?;
        let port = listener.local_addr().map_err(|error| unreachable(error.to_string()))?.port();
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).insert(machine.to_owned(), port);
        let guard = guard(self.site.clone(), self.host.clone(), machine.to_owned(), listener);
        self.site.tasks.run(guard);
        Ok(format!("127.0.0.1:{port}"))
    }

    async fn open(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        let machine = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
        self.site.ways.pass(&self.host, machine).await;
        let lodger = self.admitted(machine, login)?;
        let address = self.address(machine, &lodger).await?;
        let player = self.site.player(&lodger.server.product);
        let player = player.map_err(|error| DatabaseError::Unreachable(error.to_string()))?;
        let session = player.engine.database().connect(&address, login).await?;
        let (site, instance) = (self.site.clone(), lodger.server.instance);
        Ok(Box::new(Seat { site, instance, machine: machine.to_owned(), session }))
    }
}

/// Passes connections of a host on to the server that is on a machine then.
async fn guard(site: Site, host: String, machine: String, listener: TcpListener) {
    while let Ok((near, _)) = listener.accept().await {
        let (of_connection, host, machine) = (site.clone(), host.clone(), machine.clone());
        site.tasks.run(async move {
            let site = of_connection;
            let Some(lodger) = site.rack.on(&machine) else { return };
            let Ok(endpoint) = lodger.server.container.endpoint().await else { return };
            let Ok(far) = TcpStream::connect(endpoint).await else { return };
            // Slower without, and no less right.
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            site.ways.relay((&host, near), (&machine, far)).await;
        });
    }
}

#[async_trait]
impl Database for Door {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        let _busy = self.site.time.busy();
        let opened = self.clock.timeout(CONNECTING, self.open(endpoint, login)).await;
        opened.unwrap_or_else(|| Err(DatabaseError::Unreachable(format!("{endpoint}: no answer in time"))))
    }
}

/// A session that came in by the door: it ends with its instance, and tells the service's time.
struct Seat {
    site: Site,
    instance: InstanceId,
    machine: String,
    session: Box<dyn Session>,
}

impl Seat {
    /// Says that a call is under way, while the instance is there.
    fn call(&self) -> Result<Busy, DatabaseError> {
        let gone = || DatabaseError::Unreachable(format!("{}: connection closed", self.machine));
        let lodger = self.site.rack.lodger(&self.instance).ok_or_else(gone)?;
        if lodger.expires.is_some_and(|expires| expires <= self.site.time.now()) {
            return Err(gone());
        }
        Ok(self.site.time.busy())
    }
}

#[async_trait]
impl Session for Seat {
    async fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        let _busy = self.call()?;
        self.session.claim(task, epoch).await
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        let _busy = self.call()?;
        let facts = self.session.facts().await?;
        let lodger = self.site.rack.lodger(&self.instance);
        let mut facts = ServerFacts { now: self.site.time.of_service(facts.now), ..facts };
        if let Some(lodger) = lodger {
            facts.product = lodger.server.product;
            // What was set, unless the server says otherwise.
            let said = std::mem::replace(&mut facts.parameters, lodger.configuration.parameters);
            facts.parameters.extend(said);
        }
        Ok(facts)
    }

    async fn circumstances(&mut self) -> Result<Circumstances, DatabaseError> {
        let _busy = self.call()?;
        self.session.circumstances().await
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        let _busy = self.call()?;
        self.session.databases().await
    }

    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        let _busy = self.call()?;
        self.session.create_database(name, charset).await
    }

    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError> {
        let _busy = self.call()?;
        self.session.describe(database).await
    }

    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        let _busy = self.call()?;
        self.session.create(database, object).await
    }

    async fn run(&mut self, database: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        let _busy = self.call()?;
        self.session.run(database, sql).await
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        let _busy = self.call()?;
        self.session.read(read).await
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        let _busy = self.call()?;
        let facts = self.session.snapshot().await?;
        Ok(SnapshotFacts { at: self.site.time.of_service(facts.at), ..facts })
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        let _busy = self.call()?;
        self.session.write(write).await
    }

    async fn changes(&mut self, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError> {
        let _busy = self.call()?;
        let mut changes = self.session.changes(after, limit).await?;
        for change in &mut changes {
            change.at = self.site.time.of_service(change.at);
        }
        Ok(changes)
    }

    async fn apply(&mut self, changes: &[Apply]) -> Result<(), DatabaseError> {
        let _busy = self.call()?;
        self.session.apply(changes).await
    }
}
