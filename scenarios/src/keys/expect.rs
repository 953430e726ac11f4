//! Keys of the expectations.

use super::steps::{COUNT, KIND, LOGIN, ON, PHASE_STATUS, RESTORE_STATUS, SET_STATUS, STAGE, STATE, STATUS, TYPE};
use super::tables::{DATABASE, NAMES, NETWORK, PASSWORD, TEXTS};
use super::{Form, Shape, Takes, Words, may, need, words_of};
use recovery::model::backup::Node;
use recovery::model::content::ObjectKind;
use recovery::model::instance::Billing;
use recovery::model::logical::backup::SetKind;
use recovery::model::precheck::PrecheckItem;

const NODE: Takes = Takes::Word(Words::Model(words_of::<Node>));

pub(super) static EXPECT: Shape = Shape {
    name: "expectation",
    keys: &[],
    forms: &[
        Form(&[
            ON,
            need("query", Takes::Text, "Query."),
            need(
                "rows",
                Takes::List { of: &Takes::List { of: &Takes::Cell, min: 0, max: 1_000 }, min: 0, max: 10_000 },
                "Rows it gives; `{ null = true }` is NULL, `{ hex = \"00ff\" }` are bytes.",
            ),
            DATABASE,
            LOGIN,
            PASSWORD,
        ]),
        Form(&[
            need("instance", Takes::Name, "Instance."),
            may("state", STATE, "Its state."),
            may("network", NETWORK, "Its network."),
            may("billing", Takes::Word(Words::Model(words_of::<Billing>)), "Its billing."),
            may("region", Takes::Name, "Its region."),
            may("gone", Takes::Flag, "Whether it is released and lets nobody in."),
            may("listed", Takes::Flag, "Whether the list of instances shows it."),
            may("offered", Takes::Flag, "Whether the list of migration sources shows it."),
            may("recovered_to", Takes::Name, "Mark up to which its data is."),
            may("free", Takes::Flag, "Whether it costs nothing."),
            may("ssl", Takes::Flag, "Whether SSL is on."),
            may("whitelisted", TEXTS, "Addresses its whitelist holds, among others."),
        ]),
        Form(&[
            need("task", Takes::Name, "Task."),
            may("status", STATUS, "Its status."),
            may("stage", STAGE, "What the user has done."),
            may(
                "failure",
                Takes::Word(Words::Of(&[
                    "ddl-during-migration",
                    "instance-gone",
                    "unreachable",
                    "refused",
                    "unsupported-ddl",
                    "paused-too-long",
                ])),
                "Why it failed.",
            ),
            may("item", Takes::Table(&ITEM), "One item of its newest precheck."),
            may("phase", TYPE, "A phase of it."),
            may("phase_status", PHASE_STATUS, "How far the phase is; Finished unless given."),
            may("rows", COUNT, "Rows written so far, over all tables."),
            may("absent", Takes::Flag, "Whether the service knows it no more."),
            may("purchase_required", Takes::Flag, "Whether it has to be bought."),
            may("precheck_runs", Takes::Whole { min: 0, max: 4_294_967_295 }, "Number of its newest precheck."),
        ]),
        Form(&[
            need("restore", Takes::Name, "Restore task."),
            may("status", RESTORE_STATUS, "Its status."),
            may(
                "failure",
                Takes::Word(Words::Of(&[
                    "mapping-with-programmable-objects",
                    "object-exists",
                    "data-exists",
                    "instance-gone",
                    "unreachable",
                    "refused",
                    "backup-unreadable",
                    "unsupported-ddl",
                ])),
                "Why it ended early.",
            ),
            may("failure_says", Takes::Text, "Text the failure contains."),
            may("item", Takes::Table(&ITEM), "One item of its newest precheck."),
            may("records", Takes::Map(&COUNT), "Rows written by table, `orders` or `crm.customers`."),
            may("skipped", Takes::Map(&COUNT), "Rows left out by table because the target had them."),
            may("listed", Takes::Flag, "Whether the list of restore tasks shows it."),
        ]),
        Form(&[need("logical_sets", Takes::Table(&LOGICAL_SETS), "How many sets a logical backup task has.")]),
        Form(&[need(
            "logical_restorable",
            Takes::Table(&LOGICAL_RESTORABLE),
            "Whether a mark can be restored from a logical backup task.",
        )]),
        Form(&[
            need("backup", Takes::Name, "Backup."),
            need("listed", Takes::Flag, "Whether the list of its instance's backups shows it."),
            may(
                "from",
                Takes::Time,
                "The list is asked for from this long ago; from as far back as can be unless given.",
            ),
            may("to", Takes::Time, "The list is asked for to this long ago; to now unless given."),
        ]),
        Form(&[
            need("node", NODE, "Node of a Redis instance."),
            need("of", Takes::Name, "Redis instance."),
            may("holds", Takes::Text, "Key that is there."),
            may("lacks", Takes::Text, "Key that is not there."),
        ]),
        Form(&[
            need("same", Takes::Name, "Instance whose content is looked at."),
            need("as_of", Takes::Name, "Mark whose photograph it must equal."),
            may("of", Takes::Name, "Instance of the photograph; the master of a restored instance unless given."),
            may("databases", NAMES, "Databases that are compared; all unless given."),
            may("tables", NAMES, "Tables that are compared, `orders` or `crm.customers`; all unless given."),
        ]),
        Form(&[
            need("unchanged", Takes::Name, "Instance."),
            need("since", Takes::Name, "Mark since which nothing about it changed."),
        ]),
        Form(&[need("backups", Takes::Table(&BACKUPS), "How many completed backups are listed.")]),
        Form(&[need("restorable", Takes::Table(&RESTORABLE), "Whether a mark can be restored.")]),
        Form(&[need("charges", Takes::Table(&CHARGES), "What was charged.")]),
        Form(&[need("object", Takes::Table(&OBJECT), "An object of a database.")]),
    ],
};

