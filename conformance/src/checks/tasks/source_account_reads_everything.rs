//! The source account may read all that was chosen, and needs no more than that and its types ask for (TMP-27, SQL-32, CLN-27; C-23).

use super::calls::Side;
use super::rights::{judge, to_read};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::PrecheckItem;

const ITEM: PrecheckItem = PrecheckItem::SourcePermission;

/// Compares what each precheck said of the source account's rights with its grants on photographs.
pub fn check(lens: &Lens<'_>) -> Finding {
    judge(lens, Side::Source, ITEM, to_read)
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
    fn an_account_that_may_not_read_and_passes_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Source, "app".into());
        let expected = TaskViolation::RightsLacking { task, side, account, object: "app.orders".into() };
        assert_eq!(wrong(&tale(Rights::None, Rights::Owner, &[]), check), vec![expected]);
    }

    #[test]
    fn an_account_that_only_reads_and_fails_is_found() {
        let (task, side, account) = ("dts-1".into(), Side::Source, "app".into());
        let expected = TaskViolation::RightsEnough { task, side, account };
        assert_eq!(wrong(&tale(Rights::ReadOnly, Rights::Owner, &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale(Rights::None, Rights::Owner, &[ITEM]), check, 1);
        holds(&tale(Rights::ReadOnly, Rights::Owner, &[]), check, 1);
    }

    #[test]
    fn a_failed_item_without_a_connection_exercises_nothing() {
        let failing = [PrecheckItem::SourceConnectivity, ITEM];
        holds(&tale(Rights::ReadOnly, Rights::Owner, &failing), check, 0);
    }
}
