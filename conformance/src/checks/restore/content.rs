//! What the target of a restore must hold: the chosen objects under their names, and the rows by the chosen policy
//! (LOG-35 to LOG-46).

use super::scene::Scene;
use crate::checks::migration::content::{belongs_to, find, kind_word, text};
use crate::checks::migration::text::gist;
use crate::checks::temporary::Difference;
use recovery::model::content::{ObjectKind, Row};
use recovery::model::logical::restore::{DataConflict, RestoreObjects};
use recovery::model::logical::views::RestoreView;
use recovery::model::photograph::{Photograph, PhotographedObject, Rows};
use std::collections::{BTreeMap, BTreeSet};

/// An object of the backup that is to be restored.
pub struct Wanted<'v> {
    /// Database.
    pub database: &'v str,
    /// The object in the backup.
    pub object: &'v PhotographedObject,
    /// Its name in the target.
    pub name: &'v str,
}

impl Wanted<'_> {
    /// It in words, by its name in the target.
    pub fn words(&self) -> String {
        words(self.database, self.object.kind, self.name)
    }

    /// It in a content of the target.
    pub fn in_target<'t>(&self, held: &'t Photograph) -> Option<&'t PhotographedObject> {
        find(held, self.database, self.object.kind, self.name)
    }
}

/// An object in words, `table orders of app`.
pub fn words(database: &str, kind: ObjectKind, name: &str) -> String {
    format!("{} {name} of {database}", kind_word(kind))
}

/// Kinds that keep a mapping from being made (LOG-08).
pub const PROGRAMMABLE: [ObjectKind; 4] =
    [ObjectKind::View, ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Trigger];

/// A table's name in the target (LOG-46).
pub fn mapped<'v>(view: &'v RestoreView, database: &str, table: &'v str) -> &'v str {
    let own = view.mapping.iter().find(|mapping| mapping.database == database && mapping.table == table);
    own.map_or(table, |mapping| mapping.table_as.as_str())
}

/// Whether a mapping changes a table's name in a database (C-17).
pub fn renames_in(view: &RestoreView, database: &str) -> bool {
    view.mapping.iter().any(|mapping| mapping.database == database && mapping.table != mapping.table_as)
}

/// Whether an object was chosen (LOG-44, LOG-45).
pub fn chosen(view: &RestoreView, databases: &BTreeSet<String>, database: &str, object: &PhotographedObject) -> bool {
    if !databases.is_empty() && !databases.contains(database) {
        return false;
    }
    let RestoreObjects::Custom { branches } = &view.objects else { return true };
    let table = if object.kind == ObjectKind::Index { belongs_to(object) } else { None };
    branches.iter().filter(|branch| branch.database == database).any(|branch| {
        let own = branch.kind.is_none_or(|kind| kind == object.kind)
            && branch.name.as_ref().is_none_or(|name| *name == object.name);
        let of_table = branch.kind == Some(ObjectKind::Table)
            && table.as_ref().is_some_and(|table| branch.name.as_ref().is_none_or(|name| name == table));
        own || of_table
    })
}

/// The objects a restore is to bring, by what its source held; foreign keys stay behind (LOG-13).
pub fn wanted<'v>(scene: &'v Scene<'_, '_>, truth: &'v Photograph) -> Vec<Wanted<'v>> {
    let view = scene.view();
    let mut found = Vec::new();
    for (database, held) in &truth.databases {
        for object in held.objects.values().filter(|object| object.kind != ObjectKind::ForeignKey) {
            if chosen(view, scene.databases, database, object) {
                let is_table = object.kind == ObjectKind::Table;
                let name = if is_table { mapped(view, database, &object.name) } else { &object.name };
                found.push(Wanted { database, object, name });
            }
        }
    }
    found
}

/// Whether an object may have been made after the full set, which brings no triggers and no events (LOG-09, LOG-10).
pub fn made_in_the_log(scene: &Scene<'_, '_>, database: &str, object: &PhotographedObject) -> bool {
    let of_log = scene.by_time() && matches!(object.kind, ObjectKind::Trigger | ObjectKind::Event);
    let in_set = |set: &Photograph| {
        find(set, database, object.kind, &object.name).is_some_and(|there| there.definition == object.definition)
    };
    of_log && !scene.of_set.is_some_and(in_set)
}

/// How an object that a restore made differs from the one in the backup. What a changed table name makes of a definition
/// is not compared.
pub fn made_otherwise(scene: &Scene<'_, '_>, wanted: &Wanted<'_>, is: &PhotographedObject) -> Option<Difference> {
    let renamed = renames_in(scene.view(), wanted.database);
    let same = gist(&wanted.object.definition, wanted.database) == gist(&is.definition, wanted.database);
    (!renamed && !same).then(|| Difference::Changed { what: format!("definition of {}", wanted.words()) })
}

