//! The names of a scenario and what is known of each at the step the lowering has come to.

use super::Lower;
use crate::action::MigrateSide;
use crate::error::{Problems, accepted, listed, quoted};
use crate::fields::{At, Fields, Read, Word};
use crate::scenario::{AccountSpec, Credentials, Host};
use recovery::model::Secret;
use recovery::model::product::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

/// What a name stands for. All names of a scenario are different, whatever they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Instance,
    Backup,
    Task,
    Mark,
    Source,
    LogicalTask,
    Set,
    Restore,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "instance",
            Self::Backup => "backup",
            Self::Task => "task",
            Self::Mark => "mark",
            Self::Source => "data source",
            Self::LogicalTask => "logical backup task",
            Self::Set => "backup set",
            Self::Restore => "restore task",
        })
    }
}

/// Words that stand for moments or backups themselves. A mark may be called `now`: it then stands for itself.
const RESERVED: [&str; 2] = ["earliest", "latest"];

#[derive(Debug, Clone, Copy)]
struct Named {
    kind: Kind,
    line: usize,
}

/// What is known of an instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownInstance {
    /// Master of a restored, read-only or disaster recovery instance.
    pub(crate) master: Option<String>,
    /// Whether its accounts are the master's own.
    pub(super) follows: bool,
    /// Its engine; none where the file does not say it well.
    pub(super) engine: Option<Engine>,
    /// Accounts in the order they were made, from each moment on at which they changed.
    history: Vec<(usize, Vec<AccountSpec>)>,
}

/// The names.
#[derive(Debug, Default)]
pub(crate) struct Book {
    names: BTreeMap<String, Named>,
    later: BTreeMap<String, Named>,
    /// Whether names count that only a later step gives.
    pub(super) ahead: bool,
    pub(crate) instances: BTreeMap<String, KnownInstance>,
    /// By mark or backup: its moment.
    moments: BTreeMap<String, usize>,
    /// Counts the marks and backups so far.
    now: usize,
    pub(crate) tasks: BTreeMap<String, (MigrateSide, MigrateSide)>,
    /// By idempotency key: names of the instances that were made with it.
    pub(crate) keys: BTreeMap<String, Vec<String>>,
    /// By data source: its instance.
    pub(super) sources: BTreeMap<String, String>,
    /// Backups that an earlier step was given a link for.
    pub(super) downloaded: BTreeSet<String>,
}

impl Book {
    /// Notes the names a step will give, so that a name that is used too early can be told from one that never comes.
    pub(super) fn foresee(&mut self, step: &Fields, problems: &Problems) {
        let line = problems.line(step.span.start);
        for (key, kind) in [
            ("backup", Kind::Backup),
            ("temporary", Kind::Instance),
            ("clone", Kind::Instance),
            ("migrate", Kind::Task),
            ("data_source", Kind::Source),
            ("logical_backup", Kind::LogicalTask),
            ("logical_task", Kind::Set),
            ("restore", Kind::Restore),
        ] {
            let Some(table) = step.table(key) else { continue };
            let one = table.word("as").into_iter();
            for word in one.chain(table.words("as")) {
                self.later.entry(word.value.to_owned()).or_insert(Named { kind, line });
            }
        }
        if let Some(mark) = step.word("mark") {
            self.later.entry(mark.value.to_owned()).or_insert(Named { kind: Kind::Mark, line });
        }
    }

    /// Whether a name may stand for something of that kind that a later step makes.
    pub(super) fn foreseen(&self, name: &str, kind: Kind) -> bool {
        self.ahead && self.later.get(name).is_some_and(|later| later.kind == kind)
    }

    /// The names of a kind.
    pub(super) fn all(&self, kind: Kind) -> Vec<&str> {
        self.names.iter().filter(|(_, named)| named.kind == kind).map(|(name, _)| name.as_str()).collect()
    }

    /// Whether a name stands for something of that kind.
    pub(super) fn is(&self, name: &str, kind: Kind) -> bool {
        self.names.get(name).is_some_and(|named| named.kind == kind)
    }

    /// Whether a name stands for a mark.
    pub(crate) fn is_mark(&self, name: &str) -> bool {
        self.is(name, Kind::Mark)
    }

    /// What a name stands for.
    pub(super) fn kind(&self, name: &str) -> Option<Kind> {
        self.names.get(name).map(|named| named.kind)
    }

