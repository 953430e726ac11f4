//! The person at the interface: names, sessions with database servers, photographs and marks.

use super::fault::Faults;
use super::gate::Gate;
use super::logical::{self, Known};
use super::looks::Looks;
use super::recorder::Recorder;
use super::redis;
use super::target::Stage;
use crate::history::{Client as Who, Login as LoginEvent, Statement, What};
use futures_util::future::{LocalBoxFuture, join_all};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::client::Client;
use recovery::model::backup::Node;
use recovery::model::instance::InstanceState;
use recovery::model::photograph::password_mark;
use recovery::model::views::{InstanceList, InstanceView, TaskList, TaskView};
use recovery::model::{BackupId, InstanceId, TaskId};
use recovery::ports::clock::later;
use recovery::ports::database::{DatabaseError, Login, Outcome};
use scenarios::Credentials;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// How long to wait before looking again at what takes a while, at first and at most. An empty instance is made in
/// two seconds, which the first pause outlasts.
pub const LOOK_AGAIN_MS: (i64, i64) = (2_100, 30_000);
/// Why a step could not be carried out; the run ends its steps here and goes on to healing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("want {want}, got {got}")]
pub struct StepFailed {
    /// What the step wanted.
    pub want: String,
    /// What it got.
    pub got: String,
}

impl StepFailed {
    /// Makes one.
    pub fn new(want: impl Into<String>, got: impl Into<String>) -> Self {
        Self { want: want.into(), got: got.into() }
    }
}

/// What a step gives.
pub type Stepped<T = ()> = Result<T, StepFailed>;

/// An answer of the interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: Arc<Value>,
    /// Whether it may be another one than the answer to the same read before.
    pub news: bool,
}

impl Answer {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if self.status >= 400 { self.body.get("code").and_then(Value::as_str) } else { None }
    }

    /// Reads the body of an accepted call.
    ///
    /// # Errors
    /// When the call was refused or the body is not of the shape.
    pub fn read<T: DeserializeOwned>(&self, want: &str) -> Stepped<T> {
        if self.status >= 400 {
            return Err(StepFailed::new(want, self.refusal()));
        }
        T::deserialize(&*self.body)
            .map_err(|error| StepFailed::new(want, format!("an answer of another shape: {error}")))
    }

    /// The refusal in one line.
    #[must_use]
    pub fn refusal(&self) -> String {
        let detail = self.body.get("detail").and_then(Value::as_str).unwrap_or("no detail");
        format!("{} {}: {detail}", self.status, self.code().unwrap_or("without a code"))
    }
}

/// The operator of one run.
pub struct Operator {
    /// The world as the operator's host sees it.
    pub stage: Stage,
    /// The pen.
    pub recorder: Recorder,
    /// Instances by their name in the scenario.
    pub instances: RefCell<BTreeMap<String, InstanceId>>,
    /// Tasks by name.
    pub tasks: RefCell<BTreeMap<String, TaskId>>,
    /// Backups by name.
    pub backups: RefCell<BTreeMap<String, BackupId>>,
    /// Seconds of marks by name and instance.
    pub marks: RefCell<BTreeMap<String, BTreeMap<InstanceId, Timestamp>>>,
    /// The last login that was let in, by instance.
    pub doors: RefCell<BTreeMap<InstanceId, (String, Login)>>,
    /// How far hosts' clocks are ahead of true time.
    pub skews_ms: RefCell<BTreeMap<String, i64>>,
    /// The latest that hosts' clocks showed before they were set.
    pub shown_before: RefCell<BTreeMap<String, Timestamp>>,
    /// Idempotency keys the scenario named, as they are sent.
    pub named_keys: RefCell<BTreeMap<String, String>>,
    /// What the names of logical backup and restore stand for.
    pub logical: Known,
    /// Links to backup files, by backup: the newest that was given.
    pub links: RefCell<BTreeMap<BackupId, String>>,
    /// The faults of the run.
    pub faults: Faults,
    /// Held by the application while it writes a row and by who takes photographs, where these take time.
    breath: Option<Mutex<()>>,
    /// Why the target cannot do what the scenario asks for, once it was asked.
    pub unavailable: RefCell<Option<String>>,
    pub(super) client: Client,
    /// Tasks as they were listed last.
    listed: RefCell<Option<Rc<Vec<TaskView>>>>,
    /// The newest answers to reads.
    pub(super) looks: Looks,
    pub(super) gate: Option<Rc<dyn Gate>>,
    /// The machine each instance was found on last.
    machines: RefCell<BTreeMap<InstanceId, String>>,
    keys: Cell<u64>,
}

