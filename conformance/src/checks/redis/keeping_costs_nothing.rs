//! Nothing is charged for keeping Redis backups (RED-13, and RED-15's second half).

use super::RedisViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::BackupId;
use recovery::model::views::ChargeList;
use serde::Deserialize;

/// What is charged for besides backups.
const CHARGED: [&str; 2] = ["instance", "incremental-migration"];

/// Looks for charges for a backup, or for anything but an instance and a migration, once there is a backup.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let Some(first) = lens.redis_backups().filter_map(|story| story.complete()).map(|seen| seen.index).min() else {
        return finding;
    };
    for (call, _) in lens.calls_to("GET /v1/charges").filter(|(call, _)| call.index > first) {
        let Some(list) = ChargeList::deserialize(&*call.it.answer).ok().filter(|_| call.it.accepted()) else {
            continue;
        };
        let of_backup = |subject: &str| lens.backup(&BackupId::from(subject)).is_some();
        let wrong = list.charges.into_iter().find(|charge| {
            charge.cents > 0 && (of_backup(&charge.subject) || !CHARGED.contains(&charge.what.as_str()))
        });
        let violation =
            wrong.map(|charge| RedisViolation::KeepingCharged { subject: charge.subject, cents: charge.cents });
        finding.judge(&call, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, holds, texts, wrong};
    use crate::checks::testing::{Story, start};
    use serde_json::json;

    fn charged(subject: &str, what: &str) -> Story {
        let mut story = backed_up(&texts(&[]));
        let charge = json!({"subject": subject, "what": what, "from": start(), "until": null, "cents": 12});
        story.call("GET /v1/charges?subject=r-1", json!(null), 200, json!({"charges": [charge]}));
        story
    }

    #[test]
    fn a_charge_for_a_backup_is_found() {
        let expected = |subject: &str| vec![RedisViolation::KeepingCharged { subject: subject.into(), cents: 12 }];
        assert_eq!(wrong(&charged("bk-1", "instance"), check), expected("bk-1"));
        assert_eq!(wrong(&charged("r-1", "backup-storage"), check), expected("r-1"));
    }

    #[test]
    fn charges_for_the_instance_alone_hold() {
        holds(&charged("r-1", "instance"), check, 1);
    }
}
