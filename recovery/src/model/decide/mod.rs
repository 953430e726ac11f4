//! Decisions: what a request or an event means for the state. Each is a pure function of the state, the policy, the time
//! and fresh ids; it returns the changes to commit and the answer, or a refusal that changes nothing.

pub mod backups;
mod charges;
pub mod clones;
pub mod downloads;
pub mod duties;
pub mod instances;
pub mod leases;
pub mod logical;
pub mod recoveries;
pub mod tasks;
pub mod temporary;
#[cfg(test)]
mod testing;
pub mod views;

use super::policy::Policy;
use super::refusal::{Refusal, RefusalCode};
use super::state::{State, StateChange};
use jiff::Timestamp;

/// What every decision is taken on.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Everything the service keeps.
    pub state: &'a State,
    /// Documented numbers and choices.
    pub policy: &'a Policy,
    /// The service's time.
    pub now: Timestamp,
    /// Makes an id with a prefix that was never given before.
    pub new_id: &'a dyn Fn(&str) -> String,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<T> {
    /// Changes, to be committed together before the answer is given.
    pub changes: Vec<StateChange>,
    /// Answer.
    pub answer: T,
}

/// A decision or a refusal.
pub type Decided<T> = Result<Decision<T>, Refusal>;

impl<T> Decision<T> {
    fn new(changes: Vec<StateChange>, answer: T) -> Self {
        Self { changes, answer }
    }
}

/// Nothing is left to do: what was reported is known already, or no longer of interest.
fn nothing() -> Decided<()> {
    Ok(Decision::new(Vec::new(), ()))
}

fn refuse<T>(code: RefusalCode, detail: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, detail))
}
