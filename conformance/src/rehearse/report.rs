//! What a rehearsal found, for people and for programs, and the folder it is kept in.

use super::compare::Change;
use super::measure::Measure;
use super::put_back::Way;
use super::script::Notes;
use super::{Trouble, played};
use crate::reports::precheck::{self, Checked};
use engines::images::Choice;
use jiff::{SignedDuration, Timestamp};
use recovery::model::precheck::PrecheckRun;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// Width of tables in files.
const WIDTH: usize = 120;
/// Differences that are shown one by one.
const SHOWN: usize = 20;

/// A phase that ended.
#[derive(Debug, Clone)]
pub struct Phase {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub took: SignedDuration,
    /// What came of it.
    pub detail: String,
}

/// A precheck of a migration back.
#[derive(Debug, Clone)]
pub struct Prechecked {
    /// Name of the task.
    pub task: String,
    /// The run.
    pub run: PrecheckRun,
}

/// How much time a recovery loses.
#[derive(Debug, Clone, Copy)]
pub struct Lost {
    /// From the last heartbeat in the recovered copy, as its application had it acknowledged, to the mistake.
    pub time: SignedDuration,
    /// Heartbeats acknowledged before the mistake.
    pub acknowledged: usize,
    /// Those of them that the recovered copy has.
    pub recovered: usize,
}

/// What a rehearsal found.
#[derive(Debug, Clone)]
pub struct Report {
    choice: Choice,
    /// What was changed in the scripts or let pass, by script.
    pub notes: BTreeMap<String, Notes>,
    /// Phases, in order.
    pub phases: Vec<Phase>,
    /// The mistake, as it may be shown; the database it was made in; whether it was chosen here.
    pub mistake: Option<(String, String, bool)>,
    /// What the mistake changed.
    pub damage: Vec<Change>,
    /// The time that was recovered to.
    pub recovered_to: Option<Timestamp>,
    /// What differed in the recovered copy.
    pub copy: Option<Vec<Change>>,
    /// How each database was put back.
    pub ways: BTreeMap<String, Way>,
    /// Prechecks, in order.
    pub prechecks: Vec<Prechecked>,
    /// From the mistake to the last row put back.
    pub recovery_time: Option<SignedDuration>,
    /// How much time is lost.
    pub lost: Option<Lost>,
    /// What differs at the end.
    pub left: Option<Vec<Change>>,
    /// What a migration of everything is measured by, where that was asked for.
    pub measure: Option<Measure>,
    /// Bytes of the data backup and of the log after it.
    pub backup_bytes: (u64, u64),
}

impl Report {
    /// A report with nothing in it yet.
    #[must_use]
    pub fn new(choice: &Choice) -> Self {
        Self {
            choice: choice.clone(),
            notes: BTreeMap::new(),
            phases: vec![],
            mistake: None,
            damage: vec![],
            recovered_to: None,
            copy: None,
            ways: BTreeMap::new(),
            prechecks: vec![],
            recovery_time: None,
            lost: None,
            left: None,
            measure: None,
            backup_bytes: (0, 0),
        }
    }

