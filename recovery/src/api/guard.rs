//! The guard: nobody gets past it without the token of the door they stand at.

use super::Api;
use super::answers::Refused;
use crate::model::Secret;
use crate::model::refusal::{Refusal, RefusalCode};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Digests of the tokens. Digests are compared, so the time a comparison takes tells nothing about a token.
pub(super) struct Tokens {
    access: [u8; 32],
    worker: [u8; 32],
}

impl Tokens {
    pub(super) fn new(access: &Secret, worker: &Secret) -> Self {
        Self { access: digest(access.expose()), worker: digest(worker.expose()) }
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lets a request pass that bears the token of its door: the workers' for their channel, the users' for all else.
pub(super) async fn guard(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let wanted = if request.uri().path().starts_with("/internal/") { &api.tokens.worker } else { &api.tokens.access };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let detail = match token {
        Some((_, token)) if digest(token) == *wanted => return next.run(request).await,
        Some(_) => "the access token is not the right one",
        None => "there is no access token; send the header `Authorization: Bearer TOKEN`",
    };
    Refused(Refusal::new(RefusalCode::Unauthorised, detail)).into_response()
}
