//! Keys of the steps.

use super::expect::EXPECT;
use super::faults::FAULT;
use super::logical::{
    DATA_SOURCE, DOWNLOAD, LOGICAL_BACKUP, LOGICAL_TASK, RECOVER, REMOVE_DATA_SOURCE, RESTORE, RESTORE_TASK,
};
use super::tables::{ACCOUNT, BACKUP_POLICY, BILLING, DATABASE, NAMES, NETWORK, PASSWORD, RIGHTS, TEXT_MAP, TEXTS};
use super::{Form, Key, Shape, Takes, Words, may, need, words_of};
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::instance::InstanceState;
use recovery::model::logical::backup::SetStatus;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{ConnectionMode, MigrationType, PhaseStatus, SameNameMode, Stage, TaskStatus};

pub(super) const CODE: Takes = Takes::Word(Words::Codes);
const PRECHECK_ITEM: Takes = Takes::Word(Words::Model(words_of::<PrecheckItem>));
pub(super) const KIND: Takes = Takes::Word(Words::Model(words_of::<BackupKind>));
pub(super) const STATE: Takes = Takes::Word(Words::Model(words_of::<InstanceState>));
pub(super) const STATUS: Takes = Takes::Word(Words::Model(words_of::<TaskStatus>));
pub(super) const STAGE: Takes = Takes::Word(Words::Model(words_of::<Stage>));
pub(super) const TYPE: Takes = Takes::Word(Words::Model(words_of::<MigrationType>));
pub(super) const PHASE_STATUS: Takes = Takes::Word(Words::Model(words_of::<PhaseStatus>));
const ITEM: Takes = Takes::Word(Words::Model(words_of::<PrecheckItem>));
const SAME_NAME: Takes = Takes::Word(Words::Model(words_of::<SameNameMode>));
pub(super) const CONNECTION_MODE: Takes = Takes::Word(Words::Model(words_of::<ConnectionMode>));
pub(super) const SET_STATUS: Takes = Takes::Word(Words::Model(words_of::<SetStatus>));
pub(super) const RESTORE_STATUS: Takes = Takes::Word(Words::Model(words_of::<RestoreStatus>));
pub(super) const COUNT: Takes = Takes::Whole { min: 0, max: i64::MAX };

pub(super) const REFUSED: Key = may("refused", CODE, "Code it must be refused with.");
pub(super) const AT_MOST: Key = may("at_most", Takes::Time, "Longest wait; 24h unless given.");
pub(super) const AS: Key = may("as", Takes::Name, "Name it gets in the scenario.");
pub(super) const ON: Key = need("on", Takes::Name, "Instance.");
pub(super) const LOGIN: Key = may("account", Takes::Name, "Account; the instance's first one unless given.");

/// One step.
pub(super) static STEP: Shape = Shape {
    name: "step",
    keys: &[
        may("only", NAMES, "Cases that take this step; all unless given."),
        may("except", NAMES, "Cases that do not take this step."),
    ],
    forms: &[
        Form(&[need("backup", Takes::Either(&[Takes::Name, Takes::Table(&BACKUP)]), "Take a backup.")]),
        Form(&[need("sql", Takes::Table(&SQL), "Run statements on an instance.")]),
        Form(&[need("commands", Takes::Table(&SQL), "The same for Redis: run commands on an instance.")]),
        Form(&[need("mark", Takes::Name, "Name this moment; the instances are photographed.")]),
        Form(&[need("temporary", Takes::Table(&TEMPORARY), "Make a temporary instance.")]),
        Form(&[need("clone", Takes::Table(&CLONE), "Make clone instances.")]),
        Form(&[need("migrate", Takes::Table(&MIGRATE), "Make a migration task and walk it through the whole flow.")]),
        Form(&[need("task", Takes::Table(&TASK), "One request about a task.")]),
        Form(&[need("wait", Takes::Table(&WAIT), "Wait until something is so.")]),
        Form(&[need(
            "data_source",
            Takes::Table(&DATA_SOURCE),
            "Register an instance for logical backup and restore.",
        )]),
        Form(&[need(
            "remove_data_source",
            Takes::Either(&[Takes::Name, Takes::Table(&REMOVE_DATA_SOURCE)]),
            "Remove a data source.",
        )]),
        Form(&[need("logical_backup", Takes::Table(&LOGICAL_BACKUP), "Make a logical backup task.")]),
        Form(&[need("logical_task", Takes::Table(&LOGICAL_TASK), "One request about a logical backup task.")]),
        Form(&[need("restore", Takes::Table(&RESTORE), "Make a restore task and walk it through the whole flow.")]),
        Form(&[need("restore_task", Takes::Table(&RESTORE_TASK), "One request about a restore task.")]),
        Form(&[need("recover", Takes::Table(&RECOVER), "Recover a Redis backup into its own instance.")]),
        Form(&[need(
            "download",
            Takes::Either(&[Takes::Name, Takes::Table(&DOWNLOAD)]),
            "Fetch the file of a Redis backup.",
        )]),
        Form(&[need("release", Takes::Either(&[Takes::Name, Takes::Table(&RELEASE)]), "Release an instance.")]),
        Form(&[need("account", Takes::Table(&ACCOUNT_STEP), "Make, change or drop an account.")]),
        Form(&[need("configure", Takes::Table(&CONFIGURE), "Change an instance's settings.")]),
        Form(&[need("login", Takes::Table(&LOGIN_STEP), "Try to log in to an instance.")]),
        Form(&[need("advance", Takes::Either(&[Takes::Time, Takes::Table(&ADVANCE)]), "Let time pass.")]),
        Form(&[need(
            "application",
            Takes::Word(Words::Of(&["start", "pause", "stop"])),
            "Tell the application to write, to pause or to stop.",
        )]),
        Form(&[need("fault", Takes::Table(&FAULT), "Break something, or heal everything.")]),
        Form(&[need("call", Takes::Table(&CALL), "One raw request to the service.")]),
        Form(&[need("expect", Takes::Table(&EXPECT), "Something must be so now.")]),
    ],
};

