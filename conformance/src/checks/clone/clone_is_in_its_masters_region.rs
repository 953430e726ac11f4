//! A clone is in the region of its master (CLN-25).

use super::CloneViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares regions on every sight.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.clones() {
        let Some(master) = story.master().and_then(|id| lens.instance(id)) else { continue };
        let elsewhere = story.views.iter().find(|seen| seen.it.region != master.first.region);
        let violation = elsewhere.map(|seen| CloneViolation::CloneRegionDiffers {
            clone: story.id.clone(),
            master_region: master.first.region.clone(),
            region: seen.it.region.clone(),
        });
        finding.judge(elsewhere.unwrap_or(&story.views[0]), violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, start};
    use recovery::model::views::InstanceView;

    #[test]
    fn a_clone_in_another_region_is_found() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).see(&InstanceView { region: "region-2".into(), ..clone_of("rm-2", &shop, start()) });
        let (clone, master_region, region) = ("rm-2".into(), "region-1".into(), "region-2".into());
        assert_eq!(
            wrong_clone(&story, check),
            vec![CloneViolation::CloneRegionDiffers { clone, master_region, region }]
        );
    }

    #[test]
    fn a_clone_in_its_masters_region_holds() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).see(&clone_of("rm-2", &shop, start()));
        holds(&story, check, 1);
    }

    #[test]
    fn without_a_clone_nothing_is_exercised() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        holds(&story, check, 0);
    }
}
