//! How long temporary instances live, what they cost, and what becomes of the next one.

use super::super::Planted;
use super::super::tools::gate::{anew, code, is, on_answer, own, parts, refusal};
use super::super::tools::meddling::{cloud, drift};
use super::super::tools::shown::{instances, is_temporary, is_there, text};
use super::super::tools::{CloudHooks, Memory, layer, policy, ports};
use super::ORDER;
use crate::runner::gate::Request;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::client::Answer;
use recovery::ports::cloud::InstanceOrder;
use serde_json::{Value, json};

const LIVES: &str = "temporary_lives_48_hours";
const FREE: &str = "temporary_is_free";
const AGAIN: &str = "temporary_can_be_made_again_after_the_old_one_is_gone";
const LIFE: SignedDuration = SignedDuration::from_hours(48);

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-temporary-instance-expires-at-48-00-01",
        says: "A temporary instance lives a second too long.",
        check: LIVES,
        variant: policy(|policy| policy.temporary_life_s += 1),
    },
    Planted {
        name: "a-temporary-instance-expires-at-47-59-59",
        says: "A temporary instance is released a second too early.",
        check: LIVES,
        variant: policy(|policy| policy.temporary_life_s -= 1),
    },
    Planted {
        name: "the-48-hours-are-counted-from-the-request",
        says: "The 48 hours begin when the instance was asked for and not when it was made.",
        check: LIVES,
        variant: layer(|| on_answer(|_, answer, memory| counted_from_the_request(answer, memory))),
    },
    Planted {
        name: "the-cloud-keeps-an-expired-instance",
        says: "The machine of an expired instance is not taken down, and whoever knows the endpoint still gets in.",
        check: LIVES,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move { cloud.create(&InstanceOrder { life_s: None, ..order.clone() }).await })
                }),
                destroy: Some(|_, _, _| Box::pin(async { Ok(()) })),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-clock-of-the-service-is-an-hour-off-after-48-hours",
        says: "The clock of the service gains an hour in 48.",
        check: LIVES,
        variant: ports(|| drift(|host, now| if host == "service" { gained(now) } else { SignedDuration::ZERO })),
    },
    Planted {
        name: "a-temporary-instance-is-billed",
        says: "A temporary instance is billed by use like any other.",
        check: FREE,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_temporary(view)) {
                    view["billing"] = "pay-as-you-go".into();
                }
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-is-called-free-and-charged",
        says: "Each temporary instance that runs has a charge.",
        check: FREE,
        variant: layer(|| on_answer(|request, answer, memory| charged(&request.path, answer, memory))),
    },
    Planted {
        name: "a-master-has-one-temporary-instance-in-its-life",
        says: "A master that ever had a temporary instance is refused another.",
        check: AGAIN,
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let had = format!("had {}", parts(&request).get(2).unwrap_or(&""));
                    let key = request.key.clone().unwrap_or_default();
                    let first = memory.borrow().text(&had).is_none_or(|first| first == key);
                    if is(&request, ORDER) && !first {
                        return Ok(refusal(403, EXISTS, "the master had its temporary instance"));
                    }
                    let answer = beyond.send(&request).await?;
                    if is(&request, ORDER) && answer.status < 400 {
                        memory.borrow_mut().put(had, key);
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-new-temporary-instance-takes-the-place-of-the-old-one",
        says: "An order beside a temporary instance has the old one released instead of being refused.",
        check: AGAIN,
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    if !is(&request, ORDER) || code(&answer) != EXISTS {
                        return Ok(answer);
                    }
                    let mut old = beyond.get(&request.path).await?;
                    for view in instances(&mut old).into_iter().filter(|view| is_there(view)) {
                        let path = format!("/v1/instances/{}", text(view, "/id"));
                        beyond.send(&Request { method: Method::DELETE, path, body: None, key: None }).await?;
                    }
                    beyond.send(&anew(&request)).await
                })
            })
        }),
    },
];

const EXISTS: &str = "OperationDenied.TempDBInstanceExists";

/// An hour in 48, from the beginning of 2026 on.
fn gained(now: Timestamp) -> SignedDuration {
    let since = now.as_second() - 1_767_571_200;
    SignedDuration::from_secs(since / 48)
}

fn counted_from_the_request(answer: &mut Answer, memory: &mut Memory) {
    let now = memory.now();
    let end = |view: &Value| {
        let asked = text(view, "/requested_at").parse::<Timestamp>().ok()?;
        is_temporary(view).then_some(asked + LIFE)
    };
    for view in instances(answer) {
        if let Some(end) = end(view).filter(|_| !view["expires_at"].is_null()) {
            view["expires_at"] = end.to_string().into();
        }
    }
    if end(&answer.body).is_some_and(|end| end <= now) {
        *answer = refusal(404, "InvalidDBInstanceId.NotFound", "it was released after its 48 hours");
    }
    if let Some(list) = answer.body.get_mut("instances").and_then(Value::as_array_mut) {
        list.retain(|view| end(view).is_none_or(|end| end > now));
    }
}

fn charged(path: &str, answer: &mut Answer, memory: &mut Memory) {
    for view in instances(answer).into_iter().filter(|view| is_temporary(view) && !view["created_at"].is_null()) {
        memory.put(format!("charged {}", text(view, "/id")), view["created_at"].clone());
    }
    let Some(subject) = path.strip_prefix("/v1/charges?subject=") else { return };
    let from = memory.get(&format!("charged {subject}")).cloned();
    if let (Some(from), Some(charges)) = (from, answer.body.get_mut("charges").and_then(Value::as_array_mut)) {
        charges.push(json!({"subject": subject, "what": "instance", "from": from, "until": null, "cents": 12}));
    }
}
