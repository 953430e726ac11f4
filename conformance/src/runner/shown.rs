//! What an answer of the interface shows of instances, backups and tasks.

use crate::history::{Call, ListKind, What};
use recovery::model::DataSourceId;
use recovery::model::logical::views::{
    DataSourceList, LogicalBackupTaskList, LogicalRestorable, LogicalSetList, RestoreList,
};
use recovery::model::views::{BackupList, BackupView, InstanceList, InstanceView, TaskList, TaskView};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// What an answer shows.
pub fn shown(call: &Call) -> Vec<What> {
    let parts = call.parts();
    let id = parts.get(2).copied().unwrap_or("");
    if call.refused() {
        return match (call.code(), parts.get(1).copied()) {
            (Some("InvalidDBInstanceId.NotFound"), Some("instances")) if parts.len() == 3 => {
                vec![What::InstanceGone { id: id.into() }]
            }
            (Some("InvalidTaskId.NotFound"), Some("migration-tasks")) if parts.len() == 3 => {
                vec![What::TaskGone { id: id.into() }]
            }
            _ => vec![],
        };
    }
    if !call.accepted() {
        return vec![];
    }
    match (call.method.as_str(), parts.get(1).copied().unwrap_or(""), parts.get(3).copied().unwrap_or("")) {
        ("GET", "instances", "") if parts.len() == 2 => listed(call, ListKind::Instances, query(call, "region")),
        ("GET", "migration-sources", _) => listed(call, ListKind::MigrationSources, query(call, "region")),
        ("GET", "instances", "temporary-instances") => listed(call, ListKind::Temporaries, Some(id.to_owned())),
        ("POST", "instances", "clones") => read::<InstanceList>(&call.answer)
            .map(|list| list.instances.into_iter().map(|view| What::InstanceSeen(Arc::new(view))).collect())
            .unwrap_or_default(),
        ("POST" | "GET" | "PUT" | "DELETE", "instances", "" | "temporary-instances" | "configuration") => {
            read::<InstanceView>(&call.answer).map(|view| What::InstanceSeen(Arc::new(view))).into_iter().collect()
        }
        ("GET", "instances", "backups") => backups(call, id),
        ("POST", "instances", "backups") | ("GET", "backups", _) => {
            read::<BackupView>(&call.answer).map(|view| What::BackupSeen(Arc::new(view))).into_iter().collect()
        }
        ("GET", "migration-tasks", "") if parts.len() == 2 => read::<TaskList>(&call.answer)
            .map(|list| list.tasks.into_iter().map(|view| What::TaskSeen(Arc::new(view))).collect())
            .unwrap_or_default(),
        (_, "migration-tasks", _) => {
            read::<TaskView>(&call.answer).map(|view| What::TaskSeen(Arc::new(view))).into_iter().collect()
        }
        (_, part, _) => logical(call, part, id),
    }
}

/// What an answer shows of logical backup and restore.
fn logical(call: &Call, part: &str, id: &str) -> Vec<What> {
    let many = call.method == "GET" && id.is_empty();
    let answer = &call.answer;
    match (part, call.parts().get(3).copied().unwrap_or("")) {
        ("data-sources", _) if many => {
            read::<DataSourceList>(answer).map(|list| each(list.data_sources, What::DataSourceSeen)).unwrap_or_default()
        }
        ("data-sources", _) => one(answer, What::DataSourceSeen),
        ("logical-backup-tasks", "restorable") => read::<LogicalRestorable>(answer)
            .map(|restorable| What::LogicalRestorableSeen { task: id.into(), restorable: Box::new(restorable) })
            .into_iter()
            .collect(),
        ("logical-backup-tasks", "runs") | ("logical-backup-sets", _) if !many => one(answer, What::LogicalSetSeen),
        ("logical-backup-sets", _) => {
            read::<LogicalSetList>(answer).map(|list| each(list.sets, What::LogicalSetSeen)).unwrap_or_default()
        }
        ("logical-backup-tasks", _) if many => {
            let Some(list) = read::<LogicalBackupTaskList>(answer) else { return vec![] };
            let ids = list.tasks.iter().map(|task| task.id.clone()).collect();
            let source = query(call, "source").map(|source| DataSourceId::from(source.as_str()));
            let mut shown = vec![What::LogicalTasksListed { source, ids }];
            shown.extend(each(list.tasks, What::LogicalTaskSeen));
            shown
        }
        ("logical-backup-tasks", _) => one(answer, What::LogicalTaskSeen),
        ("restore-tasks", _) if many => {
            let Some(list) = read::<RestoreList>(answer) else { return vec![] };
            let ids = list.tasks.iter().map(|task| task.id.clone()).collect();
            let mut shown = vec![What::RestoresListed { ids }];
            shown.extend(each(list.tasks, What::RestoreSeen));
            shown
        }
        ("restore-tasks", _) => one(answer, What::RestoreSeen),
        _ => vec![],
    }
}

fn one<T: DeserializeOwned>(answer: &Value, seen: impl Fn(Arc<T>) -> What) -> Vec<What> {
    read::<T>(answer).map(|view| seen(Arc::new(view))).into_iter().collect()
}

