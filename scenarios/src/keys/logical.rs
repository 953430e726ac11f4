//! Keys of the steps of logical backup and restore, and of Redis backups.

use super::steps::{AS, AT_MOST, CONNECTION_MODE, REFUSED};
use super::tables::{NAMES, TEXT_MAP, TEXTS, WEEKDAYS};
use super::{Form, Key, Shape, Takes, Words, may, need, words_of};
use recovery::model::logical::backup::LogicalType;
use recovery::model::logical::restore::{DataConflict, RestoreType, StructureConflict};

const SERVICE_NAME: Key = may("name", Takes::Text, "Name it gets in the service; the scenario's unless given.");
const SET_ENDS: Key =
    may("ends", Takes::Word(Words::Of(&["completed", "failed"])), "What comes of the set; completed unless given.");
const SET_WAIT: Key = may("wait", Takes::Flag, "Whether to wait until the set ended; true unless given.");

pub(super) static DATA_SOURCE: Shape = Shape::plain(
    "data source",
    &[
        need("instance", Takes::Name, "Instance."),
        AS,
        SERVICE_NAME,
        may("account", Takes::Name, "Account; the instance's first one unless given."),
        may("password", Takes::Password, "Password; the one the account has unless given."),
        may("connection", CONNECTION_MODE, "Connection mode; plain unless given."),
        REFUSED,
    ],
);

pub(super) static REMOVE_DATA_SOURCE: Shape =
    Shape::plain("removal", &[need("of", Takes::Name, "Data source."), REFUSED]);

pub(super) static LOGICAL_BACKUP: Shape = Shape::plain(
    "logical backup",
    &[
        need("of", Takes::Name, "Data source; or an instance, for which one is registered by itself."),
        AS,
        SERVICE_NAME,
        may(
            "type",
            Takes::Word(Words::Model(words_of::<LogicalType>)),
            "What is backed up; structure-full-log for MySQL, structure-full for others unless given.",
        ),
        may("databases", NAMES, "Databases; all unless given."),
        may("schedule", Takes::Table(&SCHEDULE), "When it runs by itself, beside the run it begins with."),
        may("retention_days", Takes::Whole { min: 0, max: 65_535 }, "Days a set stays."),
        REFUSED,
        SET_WAIT,
        SET_ENDS,
    ],
);

static SCHEDULE: Shape = Shape::plain(
    "schedule",
    &[
        need("weekdays", WEEKDAYS, "Weekdays."),
        need("hour", Takes::Whole { min: 0, max: 255 }, "Hour of the day, UTC."),
    ],
);

pub(super) static LOGICAL_TASK: Shape = Shape::plain(
    "request",
    &[
        need("of", Takes::Name, "Logical backup task."),
        need("do", Takes::Word(Words::Of(&["run", "stop"])), "Take another set, or stop the task."),
        may("as", Takes::Name, "For run: name of the set."),
        REFUSED,
        SET_WAIT,
        SET_ENDS,
    ],
);

pub(super) static RESTORE: Shape = Shape {
    name: "restore",
    keys: &[
        need("task", Takes::Name, "Logical backup task to restore from."),
        may("of", Takes::Name, "Data source or instance said to be the source; the task's own unless given."),
        need("into", Takes::Name, "Data source or instance to restore into."),
        AS,
        SERVICE_NAME,
        may(
            "types",
            Takes::List { of: &Takes::Word(Words::Model(words_of::<RestoreType>)), min: 0, max: 2 },
            "What is restored; structure and full unless given.",
        ),
        may(
            "objects",
            TEXTS,
            "Databases `app`, kinds of objects `app.table` and objects `app.table.orders`; all unless given.",
        ),
        may("mapping", TEXT_MAP, "Names in the target by table, `orders` or `crm.customers`."),
        may(
            "structure_conflict",
            Takes::Word(Words::Model(words_of::<StructureConflict>)),
            "What an object of the same name means; stop unless given.",
        ),
        may(
            "data_conflict",
            Takes::Word(Words::Model(words_of::<DataConflict>)),
            "What a row with the same key means; stop unless given.",
        ),
        may(
            "until",
            Takes::Word(Words::Of(&["saved", "checked", "started", "finished"])),
            "How far to go; finished unless given.",
        ),
        may(
            "ends",
            Takes::Word(Words::Of(&["completed", "check-failed", "failed", "stopped"])),
            "What comes of it; completed unless given.",
        ),
        REFUSED,
        may(
            "covered",
            Takes::Flag,
            "Whether to wait first until the service says the point is covered; true unless the step is refused.",
        ),
        AT_MOST,
    ],
    forms: &[
        Form(&[need("to", Takes::Name, "Mark to restore to.")]),
        Form(&[need(
            "set",
            Takes::Name,
            "Set to restore: `latest`, a set by its name, the first set of a task by the task's, its log by `TASK log`.",
        )]),
        Form(&[need(
            "at",
            Takes::Moment,
            "Time to restore to: `2026-01-05T09:30:00Z`, or a mark, `earliest`, `latest` or `now`, moved: `MARK - 1s`.",
        )]),
    ],
};

pub(super) static RESTORE_TASK: Shape = Shape::plain(
    "request",
    &[
        need("of", Takes::Name, "Restore task."),
        need("do", Takes::Word(Words::Of(&["precheck", "start", "delete"])), "What to ask for."),
        REFUSED,
    ],
);

pub(super) static RECOVER: Shape = Shape::plain(
    "recovery",
    &[
        need("instance", Takes::Name, "Redis instance."),
        may("set", Takes::Name, "Backup to recover, by its name, or `latest`; none is named unless given."),
        may("confirm", Takes::Flag, "Whether the overwriting is confirmed; true unless given."),
        REFUSED,
        may("wait", Takes::Flag, "Whether to wait until the instance is Running again; true unless given."),
    ],
);

pub(super) static DOWNLOAD: Shape = Shape::plain(
    "download",
    &[
        need("backup", Takes::Name, "Backup."),
        may(
            "link",
            Takes::Word(Words::Of(&["new", "old"])),
            "The link to use: a new one unless given, or the one an earlier download of this backup was given.",
        ),
        REFUSED,
    ],
);