    /// Whether everything is again as it was.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let none = |changes: &Option<Vec<Change>>| changes.as_ref().is_some_and(Vec::is_empty);
        none(&self.copy) && none(&self.left)
    }

    /// What follows the phases, for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = String::new();
        if let Some((sql, database, chosen)) = &self.mistake {
            let whose = if *chosen { ", the largest table dropped, as none was given" } else { "" };
            let _ = writeln!(text, "mistake        {sql}  (in {database}{whose})");
        }
        text.push_str(&list("damage", &self.damage));
        for (place, Prechecked { run, .. }) in self.prechecks.iter().enumerate() {
            let verdict = if run.passed() { "passed" } else { "failed" };
            let _ = writeln!(text, "precheck {:<5} {verdict}, {} items", place + 1, run.items.len());
            let found = run.items.iter().filter_map(|result| Some((result.item, result.outcome.found()?)));
            for (item, found) in found {
                let _ = writeln!(text, "{:<14} {item}: {}", "", found.causes());
            }
        }
        if let Some(time) = self.recovery_time {
            let _ = writeln!(text, "recovery time  {}  from the mistake to the data being back (RTO)", seconds(time));
        }
        if let Some(Lost { time, acknowledged, recovered }) = &self.lost {
            let _ = writeln!(
                text,
                "lost time      {}  before the mistake (RPO): {recovered} of {acknowledged} heartbeats are in the recovered copy",
                seconds(*time)
            );
        }
        if let Some(measure) = &self.measure {
            let _ = writeln!(text, "measured       {measure}");
        }
        if let Some(copy) = self.copy.as_ref().filter(|copy| !copy.is_empty()) {
            text.push_str(&list("the recovered copy differs", copy));
        }
        match &self.left {
            Some(left) if left.is_empty() => {
                text.push_str("compared       everything is as it was before the mistake\n")
            }
            Some(left) => text.push_str(&list("not as before", left)),
            None => {}
        }
        text
    }

    /// All of it, for people.
    #[must_use]
    pub fn text(&self, ended: &Result<(), Trouble>) -> String {
        let mut text = format!("rehearsal on {}\n{}\n\n", self.choice.image, played::widened(&self.choice));
        for phase in &self.phases {
            let _ = writeln!(text, "{}", line(phase));
        }
        for (script, notes) in &self.notes {
            for (note, count) in notes {
                let _ = writeln!(text, "note           {script}: {note} ({count} times)");
            }
        }
        let _ = write!(text, "\n{}", self.summary());
        for checked in &self.prechecks {
            let _ = write!(text, "\n{}", self.table(checked));
        }
        if let Err(trouble) = ended {
            let _ = writeln!(text, "{trouble}");
        }
        text
    }

    fn table(&self, checked: &Prechecked) -> String {
        precheck::table(&Checked { task: &checked.task, sides: SIDES, run: &checked.run, stale: &[] }, WIDTH)
    }

    /// All of it, for programs.
    #[must_use]
    pub fn json(&self, ended: &Result<(), Trouble>) -> Value {
        let seconds = |span: SignedDuration| span.as_secs_f64();
        let phases: Vec<Value> = self
            .phases
            .iter()
            .map(|phase| json!({"phase": phase.name, "seconds": seconds(phase.took), "detail": phase.detail}))
            .collect();
        let prechecks: Vec<Value> = self.prechecks.iter().map(checked_json).collect();
        let mistake = self
            .mistake
            .as_ref()
            .map(|(sql, database, chosen)| json!({"sql": sql, "database": database, "chosen_here": chosen}));
        let lost = self.lost.map(
            |lost| json!({"seconds": seconds(lost.time), "heartbeats": lost.acknowledged, "recovered": lost.recovered}),
        );
        json!({
            "event": "rehearsal", "engine": self.choice.family.word(), "image": self.choice.image.to_string(),
            "played": played::widened(&self.choice), "notes": self.notes, "phases": phases, "mistake": mistake,
            "damage": self.damage, "recovered_to": self.recovered_to, "recovered_copy_differs": self.copy,
            "put_back": self.ways, "prechecks": prechecks, "recovery_seconds": self.recovery_time.map(seconds),
            "lost": lost, "left": self.left, "whole": self.is_whole(),
            "measure": self.measure.as_ref().map(Measure::json),
            "backup_bytes": {"data": self.backup_bytes.0, "log": self.backup_bytes.1},
            "trouble": ended.as_ref().err().map(ToString::to_string),
        })
    }

    /// Keeps the report in a folder: as text, as JSON, and each precheck by itself.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, folder: &Path, ended: &Result<(), Trouble>) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.txt"), self.text(ended))?;
        let pretty = |value: &Value| serde_json::to_string_pretty(value).map_err(io::Error::other);
        fs::write(folder.join("report.json"), pretty(&self.json(ended))? + "\n")?;
        for (place, checked) in self.prechecks.iter().enumerate() {
            let name = format!("precheck-{}", place + 1);
            fs::write(folder.join(format!("{name}.txt")), self.table(checked))?;
            fs::write(folder.join(format!("{name}.json")), pretty(&checked_json(checked))? + "\n")?;
        }
        Ok(())
    }
}

/// Source and target of every migration back.
const SIDES: (&str, &str) = ("the recovered copy", "the instance");

fn checked_json(checked: &Prechecked) -> Value {
    precheck::json(&Checked { task: &checked.task, sides: SIDES, run: &checked.run, stale: &[] })
}

/// A phase in one line.
#[must_use]
pub fn line(phase: &Phase) -> String {
    format!("{:>9}  {:<25} {}", seconds(phase.took), phase.name, phase.detail).trim_end().to_owned()
}

fn seconds(span: SignedDuration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

fn list(head: &str, changes: &[Change]) -> String {
    let mut text = String::new();
    for (place, change) in changes.iter().take(SHOWN).enumerate() {
        let _ = writeln!(text, "{:<14} {change}", if place == 0 { head } else { "" });
    }
    if changes.len() > SHOWN {
        let _ = writeln!(text, "{:<14} and {} more", "", changes.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::How;

    #[test]
    fn a_report_is_kept_with_all_it_says_and_is_whole_only_when_nothing_differs() {
        let mut report = Report::new(&"postgres=postgres:17".parse().expect("a choice"));
        assert!(!report.is_whole());
        (report.copy, report.left) = (Some(vec![]), Some(vec![]));
        assert!(report.is_whole());
        let gone = Change { database: "app".into(), kind: None, object: "view v".into(), how: How::Missing };
        report.left = Some(vec![gone; SHOWN + 2]);
        report.phases.push(Phase { name: "load".into(), took: SignedDuration::from_millis(1250), detail: "".into() });
        assert!(!report.is_whole());
        let folder = tempfile::tempdir().expect("a folder");
        report.keep(&folder.path().join("kept"), &Err(Trouble::Stopped)).expect("kept");
        let text = fs::read_to_string(folder.path().join("kept/report.txt")).expect("text");
        for said in ["1.2 s  load", "app: view v is gone", "and 2 more", "stopped"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let json: Value =
            serde_json::from_slice(&fs::read(folder.path().join("kept/report.json")).expect("json")).expect("JSON");
        assert_eq!((&json["whole"], &json["phases"][0]["seconds"]), (&json!(false), &json!(1.25)));
    }
}