static BACKUP: Shape = Shape::plain(
    "backup",
    &[
        need("of", Takes::Name, "Instance."),
        may("kind", KIND, "Data or log; data unless given."),
        AS,
        REFUSED,
        may("wait", Takes::Flag, "Whether to wait until it succeeded; true unless given."),
    ],
);

static SQL: Shape = Shape::plain(
    "sql",
    &[
        ON,
        need("run", Takes::Text, "Statements, parted by semicolons; Redis commands, one a line."),
        LOGIN,
        PASSWORD,
        DATABASE,
        may("error", Takes::Text, "The server must refuse a statement with words that contain this."),
    ],
);

const RESTORE_FORMS: &[Form] = &[
    Form(&[need("to", Takes::Name, "Mark to restore to.")]),
    Form(&[need("set", Takes::Name, "Data backup to restore, by its name, or `latest`.")]),
    Form(&[need(
        "at",
        Takes::Moment,
        "Time to restore to: `2026-01-05T09:30:00Z`, or a mark, `earliest`, `latest` or `now`, moved: `MARK - 1s`.",
    )]),
];
const RESTORE_KEY: Key = may("key", Takes::Name, "Name of an idempotency key; the same name sends the same key.");
const RESTORE_WAIT: Key = may("wait", Takes::Flag, "Whether to wait until it is Running; true unless given.");
const RESTORE_COVERED: Key = may(
    "covered",
    Takes::Flag,
    "Whether to wait first until the service says the point is covered; true unless the step is refused.",
);

static TEMPORARY: Shape = Shape {
    name: "temporary instance",
    keys: &[need("of", Takes::Name, "Master."), AS, REFUSED, RESTORE_KEY, RESTORE_WAIT, RESTORE_COVERED],
    forms: RESTORE_FORMS,
};

static CLONE: Shape = Shape {
    name: "clone",
    keys: &[
        need("of", Takes::Name, "Source."),
        may("as", Takes::Either(&[Takes::Name, NAMES]), "Name of the clone, or names of as many as are ordered."),
        may("billing", BILLING, "Billing; pay-as-you-go unless given."),
        may("network", NETWORK, "Network; the source's unless given."),
        may("count", Takes::Whole { min: 0, max: 255 }, "How many to order; one unless given."),
        may("terms", Takes::Flag, "Whether the terms are ticked; true unless given."),
        may(
            "entry",
            Takes::Word(Words::Of(&["clone-instance", "recover-data"])),
            "Page a Redis clone is ordered from; not said unless given.",
        ),
        REFUSED,
        RESTORE_KEY,
        RESTORE_WAIT,
        RESTORE_COVERED,
    ],
    forms: RESTORE_FORMS,
};

const TYPES: Key = may(
    "types",
    Takes::List { of: &TYPE, min: 0, max: 3 },
    "What is migrated: structure, full, incremental; structure and full unless given.",
);
const OBJECTS: Key =
    may("objects", TEXTS, "Tables: `orders` of the database `app`, `crm.customers`; `app.*` is a whole database.");