impl Operator {
    /// An operator on a stage, with what stands before the interface.
    #[must_use]
    pub fn new(stage: Stage, recorder: Recorder, gate: Option<Rc<dyn Gate>>) -> Self {
        let ports = &stage.ports;
        let token = stage.access_token.clone();
        let breath = stage.control.takes_time().then(Mutex::default);
        let client = Client::new(ports.clock.clone(), ports.network.clone(), stage.service.clone(), token);
        Self {
            stage,
            recorder,
            instances: RefCell::default(),
            tasks: RefCell::default(),
            backups: RefCell::default(),
            marks: RefCell::default(),
            doors: RefCell::default(),
            skews_ms: RefCell::default(),
            shown_before: RefCell::default(),
            named_keys: RefCell::default(),
            logical: Known::default(),
            links: RefCell::default(),
            faults: Faults::default(),
            breath,
            unavailable: RefCell::default(),
            machines: RefCell::default(),
            client,
            listed: RefCell::default(),
            looks: Looks::default(),
            gate,
            keys: Cell::new(0),
        }
    }

    /// Lets nobody else write a row or take photographs while the answer is held, where these take time.
    pub async fn hold_breath(&self) -> Option<MutexGuard<'_, ()>> {
        match &self.breath {
            Some(breath) => Some(breath.lock().await),
            None => None,
        }
    }

    /// What a host's clock shows.
    #[must_use]
    pub fn host_now(&self, host: &str) -> Timestamp {
        let skew_ms = self.skews_ms.borrow().get(host).copied().unwrap_or(0);
        later(self.now(), SignedDuration::from_millis(skew_ms))
    }

    /// True time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.stage.control.true_now()
    }

    /// Waits.
    pub async fn sleep(&self, span: SignedDuration) {
        self.stage.control.sleep(span).await;
    }

    /// A fresh idempotency key.
    pub fn key(&self) -> String {
        self.keys.set(self.keys.get() + 1);
        format!("operator-{}", self.keys.get())
    }

    /// The key a scenario named, or a fresh one.
    pub fn key_named(&self, name: Option<&str>) -> String {
        let Some(name) = name else { return self.key() };
        let known = self.named_keys.borrow().get(name).cloned();
        known.unwrap_or_else(|| {
            let key = self.key();
            self.named_keys.borrow_mut().insert(name.to_owned(), key.clone());
            key
        })
    }

    /// The id of a named instance.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn instance(&self, name: &str) -> Stepped<InstanceId> {
        self.instances
            .borrow()
            .get(name)
            .cloned()
            .ok_or_else(|| StepFailed::new(format!("instance {name}"), "it was never made"))
    }

    /// The id of a named task.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn task(&self, name: &str) -> Stepped<TaskId> {
        self.tasks
            .borrow()
            .get(name)
            .cloned()
            .ok_or_else(|| StepFailed::new(format!("task {name}"), "it was never made"))
    }

    /// The id of a task of whatever kind, or of what else bears the name in logical backup and restore.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn any_task(&self, name: &str) -> Stepped<String> {
        let task = self.task(name).map(|id| id.to_string());
        task.or_else(|missing| self.logical.id_of(name).ok_or(missing))
    }

    /// The scenario's name of an instance, or its id.
    #[must_use]
    pub fn name_of(&self, id: &InstanceId) -> String {
        let known = self.instances.borrow();
        known.iter().find(|(_, known)| *known == id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    /// Gives an instance a name.
    pub fn christen(&self, name: &str, id: &InstanceId) {
        self.instances.borrow_mut().insert(name.to_owned(), id.clone());
        self.recorder.name(name, id);
    }

    /// An instance as the interface shows it; `None` when it is gone.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn see(&self, id: &InstanceId) -> Stepped<Option<InstanceView>> {
        let answer = self.call(Method::GET, &format!("/v1/instances/{id}"), None, None).await?;
        if answer.status == 404 { Ok(None) } else { answer.read("an instance").map(Some) }
    }

    /// A task as the interface shows it; `None` when it is gone.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn see_task(&self, id: &TaskId) -> Stepped<Option<TaskView>> {
        // What is seen while somebody takes a photograph would be written down before it, and be of later.
        let _still = self.hold_breath().await;
        let answer = self.call(Method::GET, &format!("/v1/migration-tasks/{id}"), None, None).await?;
        if answer.status == 404 { Ok(None) } else { answer.read("a task").map(Some) }
    }

    /// All tasks as the interface lists them; one that is not listed any more is looked for until it was seen to be gone.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn see_tasks(&self) -> Stepped<Rc<Vec<TaskView>>> {
        let known: Vec<TaskId> = self.tasks.borrow().values().cloned().collect();
        if known.is_empty() {
            return Ok(Rc::default());
        }
        let answer = self.call(Method::GET, "/v1/migration-tasks", None, None).await?;
        let before = self.listed.borrow().clone().filter(|_| !answer.news);
        let tasks = match before {
            Some(tasks) => tasks,
            None => Rc::new(answer.read::<TaskList>("the list of tasks")?.tasks),
        };
        *self.listed.borrow_mut() = Some(Rc::clone(&tasks));
        for id in known {
            if !tasks.iter().any(|task| task.id == id) && !self.recorder.is_gone(&id) {
                self.see_task(&id).await?;
            }
        }
        Ok(tasks)
    }

    /// Waits until an instance was made.
    ///
    /// # Errors
    /// When it fails, or is not there in time.
    pub async fn until_running(&self, id: &InstanceId, at_most: SignedDuration) -> Stepped<InstanceView> {
        let want = format!("{} running", self.name_of(id));
        let give_up = later(self.now(), at_most);
        let mut pause_ms = LOOK_AGAIN_MS.0;
        loop {
            match self.see(id).await? {
                Some(view) if view.state == InstanceState::Running => return Ok(view),
                Some(view) if self.now() >= give_up => {
                    return Err(StepFailed::new(want, format!("{:?} after {at_most:#}", view.state)));
                }
                Some(view) if view.state == InstanceState::Failed => {
                    return Err(StepFailed::new(want, view.failure.unwrap_or_else(|| "failed".into())));
                }
                Some(_) => self.sleep(SignedDuration::from_millis(pause_ms)).await,
                None => return Err(StepFailed::new(want, "it is gone")),
            }
            pause_ms = (pause_ms * 2).min(LOOK_AGAIN_MS.1);
        }
    }

    /// Where an instance is reached, which never changes; `None` when it is gone or not made yet.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn endpoint(&self, id: &InstanceId) -> Stepped<Option<String>> {
        if let Some((endpoint, _)) = self.doors.borrow().get(id) {
            return Ok(Some(endpoint.clone()));
        }
        Ok(self.see(id).await?.and_then(|view| view.endpoint))
    }

    /// Opens a session and writes the login down.
    ///
    /// # Errors
    /// What the server said.
    pub async fn log_in(
        &self,
        id: &InstanceId,
        endpoint: &str,
        login: &Login,
    ) -> Result<Box<dyn recovery::ports::Session>, DatabaseError> {
        self.place(id);
        let sent_at = self.now();
        let result = self.stage.ports.database.connect(endpoint, login).await;
        if result.is_ok() {
            self.doors.borrow_mut().insert(id.clone(), (endpoint.to_owned(), login.clone()));
        }
        let event = LoginEvent {
            sent_at,
            instance: id.clone(),
            account: login.account.clone(),
            password_mark: password_mark(&login.password),
            ssl: login.ssl,
            from: "operator".into(),
            outcome: result.as_ref().map(|_| ()).map_err(Clone::clone),
        };
        self.recorder.record(self.now(), What::Login(event));
        result
    }

    /// Runs statements as an account, and writes them down.
    ///
    /// # Errors
    /// When the instance is not known; what the server said comes inside.
    pub async fn run_sql(
        &self,
        name: &str,
        database: &str,
        who: &Credentials,
        sql: &str,
    ) -> Stepped<Result<Outcome, DatabaseError>> {
        let id = self.instance(name)?;
        let endpoint = self.endpoint(&id).await?;
        let mut sent_at = self.now();
        let login = Login { account: who.account.clone(), password: who.password.clone(), ssl: false };
        let outcome = match endpoint {
            None => Err(DatabaseError::Unreachable(format!("{name} has no endpoint"))),
            Some(endpoint) => match self.log_in(&id, &endpoint, &login).await {
                Ok(mut session) => {
                    sent_at = self.now();
                    session.run(database, sql).await
                }
                Err(error) => Err(error),
            },
        };
        let statement = Statement {
            sent_at,
            instance: id,
            database: database.to_owned(),
            account: who.account.clone(),
            by: Who::Operator,
            sql: sql.to_owned(),
            outcome: outcome.clone(),
        };
        self.recorder.record(self.now(), What::Statement(statement));
        Ok(outcome)
    }

    /// Writes down which machine an instance is on, where that is news.
    pub fn place(&self, id: &InstanceId) {
        let Some(machine) = self.stage.control.machine_of(id) else { return };
        let news = self.machines.borrow().get(id) != Some(&machine);
        if news {
            self.machines.borrow_mut().insert(id.clone(), machine.clone());
            self.recorder.record(self.now(), What::Placed { instance: id.clone(), machine });
        }
    }

    /// Photographs every instance that has content.
    pub async fn photograph_all(&self, mark: Option<&str>) {
        let known: Vec<InstanceId> = self.instances.borrow().values().cloned().collect();
        let _still = self.hold_breath().await;
        for id in known {
            if let Some(photograph) = self.stage.control.photograph(&id, None).await {
                self.place(&id);
                self.recorder.shot(self.now(), &id, mark, None, photograph);
            }
            self.photograph_nodes(&id, mark).await;
        }
    }

    /// Photographs the replica of an instance that has one; its master is on the photograph of the whole instance.
    pub async fn photograph_nodes(&self, id: &InstanceId, mark: Option<&str>) {
        if self.recorder.is_redis(id)
            && let Some(photograph) = self.stage.control.photograph(id, Some(Node::Replica)).await
        {
            self.recorder.shot(self.now(), id, mark, Some(Node::Replica), photograph);
        }
    }

    /// Looks at everything the interface shows, all lists beside each other, and photographs every instance.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn observe(&self) -> Stepped {
        let mut looks: Vec<LocalBoxFuture<'_, Stepped>> =
            vec![Box::pin(self.look_at_instances()), Box::pin(async { self.see_tasks().await.map(drop) })];
        looks.extend(logical::looks(self));
        looks.extend(redis::looks(self));
        for looked in join_all(looks).await {
            looked?;
        }
        self.photograph_all(None).await;
        Ok(())
    }

    async fn look_at_instances(&self) -> Stepped {
        let listed = self.call(Method::GET, "/v1/instances", None, None).await?;
        if listed.news || listed.status >= 400 {
            listed.read::<InstanceList>("a list of instances")?;
        }
        // What was being made and is on the list no more has failed, or is lost.
        for id in self.recorder.in_the_making() {
            let views = listed.body.get("instances").and_then(Value::as_array).into_iter().flatten();
            if !views.into_iter().any(|view| view["id"] == id.as_str()) {
                self.see(&id).await?;
            }
        }
        Ok(())
    }
}
