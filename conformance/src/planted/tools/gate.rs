//! Layers before the interface, from plain functions.

use super::Memory;
use crate::runner::gate::{Beyond, Gate, Request};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use recovery::client::{Answer, ClientError};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

/// Does all of it: passes the request on as often as it likes, and answers.
pub type Pass =
    for<'a> fn(Request, &'a Beyond<'a>, &'a RefCell<Memory>) -> LocalBoxFuture<'a, Result<Answer, ClientError>>;
/// Changes a request.
pub type OnRequest = fn(&mut Request, &mut Memory);
/// Changes an answer.
pub type OnAnswer = fn(&Request, &mut Answer, &mut Memory);
/// Answers by itself, without the service, or not.
pub type Instead = fn(&Request, &mut Memory) -> Option<Answer>;
/// Changes a file that was fetched by a path.
pub type OnFile = fn(&str, &mut (u16, Bytes), &mut Memory);

/// A layer of functions; those that are missing do nothing.
#[derive(Default)]
pub struct Layer {
    /// Does all of it; the next three are not asked then.
    pub pass: Option<Pass>,
    /// First: changes the request.
    pub request: Option<OnRequest>,
    /// Then: answers in the place of the service.
    pub instead: Option<Instead>,
    /// Last: changes the answer, also one of `instead`.
    pub answer: Option<OnAnswer>,
    /// Changes files.
    pub file: Option<OnFile>,
    /// What the layer has seen in this run.
    pub memory: RefCell<Memory>,
}

#[async_trait(?Send)]
impl Gate for Layer {
    async fn pass(&self, mut request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError> {
        self.memory.borrow_mut().now = beyond.now();
        if let Some(pass) = self.pass {
            return pass(request, beyond, &self.memory).await;
        }
        if let Some(change) = self.request {
            change(&mut request, &mut self.memory.borrow_mut());
        }
        let own = self.instead.and_then(|instead| instead(&request, &mut self.memory.borrow_mut()));
        let mut answer = match own {
            Some(answer) => answer,
            None => beyond.send(&request).await?,
        };
        if let Some(change) = self.answer {
            change(&request, &mut answer, &mut self.memory.borrow_mut());
        }
        Ok(answer)
    }

    async fn file(&self, path: &str, beyond: &Beyond<'_>) -> Result<(u16, Bytes), ClientError> {
        let mut file = beyond.fetch(path).await?;
        if let Some(change) = self.file {
            change(path, &mut file, &mut self.memory.borrow_mut());
        }
        Ok(file)
    }
}

/// A layer that does all of it by itself.
#[must_use]
pub fn own(pass: Pass) -> Rc<dyn Gate> {
    Rc::new(Layer { pass: Some(pass), ..Layer::default() })
}

/// A layer that changes requests.
#[must_use]
pub fn on_request(request: OnRequest) -> Rc<dyn Gate> {
    Rc::new(Layer { request: Some(request), ..Layer::default() })
}

/// A layer that changes answers.
#[must_use]
pub fn on_answer(answer: OnAnswer) -> Rc<dyn Gate> {
    Rc::new(Layer { answer: Some(answer), ..Layer::default() })
}

/// A layer that answers some requests in the place of the service.
#[must_use]
pub fn instead(instead: Instead) -> Rc<dyn Gate> {
    Rc::new(Layer { instead: Some(instead), ..Layer::default() })
}

/// A layer that changes files.
#[must_use]
pub fn on_file(file: OnFile) -> Rc<dyn Gate> {
    Rc::new(Layer { file: Some(file), ..Layer::default() })
}

/// Whether a request is of a method and path, for example `POST /v1/instances/*/temporary`; `*` is any one part, and
/// the query does not count.
#[must_use]
pub fn is(request: &Request, wanted: &str) -> bool {
    let Some((method, path)) = wanted.split_once(' ') else { return false };
    let parts = parts(request);
    request.method.as_str() == method
        && parts.len() == path.split('/').skip(1).count()
        && parts.iter().zip(path.split('/').skip(1)).all(|(part, wanted)| wanted == "*" || *part == wanted)
}

/// The parts of a request's path, without the query: `["v1", "instances", "rm-…"]`.
#[must_use]
pub fn parts(request: &Request) -> Vec<&str> {
    let path = request.path.split('?').next().unwrap_or_default();
    path.split('/').skip(1).collect()
}

/// The body of a request; null when there is none.
#[must_use]
pub fn body(request: &Request) -> &Value {
    request.body.as_ref().unwrap_or(&Value::Null)
}

/// The same request under another key: for the service another one.
#[must_use]
pub fn anew(request: &Request) -> Request {
    Request { key: request.key.as_ref().map(|key| format!("{key}-anew")), ..request.clone() }
}

/// The code of a refusal; empty when it is none.
#[must_use]
pub fn code(answer: &Answer) -> &str {
    if answer.status < 400 { "" } else { answer.body.get("code").and_then(Value::as_str).unwrap_or_default() }
}

/// A refusal.
#[must_use]
pub fn refusal(status: u16, code: &str, detail: &str) -> Answer {
    let body = json!({"type": "about:blank", "code": code, "title": code, "status": status, "detail": detail});
    Answer { status, body }
}

/// An answer.
#[must_use]
pub fn answer(status: u16, body: Value) -> Answer {
    Answer { status, body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn a_star_stands_for_one_part() {
        let request =
            Request { method: Method::POST, path: "/v1/instances/rm-1/temporary?dry=1".into(), body: None, key: None };
        assert!(is(&request, "POST /v1/instances/*/temporary"));
        assert!(!is(&request, "GET /v1/instances/*/temporary"));
        assert!(!is(&request, "POST /v1/instances/*"));
        assert!(!is(&request, "POST /v1/*/temporary"));
        assert_eq!(parts(&request)[2], "rm-1");
    }
}
