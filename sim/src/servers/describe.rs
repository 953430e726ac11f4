//! What a server tells of its content: the objects of a database, and the photograph of everything.

use super::catalogue::{Owner, key};
use super::db::Db;
use super::profile::word;
use super::server::Server;
use super::tokens::{folded, quoted, tokens};
use super::values::{failed, from_sql, hex};
use recovery::model::content::{DatabaseFacts, Object, ObjectKind, Row};
use recovery::model::instance::Configuration;
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tables up to this many rows are photographed row by row.
const WHOLE_ROWS_MAX: u64 = 1000;

/// Kinds that SQLite keeps, and its own word for each.
const SCHEMA_KINDS: [(ObjectKind, &str); 4] = [
    (ObjectKind::Table, "table"),
    (ObjectKind::Index, "index"),
    (ObjectKind::View, "view"),
    (ObjectKind::Trigger, "trigger"),
];

/// How the names of SQLite's own objects begin.
const OWN_PREFIX: &str = "sqlite_";

/// The last photograph, and what it was taken at.
pub(super) struct Kept {
    position: u64,
    configuration: Configuration,
    photograph: Arc<Photograph>,
}

impl Server {
    /// The databases an account may see.
    pub fn visible_databases(&self, account: &str) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        let default = self.rights(account)?;
        let grants = self.accounts.get(account).map(|account| &account.grants);
        let sees = |name: &str| {
            let inside = format!("{name}.");
            let named = grants.is_some_and(|grants| {
                grants.exceptions.iter().any(|(on, rights)| rights.reads() && (on == name || on.starts_with(&inside)))
            });
            named || grants.map_or(default, |grants| grants.on_database(name)).reads()
        };
        let visible = self.databases.iter().filter(|(name, _)| sees(name));
        Ok(visible.map(|(name, db)| DatabaseFacts { name: name.clone(), charset: db.charset.clone() }).collect())
    }

    /// The objects of a database an account may see, in the order of kind and name.
    pub fn describe(&self, account: &str, database: &str) -> Result<Vec<Object>, DatabaseError> {
        let mut objects = objects(self.db(database)?)?;
        let mut seen = Vec::new();
        for object in &objects {
            let on = object.table.as_deref().unwrap_or(&object.name);
            seen.push(self.rights_on(account, database, on)?.reads());
        }
        let mut seen = seen.into_iter();
        objects.retain(|_| seen.next().unwrap_or(false));
        Ok(objects)
    }

    /// The canonical content of the whole server. While neither log nor settings moved on it is the same photograph, which
    /// is not taken again.
    pub fn photograph(&self) -> Result<Arc<Photograph>, DatabaseError> {
        let (position, configuration) = (self.log.position(), &self.configuration);
        if let Some(kept) = &*self.kept.borrow()
            && kept.position == position
            && kept.configuration == *configuration
        {
            debug_assert_eq!(self.developed()?, *kept.photograph, "content changed without the log");
            return Ok(Arc::clone(&kept.photograph));
        }
        let photograph = Arc::new(self.developed()?);
        let kept = Kept { position, configuration: configuration.clone(), photograph: Arc::clone(&photograph) };
        *self.kept.borrow_mut() = Some(kept);
        Ok(photograph)
    }

    fn developed(&self) -> Result<Photograph, DatabaseError> {
        let mut databases = BTreeMap::new();
        for (name, db) in &self.databases {
            databases.insert(name.clone(), photograph(db)?);
        }
        Ok(Photograph {
            databases,
            accounts: self.photographed_accounts(),
            settings: self.photographed_settings(),
            log_position: self.log.position(),
        })
    }
}

/// All objects of a database in the order of kind and name.
pub(super) fn objects(db: &Db) -> Result<Vec<Object>, DatabaseError> {
    let mut found = Vec::new();
    let sql = "select type, name, tbl_name, sql from sqlite_schema where sql is not null";
    let mut statement = db.connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    let rows: Vec<(String, String, String, String)> = rows.and_then(Iterator::collect).map_err(failed)?;
    for (sqlite_kind, name, table, sql) in rows {
        let known = SCHEMA_KINDS.iter().find(|(_, word)| *word == sqlite_kind);
        let is_own = name.get(..OWN_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX));
        let Some((kind, _)) = known.filter(|_| !is_own) else { continue };
        let owner = db.catalogue.owners.get(&key(*kind, &name)).cloned().unwrap_or_default();
        let table = Some(table).filter(|_| matches!(kind, ObjectKind::Index | ObjectKind::Trigger));
        found.push(object(db, *kind, name, table, sql, owner)?);
    }
    for definition in db.catalogue.definitions.values() {
        let (name, text, owner) = (definition.name.clone(), definition.text.clone(), definition.owner.clone());
        found.push(object(db, definition.kind, name, None, text, owner)?);
    }
    for foreign in db.catalogue.foreign_keys.values() {
        let (name, table) = (foreign.name.clone(), Some(foreign.table.clone()));
        let mut made = object(db, ObjectKind::ForeignKey, name, table, foreign.definition(), Owner::default())?;
        made.needs = vec![foreign.parent.clone()];
        found.push(made);
    }
    found.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let names: BTreeMap<String, String> = found
        .iter()
        .filter(|object| can_be_needed(object.kind))
        .map(|o| (o.name.to_ascii_lowercase(), o.name.clone()))
        .collect();
    for object in &mut found {
        if !matches!(object.kind, ObjectKind::Table | ObjectKind::Index | ObjectKind::ForeignKey) {
            object.needs = needs(object, &names);
        }
    }
    Ok(found)
}