    /// Gives a name to something that was read already.
    pub(super) fn enter(&mut self, name: &str, kind: Kind) {
        self.names.insert(name.to_owned(), Named { kind, line: 0 });
    }

    /// Notes a new instance.
    pub(super) fn add_instance(
        &mut self,
        name: &str,
        master: Option<String>,
        follows: bool,
        engine: Option<Engine>,
        accounts: Vec<AccountSpec>,
    ) {
        let known = KnownInstance { master, follows, engine, history: vec![(self.now, accounts)] };
        self.instances.insert(name.to_owned(), known);
    }

    /// The engine of an instance.
    pub(crate) fn engine(&self, instance: &str) -> Option<Engine> {
        self.instances.get(instance).and_then(|known| known.engine)
    }

    /// The database that is meant on an instance where none is said.
    pub(crate) fn database(&self, instance: &str) -> &'static str {
        default_database(self.engine(instance))
    }

    /// Notes that a mark or backup is at this moment.
    pub(super) fn remember(&mut self, name: &str) {
        self.moments.insert(name.to_owned(), self.now);
        self.now += 1;
    }

    /// The accounts of an instance by now.
    pub(crate) fn accounts(&self, instance: &str) -> &[AccountSpec] {
        self.accounts_then(instance, self.now).unwrap_or_default()
    }

    /// The accounts of an instance at a mark or backup; `None` where it was not there yet.
    pub(super) fn accounts_at(&self, instance: &str, moment: &str) -> Option<&[AccountSpec]> {
        self.accounts_then(instance, *self.moments.get(moment)?)
    }

    fn accounts_then(&self, instance: &str, moment: usize) -> Option<&[AccountSpec]> {
        let known = self.instances.get(instance)?;
        let own = known.master.as_ref().filter(|_| known.follows).and_then(|master| self.instances.get(master));
        let history = &own.unwrap_or(known).history;
        history.iter().rev().find(|(from, _)| *from <= moment).map(|(_, accounts)| accounts.as_slice())
    }

    /// The accounts of an instance, to be changed from now on.
    pub(super) fn accounts_mut(&mut self, instance: &str) -> Option<&mut Vec<AccountSpec>> {
        let now = self.now;
        let history = &mut self.instances.get_mut(instance)?.history;
        let (from, accounts) = history.last()?;
        if *from < now {
            history.push((now, accounts.clone()));
        }
        history.last_mut().map(|(_, accounts)| accounts)
    }
}

impl Lower {
    /// Gives a name; false where it is taken or reserved.
    pub(super) fn declare(&mut self, name: &Word<'_>, kind: Kind) -> bool {
        let line = self.problems.line(name.span.start);
        if RESERVED.contains(&name.value) {
            let message = format!("{} is a word of the language and names no {kind}", quoted(name.value));
            self.problems.add(&name.span, message, "reserved", "choose another name");
            return false;
        }
        if let Some(first) = self.book.names.get(name.value) {
            let message =
                format!("the name {} is taken by the {} of line {}", quoted(name.value), first.kind, first.line);
            self.problems.add(&name.span, message, "taken", "each instance, backup, task and mark has its own name");
            return false;
        }
        self.book.names.insert(name.value.to_owned(), Named { kind, line });
        true
    }

    /// The thing a name stands for.
    pub(super) fn find(&mut self, name: &Word<'_>, kind: Kind) -> Option<String> {
        match self.book.names.get(name.value) {
            Some(named) if named.kind == kind => return Some(name.value.to_owned()),
            Some(other) => {
                let message = format!("{} is the {} of line {}, no {kind}", quoted(name.value), other.kind, other.line);
                let help = accepted(name.value, &self.book.all(kind), &format!("each {kind} so far"));
                self.problems.add(&name.span, message, format!("no {kind}"), help);
            }
            None if self.book.foreseen(name.value, kind) => return Some(name.value.to_owned()),
            None => self.unknown(name, &kind.to_string(), &[kind]),
        }
        None
    }

