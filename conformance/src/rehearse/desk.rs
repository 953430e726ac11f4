//! The user at the service's interface: requests, and waiting for what takes a while.

use super::Trouble;
use engines::RealStage;
use http::Method;
use jiff::SignedDuration;
use recovery::client::Client;
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::instance::InstanceState;
use recovery::model::precheck::PrecheckRun;
use recovery::model::task::{MigrationType, SameNameMode, Selection, TaskStatus};
use recovery::model::views::{BackupView, InstanceList, InstanceView, Restorable, TaskView};
use recovery::model::{InstanceId, Secret};
use recovery::ports::database::Login;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::cell::Cell;
use std::sync::Arc;

/// The region of all instances.
const REGION: &str = "region-1";
/// How long one request may take.
const ANSWER: SignedDuration = SignedDuration::from_mins(5);
/// How long to wait before looking again.
const AGAIN: SignedDuration = SignedDuration::from_millis(150);
/// How long anything may take.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// The user.
pub struct Desk<'a> {
    /// The system.
    pub stage: &'a RealStage,
    client: Client,
    keys: Cell<u64>,
    /// The account that instances begin with.
    pub login: Login,
}

impl<'a> Desk<'a> {
    /// At a system, with an account of that name.
    pub fn new(stage: &'a RealStage, account: &str) -> Self {
        let ports = &stage.ports;
        let token = stage.access_token.clone();
        let client = Client::new(Arc::clone(&ports.clock), Arc::clone(&ports.network), stage.service.clone(), token);
        let password = Secret::new(format!("Aa1-{:016x}{:016x}", ports.dice.next(), ports.dice.next()));
        let login = Login { account: account.to_owned(), password, ssl: false };
        Self { stage, client, keys: Cell::new(0), login }
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Value>) -> Result<T, Trouble> {
        let key = (method == Method::POST).then(|| {
            self.keys.set(self.keys.get() + 1);
            format!("rehearsal-{}", self.keys.get())
        });
        let answer = self.client.send(method, path, body.as_ref(), key.as_deref(), ANSWER).await;
        let answer =
            answer.map_err(|error| Trouble::Recovery(format!("the service gave no answer to {path}: {error}")))?;
        if answer.status >= 400 {
            let said = |field: &str| answer.body.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
            return Err(Trouble::Recovery(format!("{path} was refused: {}: {}", said("code"), said("detail"))));
        }
        T::deserialize(answer.body)
            .map_err(|error| Trouble::Recovery(format!("the answer to {path} is of another shape: {error}")))
    }

    /// Asks again until something is so.
    async fn until<T: DeserializeOwned>(&self, path: &str, is_so: impl Fn(&T) -> bool) -> Result<T, Trouble> {
        let began = self.stage.site.time.now();
        loop {
            let seen: T = self.ask(Method::GET, path, None).await?;
            if is_so(&seen) {
                return Ok(seen);
            }
            if self.stage.site.time.now().duration_since(began) > LONGEST {
                return Err(Trouble::Recovery(format!("{path} is not done after {LONGEST:#}")));
            }
            self.stage.site.time.pass(AGAIN).await;
        }
    }

    async fn running(&self, made: &InstanceId) -> Result<InstanceView, Trouble> {
        let over = |view: &InstanceView| matches!(view.state, InstanceState::Running | InstanceState::Failed);
        let view = self.until(&format!("/v1/instances/{made}"), over).await?;
        match view.state {
            InstanceState::Running => Ok(view),
            _ => Err(Trouble::Recovery(view.failure.unwrap_or_else(|| "the instance could not be made".into()))),
        }
    }

    /// Makes an instance that lets this machine in.
    pub async fn make(&self, product: &str) -> Result<InstanceView, Trouble> {
        let account = json!({
            "name": self.login.account, "password": self.login.password.expose(), "grants": {"default": "owner"},
        });
        let body = json!({"product": product, "region": REGION, "account": account});
        let made: InstanceView = self.ask(Method::POST, "/v1/instances", Some(body)).await?;
        let made = self.running(&made.id).await?;
        let mut whitelist = made.configuration.whitelist;
        whitelist.insert(engines::stage::OPERATOR.to_owned());
        let path = format!("/v1/instances/{}/configuration", made.id);
        self.ask(Method::PUT, &path, Some(json!({"whitelist": whitelist}))).await
    }

    /// Takes a backup.
    pub async fn back_up(&self, instance: &InstanceId, kind: BackupKind) -> Result<BackupView, Trouble> {
        let path = format!("/v1/instances/{instance}/backups");
        let begun: BackupView = self.ask(Method::POST, &path, Some(json!({"kind": kind}))).await?;
        let over = |view: &BackupView| view.status != BackupStatus::Running;
        let view: BackupView = self.until(&format!("/v1/backups/{}", begun.id), over).await?;
        match view.status {
            BackupStatus::Success => Ok(view),
            _ => Err(Trouble::Recovery(format!("a backup failed: {}", view.failure.unwrap_or_default()))),
        }
    }