/// What can be said of one table's rows: `None` where photographs do not tell, else how they differ.
pub fn rows_verdict(scene: &Scene<'_, '_>, table: &Wanted<'_>) -> Option<Option<Difference>> {
    let (was, is) = (table.in_target(scene.was()), table.in_target(scene.is()));
    if scene.stirred(table.database, table.name) {
        return None;
    }
    let held =
        |object: Option<&PhotographedObject>| object.and_then(|object| object.rows.as_ref()).map_or(0, Rows::count);
    let differ = |want: u64| Some(Some(Difference::Rows { what: table.words(), want, got: held(is) }));
    let kept = was.and_then(|was| was.rows.as_ref());
    if !scene.full() {
        let same = kept.map_or(held(is) == 0, |kept| is.and_then(|is| is.rows.as_ref()) == Some(kept));
        return if same { Some(None) } else { differ(kept.map_or(0, Rows::count)) };
    }
    let source = table.object.rows.as_ref()?;
    let Some(is) = is.and_then(|is| is.rows.as_ref()) else {
        // Full data alone makes no table (LOG-35).
        return if scene.structure() { Some(Some(Difference::Missing { what: table.words() })) } else { None };
    };
    match (kept.filter(|kept| kept.count() > 0), source, is) {
        (None, Rows::Whole { columns, rows, .. }, Rows::Whole { columns: is_columns, rows: is, .. }) => {
            if columns != is_columns && was.is_some() {
                return None;
            }
            if columns == is_columns && lines(rows) == lines(is) { Some(None) } else { differ(rows.len() as u64) }
        }
        (None, source, is) => {
            if source == is {
                Some(None)
            } else {
                differ(source.count())
            }
        }
        (Some(kept), source, is) if !unique_besides(table) => {
            merge(scene.view().data_conflict, kept, source).and_then(|want| match is {
                Rows::Whole { rows, .. } if lines(rows) == want => Some(None),
                Rows::Whole { .. } => differ(want.len() as u64),
                Rows::Digest { .. } => None,
            })
        }
        _ => None,
    }
}

/// Whether a table has a unique key besides the one it is sorted by, which photographs do not tell apart.
fn unique_besides(table: &Wanted<'_>) -> bool {
    let definition = table.object.definition.to_lowercase();
    definition.contains("unique") && definition.contains("primary key")
}

/// Rows as sorted text.
fn lines(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<String> = rows.iter().map(|row| text(row.iter())).collect();
    lines.sort();
    lines
}

/// Keys of rows, with the rows as text.
pub fn keyed(rows: &Rows) -> Option<BTreeMap<String, String>> {
    let Rows::Whole { columns, key, rows } = rows else { return None };
    let at: Option<Vec<usize>> = key.iter().map(|key| columns.iter().position(|column| column == key)).collect();
    let at = at.filter(|at| !at.is_empty())?;
    Some(rows.iter().map(|row| (text(at.iter().filter_map(|at| row.get(*at))), text(row.iter()))).collect())
}

/// The rows a table must hold where it held some before; `None` where that cannot be said.
fn merge(policy: DataConflict, kept: &Rows, source: &Rows) -> Option<Vec<String>> {
    let (Rows::Whole { columns, key, rows: was }, Rows::Whole { columns: from_columns, key: from_key, rows }) =
        (kept, source)
    else {
        return None;
    };
    if columns != from_columns || key != from_key {
        return None;
    }
    let mut want = if key.is_empty() {
        [lines(was), lines(rows)].concat()
    } else {
        let (was, come) = (keyed(kept)?, keyed(source)?);
        let both = match policy {
            DataConflict::Ignore | DataConflict::Stop => come.into_iter().chain(was),
            DataConflict::DeleteThenRewrite => was.into_iter().chain(come),
        };
        both.collect::<BTreeMap<String, String>>().into_values().collect()
    };
    want.sort();
    Some(want)
}

/// Keys that a table of the target and the backup have in common.
pub fn conflicts(scene: &Scene<'_, '_>, table: &Wanted<'_>) -> u64 {
    let was = table.in_target(scene.was()).and_then(|was| was.rows.as_ref()).and_then(keyed).unwrap_or_default();
    let come = table.object.rows.as_ref().and_then(keyed).unwrap_or_default();
    let same_key = match (table.in_target(scene.was()).and_then(|was| was.rows.as_ref()), &table.object.rows) {
        (Some(Rows::Whole { key, .. }), Some(Rows::Whole { key: other, .. })) => key == other,
        _ => false,
    };
    if same_key { come.keys().filter(|key| was.contains_key(*key)).count() as u64 } else { 0 }
}

/// The tables a restore is to bring, by what its source held.
pub fn tables<'v>(scene: &'v Scene<'_, '_>, truth: &'v Photograph) -> Vec<Wanted<'v>> {
    wanted(scene, truth).into_iter().filter(|wanted| wanted.object.kind == ObjectKind::Table).collect()
}
