//! The surface: tokens, codes, idempotency keys, the OpenAPI document.

use super::world::{PASSWORD, TOKEN, WORKER_TOKEN, World, new_primary};
use crate::api;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PRODUCT: &str = "sqlserver 2012 web";

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "service");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).expect("a request")
}

#[tokio::test]
async fn without_the_right_token_nothing_is_answered() {
    let world = World::new().await;
    let bearer = |token: &str| format!("Bearer {token}");
    let cases = [
        ("/v1/instances", String::new()),
        ("/v1/instances", bearer("wrong")),
        ("/v1/instances", format!("Basic {TOKEN}")),
        ("/v1/instances", bearer(WORKER_TOKEN)),
        ("/openapi.json", String::new()),
        ("/nowhere", String::new()),
        ("/internal/leases", bearer(TOKEN)),
    ];
    for (path, token) in cases {
        let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("authorization", &token)] };
        let (status, content_type, body) = world.raw(request("GET", path, headers, "")).await;
        assert_eq!((status, content_type.as_str()), (401, "application/problem+json"), "{path} {token}");
        assert!(body.contains(r#""code":"Unauthorised""#) && !body.contains(TOKEN), "{body}");
    }
    assert_eq!(world.get("/v1/instances").await.body, json!({ "instances": [] }));
}

#[tokio::test]
async fn every_refusal_is_a_problem_document_with_its_code() {
    let world = World::new().await;
    let token = format!("Bearer {TOKEN}");
    let all = [("authorization", token.as_str()), ("content-type", "application/json"), ("idempotency-key", "k")];
    let large = format!("{{\"region\": \"{}\"}}", "x".repeat(1 << 20));
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, &str, Headers<'_>, &str, u16, &str); 11] = [
        ("GET", "/v2", &all, "", 404, "NotFound"),
        ("GET", "/", &all, "", 404, "NotFound"),
        ("PATCH", "/v1/instances", &all, "", 405, "MethodNotAllowed"),
        ("GET", "/v1/instances/rm-none", &all, "", 404, "InvalidDBInstanceId.NotFound"),
        ("GET", "/v1/migration-tasks/dts-none", &all, "", 404, "InvalidTaskId.NotFound"),
        ("GET", "/v1/backups/bk-none", &all, "", 404, "InvalidBackupId.NotFound"),
        ("GET", "/v1/migration-sources", &all, "", 400, "InvalidParameter"),
        ("POST", "/v1/instances", &all[..2], "{}", 400, "IdempotencyKeyMissing"),
        ("POST", "/v1/instances", &[all[0], all[2]], "{}", 415, "UnsupportedMediaType"),
        ("POST", "/v1/instances", &all, "{", 400, "InvalidParameter"),
        ("POST", "/v1/instances", &all, &large, 413, "RequestTooLarge"),
    ];
    for (method, path, headers, body, status, code) in cases {
        let (given, content_type, body) = world.raw(request(method, path, headers, body)).await;
        assert_eq!((given, content_type.as_str()), (status, "application/problem+json"), "{method} {path} {body}");
        let problem: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{body}");
    }
}

#[tokio::test]
async fn an_idempotency_key_is_1_to_64_ascii_characters() {
    let world = World::new().await;
    let token = format!("Bearer {TOKEN}");
    let body = new_primary(PRODUCT).to_string();
    for (key, status) in [("", 400), ("k", 202), (&"x".repeat(64), 202), (&"x".repeat(65), 400), ("käse", 400)] {
        let headers =
            [("authorization", token.as_str()), ("content-type", "application/json"), ("idempotency-key", key)];
        let (given, _, body) = world.raw(request("POST", "/v1/instances", &headers, &body)).await;
        assert_eq!(given, status, "{key}: {body}");
    }
}

