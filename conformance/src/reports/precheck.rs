//! The output of `firedrill precheck`: every precheck a scenario's migration and restore tasks went through as a table,
//! as the console shows it, and the whole text of one item.

use super::table::{rest, row};
use crate::history::{History, What};
use recovery::model::DataSourceId;
use recovery::model::precheck::{Findings, PrecheckItem, PrecheckOutcome, PrecheckResult, PrecheckRun};
use recovery::worker::precheck::every;
use recovery::worker::precheck::item::{About, Needs, Weight};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Places the details get at least, however narrow the terminal is.
const DETAILS_MIN: usize = 32;
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
}

/// Every finished precheck run of a history, in order.
#[must_use]
pub fn prechecks(history: &History) -> Vec<Checked<'_>> {
    let (mut shown, mut sources) = (BTreeSet::new(), BTreeMap::new());
    let mut all = Vec::new();
    for event in &history.events {
        let (id, task, run, from, to) = match &event.what {
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
            all.push(Checked { task, sides: (from, to), run });
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
    let mut text = format!(
        "precheck {} of '{}', {from} -> {to}: {verdict} ({} passed, {} warned, {} failed)\n",
        run.number,
        checked.task,
        count("Success"),
        count("Warning"),
        count("Failed")
    );
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
    let details = result.outcome.found().map_or_else(String::new, details);
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
        "passed": checked.run.passed(), "items": items,
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

/// All that is to be said of an item.
#[must_use]
pub fn explain(about: &About, width: usize) -> String {
    let engines: Vec<&str> = about.engines.iter().map(|engine| engine.word()).collect();
    let weight = match about.weight {
        Weight::Firm => "what it finds keeps the task from starting",
        Weight::Light => "what it finds is a warning and never keeps the task from starting",
        Weight::Advice => {
            "advisory: what it finds is a warning and never keeps the task from starting; a task leaves it out with \
             without_advice"
        }
    };
    let tasks = match about.needs {
        Needs::Anything => "every task",
        Needs::Load => "tasks with structure or full",
        Needs::Structure => "tasks with structure",
        Needs::Full => "tasks with full",
        Needs::Incremental => "tasks with incremental",
        Needs::Rows => "tasks with full or incremental",
    };
    let finds = about.finds.iter().map(|cause| format!("- {cause}\n")).collect::<String>();
    let shield = if about.shieldable { "can be shielded" } else { "cannot be shielded" };
    let widths = [10, rest(width, &[10]).max(DETAILS_MIN)];
    let lines = [
        ("Item", about.item.code()),
        ("English", about.english),
        ("Chinese", about.chinese),
        ("Engines", &engines.join(", ")),
        ("Tasks", tasks),
        ("Checked", about.looks_at),
        ("Finds", &finds),
        ("Remedy", about.remedy),
        ("Weight", weight),
        ("Shield", shield),
        ("Source", about.source),
    ];
    lines.iter().map(|(name, text)| row(&[name, text], &widths)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_registered_once_with_all_its_words() {
        for item in PrecheckItem::ALL {
            let known: Vec<About> = every().filter(|about| about.item == *item).collect();
            assert_eq!(known.len(), 1, "{item}");
            let about = known[0];
            for word in [about.english, about.chinese, about.looks_at, about.remedy, about.source] {
                assert!(!word.is_empty(), "{item}");
            }
            assert!(!about.finds.is_empty() && !about.engines.is_empty(), "{item}");
            assert_eq!(item_of(item.code()), Some(*item));
            assert_eq!(item.is_advisory(), about.weight == Weight::Advice, "{item}");
        }
    }

    #[test]
    fn an_explanation_fits_its_width_and_says_how_much_the_item_weighs() {
        for about in every() {
            let text = explain(&about, 80);
            let wide = text.lines().find(|line| unicode_width::UnicodeWidthStr::width(*line) > 80);
            assert_eq!(wide, None, "{}", about.item);
            assert!(text.contains(about.item.code()) && text.contains(about.chinese), "{text}");
        }
    }
}
