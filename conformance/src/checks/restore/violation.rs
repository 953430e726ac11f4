//! What can be wrong about logical backups and restores.

use crate::checks::temporary::Difference;
use jiff::Timestamp;
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::restore::{DataConflict, RestoreStatus};
use recovery::model::precheck::PrecheckItem;
use recovery::model::{DataSourceId, InstanceId, Product, SetId, TaskId};
use serde::{Deserialize, Serialize};

/// What can be wrong about logical backups and restores. The tags differ from those of other subjects, so that a saved
/// violation reads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum RestoreViolation {
    /// A restore was accepted from a set that is not a complete full one.
    SetTaken { set: SetId, kind: SetKind, status: SetStatus },
    /// A set that is not a complete full one is offered for restores.
    SetOffered { set: SetId, kind: SetKind, status: SetStatus },
    /// A side that is no data source was accepted.
    SourceNotRegistered { source: DataSourceId },
    /// A restore into another engine was let through.
    EnginesMixed { task: TaskId, source: Product, target: Product },
    /// A restore into the same engine was refused for its engine.
    EngineRefused { source: Product, target: Product, by: String },
    /// A restore into an earlier version was let through.
    VersionLower { task: TaskId, source: Product, target: Product },
    /// A restore into the same or a later version was refused for its version.
    VersionRefused { source: Product, target: Product, by: String },
    /// A log where the engine has none.
    LogWithoutLog { what: String, product: Product },
    /// A point in time was accepted where the engine has no log.
    TimeWithoutLog { product: Product },
    /// A point in time was accepted beside a backup set.
    TimeWithSet { method: String },
    /// A mapping with programmable objects ended well.
    MappedWithProgrammable { task: TaskId, object: String },
    /// A failure for a mapping came after something was written.
    FailedAfterWriting { task: TaskId, difference: Difference },
    /// A restore that keeps every name failed for its mapping.
    MappingRefused { task: TaskId },
    /// A trigger or event of the log came along.
    LogObjectCame { task: TaskId, object: String },
    /// The content is not what the source held at that moment.
    RestoredContentDiffers { task: TaskId, difference: Difference },
    /// Another definer than the restoring account.
    DefinerKept { task: TaskId, object: String, definer: String, account: String },
    /// A foreign key is enforced after a restore.
    ForeignKeyEnforced { task: TaskId, key: String },
    /// A restore failed over a foreign key.
    FailedOverForeignKey { task: TaskId, detail: String },
    /// A request with an empty field was accepted.
    FieldMissing { field: String },
    /// An undocumented value was accepted.
    ValueAccepted { field: String, value: String },
    /// A documented value is not understood.
    ValueRefused { field: String, value: String, detail: String },
    /// A name of a wrong length was accepted.
    RestoreNameAccepted { characters: usize },
    /// A name of a right length was refused.
    RestoreNameRefused { characters: usize },
    /// A name was changed.
    RestoreNameChanged { want: String, got: String },
    /// A backup task of another source was listed or accepted.
    TaskOfAnotherSource { task: TaskId, of: DataSourceId, asked: DataSourceId },
    /// The list of a source lacks one of its backup tasks.
    TaskNotListed { task: TaskId, source: DataSourceId },
    /// A restore changed the living source.
    LiveSourceChanged { task: TaskId, source: InstanceId, difference: Difference },
    /// A restore failed for want of the living source.
    LiveSourceNeeded { task: TaskId, source: InstanceId },
    /// A restore brought what the living source held when it ran.
    LiveSourceRead { task: TaskId, source: InstanceId, table: String },
    /// A server that a restore has nothing to do with changed.
    WrittenElsewhere { task: TaskId, instance: InstanceId, difference: Difference },
    /// The service cannot read what it stored itself.
    OwnBackupUnreadable { task: TaskId, set: String, detail: String },
    /// A set ends at a place of the log that the source had passed when the set was complete.
    SetOlderThanItsCompletion { set: SetId, place: u64, passed: u64 },
    /// A row of the application is there though it was written after the set was complete, or is not though it was before.
    RowOfAnotherMoment { task: TaskId, table: String, id: i64, there: bool },
    /// A task was told another time than was asked for.
    TimeMoved { task: TaskId, asked: Timestamp, told: Timestamp },
    /// The stated range is not the one there must be.
    RangeStatedWrong { task: TaskId, earliest: Option<Timestamp>, latest: Option<Timestamp>, now: Timestamp },
    /// A time outside the range was accepted.
    TimeOutsideAccepted { task: TaskId, time: Timestamp },
    /// A time inside the range was refused.
    TimeInsideRefused { task: TaskId, time: Timestamp, detail: String },
    /// Rows came with structure alone, or objects with rows alone.
    OtherTypeCame { task: TaskId, difference: Difference },
    /// A task stopped at what is there although it was to go on.
    StoppedByExisting { task: TaskId, object: String },
    /// What was in the target before was changed.
    ExistingChanged { task: TaskId, difference: Difference },
    /// A task went on although it was to stop.
    WentOnDespite { task: TaskId, what: String },
    /// A task ended early and does not say why.
    StoppedWithoutCause { task: TaskId },
    /// Rows of the same keys were settled otherwise than the policy says.
    RowsSettledWrong { task: TaskId, policy: DataConflict, difference: Difference },
    /// Something else than the chosen objects came, or less.
    NotAsChosen { task: TaskId, difference: Difference },
    /// A mapping was ignored.
    MappingIgnored { task: TaskId, difference: Difference },
    /// A saved task is not known any more.
    TaskNotKept { task: TaskId },
    /// A saved task was not checked.
    NotChecked { task: TaskId },
    /// A task was started without a passed precheck.
    StartedUnchecked { task: TaskId },
    /// A failed item says nothing of its cause or remedy.
    FailedWithoutCause { task: TaskId, item: PrecheckItem },
    /// An old result of the precheck was used again.
    OldResultUsed { task: TaskId, number: u32 },
    /// A warning stands in the way.
    WarningBlocks { task: TaskId },
    /// A start that was told did not happen.
    NotStarted { task: TaskId, status: RestoreStatus },
    /// The details are missing, wrong or out of date.
    DetailsWrong { task: TaskId, what: String },
    /// A restore task is missing from the list.
    RestoreNotListed { task: TaskId },
}

