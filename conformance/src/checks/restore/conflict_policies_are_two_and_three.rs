//! There are two policies for structure and three for data (LOG-42).

use super::choices::closed;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Policies for structure.
const STRUCTURE: [&str; 2] = ["ignore", "stop"];
/// Policies for data.
const DATA: [&str; 3] = ["ignore", "stop", "delete-then-rewrite"];

/// Judges every request by its two policies.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = closed(lens, "/structure_conflict", &STRUCTURE);
    let data = closed(lens, "/data_conflict", &DATA);
    finding.exercised += data.exercised;
    finding.violations.extend(data.violations);
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::RestoreViolation;
    use crate::checks::restore::made_up::{Tale, body, but, holds, nothing, orders, wrong};
    use recovery::model::logical::restore::DataConflict;
    use serde_json::json;

    #[test]
    fn rewriting_of_structure_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let asked = but(body(&tale.view), "/structure_conflict", json!("delete-then-rewrite"));
        let answer = json!(tale.view);
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        let (field, value) = ("structure_conflict".into(), "delete-then-rewrite".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::ValueAccepted { field, value }]);
    }

    #[test]
    fn all_documented_policies_accepted_and_others_refused_hold() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.set(|view| view.data_conflict = DataConflict::DeleteThenRewrite).save();
        let asked = but(body(&tale.view), "/data_conflict", json!("merge"));
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
        holds(&tale.story, check, 3);
    }
}
