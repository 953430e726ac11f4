//! What the target of a migration must hold, told by the photographs of both sides (DTS-05, DTS-07, C-14, C-16).

use super::scene::{Scene, follows};
use super::text::{gist, name_after};
use crate::checks::temporary::Difference;
use recovery::model::Engine;
use recovery::model::content::{ObjectKind, Row};
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use recovery::model::task::Selection;
use recovery::model::views::TaskView;
use std::collections::{BTreeMap, BTreeSet};

/// A table that is to be moved, and where to.
pub struct Move<'v> {
    /// Database in the source.
    pub database: &'v str,
    /// Table in the source.
    pub table: &'v str,
    /// Database in the target.
    pub to_database: &'v str,
    /// Table in the target.
    pub to_table: &'v str,
    /// The selection of the table itself; none where the whole database was chosen.
    pub selection: Option<&'v Selection>,
    /// The table in the source.
    pub object: &'v PhotographedObject,
}

impl<'v> Move<'v> {
    /// A column's name in the target; none when it was not chosen.
    pub fn column(&self, name: &'v str) -> Option<&'v str> {
        let Some(selection) = self.selection else { return Some(name) };
        let chosen = selection.columns.as_ref().is_none_or(|columns| columns.iter().any(|column| column == name));
        chosen.then(|| selection.columns_as.get(name).map_or(name, String::as_str))
    }

    /// Whether all columns go along under their own names.
    pub fn keeps_columns(&self) -> bool {
        self.selection.is_none_or(|selection| selection.columns.is_none() && selection.columns_as.is_empty())
    }

    /// The table as `table orders of app`, by its name in the target.
    pub fn words(&self) -> String {
        format!("table {} of {}", self.to_table, self.to_database)
    }
}

/// The selection of a database as a whole.
pub fn whole<'v>(view: &'v TaskView, database: &str) -> Option<&'v Selection> {
    view.objects.iter().find(|selection| selection.database == database && selection.table.is_none())
}

/// The tables of a source that a task is to move.
pub fn moves<'v>(view: &'v TaskView, source: &'v Photograph) -> Vec<Move<'v>> {
    let mut found = Vec::new();
    for (database, held) in &source.databases {
        for object in held.objects.values().filter(|object| object.kind == ObjectKind::Table) {
            let own = view
                .objects
                .iter()
                .find(|selection| selection.database == *database && selection.table.as_deref() == Some(&object.name));
            let Some(selection) = own.or_else(|| whole(view, database)) else { continue };
            found.push(Move {
                database,
                table: &object.name,
                to_database: selection.database_as.as_deref().unwrap_or(database),
                to_table: own.and_then(|own| own.table_as.as_deref()).unwrap_or(&object.name),
                selection: own,
                object,
            });
        }
    }
    found
}

/// An object of a photograph.
pub fn find<'v>(held: &'v Photograph, database: &str, kind: ObjectKind, name: &str) -> Option<&'v PhotographedObject> {
    held.databases.get(database)?.objects.values().find(|object| object.kind == kind && object.name == name)
}

/// The table an index, trigger or foreign key belongs to.
pub fn belongs_to(object: &PhotographedObject) -> Option<String> {
    let keyword = if object.kind == ObjectKind::ForeignKey { "table" } else { "on" };
    name_after(&object.definition, keyword)
}

/// The first difference between what the target of a scene must hold and what it holds, measured by a photograph of the
/// source; nothing is said of tables the target's users wrote to (`disturbed`).
pub fn content_difference(
    scene: &Scene<'_, '_>,
    source: &Photograph,
    disturbed: &dyn Fn(&str, &str) -> bool,
) -> Option<Difference> {
    let moved = moves(scene.view(), source);
    let judged = || moved.iter().filter(|table| !disturbed(table.to_database, table.to_table));
    judged().find_map(|table| table_difference(scene, table)).or_else(|| extra_table(scene, &moved, disturbed)).or_else(
        || {
            if scene.structure() {
                judged().find_map(|table| dependent_difference(scene, source, &moved, table))
            } else {
                None
            }
        },
    )
}

