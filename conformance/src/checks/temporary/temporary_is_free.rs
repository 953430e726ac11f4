//! A temporary instance is free of charge (SQL-16; C-31: what a migration costs is another good).

use super::TemporaryViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::instance::Billing;
use recovery::model::views::ChargeList;
use serde::Deserialize;

/// Looks at how each temporary instance is billed, and at every answer that tells charges.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let billed = story.views.iter().find(|seen| seen.it.billing != Billing::Free);
        let violation =
            billed.map(|seen| TemporaryViolation::NotFree { instance: story.id.clone(), billing: seen.it.billing });
        finding.judge(billed.unwrap_or(&story.views[0]), violation);
        let answers = lens.calls_to("GET /v1/charges").map(|(call, _)| call).filter(|call| call.it.accepted());
        let about = |path: &str| path.split_once('?').is_none_or(|(_, query)| query == format!("subject={}", story.id));
        let told: Vec<_> = answers
            .filter(|call| call.index > story.views[0].index && about(&call.it.path))
            .filter_map(|call| ChargeList::deserialize(&*call.it.answer).ok().map(|list| (call, list.charges)))
            .collect();
        let of_it = |charge: &&recovery::model::views::ChargeView| charge.subject == story.id.as_str();
        let charged =
            told.iter().find_map(|(call, charges)| charges.iter().find(of_it).map(|charge| (call, charge.cents)));
        if let Some((call, cents)) = charged {
            finding.judge(call, Some(TemporaryViolation::Charged { instance: story.id.clone(), cents }));
        } else if let Some((call, _)) = told.last() {
            finding.judge(call, None::<TemporaryViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};
    use recovery::model::views::InstanceView;
    use serde_json::json;

    #[test]
    fn a_billed_temporary_instance_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&InstanceView { billing: Billing::PayAsYouGo, ..temporary("sub1", &shop, start()) });
        let expected = TemporaryViolation::NotFree { instance: "sub1".into(), billing: Billing::PayAsYouGo };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_charge_for_a_temporary_instance_is_found() {
        let mut story = Story::new();
        story.see(&temporary("sub1", &master("rm-1", "sqlserver 2012 web"), start()));
        let charge = json!({"subject": "sub1", "what": "instance", "from": start(), "until": null, "cents": 12});
        story.call("GET /v1/charges?subject=sub1", json!(null), 200, json!({"charges": [charge]}));
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::Charged { instance: "sub1".into(), cents: 12 }]);
    }

    #[test]
    fn a_free_temporary_instance_holds_whatever_a_task_costs() {
        let mut story = Story::new();
        story.see(&temporary("sub1", &master("rm-1", "sqlserver 2012 web"), start()));
        let charge =
            json!({"subject": "dts-1", "what": "incremental-migration", "from": start(), "until": null, "cents": 7});
        story.call("GET /v1/charges", json!(null), 200, json!({"charges": [charge]}));
        holds(&story, check, 2);
    }

    #[test]
    fn without_a_temporary_instance_nothing_is_exercised() {
        let mut story = Story::new();
        story.see(&master("rm-1", "sqlserver 2012 web"));
        holds(&story, check, 0);
    }
}