static ITEM: Shape = Shape::plain(
    "precheck item",
    &[
        need("name", Takes::Word(Words::Model(words_of::<PrecheckItem>)), "Item."),
        need("result", Takes::Word(Words::Of(&["success", "warning", "failed", "shielded"])), "What came of it."),
        may("cause", Takes::Text, "Text its cause contains."),
        may("remedy", Takes::Text, "Text its remedy contains."),
    ],
);

static BACKUPS: Shape = Shape {
    name: "backups",
    keys: &[need("of", Takes::Name, "Instance."), may("kind", KIND, "Kind; both unless given.")],
    forms: &[Form(&[need("count", COUNT, "Exactly so many.")]), Form(&[need("at_least", COUNT, "So many or more.")])],
};

static RESTORABLE: Shape = Shape {
    name: "restorable",
    keys: &[need("of", Takes::Name, "Instance.")],
    forms: &[
        Form(&[need("contains", Takes::Name, "Mark that can be restored.")]),
        Form(&[need("excludes", Takes::Name, "Mark that cannot be restored.")]),
    ],
};

static LOGICAL_SETS: Shape = Shape {
    name: "logical sets",
    keys: &[
        need("of", Takes::Name, "Logical backup task."),
        may("kind", Takes::Word(Words::Model(words_of::<SetKind>)), "Kind; every kind unless given."),
        may("status", SET_STATUS, "Status; every status unless given."),
    ],
    forms: &[Form(&[need("count", COUNT, "Exactly so many.")]), Form(&[need("at_least", COUNT, "So many or more.")])],
};

static LOGICAL_RESTORABLE: Shape = Shape {
    name: "restorable",
    keys: &[need("of", Takes::Name, "Logical backup task.")],
    forms: &[
        Form(&[need("contains", Takes::Name, "Mark that can be restored.")]),
        Form(&[need("excludes", Takes::Name, "Mark that cannot be restored.")]),
    ],
};

static CHARGES: Shape = Shape {
    name: "charges",
    keys: &[need("of", Takes::Name, "Instance or task.")],
    forms: &[
        Form(&[need("cents", COUNT, "Exactly so many cents.")]),
        Form(&[need("at_least", COUNT, "So many cents or more.")]),
        Form(&[need("none", Takes::Flag, "true: no charge at all.")]),
    ],
};

static OBJECT: Shape = Shape::plain(
    "object",
    &[
        ON,
        DATABASE,
        may("kind", Takes::Word(Words::Model(words_of::<ObjectKind>)), "Kind; table unless given."),
        need("name", Takes::Name, "Name."),
        may("exists", Takes::Flag, "Whether it is there; true unless given."),
        may("definer", Takes::Name, "Its definer."),
        may("security", Takes::Word(Words::Of(&["definer", "invoker"])), "Whose rights it runs with."),
    ],
);
