//! What can be wrong about clones.

use crate::checks::temporary::Difference;
use jiff::Timestamp;
use recovery::model::instance::Billing;
use recovery::model::{InstanceId, Product};
use serde::{Deserialize, Serialize};

/// What can be wrong about clones. The tags differ from those of other subjects, so that a saved violation reads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum CloneViolation {
    /// A clone was ordered by something other than one of the two methods, and made.
    CloneByThirdMethod { master: InstanceId, asked: String },
    /// One of the two methods is not understood.
    CloneMethodMissing { master: InstanceId, method: String, detail: String },
    /// An admitted kind was refused a clone for its kind.
    CloneKindRefused { master: InstanceId, product: Product },
    /// A kind that may not be cloned was.
    CloneKindAccepted { master: InstanceId, product: Product },
    /// An instance that is no primary was cloned.
    CloneOfNoPrimary { of: InstanceId, role: String },
    /// A clone that is no new instance.
    CloneNotNew { clone: InstanceId, shares: String, with: InstanceId },
    /// Making a clone changed its master.
    CloneChangedMaster { master: InstanceId, clone: InstanceId, difference: Difference },
    /// A clone that is billed otherwise than ordered, or not at all.
    CloneBilling { clone: InstanceId, ordered: Option<Billing>, found: Billing },
    /// A clone without a charge.
    CloneNotCharged { clone: InstanceId },
    /// A clone that is to be released by itself.
    CloneExpires { clone: InstanceId, at: Timestamp },
    /// A clone that went although no user had it released.
    CloneVanished { clone: InstanceId, gone_at: Timestamp },
    /// The data or accounts are not those of the chosen backup or time.
    CloneContentDiffers { clone: InstanceId, difference: Difference },
    /// Settings that are not those of the master now.
    CloneSettingsDiffer { clone: InstanceId, setting: String },
    /// A clone in another region than its master.
    CloneRegionDiffers { clone: InstanceId, master_region: String, region: String },
    /// A clone that names another instance as its master.
    CloneOfAnother { clone: InstanceId, master: InstanceId, named: Option<InstanceId> },
}

impl CloneViolation {
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
        match self {
            Self::CloneByThirdMethod { master, asked } => {
                (format!("a clone of {master} by either backup set or point in time"), format!("accepted by {asked}"))
            }
            Self::CloneMethodMissing { master, method, detail } => {
                (format!("a clone of {master} by {method}"), format!("not understood: {detail}"))
            }
            Self::CloneKindRefused { master, product } => {
                (format!("a clone of {master}, a {product}"), "refused for its kind".into())
            }
            Self::CloneKindAccepted { master, product } => {
                (format!("no clone of {master}, a {product}"), "accepted".into())
            }
            Self::CloneOfNoPrimary { of, role } => (format!("no clone of {of}, which is {role}"), "accepted".into()),
            Self::CloneNotNew { clone, shares, with } => {
                (format!("{clone} an instance of its own"), format!("the {shares} of {with}"))
            }
            Self::CloneChangedMaster { master, clone, difference } => {
                (format!("{master} as before {clone} was made"), difference.to_string())
            }
            Self::CloneBilling { clone, ordered, found } => {
                let want = ordered.map_or_else(|| "billed".to_owned(), |billing| format!("billed {billing:?}"));
                (format!("{clone} {want}"), format!("{found:?}"))
            }
            Self::CloneNotCharged { clone } => (format!("a charge for {clone}"), "none".into()),
            Self::CloneExpires { clone, at } => {
                (format!("{clone} there until a user releases it"), format!("expires at {at}"))
            }
            Self::CloneVanished { clone, gone_at } => {
                (format!("{clone} there until a user releases it"), format!("gone at {gone_at}"))
            }
            Self::CloneContentDiffers { clone, difference } => {
                (format!("{clone} with the content chosen"), difference.to_string())
            }
            Self::CloneSettingsDiffer { clone, setting } => {
                (format!("{clone} with the settings its master has now"), format!("another {setting}"))
            }
            Self::CloneRegionDiffers { clone, master_region, region } => {
                (format!("{clone} in {master_region}, its master's region"), region.clone())
            }
            Self::CloneOfAnother { clone, master, named } => {
                let named = named.as_ref().map_or("none", InstanceId::as_str);
                (format!("{clone} mapped to {master}"), named.to_owned())
            }
        }
    }
}
