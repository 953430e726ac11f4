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

    fn words(&self) -> (String, String) {
        self.words_of_making().or_else(|| self.words_of_life()).unwrap_or_else(|| self.words_of_content())
    }

    fn words_of_making(&self) -> Option<(String, String)> {
        let (want, got) = match self {
            Self::SecondAccepted { master, first, second } => {
                (format!("one temporary instance of {master}"), format!("{second} beside {first}"))
            }
            Self::FirstRefused { master } => {
                (format!("a first temporary instance of {master}"), "refused as a second".into())
            }
            Self::StillRefused { master, gone } => {
                (format!("a new temporary instance of {master} after {gone}"), format!("refused though {gone} is gone"))
            }
            Self::Replaced { old, new, .. } => (format!("{old} left alone"), format!("{new} in its place")),
            Self::MadeWithoutChoice { master } => {
                (format!("a backup or a time chosen for {master}"), "accepted with neither".into())
            }
            Self::ManyFromOneRequest { key, instances } => {
                let ids: Vec<&str> = instances.iter().map(InstanceId::as_str).collect();
                (format!("one instance for request {key}"), ids.join(" and "))
            }
            Self::MoreThanAsked { master, asked, made } => {
                (format!("at most {asked} temporary instances of {master}, as asked"), format!("{made}"))
            }
            Self::SideNotRunning { instance, state } => {
                (format!("no migration set up with {instance} while {state:?}"), "accepted".into())
            }
            Self::KindRefused { master, product } => {
                (format!("a temporary instance of {master}, a {product}"), "refused for its kind".into())
            }
            Self::KindAccepted { master, product } => {
                (format!("no temporary instance of {master}, a {product}"), "accepted".into())
            }
            Self::MadeWithoutBackup { master, backup } => {
                let got =
                    backup.as_ref().map_or_else(|| "accepted without one".into(), |id| format!("accepted on {id}"));
                (format!("a complete data backup of {master}"), got)
            }
            Self::TimeNotCovered { master, time } => {
                (format!("{time} refused, which the logs of {master} do not cover"), "accepted".into())
            }
            _ => return None,
        };
        Some((want, got))
    }

    fn words_of_life(&self) -> Option<(String, String)> {
        let (want, got) = match self {
            Self::OutlivedItsTime { instance, created_at, seen_at, by } => {
                (format!("{instance} released 48 h after {created_at}"), format!("{by:?} at {seen_at}").to_lowercase())
            }
            Self::GoneEarly { instance, created_at, gone_at } => {
                (format!("{instance} there until 48 h after {created_at}"), format!("gone at {gone_at}"))
            }
            Self::NotClassic { instance, network } => {
                (format!("{instance} in the classic network"), format!("{network:?}").to_lowercase())
            }
            Self::NotListed { instance, list } => (format!("{instance} in the list {list:?}"), "left out".into()),
            Self::RegionDiffers { instance, master_region, region } => {
                (format!("{instance} in {master_region}, its master's region"), region.clone())
            }
            Self::NotFree { instance, billing } => (format!("{instance} free"), format!("{billing:?}")),
            Self::Charged { instance, cents } => (format!("no charge for {instance}"), format!("{cents} cents")),
            Self::CountedAsBoth { instance } => (format!("{instance} a temporary instance or a clone"), "both".into()),
            Self::MasterStopped { master, temporary, state } => {
                (format!("{master} running while {temporary} is made"), format!("{state:?}"))
            }
            Self::MasterSilent { master, temporary, error } => {
                (format!("{master} answering while {temporary} is made"), error.clone())
            }
            Self::VerificationDemanded { instance, detail } => {
                (format!("a migration from {instance} without verification, which is only advised"), detail.clone())
            }
            Self::ListedElsewhere { instance, list, asked, region } => {
                (format!("only {asked} in the list {list:?}"), format!("{instance} of {region}"))
            }
            _ => return None,
        };
        Some((want, got))
    }

    fn words_of_content(&self) -> (String, String) {
        match self {
            Self::MasterChanged { master, temporary, difference } => {
                (format!("{master} as before {temporary} was made"), difference.to_string())
            }
            Self::LoginRefused { instance, account, error } => {
                (format!("{account} let into {instance}"), error.clone())
            }
            Self::ReadRefused { instance, account, error } => (format!("{account} reading {instance}"), error.clone()),
            Self::AccountsDiffer { instance, difference } => {
                (format!("{instance} with the accounts of its backup"), difference.to_string())
            }
            Self::StrangeLogin { instance, account } => {
                (format!("{account} refused by {instance} as by its backup"), "let in".into())
            }
            Self::RecoveredTooFar { instance, chosen, recovered_to } => {
                (format!("{instance} as of {chosen} at the latest"), recovered_to.to_string())
            }
            Self::FellBack { instance, chosen, set } => {
                (format!("{instance} as of {chosen}"), format!("backup set {set}"))
            }
            Self::ContentDiffers { instance, difference } => {
                (format!("{instance} with the content chosen"), difference.to_string())
            }
            other => (String::new(), format!("{other:?}")),
        }
    }
}
