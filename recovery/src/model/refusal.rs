//! Refusals: what the service declines to do, with the documented codes.

use thiserror::Error;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal),+ $(,)?) => {
        /// The code of a refusal, as it stands in the answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $name),+ }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code's text.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }
        }
    };
}

codes! {
    /// The access token is missing or wrong.
    Unauthorised = 401 "Unauthorised",
    /// A field is missing, unknown or not of its shape.
    InvalidParameter = 400 "InvalidParameter",
    /// A create without an idempotency key.
    IdempotencyKeyMissing = 400 "IdempotencyKeyMissing",
    /// An idempotency key that came with another request before.
    IdempotencyKeyReused = 422 "IdempotencyKeyReused",
    /// Nothing answers to that path or id.
    NotFound = 404 "NotFound",
    /// No such instance, or it is gone.
    InstanceNotFound = 404 "InvalidDBInstanceId.NotFound",
    /// No such backup, or it is gone.
    BackupNotFound = 404 "InvalidBackupId.NotFound",
    /// No such task, or it was deleted.
    TaskNotFound = 404 "InvalidTaskId.NotFound",
    /// The path is known, the method is not allowed there.
    MethodNotAllowed = 405 "MethodNotAllowed",
    /// The body is not of a content type that is understood.
    ContentType = 415 "UnsupportedMediaType",
    /// The body is larger than any request needs to be.
    BodyTooLarge = 413 "RequestTooLarge",
    /// The instance's server cannot be reached; whether the request had its effect there is open.
    InstanceUnreachable = 503 "InstanceUnreachable",
    /// The master already has a temporary instance (TMP-09, SQL-14).
    TempDbInstanceExists = 403 "OperationDenied.TempDBInstanceExists",
    /// The instance's kind may not have a temporary instance or clone (SQL-08, CLN-03).
    ProductNotSupported = 403 "OperationDenied.DBInstanceType",
    /// The instance is not running.
    InstanceStatus = 403 "OperationDenied.DBInstanceStatus",
    /// A migration task is in progress on the instance.
    MigrationInProgress = 403 "OperationDenied.MigrationInProgress",
    /// A backup of the instance is being taken.
    BackupJobExists = 403 "OperationDenied.BackupJobExists",
    /// There is no completed data backup (SQL-09).
    NotFoundBackup = 403 "OperationDenied.NotFoundBackup",
    /// The backup is not complete, or its file is damaged.
    BackupStatus = 403 "OperationDenied.BackupStatus",
    /// The logs do not cover the chosen time (SQL-10).
    LogNotCovering = 403 "OperationDenied.RestoreTimeNotCovered",
    /// The chosen time is outside the documented window or in the future.
    RestoreTime = 400 "InvalidRestoreTime",
    /// Log backups of this kind of instance cannot be switched off.
    BackupMethod = 403 "OperationDenied.BackupMethod",
    /// The account is not there.
    AccountNotFound = 404 "InvalidAccountName.NotFound",
    /// The account is already there.
    AccountExists = 409 "InvalidAccountName.Duplicate",
    /// SSL cannot be had or given up on this kind of instance.
    SslNotSupported = 403 "OperationDenied.SSL",
    /// A step of the task was asked for before the steps it stands on (DTS-01).
    TaskStep = 409 "OperationDenied.TaskStep",
    /// The task's status does not allow this.
    TaskStatus = 409 "OperationDenied.TaskStatus",
    /// The precheck item is none that may be shielded (prechecks.md section 4).
    NotShieldable = 403 "OperationDenied.PrecheckItem",
    /// The terms of service were not ticked (CLN-47).
    TermsNotAccepted = 403 "OperationDenied.TermsNotAccepted",
    /// Source and target engines do not go together (DTS-17).
    EnginePair = 400 "InvalidEnginePair",
    /// No such data source, or it was removed.
    DataSourceNotFound = 404 "InvalidDataSource.NotFound",
    /// A backup or restore task that is not over uses the data source.
    DataSourceInUse = 409 "OperationDenied.DataSourceInUse",
    /// This kind of data source has no such backup (LOG-06: a log only for MySQL).
    BackupTypeNotSupported = 403 "OperationDenied.BackupType",
    /// No such set, or it was deleted.
    SetNotFound = 404 "InvalidBackupSet.NotFound",
    /// The set is not a completed full set of the backup task (LOG-02, LOG-16, LOG-32).
    SetNotRestorable = 403 "OperationDenied.BackupSet",
    /// This kind of data source cannot be restored that way (LOG-07, LOG-23, RED-20).
    RestoreMethodNotSupported = 403 "OperationDenied.RestoreMethod",
    /// The target is of another engine than the backup (LOG-04).
    TargetEngine = 400 "InvalidTarget.Engine",
    /// The target is of an earlier version than the backup (LOG-05).
    TargetVersion = 400 "InvalidTarget.Version",
    /// A direct recovery overwrites what is there and has to be confirmed (RED-24).
    NotConfirmed = 403 "OperationDenied.NotConfirmed",
    /// How long Redis backups are kept cannot be changed (RED-08).
    RetentionFixed = 403 "OperationDenied.RetentionFixed",
    /// The recovery route makes pay-as-you-go instances only (RED-25, C-26).
    BillingNotSupported = 403 "OperationDenied.Billing",
    /// The file behind a download link is gone (RED-16).
    DownloadGone = 404 "InvalidDownload.NotFound",
    /// A lease that lapsed or passed on.
    LeaseLost = 409 "LeaseLost",
    /// No machine is free for another instance.
    NoCapacity = 503 "InsufficientCapacity",
    /// The service could not keep its promise and said so; nothing was changed.
    Internal = 500 "InternalError",
}

/// A refused request: the code, a sentence saying what was found and what would do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {detail}", code.text())]
pub struct Refusal {
    /// Code.
    pub code: RefusalCode,
    /// What was found, where, and what would do.
    pub detail: String,
}

impl Refusal {
    /// Makes a refusal.
    #[must_use]
    pub fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}
