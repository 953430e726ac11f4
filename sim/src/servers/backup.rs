//! What a backup holds and how a server is made of it: content with its log position, then log entries up to a time.

use super::catalogue::Catalogue;
use super::db::Db;
use super::front::{Account, Birth};
use super::functions::lock;
use super::log::{Log, LogEntry};
use super::server::Server;
use super::values::hex;
use jiff::Timestamp;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::{BackupId, Product};
use recovery::ports::cloud::CloudError;
use recovery::ports::database::{DatabaseError, SnapshotFacts};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The head of a data backup; the databases' bytes follow it.
#[derive(Serialize, Deserialize)]
struct DataHead {
    held: Held,
    product: Product,
    accounts: BTreeMap<String, Account>,
    databases: Vec<DatabaseHead>,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct DatabaseHead {
    name: String,
    charset: String,
    catalogue: Catalogue,
    /// What each sequence gives next.
    #[serde(default)]
    sequences: BTreeMap<String, i64>,
    bytes: usize,
}

/// A log backup.
#[derive(Serialize, Deserialize)]
struct LogBody {
    held: Held,
    product: Product,
    entries: Vec<LogEntry>,
}

/// A backup as it came out of the vault.
pub(super) struct Fetched {
    /// Its id.
    pub id: BackupId,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

const DATA_MARK: &[u8; 8] = b"FDRDATA1";
const LOG_MARK: &[u8; 8] = b"FDRLOGS1";
const DIGEST_LENGTH: usize = 32;

/// Mark, length of the head, head, body, digest over all of it.
pub(super) fn sealed(mark: &[u8; 8], head: &impl Serialize, body: &[u8]) -> Result<Vec<u8>, DatabaseError> {
    let head = serde_json::to_vec(head).map_err(|error| DatabaseError::Statement(error.to_string()))?;
    let mut bytes = Vec::with_capacity(mark.len() + 8 + head.len() + body.len() + DIGEST_LENGTH);
    bytes.extend_from_slice(mark);
    bytes.extend_from_slice(&(head.len() as u64).to_be_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(body);
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(digest.as_slice());
    Ok(bytes)
}

/// Reads what [`sealed`] wrote.
pub(super) fn unsealed<'a, H: DeserializeOwned>(mark: &[u8; 8], bytes: &'a [u8]) -> Result<(H, &'a [u8]), String> {
    let content_length = bytes.len().checked_sub(DIGEST_LENGTH).ok_or("it is cut off")?;
    let (content, digest) = bytes.split_at(content_length);
    if Sha256::digest(content).as_slice() != digest {
        return Err("its bytes are not those that were written".into());
    }
    let rest = content.strip_prefix(mark.as_slice()).ok_or("it is a backup of another kind")?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or("it is cut off")?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| "its head is too long")?;
    let (head, body) = rest.split_at_checked(length).ok_or("it is cut off")?;
    Ok((serde_json::from_slice(head).map_err(|error| error.to_string())?, body))
}

/// What a backup in the vault holds.
pub(super) fn held(bytes: &[u8]) -> Result<Held, String> {
    held_in(bytes).map(|(_, held)| held)
}

/// What a backup in the vault is, and what it holds.
pub(crate) fn held_in(bytes: &[u8]) -> Result<(BackupKind, Held), String> {
    let size_bytes = bytes.len() as u64;
    let (kind, held) = match unsealed::<DataHead>(DATA_MARK, bytes) {
        Ok((head, _)) => (BackupKind::Data, head.held),
        Err(_) => match super::redis::held(bytes) {
            Ok(held) => (BackupKind::Data, held),
            Err(_) => (BackupKind::Log, unsealed::<LogBody>(LOG_MARK, bytes)?.0.held),
        },
    };
    let sha256 = Some(hex(&Sha256::digest(bytes)));
    Ok((kind, Held { size_bytes, sha256, ..held }))
}

/// Refuses what a later version wrote: no server reads the files of a version it does not know.
pub(super) fn readable(of: Product, by: Product) -> Result<(), String> {
    if of.engine == by.engine && of.version <= by.version {
        return Ok(());
    }
    Err(format!("it was taken on {of}, which {by} cannot read"))
}

impl Server {
    /// A data backup as of now.
    pub fn data_backup(&mut self, now: Timestamp) -> Result<Vec<u8>, DatabaseError> {
        let time = self.log.close(now);
        self.content(time)
    }

    /// The whole content as bytes, said to be as of a time.
    pub fn content(&mut self, time: Timestamp) -> Result<Vec<u8>, DatabaseError> {
        let position = self.log.position();
        let held = Held {
            from_position: position,
            to_position: position,
            from_time: time,
            to_time: time,
            size_bytes: 0,
            sha256: None,
            node: None,
        };
        let (mut databases, mut body) = (Vec::new(), Vec::new());
        for (name, db) in &mut self.databases {
            let bytes = db.bytes()?;
            let (charset, catalogue) = (db.charset.clone(), Catalogue::clone(&db.catalogue));
            let sequences = lock(&db.sequences).next();
            databases.push(DatabaseHead { name: name.clone(), charset, catalogue, sequences, bytes: bytes.len() });
            body.extend_from_slice(&bytes);
        }
        let head = DataHead {
            held,
            product: self.product,
            accounts: self.accounts.clone(),
            databases,
            revision: self.revision,
        };
        sealed(DATA_MARK, &head, &body)
    }

