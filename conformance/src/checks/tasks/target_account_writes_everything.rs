//! The target account may read and write all that is migrated (TMP-34, SQL-37, CLN-32).

use super::calls::Side;
use super::rights::{judge, to_write};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::PrecheckItem;

const ITEM: PrecheckItem = PrecheckItem::TargetPermission;

/// Compares what each precheck said of the target account's rights with its grants on photographs.
pub fn check(lens: &Lens<'_>) -> Finding {
    judge(lens, Side::Target, ITEM, to_write)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::TaskViolation;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::instance::{Grants, Rights};
    use recovery::model::photograph::Photograph;

    fn with_rights(rights: Rights) -> Photograph {
        let mut shot = photograph(&[("orders", &[(1, "lamp")])]);
        for account in shot.accounts.values_mut() {
            account.grants = Grants::all(rights);
        }
        shot
    }

    fn tale(source: Rights, target: Rights, failing: &[PrecheckItem]) -> Tale {
        let mut tale = Tale::begin();
        let (source, target) = (with_rights(source), with_rights(target));
        tale.ready().photograph(&source, &target).precheck(failing).photograph(&source, &target);
        tale
    }

    #[test]
    fn an_account_that_may_not_write_and_passes_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Target, "app".into());
        let expected = TaskViolation::RightsLacking { task, side, account, object: "app.orders".into() };
        assert_eq!(wrong(&tale(Rights::ReadOnly, Rights::ReadOnly, &[]), check), vec![expected]);
    }

    #[test]
    fn an_account_that_may_write_and_fails_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Target, "app".into());
        let expected = TaskViolation::RightsEnough { task, side, account };
        assert_eq!(wrong(&tale(Rights::ReadOnly, Rights::ReadWrite, &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale(Rights::ReadOnly, Rights::ReadOnly, &[ITEM]), check, 1);
        holds(&tale(Rights::ReadOnly, Rights::ReadWrite, &[]), check, 1);
    }

    #[test]
    fn a_failed_item_without_a_connection_exercises_nothing() {
        let failing = [PrecheckItem::TargetConnectivity, ITEM];
        holds(&tale(Rights::ReadOnly, Rights::ReadWrite, &failing), check, 0);
    }
}
