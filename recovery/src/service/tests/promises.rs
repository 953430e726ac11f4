//! The promises: what was answered stays, what is due is done, whatever crashes or cannot be reached.

use super::world::{PASSWORD, World, new_primary, settle};
use crate::client::Client;
use crate::model::instance::InstanceState;
use crate::model::policy::Policy;
use crate::model::views::InstanceView;
use crate::model::work::{Job, LeaseKept, LeasedWork, Report, Reports};
use crate::ports::cloud::Content;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

const PRODUCT: &str = "sqlserver 2012 web";

async fn state_of(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/instances/{id}")).await.body["state"].clone()
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_crash() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}");
    let settings = json!({ "whitelist": ["app-1"], "ssl": true });
    let configured = world.put(&format!("{path}/configuration"), &settings).await;
    assert_eq!(configured.status, 200, "{}", configured.body);
    let backup = world.post(&format!("{path}/backups"), "b", &json!({ "kind": "data" })).await;
    assert_eq!(backup.status, 202, "{}", backup.body);
    let before = world.get(&path).await;
    for _ in 0..5 {
        world.crash_and_start().await;
        assert_eq!(world.get(&path).await, before);
    }
    let backup = world.get(&format!("/v1/backups/{}", backup.body["id"].as_str().expect("an id"))).await;
    assert_eq!(backup.body["status"], "success", "{}", backup.body);
    assert_eq!(world.cloud.machines().orders.len(), 1, "a made instance is not made again");
}

#[tokio::test]
async fn an_instance_asked_for_before_a_crash_is_made_after_it() {
    let mut world = World::new().await;
    world.cloud.machines().unreachable = true;
    let made = world.post("/v1/instances", "k", &new_primary(PRODUCT)).await;
    let id = made.body["id"].as_str().expect("an id").to_owned();
    world.crash_and_start().await;
    assert_eq!(state_of(&world, &id).await, "Creating");
    world.cloud.machines().unreachable = false;
    world.clock.advance(120).await;
    assert_eq!(state_of(&world, &id).await, "Running");
    let machines = world.cloud.machines();
    let Content::Empty { account: Some(account) } = &machines.orders[0].content else { panic!("no account") };
    assert_eq!(account.password.expose(), PASSWORD);
}

#[tokio::test]
async fn a_released_instance_is_taken_down_and_not_found() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    world.cloud.machines().unreachable = true;
    let released = world.send(Method::DELETE, &format!("/v1/instances/{id}"), None, None).await;
    assert_eq!((released.status, &released.body["state"]), (200, &json!("Deleting")), "{}", released.body);
    world.clock.advance(600).await;
    assert_eq!(state_of(&world, &id).await, "Deleting");
    world.cloud.machines().unreachable = false;
    world.clock.advance(120).await;
    assert_eq!(world.get(&format!("/v1/instances/{id}")).await.status, 404);
    assert_eq!(world.cloud.machines().destroyed.len(), 1);
}

#[tokio::test]
async fn settings_reach_a_server_before_they_are_answered_or_as_soon_as_it_can_be_reached() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}/configuration");
    let whitelist_of = |world: &World| {
        let machines = world.cloud.machines();
        machines.settings[&id.as_str().into()].whitelist.iter().cloned().collect::<Vec<_>>()
    };
    world.put(&path, &json!({ "whitelist": ["app-1"] })).await;
    assert_eq!(whitelist_of(&world), ["app-1"]);
    world.cloud.machines().unreachable = true;
    let change = json!({ "whitelist": ["app-2"] });
    let (answer, ()) = tokio::join!(world.put(&path, &change), world.clock.advance(20));
    assert_eq!(answer.body["configuration"]["whitelist"], json!(["app-2"]));
    assert_eq!(whitelist_of(&world), ["app-1"]);
    world.crash_and_start().await;
    world.cloud.machines().unreachable = false;
    world.clock.advance(120).await;
    assert_eq!(whitelist_of(&world), ["app-2"]);
}