    /// The server as it is now, for a session that goes on reading it so, and the instant that is.
    pub fn snapshot(&mut self, now: Timestamp) -> Result<(Self, SnapshotFacts), DatabaseError> {
        let bytes = self.data_backup(now)?;
        let birth = Birth {
            instance: self.instance.clone(),
            product: self.product,
            configuration: self.configuration.clone(),
            now,
            life_s: None,
            endpoint: self.made.endpoint.clone(),
            seed: 0,
        };
        let (server, held) = Self::with_content(birth, &bytes).map_err(DatabaseError::Statement)?;
        Ok((server, SnapshotFacts { position: held.to_position, at: held.to_time }))
    }

    /// A log backup from after a position up to now.
    pub fn log_backup(&mut self, after: u64, now: Timestamp) -> Result<Vec<u8>, DatabaseError> {
        let entries = self.log.after(after)?.to_vec();
        let held = Held {
            from_position: after,
            to_position: self.log.position().max(after),
            from_time: self.log.time_at(after).unwrap_or(self.made_at),
            to_time: self.log.close(now),
            size_bytes: 0,
            sha256: None,
            node: None,
        };
        sealed(LOG_MARK, &LogBody { held, product: self.product, entries }, &[])
    }

    /// A server with the content of a data backup.
    pub fn with_content(birth: Birth, bytes: &[u8]) -> Result<(Self, Held), String> {
        let (head, mut body): (DataHead, _) = unsealed(DATA_MARK, bytes)?;
        readable(head.product, birth.product)?;
        let now = birth.now;
        let mut server = Self::bare(birth);
        server.accounts = head.accounts;
        server.revision = head.revision;
        server.log = Log::beginning(head.held.to_position, now);
        for database in head.databases {
            let (own, rest) = body.split_at_checked(database.bytes).ok_or("it is cut off")?;
            body = rest;
            let db = Db::restore(&database.charset, database.catalogue, own, &server.ambient);
            let db = db.map_err(|error| error.to_string())?;
            database.sequences.iter().for_each(|(name, next)| lock(&db.sequences).set(name, *next));
            server.databases.insert(database.name, db);
        }
        Ok((server, head.held))
    }

    /// A server restored from a data backup and, up to and including a time, the log backups after it. Accounts are
    /// those of that time (C-01, C-11). Gives the server and how many entries were replayed.
    pub fn restored(
        birth: Birth,
        data: &Fetched,
        logs: &[Fetched],
        until: Option<Timestamp>,
    ) -> Result<(Self, usize), CloudError> {
        let unreadable = |backup: &BackupId, why: String| CloudError::BackupUnreadable { backup: backup.clone(), why };
        let now = birth.now;
        let (mut server, held) = Self::with_content(birth, &data.bytes).map_err(|why| unreadable(&data.id, why))?;
        let (mut position, mut reached, mut replayed) = (held.to_position, held.to_time, 0);
        if let Some(until) = until
            && until < held.to_time
        {
            let why = format!("data backup {} is of {}, after the time {until} asked for", data.id, held.to_time);
            return Err(CloudError::Failed(why));
        }
        for log in logs.iter().take_while(|_| until.is_some()) {
            let body: LogBody = unsealed(LOG_MARK, &log.bytes).map_err(|why| unreadable(&log.id, why))?.0;
            readable(body.product, server.product).map_err(|why| unreadable(&log.id, why))?;
            if body.held.from_position > position {
                let why =
                    format!("it begins after position {}, the one before ends at {position}", body.held.from_position);
                return Err(unreadable(&log.id, why));
            }
            for entry in body.entries.iter().filter(|entry| until.is_some_and(|until| entry.time <= until)) {
                if entry.position > position {
                    server.replay(entry).map_err(|error| unreadable(&log.id, error.to_string()))?;
                    position = entry.position;
                    replayed += 1;
                }
            }
            let to = body.held.to_time;
            reached = reached.max(until.map_or(to, |until| until.min(to)));
            if until.is_some_and(|until| until < to) {
                break;
            }
            position = position.max(body.held.to_position);
        }
        server.log = Log::beginning(position, now);
        server.made.recovered_to = Some(reached);
        Ok((server, replayed))
    }

    /// A replica with the content a master has now.
    pub fn replica(birth: Birth, master: &mut Self) -> Result<Self, DatabaseError> {
        let content = master.content(birth.now)?;
        let (mut server, _) = Self::with_content(birth, &content).map_err(DatabaseError::Statement)?;
        server.follows = Some(master.instance.clone());
        Ok(server)
    }
}
