//! What can be wrong about what a migration moves, and about how it goes on and ends.

use crate::checks::temporary::Difference;
use jiff::Timestamp;
use recovery::model::task::{MigrationType, TaskStatus};
use recovery::model::{InstanceId, TaskId};
use serde::{Deserialize, Serialize};

/// What can be wrong about what a migration moves, and about how it goes on and ends. The tags differ from those of other
/// subjects, so that a saved violation reads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum MigrationViolation {
    /// The source is not as it was.
    SourceChanged { task: TaskId, source: InstanceId, difference: Difference },
    /// A definition changed meanwhile, and the target has neither the old nor the new content.
    DdlPassedSilently { task: TaskId, statement: String, difference: Difference },
    /// The target does not hold what was chosen.
    MigratedContentWrong { task: TaskId, difference: Difference },
    /// The target lost or changed what was not chosen.
    UnchosenChanged { task: TaskId, difference: Difference },
    /// The source was quiet, and the two sides differ.
    SidesDiffer { task: TaskId, difference: Difference },
    /// A phase ran that was not ticked.
    UntickedPhaseRan { task: TaskId, phase: MigrationType },
    /// A ticked phase did not run.
    TickedPhaseLeftOut { task: TaskId, phase: MigrationType },
    /// A phase began before an earlier one was over.
    PhaseTooEarly { task: TaskId, phase: MigrationType, before: MigrationType },
    /// Something that acts on rows was made before they were there.
    MadeBeforeRows { task: TaskId, kind: String, name: String },
    /// Something that belongs to the structure was made after the rows.
    MadeAfterRows { task: TaskId, kind: String, name: String },
    /// Something of a kind that was not chosen arrived.
    UnchosenKindMoved { task: TaskId, kind: String, name: String },
    /// Something of a chosen database did not arrive.
    ChosenKindMissing { task: TaskId, kind: String, name: String },
    /// A column that was not chosen arrived.
    UnchosenColumnMoved { task: TaskId, table: String, column: String },
    /// An incremental task ended though nobody stopped it.
    IncrementalEndedByItself { task: TaskId },
    /// A task without the incremental type did not end by itself.
    TaskNeverEnded { task: TaskId, status: TaskStatus },
    /// A task is paid for in another way than afterwards.
    TaskPayType { task: TaskId, pay_type: String },
    /// Structure or full data were charged.
    LoadCharged { task: TaskId, what: String, from: Timestamp },
    /// Incremental data were not charged.
    IncrementalNotCharged { task: TaskId },
    /// A failed task was retried, or is to be, more than seven days after it failed.
    RetriedTooLate { task: TaskId, failed_at: Timestamp, retried_at: Timestamp },
    /// A failed task that might go on is not retried.
    NotRetried { task: TaskId, failed_at: Timestamp, seen_at: Timestamp },
    /// A task was retried though its failure does not pass.
    RetriedInVain { task: TaskId, failure: String },
    /// A pause was accepted while nothing was migrating.
    PausedOutOfTurn { task: TaskId, status: TaskStatus },
    /// A pause was refused while the task was migrating.
    PauseRefused { task: TaskId },
    /// A task went on after too long a pause in the incremental phase.
    ResumedTooLate { task: TaskId, paused_at: Timestamp, resumed_at: Timestamp },
    /// A task could not go on after a pause that was not too long.
    ResumeRefused { task: TaskId, paused_at: Timestamp, asked_at: Timestamp },
    /// A paused task went on though nobody asked for it.
    PauseEndedByItself { task: TaskId, status: TaskStatus },
    /// A stopped task is not finished.
    StoppedTaskMoved { task: TaskId, status: TaskStatus },
    /// A stopped or deleted task took a request.
    EndedTaskTookRequest { task: TaskId, request: String },
    /// A deleted task was seen again.
    DeletedTaskSeen { task: TaskId },
    /// Something was written to the target after the task was stopped.
    WrittenAfterStop { task: TaskId, difference: Difference },
    /// An account came along.
    AccountMigrated { task: TaskId, account: String },
    /// A view or routine of MySQL runs with its definer's rights.
    RunsAsDefiner { task: TaskId, kind: String, name: String },
    /// An object needs a name the target does not have.
    Dangling { task: TaskId, object: String, needs: String },
    /// Rows of the source are missing in the target.
    MovedRowsLost { task: TaskId, table: String, lost: u64 },
    /// Rows of a table with a key are in the target twice.
    MovedRowsDoubled { task: TaskId, table: String, doubled: u64 },
    /// The target holds rows that are neither the source's nor its own.
    MovedRowsForeign { task: TaskId, table: String, foreign: u64 },
    /// The task says it wrote more rows than there are.
    MovedRowsClaimed { task: TaskId, table: String, claimed: u64, there: u64 },
    /// A row of the application that the target acknowledged is gone.
    LedgerRowLost { task: TaskId, table: String, id: i64 },
}

