//! A failed item says what is wrong and what would do; a passed one carries no error (TMP-45, SQL-45, CLN-42).

use super::TaskViolation;
use super::runs::{Run, call_behind, runs};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::{Finding as Told, PrecheckOutcome};
use serde_json::Value;

/// Judges every run with a failed item; one without counts only when it carries an error all the same.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for run in runs(lens) {
        let failed = run.run.items.iter().filter_map(|result| match &result.outcome {
            PrecheckOutcome::Failed(found) => Some((result.item, found)),
            PrecheckOutcome::Shielded(shielded) => Some((result.item, &shielded.found)),
            PrecheckOutcome::Success | PrecheckOutcome::Warning(_) => None,
        });
        let failed: Vec<_> = failed.collect();
        let blank = |finding: &Told| finding.cause.trim().is_empty() || finding.remedy.trim().is_empty();
        let silent = failed.iter().find(|(_, found)| found.findings.is_empty() || found.findings.iter().any(blank));
        let (task, number) = (run.task.id.clone(), run.run.number);
        let violation = match silent {
            Some((item, ..)) => Some(TaskViolation::FailedSilently { task, run: number, item: *item }),
            None => {
                passed_with_error(lens, &run).map(|item| TaskViolation::PassedWithError { task, run: number, item })
            }
        };
        if !failed.is_empty() || violation.is_some() {
            finding.judge(&run.seen, violation);
        }
    }
    finding
}

/// A passed item that carries an error, as it stands in the answer.
fn passed_with_error(lens: &Lens<'_>, run: &Run<'_, '_>) -> Option<String> {
    let answer: &Value = &call_behind(lens, run.seen.index)?.it.answer;
    let tasks = answer.get("tasks").and_then(Value::as_array).map_or(std::slice::from_ref(answer), Vec::as_slice);
    let task = tasks.iter().find(|task| task["id"] == run.task.id.as_str())?;
    let items = task.pointer("/precheck/items")?.as_array()?;
    let erring = items.iter().find(|item| {
        let said = |field: &str| item.get(field).is_some_and(|value| !value.is_null() && value != "");
        item["result"] == "success" && (said("findings") || said("cause") || said("remedy"))
    });
    erring?.get("item")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    const ITEM: PrecheckItem = PrecheckItem::SourceConnectivity;

    #[test]
    fn a_failed_item_without_a_remedy_is_found() {
        let mut tale = Tale::begin();
        tale.ready().begin_run("precheck").end_run(&[ITEM]);
        tale.story.history.events.truncate(tale.story.history.events.len() - 2);
        tale.set(|task| {
            let items = task.precheck.iter_mut().flat_map(|run| &mut run.items);
            for result in items {
                if let PrecheckOutcome::Failed(found) = &mut result.outcome {
                    found.findings[0].remedy.clear();
                }
            }
        });
        tale.look();
        let expected = TaskViolation::FailedSilently { task: "dts-1".into(), run: 1, item: ITEM };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_passed_item_with_an_error_is_found() {
        let mut tale = Tale::begin();
        tale.ready().begin_run("precheck").end_run(&[]);
        tale.story.history.events.truncate(tale.story.history.events.len() - 2);
        let mut answer = json!(tale.task);
        answer["precheck"]["items"][0]["findings"] = json!([{"cause": "access denied", "remedy": "none"}]);
        tale.story.call("GET /v1/migration-tasks/dts-1", Value::Null, 200, answer).see_task(&tale.task);
        let expected = TaskViolation::PassedWithError { task: "dts-1".into(), run: 1, item: "CHECK_CONN_SRC".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_failed_item_that_says_why_holds_and_a_passed_run_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]);
        holds(&tale, check, 1);
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]);
        holds(&tale, check, 0);
    }
}
