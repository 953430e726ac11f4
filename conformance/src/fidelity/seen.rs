//! What can be seen of a run, step by step, in words that do not depend on when it was and how long it took: answers,
//! states, prechecks, statements, logins, content.

use super::content;
use crate::history::{Call, Event, History, What};
use recovery::model::instance::InstanceState;
use recovery::model::photograph::Photograph;
use recovery::model::precheck::PrecheckRun;
use recovery::model::views::{BackupView, InstanceView, TaskView};
use recovery::model::{InstanceId, logical::views::RestoreView};
use recovery::ports::database::DatabaseError;
use scenarios::Scenario;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything, each with what it is called, in the order of the steps.
pub fn seen(scenario: &Scenario, history: &History) -> Vec<(String, String)> {
    let mut names = Names::of(history);
    let mut contents = content::Words::default();
    let mut all = Vec::new();
    let mut rest = history.events.as_slice();
    while let Some(first) = rest.first() {
        let healed = |event: &Event| matches!(event.what, What::Healed);
        let end = rest.iter().position(|event| event.step != first.step).unwrap_or(rest.len());
        let (step, others) = rest.split_at(end);
        let after = step.iter().any(healed) || (first.step.is_none() && !all.is_empty());
        let called = match first.step {
            Some(index) => format!("step {}", index + 1),
            None if after => "end".to_owned(),
            None => "beginning".to_owned(),
        };
        let mut page = Page { called, found: Vec::new() };
        page.read(scenario, step, &mut names, &mut contents);
        all.extend(page.found);
        rest = others;
    }
    all
}

/// What ids are called: the scenario's name, or what it is and which of them; and who is on the way out.
struct Names {
    names: BTreeMap<String, String>,
    released: BTreeSet<InstanceId>,
}

impl Names {
    fn of(history: &History) -> Self {
        let names = history.names.iter().map(|(name, id)| (id.to_string(), name.clone())).collect();
        Self { names, released: BTreeSet::new() }
    }

    fn of_instance(&self, id: &InstanceId) -> String {
        self.names.get(id.as_str()).cloned().unwrap_or_else(|| "another instance".to_owned())
    }

    /// A name that is given with the first look.
    fn given(&mut self, id: &str, kind: &str) -> String {
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        let count = self.names.values().filter(|name| name.starts_with(kind)).count();
        let name = format!("{kind} {}", count + 1);
        self.names.insert(id.to_owned(), name.clone());
        name
    }

