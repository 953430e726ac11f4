//! The output of `firedrill precheck`: every precheck a scenario's migration and restore tasks went through as a table,
//! as the console shows it.

use super::table::{rest, row};
use crate::history::{History, What};
use recovery::model::DataSourceId;
use recovery::model::precheck::{Findings, PrecheckItem, PrecheckOutcome, PrecheckResult, PrecheckRun};
use recovery::worker::precheck::every;
use recovery::worker::precheck::item::{About, Weight};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Places the details get at least, however narrow the terminal is.
pub(super) const DETAILS_MIN: usize = 32;
/// Places of the columns before the details: result, item, what was checked.
const COLUMNS: [usize; 3] = [8, 26, 30];

/// A finished precheck run of a task.
pub struct Checked<'a> {
    /// Name of the task.
    pub task: &'a str,
    /// Names of source and target.
    pub sides: (&'a str, &'a str),
    /// The run.
    pub run: &'a PrecheckRun,
    /// What was changed after it began, as it was last seen before its task started.
    pub stale: &'a [String],
}

/// Every finished precheck run of a history, in order.
#[must_use]
pub fn prechecks(history: &History) -> Vec<Checked<'_>> {
    let (mut shown, mut sources) = (BTreeMap::new(), BTreeMap::new());
    let mut all: Vec<Checked<'_>> = Vec::new();
    for event in &history.events {
        let (id, task, run, stale, from, to) = match &event.what {
            What::TaskSeen(task) => {
                let (from, to) = (&task.source.instance_id, &task.target.instance_id);
                let (from, to) = (history.name_of(from), history.name_of(to));
                (&task.id, &task.name, &task.precheck, &task.precheck_stale, from, to)
            }
            What::RestoreSeen(task) => {
                let at = |source: &DataSourceId| sources.get(source).copied().unwrap_or("another server");
                (&task.id, &task.name, &task.precheck, &task.precheck_stale, at(&task.source), at(&task.target))
            }
            What::DataSourceSeen(view) => {
                sources.insert(view.id.clone(), history.name_of(&view.instance_id));
                continue;
            }
            _ => continue,
        };
        let Some(run) = run.as_ref().filter(|run| run.ended_at.is_some()) else { continue };
        match shown.get(&(id.clone(), run.number)) {
            None => {
                shown.insert((id.clone(), run.number), all.len());
                all.push(Checked { task, sides: (from, to), run, stale });
            }
            Some(place) if !stale.is_empty() => all[*place].stale = stale,
            Some(_) => {}
        }
    }
    all
}

/// A run as a table in a terminal of that width.
#[must_use]
pub fn table(checked: &Checked<'_>, width: usize) -> String {
    let (run, (from, to)) = (checked.run, checked.sides);
    let verdict = if run.passed() { "passed" } else { "failed" };
    let count = |word: &str| run.items.iter().filter(|result| result_word(&result.outcome) == word).count();
    let shielded = match count("Shielded") {
        0 => String::new(),
        number => format!(", {number} shielded"),
    };
    let mut text = format!(
        "precheck {} of '{}', {from} -> {to}: {verdict} ({} passed, {} warned, {} failed{shielded})\n",
        run.number,
        checked.task,
        count("Success"),
        count("Warning"),
        count("Failed")
    );
    if !checked.stale.is_empty() {
        let what = checked.stale.join(", ");
        let _ = writeln!(text, "STALE: another since this precheck began: {what}. A start checks again.");
    }
    let [result, item, looked] = COLUMNS;
    let widths = [result, item, looked, rest(width, &COLUMNS).max(DETAILS_MIN)];
    text.push_str(&row(&["Result", "Item", "Checked", "Details"], &widths));
    for result in &run.items {
        text.push_str(&line(result, &widths));
    }
    text
}

fn line(result: &PrecheckResult, widths: &[usize]) -> String {
    let known = about(result.item);
    let mut item =
        known.map_or_else(String::new, |it| format!("{}\n{}\n", it.english, it.chinese)) + result.item.code();
    if result.item.is_advisory() {
        item.push_str("\n(advisory)");
    }
    let looks_at = known.map_or("", |it| it.looks_at);
    let mut details = result.outcome.found().map_or_else(String::new, details);
    if let PrecheckOutcome::Shielded(shielded) = &result.outcome {
        let _ = writeln!(details, "Shielded, and does not count: {}.", shielded.allowed_by);
    }
    row(&[result_word(&result.outcome), &item, looks_at, &details], widths)
}

/// Each finding with its remedy and, where there is one, the statement that repairs it.
fn details(found: &Findings) -> String {
    let mut text = String::new();
    for (place, finding) in found.findings.iter().enumerate() {
        let _ = writeln!(text, "{}. {}", place + 1, finding.cause);
        let _ = writeln!(text, "   Remedy: {}", finding.remedy);
        if let Some(statement) = &finding.statement {
            let _ = writeln!(text, "   Run: {statement}");
        }
    }
    if found.more > 0 {
        let _ = writeln!(text, "… and {} more", found.more);
    }
    text
}

fn result_word(outcome: &PrecheckOutcome) -> &'static str {
    match outcome {
        PrecheckOutcome::Success => "Success",
        PrecheckOutcome::Warning(_) => "Warning",
        PrecheckOutcome::Failed(_) => "Failed",
        PrecheckOutcome::Shielded(_) => "Shielded",
    }
}

/// A run for programs.
#[must_use]
pub fn json(checked: &Checked<'_>) -> Value {
    let items: Vec<Value> = checked
        .run
        .items
        .iter()
        .map(|result| {
            let mut item = json!(result);
            if let Some(about) = about(result.item) {
                item["english"] = json!(about.english);
                item["chinese"] = json!(about.chinese);
                item["advisory"] = json!(about.weight == Weight::Advice);
            }
            item
        })
        .collect();
    let (from, to) = checked.sides;
    json!({
        "event": "precheck", "task": checked.task, "from": from, "to": to, "number": checked.run.number,
        "passed": checked.run.passed(), "stale": checked.stale, "configuration": checked.run.configuration,
        "items": items,
    })
}

/// What the registration says of an item.
#[must_use]
pub fn about(item: PrecheckItem) -> Option<About> {
    every().find(|about| about.item == item)
}

/// The item of a code, in upper or lower case.
#[must_use]
pub fn item_of(code: &str) -> Option<PrecheckItem> {
    PrecheckItem::ALL.iter().copied().find(|item| item.code().eq_ignore_ascii_case(code))
}
