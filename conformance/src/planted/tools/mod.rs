//! What planted bugs are made of: small wrappers, so that a faulty variant of the system is a few lines.
//!
//! A hook stands round one call: it gets what it wraps and what was asked, and may ask it differently, twice, later or
//! not at all. What it has to remember lies in a [`Memory`] that is new for each run.

pub mod clock;
pub mod cloud;
pub mod database;
pub mod disk;
pub mod gate;
pub mod meddling;
pub mod memory;
pub mod session;
pub mod shown;
pub mod tasks;

pub use cloud::CloudHooks;
pub use meddling::Meddling;
pub use memory::{At, Memory};
pub use session::SessionHooks;

use crate::runner::gate::Gate;
use crate::runner::variant::Variant;
use recovery::model::policy::Policy;
use sim::Meddler;
use std::rc::Rc;
use std::sync::Arc;

/// A variant with other documented numbers and choices.
#[must_use]
pub const fn policy(change: fn(&mut Policy)) -> Variant {
    Variant { policy: Some(change), ports: None, gate: None }
}

/// A variant with a layer before the interface; see [`gate`].
#[must_use]
pub const fn layer(made: fn() -> Rc<dyn Gate>) -> Variant {
    Variant { policy: None, ports: None, gate: Some(made) }
}

/// A variant with wrapped ports; see [`meddling`].
#[must_use]
pub const fn ports(made: fn() -> Arc<dyn Meddler>) -> Variant {
    Variant { policy: None, ports: Some(made), gate: None }
}
