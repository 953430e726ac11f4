//! What is restored into was added as a data source beforehand (LOG-03).

use super::RestoreViolation;
use super::witness::{removed, requests};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Judges requests whose source or target was never added, or had been removed.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let sides = ["/source", "/target"].into_iter().filter_map(|place| request.side(place));
        let strange = sides.into_iter().find(|side| {
            let known = lens.data_source(side).is_some_and(|story| story.views[0].index < request.call.index);
            !known || removed(lens, side, request.call.index)
        });
        let Some(source) = strange else {
            if request.made.is_some() {
                finding.judge(&request.call, None::<RestoreViolation>);
            }
            continue;
        };
        if request.made.is_some() {
            finding.judge(&request.call, Some(RestoreViolation::SourceNotRegistered { source }));
        } else if request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};

    #[test]
    fn a_target_that_was_never_added_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.set(|view| view.target = "rm-2".into()).save();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::SourceNotRegistered { source: "rm-2".into() }]);
    }

    #[test]
    fn a_refused_stranger_and_an_accepted_data_source_hold() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.save();
        let asked = body(&tale.set(|view| view.target = "ds-9".into()).view);
        tale.story.refused("POST /v1/restore-tasks", asked, 404, "InvalidDataSource.NotFound");
        holds(&tale.story, check, 2);
    }
}