    /// Whether a time can be restored now.
    pub async fn is_restorable(&self, instance: &InstanceId, time: jiff::Timestamp) -> Result<bool, Trouble> {
        let restorable: Restorable =
            self.ask(Method::GET, &format!("/v1/instances/{instance}/restorable"), None).await?;
        Ok(restorable.ranges.iter().any(|range| (range.earliest..=range.latest).contains(&time)))
    }

    /// Recovers a copy beside an instance as of a time.
    pub async fn recover(
        &self,
        of: &InstanceId,
        time: jiff::Timestamp,
        temporary: bool,
    ) -> Result<InstanceView, Trouble> {
        let restore = json!({"point_in_time": time});
        if temporary {
            let path = format!("/v1/instances/{of}/temporary-instances");
            let made: InstanceView = self.ask(Method::POST, &path, Some(restore)).await?;
            return self.running(&made.id).await;
        }
        let body = json!({"restore": restore, "billing": "pay-as-you-go", "terms_accepted": true});
        let made: InstanceList = self.ask(Method::POST, &format!("/v1/instances/{of}/clones"), Some(body)).await?;
        match made.instances.first() {
            Some(made) => self.running(&made.id).await,
            None => Err(Trouble::Recovery("no clone was made".into())),
        }
    }

    fn side(&self, instance: &InstanceId) -> Value {
        json!({
            "instance_type": "rds", "region": REGION, "instance_id": instance, "account": self.login.account,
            "password": self.login.password.expose(), "connection": "plain",
        })
    }

    /// Makes a migration task, and has it prechecked; gives it with its precheck, whatever that found.
    pub async fn precheck(
        &self,
        sides: (&InstanceId, &InstanceId),
        types: &[MigrationType],
        objects: &[Selection],
        same_name: SameNameMode,
    ) -> Result<(TaskView, PrecheckRun), Trouble> {
        let body = json!({"source": self.side(sides.0), "target": self.side(sides.1)});
        let made: TaskView = self.ask(Method::POST, "/v1/migration-tasks", Some(body)).await?;
        let path = format!("/v1/migration-tasks/{}", made.id);
        let _: TaskView = self.ask(Method::POST, &format!("{path}/authorise"), None).await?;
        let chosen = json!({"types": types, "objects": objects, "same_name": same_name});
        let _: TaskView = self.ask(Method::PUT, &format!("{path}/objects"), Some(chosen)).await?;
        let _: TaskView = self.ask(Method::POST, &format!("{path}/precheck"), None).await?;
        let checked: TaskView = self.until(&path, |view: &TaskView| view.status != TaskStatus::Prechecking).await?;
        match checked.precheck.clone() {
            Some(run) => Ok((checked, run)),
            None => Err(Trouble::Recovery("the precheck left no result".into())),
        }
    }

    /// Says OK to a task that passed its precheck, and waits until it is finished.
    pub async fn migrate(&self, task: &TaskView) -> Result<TaskView, Trouble> {
        let path = format!("/v1/migration-tasks/{}", task.id);
        let _: TaskView = self.ask(Method::POST, &format!("{path}/confirm"), None).await?;
        if task.purchase_required {
            let terms = json!({"terms_accepted": true});
            let _: TaskView = self.ask(Method::POST, &format!("{path}/purchase"), Some(terms)).await?;
        }
        let over = |view: &TaskView| matches!(view.status, TaskStatus::Finished | TaskStatus::MigrationFailed);
        let ended: TaskView = self.until(&path, over).await?;
        match (&ended.failure, ended.status) {
            (_, TaskStatus::Finished) => Ok(ended),
            (Some(failure), _) => Err(Trouble::Recovery(format!("the migration failed: {}", told(failure)))),
            (None, _) => Err(Trouble::Recovery("the migration failed".into())),
        }
    }

    /// Gives an instance back.
    pub async fn release(&self, instance: &InstanceId) -> Result<(), Trouble> {
        self.ask::<Value>(Method::DELETE, &format!("/v1/instances/{instance}"), None).await.map(drop)
    }
}

/// A failure in words.
fn told(failure: &recovery::model::task::TaskFailure) -> String {
    use recovery::model::task::TaskFailure as F;
    match failure {
        F::DdlDuringMigration { object } => format!("{object} was changed meanwhile"),
        F::InstanceGone { side, instance } => format!("the {side} {instance} is gone"),
        F::Unreachable { side, detail } => format!("the {side} cannot be reached: {detail}"),
        F::Refused { side, detail } => format!("the {side} refused: {detail}"),
        F::UnsupportedDdl { object } => format!("a statement about {object} cannot be followed"),
        F::PausedTooLong => "it was paused for too long".to_owned(),
    }
}
