//! Logical backup and restore by the whole system: service, workers, vault and servers.

use super::population::{ask, client};
use crate::world::{Stage, WorldOptions, run};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::model::photograph::{Photograph, PhotographedDatabase, Rows};
use recovery::model::{InstanceId, Secret};
use recovery::ports::database::{Login, Outcome};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const CONTENT: &str = "
create table goods (id int primary key, name varchar(40) not null);
create table orders (id int primary key, item int references goods (id), note text, n int default 7);
create table notes (text varchar(40));
create index by_note on orders (note);
create view recent as select id, note from orders;
create procedure clean() delete from orders;
create trigger stamp after insert on orders begin insert into notes values ('order ' || new.id); end;
insert into goods values (1, 'lamp'), (2, 'desk');
insert into notes values ('a'), ('a'), ('b');
insert into orders (id, item, note) values (1, 1, 'x'), (2, 2, 'y'), (3, 1, 'z');";

const CHANGES: &str = "
alter table orders add column size int default 3;
insert into orders (id, item, note, size) values (4, 1, 'new', 9);
update orders set note = 'changed' where id = 1;
update orders set id = 30 where id = 3;
delete from orders where id = 2;
create table late (id int primary key, item int references goods (id));
insert into late values (1, 1), (2, 2);
delete from notes where rowid = (select min(rowid) from notes where text = 'a');
create or replace definer = somebody sql security invoker view recent as select id, size from orders;
create trigger second after insert on goods begin insert into notes values ('good ' || new.id); end;
create event nightly on schedule every 1 day do delete from notes;
insert into goods values (3, 'chair');
drop procedure clean;";

/// An instance with an account that owns everything.
struct Server {
    id: InstanceId,
    source: String,
}

/// Calls of one test, each with a key of its own.
struct Desk {
    stage: Stage,
    calls: std::cell::Cell<u32>,
}

impl Desk {
    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let client = client(&self.stage);
        self.calls.set(self.calls.get() + 1);
        let key = format!("call {}", self.calls.get());
        let body = if method == Method::GET { None } else { Some(body) };
        let answer = ask(&self.stage, &client, method, path, body, &key).await;
        assert!(answer.get("code").is_none(), "{path}: {answer}");
        answer
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, Value::Null).await
    }

    async fn sleep(&self, seconds: i64) {
        self.stage.ports.clock.sleep(SignedDuration::from_secs(seconds)).await;
    }

    /// Asks until an answer has one of these values in a field.
    async fn until(&self, path: &str, field: &str, values: &[&str]) -> Value {
        for _ in 0..200 {
            let answer = self.get(path).await;
            if values.iter().any(|value| answer[field] == *value) {
                return answer;
            }
            self.sleep(5).await;
        }
        panic!("{path} never came to {values:?}: {}", self.get(path).await);
    }

    async fn server(&self, product: &str, name: &str) -> Server {
        let account = json!({ "name": "app", "password": "s3cret", "grants": { "default": "owner" } });
        let order = json!({ "product": product, "region": "north", "account": account });
        let made = self.call(Method::POST, "/v1/instances", order).await;
        let id = made["id"].as_str().expect("an id").to_owned();
        self.until(&format!("/v1/instances/{id}"), "state", &["Running"]).await;
        let source = json!({ "name": name, "instance_id": id, "account": "app", "password": "s3cret" });
        let source = self.call(Method::POST, "/v1/data-sources", source).await;
        Server { id: InstanceId(id), source: source["id"].as_str().expect("an id").to_owned() }
    }

    async fn sql(&self, server: &Server, sql: &str) -> Outcome {
        let shown = self.get(&format!("/v1/instances/{}", server.id)).await;
        let endpoint = shown["endpoint"].as_str().expect("an endpoint").to_owned();
        let login = Login { account: "app".into(), password: Secret::new("s3cret"), ssl: false };
        let mut session = self.stage.ports.database.connect(&endpoint, &login).await.expect("a session");
        session.run("app", sql).await.expect("it runs")
    }

    fn photograph(&self, server: &Server) -> Arc<Photograph> {
        self.stage.control.photograph(&server.id).expect("it is there")
    }

    async fn backed_up(&self, source: &Server, kind: &str) -> String {
        let order = json!({ "name": "daily", "source": source.source, "backup_type": kind });
        let task = self.call(Method::POST, "/v1/logical-backup-tasks", order).await;
        let id = task["id"].as_str().expect("an id").to_owned();
        for _ in 0..200 {
            let sets = self.get(&format!("/v1/logical-backup-sets?task={id}&kind=full")).await;
            assert_ne!(sets["sets"][0]["status"], "failed", "{sets}");
            if sets["sets"][0]["status"] == "completed" {
                return id;
            }
            self.sleep(2).await;
        }
        panic!("no set");
    }

    /// Restores the whole of a backup and gives the task as it ended.
    async fn restored(&self, of: &Server, task: &str, into: &Server, recovery: Value) -> Value {
        let order = json!({
            "name": "put back", "source": of.source, "backup_task": task, "recovery": recovery, "target": into.source,
            "types": ["structure", "full"], "objects": { "choose": "all" }, "structure_conflict": "stop",
            "data_conflict": "stop",
        });
        let made = self.call(Method::POST, "/v1/restore-tasks", order).await;
        let path = format!("/v1/restore-tasks/{}", made["id"].as_str().expect("an id"));
        let checked = self.until(&path, "status", &["check-passed", "check-failed"]).await;
        assert_eq!(checked["status"], "check-passed", "{}", checked["precheck"]);
        self.call(Method::POST, &format!("{path}/start"), json!({})).await;
        self.until(&path, "status", &["completed", "failed", "stopped"]).await
    }
}

