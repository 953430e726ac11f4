//! Answers and refusals as HTTP responses; a refusal is a problem document (RFC 9457).

use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::views::Problem;
use crate::service::Answer;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use utoipa::ToSchema;

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        if self.body.is_empty() {
            return respond(self.status, None, Body::empty());
        }
        respond(self.status, Some("application/json"), Body::from(self.body))
    }
}

/// A file, byte by byte.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(super) struct File(pub(super) Bytes);

impl IntoResponse for File {
    fn into_response(self) -> Response {
        respond(200, Some("application/octet-stream"), Body::from(self.0))
    }
}

/// A refusal, as a handler gives it back.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let problem = problem(&self.0);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        respond(problem.status, Some("application/problem+json"), Body::from(body))
    }
}

fn respond(status: u16, content_type: Option<&'static str>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

fn problem(refusal: &Refusal) -> Problem {
    Problem {
        r#type: "about:blank".to_owned(),
        code: refusal.code.text().to_owned(),
        title: title(refusal.code),
        status: refusal.code.status(),
        detail: refusal.detail.clone(),
    }
}

/// The name of a code in words: `TempDbInstanceExists` is `Temp db instance exists`.
fn title(code: RefusalCode) -> String {
    let mut words = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_code_in_words() {
        let problem = problem(&Refusal::new(RefusalCode::TempDbInstanceExists, "rm-1 has one"));
        assert_eq!(problem.title, "Temp db instance exists");
        assert_eq!(problem.code, "OperationDenied.TempDBInstanceExists");
        assert_eq!(problem.status, 403);
    }
}
