//! Making a temporary instance leaves data, accounts and settings of its master alone (TMP-02, SQL-11; frame condition 1).

use super::TemporaryViolation;
use super::truth::change_by_making;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares photographs of the master from before the order and after the making, where nothing else touched it.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let (Some(master), Some((after, difference))) = (story.master(), change_by_making(lens, story)) else {
            continue;
        };
        let violation = difference.map(|difference| TemporaryViolation::MasterChanged {
            master: master.clone(),
            temporary: story.id.clone(),
            difference,
        });
        finding.judge(&after, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::Difference;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
    use crate::checks::testing::{Story, done, master, photograph, start, temporary};
    use recovery::model::photograph::Photograph;

    fn story(before: &Photograph, after: &Photograph, between: impl Fn(&mut Story)) -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", before).order_temporary("k", &shop, by_set(), &rescue);
        between(&mut story);
        story.see(&rescue).shot("rm-1", after);
        story
    }

    #[test]
    fn a_row_lost_on_the_master_is_found() {
        let (before, after) =
            (photograph(&[("orders", &[(1, "a"), (2, "b")])]), photograph(&[("orders", &[(1, "a")])]));
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 1 };
        let expected =
            TemporaryViolation::MasterChanged { master: "rm-1".into(), temporary: "sub1".into(), difference };
        assert_eq!(wrong(&story(&before, &after, |_| {}), check), vec![expected]);
    }

    #[test]
    fn a_changed_setting_of_the_master_is_found() {
        let before = photograph(&[]);
        let mut after = before.clone();
        after.settings.insert("whitelist".into(), "0.0.0.0/0".into());
        let difference = Difference::Extra { what: "setting whitelist".into() };
        let expected =
            TemporaryViolation::MasterChanged { master: "rm-1".into(), temporary: "sub1".into(), difference };
        assert_eq!(wrong(&story(&before, &after, |_| {}), check), vec![expected]);
    }

    #[test]
    fn a_master_that_stays_as_it_is_holds_whatever_its_log_position() {
        let before = photograph(&[("orders", &[(1, "a")])]);
        let after = Photograph { log_position: 9, ..before.clone() };
        holds(&story(&before, &after, |_| {}), check, 1);
    }

    #[test]
    fn a_master_that_is_written_to_meanwhile_tells_nothing() {
        let (before, after) = (photograph(&[("orders", &[])]), photograph(&[("orders", &[(1, "a")])]));
        let write = |story: &mut Story| {
            story.statement("rm-1", "insert into orders values (1, 'a')", done());
        };
        holds(&story(&before, &after, write), check, 0);
    }
}
