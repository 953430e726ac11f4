//! A side of a task is in the region of its instance (TMP-32, SQL-35, CLN-30).

use super::TaskViolation;
use super::calls::{Side, instance, made, setups, shown, text};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen};

/// Judges requests whose region is not the instance's own, and what accepted tasks say of their regions.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for call in setups(lens) {
        if let Some(task) = shown(call.it) {
            for side in Side::BOTH {
                let Some(own) = own(lens, &call, side) else { continue };
                let asked = text(call.it, side, "region").filter(|region| *region != own);
                let region = asked.or_else(|| Some(side.of(&task).region.as_str()).filter(|region| *region != own));
                let (task, region, own) = (task.id.clone(), region.map(str::to_owned), own.to_owned());
                finding.judge(&call, region.map(|region| TaskViolation::RegionDiffers { task, side, region, own }));
            }
        } else if call.it.status == Some(400) && made(call.it).is_none() {
            let astray = |side: Side| {
                let region = text(call.it, side, "region");
                region.is_some() && own(lens, &call, side).is_some_and(|own| Some(own) != region)
            };
            if Side::BOTH.into_iter().any(astray) {
                finding.judge(&call, None::<TaskViolation>);
            }
        }
    }
    finding
}

fn own<'l>(lens: &'l Lens<'_>, call: &Seen<'_, Call>, side: Side) -> Option<&'l str> {
    let story = lens.instance(&instance(call.it, side)?)?;
    Some(story.first.region.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, with, wrong};
    use serde_json::json;

    #[test]
    fn a_region_that_is_not_the_instances_own_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/target/region", json!("region-2"));
        tale.create_as(body);
        let (side, region, own) = (Side::Target, "region-2".into(), "region-1".into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::RegionDiffers { task: "dts-1".into(), side, region, own }]);
    }

    #[test]
    fn a_refused_region_and_right_ones_hold() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/target/region", json!("region-2"));
        tale.refuse_body(body, 400, "InvalidParameter").create();
        holds(&tale, check, 3);
    }

    #[test]
    fn instances_nobody_knows_exercise_nothing() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/target/instance_id", json!("rm-9"));
        let body = with(body, "/source/instance_id", json!("rm-8"));
        tale.refuse_body(body, 400, "InvalidParameter");
        holds(&tale, check, 0);
    }
}
