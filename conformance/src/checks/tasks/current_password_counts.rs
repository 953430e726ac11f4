//! On the target the password counts that its account has now (TMP-35, SQL-38, CLN-33).

use super::TaskViolation;
use super::calls::Side;
use super::runs::{connectivity, runs};
use super::steady::{Touch, account, steady};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares what each precheck said of the target's connectivity with the password marks on photographs of the target.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let side = Side::Target;
    for run in runs(lens) {
        let (Some(given), Some(passed)) = (run.given(lens, side), run.says(connectivity(side))) else { continue };
        let fact =
            steady(lens, &given.instance, Touch::Accounts, run.span, |photograph| account(photograph, given.account));
        let Some((mark, _)) = fact.flatten() else { continue };
        let (task, account) = (run.task.id.clone(), given.account.to_owned());
        match (mark == given.mark, passed) {
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
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::photograph::Photograph;
    use recovery::model::precheck::PrecheckItem;

    const ITEM: PrecheckItem = PrecheckItem::TargetConnectivity;

    fn changed() -> Photograph {
        let mut shot = photograph(&[]);
        for account in shot.accounts.values_mut() {
            account.password_mark = "bbbb".into();
        }
        shot
    }

    fn tale(target: &Photograph, failing: &[PrecheckItem]) -> Tale {
        let mut tale = Tale::begin();
        let source = photograph(&[]);
        tale.ready().photograph(&source, target).precheck(failing).photograph(&source, target);
        tale
    }

    #[test]
    fn an_old_password_that_still_counts_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Target, "app".into());
        assert_eq!(
            wrong(&tale(&changed(), &[]), check),
            vec![TaskViolation::WrongPasswordPassed { task, side, account }]
        );
    }

    #[test]
    fn the_present_password_that_does_not_count_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Target, "app".into());
        let expected = TaskViolation::RightAccountFailed { task, side, account };
        assert_eq!(wrong(&tale(&photograph(&[]), &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale(&changed(), &[ITEM]), check, 1);
        holds(&tale(&photograph(&[]), &[]), check, 1);
    }

    #[test]
    fn a_target_that_may_not_have_been_reached_exercises_nothing() {
        let mut tale = Tale::begin();
        let shot = photograph(&[]);
        tale.ready().photograph(&shot, &shot).fault().precheck(&[ITEM]).photograph(&shot, &shot);
        holds(&tale, check, 0);
    }
}
