//! Backup files of Redis in the vault, taken apart and put together otherwise.

use crate::planted::tools::At;
use object_store::ObjectStoreExt;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::backup_place;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Bytes before the head: the mark, and the head's length.
const MARK: usize = 8;
const LENGTH: usize = 8;
/// Bytes of the digest at the end.
const DIGEST: usize = 32;

/// A backup file: what stands before its keys, and each key as `[database, key, type, value, expires_at]`.
#[derive(Debug, PartialEq)]
pub(super) struct File {
    front: Vec<u8>,
    pub keys: Vec<Value>,
}

impl File {
    fn open(bytes: &[u8]) -> Option<Self> {
        let content = bytes.get(..bytes.len().checked_sub(DIGEST)?)?;
        let length = content.get(MARK..MARK + LENGTH)?.try_into().ok().map(u64::from_be_bytes)?;
        let begins = MARK + LENGTH + usize::try_from(length).ok()?;
        let (front, body) = content.split_at_checked(begins)?;
        let keys = serde_json::Deserializer::from_slice(body).into_iter().collect::<Result<_, _>>().ok()?;
        Some(Self { front: front.to_vec(), keys })
    }

    fn close(&self) -> Vec<u8> {
        let mut bytes = self.front.clone();
        for key in &self.keys {
            bytes.extend_from_slice(key.to_string().as_bytes());
            bytes.push(b'\n');
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(digest.as_slice());
        bytes
    }

    /// The file of a backup.
    pub async fn read(at: &At, instance: &InstanceId, backup: &BackupId) -> Option<Self> {
        let found = at.ports.vault.get(&backup_place(instance, backup)).await.ok()?;
        Self::open(&found.bytes().await.ok()?)
    }

    /// Puts it in the place of a backup's file; gives how large it is.
    pub async fn write(&self, at: &At, instance: &InstanceId, backup: &BackupId) -> Option<u64> {
        let bytes = self.close();
        let size = bytes.len() as u64;
        at.ports.vault.put(&backup_place(instance, backup), bytes.into()).await.ok().map(|_| size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_together_as_it_was_taken_apart() {
        let mut bytes = b"REDIS001".to_vec();
        bytes.extend_from_slice(&2_u64.to_be_bytes());
        bytes.extend_from_slice(b"{}");
        bytes.extend_from_slice(b"[0,\"a\",\"string\",\"1\",null]\n");
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(digest.as_slice());
        let file = File::open(&bytes).expect("a file");
        assert_eq!(file.keys, vec![serde_json::json!([0, "a", "string", "1", null])]);
        assert_eq!(file.close(), bytes);
        assert_eq!(File::open(&bytes[..20]), None);
    }
}
