//! What is restored goes to the target and nowhere else (LOG-34).

use super::RestoreViolation;
use super::bystanders::change;
use super::scene::scenes;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares all other servers before and after each restore.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens) {
        // What follows the target changes with it.
        let others = lens.instances().filter(|story| story.id != scene.target);
        for story in others.filter(|story| !story.first.origin.follows_a_master()) {
            let Some((seen, difference)) = change(lens, &scene, story) else { continue };
            let (task, instance) = (scene.story.id.clone(), story.id.clone());
            let violation =
                difference.map(|difference| RestoreViolation::WrittenElsewhere { task, instance, difference });
            finding.judge(&seen, violation);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use crate::checks::temporary::Difference;

    #[test]
    fn rows_written_to_another_server_are_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.story.shot("rm-3", &nothing());
        let third = crate::checks::testing::master("rm-3", "mysql 5.7");
        tale.story.see(&third);
        tale.complete(&orders(), &nothing()).story.shot("rm-3", &orders_with(&[(1, "lamp")]));
        let difference = Difference::Extra { what: "table orders of app".into() };
        let (task, instance) = ("rst-1".into(), "rm-3".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::WrittenElsewhere { task, instance, difference }]);
    }

    #[test]
    fn other_servers_as_before_hold() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.complete(&orders(), &orders());
        holds(&tale.story, check, 1);
    }
}
