//! Name, source and target of a task are complete before it goes on to the whitelists (TMP-21, CLN-21).

use super::TaskViolation;
use super::calls::{AUTHORISE, Side, creations, made, missing};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::views::TaskView;

/// Judges requests that leave something out, and tasks that went on to the whitelists.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for call in creations(lens) {
        let Some(missing) = missing(call.it) else { continue };
        if call.it.accepted() {
            let task = made(call.it);
            finding.judge(&call, Some(TaskViolation::Incomplete { task, missing }));
        } else if call.it.status == Some(400) {
            finding.judge(&call, None::<TaskViolation>);
        }
    }
    for task in lens.tasks() {
        let accepted =
            lens.calls_to(AUTHORISE).find(|(call, found)| found[0] == task.id.as_str() && call.it.accepted());
        let Some(call) = accepted.map(|(call, _)| call) else { continue };
        let gap = task.view_at(call.index).and_then(|seen| gap(seen.it));
        finding.judge(&call, gap.map(|missing| TaskViolation::Incomplete { task: Some(task.id.clone()), missing }));
    }
    finding
}

/// What a task that is shown lacks.
fn gap(task: &TaskView) -> Option<String> {
    if task.name.trim().is_empty() {
        return Some("name".into());
    }
    Side::BOTH.into_iter().find_map(|side| {
        let shown = side.of(task);
        let fields = [("region", &shown.region), ("instance_id", &shown.instance_id.0), ("account", &shown.account)];
        fields.into_iter().find(|(_, value)| value.trim().is_empty()).map(|(field, _)| format!("{side}.{field}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, with, wrong};
    use recovery::model::Secret;
    use recovery::model::photograph::password_mark;
    use serde_json::{Value, json};

    #[test]
    fn a_task_without_a_target_that_goes_on_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/target", Value::Null);
        tale.create_as(body);
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::Incomplete { task: Some("dts-1".into()), missing: "target".into() }]
        );
    }

    #[test]
    fn a_task_with_an_empty_password_is_found() {
        let mut tale = Tale::begin();
        let nothing = format!("#{}", password_mark(&Secret::new(String::new())));
        let body = with(body(&tale.task), "/source/password", json!(nothing));
        tale.create_as(body);
        let missing = "source.password".into();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::Incomplete { task: Some("dts-1".into()), missing }]);
    }

    #[test]
    fn a_refused_gap_and_a_complete_task_hold() {
        let mut tale = Tale::begin();
        let gap = with(body(&tale.task), "/target/account", Value::Null);
        tale.refuse_body(gap, 400, "InvalidParameter").ready();
        holds(&tale, check, 2);
    }

    #[test]
    fn a_complete_task_that_stays_where_it_is_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.create();
        holds(&tale, check, 0);
    }
}
