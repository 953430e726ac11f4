//! Nothing outside the selection is touched: whatever changes on an instance was written by a user, chosen for a migration
//! or a restore into it, or recovered.

use super::InvariantViolation;
use super::changes::{changes, pairs, shots};
use super::doings::Doings;
use super::refusals_change_nothing::refusal_behind;
use super::sources_stay::{reader_of, readers};
use crate::checks::Finding;
use crate::history::lens::Lens;
use std::collections::BTreeMap;

/// Looks at every change of every instance that has no explanation, but for those that other invariants tell of.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let doings = Doings::of(lens);
    let readers = readers(lens, &doings);
    for change in changes(lens) {
        let told = || reader_of(&readers, &change).is_some() || refusal_behind(lens, &change).is_some();
        if !change.is_users(&doings) && !change.is_moved(lens, &doings) && !told() {
            let (instance, difference) = (change.instance.clone(), change.difference());
            finding.judge(&change.seen(), Some(InvariantViolation::OutsideTouched { instance, difference }));
        }
    }
    let mut looked = BTreeMap::new();
    for (instance, _, after) in pairs(&shots(lens)) {
        looked.insert(instance, after);
    }
    looked.values().for_each(|after| finding.judge(after, None::<InvariantViolation>));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{done, photograph};
    use serde_json::json;

    fn outside(difference: Difference) -> Vec<InvariantViolation> {
        vec![InvariantViolation::OutsideTouched { instance: "rm-1".into(), difference }]
    }

    #[test]
    fn a_table_that_was_not_chosen_is_found_changed() {
        let mut tale = Tale::new();
        tale.rescue().story.shot("rm-1", &photograph(&[("orders", &[]), ("notes", &[(1, "x")])]));
        tale.migrate("sub1", "rm-1");
        tale.story.shot("rm-1", &photograph(&[("orders", &[(1, "lamp")]), ("notes", &[(1, "x"), (2, "y")])]));
        let difference = Difference::Rows { what: "table notes of app".into(), want: 1, got: 2 };
        assert_eq!(wrong(&tale.story, check), outside(difference));
    }

    #[test]
    fn a_bystander_that_changes_is_found() {
        let mut tale = Tale::new();
        tale.story.shot("rm-1", &photograph(&[])).shot("rm-1", &photograph(&[("orders", &[])]));
        assert_eq!(wrong(&tale.story, check), outside(Difference::Extra { what: "table orders of app".into() }));
    }

    #[test]
    fn an_account_that_changes_by_itself_is_found() {
        let mut changed = photograph(&[]);
        changed.accounts.values_mut().for_each(|account| account.password_mark = "bbbb".into());
        let mut tale = Tale::new();
        tale.story.shot("rm-1", &photograph(&[])).shot("rm-1", &changed);
        assert_eq!(wrong(&tale.story, check), outside(Difference::Changed { what: "account app".into() }));
        let mut tale = Tale::new();
        tale.story.shot("rm-1", &photograph(&[]));
        tale.story.call("PUT /v1/instances/rm-1/accounts/app", json!({"password": "#bbbb"}), 200, json!({}));
        tale.story.shot("rm-1", &changed);
        holds(&tale.story, check, 1);
    }

    #[test]
    fn what_was_chosen_and_what_users_wrote_hold() {
        let mut tale = Tale::new();
        tale.rescue().story.shot("rm-1", &photograph(&[("notes", &[(1, "x")])]));
        tale.migrate("sub1", "rm-1").story.statement("rm-1", "insert into notes values (2, 'y')", done());
        tale.story.shot("rm-1", &photograph(&[("orders", &[(1, "lamp")]), ("notes", &[(1, "x"), (2, "y")])]));
        tale.finish();
        holds(&tale.story, check, 1);
    }
}
