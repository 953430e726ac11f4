//! Reading a source for a backup: each question once, because a session that broke no longer reads as of its snapshot.

use super::layout::Unusable;
use crate::model::content::Change;
use crate::ports::database::DatabaseError;
use crate::worker::ask::{Ask, Changes};
use crate::worker::lease::Stop;
use crate::worker::servers::{Lost, Servers, Side};
use std::collections::BTreeSet;

/// Changes read at a time.
pub const CHANGES_AT_A_TIME: usize = 500;

/// Why a backup does not get on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Source or vault could not be reached; to be tried again later.
    Away(String),
    /// The source does not let the account in.
    Denied(String),
    /// It will not do better the next time.
    Broken(String),
}

impl From<Stop<Lost>> for Stop<Trouble> {
    fn from(stop: Stop<Lost>) -> Self {
        match stop {
            Stop::LetGo(let_go) => Self::LetGo(let_go),
            Stop::Failed(Lost::Gone { instance, .. }) => {
                Self::Failed(Trouble::Broken(format!("instance {instance} is gone")))
            }
            Stop::Failed(Lost::Unreachable { detail, .. }) => Self::Failed(Trouble::Away(detail)),
            Stop::Failed(Lost::Older { detail, .. }) => Self::Failed(Trouble::Broken(detail)),
        }
    }
}

impl From<Stop<Unusable>> for Stop<Trouble> {
    fn from(stop: Stop<Unusable>) -> Self {
        match stop {
            Stop::LetGo(let_go) => Self::LetGo(let_go),
            Stop::Failed(unusable) => Self::Failed(Trouble::Away(format!("vault: {}", unusable.detail))),
        }
    }
}

/// Asks the source something, once.
///
/// # Errors
/// When it does not answer, or refuses.
pub async fn ask<A: Ask>(servers: &mut Servers<'_>, ask: &A) -> Result<A::Answer, Stop<Trouble>> {
    servers.call_once(Side::Source, ask).await?.map_err(|error| {
        Stop::Failed(match error {
            DatabaseError::Unreachable(why) => Trouble::Away(why),
            DatabaseError::NotWhitelisted(_) | DatabaseError::AccessDenied(_) | DatabaseError::SslDisabled => {
                Trouble::Denied(error.to_string())
            }
            error => Trouble::Broken(error.to_string()),
        })
    })
}

/// The changes of some databases between two positions of the source's log, in portions.
pub struct LogReader<'a> {
    after: u64,
    to: u64,
    databases: &'a BTreeSet<String>,
}

impl<'a> LogReader<'a> {
    /// Changes after one position up to and including another; of all databases where none is named.
    #[must_use]
    pub fn new(after: u64, to: u64, databases: &'a BTreeSet<String>) -> Self {
        Self { after, to, databases }
    }

    /// The next portion, which may be empty; nothing when there are no more.
    ///
    /// # Errors
    /// When the source does not answer, or refuses.
    pub async fn next(&mut self, servers: &mut Servers<'_>) -> Result<Option<Vec<Change>>, Stop<Trouble>> {
        if self.after >= self.to {
            return Ok(None);
        }
        let mut changes = ask(servers, &Changes(self.after, CHANGES_AT_A_TIME)).await?;
        let full = changes.len() >= CHANGES_AT_A_TIME;
        self.after = changes.last().filter(|_| full).map_or(self.to, |last| last.position);
        changes.retain(|change| {
            change.position <= self.to && (self.databases.is_empty() || self.databases.contains(&change.database))
        });
        Ok(Some(changes))
    }
}
