//! A timeline: a line an event, a column a party, faults marked.

use crate::history::{Client, History, What};
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;

/// Columns of a trace.
const PARTIES: [&str; 4] = ["operator", "application", "service", "world"];
/// Width of a column's mark.
const WIDTH: usize = 12;

/// The lines of some events; photographs and repeated sights are left out.
#[must_use]
pub fn lines(history: &History, events: Range<usize>) -> Vec<String> {
    let start = history.events.first().map_or(Timestamp::UNIX_EPOCH, |event| event.at);
    let mut last_status = std::collections::BTreeMap::new();
    let mut lines = Vec::new();
    for event in history.events.get(events).unwrap_or(&[]) {
        let Some((party, text)) = shown(history, &event.what, &mut last_status) else { continue };
        let offset = time(event.at.duration_since(start));
        let column = " ".repeat(party * WIDTH);
        lines.push(format!("{offset:>17}  {column}{text}"));
    }
    lines
}

/// The head of a trace.
#[must_use]
pub fn head() -> String {
    format!("{:>17}  {}", "time", PARTIES.map(|party| format!("{party:<WIDTH$}")).concat())
}

/// A span as `+2d 01:02:03.004`.
#[must_use]
pub fn time(span: SignedDuration) -> String {
    let ms = span.as_millis();
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let clock = format!("{:02}:{:02}:{:02}.{:03}", rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    if days > 0 { format!("+{days}d {clock}") } else { format!("+{clock}") }
}

fn shown(
    history: &History,
    what: &What,
    last: &mut std::collections::BTreeMap<String, String>,
) -> Option<(usize, String)> {
    let name = |id| history.name_of(id).to_owned();
    let mut changed = |id: &str, status: String| {
        let new = last.get(id) != Some(&status);
        last.insert(id.to_owned(), status);
        new
    };
    Some(match what {
        What::DataSourceSeen(_)
        | What::LogicalTaskSeen(_)
        | What::LogicalSetSeen(_)
        | What::LogicalRestorableSeen { .. }
        | What::RestoreSeen(_)
        | What::RestoresListed { .. }
        | What::LogicalTasksListed { .. }
        | What::BackupsListed { .. }
        | What::Downloaded { .. } => return None,
        What::StepBegan { line, text } => (0, format!("-- line {line}: {text}")),
        What::Call(call) if call.method == "GET" && call.accepted() => return None,
        What::Call(call) => {
            let came = match (call.status, call.code(), &call.error) {
                (Some(status), Some(code), _) => format!("{status} {code}"),
                (Some(status), None, _) => status.to_string(),
                (None, _, Some(error)) => error.clone(),
                (None, _, None) => "no answer".into(),
            };
            (0, format!("{} {} -> {came}", call.method, call.path))
        }
        What::InstanceSeen(view) => {
            let text = format!("{} {:?}", name(&view.id), view.state);
            if !changed(view.id.as_str(), text.clone()) {
                return None;
            }
            (2, text)
        }
        What::InstanceGone { id } => {
            if !changed(id.as_str(), "gone".into()) {
                return None;
            }
            (2, format!("{} gone", name(id)))
        }
        What::TaskSeen(view) => {
            let failed: Vec<String> = view.precheck.iter().flat_map(|run| &run.items).filter_map(failed_item).collect();
            let why = view.failure.as_ref().map_or(String::new(), |failure| format!(" {failure:?}"));
            let text = format!("task {} {:?}{why}{}", view.id, view.status, failed.concat());
            if !changed(view.id.as_str(), text.clone()) {
                return None;
            }
            (2, text)
        }
        What::TaskGone { id } => (2, format!("task {id} gone")),
        What::BackupSeen(view) => {
            let text = format!("backup {} {:?} {:?}", view.id, view.kind, view.status);
            if !changed(view.id.as_str(), text.clone()) {
                return None;
            }
            (2, text)
        }
        What::Statement(it) => {
            let party = usize::from(it.by == Client::Application);
            let came = match &it.outcome {
                Ok(outcome) if it.only_reads() => format!("{} rows", outcome.rows.len()),
                Ok(_) => "done".into(),
                Err(error) => error.to_string(),
            };
            let sql: String = it.sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(70).collect();
            (party, format!("{}: {sql} -> {came}", name(&it.instance)))
        }
        What::Login(it) => {
            let Err(error) = &it.outcome else { return None };
            (0, format!("log in to {} as {} -> {error}", name(&it.instance), it.account))
        }
        What::Mark { name, .. } => (0, format!("mark '{name}'")),
        What::Ledger(it) if it.acknowledged => return None,
        What::Ledger(it) => (1, format!("row {} of {} not acknowledged", it.id, it.table)),
        What::Fault { text, .. } => (3, format!("*** {text}")),
        What::Expectation { met: true, .. } => return None,
        What::Expectation { want, got, .. } => (0, format!("want {want}, got {got}")),
        What::Healed => (3, "*** everything healed".into()),
        What::Ended => (3, "end".into()),
        What::Photograph(_) | What::InstancesListed { .. } => return None,
    })
}

fn failed_item(result: &recovery::model::precheck::PrecheckResult) -> Option<String> {
    match &result.outcome {
        recovery::model::precheck::PrecheckOutcome::Success
        | recovery::model::precheck::PrecheckOutcome::Warning { .. } => None,
        recovery::model::precheck::PrecheckOutcome::Failed { cause, .. } => {
            Some(format!(" {:?}: {cause};", result.item))
        }
    }
}
