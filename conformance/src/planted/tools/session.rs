//! Sessions with database servers that do otherwise than they were told.

use super::At;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::ports::Session;
use recovery::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};

/// What a call gives.
pub type Given<'a, T> = BoxFuture<'a, Result<T, DatabaseError>>;
/// The session beneath.
pub type Inner = dyn Session;

type ClaimHook = for<'a> fn(&'a mut Inner, &'a str, u64, &'a At) -> Given<'a, ()>;
type FactsHook = for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, ServerFacts>;
type CircumstancesHook = for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, Circumstances>;
type DatabasesHook = for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, Vec<DatabaseFacts>>;
type CreateDatabaseHook = for<'a> fn(&'a mut Inner, &'a str, &'a str, &'a At) -> Given<'a, ()>;
type DescribeHook = for<'a> fn(&'a mut Inner, &'a str, &'a At) -> Given<'a, Vec<Object>>;
type CreateHook = for<'a> fn(&'a mut Inner, &'a str, &'a Object, &'a At) -> Given<'a, ()>;
type RunHook = for<'a> fn(&'a mut Inner, &'a str, &'a str, &'a At) -> Given<'a, Outcome>;
type ReadHook = for<'a> fn(&'a mut Inner, &'a ReadChunk, &'a At) -> Given<'a, Chunk>;
type SnapshotHook = for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, SnapshotFacts>;
type WriteHook = for<'a> fn(&'a mut Inner, &'a WriteChunk, &'a At) -> Given<'a, u64>;
type ChangesHook = for<'a> fn(&'a mut Inner, u64, usize, &'a At) -> Given<'a, Vec<Change>>;
type ApplyHook = for<'a> fn(&'a mut Inner, &'a [Apply], &'a At) -> Given<'a, ()>;

/// A hook for each call of a session; a call without one goes through. A hook is a closure
/// `|inner, asked, at| Box::pin(async move { … inner.write(asked).await … })`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionHooks {
    /// Round [`Session::claim`].
    pub claim: Option<ClaimHook>,
    /// Round [`Session::facts`].
    pub facts: Option<FactsHook>,
    /// Round [`Session::circumstances`].
    pub circumstances: Option<CircumstancesHook>,
    /// Round [`Session::databases`].
    pub databases: Option<DatabasesHook>,
    /// Round [`Session::create_database`].
    pub create_database: Option<CreateDatabaseHook>,
    /// Round [`Session::describe`].
    pub describe: Option<DescribeHook>,
    /// Round [`Session::create`].
    pub create: Option<CreateHook>,
    /// Round [`Session::run`].
    pub run: Option<RunHook>,
    /// Round [`Session::read`].
    pub read: Option<ReadHook>,
    /// Round [`Session::snapshot`].
    pub snapshot: Option<SnapshotHook>,
    /// Round [`Session::write`].
    pub write: Option<WriteHook>,
    /// Round [`Session::changes`].
    pub changes: Option<ChangesHook>,
    /// Round [`Session::apply`].
    pub apply: Option<ApplyHook>,
}

/// A session with hooks.
pub(super) struct Hooked {
    pub inner: Box<dyn Session>,
    pub hooks: SessionHooks,
    pub at: At,
}

macro_rules! hooked {
    ($($name:ident($($asked:ident: $kind:ty),*) -> $given:ty;)+) => {
        #[async_trait]
        impl Session for Hooked {
            $(async fn $name(&mut self, $($asked: $kind),*) -> Result<$given, DatabaseError> {
                match self.hooks.$name {
                    Some(hook) => hook(&mut *self.inner, $($asked,)* &self.at).await,
                    None => self.inner.$name($($asked),*).await,
                }
            })+
        }
    };
}
hooked! {
    claim(task: &str, epoch: u64) -> ();
    facts() -> ServerFacts;
    circumstances() -> Circumstances;
    databases() -> Vec<DatabaseFacts>;
    create_database(name: &str, charset: &str) -> ();
    describe(database: &str) -> Vec<Object>;
    create(database: &str, object: &Object) -> ();
    run(database: &str, sql: &str) -> Outcome;
    read(read: &ReadChunk) -> Chunk;
    snapshot() -> SnapshotFacts;
    write(write: &WriteChunk) -> u64;
    changes(after: u64, limit: usize) -> Vec<Change>;
    apply(changes: &[Apply]) -> ();
}
