//! Redis: recovery through crashes, the times of a list, what a passed retention hides.

use super::world::{World, settle};
use crate::model::views::Problem;
use crate::ports::cloud::backup_place;
use jiff::SignedDuration;
use object_store::ObjectStoreExt;
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

async fn fetched(world: &World, path: &str) -> Result<Vec<u8>, String> {
    match world.client.fetch(path, SignedDuration::from_secs(60)).await {
        Ok((200, bytes)) => Ok(bytes.to_vec()),
        Ok((_, problem)) => {
            let problem: Problem = serde_json::from_slice(&problem).map_err(|error| error.to_string())?;
            Err(problem.code)
        }
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn a_backup_file_is_downloaded_through_its_link_until_seven_days_after_its_backup() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let set = backup(&world, &id, "b").await;
    let place = backup_place(&id.as_str().into(), &set.as_str().into());
    world.vault().put(&place, vec![0xff].into()).await.expect("the vault takes it");
    let link = world.step(&format!("/v1/backups/{set}/download")).await;
    assert_eq!((link.status, &link.body["size_bytes"]), (200, &json!(1)), "{}", link.body);
    let path = link.body["path"].as_str().expect("a path").to_owned();
    world.crash_and_start().await;
    assert_eq!(fetched(&world, &path).await, Ok(vec![0xff]));
    assert_eq!(world.step(&format!("/v1/backups/{set}/download")).await, link);
    world.clock.advance(WEEK_S - 1).await;
    assert_eq!(fetched(&world, &path).await, Ok(vec![0xff]));
    world.cloud.machines().unreachable = true;
    world.clock.advance(2).await;
    assert_eq!(fetched(&world, &path).await, Err("InvalidDownload.NotFound".into()));
    world.cloud.machines().unreachable = false;
    world.clock.advance(120).await;
    assert_eq!(fetched(&world, &path).await, Err("InvalidDownload.NotFound".into()));
}

#[tokio::test]
async fn a_file_that_is_lost_or_not_whole_is_not_handed_out() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let set = backup(&world, &id, "b").await;
    let link = world.step(&format!("/v1/backups/{set}/download")).await.body;
    let path = link["path"].as_str().expect("a path");
    assert_eq!(fetched(&world, path).await, Err("InvalidDownload.NotFound".into()));
    let place = backup_place(&id.as_str().into(), &set.as_str().into());
    for damaged in [vec![1, 2], vec![0xfe], vec![]] {
        world.vault().put(&place, damaged.into()).await.expect("the vault takes it");
        let (torn, ()) = tokio::join!(fetched(&world, path), async {
            for _ in 0..20 {
                world.clock.advance(1).await;
            }
        });
        assert_eq!(torn, Err("OperationDenied.BackupStatus".into()));
    }
    world.vault().put(&place, vec![0xff].into()).await.expect("the vault takes it");
    assert_eq!(fetched(&world, path).await, Ok(vec![0xff]));
}

#[test]
fn the_document_says_that_a_download_is_bytes() {
    let document = serde_json::to_value(crate::api::openapi()).expect("JSON");
    let answer = &document["paths"]["/v1/downloads/{token}"]["get"]["responses"]["200"]["content"];
    let schema = &answer["application/octet-stream"]["schema"];
    assert_eq!(schema, &json!({ "type": "string", "format": "binary", "description": "A file, byte by byte." }));
}
