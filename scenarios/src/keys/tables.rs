//! Keys of the file, the world, the instances and the application.

use super::steps::STEP;
use super::{Key, Shape, Takes, Words, may, need, words_of};
use recovery::model::instance::{NetworkType, Rights, Weekday};

pub(super) const TEXTS: Takes = Takes::List { of: &Takes::Text, min: 0, max: 1_000 };
pub(super) const NAMES: Takes = Takes::List { of: &Takes::Name, min: 1, max: 100 };
pub(super) const TEXT_MAP: Takes = Takes::Map(&Takes::Text);
pub(super) const RIGHTS: Takes = Takes::Word(Words::Model(words_of::<Rights>));
pub(super) const NETWORK: Takes = Takes::Word(Words::Model(words_of::<NetworkType>));
/// A temporary instance alone is free, and nobody asks for it.
pub(super) const BILLING: Takes = Takes::Word(Words::Of(&["pay-as-you-go", "subscription"]));
pub(super) const WEEKDAYS: Takes = Takes::List { of: &Takes::Word(Words::Model(words_of::<Weekday>)), min: 0, max: 7 };
const MILLISECONDS: Takes = Takes::Whole { min: -86_400_000, max: 86_400_000 };

/// The whole file.
pub(crate) static SCENARIO: Shape = Shape::plain(
    "scenario",
    &[
        need("title", Takes::Text, "One sentence for people, saying the outcome."),
        may("covers", TEXTS, "Ids of the rules it exercises; one that was not exercised is a failure."),
        may(
            "case",
            CASES,
            "Cases of this scenario, each a run of its own: `${KEY}` in any text of the file is the value the case gives.",
        ),
        may(
            "seed",
            Takes::Either(&[Takes::Text, Takes::Whole { min: 0, max: i64::MAX }]),
            "Seed that it runs under unless the command says another: a number, or a text like `0x5eed`.",
        ),
        may(
            "tolerant",
            Takes::Flag,
            "Whether a step that comes out otherwise than it says is written down and is no failure; false unless given.",
        ),
        may("world", Takes::Table(&WORLD), "Hosts, latencies and clocks of a simulated run."),
        may("instances", Takes::Map(&Takes::Table(&INSTANCE)), "Instances that are there before the first step."),
        may("application", Takes::Table(&APPLICATION), "An application that keeps inserting rows all the while."),
        need("step", Takes::List { of: &Takes::Table(&STEP), min: 1, max: 1_000 }, "What is done, in order."),
    ],
);

/// The table of cases.
pub(crate) const CASES: Takes = Takes::List { of: &Takes::Open(&CASE), min: 1, max: 100 };

static CASE: Shape = Shape::plain(
    "case",
    &[
        need("name", Takes::Name, "Name in words; each case has its own."),
        may("covers", TEXTS, "Ids of further rules this case exercises."),
        may("title", Takes::Text, "Title of this case; the file's unless given."),
    ],
);

static WORLD: Shape = Shape::plain(
    "world",
    &[
        may("workers", Takes::Whole { min: 0, max: 8 }, "Workers of the migration service; 2 unless given."),
        may(
            "machines",
            Takes::Whole { min: 0, max: 16 },
            "Machines that instances can occupy; as many as the scenario makes instances unless given.",
        ),
        may("latency_ms_max", Takes::Whole { min: 0, max: 1_000 }, "Greatest latency of a message; 2 unless given."),
        may("skew_ms", Takes::Map(&MILLISECONDS), "How far the clock of a host is off, by host."),
        may("region", Takes::Name, "Region of every instance that names none; `region-1` unless given."),
    ],
);

static INSTANCE: Shape = Shape::plain(
    "instance",
    &[
        need(
            "engine",
            Takes::Product,
            "Engine, version, edition and series: `sqlserver 2012 web`, `mysql 5.7`, `redis 7.0`.",
        ),
        may(
            "role",
            Takes::Word(Words::Of(&["primary", "read-only", "disaster-recovery"])),
            "Role; primary unless given.",
        ),
        may("master", Takes::Name, "Master of a read-only or disaster recovery instance."),
        may("region", Takes::Name, "Region; the world's unless given."),
        may("network", NETWORK, "Network; classic unless given."),
        may("billing", BILLING, "Billing; pay-as-you-go unless given."),
        may("account", Takes::Table(&ACCOUNT), "The one account."),
        may(
            "accounts",
            Takes::List { of: &Takes::Table(&ACCOUNT), min: 1, max: 50 },
            "Accounts; steps use the first one unless they name another.",
        ),
        may("ssl", Takes::Flag, "Whether SSL connections are offered."),
        may("whitelist", TEXTS, "Addresses that may connect; `0.0.0.0/0` for all."),
        may("parameters", TEXT_MAP, "Engine parameters to set."),
        may("backup_policy", Takes::Table(&BACKUP_POLICY), "Backup settings; what is left out stays as it is."),
        may(
            "sql",
            Takes::Text,
            "Statements that fill the database `app` (for Redis: commands for database 0), run as the first account.",
        ),
        may("commands", Takes::Text, "Another word for `sql`, for Redis: commands, one a line."),
        may("databases", TEXT_MAP, "Further databases, each with the statements that fill it."),
    ],
);

pub(super) static ACCOUNT: Shape = Shape::plain(
    "account",
    &[
        need("name", Takes::Name, "Name."),
        need("password", Takes::Password, "Password."),
        may("rights", RIGHTS, "Rights on everything; read-write unless given."),
        may("exceptions", Takes::Map(&RIGHTS), "Rights by `database` or `database.table`."),
    ],
);

pub(super) static BACKUP_POLICY: Shape = Shape::plain(
    "backup policy",
    &[
        may("weekdays", WEEKDAYS, "Weekdays of the automatic data backup."),
        may("hour", Takes::Whole { min: 0, max: 255 }, "Hour of the day (UTC) at which it begins."),
        may("log_backup", Takes::Flag, "Whether logs are backed up."),
        may("data_retention_days", Takes::Whole { min: 0, max: 65_535 }, "Days a data backup stays."),
        may("log_retention_days", Takes::Whole { min: 0, max: 65_535 }, "Days a log backup stays."),
    ],
);

pub(super) const PASSWORD: Key =
    may("password", Takes::Password, "Password to log in with; the one the account has unless given.");
pub(super) const DATABASE: Key = may("database", Takes::Name, "Database; `app` unless given, `0` for Redis.");

static APPLICATION: Shape = Shape::plain(
    "application",
    &[
        need("on", Takes::Name, "Instance it writes to."),
        DATABASE,
        need("table", Takes::Name, "Table, with a whole number as key and a text."),
        need("every", Takes::Time, "Pause between two rows."),
        may(
            "columns",
            Takes::List { of: &Takes::Name, min: 2, max: 2 },
            "Columns of the key and of the text; `[\"id\", \"note\"]` unless given.",
        ),
        may("account", Takes::Name, "Account it logs in with; the instance's first one unless given."),
        PASSWORD,
        may(
            "from",
            Takes::Word(Words::Of(&["start", "step"])),
            "Whether it writes from the start or from the step that starts it; from the start unless a step starts it.",
        ),
    ],
);
