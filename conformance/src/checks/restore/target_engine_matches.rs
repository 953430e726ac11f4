//! A backup is restored into the engine it was taken of; another is told no before anything runs (LOG-04).

use super::RestoreViolation;
use super::sides::{Came, pairs};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::PrecheckItem;

/// Judges requests between two engines by the answer or the precheck, and same engines that were told no for it.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for pair in pairs(lens, PrecheckItem::RestoreEngineMatch) {
        let same = pair.source.engine == pair.target.engine;
        let (source, target) = (pair.source, pair.target);
        match pair.came {
            Came::LetThrough(task) if !same => {
                finding.judge(&pair.seen, Some(RestoreViolation::EnginesMixed { task, source, target }));
            }
            Came::LetThrough(_) => finding.judge(&pair.seen, None::<RestoreViolation>),
            Came::Refused(_) if !same => finding.judge(&pair.seen, None::<RestoreViolation>),
            Came::Refused(by) if by == "InvalidTarget.Engine" => {
                finding.judge(&pair.seen, Some(RestoreViolation::EngineRefused { source, target, by }));
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
    fn a_mysql_backup_let_into_sql_server_is_found() {
        let mut tale = tale("sqlserver 2016 web");
        tale.save();
        let found = wrong(&tale.story, check);
        assert!(matches!(&found[..], [RestoreViolation::EnginesMixed { task, .. }] if task.as_str() == "rst-1"));
    }

    #[test]
    fn the_same_engine_told_no_for_its_engine_is_found() {
        let mut tale = tale("mysql 8.0");
        let asked = body(&tale.view);
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidTarget.Engine");
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::EngineRefused { .. }]));
    }

    #[test]
    fn another_engine_told_no_and_the_same_engine_let_through_hold() {
        let mut other = tale("sqlserver 2016 web");
        let asked = body(&other.view);
        other.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidTarget.Engine");
        holds(&other.story, check, 1);
        let mut same = tale("mysql 8.0");
        same.save();
        holds(&same.story, check, 1);
    }
}
