//! Types and objects are chosen only once the whitelists let the migration service in (TMP-38, SQL-40, CLN-35).

use super::TaskViolation;
use super::calls::{CHOOSE, Side, asked_before, changes};
use super::whitelist::{addresses, reading_after, reading_before};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use std::collections::BTreeSet;

/// Refusals of a step that comes too early.
const EARLY: [&str; 2] = ["OperationDenied.TaskStep", "OperationDenied.TaskStatus"];

/// Judges every choice of types and objects by what the whitelists of both sides held.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let addresses = addresses(lens);
    for task in lens.tasks() {
        for (call, _) in lens.calls_to(CHOOSE).filter(|(_, found)| found[0] == task.id.as_str()) {
            if !asked_before(lens, task, "authorise", call.index) {
                unauthorised(lens, &mut finding, task, &call, &addresses);
            } else if call.it.accepted() {
                authorised(lens, &mut finding, task, &call, &addresses);
            }
        }
    }
    finding
}

fn unauthorised<'a>(
    lens: &Lens<'a>,
    finding: &mut Finding,
    task: &TaskStory<'a>,
    call: &Seen<'_, Call>,
    addresses: &BTreeSet<String>,
) {
    if call.it.code().is_some_and(|code| EARLY.contains(&code)) {
        finding.judge(call, None::<TaskViolation>);
    }
    if !call.it.accepted() {
        return;
    }
    let shut = Side::BOTH.map(|side| &side.of(task.first).instance_id).into_iter().find(|instance| {
        let before = reading_before(lens, call, instance, call.at);
        before.is_some_and(|before| before.shuts_out(addresses).is_some() || (addresses.is_empty() && !before.open()))
    });
    if let Some(instance) = shut {
        let (task, instance) = (task.id.clone(), instance.clone());
        finding.judge(call, Some(TaskViolation::ChosenUnauthorised { task, instance }));
    }
}

fn authorised<'a>(
    lens: &Lens<'a>,
    finding: &mut Finding,
    task: &TaskStory<'a>,
    call: &Seen<'_, Call>,
    addresses: &BTreeSet<String>,
) {
    let asked = changes(lens, task.id)
        .filter(|(seen, step)| *step == "authorise" && seen.it.accepted() && seen.index < call.index);
    let Some((asked, _)) = asked.last().filter(|_| !addresses.is_empty()) else { return };
    for side in Side::BOTH {
        let instance = &side.of(task.first).instance_id;
        let Some(after) = reading_after(lens, &asked, instance) else { continue };
        let (task, instance) = (task.id.clone(), instance.clone());
        let address = after.shuts_out(addresses).cloned();
        let missing = address.map(|address| TaskViolation::AddressMissing { task, instance, address: Some(address) });
        finding.judge(call, missing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::photograph::Photograph;

    pub fn listing(entries: &str) -> Photograph {
        Photograph { settings: [("whitelist".to_owned(), entries.to_owned())].into(), ..photograph(&[]) }
    }

    #[test]
    fn a_choice_without_authorisation_is_found() {
        let mut tale = Tale::begin();
        tale.create().photograph(&listing("operator"), &listing("operator")).choose();
        let expected = TaskViolation::ChosenUnauthorised { task: "dts-1".into(), instance: "sub1".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_choice_with_an_address_missing_on_one_side_is_found() {
        let mut tale = Tale::begin();
        tale.create().photograph(&listing("operator"), &listing("operator")).step("authorise").choose();
        tale.photograph(&listing("operator,worker-1"), &listing("operator"));
        let (task, instance, address) = ("dts-1".into(), "rm-1".into(), Some("worker-1".into()));
        assert_eq!(wrong(&tale, check), vec![TaskViolation::AddressMissing { task, instance, address }]);
    }

    #[test]
    fn a_refused_choice_and_one_after_authorisation_hold() {
        let mut tale = Tale::begin();
        tale.create().photograph(&listing("operator"), &listing("0.0.0.0/0"));
        let choice = tale.choice();
        tale.refuse("objects", choice, 409, EARLY[0]).step("authorise").choose();
        tale.photograph(&listing("operator,worker-1"), &listing("0.0.0.0/0"));
        holds(&tale, check, 3);
    }

    #[test]
    fn a_choice_refused_for_its_content_exercises_nothing() {
        let mut tale = Tale::begin();
        let choice = tale.choice();
        tale.create().refuse("objects", choice, 400, "InvalidParameter");
        holds(&tale, check, 0);
    }
}