    /// A path with names in the place of ids.
    fn path(&self, call: &Call) -> String {
        let parts = call.parts().into_iter().map(|part| match self.names.get(part) {
            Some(name) => format!("<{name}>"),
            None if part.contains('-') && part.bytes().any(|byte| byte.is_ascii_digit()) => "<id>".to_owned(),
            None => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// One step.
struct Page {
    called: String,
    found: Vec<(String, String)>,
}

/// The last that was seen of each thing within a step.
#[derive(Default)]
struct Last<'a> {
    instances: BTreeMap<String, &'a InstanceView>,
    tasks: BTreeMap<String, &'a TaskView>,
    restores: BTreeMap<String, &'a RestoreView>,
    backups: BTreeMap<String, &'a BackupView>,
    shots: BTreeMap<&'a InstanceId, &'a Arc<Photograph>>,
}

impl Page {
    fn put(&mut self, what: &str, how: impl Into<String>) {
        self.found.push((format!("{}: {what}", self.called), how.into()));
    }

    fn read(&mut self, scenario: &Scenario, step: &[Event], names: &mut Names, contents: &mut content::Words) {
        let mut last = Last::default();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut nth = |what: &'static str| {
            let count = counts.entry(what).or_default();
            *count += 1;
            format!("{what} {count}")
        };
        for event in step {
            match &event.what {
                What::Call(call) if call.method != "GET" => {
                    name_new(call, names);
                    let answer = match (call.status, call.code()) {
                        (Some(status), Some(code)) => format!("{status} {code}"),
                        (Some(status), None) => status.to_string(),
                        (None, _) => "no answer".to_owned(),
                    };
                    self.put(&nth("answer"), format!("{} {} -> {answer}", call.method, names.path(call)));
                }
                What::Statement(it) => {
                    let came = match &it.outcome {
                        Ok(outcome) => content::rows(&outcome.rows),
                        Err(error) => refused(error),
                    };
                    let on = names.of_instance(&it.instance);
                    self.put(&nth("statement"), format!("{on}: {} -> {came}", it.sql.trim()));
                }
                What::Login(it) if it.from != "operator" || it.outcome.is_err() => {
                    let came = it.outcome.as_ref().map_or_else(refused, |()| "let in".to_owned());
                    self.put(&nth("login"), format!("{} on {}: {came}", it.account, names.of_instance(&it.instance)));
                }
                What::Downloaded { status, .. } => self.put(&nth("file"), status.to_string()),
                What::InstanceSeen(view) => {
                    if view.state == InstanceState::Released {
                        names.released.insert(view.id.clone());
                    }
                    last.instances.insert(names.of_instance(&view.id), view);
                }
                What::InstanceGone { id } => {
                    names.released.insert(id.clone());
                }
                What::TaskSeen(view) => {
                    last.tasks.insert(names.given(view.id.as_str(), "task"), view);
                }
                What::RestoreSeen(view) => {
                    last.restores.insert(names.given(view.id.as_str(), "restore"), view);
                }
                What::BackupSeen(view) => {
                    // Only those somebody asked for: how many are taken beside them depends on how long all takes.
                    if let Some(name) = names.names.get(view.id.as_str()) {
                        last.backups.insert(name.clone(), view);
                    }
                }
                What::Photograph(shot) if shot.node.is_none() => {
                    last.shots.insert(&shot.instance, &shot.photograph);
                }
                _ => {}
            }
        }
        self.views(&last);
        // How long what was released is still on its machine depends on how long all takes.
        let there = last.shots.into_iter().filter(|(id, _)| !names.released.contains(*id));
        let there: BTreeMap<_, _> = there.map(|(id, photograph)| (names.of_instance(id), photograph)).collect();
        for (name, photograph) in there {
            for (what, how) in contents.of(scenario, photograph) {
                self.put(&format!("content of {name}: {what}"), how);
            }
        }
    }

    fn views(&mut self, last: &Last<'_>) {
        for (name, view) in &last.instances {
            self.put(&format!("state of {name}"), word(&view.state));
        }
        for (name, view) in &last.tasks {
            let phases: Vec<String> =
                view.phases.iter().map(|(phase, status)| format!("{} {}", word(phase), word(status))).collect();
            let failure = view.failure.as_ref().map(reason).unwrap_or_default();
            self.put(&format!("state of {name}"), format!("{} [{}] {failure}", word(&view.status), phases.join(", ")));
            self.precheck(name, view.precheck.as_ref());
        }
        for (name, view) in &last.restores {
            let failure = view.failure.as_ref().map(reason).unwrap_or_default();
            self.put(&format!("state of {name}"), format!("{} {failure}", word(&view.status)));
            self.precheck(name, view.precheck.as_ref());
        }
        for (name, view) in &last.backups {
            let node = view.node.as_ref().map(word).unwrap_or_default();
            self.put(&format!("state of {name}"), format!("{} {} {node}", word(&view.kind), word(&view.status)));
        }
    }

    fn precheck(&mut self, task: &str, run: Option<&PrecheckRun>) {
        let Some(run) = run.filter(|run| run.ended_at.is_some()) else { return };
        for result in &run.items {
            let value = serde_json::to_value(&result.outcome).unwrap_or_default();
            let result_word = value.get("result").and_then(Value::as_str).unwrap_or_default().to_owned();
            let found = result.outcome.found().map_or(0, |found| found.findings.len() as u64 + found.more);
            self.put(&format!("precheck of {task}: {}", word(&result.item)), format!("{result_word}, {found} found"));
        }
    }
}

/// Names what an accepted call made: a backup that was asked for.
fn name_new(call: &Call, names: &mut Names) {
    if call.accepted()
        && call.last_part() == Some("backups")
        && let Some(id) = call.answer.get("id").and_then(Value::as_str)
    {
        names.given(id, "backup");
    }
}

/// A value's word.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Why something failed, without the words of the server.
fn reason(failure: &impl Serialize) -> String {
    let value = serde_json::to_value(failure).unwrap_or_default();
    value.get("reason").and_then(Value::as_str).unwrap_or("failed").to_owned()
}

/// What kind of refusal a server's was: its words are its own.
fn refused(error: &DatabaseError) -> String {
    let kind = match error {
        DatabaseError::Unreachable(_) => "not reached",
        DatabaseError::NotWhitelisted(_) => "not on the whitelist",
        DatabaseError::AccessDenied(_) => "access denied",
        DatabaseError::SslDisabled => "no SSL",
        DatabaseError::NotPermitted { .. } => "not permitted",
        DatabaseError::NoSuchDatabase(_) => "no such database",
        DatabaseError::NoSuchObject(_) => "no such object",
        DatabaseError::ObjectExists(_) => "is there already",
        DatabaseError::Constraint(_) => "constraint",
        DatabaseError::Statement(_) => "failed",
        DatabaseError::DiskFull => "disk full",
        DatabaseError::Fenced(_) => "fenced off",
        DatabaseError::LogGone(_) => "log gone",
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use crate::fidelity::differences;
    use crate::runner;
    use scenarios::Scenario;

    const TEXT: &str = r#"
title = "a fact"
[instances.shop]
engine = "postgresql 10"
account = { name = "app", password = "s3cret" }
sql = "create table orders (id int primary key, item varchar(9)); insert into orders values (1, 'lamp')"
[[step]]
backup = { of = "shop", as = "full" }
[[step]]
temporary = { of = "shop", set = "full", as = "rescue" }
[[step]]
sql = { on = "shop", run = "drop table orders" }
[[step]]
migrate = { from = "rescue", into = "shop", objects = ["orders"] }
"#;

    fn scenario(text: &str) -> Scenario {
        let parsed = Scenario::parse("a-fact.toml", text, &crate::catalogue::catalogue().ids());
        parsed.unwrap_or_else(|error| panic!("{}", error.render())).remove(0)
    }

    fn found(text: &str, seed: u64) -> (usize, Vec<String>) {
        let whole = scenario(TEXT);
        let [one, other] =
            [(TEXT, 0), (text, seed)].map(|(text, seed)| runner::run(&scenario(text), seed, None).expect("a run"));
        let (seen, differences) = differences(&whole, &one, &other);
        (seen, differences.into_iter().map(|difference| difference.what).collect())
    }

    #[test]
    fn the_same_under_another_seed_is_seen_alike() {
        let (seen, differences) = found(TEXT, 7);
        assert!(seen > 40, "{seen}");
        assert_eq!(differences, [""; 0]);
    }

    #[test]
    fn another_row_another_definition_and_another_answer_are_seen() {
        for (from, to, what) in [
            ("'lamp'", "'desk'", "rows of table orders"),
            ("drop table orders", "alter table orders add column note int", "table orders"),
            ("objects = [\"orders\"]", "objects = [\"orders\"], ends = \"precheck-failed\"", "run"),
            ("password = \"s3cret\"", "password = \"0ther\"", "account app"),
        ] {
            let differences = found(&TEXT.replace(from, to), 0).1;
            assert!(differences.iter().any(|difference| difference.contains(what)), "{to}: {differences:?}");
        }
    }
}
