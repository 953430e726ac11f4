//! Recovering through a clone makes a pay-as-you-go instance that holds the backup (RED-25; C-26).

use super::RedisViolation;
use super::witness::{appearances, clone_orders, states, strange};
use crate::checks::Finding;
use crate::checks::temporary::witness::shown;
use crate::history::lens::Lens;
use recovery::model::instance::Billing;
use serde_json::Value;

/// The page of recovery, as orders name it.
const RECOVERING: &str = "recover-data";

/// Compares clones with their backup, and judges how those ordered by way of recovery are billed.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, original) in clone_orders(lens) {
        let text = |field: &str| call.it.request.get(field).and_then(Value::as_str);
        if text("entry") != Some(RECOVERING) {
            continue;
        }
        let asked = text("billing").unwrap_or("").to_owned();
        let made = shown(call.it);
        let billed =
            made.iter().filter_map(|id| lens.instance(id)).find(|story| story.first.billing != Billing::PayAsYouGo);
        if let Some(story) = billed {
            let (clone, billing) = (story.id.clone(), story.first.billing);
            finding.judge(&call, Some(RedisViolation::RecoveredOnSubscription { clone, billing }));
        } else if !made.is_empty() || (call.it.refused() && asked == "subscription") {
            finding.judge(&call, None::<RedisViolation>);
        } else if call.it.code() == Some("OperationDenied.Billing") && asked == "pay-as-you-go" {
            finding.judge(&call, Some(RedisViolation::BillingRefused { original, billing: asked }));
        }
    }
    for appearance in appearances(lens).into_iter().filter(|appearance| appearance.cloned) {
        let Some(story) = lens.backup(&appearance.backup) else { continue };
        if let Some(differs) = states(lens, story).and_then(|states| strange(&states, &appearance.shot)) {
            let (instance, backup) = (appearance.into.clone(), appearance.backup.clone());
            let violation =
                differs.map(|difference| RedisViolation::RecoveredOtherwise { instance, backup, difference });
            finding.judge(&appearance.shot, violation);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, copy, holds, texts, wrong};
    use crate::checks::testing::Story;
    use crate::history::What;
    use serde_json::json;

    fn ordered(billing: Billing) -> Story {
        let mut story = backed_up(&texts(&[("a", "1")]));
        copy(&mut story, &texts(&[("a", "1")]));
        for event in &mut story.history.events {
            match &mut event.what {
                What::Call(call) if call.method == "POST" => {
                    call.request["entry"] = json!(RECOVERING);
                    call.request["billing"] = json!(billing);
                }
                What::InstanceSeen(view) if view.id.as_str() == "r-2" => {
                    std::sync::Arc::make_mut(view).billing = billing;
                }
                _ => {}
            }
        }
        story
    }

    #[test]
    fn a_subscription_made_by_way_of_recovery_is_found() {
        let (clone, billing) = ("r-2".into(), Billing::Subscription);
        let expected = RedisViolation::RecoveredOnSubscription { clone, billing };
        assert_eq!(wrong(&ordered(billing), check), vec![expected]);
    }

    #[test]
    fn a_clone_with_another_content_is_found() {
        let mut story = backed_up(&texts(&[("a", "1")]));
        copy(&mut story, &texts(&[("a", "2")]));
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::RecoveredOtherwise { .. }]));
    }

    #[test]
    fn a_pay_as_you_go_clone_of_the_backup_holds() {
        holds(&ordered(Billing::PayAsYouGo), check, 2);
    }
}
