//! What a process says of one run: a hash for each event, and for each stretch of its log.

use super::log;
use crate::history::History;
use serde::{Deserialize, Serialize};

/// A run as it was.
pub struct Record {
    run: String,
    seed: u64,
    came: Result<History, String>,
    log: Option<Vec<String>>,
}

/// What is said of a run in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The run.
    pub(super) run: String,
    /// Seed.
    pub(super) seed: u64,
    /// A hash of each event.
    pub(super) events: Vec<String>,
    /// A hash of each line of the log.
    pub(super) log: Option<Vec<String>>,
    /// Why there is no history.
    pub(super) broken: Option<String>,
}

/// Makes a run, with its log at trace level if that is wanted; the run must stay on this thread.
pub fn record<E: ToString>(run: &str, seed: u64, logged: bool, make: impl FnOnce() -> Result<History, E>) -> Record {
    let (came, log) = if logged {
        let (came, log) = log::kept(make);
        (came, Some(log))
    } else {
        (make(), None)
    };
    Record { run: run.to_owned(), seed, came: came.map_err(|error| error.to_string()), log }
}

impl Record {
    /// The run in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let events = self.came.as_ref().map(History::event_hashes).unwrap_or_default();
        let log = self.log.as_ref().map(|log| log.iter().map(|line| log::hash(line)).collect());
        let broken = self.came.as_ref().err().cloned();
        let line = Line { run: self.run.clone(), seed: self.seed, events, log, broken };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Every event, a line each, and the log after them.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        let mut lines = match &self.came {
            Ok(history) => {
                history.events.iter().map(|event| serde_json::to_string(event).unwrap_or_default()).collect()
            }
            Err(broken) => vec![broken.clone()],
        };
        lines.extend(self.log.iter().flatten().cloned());
        lines
    }
}
