//! The output of `firedrill precheck`: every precheck a scenario's migration and restore tasks went through, item by item.

use crate::history::{History, What};
use recovery::model::DataSourceId;
use recovery::model::precheck::{PrecheckOutcome, PrecheckRun};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Every finished precheck run of a history, in order.
#[must_use]
pub fn prechecks(history: &History) -> String {
    let (mut shown, mut sources) = (BTreeSet::new(), BTreeMap::new());
    let mut text = String::new();
    for event in &history.events {
        let (id, name, run, from, to) = match &event.what {
            What::TaskSeen(task) => {
                let (from, to) = (&task.source.instance_id, &task.target.instance_id);
                (&task.id, &task.name, &task.precheck, history.name_of(from), history.name_of(to))
            }
            What::RestoreSeen(task) => {
                let at = |source: &DataSourceId| sources.get(source).copied().unwrap_or("another server");
                (&task.id, &task.name, &task.precheck, at(&task.source), at(&task.target))
            }
            What::DataSourceSeen(view) => {
                sources.insert(view.id.clone(), history.name_of(&view.instance_id));
                continue;
            }
            _ => continue,
        };
        let Some(run) = run.as_ref().filter(|run| run.ended_at.is_some()) else { continue };
        if shown.insert((id.clone(), run.number)) {
            let _ = writeln!(text, "precheck {} of '{name}', {from} -> {to}: {}", run.number, verdict(run));
            text.push_str(&items(run));
        }
    }
    text
}

fn verdict(run: &PrecheckRun) -> &'static str {
    if run.passed() { "passed" } else { "failed" }
}

/// The items of one run, with cause and remedy of the failed ones and of warnings.
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
