//! Connections between hosts.

use async_trait::async_trait;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A host's network.
#[async_trait]
pub trait Network: Send + Sync {
    /// Connects to `host:port`. May wait for ever: every caller puts a timeout of its own clock around it.
    ///
    /// # Errors
    /// When the peer refuses or cannot be found.
    async fn connect(&self, address: &str) -> io::Result<Box<dyn Stream>>;

    /// Takes connections on a port of this host.
    ///
    /// # Errors
    /// When the port is taken.
    async fn listen(&self, port: u16) -> io::Result<Box<dyn Listener>>;
}

/// A port that takes connections.
#[async_trait]
pub trait Listener: Send {
    /// The next connection, with the name or address of the host it comes from.
    ///
    /// # Errors
    /// When the port is gone.
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, String)>;
}
