//! A list asked for one region shows all instances of that region and no others (TMP-12, SQL-18, CLN-15).

use super::TemporaryViolation;
use super::witness::{alive, asked_at, at_event, sights};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens};
use crate::history::{ListKind, What};

/// Judges lists of a region once an instance of another region is known.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (index, event) in lens.history.events.iter().enumerate() {
        let What::InstancesListed {
            list: list @ (ListKind::Instances | ListKind::MigrationSources),
            of: Some(asked),
            ids,
        } = &event.what
        else {
            continue;
        };
        let elsewhere = |story: &&InstanceStory<'_>| story.first.region != *asked && lens.in_scope(story.first);
        let wrong = ids.iter().filter_map(|id| lens.instance(id)).find(elsewhere);
        let known = lens.instances().filter(elsewhere).any(|story| story.views[0].index < index);
        let left_out = || {
            let here = |story: &&InstanceStory<'_>| story.first.region == *asked && lens.in_scope(story.first);
            lens.instances().filter(here).find(|story| !ids.contains(story.id) && there_all_along(lens, story, index))
        };
        let violation = if let Some(story) = wrong {
            let (instance, region) = (story.id.clone(), story.first.region.clone());
            Some(TemporaryViolation::ListedElsewhere { instance, list: *list, asked: asked.clone(), region })
        } else if let Some(story) = (*list == ListKind::Instances).then(left_out).flatten() {
            Some(TemporaryViolation::NotListed { instance: story.id.clone(), list: *list })
        } else if known {
            None
        } else {
            continue;
        };
        finding.judge(&at_event(index, event.at), violation);
    }
    finding
}

/// Whether an instance was seen both before a list was asked for and after it was answered.
fn there_all_along(lens: &Lens<'_>, story: &InstanceStory<'_>, index: usize) -> bool {
    let (from, to) = (asked_at(lens, index), lens.history.events[index].at);
    let mut before = sights(lens, story).filter(|seen| seen.index < index && alive(seen.it.state));
    let mut after = sights(lens, story).filter(|seen| seen.index > index && alive(seen.it.state));
    before.any(|seen| seen.at <= from) && after.any(|seen| asked_at(lens, seen.index) >= to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{holds, wrong};
    use crate::checks::testing::{Story, master};
    use recovery::model::views::InstanceView;

    fn other() -> InstanceView {
        InstanceView { region: "region-2".into(), ..master("rm-2", "mysql 5.7") }
    }

    #[test]
    fn an_instance_listed_in_another_region_is_found() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.show_list(ListKind::MigrationSources, Some("region-1"), &[&shop, &other()]);
        let (instance, list) = ("rm-2".into(), ListKind::MigrationSources);
        let (asked, region) = ("region-1".into(), "region-2".into());
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::ListedElsewhere { instance, list, asked, region }]);
    }

    #[test]
    fn an_instance_left_out_of_its_region_is_found() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).show_list(ListKind::Instances, Some("region-1"), &[]).see(&shop);
        let expected = TemporaryViolation::NotListed { instance: "rm-1".into(), list: ListKind::Instances };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_list_without_the_instances_of_other_regions_holds() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&other()).show_list(ListKind::Instances, Some("region-1"), &[&shop]);
        holds(&story, check, 1);
    }

    #[test]
    fn with_one_region_only_nothing_is_exercised() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.show_list(ListKind::Instances, Some("region-1"), &[&shop]).show_list(
            ListKind::Instances,
            None,
            &[&other()],
        );
        holds(&story, check, 0);
    }
}
