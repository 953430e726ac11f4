//! The network of the service and its users: TCP on this machine, under the names of hosts.

use crate::ways::Ways;
use async_trait::async_trait;
use recovery::ports::{Listener, Network, Stream};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};

/// Bytes under way within this process.
const BUFFER: usize = 64 * 1024;

/// Where each `host:port` really listens. Clones are the same book.
#[derive(Clone, Default)]
pub struct Addresses(Arc<Mutex<BTreeMap<String, u16>>>);

impl Addresses {
    fn set(&self, name: String, port: u16) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, port);
    }

    /// Waits until somebody listens there; whether that came in time.
    pub async fn listened(&self, name: &str) -> bool {
        for _ in 0..1_000 {
            if self.get(name).is_some() {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        false
    }

    fn get(&self, name: &str) -> Option<u16> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}

/// The network as one host sees it.
#[derive(Clone)]
pub struct TcpNetwork {
    host: String,
    ways: Ways,
    addresses: Addresses,
}

impl TcpNetwork {
    /// The network of a host.
    #[must_use]
    pub fn new(host: impl Into<String>, ways: Ways, addresses: Addresses) -> Self {
        Self { host: host.into(), ways, addresses }
    }
}

#[async_trait]
impl Network for TcpNetwork {
    async fn connect(&self, address: &str) -> io::Result<Box<dyn Stream>> {
        let peer = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
        self.ways.pass(&self.host, &peer).await;
        let unknown = || io::Error::new(io::ErrorKind::ConnectionRefused, format!("nobody listens at {address}"));
        let port = self.addresses.get(address).ok_or_else(unknown)?;
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        self.ways.pass(&peer, &self.host).await;
        let (near, far) = tokio::io::duplex(BUFFER);
        let (ways, host) = (self.ways.clone(), self.host.clone());
        tokio::spawn(async move { ways.relay((&host, far), (&peer, stream)).await });
        Ok(Box::new(near))
    }

    async fn listen(&self, port: u16) -> io::Result<Box<dyn Listener>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        self.addresses.set(format!("{}:{port}", self.host), listener.local_addr()?.port());
        Ok(Box::new(Port(listener)))
    }
}

/// A port that takes connections.
struct Port(TcpListener);

#[async_trait]
impl Listener for Port {
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, String)> {
        let (stream, peer) = self.0.accept().await?;
        stream.set_nodelay(true)?;
        Ok((Box::new(stream), peer.ip().to_string()))
    }
}
