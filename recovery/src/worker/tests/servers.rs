//! A database server in memory, behind the `Database` port.

use super::world::Shared;
use crate::model::Product;
use crate::model::content::{Change, ChangeKind, Column, DatabaseFacts, Object, ObjectKind, Value};
use crate::model::instance::{Grants, Rights};
use crate::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Login, OnConflict, Outcome, ReadChunk, ServerFacts, SnapshotFacts,
    WriteChunk,
};
use crate::ports::{Database, Session};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::future::pending;

type RowByName = BTreeMap<String, Value>;

/// A database.
#[derive(Default, Clone)]
pub struct FakeDb {
    pub charset: String,
    pub objects: Vec<Object>,
    pub rows: BTreeMap<String, Vec<RowByName>>,
}

/// A server.
pub struct Server {
    pub product: Product,
    pub databases: BTreeMap<String, FakeDb>,
    pub grants: Grants,
    pub log: Vec<Change>,
    pub refuses: Option<DatabaseError>,
    pub hangs: bool,
    pub epoch: u64,
    pub writes: usize,
    pub parameters: BTreeMap<String, String>,
    pub told: Circumstances,
    /// What every query gives, where any is answered.
    pub counted: Option<i64>,
    pub largest_write: usize,
    pub largest_read: usize,
    revision: u64,
}

impl Server {
    pub fn new(product: Product) -> Self {
        Self {
            product,
            databases: BTreeMap::new(),
            grants: Grants::all(Rights::ReadWrite),
            log: Vec::new(),
            refuses: None,
            hangs: false,
            epoch: 0,
            writes: 0,
            parameters: [("server_id".to_owned(), "1001".to_owned())].into(),
            told: Circumstances::default(),
            counted: None,
            largest_write: 0,
            largest_read: 0,
            revision: 100,
        }
    }

    /// Puts a database there.
    pub fn put(&mut self, name: &str, objects: Vec<Object>) -> &mut FakeDb {
        let db = FakeDb { charset: "utf8".into(), objects, rows: BTreeMap::new() };
        self.databases.entry(name.to_owned()).or_insert(db)
    }

    /// Puts a database without objects there.
    pub fn put_empty(&mut self, name: &str) {
        self.put(name, Vec::new());
    }

    pub fn db(&mut self, name: &str) -> Result<&mut FakeDb, DatabaseError> {
        self.databases.get_mut(name).ok_or_else(|| DatabaseError::NoSuchDatabase(name.to_owned()))
    }

    /// Names of what is in a database, by kind.
    pub fn names(&self, database: &str, kind: ObjectKind) -> Vec<String> {
        let objects = self.databases.get(database).map(|db| db.objects.as_slice()).unwrap_or_default();
        objects.iter().filter(|object| object.kind == kind).map(|object| object.name.clone()).collect()
    }

    /// Rows of a table.
    pub fn rows(&self, database: &str, table: &str) -> Vec<RowByName> {
        self.databases.get(database).and_then(|db| db.rows.get(table)).cloned().unwrap_or_default()
    }

    /// Notes a change in the log.
    pub fn log(&mut self, database: &str, kind: ChangeKind) {
        self.log_at(jiff::Timestamp::UNIX_EPOCH, database, kind);
    }

    /// Notes a change in the log, made at a time.
    pub fn log_at(&mut self, at: jiff::Timestamp, database: &str, kind: ChangeKind) {
        let position = self.log.len() as u64 + 1;
        self.log.push(Change { position, at, database: database.to_owned(), kind });
    }

    /// A new revision for a table, as after DDL.
    pub fn touch(&mut self, database: &str, table: &str) {
        self.revision += 1;
        let revision = self.revision;
        if let Some(object) = self.databases.get_mut(database).and_then(|db| db.table(table).ok()) {
            object.revision = revision;
        }
    }

    fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        self.revision += 1;
        let defined =
            [ObjectKind::View, ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Trigger, ObjectKind::Event];
        let definer = defined.contains(&object.kind).then(|| "app".to_owned());
        let made = Object { revision: self.revision, definer, ..object.clone() };
        let db = self.db(database)?;
        let is_it = |known: &Object| known.kind == made.kind && known.name == made.name && known.table == made.table;
        if db.objects.iter().any(is_it) {
            return Err(DatabaseError::ObjectExists(made.name));
        }
        for need in made.needs.iter().chain(&made.table) {
            if !db.objects.iter().any(|known| known.name == *need) {
                return Err(DatabaseError::NoSuchObject(need.clone()));
            }
        }
        db.objects.push(made);
        Ok(())
    }

    fn apply(&mut self, apply: &Apply) -> Result<(), DatabaseError> {
        match apply {
            Apply::Upsert { database, table, key, old, new } => {
                let rows = self.db(database)?.rows.entry(table.clone()).or_default();
                if let Some(old) = old {
                    rows.retain(|row| !same_key(key, row, old));
                }
                rows.retain(|row| key.is_empty() || !same_key(key, row, new));
                rows.push(new.clone());
            }
            Apply::Delete { database, table, key, old } => {
                self.db(database)?.rows.entry(table.clone()).or_default().retain(|row| !same_key(key, row, old));
            }
            Apply::Ddl { database, sql } => self.ddl(database, sql)?,
        }
        Ok(())
    }

    /// Understands `alter table t add c`, `create table t` and `drop table t`.
    pub fn ddl(&mut self, database: &str, sql: &str) -> Result<(), DatabaseError> {
        let words: Vec<&str> = sql.split_whitespace().map(|word| word.trim_matches(['`', '"', '['])).collect();
        self.touch(database, words.get(2).copied().unwrap_or_default());
        let db = self.db(database)?;
        match words.as_slice() {
            ["alter", "table", table, "add", column, ..] => {
                let table = db.table(table)?;
                if table.columns.iter().any(|known| known.name == *column) {
                    return Err(DatabaseError::Statement(format!("duplicate column {column}")));
                }
                let (name, declared) = ((*column).to_owned(), "text".to_owned());
                table.columns.push(Column { name, declared, nullable: true });
                Ok(())
            }
            ["create", "table", name, ..] => self.create(database, &super::sample::table(name, &["item"])),
            ["drop", "table", name, ..] => {
                let name = (*name).to_owned();
                db.table(&name)?;
                db.objects.retain(|object| object.name != name);
                db.rows.remove(&name);
                Ok(())
            }
            _ => Err(DatabaseError::Statement(sql.to_owned())),
        }
    }
}

impl FakeDb {
    pub fn table(&mut self, name: &str) -> Result<&mut Object, DatabaseError> {
        let is_it = |object: &&mut Object| object.kind == ObjectKind::Table && object.name == name;
        self.objects.iter_mut().find(is_it).ok_or_else(|| DatabaseError::NoSuchObject(name.to_owned()))
    }
}

fn same_key(key: &[String], one: &RowByName, other: &RowByName) -> bool {
    if key.is_empty() { one == other } else { key.iter().all(|column| one.get(column) == other.get(column)) }
}

/// Opens sessions with the servers of a world.
pub struct FakeDatabase(pub Shared);

struct FakeSession {
    shared: Shared,
    endpoint: String,
    claimed: Option<u64>,
    /// What the session reads, once it reads as of an instant.
    frozen: Option<BTreeMap<String, FakeDb>>,
}

#[async_trait]
impl Database for FakeDatabase {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        assert_eq!(login.password.expose(), "s3cret");
        let mut session =
            FakeSession { shared: self.0.clone(), endpoint: endpoint.to_owned(), claimed: None, frozen: None };
        session.call("connect", false, |_| Ok(())).await?;
        Ok(Box::new(session))
    }
}

