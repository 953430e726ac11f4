//! At least one migration type is chosen, and only those there are (TMP-39, SQL-41).

use super::TaskViolation;
use super::calls::{CHOOSE, shown};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::Lens;
use recovery::model::task::MigrationType;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Judges the types of every choice.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        for (call, _) in lens.calls_to(CHOOSE).filter(|(_, found)| found[0] == task.id.as_str()) {
            let task = task.id.clone();
            match (lawful(call.it), shown(call.it)) {
                (None, _) if call.it.accepted() => {
                    let types = call.it.request.get("types").map_or_else(|| "none".into(), Value::to_string);
                    finding.judge(&call, Some(TaskViolation::TypesAccepted { task, types }));
                }
                (None, _) if call.it.status == Some(400) => finding.judge(&call, None::<TaskViolation>),
                (Some(chosen), Some(view)) => {
                    let types = view.types;
                    let differ = (types != chosen).then_some(TaskViolation::TypesDiffer { task, chosen, types });
                    finding.judge(&call, differ);
                }
                _ => {}
            }
        }
    }
    finding
}

/// The types asked for, if they are some and all known.
fn lawful(call: &Call) -> Option<BTreeSet<MigrationType>> {
    let types = BTreeSet::<MigrationType>::deserialize(call.request.get("types")?).ok()?;
    (!types.is_empty()).then_some(types)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, with, wrong};
    use serde_json::json;

    #[test]
    fn a_choice_without_a_type_is_found() {
        let mut tale = Tale::begin();
        let none = with(tale.choice(), "/types", json!([]));
        tale.create().step("authorise").step_with("objects", none);
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::TypesAccepted { task: "dts-1".into(), types: "[]".into() }]
        );
    }

    #[test]
    fn a_type_that_is_lost_is_found() {
        let mut tale = Tale::begin();
        let choice = tale.choice();
        tale.create()
            .step("authorise")
            .set(|task| task.types = [MigrationType::Full].into())
            .step_with("objects", choice);
        let (chosen, types) = ([MigrationType::Structure, MigrationType::Full].into(), [MigrationType::Full].into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::TypesDiffer { task: "dts-1".into(), chosen, types }]);
    }

    #[test]
    fn refused_choices_and_a_right_one_hold() {
        let mut tale = Tale::begin();
        let none = with(tale.choice(), "/types", Value::Null);
        let unknown = with(tale.choice(), "/types", json!(["copy"]));
        tale.create().step("authorise").refuse("objects", none, 400, "InvalidParameter");
        tale.refuse("objects", unknown, 400, "InvalidParameter").choose();
        holds(&tale, check, 3);
    }

    #[test]
    fn a_choice_that_came_too_early_exercises_nothing() {
        let mut tale = Tale::begin();
        let choice = tale.choice();
        tale.create().refuse("objects", choice, 409, "OperationDenied.TaskStep");
        holds(&tale, check, 0);
    }
}
