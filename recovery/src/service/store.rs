//! The service's own store: every document the service keeps, in redb on the host's disk.

use super::ServiceError;
use crate::model::state::{State, StateChange};
use crate::ports::Disk;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;

/// JSON documents by `kind/id`.
const DOCUMENTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("documents");

/// The state is in memory, so the store reads each page once; it needs hardly any cache.
const CACHE_BYTES: usize = 1 << 20;

/// The kinds of documents; each is the part of a key before its slash.
mod kind {
    pub(super) const INSTANCE: &str = "instance";
    pub(super) const BACKUP: &str = "backup";
    pub(super) const TASK: &str = "task";
    pub(super) const CHARGE: &str = "charge";
    pub(super) const ANSWER: &str = "answer";
    pub(super) const SOURCE: &str = "source";
    pub(super) const LOGICAL_TASK: &str = "logical-task";
    pub(super) const SET: &str = "set";
    pub(super) const RESTORE: &str = "restore";
}

/// The store.
pub(super) struct Store {
    database: Database,
}

impl Store {
    /// Opens the store, repairs what a crash left behind and reads everything.
    pub(super) fn open(disk: &dyn Disk) -> Result<(Self, State), ServiceError> {
        let file = File(disk.open().map_err(store_error)?);
        if was_never_finished(&file).map_err(store_error)? {
            file.set_len(0).map_err(store_error)?;
        }
        let database = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(file).map_err(store_error)?;
        let state = read_all(&database)?;
        Ok((Self { database }, state))
    }

    /// Makes all the changes durable, or none of them. When it fails it is open whether they are; only opening the
    /// store again can tell.
    pub(super) fn commit(&self, changes: &[StateChange]) -> Result<(), ServiceError> {
        let transaction = self.database.begin_write().map_err(store_error)?;
        {
            let mut documents = transaction.open_table(DOCUMENTS).map_err(store_error)?;
            for change in changes {
                let Some((key, document)) = written(change)? else { continue };
                match document {
                    Some(bytes) => documents.insert(key.as_str(), bytes.as_slice()).map(drop),
                    None => documents.remove(key.as_str()).map(drop),
                }
                .map_err(store_error)?;
            }
        }
        transaction.commit().map_err(store_error)
    }
}

/// A key and the document that stands there; none where it is taken away.
type Entry = (String, Option<Vec<u8>>);

/// The key a change is about, and the document that stands there afterwards; nothing for a change that is not kept.
fn written(change: &StateChange) -> Result<Option<Entry>, ServiceError> {
    Ok(Some(match change {
        StateChange::Instance(instance) => put(kind::INSTANCE, instance.id.as_str(), instance)?,
        StateChange::Backup(backup) => put(kind::BACKUP, backup.id.as_str(), backup)?,
        StateChange::DropBackup(id) => (key(kind::BACKUP, id.as_str()), None),
        StateChange::Task(task) => put(kind::TASK, task.id.as_str(), task)?,
        StateChange::DropTask(id) => (key(kind::TASK, id.as_str()), None),
        StateChange::Charge(id, charge) => put(kind::CHARGE, id, charge)?,
        StateChange::Answer(id, answer) => put(kind::ANSWER, id, answer)?,
        StateChange::DropAnswer(id) => (key(kind::ANSWER, id), None),
        StateChange::Source(source) => put(kind::SOURCE, source.id.as_str(), source)?,
        StateChange::DropSource(id) => (key(kind::SOURCE, id.as_str()), None),
        StateChange::LogicalTask(task) => put(kind::LOGICAL_TASK, task.id.as_str(), task)?,
        StateChange::DropLogicalTask(id) => (key(kind::LOGICAL_TASK, id.as_str()), None),
        StateChange::Set(set) => put(kind::SET, set.id.as_str(), set)?,
        StateChange::DropSet(id) => (key(kind::SET, id.as_str()), None),
        StateChange::Restore(task) => put(kind::RESTORE, task.id.as_str(), task)?,
        StateChange::DropRestore(id) => (key(kind::RESTORE, id.as_str()), None),
        StateChange::Renewed(..) => return Ok(None),
    }))
}

