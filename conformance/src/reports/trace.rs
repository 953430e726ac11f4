//! A timeline: a line an event, a column a host, faults marked in the columns of the hosts they hit.

use crate::history::{Client, History, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::precheck::{PrecheckOutcome, PrecheckResult, PrecheckRun};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Width of the column of times.
const TIME: usize = 17;
/// The host of the person who recovers.
const OPERATOR: &str = "operator";
/// The host of the application.
const APPLICATION: &str = "application";
/// The host of the service.
const SERVICE: &str = "service";

/// A shown event.
struct Line {
    at: Timestamp,
    /// The host whose column it stands in, and whether it is a fault; none is the world as a whole.
    hosts: Vec<String>,
    fault: bool,
    text: String,
}

/// The last lines of some events, under the names of the hosts that stand in them; photographs and repeated sights are
/// left out.
#[must_use]
pub fn lines(history: &History, events: Range<usize>, last: usize) -> Vec<String> {
    let start = history.events.first().map_or(Timestamp::UNIX_EPOCH, |event| event.at);
    let shown = all_shown(history, events);
    let shown = &shown[shown.len().saturating_sub(last)..];
    if shown.is_empty() {
        return vec![];
    }
    let hosts = hosts(shown);
    let mut lines =
        vec![format!("{:>TIME$}  {}", "time", hosts.iter().map(|host| format!("{host} ")).collect::<String>())];
    for line in shown {
        let mut columns = String::new();
        for host in &hosts {
            let hit = line.hosts.contains(host) || (line.fault && line.hosts.is_empty());
            let mark = match (hit, line.fault) {
                (true, true) => "***",
                (true, false) => "o",
                (false, _) => ".",
            };
            columns.push_str(&format!("{mark:<width$} ", width = host.len()));
        }
        lines.push(format!("{:>TIME$}  {columns} {}", time(line.at.duration_since(start)), line.text));
    }
    lines
}

/// The hosts of some lines in their order: who asks, the service, workers, machines.
fn hosts(lines: &[Line]) -> Vec<String> {
    let rank = |host: &str| {
        let kinds = [OPERATOR, APPLICATION, SERVICE, "worker", "machine"];
        let kind = kinds.iter().position(|kind| host.starts_with(kind)).unwrap_or(kinds.len());
        let number: usize = host.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(0);
        (kind, number, host.to_owned())
    };
    let named: BTreeSet<_> = lines.iter().flat_map(|line| &line.hosts).map(|host| rank(host)).collect();
    named.into_iter().map(|(_, _, host)| host).collect()
}

fn all_shown(history: &History, events: Range<usize>) -> Vec<Line> {
    let (mut last_status, mut machines, mut lines) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (index, event) in history.events.iter().enumerate() {
        if let What::Placed { instance, machine } = &event.what {
            machines.insert(instance, machine.as_str());
        }
        if !events.contains(&index) {
            continue;
        }
        let Some((hosts, text)) = shown(history, &event.what, &machines, &mut last_status) else { continue };
        let fault = matches!(event.what, What::Fault { .. } | What::Healed);
        lines.push(Line { at: event.at, hosts, fault, text });
    }
    lines
}

/// The hosts a fault names.
fn hit(text: &str, host: Option<&str>) -> Vec<String> {
    let is_host = |word: &&str| {
        [OPERATOR, APPLICATION, SERVICE].contains(word)
            || word
                .strip_prefix("worker-")
                .or(word.strip_prefix("machine-"))
                .is_some_and(|number| number.parse::<u8>().is_ok())
    };
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let mut hosts: Vec<String> = words.filter(is_host).map(str::to_owned).collect();
    hosts.extend(host.filter(|host| !hosts.iter().any(|known| known == host)).map(str::to_owned));
    hosts
}

/// A span as `+2d 01:02:03.004`.
#[must_use]
pub fn time(span: SignedDuration) -> String {
    let ms = span.as_millis();
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let clock = format!("{:02}:{:02}:{:02}.{:03}", rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    if days > 0 { format!("+{days}d {clock}") } else { format!("+{clock}") }
}

/// The hosts in whose columns an event stands, and what it says.
fn shown(
    history: &History,
    what: &What,
    machines: &BTreeMap<&InstanceId, &str>,
    last: &mut BTreeMap<String, String>,
) -> Option<(Vec<String>, String)> {
    if let Some((id, text)) = sight(history, what) {
        let before = last.insert(id.to_owned(), text.clone());
        return (before.as_ref() != Some(&text)).then_some((vec![SERVICE.to_owned()], text));
    }
    let name = |id| history.name_of(id).to_owned();
    let machine = |id, by: Client| {
        let own = if by == Client::Application { APPLICATION } else { OPERATOR };
        (*machines.get(id).unwrap_or(&own)).to_owned()
    };
    let (host, text) = match what {
        What::StepBegan { line, text } => (OPERATOR.to_owned(), format!("-- line {line}: {text}")),
        What::Call(call) if call.method == "GET" && call.accepted() => return None,
        What::Call(call) => {
            let came = match (call.status, call.code(), &call.error) {
                (Some(status), Some(code), _) => format!("{status} {code}"),
                (Some(status), None, _) => status.to_string(),
                (None, _, Some(error)) => error.clone(),
                (None, _, None) => "no answer".into(),
            };
            (OPERATOR.to_owned(), format!("{} {} -> {came}", call.method, call.path))
        }
        What::TaskGone { id } => (SERVICE.to_owned(), format!("task {id} gone")),
        What::Downloaded { backup, status, size_bytes, .. } => {
            (OPERATOR.to_owned(), format!("file of backup {backup} -> {status}, {size_bytes} bytes"))
        }
        What::Statement(it) => {
            let came = match &it.outcome {
                Ok(outcome) if it.only_reads() => format!("{} rows", outcome.rows.len()),
                Ok(_) => "done".into(),
                Err(error) => error.to_string(),
            };
            let sql: String = it.sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(70).collect();
            (machine(&it.instance, it.by), format!("{}: {sql} -> {came}", name(&it.instance)))
        }
        What::Login(it) => {
            let Err(error) = &it.outcome else { return None };
            let host = machine(&it.instance, Client::Operator);
            (host, format!("log in to {} as {} -> {error}", name(&it.instance), it.account))
        }
        What::Placed { instance, machine } => (machine.clone(), format!("{} is on {machine}", name(instance))),
        What::Mark { name, .. } => (OPERATOR.to_owned(), format!("mark '{name}'")),
        What::Ledger(it) if it.acknowledged => return None,
        What::Ledger(it) => (APPLICATION.to_owned(), format!("row {} of {} not acknowledged", it.id, it.table)),
        What::Fault { text, host, .. } => return Some((hit(text, host.as_deref()), format!("*** {text}"))),
        What::FaultMissed { text, .. } => (OPERATOR.to_owned(), format!("(no fault: {text})")),
        What::Expectation { met: true, .. } => return None,
        What::Expectation { want, got, .. } => (OPERATOR.to_owned(), format!("want {want}, got {got}")),
        What::Otherwise { want, got } => (OPERATOR.to_owned(), format!("otherwise: {want}, but {got}")),
        What::Healed => return Some((vec![], "*** everything healed".into())),
        What::Ended => return Some((vec![], "end".into())),
        _ => return None,
    };
    Some((vec![host], text))
}

/// Something the service showed, which is said again only when the text is another: its id, and the text.
fn sight<'a>(history: &History, what: &'a What) -> Option<(&'a str, String)> {
    let name = |id| history.name_of(id).to_owned();
    Some(match what {
        What::InstanceSeen(view) => (view.id.as_str(), format!("{} {:?}", name(&view.id), view.state)),
        What::InstanceGone { id } => (id.as_str(), format!("{} gone", name(id))),
        What::TaskSeen(view) => {
            let why = view.failure.as_ref().map_or(String::new(), |failure| format!(" {failure:?}"));
            let failed = failed_items(view.precheck.as_ref());
            (view.id.as_str(), format!("task {} {:?}{why}{failed}", view.id, view.status))
        }
        What::BackupSeen(view) => (view.id.as_str(), format!("backup {} {:?} {:?}", view.id, view.kind, view.status)),
        What::DataSourceSeen(view) => {
            let instance = name(&view.instance_id);
            (view.id.as_str(), format!("data source {} is {instance} as {}", view.id, view.account))
        }
        What::LogicalTaskSeen(view) => {
            (view.id.as_str(), format!("logical backup {} of {} {:?}", view.id, view.source, view.state))
        }
        What::LogicalSetSeen(view) => {
            let why = view.failure.as_ref().map_or(String::new(), |why| format!(" {why}"));
            (view.id.as_str(), format!("{:?} set {} of {} {:?}{why}", view.kind, view.id, view.task, view.status))
        }
        What::RestoreSeen(view) => {
            let why = view.failure.as_ref().map_or(String::new(), |failure| format!(" {failure:?}"));
            let failed = failed_items(view.precheck.as_ref());
            (view.id.as_str(), format!("restore {} {:?}{why}{failed}", view.id, view.status))
        }
        _ => return None,
    })
}

fn failed_items(run: Option<&PrecheckRun>) -> String {
    run.iter().flat_map(|run| &run.items).filter_map(failed_item).collect()
}

fn failed_item(result: &PrecheckResult) -> Option<String> {
    match &result.outcome {
        PrecheckOutcome::Success | PrecheckOutcome::Warning(_) => None,
        PrecheckOutcome::Failed(found) => Some(format!(" {:?}: {};", result.item, found.causes())),
        PrecheckOutcome::Shielded(it) => Some(format!(" {:?} (shielded): {};", result.item, it.found.causes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{Story, done, master};

    fn story() -> Story {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        story.push(What::Placed { instance: "rm-1".into(), machine: "machine-2".into() });
        story.statement("rm-1", "delete from orders", done());
        story.push(What::fault("hold", "messages service <-> worker-10 are held", Some("service")));
        story.push(What::fault("crash", "worker-2 crashes", Some("worker-2")));
        story
    }

    fn all(story: &Story) -> Vec<String> {
        lines(&story.history, 0..story.history.events.len(), usize::MAX)
    }

    #[test]
    fn every_host_has_a_column_and_statements_stand_in_that_of_their_machine() {
        let lines = all(&story());
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["time", "service", "worker-2", "worker-10", "machine-2"]
        );
        let column = |line: &str, host: &str| {
            let at = lines[0].find(host).unwrap_or_else(|| panic!("{host} has a column"));
            line[at..].split_whitespace().next().unwrap_or_default().to_owned()
        };
        let statement = lines.iter().find(|line| line.contains("delete from")).unwrap_or_else(|| panic!("{lines:?}"));
        assert_eq!((column(statement, "machine-2"), column(statement, "service")), ("o".into(), ".".into()));
        let held = lines.iter().find(|line| line.contains("held")).unwrap_or_else(|| panic!("{lines:?}"));
        let marks = ["service", "worker-2", "worker-10", "machine-2"].map(|host| column(held, host));
        assert_eq!(marks, ["***", ".", "***", "."]);
    }

    #[test]
    fn nine_hosts_stand_within_120_characters() {
        let mut story = Story::new();
        for host in [
            "operator",
            "application",
            "service",
            "worker-1",
            "worker-2",
            "machine-1",
            "machine-2",
            "machine-3",
            "machine-4",
        ] {
            story.push(What::fault("pause", format!("{host} stands still"), Some(host)));
        }
        let lines = all(&story);
        assert_eq!(lines[0].split_whitespace().count(), 10);
        assert!(lines[0].len() <= 120, "{} characters", lines[0].len());
    }

    #[test]
    fn the_last_lines_have_the_columns_they_need() {
        let story = story();
        let lines = lines(&story.history, 0..story.history.events.len(), 1);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["time", "worker-2"]);
    }
}
