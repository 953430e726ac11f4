//! A restore brings structure, full data or both: structure alone no rows, full data alone no tables (LOG-35; C-30).

use super::RestoreViolation;
use super::content::words;
use super::scene::{Scene, scenes};
use super::whole::verdict;
use super::witness::requests;
use crate::checks::Finding;
use crate::checks::migration::content::find;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::Rows;
use serde_json::Value;

/// The documented types.
const TYPES: [&str; 2] = ["structure", "full"];

/// Judges requests for no type or another, restores of both that ended well, and those of one however they ended.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let given = request.body().get("types").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let other = given.iter().find(|kind| !kind.as_str().is_some_and(|kind| TYPES.contains(&kind)));
        if other.is_none() && !given.is_empty() {
            continue;
        }
        let (field, value) = ("types".to_owned(), other.map_or_else(|| "none".to_owned(), Value::to_string));
        if request.made.is_some() {
            finding.judge(&request.call, Some(RestoreViolation::ValueAccepted { field, value }));
        } else if request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    for scene in scenes(lens).filter(|scene| scene.completed() && scene.view().types.len() == TYPES.len()) {
        if let Some(violation) = scene.truth.and_then(|truth| verdict(&scene, truth)) {
            finding.judge(&scene.after, violation);
        }
    }
    for scene in scenes(lens).filter(|scene| scene.view().types.len() == 1) {
        let task = scene.story.id.clone();
        let difference = if scene.full() { made(&scene) } else { rows(&scene) };
        finding.judge(&scene.after, difference.map(|difference| RestoreViolation::OtherTypeCame { task, difference }));
    }
    finding
}

/// An object that is new in the target.
fn made(scene: &Scene<'_, '_>) -> Option<Difference> {
    scene.is().databases.iter().find_map(|(database, held)| {
        let new = |kind, name: &str| find(scene.was(), database, kind, name).is_none();
        let object = held.objects.values().find(|object| new(object.kind, &object.name))?;
        Some(Difference::Extra { what: words(database, object.kind, &object.name) })
    })
}

/// Rows of a table that are not those it had.
fn rows(scene: &Scene<'_, '_>) -> Option<Difference> {
    scene.is().databases.iter().find_map(|(database, held)| {
        held.objects.values().filter(|object| object.kind == ObjectKind::Table).find_map(|object| {
            let was = find(scene.was(), database, ObjectKind::Table, &object.name).and_then(|was| was.rows.as_ref());
            let (want, got) = (was.map_or(0, Rows::count), object.rows.as_ref().map_or(0, Rows::count));
            let same = if was.is_some() { was == object.rows.as_ref() } else { got == 0 };
            let what = words(database, object.kind, &object.name);
            (!same && !scene.stirred(database, &object.name)).then_some(Difference::Rows { what, want, got })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, but, holds, nothing, orders, orders_with, wrong};
    use recovery::model::logical::restore::RestoreType;
    use recovery::model::photograph::Photograph;
    use serde_json::json;

    fn tale(only: RestoreType, before: &Photograph, after: &Photograph) -> Tale {
        let mut tale = Tale::between(&orders(), before);
        tale.set(|view| view.types = [only].into()).complete(&orders(), after);
        tale
    }

    #[test]
    fn rows_that_come_with_structure_alone_are_found() {
        let difference = Difference::Rows { what: "table orders of app".into(), want: 0, got: 2 };
        let task = "rst-1".into();
        assert_eq!(
            wrong(&tale(RestoreType::Structure, &nothing(), &orders()).story, check),
            vec![RestoreViolation::OtherTypeCame { task, difference }]
        );
    }

    #[test]
    fn a_table_made_by_full_data_alone_is_found() {
        let difference = Difference::Extra { what: "table orders of app".into() };
        let task = "rst-1".into();
        assert_eq!(
            wrong(&tale(RestoreType::Full, &nothing(), &orders()).story, check),
            vec![RestoreViolation::OtherTypeCame { task, difference }]
        );
    }

    #[test]
    fn a_third_type_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let asked = but(body(&tale.view), "/types", json!(["incremental"]));
        let answer = json!(tale.view);
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        let (field, value) = ("types".into(), "\"incremental\"".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::ValueAccepted { field, value }]);
    }

    #[test]
    fn each_type_by_itself_and_both_hold() {
        holds(&tale(RestoreType::Structure, &nothing(), &orders_with(&[])).story, check, 1);
        holds(&tale(RestoreType::Full, &orders_with(&[]), &orders()).story, check, 1);
        let mut both = Tale::between(&orders(), &nothing());
        both.complete(&orders(), &orders());
        holds(&both.story, check, 1);
    }
}
