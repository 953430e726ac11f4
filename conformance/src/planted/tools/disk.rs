//! A disk that lies about sync.

use recovery::ports::Disk;
use redb::StorageBackend;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One sync of so many reaches the disk; a crash takes what was written since.
const KEPT: u64 = 5;

/// A disk that says it has synced and mostly has not.
pub(super) struct Forgetful(pub Arc<dyn Disk>);

impl Disk for Forgetful {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(Lying { file: self.0.open()?, syncs: AtomicU64::new(0) }))
    }
}

#[derive(Debug)]
struct Lying {
    file: Box<dyn StorageBackend>,
    syncs: AtomicU64,
}

impl StorageBackend for Lying {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.syncs.fetch_add(1, Ordering::Relaxed).is_multiple_of(KEPT) { self.file.sync_data() } else { Ok(()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}
