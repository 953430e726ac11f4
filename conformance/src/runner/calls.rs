//! The operator's calls of the interface: with patience, through what stands before it, each written down.

use super::fault::Fate;
use super::gate::{Beyond, Request};
use super::operator::{Answer, Operator, StepFailed, Stepped};
use crate::history::Call;
use crate::history::redact::redact;
use futures_util::future::{LocalBoxFuture, join};
use http::Method;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recovery::client::Client;
use recovery::model::Secret;
use recovery::ports::clock::later;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// How long a call that got no answer is tried again.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

impl Operator {
    /// One attempt of a call with another token than the right one.
    pub async fn call_as(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        let ports = &self.stage.ports;
        let (clock, network) = (ports.clock.clone(), ports.network.clone());
        let stranger = Client::new(clock, network, self.stage.service.clone(), Secret::new(token));
        self.once(&stranger, &method, path, body, None, false).await
    }

    /// A call; where no answer comes it is made again, with the same key, for ten minutes.
    ///
    /// # Errors
    /// When no answer came in all that time.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>, key: Option<&str>) -> Stepped<Answer> {
        let body = body.map(|body| match &*self.faults.zone.borrow() {
            Some(zone) => in_zone(zone, body),
            None => body.clone(),
        });
        let attempt = async || self.attempt(&method, path, body.as_ref(), key).await.map(|answer| (answer, ()));
        self.patiently(&method, path, attempt).await.map(|(answer, ())| answer)
    }

    /// Fetches a file: the answer, whose body is there where it was refused, and the bytes.
    ///
    /// # Errors
    /// When no answer came in ten minutes.
    pub async fn fetch(&self, path: &str) -> Stepped<(Answer, Vec<u8>)> {
        self.patiently(&Method::GET, path, async || self.attempt_fetch(path).await).await
    }

    async fn patiently<T>(
        &self,
        method: &Method,
        path: &str,
        attempt: impl AsyncFn() -> Option<(Answer, T)>,
    ) -> Stepped<(Answer, T)> {
        let give_up = later(self.now(), PATIENCE);
        let mut pause_ms = 200;
        loop {
            match attempt().await {
                Some((answer, more)) if answer.status < 500 => return Ok((answer, more)),
                _ if self.now() >= give_up => {
                    return Err(StepFailed::new(format!("an answer to {method} {path}"), "none for ten minutes"));
                }
                _ => self.sleep(SignedDuration::from_millis(pause_ms)).await,
            }
            pause_ms = (pause_ms * 2).min(10_000);
        }
    }

    fn beyond<'a>(&'a self, client: &'a Client) -> Beyond<'a> {
        Beyond { client, clock: &*self.stage.ports.clock }
    }

    async fn attempt_fetch(&self, path: &str) -> Option<(Answer, Vec<u8>)> {
        let mut call = asked(self.now(), &Method::GET, path, None, None);
        let beyond = self.beyond(&self.client);
        let fetched = match &self.gate {
            Some(gate) => gate.file(path, &beyond).await,
            None => Box::pin(beyond.fetch(path)).await,
        };
        let answer = match fetched {
            Ok((status, bytes)) => {
                call.status = Some(status);
                if status >= 400 {
                    call.answer = recorded(serde_json::from_slice(&bytes).unwrap_or(Value::Null));
                }
                Some((Answer { status, body: Arc::clone(&call.answer), news: true }, bytes.to_vec()))
            }
            Err(error) => {
                call.error = Some(error.to_string());
                None
            }
        };
        self.recorder.call(self.now(), call);
        answer
    }

    /// One attempt, and what befalls it.
    async fn attempt(&self, method: &Method, path: &str, body: Option<&Value>, key: Option<&str>) -> Option<Answer> {
        let client = &self.client;
        match self.faults.trouble.next(method, key) {
            Fate::Plain => self.once(client, method, path, body, key, false).await,
            Fate::AnswerLost => self.once(client, method, path, body, key, true).await,
            Fate::Twice { at_once: false } => {
                let first = self.once(client, method, path, body, key, false).await;
                let second = self.once(client, method, path, body, key, false).await;
                better(first, second)
            }
            Fate::Twice { at_once: true } => {
                let first = self.once(client, method, path, body, key, false);
                let second = self.once(client, method, path, body, key, false);
                let (first, second) = join(first, second).await;
                better(first, second)
            }
        }
    }

    /// One request; with `lose`, its answer does not arrive. It has a place of its own in memory: what waits for it is
    /// handed on again and again, and costs by its size.
    fn once<'a>(
        &'a self,
        client: &'a Client,
        method: &'a Method,
        path: &'a str,
        body: Option<&'a Value>,
        key: Option<&'a str>,
        lose: bool,
    ) -> LocalBoxFuture<'a, Option<Answer>> {
        Box::pin(self.once_here(client, method, path, body, key, lose))
    }

    async fn once_here(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
        lose: bool,
    ) -> Option<Answer> {
        let mut call = asked(self.now(), method, path, body, key);
        let beyond = self.beyond(client);
        let (reads, asked_body) = (*method == Method::GET && body.is_none() && key.is_none(), body.cloned());
        let request =
            Request { method: method.clone(), path: path.to_owned(), body: asked_body, key: key.map(str::to_owned) };
        let told = |answer: recovery::client::Answer| (answer.status, recorded(answer.body), true);
        let answered = match &self.gate {
            Some(gate) => gate.pass(request, &beyond).await.map(told),
            None if reads => match beyond.fetch(path).await {
                Ok((status, bytes)) => self.looks.read(path, status, bytes).map(|(body, news)| (status, body, news)),
                Err(error) => Err(error),
            },
            None => beyond.send(&request).await.map(told),
        };
        let answer = match answered {
            Ok(_) if lose => {
                call.error = Some("the answer was lost".into());
                None
            }
            Ok((status, body, news)) => {
                call.status = Some(status);
                call.answer = Arc::clone(&body);
                Some(Answer { status, body, news })
            }
            Err(error) => {
                call.error = Some(error.to_string());
                None
            }
        };
        self.recorder.call(self.now(), call);
        answer
    }

    /// Reads something.
    ///
    /// # Errors
    /// When it is refused or no answer comes.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Stepped<T> {
        self.call(Method::GET, path, None, None).await?.read(&format!("GET {path}"))
    }

    /// Looks at something, which is written down; that it has the right shape is looked at once while it stays the same.
    ///
    /// # Errors
    /// When it is refused or no answer comes.
    pub async fn look_at<T: DeserializeOwned>(&self, path: &str) -> Stepped {
        let answer = self.call(Method::GET, path, None, None).await?;
        if answer.news || answer.status >= 400 { answer.read::<T>(&format!("GET {path}")).map(drop) } else { Ok(()) }
    }

    /// Asks for something; a create gets a fresh key.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn post(&self, path: &str, body: &Value) -> Stepped<Answer> {
        let key = self.key();
        self.call(Method::POST, path, Some(body), Some(&key)).await
    }
}

