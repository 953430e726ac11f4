//! What can be wrong about temporary instances.

use super::truth::Difference;
use crate::history::ListKind;
use jiff::Timestamp;
use recovery::model::instance::{Billing, InstanceState, NetworkType};
use recovery::model::{BackupId, InstanceId, Product};
use serde::{Deserialize, Serialize};

/// What can be wrong about temporary instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum TemporaryViolation {
    /// Making a temporary instance changed its master.
    MasterChanged { master: InstanceId, temporary: InstanceId, difference: Difference },
    /// A right login was refused.
    LoginRefused { instance: InstanceId, account: String, error: String },
    /// An account that may read was not let.
    ReadRefused { instance: InstanceId, account: String, error: String },
    /// Accounts differ from those of the backup.
    AccountsDiffer { instance: InstanceId, difference: Difference },
    /// A login worked with a password, or for an account, that the backup does not hold.
    StrangeLogin { instance: InstanceId, account: String },
    /// A temporary instance outside the classic network.
    NotClassic { instance: InstanceId, network: NetworkType },
    /// A second temporary instance was accepted.
    SecondAccepted { master: InstanceId, first: InstanceId, second: InstanceId },
    /// A first temporary instance was refused as if it were a second.
    FirstRefused { master: InstanceId },
    /// A new temporary instance was refused though the old one is gone.
    StillRefused { master: InstanceId, gone: InstanceId },
    /// A new temporary instance took the place of the old one.
    Replaced { master: InstanceId, old: InstanceId, new: InstanceId },
    /// Still there after 48 hours.
    OutlivedItsTime { instance: InstanceId, created_at: Timestamp, seen_at: Timestamp, by: Proof },
    /// Gone before 48 hours, and no user had it released.
    GoneEarly { instance: InstanceId, created_at: Timestamp, gone_at: Timestamp },
    /// Neither a backup nor a time was chosen.
    MadeWithoutChoice { master: InstanceId },
    /// The chosen time is still to come or too long ago.
    OutsideWindow { master: InstanceId, time: Timestamp },
    /// One request made several instances.
    ManyFromOneRequest { key: String, instances: Vec<InstanceId> },
    /// There are more temporary instances than were asked for.
    MoreThanAsked { master: InstanceId, asked: usize, made: usize },
    /// A migration was set up from or to an instance that was not running.
    SideNotRunning { instance: InstanceId, state: InstanceState },
    /// A list leaves an instance out that belongs on it.
    NotListed { instance: InstanceId, list: ListKind },
    /// A temporary instance in another region than its master.
    RegionDiffers { instance: InstanceId, master_region: String, region: String },
    /// An admitted kind was refused a temporary instance for its kind.
    KindRefused { master: InstanceId, product: Product },
    /// A kind that may not have one got a temporary instance.
    KindAccepted { master: InstanceId, product: Product },
    /// Accepted without a complete data backup.
    MadeWithoutBackup { master: InstanceId, backup: Option<BackupId> },
    /// Accepted though the logs do not cover the chosen time.
    TimeNotCovered { master: InstanceId, time: Timestamp },
    /// The data are as of a later time than the chosen one.
    RecoveredTooFar { instance: InstanceId, chosen: Timestamp, recovered_to: Timestamp },
    /// A time was chosen, and a backup set was restored.
    FellBack { instance: InstanceId, chosen: Timestamp, set: BackupId },
    /// The data are not those of the chosen backup or time.
    ContentDiffers { instance: InstanceId, difference: Difference },
    /// A temporary instance that is billed.
    NotFree { instance: InstanceId, billing: Billing },
    /// A charge for a temporary instance.
    Charged { instance: InstanceId, cents: u64 },
    /// A temporary instance that is a clone elsewhere, or the other way round.
    CountedAsBoth { instance: InstanceId },
    /// The master was stopped while a temporary instance was made.
    MasterStopped { master: InstanceId, temporary: InstanceId, state: InstanceState },
    /// The master did not answer while a temporary instance was made.
    MasterSilent { master: InstanceId, temporary: InstanceId, error: String },
    /// A migration was refused because nobody had verified the data.
    VerificationDemanded { instance: InstanceId, detail: String },
    /// A list of a region shows an instance of another.
    ListedElsewhere { instance: InstanceId, list: ListKind, asked: String, region: String },
}

/// What proves that an instance is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The interface shows it.
    Shown,
    /// A list of what can be used has it.
    Listed,
    /// Somebody got in.
    Used,
}

impl TemporaryViolation {
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

