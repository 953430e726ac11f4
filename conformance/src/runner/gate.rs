//! A layer before the interface: it may change, keep, repeat or answer what the operator asks of the service.

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::client::{Answer, Client, ClientError};
use recovery::ports::Clock;
use serde_json::Value;

/// How long one call may take.
pub const CALL: SignedDuration = SignedDuration::from_secs(30);

/// A request on its way to the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path with query.
    pub path: String,
    /// Body; passwords stand in it as they are.
    pub body: Option<Value>,
    /// Idempotency key.
    pub key: Option<String>,
}

/// The service behind the layer.
pub struct Beyond<'a> {
    /// A client with the token of the one who asks.
    pub client: &'a Client,
    /// The operator's clock.
    pub clock: &'a dyn Clock,
}

impl Beyond<'_> {
    /// Sends a request on.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        let Request { method, path, body, key } = request;
        self.client.send(method.clone(), path, body.as_ref(), key.as_deref(), CALL).await
    }

    /// Reads something with the right of the one who asks.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.client.send(Method::GET, path, None, None, CALL).await
    }

    /// Fetches a file.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn fetch(&self, path: &str) -> Result<(u16, Bytes), ClientError> {
        self.client.fetch(path, CALL).await
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A layer before the interface. One value serves one run and may keep what it has seen.
#[async_trait(?Send)]
pub trait Gate {
    /// Passes a request on, or does otherwise.
    ///
    /// # Errors
    /// When there is no answer.
    async fn pass(&self, request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError>;

    /// Passes the fetching of a file on, or does otherwise.
    ///
    /// # Errors
    /// When there is no answer.
    async fn file(&self, path: &str, beyond: &Beyond<'_>) -> Result<(u16, Bytes), ClientError> {
        beyond.fetch(path).await
    }
}
