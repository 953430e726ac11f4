//! A temporary instance is in the classic network, whatever its master's network (TMP-07, SQL-13; C-02).

use super::TemporaryViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::instance::NetworkType;

/// Looks at every sight of every temporary instance.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let other = story.views.iter().find(|seen| seen.it.network != NetworkType::Classic);
        let violation =
            other.map(|seen| TemporaryViolation::NotClassic { instance: story.id.clone(), network: seen.it.network });
        finding.judge(other.unwrap_or(&story.views[0]), violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};
    use recovery::model::views::InstanceView;

    fn in_vpc(view: InstanceView) -> InstanceView {
        InstanceView { network: NetworkType::Vpc, ..view }
    }

    #[test]
    fn a_temporary_instance_in_its_masters_vpc_is_found() {
        let shop = in_vpc(master("rm-1", "sqlserver 2012 web"));
        let mut story = Story::new();
        story.see(&shop).see(&in_vpc(temporary("sub1", &shop, start())));
        let expected = TemporaryViolation::NotClassic { instance: "sub1".into(), network: NetworkType::Vpc };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_classic_temporary_instance_of_a_master_in_a_vpc_holds() {
        let shop = in_vpc(master("rm-1", "sqlserver 2012 web"));
        let mut story = Story::new();
        story.see(&shop).see(&temporary("sub1", &shop, start()));
        holds(&story, check, 1);
    }
}
