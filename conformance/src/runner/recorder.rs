//! Writes the history of a run down while it happens, and reads out of answers what they show.

use crate::history::redact::redacted;
use crate::history::{Call, Event, History, ListKind, Shot, What};
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::photograph::Photograph;
use recovery::model::views::{BackupList, BackupView, InstanceList, InstanceView, TaskList, TaskView};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// The history under way; clones write to the same one.
#[derive(Clone)]
pub struct Recorder(Rc<RefCell<Pen>>);

struct Pen {
    history: History,
    step: Option<usize>,
    last_shots: BTreeMap<InstanceId, Arc<Photograph>>,
}

impl Recorder {
    /// Begins a history.
    #[must_use]
    pub fn new(scenario: &str, seed: u64) -> Self {
        let history = History { scenario: scenario.to_owned(), seed, names: BTreeMap::new(), events: vec![] };
        Self(Rc::new(RefCell::new(Pen { history, step: None, last_shots: BTreeMap::new() })))
    }

    /// Takes the history out; what is written afterwards is lost.
    #[must_use]
    pub fn finish(&self) -> History {
        let mut pen = self.0.borrow_mut();
        let empty = History { scenario: String::new(), seed: 0, names: BTreeMap::new(), events: vec![] };
        std::mem::replace(&mut pen.history, empty)
    }

    /// Says which step the following events belong to.
    pub fn step(&self, step: Option<usize>) {
        self.0.borrow_mut().step = step;
    }

    /// Gives an instance its name in the scenario.
    pub fn name(&self, name: &str, id: &InstanceId) {
        self.0.borrow_mut().history.names.insert(name.to_owned(), id.clone());
    }

    /// Writes an event down.
    pub fn record(&self, at: Timestamp, what: What) {
        let mut pen = self.0.borrow_mut();
        let step = pen.step;
        pen.history.events.push(Event { at, step, what });
    }

    /// Writes an unmet or met expectation down.
    pub fn expectation(&self, at: Timestamp, met: bool, want: impl Into<String>, got: impl Into<String>) {
        self.record(at, What::Expectation { met, want: want.into(), got: got.into() });
    }

    /// Writes a photograph down; equal content in a row is kept once in memory.
    pub fn shot(&self, at: Timestamp, instance: &InstanceId, mark: Option<&str>, photograph: Arc<Photograph>) {
        let kept = {
            let mut pen = self.0.borrow_mut();
            match pen.last_shots.get(instance) {
                Some(last) if Arc::ptr_eq(last, &photograph) || *last == photograph => Arc::clone(last),
                _ => {
                    pen.last_shots.insert(instance.clone(), Arc::clone(&photograph));
                    photograph
                }
            }
        };
        let shot = Shot { instance: instance.clone(), mark: mark.map(str::to_owned), photograph: kept, node: None };
        self.record(at, What::Photograph(shot));
    }

    /// The photograph of an instance at a mark.
    #[must_use]
    pub fn marked(&self, instance: &InstanceId, mark: &str) -> Option<Arc<Photograph>> {
        self.0.borrow().history.events.iter().find_map(|event| match &event.what {
            What::Photograph(shot) if shot.instance == *instance && shot.mark.as_deref() == Some(mark) => {
                Some(Arc::clone(&shot.photograph))
            }
            _ => None,
        })
    }

    /// Writes a call down, without passwords, and what its answer shows.
    pub fn call(&self, at: Timestamp, mut call: Call) {
        call.request = redacted(&call.request);
        let shown = shown(&call);
        self.record(at, What::Call(call));
        for what in shown {
            self.record(at, what);
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// What an answer shows of instances, backups and tasks.
fn shown(call: &Call) -> Vec<What> {
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
            .map(|list| list.instances.into_iter().map(|view| What::InstanceSeen(Box::new(view))).collect())
            .unwrap_or_default(),
        ("POST" | "GET" | "PUT" | "DELETE", "instances", "" | "temporary-instances" | "configuration") => {
            read::<InstanceView>(&call.answer).map(|view| What::InstanceSeen(Box::new(view))).into_iter().collect()
        }
        ("GET", "instances", "backups") => read::<BackupList>(&call.answer)
            .map(|list| list.backups.into_iter().map(|view| What::BackupSeen(Box::new(view))).collect())
            .unwrap_or_default(),
        ("POST", "instances", "backups") | ("GET", "backups", _) => {
            read::<BackupView>(&call.answer).map(|view| What::BackupSeen(Box::new(view))).into_iter().collect()
        }
        ("GET", "migration-tasks", "") if parts.len() == 2 => read::<TaskList>(&call.answer)
            .map(|list| list.tasks.into_iter().map(|view| What::TaskSeen(Box::new(view))).collect())
            .unwrap_or_default(),
        (_, "migration-tasks", _) => {
            read::<TaskView>(&call.answer).map(|view| What::TaskSeen(Box::new(view))).into_iter().collect()
        }
        _ => vec![],
    }
}

fn listed(call: &Call, list: ListKind, of: Option<String>) -> Vec<What> {
    let Some(found) = read::<InstanceList>(&call.answer) else { return vec![] };
    let ids = found.instances.iter().map(|view| view.id.clone()).collect();
    let mut shown = vec![What::InstancesListed { list, of, ids }];
    shown.extend(found.instances.into_iter().map(|view| What::InstanceSeen(Box::new(view))));
    shown
}

fn query(call: &Call, name: &str) -> Option<String> {
    let query = call.path.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()))
}
