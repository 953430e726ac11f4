//! Redis: recovery through crashes, the times of a list, what a passed retention hides.

use super::world::{World, settle};
use serde_json::{Value, json};

const PRODUCT: &str = "redis 5.0";
const WEEK_S: i64 = 7 * 86_400;

/// Takes a backup; gives its id.
async fn backup(world: &World, instance: &str, key: &str) -> String {
    let taken = world.post(&format!("/v1/instances/{instance}/backups"), key, &json!({ "kind": "data" })).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    settle().await;
    taken.body["id"].as_str().expect("an id").to_owned()
}

async fn seen(world: &World, instance: &str) -> Value {
    world.get(&format!("/v1/instances/{instance}")).await.body
}

fn of(set: &str) -> Value {
    json!({ "backup_set_id": set, "overwrite_confirmed": true })
}

#[tokio::test]
async fn a_recovery_goes_on_through_crashes_and_has_its_effect_once() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let set = backup(&world, &id, "b").await;
    let path = format!("/v1/instances/{id}/recovery");
    world.cloud.machines().unreachable = true;
    let begun = world.post(&path, "r", &of(&set)).await;
    assert_eq!((begun.status, &begun.body["state"]), (202, &json!("BackupRecovering")), "{}", begun.body);
    world.crash_and_start().await;
    assert_eq!(seen(&world, &id).await["state"], "BackupRecovering");
    {
        let mut machines = world.cloud.machines();
        (machines.unreachable, machines.hang_after_effect) = (false, true);
    }
    world.clock.advance(120).await;
    assert_eq!(seen(&world, &id).await["state"], "BackupRecovering");
    world.cloud.machines().hang_after_effect = false;
    world.crash_and_start().await;
    let recovered = seen(&world, &id).await;
    assert_eq!((&recovered["state"], &recovered["failure"]), (&json!("Running"), &Value::Null), "{recovered}");
    assert_eq!(world.cloud.machines().overwritten, [(id.as_str().into(), set.as_str().into(), 1)]);
    assert_eq!(world.post(&path, "r", &of(&set)).await, begun);
    assert_eq!(world.post(&path, "s", &of(&set)).await.status, 202);
    settle().await;
    assert_eq!(world.cloud.machines().overwritten.len(), 2);
}

#[tokio::test]
async fn a_recovery_that_cannot_be_done_leaves_the_instance_running_and_says_so() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let set = backup(&world, &id, "b").await;
    world.cloud.machines().unreadable = true;
    world.post(&format!("/v1/instances/{id}/recovery"), "r", &of(&set)).await;
    settle().await;
    let instance = seen(&world, &id).await;
    assert_eq!(instance["state"], "Running", "{instance}");
    assert!(instance["failure"].as_str().is_some_and(|why| why.contains("cannot be read: torn")), "{instance}");
    assert_eq!(world.cloud.machines().overwritten, []);
}

#[tokio::test]
async fn a_backup_is_hidden_after_seven_days_though_nothing_could_delete_it_yet() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let set = backup(&world, &id, "b").await;
    let (list, show) = (format!("/v1/instances/{id}/backups"), format!("/v1/backups/{set}"));
    world.clock.advance(WEEK_S - 1).await;
    assert_eq!(world.get(&list).await.body["backups"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.get(&show).await.status, 200);
    world.cloud.machines().unreachable = true;
    world.clock.advance(2).await;
    world.crash_and_start().await;
    assert_eq!(world.get(&list).await.body["backups"], json!([]));
    assert_eq!(world.get(&show).await.body["code"], "InvalidBackupId.NotFound");
    let recovery = world.post(&format!("/v1/instances/{id}/recovery"), "r", &of(&set)).await;
    assert_eq!(recovery.body["code"], "InvalidBackupId.NotFound");
}

#[tokio::test]
async fn the_list_of_backups_takes_times() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let set = backup(&world, &id, "b").await;
    let ask = async |query: &str| world.get(&format!("/v1/instances/{id}/backups?{query}")).await;
    for (query, found) in [
        ("from=2026-01-05T09:00:00Z&to=2026-01-05T09:00:00Z", true),
        ("from=2026-01-05T09:00:01Z", false),
        ("to=2026-01-05T08:59:59Z", false),
    ] {
        let listed = ask(query).await.body;
        assert_eq!(listed["backups"][0]["id"] == json!(set), found, "{query} {listed}");
    }
    for wrong in ["from=2026-01-06T00:00:00Z&to=2026-01-05T00:00:00Z", "from=yesterday", "since=2026-01-05T00:00:00Z"] {
        assert_eq!(ask(wrong).await.body["code"], "InvalidParameter", "{wrong}");
    }
}
