//! Reports of a precheck, of whichever kind of task.

use super::invalid;
use crate::model::precheck::{Finding, PrecheckItem, PrecheckResult, PrecheckRun};
use crate::model::refusal::Refusal;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Notes an item; a failed one has a cause and a remedy (TMP-45), and so has a warning (LOG-49, LOG-50).
/// What a shielded item finds does not count (DTS-09).
pub(super) fn note(
    run: Option<&mut PrecheckRun>,
    shields: &BTreeSet<PrecheckItem>,
    result: &PrecheckResult,
) -> Result<(), Refusal> {
    let silent = |finding: &Finding| finding.cause.trim().is_empty() || finding.remedy.trim().is_empty();
    if result.outcome.found().is_some_and(|found| found.findings.is_empty() || found.findings.iter().any(silent)) {
        return invalid("a precheck item that failed or warns needs a cause and a remedy");
    }
    let Some(run) = run else { return Ok(()) };
    let shield = shields.contains(&result.item).then(|| result.item.shield().unwrap_or_default());
    let outcome = shield.map_or_else(|| result.outcome.clone(), |source| result.outcome.clone().shielded(source));
    let result = PrecheckResult { item: result.item, outcome };
    // Items are looked at side by side, and shown in their own order.
    match run.items.binary_search_by_key(&result.item, |known| known.item) {
        Ok(place) => run.items[place] = result,
        Err(place) => run.items.insert(place, result),
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
