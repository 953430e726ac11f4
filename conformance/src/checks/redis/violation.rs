//! What can be wrong about Redis backups and recoveries.

use crate::checks::temporary::Difference;
use jiff::Timestamp;
use recovery::model::backup::{BackupMode, Node};
use recovery::model::instance::{Billing, InstanceState};
use recovery::model::{BackupId, InstanceId};
use serde::{Deserialize, Serialize};

/// What can be wrong about Redis backups and recoveries. The tags differ from those of other subjects, so that a saved
/// violation reads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum RedisViolation {
    /// What shows of a backup is no state its instance had while it was taken.
    SnapshotDiffers { backup: BackupId, difference: Difference },
    /// A backup mixes two instants, or holds what was written after it.
    SnapshotMixed { backup: BackupId, key: String, there: bool },
    /// A backup was not taken on the replica.
    TakenElsewhere { backup: BackupId, node: Option<Node> },
    /// An answer took longer while a backup was taken.
    Slowed { instance: InstanceId, took_ms: i64 },
    /// An instance did not answer while a backup was taken.
    Silent { instance: InstanceId },
    /// An instance did not run while a backup was taken.
    StoppedForBackup { instance: InstanceId, state: InstanceState },
    /// Right backup settings were refused.
    PolicyRefused { instance: InstanceId },
    /// Accepted backup settings have no effect.
    PolicyWithoutEffect { instance: InstanceId },
    /// Backup settings changed though nobody asked.
    PolicyChangedUnasked { instance: InstanceId },
    /// An automatic backup at another time than was set.
    OutsideWindow { instance: InstanceId, backup: BackupId, began_at: Timestamp },
    /// No automatic backup at a time that was set.
    NotBackedUp { instance: InstanceId, at: Timestamp },
    /// A backup is gone before its seven days are over.
    GoneTooEarly { backup: BackupId, at: Timestamp },
    /// A backup is there after its seven days.
    KeptTooLong { backup: BackupId, at: Timestamp },
    /// Another length of keeping is shown or was accepted.
    RetentionChanged { instance: InstanceId, days: u64 },
    /// A manual backup that does not begin at once.
    NotAtOnce { instance: InstanceId, began_at: Timestamp },
    /// A manual backup was refused without a cause.
    BackupRefused { instance: InstanceId, code: String },
    /// A listing shows a backup outside its range.
    ListedOutsideRange { backup: BackupId },
    /// A listing lacks a backup of its range.
    MissingInRange { backup: BackupId },
    /// A kept backup has no file.
    NotArchived { backup: BackupId, mode: BackupMode, status: u16 },
    /// A file is not the backup's.
    FileDiffers { backup: BackupId, size_bytes: u64 },
    /// A file was fetched, or a link given, after the seventh day.
    DownloadedTooLate { backup: BackupId },
    /// A link does not work while the backup is there.
    LinkDead { backup: BackupId, status: u16 },
    /// A charge for keeping a backup.
    KeepingCharged { subject: String, cents: u64 },
    /// A recovery was refused without a cause.
    RecoveryRefused { instance: InstanceId, backup: BackupId, code: String },
    /// A recovery failed although nothing was broken.
    RecoveryFailed { instance: InstanceId, backup: BackupId, why: String },
    /// A recovery does not end.
    RecoveryHangs { instance: InstanceId },
    /// A recovery was accepted without a backup of the instance.
    RecoveredWithoutSet { instance: InstanceId, set: Option<String> },
    /// A recovered or cloned instance holds something else than the backup.
    RecoveredOtherwise { instance: InstanceId, backup: BackupId, difference: Difference },
    /// A recovery changed another instance.
    OtherChanged { instance: InstanceId, by: InstanceId, difference: Difference },
    /// A recovery that nobody confirmed was accepted.
    UnconfirmedAccepted { instance: InstanceId },
    /// A refusal for want of confirmation that does not warn.
    NoWarning { instance: InstanceId },
    /// A clone changed its original.
    OriginalChanged { original: InstanceId, clone: InstanceId, difference: Difference },
    /// A clone that is reached where its original is.
    CloneSharesEndpoint { clone: InstanceId, original: InstanceId },
    /// A clone by way of recovery that is not paid by use.
    RecoveredOnSubscription { clone: InstanceId, billing: Billing },
    /// A documented way to pay was refused.
    BillingRefused { original: InstanceId, billing: String },
    /// A clone that is billed otherwise than ordered.
    BilledOtherwise { clone: InstanceId, asked: Billing, found: Billing },
    /// A clone was made without a backup of its original.
    ClonedWithoutSet { original: InstanceId },
}