fn each<T>(views: Vec<T>, seen: impl Fn(Arc<T>) -> What) -> Vec<What> {
    views.into_iter().map(|view| seen(Arc::new(view))).collect()
}

fn backups(call: &Call, of: &str) -> Vec<What> {
    let Some(list) = read::<BackupList>(&call.answer) else { return vec![] };
    let time = |name| query(call, name).and_then(|text| text.parse().ok());
    let ids = list.backups.iter().map(|view| view.id.clone()).collect();
    let mut shown = vec![What::BackupsListed { of: of.into(), from: time("from"), to: time("to"), ids }];
    shown.extend(each(list.backups, What::BackupSeen));
    shown
}

fn listed(call: &Call, list: ListKind, of: Option<String>) -> Vec<What> {
    let Some(found) = read::<InstanceList>(&call.answer) else { return vec![] };
    let ids = found.instances.iter().map(|view| view.id.clone()).collect();
    let mut shown = vec![What::InstancesListed { list, of, ids }];
    shown.extend(found.instances.into_iter().map(|view| What::InstanceSeen(Arc::new(view))));
    shown
}

fn query(call: &Call, name: &str) -> Option<String> {
    let query = call.path.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use jiff::Timestamp;
    use serde_json::json;

    pub fn call(method: &str, path: &str, answer: Value) -> Call {
        Call {
            sent_at: Timestamp::UNIX_EPOCH,
            method: method.into(),
            path: path.into(),
            key: None,
            request: Value::Null,
            status: Some(200),
            answer: Arc::new(answer),
            error: None,
        }
    }

    pub fn source() -> Value {
        json!({
            "id": "ds-1", "name": "shop", "instance_id": "rm-1", "product": "mysql 5.7", "account": "app",
            "connection": "plain", "created_at": "2026-01-05T00:00:00Z",
        })
    }

    pub fn task() -> Value {
        json!({
            "id": "bk-1", "name": "nightly", "source": "ds-1", "product": "mysql 5.7", "backup_type": "structure-full",
            "databases": [], "schedule": null, "retention_days": 7, "state": "normal", "running": "bkx-1",
            "created_at": "2026-01-05T00:00:00Z",
        })
    }

    fn set() -> Value {
        json!({
            "id": "bkx-1", "task": "bk-1", "source": "ds-1", "product": "mysql 5.7", "kind": "full",
            "status": "completed", "restorable": true, "began_at": "2026-01-05T00:00:00Z",
            "ended_at": "2026-01-05T00:00:05Z", "from": {"position": 4, "at": "2026-01-05T00:00:00Z"},
            "to": {"position": 4, "at": "2026-01-05T00:00:04Z"}, "objects": [], "size_bytes": 10, "failure": null,
        })
    }

    fn kinds(shown: &[What]) -> Vec<&'static str> {
        let kind = |what: &What| match what {
            What::DataSourceSeen(_) => "source",
            What::LogicalTaskSeen(_) => "task",
            What::LogicalTasksListed { .. } => "tasks",
            What::LogicalSetSeen(_) => "set",
            What::LogicalRestorableSeen { .. } => "restorable",
            What::RestoresListed { .. } => "restores",
            What::BackupsListed { .. } => "backups",
            _ => "other",
        };
        shown.iter().map(kind).collect()
    }

    #[test]
    fn answers_about_logical_backups_show_what_they_hold() {
        assert_eq!(kinds(&shown(&call("POST", "/v1/data-sources", source()))), ["source"]);
        assert_eq!(kinds(&shown(&call("GET", "/v1/data-sources", json!({"data_sources": [source()]})))), ["source"]);
        let list = shown(&call("GET", "/v1/logical-backup-tasks?source=ds-1", json!({"tasks": [task()]})));
        assert_eq!(kinds(&list), ["tasks", "task"]);
        assert!(matches!(&list[0], What::LogicalTasksListed { source: Some(source), .. } if source.as_str() == "ds-1"));
        assert_eq!(kinds(&shown(&call("GET", "/v1/logical-backup-sets?task=bk-1", json!({"sets": [set()]})))), ["set"]);
        assert_eq!(kinds(&shown(&call("POST", "/v1/logical-backup-tasks/bk-1/runs", set()))), ["set"]);
        let restorable = json!({"ranges": [], "backup_sets": ["bkx-1"]});
        assert_eq!(kinds(&shown(&call("GET", "/v1/logical-backup-tasks/bk-1/restorable", restorable))), ["restorable"]);
        assert_eq!(kinds(&shown(&call("GET", "/v1/restore-tasks", json!({"tasks": []})))), ["restores"]);
    }

    #[test]
    fn a_list_of_backups_is_kept_with_the_range_it_was_asked_for() {
        let path = "/v1/instances/rm-1/backups?from=2026-01-05T00:00:00Z";
        let listed = shown(&call("GET", path, json!({"backups": []})));
        let [What::BackupsListed { of, from, to, ids }] = listed.as_slice() else {
            panic!("one list, not {listed:?}");
        };
        assert_eq!((of.as_str(), ids.len(), *to), ("rm-1", 0, None));
        assert_eq!(*from, "2026-01-05T00:00:00Z".parse().ok());
    }
}