type Tables = BTreeMap<String, Vec<String>>;
type Definers = Vec<(String, Option<String>)>;

/// Rows by table, without regard to their order, and the other objects' names with their definers.
fn content(photograph: &Photograph) -> (Tables, Definers) {
    let database: &PhotographedDatabase = &photograph.databases["app"];
    let (mut tables, mut others) = (BTreeMap::new(), Vec::new());
    for (name, object) in &database.objects {
        match &object.rows {
            Some(Rows::Whole { columns, rows, .. }) => {
                let mut rows: Vec<String> = rows.iter().map(|row| format!("{columns:?} {row:?}")).collect();
                rows.sort();
                tables.insert(name.clone(), rows);
            }
            _ => others.push((name.clone(), object.definer.clone())),
        }
    }
    (tables, others)
}

fn desk<T: 'static, F: Future<Output = T> + 'static>(seed: u64, work: impl FnOnce(Desk) -> F + 'static) -> T {
    let options = WorldOptions { seed, ..WorldOptions::default() };
    let ran = run(&options, move |stage: Stage| async move {
        stage.ports.clock.sleep(SignedDuration::from_secs(1)).await;
        work(Desk { stage, calls: std::cell::Cell::default() }).await
    });
    ran.unwrap().0
}

#[test]
fn a_point_in_time_is_restored_with_its_definitions_and_rows() {
    desk(7, |desk| async move {
        let (source, target) = (desk.server("mysql 5.7", "shop").await, desk.server("mysql 5.7", "rescue").await);
        desk.sql(&source, CONTENT).await;
        let task = desk.backed_up(&source, "structure-full-log").await;
        desk.sleep(5).await;
        desk.sql(&source, CHANGES).await;
        desk.sleep(2).await;
        let then = desk.photograph(&source);
        let moment = desk.stage.ports.clock.now();
        let moment = Timestamp::from_second(moment.as_second()).expect("a time");
        desk.sleep(3).await;
        desk.sql(&source, "truncate notes; drop table late; delete from orders").await;
        desk.sleep(90).await;
        let recovery = json!({ "method": "point-in-time", "point_in_time": moment });
        let ended = desk.restored(&source, &task, &target, recovery).await;
        assert_eq!(ended["status"], "completed", "{}", ended["failure"]);
        let ((wanted, mut had), (tables, has)) = (content(&then), content(&desk.photograph(&target)));
        assert_eq!(tables, wanted);
        had.retain(|(name, _)| !name.starts_with("foreign-key") && name != "trigger second" && name != "event nightly");
        let names = |objects: &[(String, Option<String>)]| -> Vec<String> {
            objects.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&has), names(&had));
        let definers: Vec<_> = has.iter().filter_map(|(_, definer)| definer.clone()).collect();
        assert_eq!(definers, ["app", "app"]);
        let table = |photograph: &Photograph, name: &str| {
            photograph.databases["app"].objects[&format!("table {name}")].definition.clone()
        };
        for name in ["orders", "late", "goods"] {
            assert_eq!(table(&desk.photograph(&target), name), table(&then, name), "{name}");
        }
    });
}

#[test]
fn a_set_is_restored_as_of_its_completion_and_without_what_came_later() {
    desk(8, |desk| async move {
        for product in ["mysql 5.7", "sqlserver 2012 web"] {
            let (source, target) = (desk.server(product, "shop").await, desk.server(product, "rescue").await);
            desk.sql(&source, CONTENT).await;
            let then = desk.photograph(&source);
            let task = desk.backed_up(&source, "structure-full").await;
            desk.sql(&source, "insert into goods values (9, 'late')").await;
            let sets = desk.get(&format!("/v1/logical-backup-tasks/{task}/restorable")).await;
            let set = sets["backup_sets"][0].as_str().expect("a set").to_owned();
            let recovery = json!({ "method": "backup-set", "backup_set_id": set });
            let ended = desk.restored(&source, &task, &target, recovery).await;
            assert_eq!(ended["status"], "completed", "{}", ended["failure"]);
            let (wanted, has) = (content(&then).0, content(&desk.photograph(&target)).0);
            assert_eq!(has, wanted, "{product}");
        }
    });
}
