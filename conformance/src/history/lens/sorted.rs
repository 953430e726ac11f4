//! What happened, sorted by kind: hundreds of checks ask for the same kinds of events, over and over.

use super::Seen;
use crate::history::{Call, Event, History, LedgerEntry, Login, Shot, Statement, What};
use recovery::model::{InstanceId, TaskId};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Calls with what stands in the places of a pattern's `{}`.
type Matched<'a> = Rc<[(Seen<'a, Call>, Vec<&'a str>)]>;
/// Calls with what is asked of the thing they are about.
type Asked<'a> = Rc<[(Seen<'a, Call>, &'a str)]>;

/// Events by kind, each kind in order, and what was found among them before.
#[derive(Default)]
pub(super) struct Sorted<'a> {
    pub(super) calls: Rc<[Seen<'a, Call>]>,
    pub(super) logins: Rc<[Seen<'a, Login>]>,
    pub(super) marks: Rc<[Seen<'a, What>]>,
    statements: BTreeMap<&'a InstanceId, Rc<[Seen<'a, Statement>]>>,
    ledger: BTreeMap<&'a InstanceId, Rc<[Seen<'a, LedgerEntry>]>>,
    shots: BTreeMap<&'a InstanceId, Rc<[Seen<'a, Shot>]>>,
    /// By the place of the pattern, which is part of the program.
    matched: RefCell<BTreeMap<(*const u8, usize), Matched<'a>>>,
    of_tasks: OnceCell<BTreeMap<&'a str, Asked<'a>>>,
}

impl<'a> Sorted<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        fn seen<'a, T>(index: usize, event: &'a Event, it: &'a T) -> Seen<'a, T> {
            Seen { index, at: event.at, it }
        }
        let (mut calls, mut logins, mut marks) = (vec![], vec![], vec![]);
        let (mut statements, mut ledger, mut shots) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (index, event) in history.events.iter().enumerate() {
            match &event.what {
                What::Call(it) => calls.push(seen(index, event, it)),
                What::Login(it) => logins.push(seen(index, event, it)),
                What::Mark { .. } => marks.push(seen(index, event, &event.what)),
                What::Statement(it) => add(&mut statements, &it.instance, seen(index, event, it)),
                What::Ledger(it) => add(&mut ledger, &it.instance, seen(index, event, it)),
                What::Photograph(it) => add(&mut shots, &it.instance, seen(index, event, it)),
                _ => {}
            }
        }
        Self {
            calls: calls.into(),
            logins: logins.into(),
            marks: marks.into(),
            statements: kept(statements),
            ledger: kept(ledger),
            shots: kept(shots),
            ..Self::default()
        }
    }

    pub(super) fn statements(&self, instance: &InstanceId) -> Option<Rc<[Seen<'a, Statement>]>> {
        self.statements.get(instance).cloned()
    }

    pub(super) fn ledger(&self, instance: &InstanceId) -> Option<Rc<[Seen<'a, LedgerEntry>]>> {
        self.ledger.get(instance).cloned()
    }

    pub(super) fn shots(&self, instance: &InstanceId) -> Option<Rc<[Seen<'a, Shot>]>> {
        self.shots.get(instance).cloned()
    }

    pub(super) fn matched(&self, pattern: &'static str) -> Matched<'a> {
        let mut known = self.matched.borrow_mut();
        let found = known.entry((pattern.as_ptr(), pattern.len())).or_insert_with(|| {
            self.calls.iter().filter_map(|seen| seen.it.matches(pattern).map(|found| (*seen, found))).collect()
        });
        Rc::clone(found)
    }

    /// Calls about a task, with the part of the path after its id.
    pub(super) fn of_task(&self, id: &TaskId) -> Option<Asked<'a>> {
        let of_tasks = self.of_tasks.get_or_init(|| {
            let mut found = BTreeMap::new();
            for seen in self.calls.iter() {
                let parts = seen.it.parts();
                if let ["v1", "migration-tasks", id, rest @ ..] = parts.as_slice() {
                    add(&mut found, *id, (*seen, rest.first().copied().unwrap_or("")));
                }
            }
            kept(found)
        });
        of_tasks.get(id.as_str()).cloned()
    }
}

fn add<K: Ord, T>(found: &mut BTreeMap<K, Vec<T>>, of: K, one: T) {
    found.entry(of).or_default().push(one);
}

fn kept<K: Ord, T>(found: BTreeMap<K, Vec<T>>) -> BTreeMap<K, Rc<[T]>> {
    found.into_iter().map(|(of, all)| (of, all.into())).collect()
}

/// Goes through what was kept, or through nothing.
pub(super) fn each<T: Clone>(all: Option<Rc<[T]>>) -> impl DoubleEndedIterator<Item = T> {
    let count = all.as_ref().map_or(0, |all| all.len());
    (0..count).filter_map(move |place| all.as_ref()?.get(place).cloned())
}
