//! Backup files: the keys of one node at one instant, sealed (RED-02).
//!
//! The accounts lie in the file, too, so that a clone has them; whoever downloads the file cannot read them, as they are
//! enciphered with a key that only the cloud has.

use super::data::{Data, Item, ms};
use super::space::{DATABASES, Space};
use super::view::View;
use super::{Node, Redis};
use crate::servers::backup::{Fetched, readable, sealed, unsealed};
use crate::servers::front::{Account, Birth};
use crate::servers::timing;
use crate::servers::values::{hex, unhex};
use jiff::Timestamp;
use recovery::model::backup::Held;
use recovery::model::{InstanceId, Product};
use recovery::ports::clock::later;
use recovery::ports::cloud::CloudError;
use recovery::ports::database::DatabaseError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const MARK: &[u8; 8] = b"REDIS001";

/// The head of a file; the keys follow it.
#[derive(Serialize, Deserialize)]
struct Head {
    held: Held,
    product: Product,
    instance: InstanceId,
    /// Enciphered.
    accounts: String,
    revision: u64,
}

/// One key: database, key, type, value, time to go at.
#[derive(Serialize, Deserialize)]
struct Kept(usize, String, String, String, Option<i64>);

/// What a file holds.
pub(super) struct Content {
    pub held: Held,
    pub accounts: BTreeMap<String, Account>,
    pub revision: u64,
    pub space: Space,
}

/// What a backup of a Redis server holds.
pub(in crate::servers) fn held(bytes: &[u8]) -> Result<Held, String> {
    Ok(unsealed::<Head>(MARK, bytes)?.0.held)
}

impl Redis {
    /// Begins a snapshot on the node that backups are taken on, and gives the file: the content is that of now, however
    /// long the writing takes.
    pub fn begin_backup(&mut self, now: Timestamp) -> Result<Vec<u8>, DatabaseError> {
        self.settle(now);
        let node = self.backup_node();
        let saves = self.saves.of(node);
        saves.count += 1;
        saves.until = Some(later(now, timing::DATA_BACKUP));
        let (space, position, as_of) = match node {
            Node::Master => (&self.master, self.log.position(), self.log.close(self.seen)),
            Node::Replica => (&self.replica.space, self.replica.applied, self.replica.as_of),
        };
        self.log.close_at(as_of);
        let held = Held {
            from_position: position,
            to_position: position,
            from_time: as_of,
            to_time: as_of,
            size_bytes: 0,
            sha256: None,
            node: Some(node),
        };
        let accounts =
            serde_json::to_vec(&self.accounts).map_err(|error| DatabaseError::Statement(error.to_string()))?;
        let instance = self.instance.clone();
        let accounts = hex(&enciphered(self.seed, &instance, position, &accounts));
        let head = Head { held, product: self.product, instance, accounts, revision: self.revision };
        let view = View::new(space, ms(self.seen));
        let mut body = Vec::new();
        for database in 0..DATABASES {
            for (key, Item { data, expires_at }) in view.after(database, None) {
                let kept = Kept(database, key.clone(), data.word().to_owned(), data.json(), *expires_at);
                serde_json::to_writer(&mut body, &kept).map_err(|error| DatabaseError::Statement(error.to_string()))?;
                body.push(b'\n');
            }
        }
        sealed(MARK, &head, &body)
    }

    /// A new server with what a backup holds: its keys without those whose time has come, and its accounts (RED-22).
    pub fn restored(birth: Birth, data: &Fetched) -> Result<Self, CloudError> {
        let unreadable = |why: String| CloudError::BackupUnreadable { backup: data.id.clone(), why };
        let content = opened(birth.product, birth.seed, &data.bytes, birth.now).map_err(unreadable)?;
        let mut redis = Self::with(birth, content.space, content.held.to_position);
        if redis.is_cluster() && (1..DATABASES).any(|database| redis.master.count(database) > 0) {
            let why = format!("backup {} has keys in other databases than 0; a cluster has only that", data.id);
            return Err(CloudError::Failed(why));
        }
        redis.accounts = content.accounts;
        redis.revision = content.revision;
        redis.made.recovered_to = Some(content.held.to_time);
        Ok(redis)
    }
}

/// Reads a file; keys whose time has come by now are left out.
pub(super) fn opened(by: Product, seed: u64, bytes: &[u8], now: Timestamp) -> Result<Content, String> {
    let (head, body): (Head, _) = unsealed(MARK, bytes)?;
    readable(head.product, by)?;
    let accounts = unhex(&head.accounts).ok_or("its accounts are not written in hexadecimal digits")?;
    let accounts = enciphered(seed, &head.instance, head.held.to_position, &accounts);
    let accounts = serde_json::from_slice(&accounts).map_err(|_| "its accounts are of another cloud")?;
    let mut space = Space::new();
    for kept in serde_json::Deserializer::from_slice(body).into_iter::<Kept>() {
        let Kept(database, key, word, value, expires_at) = kept.map_err(|error| error.to_string())?;
        let item = Item { data: Data::from_json(&word, &value)?, expires_at };
        if item.is_there(ms(now)) {
            space.put(database, &key, Some(item));
        }
    }
    Ok(Content { held: head.held, accounts, revision: head.revision, space })
}

/// Bytes under a key stream that only the cloud can make; done twice it gives the bytes again.
fn enciphered(seed: u64, instance: &InstanceId, position: u64, bytes: &[u8]) -> Vec<u8> {
    let block = |number: usize| {
        let key = Sha256::new().chain_update(b"firedrill accounts of a backup\0").chain_update(seed.to_be_bytes());
        let own = key.chain_update(instance.as_str()).chain_update(position.to_be_bytes());
        own.chain_update((number as u64).to_be_bytes()).finalize()
    };
    let enciphered = bytes.chunks(32).enumerate().flat_map(|(number, chunk)| {
        let stream = block(number);
        chunk.iter().zip(stream.as_slice().to_vec()).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>()
    });
    enciphered.collect()
}