#[tokio::test]
async fn an_account_is_made_once_though_its_answer_was_lost() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}/accounts");
    let account = json!({ "name": "other", "password": PASSWORD, "grants": { "default": "read-only" } });
    world.cloud.machines().hang_after_effect = true;
    let client = &world.client;
    let sent = client.send(Method::POST, &path, Some(&account), Some("a"), SignedDuration::from_secs(30));
    let (lost, ()) = tokio::join!(sent, world.clock.advance(60));
    assert!(lost.is_err());
    world.cloud.machines().hang_after_effect = false;
    world.crash_and_start().await;
    let again = world.post(&path, "a", &account).await;
    assert_eq!(again.status, 201, "{}", again.body);
    assert_eq!(world.post(&path, "a", &account).await, again);
    let other_key = world.post(&path, "b", &account).await;
    assert_eq!((other_key.status, &other_key.body["code"]), (409, &json!("InvalidAccountName.Duplicate")));
    let names = world.get(&path).await.body;
    assert_eq!(names["accounts"].as_array().map(Vec::len), Some(2), "{names}");
    let gone = world.send(Method::DELETE, &format!("{path}/other"), None, None).await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    let gone = world.send(Method::DELETE, &format!("{path}/other"), None, None).await;
    assert_eq!(gone.body["code"], "InvalidAccountName.NotFound");
}

#[tokio::test]
async fn a_temporary_instance_is_restored_from_backups_that_join_and_ends_after_48_hours() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}");
    let data = world.post(&format!("{path}/backups"), "d", &json!({ "kind": "data" })).await.body;
    settle().await;
    world.clock.advance(2 * 3_600).await;
    let point = "2026-01-05T10:10:00Z";
    let temporary = world.post(&format!("{path}/temporary-instances"), "t", &json!({ "point_in_time": point })).await;
    assert_eq!(temporary.status, 202, "{}", temporary.body);
    settle().await;
    let temporary = temporary.body["id"].as_str().expect("an id").to_owned();
    assert_eq!(state_of(&world, &temporary).await, "Running");
    {
        let machines = world.cloud.machines();
        let order = machines.orders.last().expect("an order");
        let Content::Restored(restore) = &order.content else { panic!("not restored") };
        assert_eq!(order.life_s, Some(48 * 3_600));
        assert_eq!(Value::from(restore.data.as_str()), data["id"]);
        assert_eq!(restore.until.map(|until| until.to_string()).as_deref(), Some(point));
        assert!(!restore.logs.is_empty());
    }
    let listed = world.get(&format!("{path}/temporary-instances")).await.body;
    assert_eq!(listed["instances"].as_array().map(Vec::len), Some(1));
    world.clock.advance(48 * 3_600 + 60).await;
    assert_eq!(world.get(&format!("/v1/instances/{temporary}")).await.status, 404);
    assert_eq!(world.cloud.machines().destroyed, [temporary.as_str().into()]);
}

#[tokio::test]
async fn an_instance_that_cannot_be_restored_fails_clearly_and_occupies_no_machine() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}");
    let data = world.post(&format!("{path}/backups"), "d", &json!({ "kind": "data" })).await.body;
    settle().await;
    world.cloud.machines().unreadable = true;
    let choice = json!({ "backup_set_id": data["id"] });
    let temporary = world.post(&format!("{path}/temporary-instances"), "t", &choice).await.body;
    settle().await;
    let temporary = temporary["id"].as_str().expect("an id").to_owned();
    let failed = world.get(&format!("/v1/instances/{temporary}")).await.body;
    assert_eq!(failed["state"], "Failed", "{failed}");
    assert!(failed["failure"].as_str().is_some_and(|why| why.contains("cannot be read: torn")), "{failed}");
    assert_eq!(world.cloud.machines().destroyed, [temporary.as_str().into()]);
}

#[tokio::test]
async fn log_backups_begin_where_the_one_before_ended() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}/backups");
    for (key, kind) in [("1", "data"), ("2", "data"), ("3", "log"), ("4", "log")] {
        let taken = world.post(&path, key, &json!({ "kind": kind })).await;
        assert_eq!(taken.status, 202, "{}", taken.body);
        world.clock.advance(1).await;
    }
    let positions: Vec<u64> = world.cloud.machines().backups.iter().map(|(_, after)| *after).collect();
    assert_eq!(positions, [0, 0, 101, 103]);
}

