//! What can be wrong about an invariant.

use crate::checks::temporary::Difference;
use recovery::model::{InstanceId, TaskId};
use serde::{Deserialize, Serialize};

/// What can be wrong about an invariant. The tags differ from those of other subjects, so that a saved violation reads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum InvariantViolation {
    /// Rows that were there are gone, and nobody took them away.
    CommittedRowsLost { instance: InstanceId, table: String, lost: u64 },
    /// A row that was acknowledged to the application is not there.
    AcknowledgedRowLost { instance: InstanceId, table: String, id: i64 },
    /// Rows that a statement was told to have written are not there.
    AcknowledgedInsertLost { instance: InstanceId, table: String, want: u64, got: u64 },
    /// Something that was only to be read has changed.
    SourceTouched { instance: InstanceId, by: String, difference: Difference },
    /// Something changed that nothing under way had to change.
    OutsideTouched { instance: InstanceId, difference: Difference },
    /// A chosen table of a target has rows that neither it nor its source ever had.
    RowsFromNowhere { task: TaskId, table: String, rows: u64 },
    /// A chosen table of a target has other rows in the places of its own, though those were to stay.
    RowsReplaced { task: TaskId, table: String, rows: u64 },
    /// A chosen table of a target that was there before is another one, or gone.
    TargetTableAltered { task: TaskId, table: String },
    /// A task says that it wrote rows that are not there.
    ReportedRowsMissing { task: TaskId, table: String, reported: u64, there: u64 },
    /// A task says that it made or moved something that is not there.
    ReportedObjectMissing { task: TaskId, object: String },
    /// A charge is not what the life of its subject costs.
    ChargeDiffers { subject: String, want: String, got: String },
    /// Something lives that has to be paid for and is not charged.
    Uncharged { subject: String },
    /// An id stands for two things.
    IdUsedTwice { id: String, first: String, again: String },
    /// A refused request changed something.
    RefusalChanged { request: String, code: String, what: String },
    /// Something is there that nobody was answered, and only a refused request asked for.
    RefusalMade { request: String, code: String, made: String },
    /// What was answered before a crash is not so after it.
    LostInACrash { what: String, answered: String, found: String },
    /// An answer shows a password.
    PasswordShown { request: String, place: String },
}

impl InvariantViolation {
    /// What must be so.
    #[must_use]
    pub fn want(&self) -> String {
        self.words().0
    }

    /// What was found.
    #[must_use]
    pub fn got(&self) -> String {
        self.words().1
    }

    fn words(&self) -> (String, String) {
        match self {
            Self::CommittedRowsLost { instance, table, lost } => {
                (format!("all committed rows of {table} on {instance}"), format!("{lost} lost"))
            }
            Self::AcknowledgedRowLost { instance, table, id } => {
                (format!("acknowledged row {id} of {table} on {instance}"), "it is gone".into())
            }
            Self::AcknowledgedInsertLost { instance, table, want, got } => {
                (format!("{want} rows in {table} on {instance}, as acknowledged"), got.to_string())
            }
            Self::SourceTouched { instance, by, difference } => {
                (format!("{instance} left alone by {by}"), difference.to_string())
            }
            Self::OutsideTouched { instance, difference } => {
                (format!("{instance} as it was, but for what was asked"), difference.to_string())
            }
            Self::RowsFromNowhere { task, table, rows } => {
                (format!("rows of the target or the source of task {task} in {table}"), format!("{rows} others"))
            }
            Self::RowsReplaced { task, table, rows } => {
                (format!("the target's own rows of {table} kept by task {task}"), format!("{rows} replaced"))
            }
            Self::TargetTableAltered { task, table } => {
                (format!("{table}, there before task {task}, as it was"), "altered or gone".into())
            }
            Self::ReportedRowsMissing { task, table, reported, there } => {
                (format!("{reported} rows in {table}, as task {task} says"), there.to_string())
            }
            Self::ReportedObjectMissing { task, object } => {
                (format!("{object}, which task {task} says is done"), "it is not there".into())
            }
            Self::ChargeDiffers { subject, want, got } => (format!("{want} for {subject}"), got.clone()),
            Self::Uncharged { subject } => (format!("a charge for {subject}"), "none".into()),
            Self::IdUsedTwice { id, first, again } => (format!("{id} as {first} alone"), again.clone()),
            Self::RefusalChanged { request, code, what } => {
                (format!("nothing changed by {request}, refused with {code}"), format!("{what} changed"))
            }
            Self::RefusalMade { request, code, made } => {
                (format!("nothing made by {request}, refused with {code}"), format!("{made} is there"))
            }
            Self::PasswordShown { request, place } => {
                (format!("no password in the answer to {request}"), format!("one in its {place}"))
            }
            Self::LostInACrash { what, answered, found } => {
                (format!("{what} {answered} after a crash too"), found.clone())
            }
        }
    }
}