/// The first difference in one table: that it is there, its columns and key, and its rows.
pub fn table_difference(scene: &Scene<'_, '_>, table: &Move<'_>) -> Option<Difference> {
    let before = find(scene.was(), table.to_database, ObjectKind::Table, table.to_table);
    let Some(after) = find(scene.is(), table.to_database, ObjectKind::Table, table.to_table) else {
        return Some(Difference::Missing { what: table.words() });
    };
    let made = scene.structure() && before.is_none();
    if let Some(what) = changed_columns(table, after, made) {
        return Some(Difference::Changed { what });
    }
    let same_text = || gist(&table.object.definition, table.database) == gist(&after.definition, table.to_database);
    if made && table.keeps_columns() && table.table == table.to_table && !same_text() {
        return Some(Difference::Changed { what: format!("definition of {}", table.words()) });
    }
    rows_difference(scene, table, before, after)
}

fn changed_columns(table: &Move<'_>, after: &PhotographedObject, made: bool) -> Option<String> {
    let (Some(Rows::Whole { columns, key, .. }), Some(Rows::Whole { columns: got, key: got_key, .. })) =
        (&table.object.rows, &after.rows)
    else {
        return None;
    };
    let want: Vec<&str> = columns.iter().filter_map(|column| table.column(column)).collect();
    let want_key: Option<Vec<&str>> = key.iter().map(|column| table.column(column)).collect();
    let fits = if made { want == *got } else { want.iter().all(|column| got.iter().any(|other| other == column)) };
    if !fits {
        return Some(format!("columns of {}", table.words()));
    }
    (made && want_key.unwrap_or_default() != *got_key).then(|| format!("key of {}", table.words()))
}

fn rows_difference(
    scene: &Scene<'_, '_>,
    table: &Move<'_>,
    before: Option<&PhotographedObject>,
    after: &PhotographedObject,
) -> Option<Difference> {
    let (source, after) = (table.object.rows.as_ref()?, after.rows.as_ref()?);
    let before = before.and_then(|before| before.rows.as_ref());
    let kept = before.filter(|rows| rows.count() > 0);
    let differ = |want: u64| Some(Difference::Rows { what: table.words(), want, got: after.count() });
    if !scene.full() {
        // Without the rows being ticked there are those that were there.
        let want = kept.map_or(0, Rows::count);
        let same = kept.is_none_or(|kept| kept == after) && after.count() == want;
        return if follows(scene.view()) || same { None } else { differ(want) };
    }
    match (kept, source, after) {
        (Some(_), ..) if follows(scene.view()) => None,
        (
            Some(Rows::Whole { columns: was_columns, key: was_key, rows: was }),
            Rows::Whole { columns, key, rows },
            Rows::Whole { columns: is_columns, rows: is, .. },
        ) => {
            let placed = place(table, columns, rows, is_columns)?;
            let merged =
                Merge { key: was_key, columns: is_columns, was: &rearranged(was_columns, was, is_columns)?, is };
            let own: Option<Vec<&str>> = key.iter().map(|column| table.column(column)).collect();
            let same_key = own.is_some_and(|own| own == *was_key);
            (same_key && !merged.holds(&placed)).then(|| Difference::Rows {
                what: table.words(),
                want: merged.want(&placed),
                got: is.len() as u64,
            })
        }
        (Some(_), ..) => None,
        (None, Rows::Whole { columns, key, rows }, Rows::Whole { columns: is_columns, rows: is, .. }) => {
            let placed = place(table, columns, rows, is_columns)?;
            let same = if key.is_empty() {
                same_or_doubled(&placed.rows, &placed.project(is))
            } else {
                sorted(&placed.rows) == sorted(&placed.project(is))
            };
            if same { None } else { differ(rows.len() as u64) }
        }
        (None, Rows::Digest { count, sha256 }, Rows::Digest { count: got, sha256: is }) => {
            let comparable = table.selection.is_none_or(|selection| selection.columns.is_none()) && before.is_none();
            if *count == *got {
                if comparable && sha256 != is { differ(*count) } else { None }
            } else {
                count_difference(table, *count, *got)
            }
        }
        (None, source, after) => count_difference(table, source.count(), after.count()),
    }
}

/// Counts of a table with a key must agree; a table without may have got rows twice (DTS-19). Tables of many rows do not
/// show their key, so that only a loss is certain.
fn count_difference(table: &Move<'_>, want: u64, got: u64) -> Option<Difference> {
    let wrong = if is_keyed(table.object) { want != got } else { got < want };
    wrong.then(|| Difference::Rows { what: table.words(), want, got })
}