const DATABASES: Key = may("databases", NAMES, "Whole databases.");
const COLUMNS: Key =
    may("columns", Takes::Map(&Takes::List { of: &Takes::Name, min: 1, max: 1_000 }), "Columns by table.");
const RENAME: Key =
    may("rename", TEXT_MAP, "Names in the target: by table `orders`, by column `orders.item`, by database `db:app`.");
const SAME_NAME_KEY: Key = may("same_name", SAME_NAME, "What a table of the same name means; stop unless given.");
const WITHOUT_ADVICE: Key = may(
    "without_advice",
    Takes::List { of: &ITEM, min: 1, max: 100 },
    "Advisory precheck items that are not looked at; all are unless given.",
);
const CONNECTION: Key = may("connection", Takes::Table(&CONNECTIONS), "Connection mode of each side.");
const SOURCE: Key = may("source", Takes::Table(&SIDE), "Account and password on the source.");
const TARGET: Key = may("target", Takes::Table(&SIDE), "Account and password on the target.");
const TERMS: Key = may("terms", Takes::Flag, "Whether the terms are ticked at the purchase; true unless given.");

static MIGRATE: Shape = Shape::plain(
    "migration",
    &[
        need("from", Takes::Name, "Source instance."),
        need("into", Takes::Name, "Target instance."),
        OBJECTS,
        DATABASES,
        TYPES,
        AS,
        may("name", Takes::Text, "Name the task gets in the service."),
        COLUMNS,
        RENAME,
        SAME_NAME_KEY,
        WITHOUT_ADVICE,
        CONNECTION,
        SOURCE,
        TARGET,
        may(
            "until",
            Takes::Word(Words::Of(&[
                "configured",
                "authorised",
                "selected",
                "prechecked",
                "confirmed",
                "running",
                "caught-up",
                "finished",
            ])),
            "How far to go; finished unless given, caught-up with incremental.",
        ),
        may(
            "ends",
            Takes::Word(Words::Of(&["finished", "precheck-failed", "failed"])),
            "What comes of it; finished unless given.",
        ),
        REFUSED,
        TERMS,
        may("at_most", Takes::Time, "Longest wait for each stage; 24h unless given."),
    ],
);

static CONNECTIONS: Shape = Shape::plain(
    "connection",
    &[
        may("source", CONNECTION_MODE, "Connection to the source; plain unless given."),
        may("target", CONNECTION_MODE, "Connection to the target; plain unless given."),
    ],
);

static SIDE: Shape = Shape::plain(
    "side",
    &[
        may("account", Takes::Name, "Account; the instance's first one unless given."),
        may("password", Takes::Password, "Password; the one the account has unless given."),
    ],
);

static TASK: Shape = Shape::plain(
    "task",
    &[
        need("of", Takes::Name, "Task."),
        need(
            "do",
            Takes::Word(Words::Of(&[
                "authorise",
                "select",
                "shield",
                "unshield",
                "precheck",
                "confirm",
                "purchase",
                "start",
                "pause",
                "resume",
                "stop",
                "delete",
                "edit",
            ])),
            "What to ask for.",
        ),
        REFUSED,
        may(
            "items",
            Takes::List { of: &PRECHECK_ITEM, min: 0, max: 100 },
            "For shield and unshield: precheck items by code.",
        ),
        may("terms", Takes::Flag, "For purchase: whether the terms are ticked; true unless given."),
        OBJECTS,
        DATABASES,
        TYPES,
        COLUMNS,
        RENAME,
        SAME_NAME_KEY,
        WITHOUT_ADVICE,
        may("name", Takes::Text, "For edit: the new name in the service."),
        may("from", Takes::Name, "For edit: the new source."),
        may("into", Takes::Name, "For edit: the new target."),
        CONNECTION,
        SOURCE,
        TARGET,
    ],
);