impl RedisViolation {
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
        self.of_backups().or_else(|| self.of_recoveries()).unwrap_or_default()
    }

    fn of_backups(&self) -> Option<(String, String)> {
        Some(match self {
            Self::SnapshotDiffers { backup, difference } => {
                (format!("one instant of the instance in {backup}"), difference.to_string())
            }
            Self::SnapshotMixed { backup, key, there } => {
                let (want, got) = if *there { ("no", "there") } else { ("the", "missing") };
                (format!("{want} {key} in {backup}"), got.into())
            }
            Self::TakenElsewhere { backup, node } => (
                format!("{backup} taken on the replica"),
                node.map_or_else(|| "not said".into(), |node| format!("{node:?}")),
            ),
            Self::Slowed { instance, took_ms } => {
                (format!("{instance} as quick as ever while backed up"), format!("an answer after {took_ms} ms"))
            }
            Self::Silent { instance } => (format!("an answer of {instance} while backed up"), "none".into()),
            Self::StoppedForBackup { instance, state } => {
                (format!("{instance} running while backed up"), format!("{state:?}"))
            }
            Self::PolicyRefused { instance } => (format!("other backup settings for {instance}"), "refused".into()),
            Self::PolicyWithoutEffect { instance } => {
                (format!("the confirmed backup settings of {instance}"), "the old ones".into())
            }
            Self::PolicyChangedUnasked { instance } => {
                (format!("the backup settings of {instance} as they were"), "others, and nobody asked".into())
            }
            Self::OutsideWindow { instance, backup, began_at } => {
                (format!("{backup} of {instance} at the set time"), began_at.to_string())
            }
            Self::NotBackedUp { instance, at } => (format!("an automatic backup of {instance} at {at}"), "none".into()),
            Self::GoneTooEarly { backup, at } => (format!("{backup} there for seven days"), format!("gone at {at}")),
            Self::KeptTooLong { backup, at } => (format!("{backup} gone after seven days"), format!("there at {at}")),
            Self::RetentionChanged { instance, days } => {
                (format!("backups of {instance} kept 7 days"), format!("{days} days"))
            }
            Self::NotAtOnce { instance, began_at } => {
                (format!("a manual backup of {instance} at once"), format!("begins at {began_at}"))
            }
            Self::BackupRefused { instance, code } => (format!("a manual backup of {instance}"), code.clone()),
            Self::ListedOutsideRange { backup } => ("backups of the range alone".into(), format!("{backup} too")),
            Self::MissingInRange { backup } => (format!("{backup} in its range"), "missing".into()),
            Self::NotArchived { backup, mode, status } => {
                (format!("the file of {backup}, {mode:?}"), format!("status {status}"))
            }
            Self::FileDiffers { backup, size_bytes } => {
                (format!("the whole file of {backup}, the same each time"), format!("another of {size_bytes} bytes"))
            }
            Self::DownloadedTooLate { backup } => (format!("the file of {backup} gone"), "still given".into()),
            Self::LinkDead { backup, status } => (format!("a link to {backup}"), format!("status {status}")),
            Self::KeepingCharged { subject, cents } => {
                ("no charge for keeping backups".into(), format!("{cents} cents for {subject}"))
            }
            _ => return None,
        })
    }

    fn of_recoveries(&self) -> Option<(String, String)> {
        Some(match self {
            Self::RecoveryRefused { instance, backup, code } => {
                (format!("{instance} recovered from {backup}"), code.clone())
            }
            Self::RecoveryFailed { instance, backup, why } => {
                (format!("{instance} recovered from {backup}"), why.clone())
            }
            Self::RecoveryHangs { instance } => (format!("{instance} running again"), "still recovering".into()),
            Self::RecoveredWithoutSet { instance, set } => {
                let got = set.as_ref().map_or_else(|| "none".to_owned(), Clone::clone);
                (format!("a backup of {instance} picked for its recovery"), format!("accepted with {got}"))
            }
            Self::RecoveredOtherwise { instance, backup, difference } => {
                (format!("{backup} in {instance}"), difference.to_string())
            }
            Self::OtherChanged { instance, by, difference } => {
                (format!("{instance} as before the recovery of {by}"), difference.to_string())
            }
            Self::UnconfirmedAccepted { instance } => {
                (format!("no recovery of {instance} unconfirmed"), "accepted".into())
            }
            Self::NoWarning { instance } => (format!("a warning for {instance}"), "none".into()),
            Self::OriginalChanged { original, clone, difference } => {
                (format!("{original} as before {clone} was made"), difference.to_string())
            }
            Self::CloneSharesEndpoint { clone, original } => {
                (format!("{clone} an instance of its own"), format!("at the endpoint of {original}"))
            }
            Self::RecoveredOnSubscription { clone, billing } => {
                (format!("{clone} pay-as-you-go, by way of recovery"), format!("{billing:?}"))
            }
            Self::BillingRefused { original, billing } => {
                (format!("a clone of {original}, {billing}"), "refused".into())
            }
            Self::BilledOtherwise { clone, asked, found } => {
                (format!("{clone} billed {asked:?}"), format!("{found:?}"))
            }
            Self::ClonedWithoutSet { original } => {
                (format!("a backup of {original} picked for its clone"), "accepted without".into())
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_violation_reads_back_and_says_what_is_wrong() {
        let cases = [
            RedisViolation::SnapshotMixed { backup: "bk-1".into(), key: "key a of 0".into(), there: true },
            RedisViolation::ClonedWithoutSet { original: "r-1".into() },
        ];
        for case in cases {
            let violation = crate::checks::Violation::from(case);
            let text = serde_json::to_string(&violation).unwrap_or_default();
            assert_eq!(serde_json::from_str::<crate::checks::Violation>(&text).ok().as_ref(), Some(&violation));
            assert!(!violation.want().is_empty() && !violation.got().is_empty());
        }
    }
}
