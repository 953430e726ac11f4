//! Requests of restore tasks, and what was known of the sources, targets and sets they name.

use crate::history::Call;
use crate::history::lens::{Lens, Seen};
use recovery::model::logical::restore::{RestoreMethod, RestoreObjects};
use recovery::model::logical::views::{NewRestore, RestoreView};
use recovery::model::{DataSourceId, Engine, Product};
use serde::Deserialize;
use serde_json::Value;

/// Makes a restore task.
pub const CREATE: &str = "POST /v1/restore-tasks";
/// Changes a restore task.
pub const EDIT: &str = "PUT /v1/restore-tasks/{}";
/// Starts a restore task.
pub const START: &str = "POST /v1/restore-tasks/{}/start";
/// Checks a restore task again.
pub const RECHECK: &str = "POST /v1/restore-tasks/{}/precheck";
/// The refusal of a request that is not of its shape.
pub const SHAPE: &str = "InvalidParameter";
/// Characters of a restore task's name at most (LOG-18).
pub const NAME_MOST: usize = 64;

/// A request to make or change a restore task.
pub struct Request<'a> {
    /// The call.
    pub call: Seen<'a, Call>,
    /// The task as the answer shows it, where it was accepted.
    pub made: Option<RestoreView>,
}

impl<'a> Request<'a> {
    /// The body.
    pub fn body(&self) -> &'a Value {
        &self.call.it.request
    }

    /// A text of the body.
    pub fn text(&self, place: &str) -> Option<&'a str> {
        self.body().pointer(place).and_then(Value::as_str)
    }

    /// The data source on a side, `/source` or `/target`.
    pub fn side(&self, place: &str) -> Option<DataSourceId> {
        self.text(place).map(DataSourceId::from)
    }

    /// What was refused, in the service's words.
    pub fn detail(&self) -> String {
        let detail = self.call.it.answer.get("detail").and_then(Value::as_str).unwrap_or("no reason");
        format!("{}: {detail}", self.call.it.code().unwrap_or("refused"))
    }

    /// Whether it was refused with one of some codes.
    pub fn refused_as(&self, codes: &[&str]) -> bool {
        self.call.it.code().is_some_and(|code| codes.contains(&code))
    }

    /// Whether the body is of its shape and names nothing that may not be there, so that a refusal for its shape has no
    /// cause.
    pub fn readable(&self, lens: &Lens<'_>) -> bool {
        readable(lens, self.body()) && (self.call.it.method != "POST" || self.call.it.key.is_some())
    }
}

/// Whether a body is of its shape and names nothing that may not be there.
pub fn readable(lens: &Lens<'_>, body: &Value) -> bool {
    NewRestore::deserialize(body).is_ok_and(|body| {
        let chosen = match &body.objects {
            RestoreObjects::All => true,
            RestoreObjects::Custom { branches } => {
                !branches.is_empty() && branches.iter().all(|branch| branch.name.is_none())
            }
        };
        let whole = match &body.recovery {
            RestoreMethod::PointInTime { point_in_time } => point_in_time.subsec_nanosecond() == 0,
            RestoreMethod::BackupSet { .. } => true,
        };
        let length = body.name.chars().count();
        let own = lens.backup_task(&body.backup_task).is_some_and(|task| task.first.source == body.source);
        let named = (1..=NAME_MOST).contains(&length) && !body.name.trim().is_empty();
        chosen && whole && own && named && !body.types.is_empty() && body.mapping.is_empty()
    })
}

/// Requests to make or change restore tasks, of backups of sources in scope, in order.
pub fn requests<'a>(lens: &Lens<'a>) -> Vec<Request<'a>> {
    let calls = lens.calls().filter(|seen| {
        seen.it.request.is_object() && (seen.it.matches(CREATE).is_some() || seen.it.matches(EDIT).is_some())
    });
    let all = calls.map(|call| {
        let made = if call.it.accepted() { RestoreView::deserialize(&*call.it.answer).ok() } else { None };
        Request { call, made }
    });
    all.filter(|request| {
        let source = request.side("/source");
        source.is_none_or(|source| lens.data_source_in_scope(&source))
    })
    .collect()
}

/// What the server behind a data source is.
pub fn product(lens: &Lens<'_>, source: &DataSourceId) -> Option<Product> {
    lens.server_of(source).map(|story| story.first.product)
}

/// What both sides of a restore are.
pub fn products(lens: &Lens<'_>, source: &DataSourceId, target: &DataSourceId) -> Option<(Product, Product)> {
    product(lens, source).zip(product(lens, target))
}

/// Versions of an engine, oldest first (LOG-05).
fn versions(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::MySql => &["5.5", "5.6", "5.7", "8.0"],
        Engine::SqlServer => &["2008r2", "2012", "2016"],
        Engine::PostgreSql => &["9.4", "10", "11"],
        Engine::Ppas => &["9.3", "10"],
        Engine::Redis => &["2.8", "4.0", "5.0", "6.0", "7.0"],
    }
}

/// How old a version is among those of its engine.
pub fn age(product: &Product) -> Option<usize> {
    versions(product.engine).iter().position(|version| *version == product.version.word())
}

/// Whether a user had a data source removed, or may have, before an event.
pub fn removed(lens: &Lens<'_>, source: &DataSourceId, before: usize) -> bool {
    lens.calls_to("DELETE /v1/data-sources/{}")
        .any(|(call, found)| found[0] == source.as_str() && call.index < before && !call.it.refused())
}

/// Whether a user had a restore task deleted, or may have, before an event.
pub fn deleted(lens: &Lens<'_>, task: &str, before: usize) -> bool {
    lens.calls_to("DELETE /v1/restore-tasks/{}")
        .any(|(call, found)| found[0] == task && call.index < before && !call.it.refused())
}