#[tokio::test]
async fn the_same_request_with_the_same_key_gives_the_same_answer_and_makes_nothing_more() {
    let mut world = World::new().await;
    let token = format!("Bearer {TOKEN}");
    let headers =
        [("authorization", token.as_str()), ("content-type", "application/json"), ("idempotency-key", "key-1")];
    let body = new_primary(PRODUCT).to_string();
    let first = world.raw(request("POST", "/v1/instances", &headers, &body)).await;
    assert_eq!(first.0, 202, "{}", first.2);
    super::world::settle().await;
    assert_eq!(world.raw(request("POST", "/v1/instances", &headers, &body)).await, first);
    world.crash_and_start().await;
    assert_eq!(world.raw(request("POST", "/v1/instances", &headers, &body)).await, first);
    let (status, _, other) =
        world.raw(request("POST", "/v1/instances", &headers, &body.replace("hang", "shang"))).await;
    assert_eq!(status, 422, "{other}");
    assert!(other.contains("IdempotencyKeyReused"));
    let instances = world.get("/v1/instances").await.body;
    assert_eq!(instances["instances"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_refused_request_may_be_sent_again_with_its_key() {
    let world = World::new().await;
    let id = world.primary("mysql 5.7 high-availability", "made").await;
    let path = format!("/v1/instances/{id}/clones");
    let refused = world.post(&path, "key", &json!({})).await;
    assert_eq!(refused.body["code"], "InvalidParameter");
    let clone =
        json!({ "restore": { "backup_set_id": "bk-none" }, "billing": "pay-as-you-go", "terms_accepted": true });
    let refused = world.post(&path, "key", &clone).await;
    assert_ne!(refused.body["code"], "IdempotencyKeyReused");
    assert!(refused.status >= 400, "{}", refused.body);
}

#[tokio::test]
async fn no_answer_and_no_debug_text_holds_a_password() {
    let world = World::new().await;
    let id = world.primary(PRODUCT, "made").await;
    let account = json!({ "name": "other", "password": PASSWORD, "grants": { "default": "read-only" } });
    let path = format!("/v1/instances/{id}");
    let side = json!({ "region": "hangzhou", "instance_id": id, "account": "app", "password": PASSWORD });
    let answers = [
        world.post(&format!("{path}/accounts"), "a", &account).await,
        world.put(&format!("{path}/accounts/other"), &json!({ "password": PASSWORD })).await,
        world.get(&format!("{path}/accounts")).await,
        world.post("/v1/migration-tasks", "t", &json!({ "source": side, "target": side })).await,
        world.post("/v1/migration-tasks", "u", &json!({ "source": side, "target": side, "extra": PASSWORD })).await,
        world.get("/v1/migration-tasks").await,
        world.get("/v1/instances").await,
    ];
    for answer in answers {
        assert!(!answer.body.to_string().contains(PASSWORD), "{}", answer.body);
    }
    let machines = world.cloud.machines();
    assert!(!machines.orders.is_empty());
    assert!(!format!("{:?}", machines.orders).contains(PASSWORD));
}

#[test]
fn the_document_lists_every_route() {
    let document: Value = serde_json::from_str(&api::openapi().to_json().expect("a document")).expect("JSON");
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
            documented.insert((method.clone(), path.clone()));
        }
    }
    let served: BTreeSet<_> = api::ROUTES.iter().map(|(method, path)| (method.to_string(), path.to_string())).collect();
    assert_eq!(documented, served);
    assert_eq!(served.len(), api::ROUTES.len());
}

#[tokio::test]
async fn every_documented_route_is_served() {
    let world = World::new().await;
    for (method, path) in api::ROUTES {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let path = path.replace("{id}", "none").replace("{name}", "none").replace("{token}", "none");
        let answer = world.send(method.clone(), &path, None, None).await;
        assert!(!["NotFound", "MethodNotAllowed"].iter().any(|code| answer.body["code"] == *code), "{method} {path}");
    }
    let document = world.get("/openapi.json").await;
    assert_eq!(document.status, 200);
    assert_eq!(document.body["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn no_answer_in_the_document_has_a_password() {
    let document: Value = serde_json::from_str(&api::openapi().to_json().expect("a document")).expect("JSON");
    let mut looked_at = BTreeSet::new();
    let operations = document["paths"].as_object().expect("paths").values().filter_map(Value::as_object);
    for operation in operations.flat_map(|operations| operations.values()) {
        assert_passwordless(&document, &operation["responses"], &mut looked_at);
    }
    assert!(looked_at.contains("#/components/schemas/InstanceView"), "{looked_at:?}");
    assert!(looked_at.contains("#/components/schemas/TaskView"));
    assert!(!looked_at.contains("#/components/schemas/NewAccount"));
}

fn assert_passwordless(document: &Value, schema: &Value, looked_at: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str)
                && looked_at.insert(reference.to_owned())
            {
                let target = document.pointer(reference.trim_start_matches('#'));
                assert_passwordless(document, target.expect("a schema"), looked_at);
            }
            for (name, value) in fields {
                assert!(!name.contains("password"), "{schema}");
                assert_passwordless(document, value, looked_at);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| assert_passwordless(document, item, looked_at)),
        _ => {}
    }
}
