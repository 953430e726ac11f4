//! Sequences of PostgreSQL: `nextval('s')` and `setval('s', n)`. Their definitions are kept like those of other objects; here
//! are the values. As on real servers a value once given is not given back by a rollback.

use super::catalogue::Catalogue;
use super::functions::lock;
use super::tokens::tokens;
use recovery::model::content::ObjectKind;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The sequences of one database.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// The value each gives next, and by how much it counts, by lower-case name.
    values: BTreeMap<String, (i64, i64)>,
    /// Those that gave a value since that was last asked.
    moved: BTreeSet<String>,
}

/// The sequences as the database and its SQL functions share them.
pub(super) type SharedSequences = Arc<Mutex<Sequences>>;

impl Sequences {
    /// Brings them up to the definitions: new ones begin where they are defined to, and dropped ones are forgotten.
    pub fn refresh(&mut self, catalogue: &Catalogue) {
        let all = catalogue.definitions.values().filter(|definition| definition.kind == ObjectKind::Sequence);
        let defined: BTreeMap<String, (i64, i64)> =
            all.map(|definition| (definition.name.to_ascii_lowercase(), defined(&definition.text))).collect();
        self.values.retain(|name, _| defined.contains_key(name));
        for (name, value) in defined {
            self.values.entry(name).or_insert(value);
        }
    }

    /// Those that gave a value since that was last asked, each with what it gives next.
    pub fn take_moved(&mut self) -> Vec<(String, i64)> {
        let moved = std::mem::take(&mut self.moved).into_iter();
        moved.filter_map(|name| self.values.get(&name).map(|(next, _)| (name.clone(), *next))).collect()
    }

    /// What each gives next.
    pub fn next(&self) -> BTreeMap<String, i64> {
        self.values.iter().map(|(name, (next, _))| (name.clone(), *next)).collect()
    }

    /// Sets what a sequence gives next.
    pub fn set(&mut self, name: &str, next: i64) {
        if let Some(value) = self.values.get_mut(name) {
            value.0 = next;
        }
    }

    /// Gives the next value, or counts on from a given one.
    fn give(&mut self, name: &str, from: Option<i64>) -> Result<i64> {
        let name = name.trim_start_matches("public.").trim_matches('"').to_ascii_lowercase();
        let value = self.values.get_mut(&name);
        let (next, step) = value.ok_or_else(|| Error::UserFunctionError(format!("no such sequence: {name}").into()))?;
        let given = from.unwrap_or(*next);
        *next = given.saturating_add(*step);
        self.moved.insert(name);
        Ok(given)
    }
}

/// Where a definition begins, and by how much it counts.
fn defined(text: &str) -> (i64, i64) {
    let all = tokens(text);
    let after = |word: &str, filler: &str| {
        let at = all.iter().position(|token| token.is(word))? + 1;
        let at = at + usize::from(all.get(at)?.is(filler));
        all.get(at)?.text.parse().ok()
    };
    (after("start", "with").unwrap_or(1), after("increment", "by").unwrap_or(1))
}

/// Lets SQL reach them.
pub(super) fn install(connection: &Connection, sequences: &SharedSequences) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8;
    let shared = Arc::clone(sequences);
    connection.create_scalar_function("nextval", 1, flags, move |context| {
        lock(&shared).give(&context.get::<String>(0)?, None)
    })?;
    let shared = Arc::clone(sequences);
    connection.create_scalar_function("setval", 2, flags, move |context| {
        lock(&shared).give(&context.get::<String>(0)?, Some(context.get(1)?))
    })
}
