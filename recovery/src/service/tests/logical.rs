//! Logical backup and restore over HTTP, from the data source to the restored table, with a worker by hand.

use super::world::{PASSWORD, World, settle};
use crate::client::Client;
use crate::model::content::ObjectKind;
use crate::model::logical::backup::{Instant, SetObject};
use crate::model::logical::restore::{RestorePhase, RestoredObject, RestoredStatus};
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::work::{Job, LeaseKept, LeasedWork, Report, Reports};
use crate::ports::Clock;
use futures_util::TryStreamExt;
use http::Method;
use jiff::SignedDuration;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::{Value, json};

/// Two data sources, and a worker.
struct Shop {
    world: World,
    worker: Client,
    source: String,
    target: String,
    position: u64,
}

fn new_source(instance: &str) -> Value {
    json!({ "name": "shop", "instance_id": instance, "account": "app", "password": PASSWORD })
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn shop(product: &str) -> Shop {
    let world = World::new().await;
    let mut sources = Vec::new();
    for key in ["source", "target"] {
        let instance = world.primary(product, key).await;
        let made = world.post("/v1/data-sources", &format!("ds-{key}"), &new_source(&instance)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert!(!made.body.to_string().contains(PASSWORD), "{}", made.body);
        assert!(world.cloud.machines().settings[&instance.as_str().into()].whitelist.contains("worker-1"));
        sources.push(text(&made.body["id"]));
    }
    let worker = world.client_of_a_worker();
    let target = sources.pop().expect("two");
    Shop { world, worker, source: sources.pop().expect("two"), target, position: 10 }
}

impl Shop {
    fn instant(&mut self) -> Instant {
        self.position += 1;
        Instant { position: self.position, at: self.world.clock.now() }
    }

    async fn lease(&self) -> LeasedWork {
        let request = json!({ "worker": "worker-1" });
        let timeout = SignedDuration::from_hours(2);
        let leased = self.worker.call(Method::POST, "/internal/leases", Some(&request), timeout).await;
        leased.expect("an answer")
    }

    async fn say(&self, leased: &LeasedWork, reports: Vec<Report>) {
        let path = format!("/internal/leases/{}", leased.task);
        let reports = Reports { worker: "worker-1".to_owned(), epoch: leased.epoch, reports };
        let timeout = SignedDuration::from_secs(60);
        let kept: LeaseKept = self.worker.call(Method::POST, &path, Some(&reports), timeout).await.expect("an answer");
        assert_eq!(kept.lease_s, 0);
    }

    /// Makes a backup task; gives its path.
    async fn back_up(&self, backup_type: &str) -> String {
        let new = json!({ "name": "nightly", "source": self.source, "backup_type": backup_type });
        let made = self.world.post("/v1/logical-backup-tasks", "bk", &new).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert!(made.body["running"].is_string());
        format!("/v1/logical-backup-tasks/{}", text(&made.body["id"]))
    }

    /// Takes the set that is leased next; gives its id.
    async fn dump(&mut self) -> String {
        let leased = self.lease().await;
        let Job::Dump(job) = &leased.job else { panic!("{leased:?}") };
        assert_eq!(job.source.login.password.expose(), PASSWORD);
        let place = Path::from(format!("logical/{}/rows/0", job.set));
        self.world.vault().put(&place, "rows".into()).await.expect("a vault");
        let snapshot = self.instant();
        self.world.clock.advance(3).await;
        let to = self.instant();
        let orders =
            SetObject { database: "app".to_owned(), kind: ObjectKind::Table, name: "orders".to_owned(), rows: 2 };
        let completed = Report::SetCompleted { to, objects: vec![orders], size_bytes: 4 };
        self.say(&leased, vec![Report::Snapshot(snapshot), completed]).await;
        job.set.0.clone()
    }

    async fn collect(&mut self) {
        let leased = self.lease().await;
        assert!(matches!(leased.job, Job::CollectLog(_)), "{leased:?}");
        let to = self.instant();
        self.say(&leased, vec![Report::LogCollected { to, segment_bytes: Some(9) }]).await;
    }

    async fn precheck(&self, outcome: PrecheckOutcome) {
        let leased = self.lease().await;
        assert!(matches!(leased.job, Job::Restore(_)), "{leased:?}");
        let item = PrecheckResult { item: PrecheckItem::RestoreTargetConnection, outcome };
        self.say(&leased, vec![Report::PrecheckItem(item), Report::PrecheckDone]).await;
    }

    fn new_restore(&self, task: &str, recovery: &Value) -> Value {
        json!({
            "name": "back",
            "source": self.source,
            "backup_task": task.rsplit('/').next(),
            "recovery": recovery,
            "target": self.target,
            "types": ["structure", "full"],
            "objects": { "choose": "all" },
            "structure_conflict": "stop",
            "data_conflict": "delete-then-rewrite",
        })
    }

    async fn status(&self, path: &str) -> Value {
        self.world.get(path).await.body["status"].clone()
    }

    async fn delete(&self, path: &str) -> u16 {
        self.world.send(Method::DELETE, path, None, None).await.status
    }

    async fn lying(&self) -> usize {
        let listed: Result<Vec<_>, _> = self.world.vault().list(None).try_collect().await;
        listed.expect("a vault").len()
    }
}

fn done() -> RestoredObject {
    RestoredObject {
        phase: RestorePhase::Full,
        kind: ObjectKind::Table,
        database: "app".to_owned(),
        name: "orders".to_owned(),
        target_name: "orders".to_owned(),
        status: RestoredStatus::Done,
        began_at: None,
        ended_at: None,
        records: 2,
        records_skipped: 0,
        cursor: 2,
        announced: false,
        rows_before: None,
    }
}

fn failed() -> PrecheckOutcome {
    PrecheckOutcome::failed("no such account", "make it")
}

#[tokio::test]
async fn a_backup_task_takes_sets_and_follows_the_log() {
    let mut shop = shop("mysql 5.7").await;
    let task = shop.back_up("structure-full-log").await;
    let busy = shop.world.post(&format!("{task}/runs"), "busy", &json!({})).await;
    assert_eq!((busy.status, &busy.body["code"]), (403, &json!("OperationDenied.BackupJobExists")));
    let begun = shop.world.clock.now();
    let set = shop.dump().await;
    shop.collect().await;
    let restorable = shop.world.get(&format!("{task}/restorable")).await.body;
    let span = json!({ "earliest": begun, "latest": shop.world.clock.now() });
    assert_eq!(restorable, json!({ "ranges": [span], "backup_sets": [set] }));
    let id = task.rsplit('/').next().expect("an id").to_owned();
    for (query, count) in [("", 2), ("?kind=full", 1), ("?kind=log", 1), ("?kind=structure", 0), ("?task=bk-none", 0)] {
        let sets = shop.world.get(&format!("/v1/logical-backup-sets{query}")).await.body;
        assert_eq!(sets["sets"].as_array().map(Vec::len), Some(count), "{query}");
    }
    let shown = shop.world.get(&format!("/v1/logical-backup-sets/{set}")).await.body;
    assert_eq!((&shown["restorable"], &shown["status"]), (&json!(true), &json!("completed")));
    assert_eq!(shown["objects"][0]["name"], "orders");
    let tasks = shop.world.get(&format!("/v1/logical-backup-tasks?source={}", shop.source)).await.body;
    assert_eq!(tasks["tasks"][0]["id"], json!(id));
    let none = shop.world.get(&format!("/v1/logical-backup-tasks?source={}", shop.target)).await.body;
    assert_eq!(none, json!({ "tasks": [] }));
    let run = shop.world.send(Method::POST, &format!("{task}/runs"), None, Some("again")).await;
    assert_eq!((run.status, &run.body["status"]), (202, &json!("running")), "{}", run.body);
    let same = shop.world.post(&format!("{task}/runs"), "again", &json!({})).await;
    assert_eq!((same.status, &same.body), (202, &run.body));
    assert_eq!(shop.dump().await, text(&run.body["id"]));
}

#[tokio::test]
async fn a_worker_that_waits_is_given_the_log_the_moment_it_is_due() {
    let mut shop = shop("mysql 5.7").await;
    shop.back_up("structure-full-log").await;
    shop.dump().await;
    shop.collect().await;
    let collected = shop.world.clock.now();
    let (leased, ()) = tokio::join!(shop.lease(), shop.world.clock.advance(30));
    assert!(matches!(leased.job, Job::CollectLog(_)), "{leased:?}");
    assert_eq!(collected.duration_until(shop.world.clock.now()).as_secs(), 30);
}

#[tokio::test]
async fn a_restore_is_saved_checked_repaired_started_and_ends() {
    let mut shop = shop("mysql 5.7").await;
    let task = shop.back_up("structure-full").await;
    let set = shop.dump().await;
    let new = shop.new_restore(&task, &json!({ "method": "backup-set", "backup_set_id": set }));
    let made = shop.world.post("/v1/restore-tasks", "rst", &new).await;
    assert_eq!((made.status, &made.body["status"]), (201, &json!("checking")), "{}", made.body);
    let path = format!("/v1/restore-tasks/{}", text(&made.body["id"]));
    shop.world.crash_and_start().await;
    assert_eq!(shop.world.post("/v1/restore-tasks", "rst", &new).await.body, made.body);
    shop.precheck(failed()).await;
    let listed = shop.world.get("/v1/restore-tasks").await.body;
    assert_eq!(listed["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["tasks"][0]["precheck"]["items"][0]["findings"][0]["remedy"], "make it");
    let refused = shop.world.step(&format!("{path}/start")).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("OperationDenied.TaskStatus")));
    assert_eq!(shop.world.step(&format!("{path}/precheck")).await.body["status"], "checking");
    let warning = PrecheckOutcome::warning("it differs", "set it");
    shop.precheck(warning).await;
    assert_eq!(shop.status(&path).await, "check-passed");
    assert_eq!(shop.world.put(&path, &new).await.body["precheck"]["number"], 3);
    shop.precheck(PrecheckOutcome::Success).await;
    assert_eq!(shop.world.step(&format!("{path}/start")).await.body["status"], "running");
    assert_eq!(shop.delete(&path).await, 409);
    shop.world.crash_and_start().await;
    let leased = shop.lease().await;
    shop.say(&leased, vec![Report::RestorePlanned(vec![done()]), Report::Finished]).await;
    let shown = shop.world.get(&path).await.body;
    assert_eq!((&shown["status"], &shown["details"][0]["records"]), (&json!("completed"), &json!(2)));
    assert_eq!(shop.delete(&path).await, 204);
    assert_eq!(shop.world.get(&path).await.body["code"], "InvalidTaskId.NotFound");
}

#[tokio::test]
async fn a_field_of_the_other_method_is_refused() {
    let mut shop = shop("mysql 5.7").await;
    let task = shop.back_up("structure-full").await;
    let set = shop.dump().await;
    let time = "2026-01-05T09:00:00Z";
    let by_time = json!({ "method": "point-in-time", "point_in_time": time });
    let both = json!({ "method": "backup-set", "backup_set_id": set, "point_in_time": time });
    for (recovery, status, code) in [
        (both, 400, "InvalidParameter"),
        (json!({ "method": "backup-set" }), 400, "InvalidParameter"),
        (json!({ "method": "newest" }), 400, "InvalidParameter"),
        (json!({}), 400, "InvalidParameter"),
        (by_time, 403, "OperationDenied.RestoreMethod"),
    ] {
        let answer = shop.world.post("/v1/restore-tasks", "k", &shop.new_restore(&task, &recovery)).await;
        assert_eq!((answer.status, &answer.body["code"]), (status, &json!(code)), "{recovery}");
    }
}

#[tokio::test]
async fn sets_whose_time_is_over_leave_the_vault_and_the_lists() {
    let mut shop = shop("sqlserver 2012 web").await;
    let task = shop.back_up("structure-full").await;
    let set = shop.dump().await;
    let other = Path::from("logical/other/rows/0");
    shop.world.vault().put(&other, "rows".into()).await.expect("a vault");
    assert_eq!(shop.world.step(&format!("{task}/stop")).await.body["state"], "stopped");
    shop.world.clock.advance(7 * 86_400 - 1).await;
    assert_eq!(
        (shop.lying().await, shop.status(&format!("/v1/logical-backup-sets/{set}")).await),
        (2, json!("completed"))
    );
    shop.world.clock.advance(1).await;
    settle().await;
    let gone = shop.world.get(&format!("/v1/logical-backup-sets/{set}")).await;
    assert_eq!((shop.lying().await, gone.status), (1, 404));
    for id in [shop.source.clone(), shop.target.clone()] {
        assert_eq!(shop.delete(&format!("/v1/data-sources/{id}")).await, 204);
    }
    assert_eq!(shop.world.get("/v1/data-sources").await.body, json!({ "data_sources": [] }));
    assert_eq!(shop.world.get(&task).await.body["product"], "sqlserver 2012 web");
}

#[tokio::test]
async fn a_schedule_takes_a_set_by_itself() {
    let mut shop = shop("sqlserver 2012 web").await;
    let schedule = json!({ "weekdays": ["monday"], "hour": 10 });
    let new = json!({ "name": "n", "source": shop.source, "backup_type": "structure-full", "schedule": schedule });
    let made = shop.world.post("/v1/logical-backup-tasks", "bk", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let first = shop.dump().await;
    shop.world.clock.advance(3_600).await;
    assert_ne!(shop.dump().await, first);
    let in_use = shop.world.send(Method::DELETE, &format!("/v1/data-sources/{}", shop.source), None, None).await;
    assert_eq!((in_use.status, &in_use.body["code"]), (409, &json!("OperationDenied.DataSourceInUse")));
}
