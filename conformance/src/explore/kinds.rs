//! The kinds of steps a plan is made of.

use scenarios::Action;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// A kind of step, by the key it has in scenario files.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum StepKind { $($name),+ }

        impl StepKind {
            /// Every kind that a plan draws.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The key.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

kinds! {
    Backup = "backup",
    Sql = "sql",
    Mark = "mark",
    Temporary = "temporary",
    Clone = "clone",
    Migrate = "migrate",
    Task = "task",
    Wait = "wait",
    DataSource = "data_source",
    RemoveDataSource = "remove_data_source",
    LogicalBackup = "logical_backup",
    LogicalTask = "logical_task",
    Restore = "restore",
    RestoreTask = "restore_task",
    Recover = "recover",
    Download = "download",
    Release = "release",
    Account = "account",
    Configure = "configure",
    Login = "login",
    Advance = "advance",
    Application = "application",
    Call = "call",
}

impl StepKind {
    /// The kind of an action; none for a fault and for an expectation.
    #[must_use]
    pub fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::Backup(_) => Self::Backup,
            Action::Sql(_) => Self::Sql,
            Action::Mark(_) => Self::Mark,
            Action::Temporary(_) => Self::Temporary,
            Action::Clone(_) => Self::Clone,
            Action::Migrate(_) => Self::Migrate,
            Action::Task(_) => Self::Task,
            Action::Wait(_) => Self::Wait,
            Action::DataSource(_) => Self::DataSource,
            Action::RemoveDataSource(_) => Self::RemoveDataSource,
            Action::LogicalBackup(_) => Self::LogicalBackup,
            Action::LogicalTask(_) => Self::LogicalTask,
            Action::Restore(_) => Self::Restore,
            Action::RestoreTask(_) => Self::RestoreTask,
            Action::Recover(_) => Self::Recover,
            Action::Download(_) => Self::Download,
            Action::Release(_) => Self::Release,
            Action::Account(_) => Self::Account,
            Action::Configure(_) => Self::Configure,
            Action::Login(_) => Self::Login,
            Action::Advance(_) => Self::Advance,
            Action::Application(_) => Self::Application,
            Action::Call(_) => Self::Call,
            Action::Fault(_) | Action::Expect(_) => return None,
        })
    }
}
