//! Writes the history of a run down while it happens.

use super::shown::shown;
use crate::checks::migration::text::names;
use crate::history::redact::redact;
use crate::history::{Call, Event, History, ListKind, Shot, What};
use jiff::Timestamp;
use recovery::model::backup::Node;
use recovery::model::instance::InstanceState;
use recovery::model::photograph::Photograph;
use recovery::model::product::Engine;
use recovery::model::{BackupId, InstanceId, TaskId};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The history under way; clones write to the same one.
#[derive(Clone)]
pub struct Recorder(Rc<RefCell<Pen>>, Rc<Bells>);

/// Who waits for something to be written down.
#[derive(Default)]
struct Bells {
    event: Notify,
    change: Notify,
}

struct Pen {
    history: History,
    step: Option<usize>,
    tolerant: bool,
    last_shots: BTreeMap<(InstanceId, bool), Arc<Photograph>>,
    /// When the newest answer to a request came that may have changed something.
    changed_at: Option<Timestamp>,
    met: Met,
    /// What the newest answer to each read showed.
    looks: BTreeMap<String, Look>,
}

/// An answer and what it showed.
struct Look {
    status: Option<u16>,
    answer: Arc<Value>,
    shown: Vec<What>,
}

/// What answers have shown so far, as far as it is looked at again.
#[derive(Default)]
struct Met {
    /// Redis instances that are there.
    redis: BTreeSet<InstanceId>,
    /// Instances that were being made when they were last seen.
    making: BTreeSet<InstanceId>,
    /// Whether there ever was a logical backup task.
    backed_up_logically: bool,
    /// Whether there ever was a restore task.
    restored: bool,
    /// The instance of each backup.
    backed_up: BTreeMap<BackupId, InstanceId>,
    /// Tasks that were seen to be gone.
    gone: BTreeSet<TaskId>,
}

impl Met {
    fn note(&mut self, what: &What) {
        match what {
            What::InstanceSeen(view) => {
                if view.product.engine == Engine::Redis {
                    self.redis.insert(view.id.clone());
                }
                if view.state == InstanceState::Creating {
                    self.making.insert(view.id.clone());
                } else {
                    self.making.remove(&view.id);
                }
            }
            What::InstanceGone { id } => {
                self.redis.remove(id);
                self.making.remove(id);
            }
            What::TaskGone { id } => {
                self.gone.insert(id.clone());
            }
            What::LogicalTaskSeen(_) => self.backed_up_logically = true,
            What::RestoreSeen(_) => self.restored = true,
            What::InstancesListed { list: ListKind::Instances, of: None, ids } => {
                self.redis.retain(|id| ids.contains(id));
            }
            What::BackupSeen(view) => {
                self.backed_up.insert(view.id.clone(), view.instance.clone());
            }
            _ => {}
        }
    }
}

impl Recorder {
    /// Begins a history.
    #[must_use]
    pub fn new(scenario: &str, seed: u64) -> Self {
        let history = History { scenario: scenario.to_owned(), seed, names: BTreeMap::new(), events: vec![] };
        Self(
            Rc::new(RefCell::new(Pen {
                history,
                step: None,
                tolerant: false,
                last_shots: BTreeMap::new(),
                changed_at: None,
                met: Met::default(),
                looks: BTreeMap::new(),
            })),
            Rc::default(),
        )
    }

