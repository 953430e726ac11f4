//! A clone of a backup may be a subscription or pay-as-you-go, as the user says (RED-27; C-26).

use super::RedisViolation;
use super::witness::clone_orders;
use crate::checks::Finding;
use crate::checks::temporary::witness::shown;
use crate::history::lens::Lens;
use recovery::model::instance::Billing;
use serde::Deserialize;
use serde_json::Value;

/// Judges orders of clones by way of cloning: a refusal for the billing, and clones that are billed otherwise.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, original) in clone_orders(lens) {
        let entry = call.it.request.get("entry").and_then(Value::as_str);
        let asked = call.it.request.get("billing").and_then(|billing| Billing::deserialize(billing).ok());
        let Some(asked) =
            asked.filter(|asked| *asked != Billing::Free && entry.is_none_or(|entry| entry == "clone-instance"))
        else {
            continue;
        };
        let made = shown(call.it);
        let other = made.iter().filter_map(|id| lens.instance(id)).find(|story| story.first.billing != asked);
        if let Some(story) = other {
            let (clone, found) = (story.id.clone(), story.first.billing);
            finding.judge(&call, Some(RedisViolation::BilledOtherwise { clone, asked, found }));
        } else if !made.is_empty() {
            finding.judge(&call, None::<RedisViolation>);
        } else if call.it.code() == Some("OperationDenied.Billing") {
            let billing = format!("{asked:?}");
            finding.judge(&call, Some(RedisViolation::BillingRefused { original, billing }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, copy, holds, texts, wrong};
    use crate::history::What;
    use serde_json::json;

    #[test]
    fn a_subscription_that_is_refused_is_found() {
        let mut story = backed_up(&texts(&[]));
        let body = json!({"restore": {"backup_set_id": "bk-1"}, "billing": "subscription", "terms_accepted": true});
        story.refused("POST /v1/instances/r-1/clones", body, 403, "OperationDenied.Billing");
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::BillingRefused { .. }]));
    }

    #[test]
    fn a_clone_that_is_billed_otherwise_is_found() {
        let mut story = backed_up(&texts(&[]));
        copy(&mut story, &texts(&[]));
        for event in &mut story.history.events {
            if let What::InstanceSeen(view) = &mut event.what {
                std::sync::Arc::make_mut(view).billing = Billing::Subscription;
            }
        }
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::BilledOtherwise { .. }]));
    }

    #[test]
    fn a_clone_billed_as_ordered_holds() {
        let mut story = backed_up(&texts(&[]));
        copy(&mut story, &texts(&[]));
        holds(&story, check, 1);
    }
}
