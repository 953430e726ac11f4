//! The system a run is against: as it is, or a faulty variant of it, made without touching it.

use super::gate::Gate;
use recovery::model::policy::Policy;
use sim::Meddler;
use std::rc::Rc;
use std::sync::Arc;

/// What is other than in the system as it is; nothing by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Variant {
    /// A change to the documented numbers and choices.
    pub policy: Option<fn(&mut Policy)>,
    /// Who stands between service and workers and their ports; made anew for each run.
    pub ports: Option<fn() -> Arc<dyn Meddler>>,
    /// What stands before the interface; made anew for each run.
    pub gate: Option<fn() -> Rc<dyn Gate>>,
}