/// Whether a table has a key.
pub fn is_keyed(table: &PhotographedObject) -> bool {
    match &table.rows {
        Some(Rows::Whole { key, .. }) => !key.is_empty(),
        _ => table.definition.to_lowercase().contains("primary key"),
    }
}

/// Rows of the source with the columns the target has of them.
struct Placed {
    /// Where each moved column stands in the target.
    at: Vec<usize>,
    /// Rows by the moved columns.
    rows: Vec<String>,
}

impl Placed {
    fn project(&self, rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| text(self.at.iter().filter_map(|at| row.get(*at)))).collect()
    }
}

fn place(table: &Move<'_>, columns: &[String], rows: &[Row], target: &[String]) -> Option<Placed> {
    let moved: Vec<(usize, &str)> =
        columns.iter().enumerate().filter_map(|(at, column)| Some((at, table.column(column)?))).collect();
    let at: Option<Vec<usize>> =
        moved.iter().map(|(_, name)| target.iter().position(|column| column == name)).collect();
    let rows = rows.iter().map(|row| text(moved.iter().filter_map(|(at, _)| row.get(*at)))).collect();
    Some(Placed { at: at?, rows })
}

fn rearranged(columns: &[String], rows: &[Row], into: &[String]) -> Option<Vec<Row>> {
    let at: Option<Vec<usize>> = into.iter().map(|column| columns.iter().position(|other| other == column)).collect();
    let at = at?;
    Some(rows.iter().map(|row| at.iter().filter_map(|at| row.get(*at).cloned()).collect()).collect())
}

/// Values as text that can be compared and sorted.
pub fn text<'v>(values: impl Iterator<Item = &'v recovery::model::content::Value>) -> String {
    serde_json::to_string(&values.collect::<Vec<_>>()).unwrap_or_default()
}

fn sorted(rows: &[String]) -> Vec<&String> {
    let mut rows: Vec<&String> = rows.iter().collect();
    rows.sort();
    rows
}

/// A table without a key may get rows twice (DTS-19), and loses none.
fn same_or_doubled(want: &[String], got: &[String]) -> bool {
    let (want, got) = (counts(want), counts(got));
    want.keys().eq(got.keys()) && want.iter().all(|(row, often)| got[row] >= *often)
}

/// How often each row stands there.
fn counts(rows: &[String]) -> BTreeMap<&String, usize> {
    let mut counts = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row).or_default() += 1);
    counts
}

/// Rows of a target that had some already: those stay, and those of the source with other keys come (C-14).
struct Merge<'r> {
    key: &'r [String],
    columns: &'r [String],
    was: &'r [Row],
    is: &'r [Row],
}

impl Merge<'_> {
    fn keys(&self, placed: &Placed) -> (BTreeSet<String>, Vec<String>) {
        let at: Vec<usize> =
            self.key.iter().filter_map(|key| self.columns.iter().position(|column| column == key)).collect();
        let in_moved: Vec<usize> = at.iter().filter_map(|at| placed.at.iter().position(|other| other == at)).collect();
        let kept = self.was.iter().map(|row| text(at.iter().filter_map(|at| row.get(*at)))).collect();
        let moved = placed.rows.iter().map(|row| {
            let row: Row = serde_json::from_str(row).unwrap_or_default();
            text(in_moved.iter().filter_map(|at| row.get(*at)))
        });
        (kept, moved.collect())
    }

    fn want(&self, placed: &Placed) -> u64 {
        if self.key.is_empty() {
            return (self.was.len() + placed.rows.len()) as u64;
        }
        let (kept, moved) = self.keys(placed);
        (self.was.len() + moved.iter().filter(|key| !kept.contains(*key)).count()) as u64
    }

    /// Without a key no row of the source stands for one that is there, so that all come, some perhaps twice (DTS-19):
    /// none of either side is lost, and there are no others.
    fn holds_without_a_key(&self, placed: &Placed) -> bool {
        let whole = |rows: &[Row]| rows.iter().map(|row| text(row.iter())).collect::<Vec<_>>();
        let (was, is, parts) = (whole(self.was), whole(self.is), placed.project(self.is));
        let enough = |want: &[String], got: &[String]| {
            let got = counts(got);
            counts(want).iter().all(|(row, often)| got.get(row).is_some_and(|found| found >= often))
        };
        let known = |at: usize| was.contains(&is[at]) || placed.rows.contains(&parts[at]);
        enough(&was, &is)
            && enough(&placed.rows, &parts)
            && self.is.len() as u64 >= self.want(placed)
            && (0..is.len()).all(known)
    }

    fn holds(&self, placed: &Placed) -> bool {
        if self.key.is_empty() {
            return self.holds_without_a_key(placed);
        }
        let (kept, moved) = self.keys(placed);
        let whole: BTreeSet<String> = self.is.iter().map(|row| text(row.iter())).collect();
        let parts: BTreeSet<String> = placed.project(self.is).into_iter().collect();
        let new = placed.rows.iter().zip(&moved).filter(|(_, key)| !kept.contains(*key));
        self.was.iter().all(|row| whole.contains(&text(row.iter())))
            && new.into_iter().all(|(row, _)| parts.contains(row))
            && self.is.len() as u64 == self.want(placed)
    }
}

