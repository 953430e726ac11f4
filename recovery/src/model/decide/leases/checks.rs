//! Reports of a precheck, of whichever kind of task.

use super::invalid;
use crate::model::precheck::{PrecheckOutcome, PrecheckResult, PrecheckRun};
use crate::model::refusal::Refusal;
use jiff::Timestamp;

/// Notes an item; a failed one has a cause and a remedy (TMP-45), and so has a warning (LOG-49, LOG-50).
pub(super) fn note(run: Option<&mut PrecheckRun>, result: &PrecheckResult) -> Result<(), Refusal> {
    if let PrecheckOutcome::Failed { cause, remedy } | PrecheckOutcome::Warning { cause, remedy } = &result.outcome
        && (cause.trim().is_empty() || remedy.trim().is_empty())
    {
        return invalid("a precheck item that failed or warns needs a cause and a remedy");
    }
    let Some(run) = run else { return Ok(()) };
    match run.items.iter_mut().find(|known| known.item == result.item) {
        Some(known) => *known = result.clone(),
        None => run.items.push(result.clone()),
    }
    Ok(())
}

/// Ends the run and says whether it passed.
pub(super) fn end(run: Option<&mut PrecheckRun>, now: Timestamp) -> bool {
    run.is_some_and(|run| {
        run.ended_at = Some(now);
        run.passed()
    })
}