fn can_be_needed(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Index | ObjectKind::Trigger | ObjectKind::ForeignKey | ObjectKind::Event)
}

fn object(
    db: &Db,
    kind: ObjectKind,
    name: String,
    table: Option<String>,
    definition: String,
    owner: Owner,
) -> Result<Object, DatabaseError> {
    let (mut columns, mut keys, mut rows) = (Vec::new(), Vec::new(), 0);
    if let (ObjectKind::Table, Some((_, shape))) = (kind, db.catalogue.table(&name)) {
        columns.clone_from(&shape.columns);
        keys.clone_from(&shape.key);
        rows = count(db, &name)?;
    }
    let revision = db.catalogue.revision(kind, &name);
    let Owner { definer, security } = owner;
    Ok(Object {
        kind,
        name,
        table,
        definition,
        columns,
        key: keys,
        needs: Vec::new(),
        definer,
        security,
        revision,
        rows,
    })
}

fn count(db: &Db, table: &str) -> Result<u64, DatabaseError> {
    let mut statement =
        db.connection.prepare_cached(&format!("select count(*) from {}", quoted(table))).map_err(failed)?;
    let count: i64 = statement.query_row([], |row| row.get(0)).map_err(failed)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The names of other objects that stand in a definition.
fn needs(object: &Object, names: &BTreeMap<String, String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for token in tokens(&object.definition).iter().filter(|token| token.is_name()) {
        let Some(name) = names.get(&token.name().to_ascii_lowercase()) else { continue };
        let is_own = *name == object.name || object.table.as_ref() == Some(name);
        if !is_own && !found.contains(name) {
            found.push(name.clone());
        }
    }
    found.sort();
    found
}

fn photograph(db: &Db) -> Result<PhotographedDatabase, DatabaseError> {
    let mut objects_by_name = BTreeMap::new();
    for object in objects(db)? {
        let rows = if object.kind == ObjectKind::Table { Some(rows(db, &object)?) } else { None };
        let enabled = match object.kind {
            ObjectKind::ForeignKey => {
                db.catalogue.foreign_keys.get(&object.name.to_ascii_lowercase()).is_some_and(|key| key.enabled)
            }
            _ => true,
        };
        let entry = format!("{} {}", word(object.kind), object.name);
        objects_by_name.insert(
            entry,
            PhotographedObject {
                kind: object.kind,
                name: object.name,
                definition: folded(&object.definition),
                definer: object.definer,
                security: object.security,
                enabled,
                needs: object.needs,
                rows,
            },
        );
    }
    Ok(PhotographedDatabase { charset: db.charset.clone(), objects: objects_by_name })
}

fn rows(db: &Db, table: &Object) -> Result<Rows, DatabaseError> {
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let list = super::tokens::quoted_list(&columns);
    let order: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
    let sql = format!("select {list} from {} order by {}", quoted(&table.name), order.join(", "));
    let mut statement = db.connection.prepare_cached(&sql).map_err(failed)?;
    let mut found = statement
        .query_map([], |row| (0..columns.len()).map(|index| row.get_ref(index).map(from_sql)).collect())
        .map_err(failed)?;
    if table.rows <= WHOLE_ROWS_MAX {
        let rows: Vec<Row> = found.collect::<Result<_, _>>().map_err(failed)?;
        return Ok(Rows::Whole { columns, key: table.key.clone(), rows });
    }
    let mut hash = Sha256::new();
    found.try_for_each(|row: rusqlite::Result<Row>| {
        hash.update(serde_json::to_vec(&row.map_err(failed)?).unwrap_or_default());
        hash.update(b"\n");
        Ok::<(), DatabaseError>(())
    })?;
    Ok(Rows::Digest { count: table.rows, sha256: hex(hash.finalize().as_slice()) })
}
