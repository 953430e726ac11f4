//! Answers to reads: most say what the one before them said, and are not read out of their bytes again.

use crate::history::redact::redact;
use bytes::Bytes;
use recovery::client::ClientError;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The newest answer to each read, by path.
#[derive(Default)]
pub struct Looks(RefCell<BTreeMap<String, (Bytes, Arc<Value>)>>);

impl Looks {
    /// The value of an answer, without passwords, and whether it is another one than before.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn read(&self, path: &str, status: u16, bytes: Bytes) -> Result<(Arc<Value>, bool), ClientError> {
        let mut known = self.0.borrow_mut();
        if let Some((before, body)) = known.get(path)
            && *before == bytes
        {
            return Ok((Arc::clone(body), false));
        }
        let mut body = match bytes.as_ref() {
            [] => Value::Null,
            text => serde_json::from_slice(text).map_err(|_| ClientError::NotJson(status))?,
        };
        redact(&mut body);
        let body = Arc::new(body);
        known.insert(path.to_owned(), (bytes, Arc::clone(&body)));
        Ok((body, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(looks: &Looks, path: &str, text: &'static str) -> Option<(Arc<Value>, bool)> {
        looks.read(path, 200, Bytes::from_static(text.as_bytes())).ok()
    }

    #[test]
    fn the_same_bytes_are_the_same_answer_until_others_come() {
        let looks = Looks::default();
        let texts = [("/a", "[1]"), ("/a", "[1]"), ("/b", "[1]"), ("/a", "[2]"), ("/a", "[1]"), ("/a", "")];
        let answers: Vec<_> = texts.iter().filter_map(|(path, text)| read(&looks, path, text)).collect();
        let news: Vec<bool> = answers.iter().map(|(_, news)| *news).collect();
        assert_eq!(news, [true, false, true, true, true, true]);
        assert!(Arc::ptr_eq(&answers[0].0, &answers[1].0) && !Arc::ptr_eq(&answers[0].0, &answers[4].0));
        assert_eq!((answers[4].0.to_string(), answers[5].0.to_string()), ("[1]".into(), "null".into()));
        assert_eq!(looks.read("/a", 502, Bytes::from_static(b"<html>")).err(), Some(ClientError::NotJson(502)));
    }

    #[test]
    fn a_password_in_an_answer_is_a_mark() {
        let (answer, _) = read(&Looks::default(), "/a", r#"{"password": "s3cret"}"#).expect("JSON");
        assert!(answer["password"].as_str().is_some_and(|mark| mark.starts_with('#')));
    }
}
