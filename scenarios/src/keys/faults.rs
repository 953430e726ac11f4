//! Keys of the faults.

use super::steps::{CONDITIONS, COUNT, KIND, LOGIN, ON};
use super::tables::{DATABASE, PASSWORD, RIGHTS, TEXTS};
use super::{Form, Shape, Takes, Words, may, need};

const HOST_PAIR: Takes = Takes::List { of: &Takes::Host, min: 2, max: 2 };
const LATENCY: Takes = Takes::Whole { min: 0, max: 600_000 };
const DAY_MS: Takes = Takes::Whole { min: -86_400_000, max: 86_400_000 };
const REQUESTS: Takes = Takes::Whole { min: 1, max: 1_000 };

/// A fault.
pub(super) static FAULT: Shape = Shape {
    name: "fault",
    keys: &[
        may("for", Takes::Time, "How long it lasts; until healed unless given."),
        may("when", Takes::Table(&WHEN), "Happens as soon as this is so, in the background; never unless it comes so."),
        may(
            "after",
            Takes::List { of: &Takes::Time, min: 2, max: 2 },
            "Happens a random delay later, between these two.",
        ),
        may("background", Takes::Flag, "Whether the next step begins at once; false unless given, true with `when`."),
    ],
    forms: &[
        Form(&[
            need("crash", Takes::Host, "Host that loses its memory and what its disk had not synced."),
            may("torn", Takes::Flag, "Whether the last unsynced write is torn rather than lost; false unless given."),
        ]),
        Form(&[need("restart", Takes::Host, "Crashed host that starts again.")]),
        Form(&[
            need("partition", HOST_PAIR, "Two hosts between which nothing passes."),
            may("oneway", Takes::Flag, "Whether only messages from the first to the second are lost."),
        ]),
        Form(&[need("hold", HOST_PAIR, "Two hosts between which messages wait.")]),
        Form(&[
            need("slow", HOST_PAIR, "Two hosts between which messages take long."),
            need("latency_ms", LATENCY, "How long."),
        ]),
        Form(&[
            need("reorder", HOST_PAIR, "Two hosts between which messages overtake one another."),
            need("latency_ms", LATENCY, "Longest time of a message; each has its own."),
        ]),
        Form(&[need("reset", HOST_PAIR, "Two hosts whose open connections break, on both sides at once.")]),
        Form(&[need("pause", Takes::Host, "Host that stands still and keeps its memory.")]),
        Form(&[need("disk_full", Takes::Host, "Service or machine whose disk takes nothing more.")]),
        Form(&[
            need("skew", Takes::Host, "Host whose clock is off from now on."),
            need("ms", DAY_MS, "By how much; fast when positive."),
        ]),
        Form(&[
            need("jump", Takes::Host, "Host whose clock is set forward or back, from where it is."),
            need("ms", DAY_MS, "By how much; forward when positive."),
        ]),
        Form(&[
            need("twice", REQUESTS, "So many of the next requests that change something are sent twice."),
            may("at_once", Takes::Flag, "Whether both at the same time; one after the other unless given."),
        ]),
        Form(&[need(
            "answers_lost",
            REQUESTS,
            "So many of the next requests with an idempotency key have their effect, but the answer is lost.",
        )]),
        Form(&[need(
            "client_zone",
            Takes::Text,
            "Zone in whose local time the operator states times, with the offset.",
        )]),
        Form(&[need("ddl", Takes::Table(&STATEMENTS), "Somebody changes definitions.")]),
        Form(&[need("sql", Takes::Table(&STATEMENTS), "Somebody runs statements.")]),
        Form(&[need("rights", Takes::Table(&NEW_RIGHTS), "Somebody gives an account other rights.")]),
        Form(&[need("password", Takes::Table(&NEW_PASSWORD), "Somebody changes a password.")]),
        Form(&[need("drop_account", Takes::Table(&OLD_ACCOUNT), "Somebody drops an account.")]),
        Form(&[need("ssl", Takes::Table(&SSL), "Somebody switches SSL on or off.")]),
        Form(&[need("whitelist", Takes::Table(&WHITELIST), "Somebody changes the whitelist.")]),
        Form(&[need("delete", Takes::Name, "Instance that somebody releases.")]),
        Form(&[need("damage", Takes::Table(&DAMAGE), "A backup goes bad where it lies.")]),
        Form(&[need("log_gap", Takes::Name, "Instance whose newest log backup is lost.")]),
        Form(&[need(
            "log_file_lost",
            Takes::Name,
            "MySQL instance whose log files up to now are gone, though it lists them.",
        )]),
        Form(&[need("failover", Takes::Name, "Instance of which another node becomes the master.")]),
        Form(&[need("version", Takes::Table(&VERSION), "The engine of an instance is upgraded or downgraded.")]),
        Form(&[need("lag", Takes::Table(&LAG), "The replica of an instance falls behind.")]),
        Form(&[need("time_zone", Takes::Table(&TIME_ZONE), "The server of an instance is set to another time zone.")]),
        Form(&[need("vanish", Takes::Name, "Instance that its machine loses; the service is not told.")]),
        Form(&[need("heal", Takes::Flag, "true: everything is well again.")]),
    ],
};