#[tokio::test]
async fn a_service_whose_disk_fails_answers_so_and_stops() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    world.disk.fail();
    let answer = world.post("/v1/instances", "k", &new_primary(PRODUCT)).await;
    assert_eq!((answer.status, &answer.body["code"]), (500, &json!("InternalError")));
    settle().await;
    let stopped = world.service.take().expect("a service").await.expect("no panic");
    assert!(stopped.is_err_and(|error| error.to_string().starts_with("store: ")));
    world.disk.heal();
    world.disk.crash();
    world.start().await;
    assert_eq!(state_of(&world, &id).await, "Running");
}

/// Makes a migration task and has it checked; gives its path.
async fn checking(world: &World, source: &str, target: &str) -> String {
    let side = |id: &str| json!({ "region": "hangzhou", "instance_id": id, "account": "app", "password": PASSWORD });
    let task = json!({ "name": "back", "source": side(source), "target": side(target) });
    let task = world.post("/v1/migration-tasks", "t", &task).await;
    assert_eq!(task.status, 201, "{}", task.body);
    let path = format!("/v1/migration-tasks/{}", task.body["id"].as_str().expect("an id"));
    assert_eq!(world.step(&format!("{path}/authorise")).await.status, 200);
    let objects = json!({ "types": ["structure", "full"], "objects": [{ "database": "app" }] });
    assert_eq!(world.put(&format!("{path}/objects"), &objects).await.status, 200);
    let checking = world.step(&format!("{path}/precheck")).await;
    assert_eq!((checking.status, &checking.body["status"]), (200, &json!("Prechecking")));
    path
}

/// Asks for work as a worker does.
async fn lease(worker: &Client) -> Option<LeasedWork> {
    let request = json!({ "worker": "worker-1" });
    let timeout = SignedDuration::from_hours(2);
    worker.call(Method::POST, "/internal/leases", Some(&request), timeout).await.expect("an answer")
}

#[tokio::test]
async fn a_worker_waits_for_work_and_is_given_it_the_moment_it_comes_up() {
    let world = World::new().await;
    let (source, target) = (world.primary(PRODUCT, "source").await, world.primary(PRODUCT, "target").await);
    let worker = world.client_of_a_worker();
    let (none, ()) = tokio::join!(lease(&worker), world.clock.advance(Policy::default().lease_wait_s));
    assert!(none.is_none());
    let configure = async {
        settle().await;
        checking(&world, &source, &target).await
    };
    let (work, path) = tokio::join!(lease(&worker), configure);
    let work = work.expect("work");
    let Job::Migration(job) = &work.job else { panic!("no migration") };
    assert_eq!(job.source.login.password.expose(), PASSWORD);
    assert_eq!(format!("/v1/migration-tasks/{}", work.task), path);
    let whitelist = &world.cloud.machines().settings[&source.as_str().into()].whitelist.clone();
    assert!(whitelist.contains("worker-1"), "{whitelist:?}");
}

#[tokio::test]
async fn a_lease_outlives_the_service_though_renewals_are_kept_in_memory_only() {
    let mut world = World::new().await;
    let (source, target) = (world.primary(PRODUCT, "source").await, world.primary(PRODUCT, "target").await);
    checking(&world, &source, &target).await;
    let work = lease(&world.client_of_a_worker()).await.expect("work");
    let renew = async |world: &World| {
        let reports = Reports { worker: "worker-1".into(), epoch: work.epoch, reports: vec![Report::Renew] };
        let path = format!("/internal/leases/{}", work.task);
        let (worker, timeout) = (world.client_of_a_worker(), SignedDuration::from_secs(5));
        let kept: Result<LeaseKept, _> = worker.call(Method::POST, &path, Some(&reports), timeout).await;
        kept.is_ok()
    };
    let two_thirds_s = Policy::default().lease_s * 2 / 3;
    world.clock.advance(two_thirds_s).await;
    assert!(renew(&world).await);
    world.crash_and_start().await;
    world.clock.advance(two_thirds_s).await;
    assert!(renew(&world).await, "it lapsed with the service");
    world.clock.advance(Policy::default().lease_s).await;
    assert!(!renew(&world).await, "it never lapses");
}

#[tokio::test]
async fn a_client_goes_on_after_the_service_was_started_again() {
    let mut world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let path = format!("/v1/instances/{id}");
    for _ in 0..3 {
        let view: InstanceView =
            world.client.call(Method::GET, &path, None::<&()>, SignedDuration::from_secs(5)).await.expect("an answer");
        assert_eq!(view.state, InstanceState::Running);
        world.crash_and_start().await;
    }
}