impl MigrationViolation {
    /// What the rule wants.
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
        self.content_words().unwrap_or_else(|| self.life_words())
    }

    fn content_words(&self) -> Option<(String, String)> {
        Some(match self {
            Self::SourceChanged { task, source, difference } => {
                (format!("{source} as before task {task}"), difference.to_string())
            }
            Self::DdlPassedSilently { task, statement, difference } => {
                (format!("task {task} failed, or the content before or after `{statement}`"), difference.to_string())
            }
            Self::MigratedContentWrong { task, difference } => {
                (format!("the target of task {task} with what was chosen"), difference.to_string())
            }
            Self::UnchosenChanged { task, difference } => {
                (format!("task {task} leaving what was not chosen alone"), difference.to_string())
            }
            Self::SidesDiffer { task, difference } => {
                (format!("both sides of task {task} equal"), difference.to_string())
            }
            Self::MadeBeforeRows { task, kind, name } => {
                (format!("{kind} {name} made by task {task} after the rows"), "made before them".into())
            }
            Self::MadeAfterRows { task, kind, name } => {
                (format!("{kind} {name} made by task {task} with the structure"), "rows without it".into())
            }
            Self::UnchosenKindMoved { task, kind, name } => {
                (format!("task {task} moving what was chosen alone"), format!("{kind} {name} moved"))
            }
            Self::ChosenKindMissing { task, kind, name } => {
                (format!("task {task} moving {kind} {name}"), "it is missing".into())
            }
            Self::UnchosenColumnMoved { task, table, column } => {
                (format!("task {task} moving the chosen columns of {table}"), format!("column {column} too"))
            }
            Self::AccountMigrated { task, account } => {
                (format!("no account moved by task {task}"), format!("account {account} in the target"))
            }
            Self::RunsAsDefiner { task, kind, name } => {
                (format!("{kind} {name} of task {task} running with its caller's rights"), "with its definer's".into())
            }
            Self::Dangling { task, object, needs } => {
                (format!("{needs} in the target of task {task}, as {object} needs it"), "it is not there".into())
            }
            Self::MovedRowsLost { task, table, lost } => {
                (format!("all rows of {table} moved by task {task}"), format!("{lost} lost"))
            }
            Self::MovedRowsDoubled { task, table, doubled } => {
                (format!("each row of {table} moved once by task {task}"), format!("{doubled} keys twice"))
            }
            Self::MovedRowsForeign { task, table, foreign } => {
                (format!("rows of the source alone in {table} from task {task}"), format!("{foreign} others"))
            }
            Self::MovedRowsClaimed { task, table, claimed, there } => {
                (format!("{claimed} rows in {table}, as task {task} says"), there.to_string())
            }
            Self::LedgerRowLost { task, table, id } => {
                (format!("acknowledged row {id} of {table} kept by task {task}"), "it is gone".into())
            }
            _ => return None,
        })
    }

    fn life_words(&self) -> (String, String) {
        match self {
            Self::UntickedPhaseRan { task, phase } => {
                (format!("task {task} running what was ticked"), format!("{phase:?} too"))
            }
            Self::TickedPhaseLeftOut { task, phase } => {
                (format!("{phase:?} in task {task}, as ticked"), "it did not run".into())
            }
            Self::PhaseTooEarly { task, phase, before } => {
                (format!("{before:?} of task {task} over before {phase:?}"), format!("{phase:?} begun"))
            }
            Self::IncrementalEndedByItself { task } => {
                (format!("incremental task {task} going on until it is stopped"), "ended by itself".into())
            }
            Self::TaskNeverEnded { task, status } => (format!("task {task} ending by itself"), format!("{status:?}")),
            Self::TaskPayType { task, pay_type } => (format!("task {task} PostPaid"), pay_type.clone()),
            Self::LoadCharged { task, what, from } => {
                (format!("structure and full data of task {task} free"), format!("{what} charged from {from}"))
            }
            Self::IncrementalNotCharged { task } => {
                (format!("incremental data of task {task} charged"), "no charge".into())
            }
            Self::RetriedTooLate { task, failed_at, retried_at } => {
                (format!("task {task}, failed at {failed_at}, retried for 7 days"), format!("retried at {retried_at}"))
            }
            Self::NotRetried { task, failed_at, seen_at } => {
                (format!("task {task}, failed at {failed_at}, retried by itself"), format!("still failed at {seen_at}"))
            }
            Self::RetriedInVain { task, failure } => {
                (format!("task {task} not retried after {failure}"), "retried".into())
            }
            Self::PausedOutOfTurn { task, status } => {
                (format!("a pause of task {task} refused while {status:?}"), "accepted".into())
            }
            Self::PauseRefused { task } => (format!("a pause of migrating task {task} accepted"), "refused".into()),
            Self::ResumedTooLate { task, paused_at, resumed_at } => (
                format!("task {task}, paused at {paused_at}, not going on after 6 hours"),
                format!("went on at {resumed_at}"),
            ),
            Self::ResumeRefused { task, paused_at, asked_at } => {
                (format!("task {task}, paused at {paused_at}, going on at {asked_at}"), "refused".into())
            }
            Self::PauseEndedByItself { task, status } => {
                (format!("task {task} paused until it is resumed"), format!("{status:?}"))
            }
            Self::StoppedTaskMoved { task, status } => (format!("stopped task {task} Finished"), format!("{status:?}")),
            Self::EndedTaskTookRequest { task, request } => {
                (format!("{request} of ended task {task} refused"), "accepted".into())
            }
            Self::DeletedTaskSeen { task } => (format!("deleted task {task} gone"), "seen again".into()),
            Self::WrittenAfterStop { task, difference } => {
                (format!("nothing written after task {task} was stopped"), difference.to_string())
            }
            _ => ("a migration as documented".into(), format!("{self:?}")),
        }
    }
}
