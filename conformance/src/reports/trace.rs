//! A timeline: a line an event, a column a party, faults marked.

use crate::history::{Client, History, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::precheck::{PrecheckOutcome, PrecheckResult, PrecheckRun};
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
    if let Some((id, text)) = sight(history, what) {
        let before = last.insert(id.to_owned(), text.clone());
        return (before.as_ref() != Some(&text)).then_some((2, text));
    }
    let name = |id| history.name_of(id).to_owned();
    Some(match what {
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
        What::TaskGone { id } => (2, format!("task {id} gone")),
        What::Downloaded { backup, status, size_bytes, .. } => {
            (0, format!("file of backup {backup} -> {status}, {size_bytes} bytes"))
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
        What::FaultMissed { text, .. } => (3, format!("(no fault: {text})")),
        What::Expectation { met: true, .. } => return None,
        What::Expectation { want, got, .. } => (0, format!("want {want}, got {got}")),
        What::Otherwise { want, got } => (0, format!("otherwise: {want}, but {got}")),
        What::Healed => (3, "*** everything healed".into()),
        What::Ended => (3, "end".into()),
        _ => return None,
    })
}

/// Something the service showed, which is said again only when the text is another: its id, and the text.
fn sight<'a>(history: &History, what: &'a What) -> Option<(&'a str, String)> {
    let name = |id| history.name_of(id).to_owned();
    Some(match what {
        What::InstanceSeen(view) => (view.id.as_str(), format!("{} {:?}", name(&view.id), view.state)),
        What::InstanceGone { id } => (id.as_str(), format!("{} gone", name(id))),
        What::TaskSeen(view) => {
            let why = view.failure.as_ref().map_or(String::new(), |failure| format!(" {failure:?}"));
            let failed = failed_items(view.precheck.as_ref());
            (view.id.as_str(), format!("task {} {:?}{why}{failed}", view.id, view.status))
        }
        What::BackupSeen(view) => (view.id.as_str(), format!("backup {} {:?} {:?}", view.id, view.kind, view.status)),
        What::DataSourceSeen(view) => {
            let instance = name(&view.instance_id);
            (view.id.as_str(), format!("data source {} is {instance} as {}", view.id, view.account))
        }
        What::LogicalTaskSeen(view) => {
            (view.id.as_str(), format!("logical backup {} of {} {:?}", view.id, view.source, view.state))
        }
        What::LogicalSetSeen(view) => {
            let why = view.failure.as_ref().map_or(String::new(), |why| format!(" {why}"));
            (view.id.as_str(), format!("{:?} set {} of {} {:?}{why}", view.kind, view.id, view.task, view.status))
        }
        What::RestoreSeen(view) => {
            let why = view.failure.as_ref().map_or(String::new(), |failure| format!(" {failure:?}"));
            let failed = failed_items(view.precheck.as_ref());
            (view.id.as_str(), format!("restore {} {:?}{why}{failed}", view.id, view.status))
        }
        _ => return None,
    })
}

fn failed_items(run: Option<&PrecheckRun>) -> String {
    run.iter().flat_map(|run| &run.items).filter_map(failed_item).collect()
}

fn failed_item(result: &PrecheckResult) -> Option<String> {
    match &result.outcome {
        PrecheckOutcome::Success | PrecheckOutcome::Warning { .. } => None,
        PrecheckOutcome::Failed { cause, .. } => Some(format!(" {:?}: {cause};", result.item)),
    }
}
