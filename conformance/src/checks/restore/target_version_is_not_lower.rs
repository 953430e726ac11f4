//! The version restored into is the backup's or a later one of its engine (LOG-05).

use super::RestoreViolation;
use super::sides::{Came, pairs};
use super::witness::age;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::PrecheckItem;

/// Judges requests between versions of one engine by the answer or the precheck.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for pair in pairs(lens, PrecheckItem::RestoreVersion) {
        let (source, target) = (pair.source, pair.target);
        let Some((from, into)) = age(&source).zip(age(&target)).filter(|_| source.engine == target.engine) else {
            continue;
        };
        match pair.came {
            Came::LetThrough(task) => {
                let lower = into < from;
                finding.judge(&pair.seen, lower.then_some(RestoreViolation::VersionLower { task, source, target }));
            }
            Came::Refused(_) if into < from => finding.judge(&pair.seen, None::<RestoreViolation>),
            Came::Refused(by) if by == "InvalidTarget.Version" => {
                finding.judge(&pair.seen, Some(RestoreViolation::VersionRefused { source, target, by }));
            }
            _ => {}
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};

    fn tale(target: &str) -> Tale {
        Tale::of(["mysql 5.7", target], &orders(), &nothing())
    }

    #[test]
    fn a_lower_version_that_is_let_through_is_found() {
        let mut tale = tale("mysql 5.6");
        tale.save();
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::VersionLower { .. }]));
    }

    #[test]
    fn an_equal_version_that_is_refused_is_found() {
        let mut tale = tale("mysql 5.7");
        let asked = body(&tale.view);
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidTarget.Version");
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::VersionRefused { .. }]));
    }

    #[test]
    fn an_equal_and_a_later_version_let_through_and_a_lower_one_refused_hold() {
        for target in ["mysql 5.7", "mysql 8.0"] {
            let mut tale = tale(target);
            tale.save();
            holds(&tale.story, check, 1);
        }
        let mut tale = tale("mysql 5.5");
        let asked = body(&tale.view);
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidTarget.Version");
        holds(&tale.story, check, 1);
    }
}
