//! A clone is another instance, and its making leaves the original as it was (RED-22).

use super::RedisViolation;
use super::witness::{difference, keys};
use crate::checks::Finding;
use crate::checks::temporary::truth::{account_difference, untouched_by_users};
use crate::checks::temporary::witness::order_of;
use crate::history::lens::Lens;

/// Compares the original of each clone before the order and after the clone ran, and their ids and endpoints.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.redis_clones() {
        let (Some(order), Some(running), Some(of)) = (order_of(lens, story.id), story.running(), story.master()) else {
            continue;
        };
        let (clone, original) = (story.id.clone(), of.clone());
        let original_at =
            lens.instance(of).and_then(|it| it.view_at(running.index)).and_then(|it| it.it.endpoint.clone());
        if original_at.is_some() && original_at == running.it.endpoint {
            finding.judge(&running, Some(RedisViolation::CloneSharesEndpoint { clone, original }));
            continue;
        }
        let before = lens.shots(of).rev().find(|shot| shot.index < order.index && shot.at <= order.it.sent_at);
        let (Some(before), Some(after)) = (before, lens.shot_after(of, running.index)) else { continue };
        if !untouched_by_users(lens, of, &before, after.at) || lens.moved_into_between(of, before.index, after.index) {
            continue;
        }
        let (want, got) = (&before.it.photograph, &after.it.photograph);
        let Some((was, is)) = keys(want, after.at).zip(keys(got, after.at)) else { continue };
        let differs = difference(&was, &is).or_else(|| account_difference(want, got));
        let violation = differs.map(|difference| RedisViolation::OriginalChanged { original, clone, difference });
        finding.judge(&after, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, cache, copy, holds, keys as timed, texts, wrong};
    use crate::checks::testing::{Story, span, start};
    use recovery::model::photograph::Photograph;

    fn story(before: &Photograph, after: &Photograph) -> Story {
        let mut story = backed_up(before);
        copy(&mut story, before);
        story.shot("r-1", after);
        story
    }

    #[test]
    fn an_original_that_changed_is_found() {
        let found = wrong(&story(&texts(&[("a", "1")]), &texts(&[])), check);
        assert!(matches!(found[..], [RedisViolation::OriginalChanged { .. }]));
    }

    #[test]
    fn a_clone_at_its_originals_endpoint_is_found() {
        let mut story = story(&texts(&[]), &texts(&[]));
        for event in &mut story.history.events {
            if let crate::history::What::InstanceSeen(view) = &mut event.what {
                std::sync::Arc::make_mut(view).endpoint = cache().endpoint;
            }
        }
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::CloneSharesEndpoint { .. }]));
    }

    #[test]
    fn an_original_as_before_holds_but_for_keys_whose_time_is_over() {
        holds(&story(&texts(&[("a", "1")]), &texts(&[("a", "1")])), check, 1);
        let over = start() + span("12s");
        holds(&story(&timed(&[("a", "1", None), ("b", "2", Some(over))]), &texts(&[("a", "1")])), check, 1);
    }
}
