//! Authorising adds the migration service's addresses to the whitelists of both sides and takes nothing away (DTS-02).

use super::TaskViolation;
use super::runs::{connectivity, runs_of};
use super::whitelist::{Authorisation, addresses, authorisations, authorised_unseen, lineage, listed_by_users};
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::Lens;
use std::collections::BTreeSet;

/// Compares the whitelists before and after every authorisation.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let addresses = addresses(lens);
    for found in authorisations(lens) {
        let wrong = wrong_by(&found, &addresses);
        if wrong.is_none() && adds_nothing_ever(lens, &found, &addresses) {
            // Who had let the service in at a time of which no whitelist was seen, or by hand, has left nothing to be added.
            let (instance, index) = (found.instance, found.call.index);
            if !authorised_unseen(lens, instance, index) && !listed_by_users(lens, instance, index) {
                let (task, instance) = (found.task.id.clone(), found.instance.clone());
                finding.judge(&found.call, Some(TaskViolation::AddressMissing { task, instance, address: None }));
            }
            continue;
        }
        finding.judge(&found.call, wrong);
    }
    finding
}

fn wrong_by(found: &Authorisation<'_, '_>, addresses: &BTreeSet<String>) -> Option<TaskViolation> {
    let (task, instance) = (found.task.id.clone(), found.instance.clone());
    if let Some(entry) = found.before.entries.difference(&found.after.entries).next() {
        return Some(TaskViolation::EntryLost { task, instance, entry: entry.clone() });
    }
    let address = found.after.shuts_out(addresses)?;
    Some(TaskViolation::AddressMissing { task, instance, address: Some(address.clone()) })
}

/// Whether nothing was ever added anywhere: right only where the service gets in all the same, or was let in before, when
/// the instance, or one it has its settings from, was registered as a data source.
fn adds_nothing_ever<'a>(lens: &Lens<'a>, found: &Authorisation<'_, 'a>, addresses: &BTreeSet<String>) -> bool {
    let connected = || runs_of(lens, found.task).iter().any(|run| run.says(connectivity(found.side)) == Some(true));
    addresses.is_empty() && !found.after.open() && !connected() && !registered(lens, found)
}

/// Whether the instance, or one it was made from, was registered as a data source before.
fn registered(lens: &Lens<'_>, found: &Authorisation<'_, '_>) -> bool {
    let lineage = lineage(lens, found.instance);
    lens.history.events[..found.call.index].iter().any(|event| match &event.what {
        What::DataSourceSeen(view) => lineage.contains(&&view.instance_id),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, rescue, shop, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::photograph::Photograph;
    use serde_json::json;

    fn listing(entries: &str) -> Photograph {
        Photograph { settings: [("whitelist".to_owned(), entries.to_owned())].into(), ..photograph(&[]) }
    }

    fn tale(source: &str, target: &str) -> Tale {
        let mut tale = Tale::begin();
        tale.create().photograph(&listing("operator"), &listing("operator,shop")).step("authorise");
        tale.photograph(&listing(source), &listing(target));
        tale
    }

    #[test]
    fn an_entry_that_is_gone_is_found() {
        let (task, instance, entry) = ("dts-1".into(), "rm-1".into(), "shop".into());
        let tale = tale("operator,worker-1", "operator,worker-1");
        assert_eq!(wrong(&tale, check), vec![TaskViolation::EntryLost { task, instance, entry }]);
    }

    #[test]
    fn an_address_missing_on_one_side_is_found() {
        let (task, instance, address) = ("dts-1".into(), "rm-1".into(), Some("worker-2".into()));
        let tale = tale("operator,worker-1,worker-2", "operator,shop,worker-1");
        assert_eq!(wrong(&tale, check), vec![TaskViolation::AddressMissing { task, instance, address }]);
    }

    #[test]
    fn who_was_let_in_as_a_data_source_needs_no_new_entry() {
        let mut tale = Tale::begin();
        for server in [shop(), rescue()] {
            let view = json!({
                "id": "ds-1", "name": "shop", "instance_id": server.id, "product": server.product, "account": "app",
                "connection": "plain", "created_at": server.requested_at,
            });
            tale.story.push(What::DataSourceSeen(serde_json::from_value(view).unwrap()));
        }
        let listed = listing("operator,worker-1");
        tale.create().photograph(&listed, &listed).step("authorise").photograph(&listed, &listed);
        holds(&tale, check, 2);
    }

    #[test]
    fn an_authorisation_without_any_effect_is_found_on_both_sides() {
        assert_eq!(wrong(&tale("operator", "operator,shop"), check).len(), 2);
    }

    #[test]
    fn after_an_authorisation_that_nobody_saw_nothing_is_known() {
        let mut tale = Tale::begin();
        tale.create().photograph(&listing("operator"), &listing("operator")).step("authorise");
        for id in ["sub1", "rm-1"] {
            let path = format!("PUT /v1/instances/{id}/configuration");
            tale.story.call(&path, json!({"ssl": true}), 200, json!({}));
        }
        let listed = listing("operator,worker-1");
        tale.photograph(&listed, &listed).step("authorise").photograph(&listed, &listed);
        holds(&tale, check, 0);
    }

    #[test]
    fn where_users_listed_addresses_by_hand_nothing_is_known() {
        let listed = listing("operator,worker-1");
        let story = |body: serde_json::Value| {
            let mut tale = Tale::begin();
            tale.create();
            for id in ["sub1", "rm-1"] {
                tale.story.call(&format!("PUT /v1/instances/{id}/configuration"), body.clone(), 200, json!({}));
            }
            tale.photograph(&listed, &listed).step("authorise").photograph(&listed, &listed);
            tale
        };
        holds(&story(json!({"whitelist": ["operator", "worker-1"]})), check, 0);
        assert_eq!(wrong(&story(json!({"ssl": true})), check).len(), 2);
    }

    #[test]
    fn whitelists_that_grow_hold() {
        holds(&tale("operator,worker-1", "operator,shop,worker-1"), check, 2);
    }

    #[test]
    fn a_whitelist_that_users_change_meanwhile_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.create().photograph(&listing("operator"), &listing("operator")).step("authorise");
        for id in ["sub1", "rm-1"] {
            tale.story.call(
                &format!("PUT /v1/instances/{id}/configuration"),
                json!({"whitelist": ["x"]}),
                200,
                json!({}),
            );
        }
        tale.photograph(&listing("x"), &listing("x"));
        holds(&tale, check, 0);
    }
}