/// A table in the target that was not there before and that nobody chose, or that the source has no more.
fn extra_table(
    scene: &Scene<'_, '_>,
    moved: &[Move<'_>],
    disturbed: &dyn Fn(&str, &str) -> bool,
) -> Option<Difference> {
    for (database, held) in &scene.is().databases {
        for object in held.objects.values().filter(|object| object.kind == ObjectKind::Table) {
            let chosen = moved.iter().any(|table| table.to_database == database && table.to_table == object.name);
            let was = find(scene.was(), database, ObjectKind::Table, &object.name).is_some();
            if !chosen && !was && !disturbed(database, &object.name) {
                return Some(Difference::Extra { what: format!("table {} of {database}", object.name) });
            }
        }
    }
    None
}

/// Indexes and foreign keys of a moved table: there, switched on as in the source, and pointing at the parents' new names;
/// those that stood in the target before stay as they were (C-14).
fn dependent_difference(
    scene: &Scene<'_, '_>,
    source: &Photograph,
    moved: &[Move<'_>],
    table: &Move<'_>,
) -> Option<Difference> {
    if table.selection.is_some_and(|selection| selection.columns.is_some()) {
        return None;
    }
    let held: &PhotographedDatabase = source.databases.get(table.database)?;
    let dependents =
        held.objects.values().filter(|object| matches!(object.kind, ObjectKind::Index | ObjectKind::ForeignKey));
    dependents.filter(|object| belongs_to(object).as_deref() == Some(table.table)).find_map(|object| {
        let word = if object.kind == ObjectKind::Index { "index" } else { "foreign key" };
        let what = format!("{word} {} of {}", object.name, table.words());
        let parents: Option<Vec<&str>> = object
            .needs
            .iter()
            .map(|need| {
                moved
                    .iter()
                    .find(|other| other.database == table.database && other.table == need)
                    .map(|other| other.to_table)
            })
            .collect();
        // A foreign key whose parent stays behind is another rule's (DTS-14).
        let parents = parents?;
        let Some(found) = find(scene.is(), table.to_database, object.kind, &object.name) else {
            return Some(Difference::Missing { what });
        };
        let before = find(scene.was(), table.to_database, object.kind, &object.name);
        let same = match before.filter(|before| belongs_to(before).as_deref() == Some(table.to_table)) {
            Some(before) => found.enabled == before.enabled && found.needs == before.needs,
            None => found.enabled == object.enabled && found.needs == parents,
        };
        (!same).then_some(Difference::Changed { what })
    })
}

/// The kinds besides tables that a whole database brings along (prechecks.md section 5.2).
pub fn kinds(engine: Engine) -> &'static [ObjectKind] {
    use ObjectKind as K;
    match engine {
        Engine::Redis => &[],
        Engine::MySql => &[K::View, K::Trigger, K::Procedure, K::Function],
        Engine::SqlServer => {
            &[K::View, K::Trigger, K::Synonym, K::Procedure, K::Function, K::PlanGuide, K::Type, K::Rule, K::Default]
        }
        Engine::PostgreSql | Engine::Ppas => {
            &[K::Trigger, K::View, K::Sequence, K::Function, K::Type, K::Rule, K::Domain, K::Aggregate]
        }
    }
}

/// A kind in words.
pub fn kind_word(kind: ObjectKind) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
