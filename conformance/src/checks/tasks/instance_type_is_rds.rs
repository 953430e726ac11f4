//! Both sides of a task are RDS instances, and are taken for such when nothing is said (TMP-23, TMP-31, SQL-29, SQL-34,
//! CLN-24, CLN-29).

use super::TaskViolation;
use super::calls::{Side, blamed, creations, field, flawless, made, shown};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen};

/// The only type there is.
const RDS: &str = "rds";

/// Judges the type of either side of every request that makes a task.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for call in creations(lens) {
        for side in Side::BOTH {
            let kind = field(call.it, side, "instance_type");
            match kind {
                Some(kind) if kind != RDS => {
                    let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
                    if call.it.accepted() {
                        finding.judge(&call, Some(TaskViolation::TypeAccepted { task: made(call.it), side, kind }));
                    } else if call.it.status == Some(400) {
                        finding.judge(&call, None::<TaskViolation>);
                    }
                }
                _ => judge_rds(lens, &mut finding, &call, side),
            }
        }
    }
    finding
}

fn judge_rds(lens: &Lens<'_>, finding: &mut Finding, call: &Seen<'_, Call>, side: Side) {
    if let Some(task) = shown(call.it) {
        let got = &side.of(&task).instance_type;
        let other = (got != RDS).then(|| TaskViolation::TypeNotTaken { task: made(call.it), side, got: got.clone() });
        finding.judge(call, other);
    } else if field(call.it, side, "instance_type").is_none() && blamed(call.it) && flawless(lens, call) {
        let got = format!("refused with {}", call.it.code().unwrap_or("no code"));
        finding.judge(call, Some(TaskViolation::TypeNotTaken { task: None, side, got }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, rescue, with, wrong};
    use serde_json::{Value, json};

    #[test]
    fn another_type_that_is_accepted_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/source/instance_type", json!("ecs"));
        tale.create_as(body);
        let (task, side, kind) = (Some("dts-1".into()), Side::Source, "ecs".into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::TypeAccepted { task, side, kind }]);
    }

    #[test]
    fn a_target_without_a_type_that_is_refused_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/target/instance_type", Value::Null);
        tale.refuse_body(body, 400, "InvalidParameter").story.see(&rescue());
        let (side, got) = (Side::Target, "refused with InvalidParameter".into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::TypeNotTaken { task: None, side, got }]);
    }

    #[test]
    fn a_type_that_is_not_kept_is_found() {
        let mut tale = Tale::begin();
        tale.set(|task| task.target.instance_type = "ecs".into());
        let body = with(body(&tale.task), "/target/instance_type", Value::Null);
        tale.create_as(body);
        let (task, side, got) = (Some("dts-1".into()), Side::Target, "ecs".into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::TypeNotTaken { task, side, got }]);
    }

    #[test]
    fn a_refused_type_and_one_left_out_hold() {
        let mut tale = Tale::begin();
        let other = with(body(&tale.task), "/source/instance_type", json!("ecs"));
        let none = with(body(&tale.task), "/target/instance_type", Value::Null);
        tale.refuse_body(other, 400, "InvalidParameter").create_as(none);
        holds(&tale, check, 3);
    }
}
