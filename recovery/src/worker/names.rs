//! Names that are taken: which objects of a database cannot bear the same name.

use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};

/// A kind's word.
#[must_use]
pub fn word(kind: ObjectKind) -> String {
    format!("{kind:?}").to_lowercase()
}

/// Whether an object that is there has the name that another is to be made with.
#[must_use]
pub fn takes_name(engine: Engine, there: &Object, wanted: &Object) -> bool {
    let of_table = named_by_database(engine, wanted.kind) || there.table == wanted.table;
    of_table && clash(engine, there, wanted.kind, &wanted.name)
}

/// Whether an object's name is its own in the whole database. Names of indexes mostly belong to their table, those of
/// foreign keys always; they clash only where the tables do.
#[must_use]
pub fn named_by_database(engine: Engine, kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::ForeignKey => false,
        ObjectKind::Index => matches!(engine, Engine::PostgreSql | Engine::Ppas),
        _ => true,
    }
}

/// Whether an object of a database keeps another of this kind and name from being made.
#[must_use]
pub fn clash(engine: Engine, there: &Object, kind: ObjectKind, name: &str) -> bool {
    // SQL Server does not tell upper from lower case in names unless asked to.
    let same_name = match engine {
        Engine::SqlServer => there.name.eq_ignore_ascii_case(name),
        Engine::MySql | Engine::PostgreSql | Engine::Ppas | Engine::Redis => there.name == name,
    };
    let relations = [ObjectKind::Table, ObjectKind::View, ObjectKind::Sequence, ObjectKind::Synonym];
    same_name && (there.kind == kind || (relations.contains(&kind) && relations.contains(&there.kind)))
}
