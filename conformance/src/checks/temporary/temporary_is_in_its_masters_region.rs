//! A temporary instance is in the region of its master (TMP-24, SQL-30).

use super::TemporaryViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares regions on every sight.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let Some(master) = story.master().and_then(|id| lens.instance(id)) else { continue };
        let elsewhere = story.views.iter().find(|seen| seen.it.region != master.first.region);
        let violation = elsewhere.map(|seen| TemporaryViolation::RegionDiffers {
            instance: story.id.clone(),
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
    use crate::checks::temporary::made_up::{holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};
    use recovery::model::views::InstanceView;

    #[test]
    fn a_temporary_instance_in_another_region_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).see(&InstanceView { region: "region-2".into(), ..temporary("sub1", &shop, start()) });
        let (instance, master_region, region) = ("sub1".into(), "region-1".into(), "region-2".into());
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::RegionDiffers { instance, master_region, region }]);
    }

    #[test]
    fn a_temporary_instance_in_its_masters_region_holds() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).see(&temporary("sub1", &shop, start()));
        holds(&story, check, 1);
    }

    #[test]
    fn a_master_nobody_saw_exercises_nothing() {
        let mut story = Story::new();
        story.see(&temporary("sub1", &master("rm-1", "sqlserver 2012 web"), start()));
        holds(&story, check, 0);
    }
}
