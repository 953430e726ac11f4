//! What the engines differ in, as far as a scenario can see it.

use recovery::model::content::ObjectKind::{
    self, Aggregate, Default as DefaultObject, Domain, Event, ForeignKey, Function, Index, PlanGuide, Procedure, Rule,
    Sequence, Synonym, Table, Trigger, Type, View,
};
use recovery::model::{Engine, Product};

/// How an engine behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// The kinds of objects it knows.
    pub kinds: &'static [ObjectKind],
    /// Character set of a database made without one.
    pub charset: &'static str,
    /// Whether views and routines carry `DEFINER` and `SQL SECURITY` in their statements.
    pub definers: bool,
    /// Whether tables can be made by `SELECT … INTO`.
    pub select_into: bool,
    /// Whether a database has a recovery model.
    pub recovery_models: bool,
    /// Whether its log lies in files that can be purged.
    pub log_files: bool,
    /// Whether a database has extensions and event triggers.
    pub extensions: bool,
    /// Parameters the server has, and their values where nobody has set them.
    pub parameters: &'static [(&'static str, &'static str)],
}

const MYSQL: Profile = Profile {
    kinds: &[Table, Index, View, Trigger, Procedure, Function, ForeignKey, Event],
    charset: "utf8",
    definers: true,
    select_into: false,
    recovery_models: false,
    log_files: true,
    extensions: false,
    parameters: &[
        ("binlog_format", "ROW"),
        ("binlog_row_image", "FULL"),
        ("log_bin", "ON"),
        ("log_bin_trust_function_creators", "ON"),
        ("max_allowed_packet", "4194304"),
        ("server_id", "1001"),
    ],
};

const SQL_SERVER: Profile = Profile {
    kinds: &[
        Table,
        Index,
        View,
        Trigger,
        Procedure,
        Function,
        ForeignKey,
        Sequence,
        Synonym,
        Type,
        Rule,
        DefaultObject,
        PlanGuide,
        Aggregate,
    ],
    charset: "gbk",
    definers: false,
    select_into: true,
    recovery_models: true,
    log_files: false,
    extensions: false,
    parameters: &[],
};

const POSTGRESQL: Profile = Profile {
    kinds: &[Table, Index, View, Trigger, Procedure, Function, ForeignKey, Sequence, Type, Rule, Domain, Aggregate],
    charset: "utf8",
    definers: false,
    select_into: true,
    recovery_models: false,
    log_files: false,
    extensions: true,
    parameters: &[("max_prepared_transactions", "0"), ("time_zone", "UTC")],
};

const PPAS: Profile = Profile {
    kinds: &[
        Table, Index, View, Trigger, Procedure, Function, ForeignKey, Sequence, Synonym, Type, Rule, Domain, Aggregate,
    ],
    ..POSTGRESQL
};

/// A key space shows as one table of keys.
const REDIS: Profile = Profile {
    kinds: &[Table],
    charset: "binary",
    definers: false,
    select_into: false,
    recovery_models: false,
    log_files: false,
    extensions: false,
    parameters: &[("maxmemory-policy", "noeviction")],
};

impl Profile {
    /// The profile of a product.
    pub fn of(product: Product) -> Self {
        match product.engine {
            Engine::MySql => MYSQL,
            Engine::SqlServer => SQL_SERVER,
            Engine::PostgreSql => POSTGRESQL,
            Engine::Ppas => PPAS,
            Engine::Redis => REDIS,
        }
    }

    /// Whether it knows that kind of object.
    pub fn knows(self, kind: ObjectKind) -> bool {
        self.kinds.contains(&kind)
    }
}

/// Kinds and their words, as statements and photographs write them.
const WORDS: [(ObjectKind, &str); 16] = [
    (Table, "table"),
    (Index, "index"),
    (View, "view"),
    (Trigger, "trigger"),
    (Procedure, "procedure"),
    (Function, "function"),
    (ForeignKey, "foreign-key"),
    (Sequence, "sequence"),
    (Synonym, "synonym"),
    (Type, "type"),
    (Rule, "rule"),
    (DefaultObject, "default"),
    (PlanGuide, "plan-guide"),
    (Domain, "domain"),
    (Aggregate, "aggregate"),
    (Event, "event"),
];

/// A kind's word.
pub(super) fn word(kind: ObjectKind) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == kind).map_or("object", |(_, word)| word)
}

/// The kind a keyword names.
pub(super) fn kind_of(word: &str) -> Option<ObjectKind> {
    match word.to_ascii_lowercase().as_str() {
        "proc" => Some(Procedure),
        "plan" => Some(PlanGuide),
        lower => WORDS.iter().find(|(_, known)| *known == lower).map(|(kind, _)| *kind),
    }
}
