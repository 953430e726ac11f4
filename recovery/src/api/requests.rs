//! Requests as handlers take them: path, query, body and idempotency key, each refused with a code and a sentence.

use super::Api;
use super::answers::Refused;
use crate::model::logical::backup::SetKind;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::{DataSourceId, TaskId};
use crate::service::{Answer, Known, Once};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// Bytes of a request's body at most.
pub(super) const BODY_MAX: usize = 1 << 20;

/// Characters of an idempotency key at most.
const KEY_MAX: usize = 64;

/// What stands in the path.
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(named) = Path::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::new(RefusalCode::NotFound, format!("unreadable path: {}", error.body_text())))?;
        Ok(Self(named))
    }
}

/// What stands in the query.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Query(asked) = Query::from_request_parts(parts, state).await.map_err(|error| invalid(error.body_text()))?;
        Ok(Self(asked))
    }
}

/// `?region=`, which may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaybeRegion {
    pub(super) region: Option<String>,
}

/// `?region=`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Region {
    pub(super) region: String,
}

/// `?from=&to=`, which may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaybeTimes {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

/// `?subject=`, which may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaybeSubject {
    pub(super) subject: Option<String>,
}

/// `?source=`, which may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaybeSource {
    pub(super) source: Option<DataSourceId>,
}

/// `?task=&kind=`, each of which may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaybeSets {
    pub(super) task: Option<TaskId>,
    pub(super) kind: Option<SetKind>,
}

/// A JSON body.
pub(super) struct Sent<T, const MAX: usize = BODY_MAX>(pub(super) T);

impl<T: DeserializeOwned, const MAX: usize> FromRequest<Arc<Api>> for Sent<T, MAX> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Refused> {
        let (parts, bytes) = read(request, MAX).await?;
        Ok(Self(parse(&parts.headers, &bytes)?))
    }
}

/// A request that makes something: its idempotency key and its JSON body.
pub(super) struct Order<T> {
    pub(super) once: Once,
    pub(super) new: T,
}

/// Why the handler of an [`Order`] is not called.
pub(super) enum NoOrder {
    /// It was answered before.
    Answered(Answer),
    /// It is refused.
    Refused(Refused),
}

impl From<Refusal> for NoOrder {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Refused(refusal))
    }
}

impl IntoResponse for NoOrder {
    fn into_response(self) -> Response {
        match self {
            Self::Answered(answer) => answer.into_response(),
            Self::Refused(refused) => refused.into_response(),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Order<T> {
    type Rejection = NoOrder;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, NoOrder> {
        let key = idempotency_key(request.headers())?;
        let (parts, bytes) = read(request, BODY_MAX).await?;
        let once = Once { key, request_sha256: fingerprint(&parts, &bytes) };
        if let Known::Answered(answer) = api.keeper.known(&once)? {
            return Err(NoOrder::Answered(answer));
        }
        Ok(Self { once, new: parse(&parts.headers, &bytes)? })
    }
}

/// A request that makes something and says nothing more: its idempotency key. A body is an empty object, or none at all.
pub(super) struct Wish(pub(super) Once);

/// What the body of a [`Wish`] may hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl FromRequest<Arc<Api>> for Wish {
    type Rejection = NoOrder;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, NoOrder> {
        let key = idempotency_key(request.headers())?;
        let (parts, bytes) = read(request, BODY_MAX).await?;
        if !bytes.is_empty() {
            let Nothing {} = parse(&parts.headers, &bytes)?;
        }
        let once = Once { key, request_sha256: fingerprint(&parts, b"") };
        match api.keeper.known(&once)? {
            Known::Answered(answer) => Err(NoOrder::Answered(answer)),
            _ => Ok(Self(once)),
        }
    }
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::InvalidParameter, detail)
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Err(Refusal::new(
            RefusalCode::IdempotencyKeyMissing,
            "a request that makes something needs the header `Idempotency-Key`; any text of 1 to 64 characters will do, \
             the same again for the same request",
        ));
    };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_MAX => Ok(key.to_owned()),
        _ => Err(invalid(format!("the Idempotency-Key has to be 1 to {KEY_MAX} ASCII characters"))),
    }
}

fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(parts.method.as_str());
    hasher.update(b" ");
    hasher.update(parts.uri.path());
    hasher.update(b"\n");
    hasher.update(body);
    hex(&hasher.finalize())
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn read(request: Request, max: usize) -> Result<(Parts, Bytes), Refusal> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok((parts, collected.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Refusal::new(RefusalCode::BodyTooLarge, format!("the body is larger than {max} bytes")))
        }
        Err(_) => Err(invalid("the body broke off")),
    }
}

fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(
            RefusalCode::ContentType,
            format!("the body's content type is `{essence}`; it has to be `application/json`"),
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| invalid(explain(&error)))?;
    deserializer.end().map_err(|error| invalid(format!("the body goes on after its JSON: {error}")))?;
    Ok(parsed)
}

/// What is wrong with a body, and where. The value found is left out, since it may be a password.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (text, path) = (error.inner().to_string(), error.path().to_string());
    if error.inner().classify() != Category::Data {
        return format!("the body is not JSON: {text}");
    }
    let place = if path == "." { "the body".to_owned() } else { format!("field `{path}`") };
    let wrong = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let found = found.split([' ', '`', '"']).next().unwrap_or_default();
            let expected = if expected.starts_with("struct ") { "an object" } else { without_place(expected) };
            format!("{place}: found {found}, expected {expected}")
        }
        None if path.contains("password") => format!("{place}: expected a text"),
        None => format!("{place}: {}", without_place(&text)),
    }
}

fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::views::{NewInstance, NewTask};

    fn refusal_of<T: DeserializeOwned>(body: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json; charset=utf-8"));
        match parse::<T>(&headers, body.as_bytes()) {
            Ok(_) => String::new(),
            Err(refusal) => refusal.detail,
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        let detail = refusal_of::<NewInstance>(r#"{"product": "mysql 5.7 high-availability", "region": 5}"#);
        assert_eq!(detail, "field `region`: found integer, expected a string");
        let detail = refusal_of::<NewInstance>(r#"{"region": "r", "colour": "red"}"#);
        assert!(detail.contains("unknown field `colour`"), "{detail}");
        let detail = refusal_of::<NewTask>(r#"{"source": {"region": "r"}}"#);
        assert!(detail.contains("`source`") && detail.contains("missing field `instance_id`"), "{detail}");
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_repeated() {
        let detail = refusal_of::<NewTask>(r#"{"source": {"password": 4711}}"#);
        assert_eq!(detail, "field `source.password`: found integer, expected a string");
        let detail = refusal_of::<NewTask>(r#"{"source": "pass, expected word"}"#);
        assert_eq!(detail, "field `source`: found string, expected an object");
    }

    #[test]
    fn a_body_that_is_no_json_is_refused_with_the_place() {
        let detail = refusal_of::<NewInstance>("{\"region\": ");
        assert!(detail.starts_with("the body is not JSON") && detail.contains("line 1 column"), "{detail}");
        assert!(refusal_of::<serde_json::Value>("{} {}").contains("goes on"));
    }
}
