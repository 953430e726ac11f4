//! A client of the service: JSON over HTTP, connections kept for the next requests, every wait on the host's clock.

use crate::model::Secret;
use crate::model::views::Problem;
use crate::ports::{Clock, Network};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use thiserror::Error;
use tokio::task::AbortHandle;

/// Seconds a connection may take to come about.
const CONNECT_S: i64 = 10;

/// How many connections are kept for the next requests: as many as were needed beside each other, up to this.
const KEPT: usize = 8;

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body; null when there was none.
    pub body: Value,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// There is no connection; the request was not sent.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The time was over; whether the request had an effect is open.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke; whether the request had an effect is open.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The answer, of this status, is not JSON.
    #[error("the answer with status {0} is not JSON of the kind expected")]
    NotJson(u16),
}

/// Why a call gave no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The service refused.
    #[error("{}: {}", .0.code, .0.detail)]
    Refused(Problem),
    /// There was no answer.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A client of one service.
pub struct Client {
    clock: Arc<dyn Clock>,
    network: Arc<dyn Network>,
    address: String,
    token: Secret,
    idle: Mutex<Vec<Connection>>,
}

type Sender = SendRequest<Full<Bytes>>;

/// A connection; the task that drives it ends with it.
struct Connection {
    sender: Sender,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Client {
    /// A client of the service at `host:port`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, network: Arc<dyn Network>, address: String, token: Secret) -> Self {
        Self { clock, network, address, token, idle: Mutex::default() }
    }

    /// Sends a request and waits for its answer, at most for `timeout`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
        timeout: SignedDuration,
    ) -> Result<Answer, ClientError> {
        let request = self.request(method, path, body.map(Value::to_string), idempotency_key)?;
        let (status, bytes) = self.exchange(request, timeout).await?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| ClientError::NotJson(status))?
        };
        Ok(Answer { status, body })
    }

    /// Fetches a file: status and bytes, whatever they are.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn fetch(&self, path: &str, timeout: SignedDuration) -> Result<(u16, Bytes), ClientError> {
        self.exchange(self.request(Method::GET, path, None, None)?, timeout).await
    }

    /// Sends a request and reads the answer as a value; an empty answer reads as null.
    ///
    /// # Errors
    /// When the service refuses, and when there is no answer.
    pub async fn call<B: Serialize + Sync, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        timeout: SignedDuration,
    ) -> Result<A, CallError> {
        let body = body.map(serde_json::to_string).transpose();
        let body = body.map_err(|error| ClientError::Unreachable(format!("unwritable request: {error}")))?;
        let (status, bytes) = self.exchange(self.request(method, path, body, None)?, timeout).await?;
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        if (200..300).contains(&status) {
            return Ok(serde_json::from_slice(text).map_err(|_| ClientError::NotJson(status))?);
        }
        Err(CallError::Refused(serde_json::from_slice(text).map_err(|_| ClientError::NotJson(status))?))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        idempotency_key: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let unsendable = |what: &str| ClientError::Unreachable(format!("{what} cannot be sent in a header"));
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.token.expose()))
            .map_err(|_| unsendable("the access token"))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.address)
            .header(header::AUTHORIZATION, bearer);
        if let Some(key) = idempotency_key {
            let key = HeaderValue::from_str(key).map_err(|_| unsendable("the idempotency key"))?;
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|error| ClientError::Unreachable(format!("unsendable request: {error}")))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        timeout: SignedDuration,
    ) -> Result<(u16, Bytes), ClientError> {
        self.clock.timeout(timeout, self.exchange_untimed(request)).await.unwrap_or(Err(ClientError::TimedOut))
    }

    /// Sends on the connection kept last, or on a new one when there is none or it turns out to be closed before anything
    /// was sent on it. A connection is kept for the next request only after a whole answer.
    async fn exchange_untimed(&self, mut request: Request<Full<Bytes>>) -> Result<(u16, Bytes), ClientError> {
        let kept = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        if let Some(mut connection) = kept
            && connection.sender.ready().await.is_ok()
        {
            match connection.sender.try_send_request(request).await {
                Ok(response) => return self.finish(connection, response).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(ClientError::Broken(error.into_error().to_string())),
                },
            }
        }
        let mut connection = self.connect().await?;
        match connection.sender.send_request(request).await {
            Ok(response) => self.finish(connection, response).await,
            Err(error) => Err(ClientError::Broken(error.to_string())),
        }
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let connect = async {
            let stream = self.network.connect(&self.address).await.map_err(|error| error.to_string())?;
            let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
            // How a connection ends shows in its requests.
            let driver = tokio::spawn(async move { driver.await.unwrap_or_default() }).abort_handle();
            Ok::<_, String>(Connection { sender, driver })
        };
        let connected = self.clock.timeout(SignedDuration::from_secs(CONNECT_S), connect).await;
        match connected {
            Some(connected) => connected.map_err(ClientError::Unreachable),
            None => Err(ClientError::Unreachable(format!("{} did not answer in time", self.address))),
        }
    }

    async fn finish(&self, connection: Connection, response: Response<Incoming>) -> Result<(u16, Bytes), ClientError> {
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|error| ClientError::Broken(error.to_string()))?;
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < KEPT
        {
            idle.push(connection);
        }
        Ok((status, body.to_bytes()))
    }
}