    /// Adds that a name stands for nothing yet.
    pub(super) fn unknown(&mut self, name: &Word<'_>, what: &str, kinds: &[Kind]) {
        if self.problems.full() {
            return;
        }
        let all: Vec<&str> = kinds.iter().flat_map(|kind| self.book.all(*kind)).collect();
        let later = self.book.later.get(name.value).filter(|later| kinds.contains(&later.kind)).copied();
        let (message, label, help) = match later {
            Some(later) => (
                format!("there is no {what} {} yet", quoted(name.value)),
                format!("used before line {}", later.line),
                format!("the step of line {} makes it; put this step after that one", later.line),
            ),
            None => {
                let help = match all.is_empty() {
                    true => format!("nothing so far gives {} {what} a name", article(what)),
                    false => accepted(name.value, &all, "there are so far"),
                };
                (format!("there is no {what} {}", quoted(name.value)), "unknown name".into(), help)
            }
        };
        self.problems.add(&name.span, message, label, help);
    }

    /// Account and password for an instance: what is given, else its first account, else the password it has by now.
    pub(super) fn login(
        &mut self,
        instance: &str,
        place: &Range<usize>,
        account: Option<Word<'_>>,
        password: Option<Secret>,
    ) -> Option<Credentials> {
        let accounts = self.book.accounts(instance);
        let known = match &account {
            None => accounts.first(),
            Some(account) => accounts.iter().find(|known| known.name == account.value),
        };
        if let Some(known) = known {
            let password = password.unwrap_or_else(|| known.password.clone());
            return Some(Credentials { account: known.name.clone(), password });
        }
        let names: Vec<&str> = accounts.iter().map(|known| known.name.as_str()).collect();
        match (account, password) {
            (Some(account), Some(password)) => Some(Credentials { account: account.value.to_owned(), password }),
            (Some(account), None) => {
                let message = format!("{} has no account {} by now", quoted(instance), quoted(account.value));
                let help = accepted(account.value, &names, "it has");
                self.problems.add(&account.span, message, "unknown account", help);
                None
            }
            (None, _) => {
                let message = format!("{} has no account to log in with", quoted(instance));
                let help = "give the instance an `account = { name = ..., password = ... }`";
                self.problems.add(place, message, "an account is needed here", help);
                None
            }
        }
    }

    /// A host that the world has.
    pub(super) fn host(&mut self, host: At<Host>) -> Option<Host> {
        let (there, most) = match &host.value {
            Host::Worker(number) => (*number <= self.world.workers, self.world.workers),
            Host::Machine(number) => (*number <= self.world.machines, self.world.machines),
            Host::MachineOf(name) => {
                self.find(&At { span: host.span.clone(), value: name }, Kind::Instance)?;
                (true, 0)
            }
            Host::Service | Host::Application | Host::Operator => (true, 0),
        };
        if !there {
            let message = format!("there is no host `{}`: the world has {most} of these", host.value);
            self.problems.add(&host.span, message, "unknown host", "give `[world]` more `workers` or `machines`");
            return None;
        }
        Some(host.value)
    }

    /// Adds that keys are given that do not go with something.
    pub(super) fn refuse_keys(&mut self, fields: &Fields, keys: &[&str], with: &str, help: &str) {
        for key in keys.iter().filter(|key| fields.has(key)) {
            let message = format!("{} does not go with {with}", quoted(key));
            self.problems.add(&fields.place(key), message, "out of place", help);
        }
    }

    /// Adds a problem where not exactly one of some keys is given; the key otherwise.
    pub(super) fn exactly_one<'k>(&mut self, fields: &Fields, keys: &[&'k str], what: &str) -> Option<&'k str> {
        let given: Vec<&&str> = keys.iter().filter(|key| fields.has(key)).collect();
        match given.as_slice() {
            [one] => Some(one),
            [] => {
                let help = format!("give exactly one of {}", listed(keys, "or"));
                self.problems.add(&fields.span, format!("this {what} does not say for what"), "incomplete", help);
                None
            }
            [first, second, ..] => {
                let message = format!("this {what} has both {} and {}", quoted(first), quoted(second));
                let help = format!("give exactly one of {}", listed(keys, "or"));
                self.problems.add(&fields.place(second), message, "one too many", help);
                None
            }
        }
    }
}

/// The database that is meant where none is said: those of Redis are numbers.
pub(crate) fn default_database(engine: Option<Engine>) -> &'static str {
    match engine {
        Some(Engine::Redis) => "0",
        _ => "app",
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with('i') { "an" } else { "a" }
}

/// The text of a value where a key takes a name or a table.
pub(super) fn name_or_table(at: &At<Read>) -> (Option<Word<'_>>, Option<&Fields>) {
    match &at.value {
        Read::Table(table) => (None, Some(table)),
        _ => (at.word(), None),
    }
}
