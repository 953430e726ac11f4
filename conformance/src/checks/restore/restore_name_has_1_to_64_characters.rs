//! The name of a restore task has 1 to 64 characters, whatever their bytes, and is kept (LOG-18; C-21).

use super::RestoreViolation;
use super::witness::{NAME_MOST, SHAPE, readable, requests};
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::{Value, json};

/// Judges requests with names at and beyond both bounds, and names that were changed.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let Some(name) = request.text("/name") else { continue };
        let characters = name.chars().count();
        let allowed = (1..=NAME_MOST).contains(&characters);
        let edge = !allowed || characters == 1 || characters == NAME_MOST;
        match &request.made {
            Some(_) if !allowed => {
                finding.judge(&request.call, Some(RestoreViolation::RestoreNameAccepted { characters }));
            }
            Some(made) if edge || made.name != name => {
                let (want, got) = (name.to_owned(), made.name.clone());
                let changed = (want != got).then_some(RestoreViolation::RestoreNameChanged { want, got });
                finding.judge(&request.call, changed);
            }
            None if !allowed && request.call.it.refused() => finding.judge(&request.call, None::<RestoreViolation>),
            None if edge && request.refused_as(&[SHAPE]) && otherwise_readable(lens, request.body()) => {
                finding.judge(&request.call, Some(RestoreViolation::RestoreNameRefused { characters }));
            }
            _ => {}
        }
    }
    finding
}

/// Whether everything but the name is of its shape.
fn otherwise_readable(lens: &Lens<'_>, body: &Value) -> bool {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("name".into(), json!("any"));
    }
    readable(lens, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};

    fn tale(name: &str) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.set(|view| view.name = name.into());
        tale
    }

    #[test]
    fn a_name_of_65_characters_that_is_accepted_is_found() {
        let mut tale = tale(&"x".repeat(65));
        tale.save();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::RestoreNameAccepted { characters: 65 }]);
    }

    #[test]
    fn a_name_of_64_characters_of_three_bytes_that_is_refused_is_found() {
        let mut tale = tale(&"恢".repeat(64));
        let asked = body(&tale.view);
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::RestoreNameRefused { characters: 64 }]);
    }

    #[test]
    fn a_name_that_is_cut_is_found() {
        let mut tale = tale("bring back the orders");
        let (asked, mut answer) = (body(&tale.view), json!(tale.view));
        answer["name"] = json!("bring");
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::RestoreNameChanged { .. }]));
    }

    #[test]
    fn both_edges_accepted_and_both_sides_beyond_refused_hold() {
        for name in ["恢".repeat(64), "x".to_owned()] {
            let mut tale = tale(&name);
            tale.save();
            holds(&tale.story, check, 1);
        }
        for name in [String::new(), "x".repeat(65)] {
            let mut tale = tale(&name);
            let asked = body(&tale.view);
            tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
            holds(&tale.story, check, 1);
        }
    }
}
