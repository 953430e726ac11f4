//! Fields with a closed list of values: each documented one is understood, and no other is (LOG-22, LOG-35, LOG-42, LOG-43).

use super::RestoreViolation;
use super::witness::{SHAPE, requests};
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::Value;

/// Judges requests by the values of one field, each of which may be a text or a list of texts.
pub fn closed(lens: &Lens<'_>, place: &str, allowed: &[&str]) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let given: Vec<&str> = match request.body().pointer(place) {
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        let field = place.trim_start_matches('/').to_owned();
        let other = given.iter().find(|value| !allowed.contains(value)).map(|value| (*value).to_owned());
        match other {
            Some(value) if request.made.is_some() => {
                finding.judge(&request.call, Some(RestoreViolation::ValueAccepted { field, value }));
            }
            Some(_) if request.call.it.refused() => finding.judge(&request.call, None::<RestoreViolation>),
            None if request.made.is_some() && !given.is_empty() => {
                finding.judge(&request.call, None::<RestoreViolation>);
            }
            None if request.readable(lens) && request.refused_as(&[SHAPE]) => {
                let detail = request.detail();
                let named = given.iter().find(|value| detail.contains(**value)).or(given.first());
                let value = named.map(|value| (*value).to_owned()).unwrap_or_default();
                finding.judge(&request.call, Some(RestoreViolation::ValueRefused { field, value, detail }));
            }
            _ => {}
        }
    }
    finding
}
