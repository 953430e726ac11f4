//! The output of `firedrill precheck`: every precheck a scenario's tasks went through, item by item.

use crate::history::{History, What};
use recovery::model::precheck::{PrecheckOutcome, PrecheckRun};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Every finished precheck run of a history, in order.
#[must_use]
pub fn prechecks(history: &History) -> String {
    let mut shown = BTreeSet::new();
    let mut text = String::new();
    for event in &history.events {
        let What::TaskSeen(task) = &event.what else { continue };
        let Some(run) = task.precheck.as_ref().filter(|run| run.ended_at.is_some()) else { continue };
        if shown.insert((task.id.clone(), run.number)) {
            let (source, target) =
                (history.name_of(&task.source.instance_id), history.name_of(&task.target.instance_id));
            let _ =
                writeln!(text, "precheck {} of '{}', {source} -> {target}: {}", run.number, task.name, verdict(run));
            text.push_str(&items(run));
        }
    }
    text
}

fn verdict(run: &PrecheckRun) -> &'static str {
    if run.passed() { "passed" } else { "failed" }
}

/// The items of one run, with cause and remedy of the failed ones.
#[must_use]
pub fn items(run: &PrecheckRun) -> String {
    let mut text = String::new();
    for result in &run.items {
        let code = serde_json::to_value(result.item).ok();
        let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or("");
        match &result.outcome {
            PrecheckOutcome::Success => {
                let _ = writeln!(text, "  Success  {code}");
            }
            PrecheckOutcome::Warning { cause, remedy } => {
                let _ =
                    writeln!(text, "  Warning  {code}\n             cause   {cause}\n             remedy  {remedy}");
            }
            PrecheckOutcome::Failed { cause, remedy } => {
                let _ =
                    writeln!(text, "  Failed   {code}\n             cause   {cause}\n             remedy  {remedy}");
            }
        }
    }
    text
}