    /// Comes when something is written down.
    pub fn next_event(&self) -> Notified<'_> {
        self.1.event.notified()
    }

    /// Comes when a step begins, or a request that may change something is written down.
    pub fn next_change(&self) -> Notified<'_> {
        self.1.change.notified()
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
        let changes = match &what {
            What::Call(call) => call.method != "GET",
            What::StepBegan { .. } => true,
            _ => false,
        };
        pen.history.events.push(Event { at, step, what });
        self.1.event.notify_waiters();
        if changes {
            self.1.change.notify_waiters();
        }
    }

    /// Says whether what comes out otherwise from here on is no failure.
    pub fn tolerate(&self, tolerant: bool) {
        self.0.borrow_mut().tolerant = tolerant;
    }

    /// Writes an unmet or met expectation down.
    pub fn expectation(&self, at: Timestamp, met: bool, want: impl Into<String>, got: impl Into<String>) {
        let (want, got) = (want.into(), got.into());
        let tolerated = !met && self.0.borrow().tolerant;
        self.record(at, if tolerated { What::Otherwise { want, got } } else { What::Expectation { met, want, got } });
    }

    /// Writes a photograph down; equal content in a row is kept once in memory.
    pub fn shot(
        &self,
        at: Timestamp,
        instance: &InstanceId,
        mark: Option<&str>,
        node: Option<Node>,
        photograph: Arc<Photograph>,
    ) {
        let kept = {
            let mut pen = self.0.borrow_mut();
            let place = (instance.clone(), node == Some(Node::Replica));
            match pen.last_shots.get(&place) {
                Some(last) if Arc::ptr_eq(last, &photograph) || *last == photograph => Arc::clone(last),
                _ => {
                    pen.last_shots.insert(place, Arc::clone(&photograph));
                    photograph
                }
            }
        };
        let shot = Shot { instance: instance.clone(), mark: mark.map(str::to_owned), photograph: kept, node };
        self.record(at, What::Photograph(shot));
    }

    /// The photograph of an instance at a mark.
    #[must_use]
    pub fn marked(&self, instance: &InstanceId, mark: &str) -> Option<Arc<Photograph>> {
        self.0.borrow().history.events.iter().find_map(|event| match &event.what {
            What::Photograph(shot)
                if shot.instance == *instance && shot.node.is_none() && shot.mark.as_deref() == Some(mark) =>
            {
                Some(Arc::clone(&shot.photograph))
            }
            _ => None,
        })
    }

    /// Whether an instance is a Redis instance that was there when it was last looked for.
    #[must_use]
    pub fn is_redis(&self, instance: &InstanceId) -> bool {
        self.0.borrow().met.redis.contains(instance)
    }

    /// Redis instances that were there when they were last looked for.
    #[must_use]
    pub fn redis_instances(&self) -> Vec<InstanceId> {
        self.0.borrow().met.redis.iter().cloned().collect()
    }

    /// Names of instances that vanished from their machines, which no healing brings back.
    #[must_use]
    pub fn vanished(&self) -> Vec<String> {
        let pen = self.0.borrow();
        let faults = pen.history.events.iter().filter_map(|event| match &event.what {
            What::Fault { kind, text, .. } if kind == "vanish" => Some(text),
            _ => None,
        });
        let told = faults.flat_map(|text| pen.history.names.keys().filter(move |name| names(text, name)));
        told.cloned().collect()
    }

    /// Instances that were being made when they were last seen.
    #[must_use]
    pub fn in_the_making(&self) -> Vec<InstanceId> {
        self.0.borrow().met.making.iter().cloned().collect()
    }

    /// Whether a migration task was seen to be gone.
    #[must_use]
    pub fn is_gone(&self, task: &TaskId) -> bool {
        self.0.borrow().met.gone.contains(task)
    }

    /// Whether a logical backup task was ever seen.
    #[must_use]
    pub fn backed_up_logically(&self) -> bool {
        self.0.borrow().met.backed_up_logically
    }

    /// Whether a restore task was ever seen.
    #[must_use]
    pub fn restored(&self) -> bool {
        self.0.borrow().met.restored
    }

    /// The instance a backup is of.
    #[must_use]
    pub fn backed_up(&self, backup: &BackupId) -> Option<InstanceId> {
        self.0.borrow().met.backed_up.get(backup).cloned()
    }

    /// Writes a call down, whose answer was redacted, and what its answer shows: nothing where it was asked for before a
    /// change that was answered first, as it may show what is over by now.
    pub fn call(&self, at: Timestamp, mut call: Call) {
        redact(&mut call.request);
        let overtaken = call.method == "GET" && self.0.borrow().changed_at.is_some_and(|change| change > call.sent_at);
        let shown = if overtaken { vec![] } else { self.shown(&call) };
        if call.method != "GET" {
            self.0.borrow_mut().changed_at = Some(at);
        }
        self.record(at, What::Call(call));
        for what in shown {
            self.0.borrow_mut().met.note(&what);
            self.record(at, what);
        }
    }
}

impl Recorder {
    /// What an answer shows; the same answer to the same read shows the same as before.
    fn shown(&self, call: &Call) -> Vec<What> {
        if call.method != "GET" {
            return shown(call);
        }
        let looks = &mut self.0.borrow_mut().looks;
        let known = looks.get(&call.path);
        if let Some(look) = known
            && look.status == call.status
            && Arc::ptr_eq(&look.answer, &call.answer)
        {
            return look.shown.clone();
        }
        let shown = shown(call);
        let look = Look { status: call.status, answer: Arc::clone(&call.answer), shown: shown.clone() };
        looks.insert(call.path.clone(), look);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown::tests::{call, source, task};
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_that_a_change_overtook_shows_nothing() {
        let recorder = Recorder::new("made up", 1);
        let at = |ms| Timestamp::from_millisecond(ms).expect("a time");
        let mut look = call("GET", "/v1/data-sources", json!({"data_sources": [source()]}));
        look.sent_at = at(5);
        recorder.call(at(10), call("POST", "/v1/instances", Value::Null));
        recorder.call(at(11), look.clone());
        look.sent_at = at(10);
        recorder.call(at(12), look);
        let events = recorder.finish().events;
        let sights = events.iter().filter(|event| matches!(event.what, What::DataSourceSeen(_)));
        assert_eq!(sights.map(|event| event.at).collect::<Vec<_>>(), [at(12)]);
    }

    #[test]
    fn what_comes_out_otherwise_is_a_failure_unless_it_is_tolerated() {
        let recorder = Recorder::new("made up", 1);
        recorder.tolerate(true);
        recorder.expectation(Timestamp::UNIX_EPOCH, false, "a", "b");
        recorder.expectation(Timestamp::UNIX_EPOCH, true, "a", "a");
        recorder.tolerate(false);
        recorder.expectation(Timestamp::UNIX_EPOCH, false, "c", "d");
        let met: Vec<Option<bool>> = recorder
            .finish()
            .events
            .iter()
            .map(|event| match &event.what {
                What::Expectation { met, .. } => Some(*met),
                _ => None,
            })
            .collect();
        assert_eq!(met, [None, Some(true), Some(false)]);
    }

    #[test]
    fn what_was_seen_is_looked_at_again() {
        let recorder = Recorder::new("made up", 1);
        assert!(!recorder.backed_up_logically() && !recorder.restored());
        recorder.call(Timestamp::UNIX_EPOCH, call("POST", "/v1/logical-backup-tasks", task()));
        assert!(recorder.backed_up_logically() && !recorder.restored());
    }
}
