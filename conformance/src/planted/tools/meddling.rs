//! The ports of a host of the system, wrapped.

use super::clock::Shifted;
use super::cloud::HookedCloud;
use super::database::{Connect, HookedDatabase};
use super::disk::Forgetful;
use super::{At, CloudHooks, Memory, SessionHooks};
use jiff::{SignedDuration, Timestamp};
use recovery::ports::{Disk, Ports};
use sim::Meddler;
use std::sync::{Arc, Mutex};

/// Wrapped ports; what is missing stays as it is. Made with `Arc::new(Meddling { …, ..Meddling::default() })`, or by one
/// of the functions beneath where one port is enough.
#[derive(Debug, Clone, Default)]
pub struct Meddling {
    /// Round logging in.
    pub connect: Option<Connect>,
    /// Round what sessions do.
    pub session: SessionHooks,
    /// Round what the cloud does.
    pub cloud: CloudHooks,
    /// How far the clock of a host is ahead.
    pub ahead: Option<fn(&str) -> SignedDuration>,
    /// How far the clock of a host is ahead at a true time.
    pub drift: Option<fn(&str, Timestamp) -> SignedDuration>,
    /// Whether the service's disk lies about sync.
    pub forgetful_disk: bool,
    /// What was seen in this run, by all hosts together.
    pub memory: Arc<Mutex<Memory>>,
}

impl Meddler for Meddling {
    fn ports(&self, host: &str, mut ports: Ports) -> Ports {
        if let Some(ahead) = self.ahead {
            let ahead = ahead(host);
            ports.clock = Arc::new(Shifted { inner: ports.clock, ahead: Arc::new(move |_| ahead) });
        }
        if let Some(drift) = self.drift {
            let host = host.to_owned();
            ports.clock = Arc::new(Shifted { inner: ports.clock, ahead: Arc::new(move |now| drift(&host, now)) });
        }
        let (endpoint, account) = (String::new(), String::new());
        let (clock, memory) = (Arc::clone(&ports.clock), Arc::clone(&self.memory));
        let at = At { host: host.to_owned(), endpoint, account, clock, ports: ports.clone(), memory };
        let Self { connect, session: hooks, .. } = *self;
        ports.database = Arc::new(HookedDatabase { inner: ports.database, connect, hooks, at: at.clone() });
        ports.cloud = Arc::new(HookedCloud { inner: ports.cloud, hooks: self.cloud, at });
        ports
    }

    fn disk(&self, disk: Arc<dyn Disk>) -> Arc<dyn Disk> {
        if self.forgetful_disk { Arc::new(Forgetful(disk)) } else { disk }
    }
}

/// Ports with hooks round sessions.
#[must_use]
pub fn session(session: SessionHooks) -> Arc<dyn Meddler> {
    Arc::new(Meddling { session, ..Meddling::default() })
}

/// Ports with hooks round the cloud.
#[must_use]
pub fn cloud(cloud: CloudHooks) -> Arc<dyn Meddler> {
    Arc::new(Meddling { cloud, ..Meddling::default() })
}

/// Ports whose clocks are ahead, by host.
#[must_use]
pub fn clock(ahead: fn(&str) -> SignedDuration) -> Arc<dyn Meddler> {
    Arc::new(Meddling { ahead: Some(ahead), ..Meddling::default() })
}

/// Ports whose clocks are ahead, by host and true time.
#[must_use]
pub fn drift(drift: fn(&str, Timestamp) -> SignedDuration) -> Arc<dyn Meddler> {
    Arc::new(Meddling { drift: Some(drift), ..Meddling::default() })
}

/// Ports and a disk that lies about sync.
#[must_use]
pub fn forgetful_disk() -> Arc<dyn Meddler> {
    Arc::new(Meddling { forgetful_disk: true, ..Meddling::default() })
}
