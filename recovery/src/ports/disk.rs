//! The bytes under the service's own store.

use std::io;

/// A host's disk, as far as the store needs it.
pub trait Disk: Send + Sync {
    /// The file of the store, as it is on the disk now.
    ///
    /// # Errors
    /// When the disk cannot be read.
    fn open(&self) -> io::Result<Box<dyn redb::StorageBackend>>;
}
