//! Waits, and the conditions of faults.

use super::Lower;
use super::book::Kind;
use super::steps::AT_MOST;
use crate::action::{WaitStep, WaitUntil};
use crate::error::quoted;
use crate::fields::Fields;
use recovery::model::backup::BackupStatus;
use recovery::model::logical::backup::SetStatus;
use recovery::model::task::PhaseStatus;

impl Lower {
    pub(super) fn wait(&mut self, fields: &Fields) -> Option<WaitStep> {
        let until = self.condition(fields, "wait")?;
        Some(WaitStep { until, at_most: fields.time("at_most").unwrap_or(AT_MOST) })
    }

    /// What has to be so; names that a later step gives are known with [`Lower::looking_ahead`].
    pub(super) fn condition(&mut self, fields: &Fields, what: &str) -> Option<WaitUntil> {
        Some(if let Some(task) = fields.word("task") {
            let task = self.find(&task, Kind::Task)?;
            self.of_task(fields, task, what)?
        } else if let Some(instance) = fields.word("instance") {
            WaitUntil::Instance { instance: self.find(&instance, Kind::Instance)?, state: fields.model("state")? }
        } else if let Some(backup) = fields.word("backup") {
            let backup = self.find(&backup, Kind::Backup)?;
            WaitUntil::Backup { backup, status: fields.model("status").unwrap_or(BackupStatus::Success) }
        } else if let Some(restore) = fields.word("restore") {
            let restore = self.find(&restore, Kind::Restore)?;
            match self.exactly_one(fields, &["status", "records"], what)? {
                "status" => WaitUntil::Restore { restore, status: fields.model("status")? },
                _ => WaitUntil::RestoreRecords { restore, records: fields.whole("records")? },
            }
        } else if let Some(set) = fields.word("logical_set") {
            let set = self.set_named(&set)?;
            WaitUntil::LogicalSet { set, status: fields.model("status").unwrap_or(SetStatus::Completed) }
        } else if let Some(task) = fields.word("logical_restorable") {
            let task = self.find(&task, Kind::LogicalTask);
            WaitUntil::LogicalRestorable { mark: self.find(&fields.word("contains")?, Kind::Mark)?, task: task? }
        } else {
            let of = self.find(&fields.word("restorable")?, Kind::Instance);
            WaitUntil::Restorable { mark: self.find(&fields.word("contains")?, Kind::Mark)?, of: of? }
        })
    }

    fn of_task(&mut self, fields: &Fields, task: String, what: &str) -> Option<WaitUntil> {
        let key = self.exactly_one(fields, &["status", "stage", "phase", "rows"], what)?;
        if key != "phase" {
            let with = quoted(key);
            self.refuse_keys(fields, &["phase_status"], &with, "it says how far a `phase` is");
        }
        Some(match key {
            "status" => WaitUntil::TaskStatus { task, status: fields.model("status")? },
            "stage" => WaitUntil::TaskStage { task, stage: fields.model("stage")? },
            "rows" => WaitUntil::TaskRows { task, rows: fields.whole("rows")? },
            _ => WaitUntil::TaskPhase {
                task,
                phase: fields.model("phase")?,
                status: fields.model("phase_status").unwrap_or(PhaseStatus::Migrating),
            },
        })
    }

    /// The condition of a fault: what it names may be made by a later step.
    pub(super) fn looking_ahead(&mut self, fields: &Fields) -> Option<WaitUntil> {
        self.book.ahead = true;
        let condition = self.condition(fields, "condition");
        self.book.ahead = false;
        condition
    }
}