impl FakeSession {
    async fn call<T: Send>(
        &mut self,
        name: &'static str,
        writes: bool,
        act: impl FnOnce(&mut Server) -> Result<T, DatabaseError> + Send,
    ) -> Result<T, DatabaseError> {
        self.shared.enter(name).await;
        let answer = {
            let mut world = self.shared.lock();
            let server = world.servers.get_mut(&self.endpoint).expect("a server");
            if server.hangs { None } else { Some(self.act(server, writes, act)) }
        };
        match answer {
            None => pending().await,
            Some(answer) => {
                self.shared.leave().await;
                answer
            }
        }
    }

    fn act<T>(
        &self,
        server: &mut Server,
        writes: bool,
        act: impl FnOnce(&mut Server) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if let Some(refusal) = &server.refuses {
            return Err(refusal.clone());
        }
        if writes {
            let claimed = self.claimed.expect("a write only after a claim");
            if claimed < server.epoch {
                return Err(DatabaseError::Fenced(server.epoch));
            }
            server.writes += 1;
        }
        act(server)
    }
}

#[async_trait]
impl Session for FakeSession {
    async fn claim(&mut self, _: &str, epoch: u64) -> Result<(), DatabaseError> {
        let claim = |server: &mut Server| {
            if epoch < server.epoch {
                return Err(DatabaseError::Fenced(server.epoch));
            }
            server.epoch = epoch;
            Ok(())
        };
        self.call("claim", false, claim).await?;
        self.claimed = Some(epoch);
        Ok(())
    }

    async fn facts(&mut self) -> Result<ServerFacts, DatabaseError> {
        let now = self.shared.lock().now;
        let facts = |server: &mut Server| {
            let log_position = server.log.len() as u64;
            let (product, grants, parameters) = (server.product, server.grants.clone(), server.parameters.clone());
            Ok(ServerFacts { product, now, grants, parameters, log_position })
        };
        self.call("facts", false, facts).await
    }

    async fn circumstances(&mut self) -> Result<Circumstances, DatabaseError> {
        self.call("circumstances", false, |server| Ok(server.told.clone())).await
    }

    async fn snapshot(&mut self) -> Result<SnapshotFacts, DatabaseError> {
        let at = self.shared.lock().now;
        let freeze = |server: &mut Server| Ok((server.log.len() as u64, server.databases.clone()));
        let (position, databases) = self.call("snapshot", false, freeze).await?;
        self.frozen = Some(databases);
        Ok(SnapshotFacts { position, at })
    }

