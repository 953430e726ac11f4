//! Views, functions, procedures, triggers and events are defined by the account that restores them (LOG-12; C-15).

use super::RestoreViolation;
use super::content::wanted;
use super::scene::scenes;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;

/// The kinds that have a definer.
const DEFINED: [ObjectKind; 5] =
    [ObjectKind::View, ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Trigger, ObjectKind::Event];

/// Looks at the definer of every such object that a restore brought, where the source had one.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens) {
        let Some(held) = scene.truth.or(scene.of_set) else { continue };
        for wanted in wanted(&scene, held) {
            let defined = DEFINED.contains(&wanted.object.kind) && wanted.object.definer.is_some();
            let Some(is) = wanted.in_target(scene.is()).filter(|_| defined && wanted.in_target(scene.was()).is_none())
            else {
                continue;
            };
            let definer = is.definer.clone().unwrap_or_default();
            let own = definer.split('@').next().is_some_and(|name| name == scene.account);
            let (task, account) = (scene.story.id.clone(), scene.account.to_owned());
            let object = wanted.words();
            finding.judge(
                &scene.after,
                (!own).then_some(RestoreViolation::DefinerKept { task, object, definer, account }),
            );
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, defined_by, holds, nothing, orders, with, wrong};
    use recovery::model::photograph::Photograph;

    fn all_kinds() -> Photograph {
        let kinds = ["view", "function", "procedure", "trigger", "event"];
        DEFINED.into_iter().zip(kinds).fold(orders(), |held, (kind, word)| {
            with(held, kind, &format!("a_{word}"), &format!("create {word} a_{word} on orders"))
        })
    }

    #[test]
    fn a_definer_that_is_kept_is_found_on_each_of_the_five_kinds() {
        let mut tale = Tale::between(&all_kinds(), &nothing());
        tale.placed().complete(&all_kinds(), &all_kinds());
        let found = wrong(&tale.story, check);
        assert_eq!(found.len(), 5);
        let kept =
            |it: &RestoreViolation| matches!(it, RestoreViolation::DefinerKept { definer, .. } if definer == "boss");
        assert!(found.iter().all(kept));
    }

    #[test]
    fn the_restoring_account_as_definer_holds() {
        let mut tale = Tale::between(&all_kinds(), &nothing());
        tale.placed().complete(&all_kinds(), &defined_by(all_kinds(), "restorer"));
        holds(&tale.story, check, 5);
    }

    #[test]
    fn what_was_there_before_exercises_nothing() {
        let mut tale = Tale::between(&all_kinds(), &all_kinds());
        tale.placed().complete(&all_kinds(), &all_kinds());
        holds(&tale.story, check, 0);
    }
}
