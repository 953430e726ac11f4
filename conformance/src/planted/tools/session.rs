//! Sessions with database servers that do otherwise than they were told.

use super::At;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::ports::Session;
use recovery::ports::database::{
    Apply, Chunk, DatabaseError, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};

/// What a call gives.
pub type Given<'a, T> = BoxFuture<'a, Result<T, DatabaseError>>;
/// The session beneath.
pub type Inner = dyn Session;

/// A hook for each call of a session; a call without one goes through. A hook is a closure
/// `|inner, asked, at| Box::pin(async move { … inner.write(asked).await … })`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionHooks {
    /// Round [`Session::claim`].
    pub claim: Option<for<'a> fn(&'a mut Inner, &'a str, u64, &'a At) -> Given<'a, ()>>,
    /// Round [`Session::facts`].
    pub facts: Option<for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, ServerFacts>>,
    /// Round [`Session::databases`].
    pub databases: Option<for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, Vec<DatabaseFacts>>>,
    /// Round [`Session::create_database`].
    pub create_database: Option<for<'a> fn(&'a mut Inner, &'a str, &'a str, &'a At) -> Given<'a, ()>>,
    /// Round [`Session::describe`].
    pub describe: Option<for<'a> fn(&'a mut Inner, &'a str, &'a At) -> Given<'a, Vec<Object>>>,
    /// Round [`Session::create`].
    pub create: Option<for<'a> fn(&'a mut Inner, &'a str, &'a Object, &'a At) -> Given<'a, ()>>,
    /// Round [`Session::run`].
    pub run: Option<for<'a> fn(&'a mut Inner, &'a str, &'a str, &'a At) -> Given<'a, Outcome>>,
    /// Round [`Session::read`].
    pub read: Option<for<'a> fn(&'a mut Inner, &'a ReadChunk, &'a At) -> Given<'a, Chunk>>,
    /// Round [`Session::snapshot`].
    pub snapshot: Option<for<'a> fn(&'a mut Inner, &'a At) -> Given<'a, SnapshotFacts>>,
    /// Round [`Session::write`].
    pub write: Option<for<'a> fn(&'a mut Inner, &'a WriteChunk, &'a At) -> Given<'a, u64>>,
    /// Round [`Session::changes`].
    pub changes: Option<for<'a> fn(&'a mut Inner, u64, usize, &'a At) -> Given<'a, Vec<Change>>>,
    /// Round [`Session::apply`].
    pub apply: Option<for<'a> fn(&'a mut Inner, &'a [Apply], &'a At) -> Given<'a, ()>>,
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