    #[allow(clippy::too_many_lines, reason = "one arm a variant")]
    fn words(&self) -> (String, String) {
        let pair = |want: String, got: &dyn ToString| (want, got.to_string());
        match self {
            Self::MasterChanged { master, temporary, difference } => {
                pair(format!("{master} as before {temporary} was made"), difference)
            }
            Self::LoginRefused { instance, account, error } => pair(format!("{account} let into {instance}"), error),
            Self::ReadRefused { instance, account, error } => pair(format!("{account} reading {instance}"), error),
            Self::AccountsDiffer { instance, difference } => {
                pair(format!("{instance} with the accounts of its backup"), difference)
            }
            Self::StrangeLogin { instance, account } => {
                pair(format!("{account} refused by {instance} as by its backup"), &"let in")
            }
            Self::NotClassic { instance, network } => {
                pair(format!("{instance} in the classic network"), &format!("{network:?}").to_lowercase())
            }
            Self::SecondAccepted { master, first, second } => {
                pair(format!("one temporary instance of {master}"), &format!("{second} beside {first}"))
            }
            Self::FirstRefused { master } => {
                pair(format!("a first temporary instance of {master}"), &"refused as a second")
            }
            Self::StillRefused { master, gone } => {
                pair(format!("a new temporary instance of {master} after {gone}"), &"refused")
            }
            Self::Replaced { old, new, .. } => pair(format!("{old} left alone"), &format!("{new} in its place")),
            Self::OutlivedItsTime { instance, created_at, seen_at, by } => {
                pair(format!("{instance} released 48 h after {created_at}"), &format!("{by:?} at {seen_at}"))
            }
            Self::GoneEarly { instance, created_at, gone_at } => {
                pair(format!("{instance} there until 48 h after {created_at}"), &format!("gone at {gone_at}"))
            }
            Self::MadeWithoutChoice { master } => {
                pair(format!("a backup or a time chosen for {master}"), &"accepted with neither")
            }
            Self::OutsideWindow { master, time } => {
                pair(format!("{time} refused for {master}: to come, or more than 7 days ago"), &"accepted")
            }
            Self::ManyFromOneRequest { key, instances } => {
                let ids: Vec<&str> = instances.iter().map(InstanceId::as_str).collect();
                pair(format!("one instance for request {key}"), &ids.join(" and "))
            }
            Self::MoreThanAsked { master, asked, made } => {
                pair(format!("at most {asked} temporary instances of {master}, as asked"), made)
            }
            Self::SideNotRunning { instance, state } => {
                pair(format!("no migration set up with {instance} while {state:?}"), &"accepted")
            }
            Self::NotListed { instance, list } => pair(format!("{instance} on the list {list:?}"), &"left out"),
            Self::RegionDiffers { instance, master_region, region } => {
                pair(format!("{instance} in {master_region}, its master's region"), region)
            }
            Self::KindRefused { master, product } => {
                pair(format!("a temporary instance of {master}, a {product}"), &"refused for its kind")
            }
            Self::KindAccepted { master, product } => {
                pair(format!("no temporary instance of {master}, a {product}"), &"accepted")
            }
            Self::MadeWithoutBackup { master, backup } => {
                let on = backup.as_ref().map_or("none", BackupId::as_str);
                pair(format!("a complete data backup of {master}"), &format!("accepted on {on}"))
            }
            Self::TimeNotCovered { master, time } => {
                pair(format!("{time} refused, which the logs of {master} do not cover"), &"accepted")
            }
            Self::RecoveredTooFar { instance, chosen, recovered_to } => {
                pair(format!("{instance} as of {chosen} at the latest"), recovered_to)
            }
            Self::FellBack { instance, chosen, set } => {
                pair(format!("{instance} as of {chosen}"), &format!("backup set {set}"))
            }
            Self::ContentDiffers { instance, difference } => {
                pair(format!("{instance} with the content chosen"), difference)
            }
            Self::NotFree { instance, billing } => pair(format!("{instance} free"), &format!("{billing:?}")),
            Self::Charged { instance, cents } => pair(format!("no charge for {instance}"), &format!("{cents} cents")),
            Self::CountedAsBoth { instance } => pair(format!("{instance} a temporary instance or a clone"), &"both"),
            Self::MasterStopped { master, temporary, state } => {
                pair(format!("{master} running while {temporary} is made"), &format!("{state:?}"))
            }
            Self::MasterSilent { master, temporary, error } => {
                pair(format!("{master} answering while {temporary} is made"), error)
            }
            Self::VerificationDemanded { instance, detail } => {
                pair(format!("a migration from {instance} without verification, which is only advised"), detail)
            }
            Self::ListedElsewhere { instance, list, asked, region } => {
                pair(format!("only {asked} on the list {list:?}"), &format!("{instance} of {region}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Violation;

    #[test]
    fn a_violation_reads_back_as_itself_and_says_what_was_wanted_and_got() {
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 1 };
        let violation = Violation::from(TemporaryViolation::ContentDiffers { instance: "sub1".into(), difference });
        let text = serde_json::to_string(&violation).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Violation>(&text).ok(), Some(violation.clone()));
        let line = "want sub1 with the content chosen, got table orders of app with 1 rows instead of 2";
        assert_eq!(violation.to_string(), line);
    }
}
