//! A clone holds the data and accounts of the chosen backup or point in time (CLN-17; C-11).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::truth::{account_difference, data_difference, fresh_shot, truth};
use crate::history::lens::Lens;

/// Compares the first photograph of each clone with that of its master at the chosen time.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.clones() {
        let (Some(truth), Some(shot)) = (truth(lens, story), fresh_shot(lens, story)) else { continue };
        let found = &shot.it.photograph;
        let difference = data_difference(truth, found).or_else(|| account_difference(truth, found));
        let clone = story.id.clone();
        finding.judge(&shot, difference.map(|difference| CloneViolation::CloneContentDiffers { clone, difference }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::Difference;
    use crate::checks::temporary::made_up::{by_set, by_time, clone_body, holds, to_time, wrong_clone};
    use crate::checks::testing::{Story, clone_of, done, master, photograph, start};
    use recovery::model::photograph::Photograph;

    fn by_backup(found: &Photograph) -> Story {
        let shop = master("rm-1", "mysql 5.7");
        let copy = clone_of("rm-2", &shop, start());
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", &photograph(&[("orders", &[(1, "a")])])).data_backup(&shop);
        story.statement("rm-1", "insert into orders values (2, 'b')", done());
        story.order_clones("k", &shop, clone_body(by_set()), &[&copy]).see(&copy).shot("rm-2", found);
        story
    }

    #[test]
    fn rows_written_after_the_backup_are_found() {
        let difference = Difference::Rows { what: "table orders of app".into(), want: 1, got: 2 };
        let expected = CloneViolation::CloneContentDiffers { clone: "rm-2".into(), difference };
        assert_eq!(wrong_clone(&by_backup(&photograph(&[("orders", &[(1, "a"), (2, "b")])])), check), vec![expected]);
    }

    #[test]
    fn an_account_that_is_missing_is_found() {
        let mut found = photograph(&[("orders", &[(1, "a")])]);
        found.accounts.clear();
        let difference = Difference::Missing { what: "account app".into() };
        let expected = CloneViolation::CloneContentDiffers { clone: "rm-2".into(), difference };
        assert_eq!(wrong_clone(&by_backup(&found), check), vec![expected]);
    }

    #[test]
    fn the_content_of_the_backup_and_of_a_mark_hold() {
        let content = photograph(&[("orders", &[(1, "a")])]);
        holds(&by_backup(&content), check, 1);
        let shop = master("rm-1", "mysql 5.7");
        let copy = to_time(&clone_of("rm-2", &shop, start()), start());
        let mut story = Story::new();
        story.mark("before", &[("rm-1", &content)]).see(&shop);
        story.order_clones("k", &shop, clone_body(by_time(start())), &[&copy]).see(&copy).shot("rm-2", &content);
        holds(&story, check, 1);
    }

    #[test]
    fn a_clone_that_was_written_to_exercises_nothing() {
        let mut story = by_backup(&photograph(&[("orders", &[])]));
        let last = story.history.events.pop();
        story.statement("rm-2", "delete from orders", done());
        story.history.events.extend(last.map(|event| crate::history::Event { at: story.now, ..event }));
        holds(&story, check, 0);
    }
}