impl RestoreViolation {
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
        self.request().or_else(|| self.content()).or_else(|| self.life()).unwrap_or_default()
    }

    /// About what was asked for and accepted or refused.
    fn request(&self) -> Option<(String, String)> {
        Some(match self {
            Self::SetTaken { set, kind, status } => {
                ("a restore from a complete full set".into(), format!("accepted from {set}, {kind:?} and {status:?}"))
            }
            Self::SetOffered { set, kind, status } => {
                ("complete full sets offered alone".into(), format!("{set} offered, {kind:?} and {status:?}"))
            }
            Self::SourceNotRegistered { source } => ("both sides data sources".into(), format!("{source} accepted")),
            Self::EnginesMixed { task, source, target } => {
                (format!("{task} into {}", source.engine), format!("{source} to {target} let through"))
            }
            Self::EngineRefused { source, target, by } => {
                (format!("{source} into {target}"), format!("refused by {by}"))
            }
            Self::VersionLower { task, source, target } => {
                (format!("{task} into {source} or later"), format!("{target} let through"))
            }
            Self::VersionRefused { source, target, by } => {
                (format!("{source} into {target}"), format!("refused by {by}"))
            }
            Self::LogWithoutLog { what, product } => (format!("no log for {product}"), what.clone()),
            Self::TimeWithoutLog { product } => (format!("no point in time for {product}"), "accepted".into()),
            Self::TimeWithSet { method } => {
                ("a point in time or a backup set".into(), format!("both, or the other's, accepted by {method}"))
            }
            Self::FieldMissing { field } => (format!("{field} filled in"), "accepted without".into()),
            Self::ValueAccepted { field, value } => (format!("a documented {field}"), format!("{value} accepted")),
            Self::ValueRefused { field, value, detail } => (format!("{value} as {field}"), detail.clone()),
            Self::RestoreNameAccepted { characters } => {
                ("a name of 1 to 64 characters".into(), format!("{characters} accepted"))
            }
            Self::RestoreNameRefused { characters } => {
                (format!("a name of {characters} characters accepted"), "refused".into())
            }
            Self::RestoreNameChanged { want, got } => (format!("the name '{want}'"), format!("'{got}'")),
            Self::TaskOfAnotherSource { task, of, asked } => {
                (format!("backup tasks of {asked}"), format!("{task}, which is of {of}"))
            }
            Self::TaskNotListed { task, source } => (format!("{task} among the tasks of {source}"), "missing".into()),
            Self::TimeMoved { task, asked, told } => (format!("{task} to {asked}"), told.to_string()),
            Self::RangeStatedWrong { task, earliest, latest, now } => {
                let text = |time: &Option<Timestamp>| time.map_or_else(|| "nothing".into(), |time| time.to_string());
                let got = format!("{} to {}", text(earliest), text(latest));
                (format!("{task} restorable from its first full set to shortly before {now}"), got)
            }
            Self::TimeOutsideAccepted { task, time } => {
                (format!("{task} to a time in its range"), format!("{time} accepted"))
            }
            Self::TimeInsideRefused { task, time, detail } => (format!("{task} to {time}"), detail.clone()),
            _ => return None,
        })
    }

    /// About what a restore brought.
    fn content(&self) -> Option<(String, String)> {
        Some(match self {
            Self::MappedWithProgrammable { task, object } => {
                (format!("{task} failed: names changed beside {object}"), "completed".into())
            }
            Self::FailedAfterWriting { task, difference } => {
                (format!("{task} failed before it wrote anything"), difference.to_string())
            }
            Self::MappingRefused { task } => (format!("{task} with its names kept"), "failed for its mapping".into()),
            Self::LogObjectCame { task, object } => (format!("{object} left behind by {task}"), "restored".into()),
            Self::RestoredContentDiffers { task, difference } => {
                (format!("what the source held then, after {task}"), difference.to_string())
            }
            Self::DefinerKept { task, object, definer, account } => {
                (format!("{object} defined by {account} after {task}"), format!("by '{definer}'"))
            }
            Self::ForeignKeyEnforced { task, key } => (format!("{key} of no effect after {task}"), "enforced".into()),
            Self::FailedOverForeignKey { task, detail } => (format!("{task} not hindered"), detail.clone()),
            Self::LiveSourceChanged { task, source, difference } => {
                (format!("{source} as before {task}"), difference.to_string())
            }
            Self::LiveSourceNeeded { task, source } => (format!("{task} without {source}"), "failed".into()),
            Self::LiveSourceRead { task, source, table } => {
                (format!("{table} of the backup after {task}"), format!("that of {source} now"))
            }
            Self::WrittenElsewhere { task, instance, difference } => {
                (format!("{instance} as before {task}"), difference.to_string())
            }
            Self::OwnBackupUnreadable { task, set, detail } => (format!("{set} readable for {task}"), detail.clone()),
            Self::SetOlderThanItsCompletion { set, place, passed } => {
                (format!("{set} up to {passed} or later in the log"), place.to_string())
            }
            Self::RowOfAnotherMoment { task, table, id, there } => {
                let (want, got) = if *there { ("no", "there") } else { ("the", "missing") };
                (format!("{want} row {id} of {table} after {task}"), got.into())
            }
            Self::OtherTypeCame { task, difference } => (format!("the type of {task} alone"), difference.to_string()),
            Self::ExistingChanged { task, difference } => {
                (format!("what was there before {task}"), difference.to_string())
            }
            Self::RowsSettledWrong { task, policy, difference } => {
                (format!("rows of the same keys by {policy:?} in {task}"), difference.to_string())
            }
            Self::NotAsChosen { task, difference } => {
                (format!("what was chosen for {task} and nothing else"), difference.to_string())
            }
            Self::MappingIgnored { task, difference } => (format!("the names of {task}"), difference.to_string()),
            _ => return None,
        })
    }

    /// About the life of a restore task.
    fn life(&self) -> Option<(String, String)> {
        Some(match self {
            Self::StoppedByExisting { task, object } => (format!("{task} goes on"), format!("stopped at {object}")),
            Self::WentOnDespite { task, what } => (format!("{task} stopped at {what}"), "completed".into()),
            Self::StoppedWithoutCause { task } => (format!("why {task} ended"), "nothing".into()),
            Self::TaskNotKept { task } => (format!("{task} kept"), "not known".into()),
            Self::NotChecked { task } => (format!("{task} checked"), "no result".into()),
            Self::StartedUnchecked { task } => (format!("{task} with a passed precheck"), "started without".into()),
            Self::FailedWithoutCause { task, item } => {
                (format!("cause and remedy of {item:?} in {task}"), "empty".into())
            }
            Self::OldResultUsed { task, number } => {
                (format!("a run after {number} for {task}"), format!("run {number} again"))
            }
            Self::WarningBlocks { task } => (format!("{task} past its warnings"), "blocked".into()),
            Self::NotStarted { task, status } => (format!("{task} started, as was said"), format!("{status:?}")),
            Self::DetailsWrong { task, what } => (format!("true details of {task}"), what.clone()),
            Self::RestoreNotListed { task } => (format!("{task} in the list"), "missing".into()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_violation_reads_back_and_says_what_is_wrong() {
        let task = || TaskId::from("rst-1");
        let difference = || Difference::Missing { what: "table orders of app".into() };
        let cases = [
            RestoreViolation::SetTaken { set: "bkx-1".into(), kind: SetKind::Log, status: SetStatus::Completed },
            RestoreViolation::RestoredContentDiffers { task: task(), difference: difference() },
            RestoreViolation::NotStarted { task: task(), status: RestoreStatus::CheckPassed },
        ];
        for case in cases {
            let violation = crate::checks::Violation::from(case);
            let text = serde_json::to_string(&violation).unwrap_or_default();
            assert_eq!(serde_json::from_str::<crate::checks::Violation>(&text).ok().as_ref(), Some(&violation));
            assert!(!violation.want().is_empty() && !violation.got().is_empty());
        }
    }
}
