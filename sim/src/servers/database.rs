//! The port to database servers: framed requests over the network, each with a timeout.

use super::protocol::{Ask, Replied, Said, receive, send};
use super::timing;
use async_trait::async_trait;
use jiff::SignedDuration;
use recovery::model::InstanceId;
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Login, Outcome, ReadChunk, ServerFacts, Session, SnapshotFacts,
    WriteChunk,
};
use recovery::ports::{Clock, Database, Network, Stream};
use std::io;
use std::sync::Arc;

/// Opens sessions with simulated servers, as one host sees them.
#[derive(Clone)]
pub struct SimDatabase {
    clock: Arc<dyn Clock>,
    network: Arc<dyn Network>,
}

impl SimDatabase {
    /// Sessions from a host with this clock and network.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, network: Arc<dyn Network>) -> Self {
        Self { clock, network }
    }
}

/// An endpoint is `instance.machine:port`, so that a machine's next instance is never taken for the one before.
fn parted(endpoint: &str) -> (Option<InstanceId>, &str) {
    match endpoint.split_once('.') {
        Some((instance, address)) if instance.contains(|letter: char| !letter.is_ascii_digit()) => {
            (Some(InstanceId::from(instance)), address)
        }
        _ => (None, endpoint),
    }
}

#[async_trait]
impl Database for SimDatabase {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        let (instance, address) = parted(endpoint);
        let entering = async {
            let mut stream = self.network.connect(address).await?;
            send(&mut stream, &Ask::Login { instance, login: login.clone() }).await?;
            let reply: Replied = receive(&mut stream).await?;
            Ok::<_, io::Error>((stream, reply))
        };
        let entered = self.clock.timeout(timing::CONNECT_TIMEOUT, entering).await;
        let (stream, reply) = reached(endpoint, entered)?;
        reply?;
        let (clock, endpoint) = (Arc::clone(&self.clock), endpoint.to_owned());
        Ok(Box::new(SimSession { clock, endpoint, stream: Some(stream) }))
    }
}

fn reached<T>(endpoint: &str, got: Option<io::Result<T>>) -> Result<T, DatabaseError> {
    let why = match got {
        Some(Ok(reached)) => return Ok(reached),
        Some(Err(error)) => error.to_string(),
        None => "no answer in time".to_owned(),
    };
    Err(DatabaseError::Unreachable(format!("{endpoint}: {why}")))
}

/// One session; without a stream it is broken.
struct SimSession {
    clock: Arc<dyn Clock>,
    endpoint: String,
    stream: Option<Box<dyn Stream>>,
}

impl SimSession {
    async fn ask(&mut self, ask: Ask) -> Result<Said, DatabaseError> {
        // Taken out while the request is under way: whoever cuts the call off breaks the session.
        let Some(mut stream) = self.stream.take() else {
            return Err(DatabaseError::Unreachable(format!("{}: the session is broken", self.endpoint)));
        };
        let asking = async {
            send(&mut stream, &ask).await?;
            receive::<Replied, _>(&mut stream).await
        };
        let span: SignedDuration = timing::REQUEST_TIMEOUT;
        let got = self.clock.timeout(span, asking).await;
        let reply = reached(&self.endpoint, got)?;
        self.stream = Some(stream);
        reply
    }

    async fn done(&mut self, ask: Ask) -> Result<(), DatabaseError> {
        self.ask(ask).await.map(|_| ())
    }
}

fn strange() -> DatabaseError {
    DatabaseError::Statement("the server answered something else than was asked".into())
}

/// Asks, and takes the one kind of answer that fits.
macro_rules! asked {
    ($session:expr, $ask:expr, $answer:pat => $value:expr) => {
        match $session.ask($ask).await? {
            $answer => Ok($value),
            _ => Err(strange()),
        }
    };
}

#[async_trait]
impl Session for SimSession {
    async fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        self.done(Ask::Claim { task: task.to_owned(), epoch }).await
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        asked!(self, Ask::Facts, Said::Facts(facts) => *facts)
    }

    async fn circumstances(&mut self) -> Result<Circumstances, DatabaseError> {
        asked!(self, Ask::Circumstances, Said::Circumstances(told) => *told)
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        asked!(self, Ask::Snapshot, Said::Snapshot(facts) => facts)
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        asked!(self, Ask::Databases, Said::Databases(databases) => databases)
    }

    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        self.done(Ask::CreateDatabase { name: name.to_owned(), charset: charset.to_owned() }).await
    }

    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError> {
        asked!(self, Ask::Describe { database: database.to_owned() }, Said::Objects(objects) => objects)
    }

    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        self.done(Ask::Create { database: database.to_owned(), object: Box::new(object.clone()) }).await
    }

    async fn run(&mut self, database: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        let ask = Ask::Run { database: database.to_owned(), sql: sql.to_owned() };
        asked!(self, ask, Said::Outcome(outcome) => outcome)
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        asked!(self, Ask::Read(read.clone()), Said::Chunk(chunk) => chunk)
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        asked!(self, Ask::Write(write.clone()), Said::Count(count) => count)
    }

    async fn changes(&mut self, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError> {
        asked!(self, Ask::Changes { after, limit }, Said::Changes(changes) => changes)
    }

    async fn apply(&mut self, changes: &[Apply]) -> Result<(), DatabaseError> {
        self.done(Ask::Apply(changes.to_vec())).await
    }
}
