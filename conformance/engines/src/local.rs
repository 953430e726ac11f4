//! The service's disk, its vault and its dice on this machine.

use rand::RngCore;
use recovery::ports::{Dice, Disk, Vault};
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file as the disk under the service's store.
#[derive(Debug, Clone)]
pub struct FileDisk(PathBuf);

impl FileDisk {
    /// The file at a path; it is made when it is opened first.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Disk for FileDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let file = std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&self.0)?;
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }
}

/// A folder as the vault.
///
/// # Errors
/// When it cannot be made.
pub fn vault(folder: &Path) -> io::Result<Vault> {
    std::fs::create_dir_all(folder)?;
    let store = object_store::local::LocalFileSystem::new_with_prefix(folder).map_err(io::Error::other)?;
    Ok(Arc::new(store))
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDice;

impl Dice for SystemDice {
    fn next(&self) -> u64 {
        rand::rng().next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;
    use recovery::ports::cloud::backup_place;

    #[test]
    fn the_disk_keeps_what_was_written_across_two_opens() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = FileDisk::new(folder.path().join("store"));
        {
            let opened = disk.open().expect("opened");
            opened.set_len(16).expect("grown");
            opened.write(3, b"kept").expect("written");
            opened.sync_data().expect("synced");
            opened.close().expect("closed");
        }
        let mut found = [0; 4];
        disk.open().expect("opened again").read(3, &mut found).expect("read");
        assert_eq!(&found, b"kept");
    }

    #[tokio::test]
    async fn the_vault_gives_back_what_it_was_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(&folder.path().join("vault")).expect("a vault");
        let place = backup_place(&"rm-a".into(), &"b-1".into());
        vault.put(&place, b"content".to_vec().into()).await.expect("put");
        let bytes = vault.get(&place).await.expect("found").bytes().await.expect("read");
        assert_eq!(&bytes[..], b"content");
    }
}
