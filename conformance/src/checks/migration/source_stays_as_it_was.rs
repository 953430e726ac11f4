//! The source is only read (DTS-03; the other half of CLN-09).

use super::MigrationViolation;
use super::scene::last_before_begin;
use crate::checks::Finding;
use crate::checks::temporary::truth::{account_difference, data_difference, untouched};
use crate::history::lens::Lens;

/// Compares the photograph of a source before its task began with the last one until which none of its users wrote to it.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let (source, target) = (&task.first.source.instance_id, &task.first.target.instance_id);
        let Some(begin) = last_before_begin(task).filter(|_| source != target) else { continue };
        let (Some(before), Some(begun)) = (lens.shot_before(source, begin.index), task.started()) else { continue };
        let after =
            lens.shots(source).rev().find(|shot| shot.index > begun.index && untouched(lens, source, &before, shot.at));
        let Some(after) = after else { continue };
        let (want, got) = (&before.it.photograph, &after.it.photograph);
        let difference = data_difference(want, got).or_else(|| account_difference(want, got));
        let (task, source) = (task.id.clone(), source.clone());
        finding
            .judge(&after, difference.map(|difference| MigrationViolation::SourceChanged { task, source, difference }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{done, photograph};

    #[test]
    fn a_source_that_lost_a_row_is_found() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().finish().after(&photograph(&[("orders", &[(1, "lamp")])]), &orders());
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 1 };
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::SourceChanged { task: "dts-1".into(), source: "rm-2".into(), difference }]
        );
    }

    #[test]
    fn a_source_that_stays_holds() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().finish().after(&orders(), &orders());
        holds(&plot.story, check, 1);
    }

    #[test]
    fn what_users_wrote_is_no_violation() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        plot.story.statement("rm-2", "delete from orders", done());
        plot.finish().after(&nothing(), &orders());
        holds(&plot.story, check, 0);
    }
}
