//! Planted bugs about what may be asked for: recoveries and clones of Redis.

use super::newest;
use crate::planted::Planted;
use crate::planted::tools::gate::{body, code, instead, is, on_answer, on_request, own, parts, refusal};
use crate::planted::tools::layer;
use crate::runner::gate::{Beyond, Request};
use recovery::client::{Answer, ClientError};
use serde_json::{Value, json};

/// Recovers an instance from a backup of its own.
const RECOVERY: &str = "POST /v1/instances/*/recovery";
/// Orders clones of an instance.
const CLONES: &str = "POST /v1/instances/*/clones";

/// Puts the newest backup of the instance into a place of the body and asks again where a request is refused.
async fn with_newest(
    mut request: Request,
    beyond: &Beyond<'_>,
    wanted: &str,
    put: fn(&mut Value, Value),
) -> Result<Answer, ClientError> {
    let answer = beyond.send(&request).await?;
    let unset = ["InvalidParameter", "InvalidBackupId.NotFound", "OperationDenied.RestoreMethod"];
    if !is(&request, wanted) || !unset.contains(&code(&answer)) {
        return Ok(answer);
    }
    let set = newest(&request, beyond).await;
    let (Some(set), Some(body)) = (set, request.body.as_mut()) else { return Ok(answer) };
    put(body, set);
    request.key = request.key.map(|key| format!("{key}-again"));
    beyond.send(&request).await
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-recovery-without-a-set-takes-the-newest",
        says: "Who picks no backup, or one of another instance, gets the newest of the instance.",
        check: "recovery_needs_a_set",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(with_newest(request, beyond, RECOVERY, |body, set| body["backup_set_id"] = set))
            })
        }),
    },
    Planted {
        name: "a-clone-of-redis-without-a-set-takes-the-newest",
        says: "A clone of a point in time, or of another instance's backup, is made of the newest backup.",
        check: "clone_needs_a_set",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(with_newest(request, beyond, CLONES, |body, set| {
                    body["restore"] = json!({"backup_set_id": set});
                }))
            })
        }),
    },
    Planted {
        name: "a-recovery-goes-ahead-unconfirmed",
        says: "Nobody asks whether everything may be overwritten.",
        check: "recovery_wants_confirmation",
        variant: layer(|| {
            on_request(|request, _| {
                if is(request, RECOVERY)
                    && let Some(body) = request.body.as_mut()
                {
                    body["overwrite_confirmed"] = true.into();
                }
            })
        }),
    },
    Planted {
        name: "an-unconfirmed-recovery-is-refused-without-a-warning",
        says: "Who did not confirm a recovery is not told what it would do.",
        check: "recovery_wants_confirmation",
        variant: layer(|| {
            on_answer(|request, found, _| {
                if is(request, RECOVERY) && code(found) == "OperationDenied.NotConfirmed" {
                    found.body["detail"] = "".into();
                }
            })
        }),
    },
    Planted {
        name: "sets-that-were-asked-for-cannot-be-recovered",
        says: "Only automatic backups can be recovered.",
        check: "recovery_from_a_set",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if is(&request, RECOVERY)
                        && let Some(set) = body(&request)["backup_set_id"].as_str()
                        && beyond.get(&format!("/v1/backups/{set}")).await?.body["mode"] == "manual"
                    {
                        return Ok(refusal(
                            403,
                            "OperationDenied.BackupStatus",
                            "only automatic backups are recovered",
                        ));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "an-instance-with-a-clone-cannot-be-recovered",
        says: "Who looked at a clone of a backup first can no longer recover the original from it.",
        check: "recovered_after_a_look_at_a_clone",
        variant: layer(|| {
            instead(|request, memory| {
                let id = parts(request).get(2).copied().unwrap_or_default().to_owned();
                if is(request, CLONES) {
                    memory.put(id, true);
                } else if is(request, RECOVERY) && memory.get(&id).is_some() {
                    return Some(refusal(403, "OperationDenied.DBInstanceStatus", "the instance has a clone"));
                }
                None
            })
        }),
    },
    Planted {
        name: "a-subscription-of-a-clone-is-made-pay-as-you-go",
        says: "A clone of Redis is billed by use, whatever was ordered.",
        check: "clone_billing_is_chosen",
        variant: layer(|| {
            on_request(|request, _| {
                let recovers = body(request)["entry"] == "recover-data";
                if is(request, CLONES)
                    && !recovers
                    && let Some(body) = request.body.as_mut()
                {
                    body["billing"] = "pay-as-you-go".into();
                }
            })
        }),
    },
    Planted {
        name: "a-clone-of-redis-cannot-be-a-subscription",
        says: "Of the two ways to pay for a clone one is missing.",
        check: "clone_billing_is_chosen",
        variant: layer(|| {
            instead(|request, _| {
                let wanted = is(request, CLONES) && body(request)["billing"] == "subscription";
                wanted.then(|| refusal(403, "OperationDenied.Billing", "clones are billed by use"))
            })
        }),
    },
    Planted {
        name: "the-recovery-route-makes-subscriptions",
        says: "A clone by way of recovery may be a subscription.",
        check: "clone_content_and_billing",
        variant: layer(|| {
            on_request(|request, _| {
                if is(request, CLONES)
                    && let Some(body) = request.body.as_mut().and_then(Value::as_object_mut)
                {
                    body.remove("entry");
                }
            })
        }),
    },
];
