//! Small made-up histories for the tests of checks.

use crate::catalogue::Scope;
use crate::checks::{Check, Finding};
use crate::history::lens::Lens;
use crate::history::{Call, Client, Event, History, Login, Shot, Statement, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::content::{ObjectKind, Row, Value};
use recovery::model::instance::{
    BackupPolicy, Billing, Configuration, Grants, InstanceState, NetworkType, Origin, Restored, Rights,
};
use recovery::model::photograph::{Photograph, PhotographedAccount, PhotographedDatabase, PhotographedObject, Rows};
use recovery::model::task::{ConnectionMode, MigrationType, PhaseStatus, SameNameMode, Selection, Stage, TaskStatus};
use recovery::model::views::{InstanceView, SideView, TaskView};
use recovery::model::{BackupId, InstanceId, Product, TaskId};
use recovery::ports::database::{DatabaseError, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A history under construction; time goes on by one millisecond an event.
pub struct Story {
    pub history: History,
    pub now: Timestamp,
}

/// The time a story begins.
pub fn start() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A span like `48h` or `-1s`.
pub fn span(text: &str) -> SignedDuration {
    text.parse().unwrap_or_else(|_| panic!("no span: {text}"))
}

impl Story {
    pub fn new() -> Self {
        let history = History { scenario: "made up".into(), seed: 1, names: BTreeMap::new(), events: vec![] };
        Self { history, now: start() }
    }

    /// Moves time on.
    pub fn wait(&mut self, text: &str) -> &mut Self {
        self.now += span(text);
        self
    }

    /// Adds an event.
    pub fn push(&mut self, what: What) -> &mut Self {
        self.history.events.push(Event { at: self.now, step: None, what });
        self.now += SignedDuration::from_millis(1);
        self
    }

    /// A call with its answer; `method_path` like `POST /v1/instances`.
    pub fn call(
        &mut self,
        method_path: &str,
        request: serde_json::Value,
        status: u16,
        answer: serde_json::Value,
    ) -> &mut Self {
        self.keyed_call(method_path, None, request, status, answer)
    }

    /// A call with an idempotency key.
    pub fn keyed_call(
        &mut self,
        method_path: &str,
        key: Option<&str>,
        request: serde_json::Value,
        status: u16,
        answer: serde_json::Value,
    ) -> &mut Self {
        let (method, path) = method_path.split_once(' ').unwrap_or(("GET", method_path));
        let call = Call {
            sent_at: self.now,
            method: method.into(),
            path: path.into(),
            key: key.map(str::to_owned),
            request,
            status: Some(status),
            answer: Arc::new(answer),
            error: None,
        };
        self.push(What::Call(call))
    }

    /// A refused call.
    pub fn refused(&mut self, method_path: &str, request: serde_json::Value, status: u16, code: &str) -> &mut Self {
        self.call(method_path, request, status, serde_json::json!({"type": "about:blank", "code": code, "title": code, "status": status, "detail": "made up"}))
    }

    pub fn see(&mut self, view: &InstanceView) -> &mut Self {
        self.push(What::InstanceSeen(Arc::new(view.clone())))
    }

    pub fn see_task(&mut self, view: &TaskView) -> &mut Self {
        self.push(What::TaskSeen(Arc::new(view.clone())))
    }

    pub fn gone(&mut self, id: &str) -> &mut Self {
        self.push(What::InstanceGone { id: id.into() })
    }

    pub fn shot(&mut self, instance: &str, photograph: &Photograph) -> &mut Self {
        self.push(What::Photograph(Shot {
            instance: instance.into(),
            mark: None,
            photograph: Arc::new(photograph.clone()),
            node: None,
        }))
    }

    /// A mark whose second is the current time, with the photographs of some instances.
    pub fn mark(&mut self, name: &str, shots: &[(&str, &Photograph)]) -> &mut Self {
        let times = shots.iter().map(|(id, _)| (InstanceId::from(*id), self.now)).collect();
        self.push(What::Mark { name: name.into(), times });
        for (id, photograph) in shots {
            let photograph = Arc::new((*photograph).clone());
            self.push(What::Photograph(Shot {
                instance: (*id).into(),
                mark: Some(name.into()),
                photograph,
                node: None,
            }));
        }
        self
    }

    pub fn statement(&mut self, instance: &str, sql: &str, outcome: Result<Outcome, DatabaseError>) -> &mut Self {
        let statement = Statement {
            sent_at: self.now,
            instance: instance.into(),
            database: "app".into(),
            account: "app".into(),
            by: Client::Operator,
            sql: sql.into(),
            outcome,
        };
        self.push(What::Statement(statement))
    }

    pub fn login(
        &mut self,
        instance: &str,
        account: &str,
        password_mark: &str,
        outcome: Result<(), DatabaseError>,
    ) -> &mut Self {
        self.push(What::Login(Login {
            sent_at: self.now,
            instance: instance.into(),
            account: account.into(),
            password_mark: password_mark.into(),
            ssl: false,
            from: "operator".into(),
            outcome,
        }))
    }

    /// What a check says of the story, whatever the scope.
    pub fn judge(&self, check: &Check) -> Finding {
        (check.run)(&Lens::new(&self.history, &Scope::default()))
    }
}

/// An outcome without rows.
pub fn done() -> Result<Outcome, DatabaseError> {
    Ok(Outcome { columns: vec![], rows: vec![], affected: 1 })
}

/// A running master.
pub fn master(id: &str, product: &str) -> InstanceView {
    InstanceView {
        id: id.into(),
        product: product.parse::<Product>().unwrap_or_else(|error| panic!("{error}")),
        origin: Origin::Primary,
        region: "region-1".into(),
        network: NetworkType::Classic,
        state: InstanceState::Running,
        endpoint: Some("machine-1:5432".into()),
        configuration: Configuration {
            whitelist: ["operator".to_owned(), "application".to_owned()].into(),
            ssl: false,
            parameters: BTreeMap::new(),
            backup_policy: BackupPolicy {
                weekdays: BTreeSet::new(),
                hour: 0,
                log_backup: true,
                data_retention_days: 7,
                log_retention_days: 7,
            },
            alarm_thresholds: BTreeMap::new(),
        },
        billing: Billing::PayAsYouGo,
        requested_at: start(),
        created_at: Some(start()),
        expires_at: None,
        recovered_to: None,
        failure: None,
    }
}

/// A running temporary instance of a master, created at a time.
pub fn temporary(id: &str, of: &InstanceView, created_at: Timestamp) -> InstanceView {
    let restored = Restored::BackupSet { backup_set_id: BackupId::from("bk-1") };
    InstanceView {
        id: id.into(),
        origin: Origin::Temporary { master: of.id.clone(), restored },
        network: NetworkType::Classic,
        billing: Billing::Free,
        requested_at: created_at,
        created_at: Some(created_at),
        expires_at: Some(created_at + span("48h")),
        recovered_to: Some(created_at),
        endpoint: Some("machine-2:5432".into()),
        ..of.clone()
    }
}

/// A running clone of a master.
pub fn clone_of(id: &str, of: &InstanceView, created_at: Timestamp) -> InstanceView {
    let restored = Restored::BackupSet { backup_set_id: BackupId::from("bk-1") };
    InstanceView {
        id: id.into(),
        origin: Origin::Clone { source: of.id.clone(), restored },
        billing: Billing::PayAsYouGo,
        requested_at: created_at,
        created_at: Some(created_at),
        recovered_to: Some(created_at),
        endpoint: Some("machine-3:5432".into()),
        ..of.clone()
    }
}

/// A task that moves the table `orders` with structure and full, just configured.
pub fn task(id: &str, source: &InstanceView, target: &InstanceView) -> TaskView {
    let side = |instance: &InstanceView| SideView {
        instance_type: "rds".into(),
        region: instance.region.clone(),
        instance_id: instance.id.clone(),
        account: "app".into(),
        connection: ConnectionMode::Plain,
    };
    TaskView {
        id: TaskId::from(id),
        name: "put back".into(),
        source: side(source),
        target: side(target),
        purchase_required: matches!(source.origin, Origin::Clone { .. }),
        stage: Stage::Configured,
        types: [MigrationType::Structure, MigrationType::Full].into(),
        objects: vec![Selection {
            database: "app".into(),
            table: Some("orders".into()),
            columns: None,
            database_as: None,
            table_as: None,
            columns_as: BTreeMap::new(),
        }],
        same_name: SameNameMode::Stop,
        without_advice: BTreeSet::new(),
        shields: BTreeSet::new(),
        precheck_stale: Vec::new(),
        status: TaskStatus::NotStarted,
        precheck: None,
        phases: [(MigrationType::Structure, PhaseStatus::NotStarted), (MigrationType::Full, PhaseStatus::NotStarted)]
            .into(),
        progress: vec![],
        failure: None,
        retry_at: None,
        pay_type: "PostPaid".into(),
        created_at: start(),
        started_at: None,
        ended_at: None,
    }
}

/// A photograph of one database `app` with tables `(name, rows of (id, text))` and the account `app`.
pub fn photograph(tables: &[(&str, &[(i64, &str)])]) -> Photograph {
    let objects = tables.iter().map(|(name, rows)| {
        let rows: Vec<Row> =
            rows.iter().map(|(id, text)| vec![Value::Integer(*id), Value::Text((*text).to_owned())]).collect();
        let object = PhotographedObject {
            kind: ObjectKind::Table,
            name: (*name).to_owned(),
            definition: format!("create table {name} (id int primary key, item text)"),
            definer: None,
            security: None,
            enabled: true,
            needs: vec![],
            rows: Some(Rows::Whole { columns: vec!["id".into(), "item".into()], key: vec!["id".into()], rows }),
        };
        (format!("table {name}"), object)
    });
    let database = PhotographedDatabase { charset: "utf8".into(), objects: objects.collect() };
    let account = PhotographedAccount { password_mark: "aaaa".into(), grants: Grants::all(Rights::ReadWrite) };
    Photograph {
        databases: [("app".to_owned(), database)].into(),
        accounts: [("app".to_owned(), account)].into(),
        settings: BTreeMap::new(),
        log_position: 1,
    }
}
