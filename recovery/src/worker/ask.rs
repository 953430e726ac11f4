//! What a worker asks of a database server, as values: so that a call can be made again after the connection broke.

use crate::model::content::{Change, DatabaseFacts, Object};
use crate::ports::Session;
use crate::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use futures_util::future::BoxFuture;

/// A pending answer of a server.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, DatabaseError>>;

/// One thing to ask of a server.
pub trait Ask: Sync {
    /// What it answers.
    type Answer: Send;

    /// Asks it.
    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Self::Answer>;
}

/// What the server says of itself.
pub struct Facts;

impl Ask for Facts {
    type Answer = ServerFacts;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, ServerFacts> {
        session.facts()
    }
}

/// What else prechecks want to know of it.
pub struct AskCircumstances;

impl Ask for AskCircumstances {
    type Answer = Circumstances;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Circumstances> {
        session.circumstances()
    }
}

/// To run a query in a database.
pub struct Query<'a>(pub &'a str, pub &'a str);

impl Ask for Query<'_> {
    type Answer = Outcome;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Outcome> {
        session.run(self.0, self.1)
    }
}

/// Its databases.
pub struct Databases;

impl Ask for Databases {
    type Answer = Vec<DatabaseFacts>;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Vec<DatabaseFacts>> {
        session.databases()
    }
}

/// All objects of a database.
pub struct Describe<'a>(pub &'a str);

impl Ask for Describe<'_> {
    type Answer = Vec<Object>;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Vec<Object>> {
        session.describe(self.0)
    }
}

/// To make a database: its name and character set.
pub struct CreateDatabase<'a>(pub &'a str, pub &'a str);

impl Ask for CreateDatabase<'_> {
    type Answer = ();

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, ()> {
        session.create_database(self.0, self.1)
    }
}

/// To take the session under a task's lease: task and epoch.
pub struct Claim<'a>(pub &'a str, pub u64);

impl Ask for Claim<'_> {
    type Answer = ();

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, ()> {
        session.claim(self.0, self.1)
    }
}

/// To make an object in a database.
pub struct Create<'a>(pub &'a str, pub &'a Object);

impl Ask for Create<'_> {
    type Answer = ();

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, ()> {
        session.create(self.0, self.1)
    }
}

/// To read as of this instant from now on.
pub struct Snapshot;

impl Ask for Snapshot {
    type Answer = SnapshotFacts;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, SnapshotFacts> {
        session.snapshot()
    }
}

impl Ask for ReadChunk {
    type Answer = Chunk;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Chunk> {
        session.read(self)
    }
}

impl Ask for WriteChunk {
    type Answer = u64;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, u64> {
        session.write(self)
    }
}

/// Changes after a log position, so many at most.
pub struct Changes(pub u64, pub usize);

impl Ask for Changes {
    type Answer = Vec<Change>;

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, Vec<Change>> {
        session.changes(self.0, self.1)
    }
}

impl Ask for [Apply] {
    type Answer = ();

    fn ask<'a>(&'a self, session: &'a mut dyn Session) -> Reply<'a, ()> {
        session.apply(self)
    }
}
