//! Charges: when one begins and when it ends.

use super::Context;
use crate::model::state::{Charge, StateChange};

/// What an instance is charged for.
pub(super) const INSTANCE: &str = "instance";
/// What a task is charged for; structure and full migration are free (DTS-12).
pub(super) const INCREMENTAL: &str = "incremental-migration";

/// Begins a charge now.
pub(super) fn begin(ctx: &Context<'_>, subject: &str, what: &str, cents_per_hour: u64) -> StateChange {
    let so_far = ctx.state.charges.values().filter(|charge| charge.subject == subject).count();
    let charge =
        Charge { subject: subject.to_owned(), what: what.to_owned(), from: ctx.now, until: None, cents_per_hour };
    StateChange::Charge(format!("{subject}/{}", so_far + 1), charge)
}

/// Ends now what is still charged to a subject; never before it began, though the clock may have been set back since.
pub(super) fn end(ctx: &Context<'_>, subject: &str) -> Vec<StateChange> {
    let running = ctx.state.charges.iter().filter(|(_, charge)| charge.subject == subject && charge.until.is_none());
    let ended = |charge: &Charge| Charge { until: Some(ctx.now.max(charge.from)), ..charge.clone() };
    running.map(|(key, charge)| StateChange::Charge(key.clone(), ended(charge))).collect()
}