static WHEN: Shape = Shape { name: "condition", keys: &[], forms: CONDITIONS };

static STATEMENTS: Shape = Shape::plain(
    "statements",
    &[
        ON,
        need("run", Takes::Text, "Statements, parted by semicolons; Redis commands, one a line."),
        LOGIN,
        PASSWORD,
        DATABASE,
    ],
);

static NEW_RIGHTS: Shape = Shape::plain(
    "rights",
    &[
        ON,
        need("name", Takes::Name, "Account."),
        need("rights", RIGHTS, "New rights on everything."),
        may("exceptions", Takes::Map(&RIGHTS), "New rights by `database` or `database.table`."),
    ],
);

static NEW_PASSWORD: Shape = Shape::plain(
    "password",
    &[ON, need("name", Takes::Name, "Account."), need("password", Takes::Password, "New password.")],
);

static OLD_ACCOUNT: Shape = Shape::plain("account", &[ON, need("name", Takes::Name, "Account.")]);

static SSL: Shape = Shape::plain("SSL switch", &[ON, need("enabled", Takes::Flag, "Whether SSL is offered.")]);

static WHITELIST: Shape = Shape::plain(
    "whitelist",
    &[ON, may("remove", TEXTS, "Addresses to take away."), may("add", TEXTS, "Addresses to add.")],
);

static DAMAGE: Shape = Shape {
    name: "damage",
    keys: &[need(
        "how",
        Takes::Word(Words::Of(&["corrupt", "missing", "half"])),
        "Other bytes, no file any more, or only its first half.",
    )],
    forms: &[
        Form(&[need("backup", Takes::Name, "Backup, or set of a logical backup task, by its name.")]),
        Form(&[need("newest", Takes::Table(&NEWEST), "The newest completed backup of an instance.")]),
    ],
};

static NEWEST: Shape = Shape::plain(
    "newest backup",
    &[need("of", Takes::Name, "Instance."), may("kind", KIND, "Data or log; data unless given.")],
);

static VERSION: Shape = Shape::plain(
    "version",
    &[need("of", Takes::Name, "Instance."), need("engine", Takes::Product, "Engine from now on: `mysql 5.6`.")],
);

static LAG: Shape =
    Shape::plain("lag", &[need("of", Takes::Name, "Instance."), need("ms", COUNT, "How far it is behind.")]);

static TIME_ZONE: Shape = Shape::plain(
    "time zone",
    &[need("of", Takes::Name, "Instance."), need("zone", Takes::Text, "`UTC`, `+02:00` or `Europe/Berlin`.")],
);