fn key(kind: &str, id: &str) -> String {
    format!("{kind}/{id}")
}

fn put(kind: &str, id: &str, document: &impl Serialize) -> Result<Entry, ServiceError> {
    Ok((key(kind, id), Some(serde_json::to_vec(document).map_err(store_error)?)))
}

fn read_all(database: &Database) -> Result<State, ServiceError> {
    let mut state = State::default();
    let transaction = database.begin_read().map_err(store_error)?;
    let documents = match transaction.open_table(DOCUMENTS) {
        Ok(documents) => documents,
        Err(TableError::TableDoesNotExist(_)) => return Ok(state),
        Err(error) => return Err(store_error(error)),
    };
    for entry in documents.iter().map_err(store_error)? {
        let (key, bytes) = entry.map_err(store_error)?;
        let (kind, id) = key.value().split_once('/').unwrap_or((key.value(), ""));
        match kind {
            kind::INSTANCE => take(&mut state.instances, kind, id, id.into(), bytes.value())?,
            kind::BACKUP => take(&mut state.backups, kind, id, id.into(), bytes.value())?,
            kind::TASK => take(&mut state.tasks, kind, id, id.into(), bytes.value())?,
            kind::CHARGE => take(&mut state.charges, kind, id, id.to_owned(), bytes.value())?,
            kind::ANSWER => take(&mut state.answers, kind, id, id.to_owned(), bytes.value())?,
            kind::SOURCE => take(&mut state.sources, kind, id, id.into(), bytes.value())?,
            kind::LOGICAL_TASK => take(&mut state.logical_tasks, kind, id, id.into(), bytes.value())?,
            kind::SET => take(&mut state.sets, kind, id, id.into(), bytes.value())?,
            kind::RESTORE => take(&mut state.restores, kind, id, id.into(), bytes.value())?,
            _ => return Err(ServiceError::Store(format!("the store holds a document {kind}/{id} of no known kind"))),
        }
    }
    Ok(state)
}

fn take<K: Ord, D: DeserializeOwned>(
    into: &mut BTreeMap<K, D>,
    kind: &str,
    id: &str,
    key: K,
    bytes: &[u8],
) -> Result<(), ServiceError> {
    // What serde says may quote a password, so only the place is told.
    let document = serde_json::from_slice(bytes).map_err(|error| {
        ServiceError::Store(format!("document {kind}/{id} is unreadable at byte {} of it", error.column()))
    })?;
    into.insert(key, document);
    Ok(())
}

fn store_error(error: impl Display) -> ServiceError {
    ServiceError::Store(error.to_string())
}

/// Whether a crash interrupted the making of the file. redb writes a header into an empty file, and the magic number
/// last; it never opens a file whose number is not whole. Such a file holds nothing, and only such a one is made anew:
/// where anything follows the header, or another number stands there, a person has to look.
fn was_never_finished(file: &File) -> io::Result<bool> {
    const MAGIC: &[u8; 9] = b"redb\x1A\x0A\xA9\x0D\x0A";
    const HEADER: usize = 4096;
    let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut head = vec![0; length.min(HEADER)];
    file.read(0, &mut head)?;
    let magic = &head[..head.len().min(MAGIC.len())];
    let written = magic.iter().zip(MAGIC).take_while(|(found, wanted)| found == wanted).count();
    if written == MAGIC.len() || magic[written..].iter().any(|byte| *byte != 0) {
        return Ok(false);
    }
    let mut rest = vec![0; length - head.len()];
    file.read(head.len() as u64, &mut rest)?;
    Ok(rest.iter().all(|byte| *byte == 0))
}

/// redb takes its file by value; the port gives it boxed.
#[derive(Debug)]
struct File(Box<dyn StorageBackend>);

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
