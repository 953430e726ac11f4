//! The connections of a host that crashes: closed in the order they were opened.
//!
//! tokio drops the tasks of a runtime in an order that hangs on their ids, and all runs of a process draw ids from one
//! counter. What a connection says when it is dropped, and when it arrives, must not hang on other runs; so a connection
//! of a dying host is kept until all its tasks are gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use turmoil::net::TcpStream;

/// The connections of one host.
#[derive(Clone, Default)]
pub(crate) struct Graves(Arc<Mutex<Plot>>);

#[derive(Default)]
struct Plot {
    /// Connections opened so far.
    opened: u64,
    /// Connections whose owners are gone, by number, while the host dies.
    kept: Option<BTreeMap<u64, TcpStream>>,
}

impl Graves {
    fn lock(&self) -> MutexGuard<'_, Plot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a connection that was opened.
    pub(crate) fn number(&self) -> u64 {
        let mut plot = self.lock();
        plot.opened += 1;
        plot.opened
    }

    /// The host dies from now on.
    pub(crate) fn open(&self) {
        self.lock().kept = Some(BTreeMap::new());
    }

    /// Closes a connection whose owner is gone: at once, or where the host dies in its turn.
    pub(crate) fn bury(&self, number: u64, connection: TcpStream) {
        let mut plot = self.lock();
        match &mut plot.kept {
            Some(kept) => drop(kept.insert(number, connection)),
            None => {
                drop(plot);
                drop(connection);
            }
        }
    }

    /// Closes what was kept, in order; the host is dead.
    pub(crate) fn close(&self) {
        let kept = self.lock().kept.take();
        for (_, connection) in kept.into_iter().flatten() {
            drop(connection);
        }
    }
}

/// What a host's main function holds: it goes after all other tasks of the host.
pub(crate) struct LastOne(pub(crate) Graves);

impl Drop for LastOne {
    fn drop(&mut self) {
        self.0.close();
    }
}
