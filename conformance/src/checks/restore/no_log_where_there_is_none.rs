//! A logical backup of anything but MySQL has no log (LOG-06).

use super::RestoreViolation;
use super::witness::product;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::Engine;
use recovery::model::logical::backup::{LogicalType, SetKind};
use serde_json::Value;

/// The type of backup with a log.
const WITH_LOG: &str = "structure-full-log";

/// Judges requests for backups with a log, and the sets and ranges of backup tasks, of servers without one.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, _) in lens.calls_to("POST /v1/logical-backup-tasks") {
        let text = |field: &str| call.it.request.get(field).and_then(Value::as_str);
        let Some(product) = text("source").and_then(|source| product(lens, &source.into())) else { continue };
        if product.engine == Engine::MySql || !lens.scope.admits(&product) || text("backup_type") != Some(WITH_LOG) {
            continue;
        }
        if call.it.accepted() {
            finding.judge(&call, Some(RestoreViolation::LogWithoutLog { what: WITH_LOG.into(), product }));
        } else if call.it.refused() {
            finding.judge(&call, None::<RestoreViolation>);
        }
    }
    for task in lens.backup_tasks() {
        let Some(product) = product(lens, &task.first.source).filter(|product| product.engine != Engine::MySql) else {
            continue;
        };
        let log = lens.sets().find(|set| set.first.task == *task.id && set.first.kind == SetKind::Log);
        let stated = lens.logical_restorable(task.id).find(|seen| !seen.it.ranges.is_empty());
        if let Some(set) = log {
            finding.judge(&set.views[0], Some(RestoreViolation::LogWithoutLog { what: set.id.to_string(), product }));
        } else if let Some(seen) = &stated {
            let what = "a range of points in time".into();
            finding.judge(seen, Some(RestoreViolation::LogWithoutLog { what, product }));
        } else if task.first.backup_type != LogicalType::StructureFullLog
            && let Some(set) = lens.sets().find(|set| set.first.task == *task.id)
        {
            finding.judge(&set.views[0], None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, wrong};
    use crate::history::What;
    use recovery::model::logical::views::{LogicalBackupTaskView, LogicalSetView};
    use serde_json::json;
    use std::sync::Arc;

    fn tale() -> Tale {
        let mut tale = Tale::of(["sqlserver 2016 web", "sqlserver 2016 web"], &orders(), &nothing());
        for event in &mut tale.story.history.events {
            if let What::LogicalTaskSeen(task) = &mut event.what {
                let kind = LogicalType::StructureFull;
                *task = Arc::new(LogicalBackupTaskView { backup_type: kind, ..tale.task.clone() });
            }
        }
        tale
    }

    #[test]
    fn a_log_set_of_sql_server_is_found() {
        let mut tale = tale();
        let log = LogicalSetView { id: "bkx-2".into(), kind: SetKind::Log, ..tale.set.clone() };
        tale.story.push(What::LogicalSetSeen(Arc::new(log)));
        let found = wrong(&tale.story, check);
        assert!(matches!(&found[..], [RestoreViolation::LogWithoutLog { what, .. }] if what == "bkx-2"));
    }

    #[test]
    fn a_backup_with_a_log_that_is_accepted_is_found() {
        let mut tale = tale();
        let asked = json!({"source": "ds-1", "backup_type": WITH_LOG});
        tale.story.call("POST /v1/logical-backup-tasks", asked, 201, json!({}));
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::LogWithoutLog { .. }]));
    }

    #[test]
    fn sets_without_a_log_and_a_refusal_hold() {
        let mut tale = tale();
        let asked = json!({"source": "ds-1", "backup_type": WITH_LOG});
        tale.story.refused("POST /v1/logical-backup-tasks", asked, 403, "OperationDenied.BackupType");
        holds(&tale.story, check, 2);
    }

    #[test]
    fn mysql_exercises_nothing() {
        holds(&Tale::between(&orders(), &nothing()).story, check, 0);
    }
}
