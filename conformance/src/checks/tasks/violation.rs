//! What can be wrong about a migration task's life.

use super::calls::Side;
use crate::checks::temporary::Difference;
use crate::history::ListKind;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{MigrationType, TaskStatus};
use recovery::model::{InstanceId, Product, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What can be wrong about a migration task's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "violation", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids and values the variant's sentence names")]
pub enum TaskViolation {
    /// A task was made, or went on, without a part of its name, source or target.
    Incomplete { task: Option<TaskId>, missing: String },
    /// A task has no name.
    Nameless { task: TaskId },
    /// A task bears another name than the one it was given.
    NameLost { task: TaskId, given: String, name: String },
    /// A name was refused because another task bears it.
    NameRefused { name: String, task: TaskId },
    /// Another kind of instance than RDS was accepted.
    TypeAccepted { task: Option<TaskId>, side: Side, kind: String },
    /// A side that is an RDS instance was refused or not taken for one.
    TypeNotTaken { task: Option<TaskId>, side: Side, got: String },
    /// A side in another region than its instance.
    RegionDiffers { task: TaskId, side: Side, region: String, own: String },
    /// The sources offered lack an instance that is there.
    SourceNotOffered { instance: InstanceId, list: ListKind },
    /// The sources offered have an instance that is gone or of another region.
    SourceOffered { instance: InstanceId, why: String },
    /// A task was made from an instance that is gone.
    GoneSourceAccepted { instance: InstanceId },
    /// A temporary instance names another master than the one it was made from.
    MasterForgotten { instance: InstanceId, master: InstanceId, named: Option<InstanceId> },
    /// A task leads from a temporary instance to another instance than its master.
    OtherTarget { task: TaskId, master: InstanceId, target: InstanceId },
    /// A migration changed an instance that the task does not name.
    WroteElsewhere { task: TaskId, instance: InstanceId, difference: Difference },
    /// The precheck let an account in that is not there.
    UnknownAccountPassed { task: TaskId, side: Side, account: String },
    /// The precheck let an account in with a password that is not its own.
    WrongPasswordPassed { task: TaskId, side: Side, account: String },
    /// The precheck did not let an account in whose name and password are right.
    RightAccountFailed { task: TaskId, side: Side, account: String },
    /// The precheck passed an account that may not do what is needed on a chosen object.
    RightsLacking { task: TaskId, side: Side, account: String, object: String },
    /// The precheck failed an account that may do all that is needed.
    RightsEnough { task: TaskId, side: Side, account: String },
    /// A third connection mode was accepted.
    ModeAccepted { task: Option<TaskId>, side: Side, mode: String },
    /// One of the two connection modes, or none, was refused or not kept.
    ModeNotKept { task: Option<TaskId>, side: Side, given: Option<String>, got: String },
    /// The precheck passed over SSL where SSL is off.
    SslPassedWithout { task: TaskId, side: Side },
    /// The precheck failed over SSL where SSL is on.
    SslFailedThoughOn { task: TaskId, side: Side },
    /// Types and objects were accepted before the whitelists were authorised.
    ChosenUnauthorised { task: TaskId, instance: InstanceId },
    /// An address of the migration service is missing from a whitelist.
    AddressMissing { task: TaskId, instance: InstanceId, address: Option<String> },
    /// Authorising took an entry off a whitelist.
    EntryLost { task: TaskId, instance: InstanceId, entry: String },
    /// Types that are none were accepted.
    TypesAccepted { task: TaskId, types: String },
    /// A task has other types than the chosen ones.
    TypesDiffer { task: TaskId, chosen: BTreeSet<MigrationType>, types: BTreeSet<MigrationType> },
    /// An empty choice of objects was accepted.
    NothingChosen { task: TaskId },
    /// A migration changed something of the target that was not chosen.
    UnchosenChanged { task: TaskId, instance: InstanceId, difference: Difference },
    /// Something has not the name in the target that it must have.
    NameNotInTarget { task: TaskId, what: String },
    /// A name changed in the source.
    NameChangedInSource { task: TaskId, what: String },
    /// A task migrates and no precheck ended before.
    StartedUnchecked { task: TaskId },
    /// A task migrates though an item of its newest precheck failed.
    StartedThoughFailed { task: TaskId, run: u32, item: Option<PrecheckItem> },
    /// A task migrates though nobody confirmed it.
    StartedUnconfirmed { task: TaskId },
    /// A task migrates though it had to be bought and was not.
    StartedUnbought { task: TaskId },
    /// A task was bought though nobody confirmed it.
    BoughtUnconfirmed { task: TaskId },
    /// The confirmation was refused after a passed precheck.
    ConfirmationRefused { task: TaskId, code: String },
    /// A failed item has no cause or no remedy.
    FailedSilently { task: TaskId, run: u32, item: PrecheckItem },
    /// A passed item carries an error.
    PassedWithError { task: TaskId, run: u32, item: String },
    /// A task is gone after its precheck failed.
    Vanished { task: TaskId },
    /// A task lost its settings after its precheck failed.
    SettingsLost { task: TaskId, what: String },
    /// A task came to its end because its precheck failed.
    EndedByPrecheck { task: TaskId, status: TaskStatus },
    /// A task whose precheck failed cannot be started again.
    StartRefused { task: TaskId, code: String },
    /// A start went on with the result of an earlier precheck.
    OldResultUsed { task: TaskId, step: String, run: u32, status: TaskStatus },
    /// A purchase went through without ticked terms.
    BoughtUnticked { task: TaskId },
    /// A purchase was refused for its terms though they were ticked.
    TickedRefused { task: TaskId },
    /// A confirmed task never began to migrate.
    NeverRan { task: TaskId, status: TaskStatus },
    /// A step was accepted before the one that comes first.
    StepTooEarly { task: TaskId, step: String, before: String },
    /// A precheck passed with a failed item.
    PassedWithFailed { task: TaskId, run: u32, item: PrecheckItem },
    /// A precheck failed without a failed item.
    FailedWithoutFailed { task: TaskId, run: u32 },
    /// An item counts as shielded that may not be, was not, or does not say why; or failed under its own shield.
    WronglyShielded { task: TaskId, item: PrecheckItem },
    /// The precheck passed though an object of the same name stands in the target.
    NameTaken { task: TaskId, object: String },
    /// The precheck failed for an object of the same name that was to be ignored.
    NotIgnored { task: TaskId, object: String },
    /// The precheck passed with a child table alone.
    ChildAlone { task: TaskId, child: String, parent: String },
    /// The precheck failed for foreign keys whose tables are all chosen.
    ParentsChosen { task: TaskId, child: String },
    /// The precheck failed for a database that could be made.
    DatabaseNotMade { task: TaskId, database: String },
    /// A database that may not be made passed the precheck or was made.
    DatabaseMade { task: TaskId, database: String },
    /// A precheck passed, the task ended well, and a database is still missing.
    DatabaseMissing { task: TaskId, database: String },
    /// A task between two engines was accepted.
    EnginesDiffer { task: TaskId, source: Product, target: Product },
    /// Two instances of the same engine were refused as a pair.
    PairRefused { source: Product, target: Product },
    /// A task was refused because its two sides are the same instance.
    SameInstanceRefused { instance: InstanceId, code: String },
}

fn said(id: Option<&TaskId>) -> String {
    id.map_or_else(|| "no task".into(), ToString::to_string)
}

impl TaskViolation {
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
        let words = self.words_of_setup().or_else(|| self.words_of_sides()).or_else(|| self.words_of_choice());
        words.or_else(|| self.words_of_start()).unwrap_or_else(|| self.words_of_precheck())
    }

    fn words_of_setup(&self) -> Option<(String, String)> {
        let (want, got) = match self {
            Self::Incomplete { task, missing } => {
                ("name, source and target complete".into(), format!("{} without {missing}", said(task.as_ref())))
            }
            Self::Nameless { task } => (format!("a name for {task}"), "none".into()),
            Self::NameLost { given, name, .. } => (format!("name '{given}'"), format!("'{name}'")),
            Self::NameRefused { name, task } => (format!("name '{name}' accepted beside {task}"), "refused".into()),
            Self::TypeAccepted { task, side, kind } => {
                (format!("no {side} of type '{kind}'"), format!("{} accepted", said(task.as_ref())))
            }
            Self::TypeNotTaken { side, got, .. } => (format!("an RDS instance as {side}"), got.clone()),
            Self::RegionDiffers { task, side, region, own } => {
                (format!("{side} of {task} in {own}, the region of its instance"), format!("accepted in {region}"))
            }
            Self::SourceNotOffered { instance, list } => (format!("{instance} in {list:?}"), "not offered".into()),
            Self::SourceOffered { instance, why } => {
                (format!("{instance} not offered as source"), format!("offered though {why}"))
            }
            Self::GoneSourceAccepted { instance } => {
                (format!("no task from {instance}, which is gone"), "accepted".into())
            }
            Self::MasterForgotten { instance, master, named } => (
                format!("{instance} made from {master}"),
                named.as_ref().map_or_else(|| "no master named".into(), |id| format!("{id} named")),
            ),
            Self::OtherTarget { task, master, target } => (format!("target {master} for {task}"), target.to_string()),
            Self::EnginesDiffer { task, source, target } => {
                (format!("one engine in {task}"), format!("{source} to {target} accepted"))
            }
            Self::PairRefused { source, target } => {
                (format!("a task from {source} to {target}"), "refused as a pair".into())
            }
            Self::SameInstanceRefused { instance, code } => {
                (format!("a task from {instance} to itself"), format!("refused with {code}"))
            }
            _ => return None,
        };
        Some((want, got))
    }

    fn words_of_sides(&self) -> Option<(String, String)> {
        let (want, got) = match self {
            Self::UnknownAccountPassed { task, side, account } => {
                (format!("{side} of {task} failed: {account} is not there"), "it connected".into())
            }
            Self::WrongPasswordPassed { task, side, account } => {
                (format!("{side} of {task} failed: the password of {account} is another"), "it connected".into())
            }
            Self::RightAccountFailed { task, side, account } => {
                (format!("{side} of {task} connected as {account}, with the right password"), "its item failed".into())
            }
            Self::RightsLacking { task, side, account, object } => {
                (format!("{side} of {task} failed: {account} lacks rights on {object}"), "its item passed".into())
            }
            Self::RightsEnough { task, side, account } => {
                (format!("{side} of {task} passed: {account} has the rights"), "its item failed".into())
            }
            Self::ModeAccepted { task, side, mode } => {
                (format!("no connection mode '{mode}' of the {side}"), format!("{} accepted", said(task.as_ref())))
            }
            Self::ModeNotKept { side, given, got, .. } => {
                (format!("connection mode '{}' of the {side}", given.as_deref().unwrap_or("plain")), got.clone())
            }
            Self::SslPassedWithout { task, side } => {
                (format!("{side} of {task} failed: SSL is off there"), "it connected".into())
            }
            Self::SslFailedThoughOn { task, side } => {
                (format!("{side} of {task} connected: SSL is on there"), "its item failed".into())
            }
            Self::ChosenUnauthorised { task, instance } => {
                (format!("{instance} authorised before {task} chooses"), "chosen without".into())
            }
            Self::AddressMissing { instance, address, .. } => (
                format!("{} on the whitelist of {instance}", address.as_deref().unwrap_or("the migration service")),
                "missing".into(),
            ),
            Self::EntryLost { task, instance, entry } => {
                (format!("{entry} kept on {instance}"), format!("gone by authorising {task}"))
            }
            _ => return None,
        };
        Some((want, got))
    }

    fn words_of_choice(&self) -> Option<(String, String)> {
        let (want, got) = match self {
            Self::TypesAccepted { task, types } => {
                (format!("a migration type for {task}"), format!("{types} accepted"))
            }
            Self::TypesDiffer { task, chosen, types } => (format!("{chosen:?} in {task}"), format!("{types:?}")),
            Self::NothingChosen { task } => (format!("an object for {task}"), "an empty choice accepted".into()),
            Self::UnchosenChanged { task, instance, difference } => {
                (format!("{task} to touch only what was chosen of {instance}"), difference.to_string())
            }
            Self::WroteElsewhere { task, instance, difference } => {
                (format!("{instance} untouched by {task}"), difference.to_string())
            }
            Self::NameNotInTarget { task, what } => (format!("{what} in the target of {task}"), "not there".into()),
            Self::NameChangedInSource { task, what } => {
                (format!("names of the source of {task} as they were"), what.clone())
            }
            _ => return None,
        };
        Some((want, got))
    }

    fn words_of_start(&self) -> Option<(String, String)> {
        let (want, got) = match self {
            Self::StartedUnchecked { task } => {
                (format!("a precheck before {task} starts"), "it migrates without".into())
            }
            Self::StartedThoughFailed { task, run, item } => {
                let what = item.map_or_else(
                    || format!("run {run} that did not pass"),
                    |item| format!("{item:?} failed in run {run}"),
                );
                (format!("{task} to wait for a passed precheck"), format!("it migrates after {what}"))
            }
            Self::StartedUnconfirmed { task } => (format!("{task} confirmed before it migrates"), "it was not".into()),
            Self::StartedUnbought { task } => (format!("{task} bought before it migrates"), "it was not".into()),
            Self::BoughtUnconfirmed { task } => (format!("{task} confirmed before it is bought"), "it was not".into()),
            Self::ConfirmationRefused { task, code } => {
                (format!("the confirmation of {task}"), format!("refused with {code}"))
            }
            Self::Vanished { task } => (format!("{task} there after its failed precheck"), "gone".into()),
            Self::SettingsLost { task, what } => {
                (format!("{what} of {task} as before its failed precheck"), "changed".into())
            }
            Self::EndedByPrecheck { task, status } => (format!("{task} to be started again"), format!("{status:?}")),
            Self::StartRefused { task, code } => (format!("a new precheck of {task}"), format!("refused with {code}")),
            Self::OldResultUsed { task, step, run, status } => {
                (format!("a fresh precheck of {task} by {step}"), format!("{status:?} with run {run}"))
            }
            Self::BoughtUnticked { task } => (format!("ticked terms to buy {task}"), "bought without".into()),
            Self::TickedRefused { task } => {
                (format!("{task} bought with ticked terms"), "refused for its terms".into())
            }
            Self::NeverRan { task, status } => {
                (format!("{task} to migrate once confirmed"), format!("{status:?} at the end"))
            }
            Self::StepTooEarly { task, step, before } => {
                (format!("{before} before {step} of {task}"), "accepted without".into())
            }
            _ => return None,
        };
        Some((want, got))
    }

    fn words_of_precheck(&self) -> (String, String) {
        match self {
            Self::FailedSilently { task, run, item } => {
                (format!("cause and remedy of {item:?} in run {run} of {task}"), "one of them is blank".into())
            }
            Self::PassedWithError { task, run, item } => {
                (format!("no error of {item}, which passed"), format!("one in run {run} of {task}"))
            }
            Self::PassedWithFailed { task, run, item } => {
                (format!("run {run} of {task} failed by {item:?}"), "passed".into())
            }
            Self::FailedWithoutFailed { task, run } => {
                (format!("run {run} of {task} passed"), "failed without a failed item".into())
            }
            Self::WronglyShielded { task, item } => (
                format!("a shield of {task} covers its own item alone, and only one that may be shielded"),
                format!("{item:?} is shielded wrongly"),
            ),
            Self::NameTaken { task, object } => {
                (format!("{task} stopped by {object} in the target"), "its item passed".into())
            }
            Self::NotIgnored { task, object } => {
                (format!("{object} in the target of {task} ignored"), "its item failed".into())
            }
            Self::ChildAlone { task, child, parent } => {
                (format!("{task} stopped: {child} without {parent}"), "its item passed".into())
            }
            Self::ParentsChosen { task, child } => {
                (format!("{child} of {task} passed with its parents"), "its item failed".into())
            }
            Self::DatabaseNotMade { task, database } => {
                (format!("database {database} made for {task}"), "its item failed".into())
            }
            Self::DatabaseMade { task, database } => {
                (format!("database '{database}' of {task} not made"), "passed or made".into())
            }
            Self::DatabaseMissing { task, database } => {
                (format!("database {database} made for {task}"), "passed, ended well, and missing".into())
            }
            other => (format!("{other:?} not to be"), "it is".into()),
        }
    }
}