/// What can be waited for.
pub(super) const CONDITIONS: &[Form] = &[
    Form(&[
        need("task", Takes::Name, "Task."),
        may("status", STATUS, "Its status."),
        may("stage", STAGE, "What the user has done."),
        may("phase", TYPE, "A phase of it."),
        may("phase_status", PHASE_STATUS, "How far the phase has got at least; Migrating unless given."),
        may("rows", COUNT, "Rows copied at least."),
    ]),
    Form(&[need("instance", Takes::Name, "Instance."), need("state", STATE, "Its state.")]),
    Form(&[
        need("backup", Takes::Name, "Backup."),
        may("status", Takes::Word(Words::Model(words_of::<BackupStatus>)), "Its status; success unless given."),
    ]),
    Form(&[need("restorable", Takes::Name, "Instance."), need("contains", Takes::Name, "Mark that can be restored.")]),
    Form(&[
        need("restore", Takes::Name, "Restore task."),
        may("status", RESTORE_STATUS, "Its status."),
        may("records", COUNT, "Rows written at least."),
    ]),
    Form(&[
        need("logical_set", Takes::Name, "Set of a logical backup."),
        may("status", SET_STATUS, "Its status; completed unless given."),
    ]),
    Form(&[
        need("logical_restorable", Takes::Name, "Logical backup task."),
        need("contains", Takes::Name, "Mark that can be restored from it."),
    ]),
];

static WAIT: Shape = Shape { name: "wait", keys: &[AT_MOST], forms: CONDITIONS };

static RELEASE: Shape = Shape::plain("release", &[need("instance", Takes::Name, "Instance."), REFUSED]);

static ACCOUNT_STEP: Shape = Shape {
    name: "account",
    keys: &[ON, REFUSED],
    forms: &[
        Form(&[need("create", Takes::Table(&ACCOUNT), "Account to make.")]),
        Form(&[
            need("name", Takes::Name, "Account to change."),
            may("password", Takes::Password, "New password."),
            may("rights", RIGHTS, "New rights on everything."),
            may("exceptions", Takes::Map(&RIGHTS), "New rights by `database` or `database.table`."),
        ]),
        Form(&[need("drop", Takes::Name, "Account to drop.")]),
    ],
};

static CONFIGURE: Shape = Shape::plain(
    "configuration",
    &[
        ON,
        may("whitelist", TEXTS, "Addresses that may connect, instead of those before."),
        may("add_whitelist", TEXTS, "Addresses to add."),
        may("remove_whitelist", TEXTS, "Addresses to take away."),
        may("ssl", Takes::Flag, "Whether SSL connections are offered."),
        may("parameters", TEXT_MAP, "Engine parameters to set."),
        may("backup_policy", Takes::Table(&BACKUP_POLICY), "Backup settings; what is left out stays as it is."),
        may(
            "alarm_thresholds",
            Takes::Map(&Takes::Whole { min: 0, max: 4_294_967_295 }),
            "Alarm thresholds by metric.",
        ),
        REFUSED,
    ],
);

static LOGIN_STEP: Shape = Shape::plain(
    "login",
    &[
        ON,
        LOGIN,
        may("password", Takes::Password, "Password; the one the account has unless given."),
        may("ssl", Takes::Flag, "Whether to ask for SSL; false unless given."),
        may(
            "from",
            Takes::Word(Words::Of(&["application", "operator", "stranger"])),
            "Where it comes from; operator unless given. A stranger is on no whitelist.",
        ),
        may("ok", Takes::Flag, "true: it must be let in, which is so unless `refused` is given."),
        may("refused", Takes::Text, "The server must say no with words that contain this."),
    ],
);

static ADVANCE: Shape = Shape {
    name: "advance",
    keys: &[],
    forms: &[
        Form(&[need("to", Takes::Text, "`rescue expires - 1s`, or a mark, moved: `MARK + 30m`.")]),
        Form(&[need("until", Takes::Table(&EXPIRY), "To when an instance expires, moved.")]),
    ],
};

static EXPIRY: Shape = Shape::plain(
    "expiry",
    &[need("instance", Takes::Name, "Instance."), need("expiry", Takes::Shift, "Moved by this: `-1s`, `+0s`.")],
);

static CALL: Shape = Shape::plain(
    "call",
    &[
        may(
            "method",
            Takes::Word(Words::Of(&["GET", "POST", "PUT", "PATCH", "DELETE"])),
            "Method; GET unless given, POST with a body.",
        ),
        need("path", Takes::Text, "Path; `{NAME}` in it is the id of an instance, backup, task, data source or set."),
        may("body", Takes::Json, "Body, sent as JSON; a text `{NAME}` in it is an id as in the path."),
        may("raw", Takes::Text, "Body, sent as it stands."),
        may("key", Takes::Name, "Name of an idempotency key; the same name sends the same key."),
        may("token", Takes::Word(Words::Of(&["right", "wrong", "none"])), "Access token; right unless given."),
        may("status", Takes::Whole { min: 100, max: 599 }, "HTTP status it must be answered with."),
        may("code", CODE, "Code it must be refused with."),
        may("contains", Takes::Text, "Text the answer's body must hold."),
    ],
);