    async fn databases(&mut self) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        let frozen = self.frozen.clone();
        let list = |server: &mut Server| {
            let facts =
                |(name, db): (&String, &FakeDb)| DatabaseFacts { name: name.clone(), charset: db.charset.clone() };
            Ok(frozen.as_ref().unwrap_or(&server.databases).iter().map(facts).collect())
        };
        self.call("databases", false, list).await
    }

    async fn create_database(&mut self, name: &str, charset: &str) -> Result<(), DatabaseError> {
        let make = |server: &mut Server| {
            server.put(name, Vec::new()).charset = charset.to_owned();
            Ok(())
        };
        self.call("create_database", true, make).await
    }

    async fn describe(&mut self, database: &str) -> Result<Vec<Object>, DatabaseError> {
        let frozen = self.frozen.clone();
        let describe = |server: &mut Server| {
            let db = frozen.as_ref().unwrap_or(&server.databases).get(database);
            let db = db.ok_or_else(|| DatabaseError::NoSuchDatabase(database.to_owned()))?;
            let mut objects = db.objects.clone();
            for object in &mut objects {
                object.rows = db.rows.get(&object.name).map_or(0, |rows| rows.len() as u64);
            }
            Ok(objects)
        };
        self.call("describe", false, describe).await
    }

    async fn create(&mut self, database: &str, object: &Object) -> Result<(), DatabaseError> {
        self.call("create", true, |server| server.create(database, object)).await
    }

    async fn run(&mut self, _: &str, sql: &str) -> Result<Outcome, DatabaseError> {
        let answer = |server: &mut Server| {
            let number = server.counted.ok_or_else(|| DatabaseError::Statement(sql.to_owned()))?;
            Ok(Outcome { columns: vec!["n".into()], rows: vec![vec![Value::Integer(number)]], affected: 0 })
        };
        self.call("run", false, answer).await
    }

    async fn read(&mut self, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
        let mut frozen = self.frozen.clone();
        let act = |server: &mut Server| {
            server.largest_read = server.largest_read.max(read.limit);
            let db = frozen.as_mut().unwrap_or(&mut server.databases).get_mut(&read.database);
            let db = db.ok_or_else(|| DatabaseError::NoSuchDatabase(read.database.clone()))?;
            let (revision, keyless) = (db.table(&read.table)?.revision, db.table(&read.table)?.key.is_empty());
            let mut rows = db.rows.get(&read.table).cloned().unwrap_or_default();
            let number = |row: &RowByName| match row.get("id") {
                Some(Value::Integer(number)) => *number,
                _ => 0,
            };
            rows.sort_by_key(number);
            // A mark is the number of the last row, or without a key how many there were.
            let mark = |place: usize, row: &RowByName| if keyless { place as i64 + 1 } else { number(row) };
            let marked = rows.iter().enumerate().map(|(place, row)| (mark(place, row), row));
            let after = read.after.as_ref().and_then(|mark| mark.parse().ok()).unwrap_or(i64::MIN);
            let mut rest: Vec<_> = marked.filter(|(mark, _)| *mark > after).collect();
            let done = rest.len() <= read.limit;
            rest.truncate(read.limit);
            let value = |row: &RowByName, column: &String| row.get(column).cloned().unwrap_or(Value::Null);
            let values = |row: &RowByName| read.columns.iter().map(|column| value(row, column)).collect();
            Ok(Chunk {
                rows: rest.iter().map(|(_, row)| values(row)).collect(),
                last: rest.last().map(|(mark, _)| mark.to_string()),
                done,
                revision,
            })
        };
        self.call("read", false, act).await
    }

    async fn write(&mut self, write: &WriteChunk) -> Result<u64, DatabaseError> {
        let act = |server: &mut Server| {
            server.largest_write = server.largest_write.max(write.rows.len());
            let db = server.db(&write.database)?;
            db.table(&write.table)?;
            let rows = db.rows.entry(write.table.clone()).or_default();
            let before = rows.clone();
            let mut inserted = 0;
            for values in &write.rows {
                let row: RowByName = write.columns.iter().cloned().zip(values.iter().cloned()).collect();
                let there = |known: &RowByName| !write.key.is_empty() && same_key(&write.key, known, &row);
                match write.on_conflict {
                    OnConflict::Keep if rows.iter().any(there) => continue,
                    OnConflict::Stop if rows.iter().any(there) => {
                        *rows = before;
                        return Err(DatabaseError::Constraint(format!("duplicate key in {}", write.table)));
                    }
                    OnConflict::Replace => rows.retain(|known| !there(known)),
                    OnConflict::Keep | OnConflict::Stop => {}
                }
                rows.push(row);
                inserted += 1;
            }
            Ok(inserted)
        };
        self.call("write", true, act).await
    }

    async fn changes(&mut self, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError> {
        let act = |server: &mut Server| {
            let newer = server.log.iter().filter(|change| change.position > after);
            Ok(newer.take(limit).cloned().collect())
        };
        self.call("changes", false, act).await
    }

    async fn apply(&mut self, changes: &[Apply]) -> Result<(), DatabaseError> {
        let act = |server: &mut Server| changes.iter().try_for_each(|change| server.apply(change));
        self.call("apply", true, act).await
    }
}
