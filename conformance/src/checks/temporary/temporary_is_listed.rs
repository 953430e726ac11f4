//! A temporary instance that was made is on the lists of instances, of its master's temporary instances and of migration
//! sources (TMP-17, TMP-25, SQL-31).

use super::TemporaryViolation;
use super::witness::LIFE;
use super::witness::{alive, asked_at, at_event, birth, faulted_before, released_by_user, sights};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens};
use crate::history::{ListKind, What};
use recovery::model::InstanceId;

const LISTS: [ListKind; 3] = [ListKind::Instances, ListKind::Temporaries, ListKind::MigrationSources];

/// Judges each temporary instance on each kind of list that was asked for during its life.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        for wanted in LISTS {
            let seen: Vec<(usize, bool)> = listings(lens, story, wanted);
            let without = seen.iter().find(|(_, on_it)| !on_it);
            let Some((index, on_it)) = without.or(seen.first()) else { continue };
            let violation = TemporaryViolation::NotListed { instance: story.id.clone(), list: wanted };
            finding.judge(&at_event(*index, lens.history.events[*index].at), (!on_it).then_some(violation));
        }
    }
    finding
}

/// Lists of a kind on which the instance must be, and whether it is.
fn listings(lens: &Lens<'_>, story: &InstanceStory<'_>, wanted: ListKind) -> Vec<(usize, bool)> {
    let (Some(running), Some(birth)) = (story.running(), birth(lens, story)) else { return vec![] };
    let events = lens.history.events.iter().enumerate().skip(running.index);
    let found = events.filter_map(|(index, event)| match &event.what {
        What::InstancesListed { list, of, ids } if *list == wanted => {
            let of = of.as_deref();
            let whole = match wanted {
                ListKind::Temporaries => of == story.master().map(InstanceId::as_str),
                _ => of.is_none_or(|region| region == story.first.region),
            };
            let during = asked_at(lens, index) >= running.at
                && event.at < birth.earliest + LIFE
                && !released_by_user(lens, story, event.at)
                && still_there(lens, story, index)
                && !(wanted == ListKind::MigrationSources && faulted_before(lens, index));
            (whole && during).then(|| (index, ids.contains(story.id)))
        }
        _ => None,
    });
    found.collect()
}

/// An instance that vanished too early is another rule's matter.
fn still_there(lens: &Lens<'_>, story: &InstanceStory<'_>, index: usize) -> bool {
    story.gone.iter().all(|(gone, _)| *gone > index)
        && sights(lens, story).all(|seen| seen.index > index || alive(seen.it.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};
    use recovery::model::views::InstanceView;

    fn story() -> (Story, InstanceView) {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).see(&rescue);
        (story, rescue)
    }

    #[test]
    fn a_running_temporary_instance_that_no_list_shows_is_found() {
        let (mut story, _) = story();
        story.show_list(ListKind::MigrationSources, Some("region-1"), &[]);
        let expected = TemporaryViolation::NotListed { instance: "sub1".into(), list: ListKind::MigrationSources };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_running_temporary_instance_on_its_lists_holds() {
        let (mut story, rescue) = story();
        story.show_list(ListKind::Temporaries, Some("rm-1"), &[&rescue]).show_list(
            ListKind::Instances,
            None,
            &[&rescue],
        );
        holds(&story, check, 2);
    }

    #[test]
    fn lists_of_other_regions_masters_and_times_exercise_nothing() {
        let (mut story, _) = story();
        story.show_list(ListKind::Temporaries, Some("rm-2"), &[]).show_list(ListKind::Instances, Some("region-2"), &[]);
        story.go_to("48h").show_list(ListKind::Temporaries, Some("rm-1"), &[]);
        holds(&story, check, 0);
    }
}
