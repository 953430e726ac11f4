//! The source account is one that the source has, with the password it has there (TMP-26; C-01).

use super::TaskViolation;
use super::calls::Side;
use super::runs::{connectivity, runs};
use super::steady::{Touch, account, steady};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares what each precheck said of the source's connectivity with the accounts on photographs of the source.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let side = Side::Source;
    for run in runs(lens) {
        let (Some(given), Some(passed)) = (run.given(lens, side), run.says(connectivity(side))) else { continue };
        let fact =
            steady(lens, &given.instance, Touch::Accounts, run.span, |photograph| account(photograph, given.account));
        let Some(known) = fact else { continue };
        let (task, account) = (run.task.id.clone(), given.account.to_owned());
        let right = known.is_some_and(|(mark, _)| mark == given.mark);
        match (right, passed) {
            (false, true) if known.is_none() => {
                finding.judge(&run.seen, Some(TaskViolation::UnknownAccountPassed { task, side, account }));
            }
            (false, true) => finding.judge(&run.seen, Some(TaskViolation::WrongPasswordPassed { task, side, account })),
            (false, false) => finding.judge(&run.seen, None::<TaskViolation>),
            (true, _) if !run.must_connect(lens, &given) => {}
            (true, true) => finding.judge(&run.seen, None::<TaskViolation>),
            (true, false) => finding.judge(&run.seen, Some(TaskViolation::RightAccountFailed { task, side, account })),
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, with, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    const ITEM: PrecheckItem = PrecheckItem::SourceConnectivity;

    fn tale(account: &str, mark: &str, failing: &[PrecheckItem]) -> Tale {
        let mut tale = Tale::begin();
        let shot = photograph(&[]);
        let body = with(with(body(&tale.task), "/source/account", json!(account)), "/source/password", json!(mark));
        tale.create_as(body)
            .step("authorise")
            .choose()
            .photograph(&shot, &shot)
            .precheck(failing)
            .photograph(&shot, &shot);
        tale
    }

    #[test]
    fn an_account_that_is_not_there_and_passes_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Source, "ghost".into());
        let expected = TaskViolation::UnknownAccountPassed { task, side, account };
        assert_eq!(wrong(&tale("ghost", "#aaaa", &[]), check), vec![expected]);
    }

    #[test]
    fn a_wrong_password_that_passes_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Source, "app".into());
        assert_eq!(
            wrong(&tale("app", "#bbbb", &[]), check),
            vec![TaskViolation::WrongPasswordPassed { task, side, account }]
        );
    }

    #[test]
    fn an_account_that_is_there_and_not_found_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Source, "app".into());
        let expected = TaskViolation::RightAccountFailed { task, side, account };
        assert_eq!(wrong(&tale("app", "#aaaa", &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale("ghost", "#aaaa", &[ITEM]), check, 1);
        holds(&tale("app", "#bbbb", &[ITEM]), check, 1);
        holds(&tale("app", "#aaaa", &[]), check, 1);
    }

    #[test]
    fn a_password_changed_during_the_precheck_exercises_nothing() {
        let mut tale = Tale::begin();
        let shot = photograph(&[]);
        tale.ready().photograph(&shot, &shot).begin_run("precheck");
        tale.story.call("PUT /v1/instances/sub1/accounts/app", json!({"password": "#bbbb"}), 200, json!({}));
        tale.end_run(&[ITEM]).photograph(&shot, &shot);
        holds(&tale, check, 0);
    }
}