/// A body with its times stated in the local time of a zone.
fn in_zone(zone: &TimeZone, body: &Value) -> Value {
    match body {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, field)| (key.clone(), stated(zone, key, field))).collect())
        }
        other => other.clone(),
    }
}

fn stated(zone: &TimeZone, key: &str, field: &Value) -> Value {
    match field.as_str().filter(|_| key == "point_in_time").and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(time) => Value::String(time.display_with_offset(zone.to_offset(time)).to_string()),
        None => in_zone(zone, field),
    }
}

/// Of two answers to the same request the one to go by: what was accepted, else the first.
fn better(first: Option<Answer>, second: Option<Answer>) -> Option<Answer> {
    let accepted = |answer: &Option<Answer>| answer.as_ref().is_some_and(|answer| answer.status < 400);
    if accepted(&second) && !accepted(&first) { second } else { first.or(second) }
}

/// A call that was sent and not answered yet.
fn asked(sent_at: Timestamp, method: &Method, path: &str, body: Option<&Value>, key: Option<&str>) -> Call {
    Call {
        sent_at,
        method: method.to_string(),
        path: path.to_owned(),
        key: key.map(str::to_owned),
        request: body.cloned().unwrap_or(Value::Null),
        status: None,
        answer: Arc::new(Value::Null),
        error: None,
    }
}

/// An answer as it is kept: without passwords.
fn recorded(mut answer: Value) -> Arc<Value> {
    redact(&mut answer);
    Arc::new(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;
    use serde_json::json;

    #[test]
    fn a_time_stated_in_another_zone_is_the_same_instant() {
        let body = json!({"restore": {"point_in_time": "2026-01-05T00:00:00Z"}, "name": "2026-01-05T00:00:00Z"});
        let zone = TimeZone::fixed(Offset::constant(5));
        let stated = in_zone(&zone, &body);
        assert_eq!(stated["restore"]["point_in_time"], "2026-01-05T05:00:00+05:00");
        assert_eq!(stated["name"], "2026-01-05T00:00:00Z");
    }

    #[test]
    fn of_two_answers_the_accepted_one_counts() {
        let answer = |status| Some(Answer { status, body: Arc::new(Value::Null), news: true });
        let status = |first, second| better(first, second).map(|answer| answer.status);
        assert_eq!(status(answer(404), answer(204)), Some(204));
        assert_eq!(status(answer(200), answer(409)), Some(200));
        assert_eq!(status(answer(403), answer(404)), Some(403));
        assert_eq!(status(None, answer(404)), Some(404));
    }
}
