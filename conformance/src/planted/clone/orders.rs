//! Who is cloned, how it is ordered, and how clones are shown and billed.

use super::super::Planted;
use super::super::tools::gate::{anew, body, code, instead, is, on_answer, on_request, own, parts, refusal};
use super::super::tools::shown::{instances, is_clone, text};
use super::super::tools::{layer, policy};
use crate::runner::gate::{Beyond, Request};
use jiff::{SignedDuration, Timestamp};
use recovery::client::{Answer, ClientError};
use recovery::model::policy::ProductPattern;
use recovery::model::{Engine, Version};
use serde_json::{Value, json};

const METHODS: &str = "two_recovery_methods";
const ADMITTED: &str = "clone_kinds_are_admitted";
const REFUSED: &str = "other_kinds_are_refused_a_clone";
const PRIMARIES: &str = "only_primaries_are_cloned";
const NEW: &str = "clone_is_a_new_instance";
const STAYS: &str = "clone_is_billed_and_stays";
const REGION: &str = "clone_is_in_its_masters_region";
const MAPS: &str = "clone_maps_to_its_master";
const ORDER: &str = "POST /v1/instances/*/clones";

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-clone-cannot-be-made-of-a-point-in-time",
        says: "A clone can be ordered by backup set alone; a point in time is not understood.",
        check: METHODS,
        variant: layer(|| {
            instead(|request, _| {
                let time = body(request).pointer("/restore/point_in_time").filter(|time| !time.is_null());
                (is(request, ORDER) && time.is_some())
                    .then(|| refusal(400, "InvalidParameter", "unknown field point_in_time"))
            })
        }),
    },
    Planted {
        name: "without-a-choice-the-newest-backup-is-cloned",
        says: "An order of a clone that chooses neither or both ways is carried out with the newest backup.",
        check: METHODS,
        variant: layer(|| own(|request, beyond, _| Box::pin(newest_unless_chosen(request, beyond)))),
    },
    Planted {
        name: "a-mysql-5-5-master-cannot-be-cloned",
        says: "MySQL 5.5 was forgotten in the list of kinds.",
        check: ADMITTED,
        variant: policy(|policy| policy.clone_allowed.retain(|row| row.version != Some(Version::V5_5))),
    },
    Planted {
        name: "no-mysql-5-7-master-can-be-cloned",
        says: "Not only the basic series of MySQL 5.7 is refused a clone but all of it.",
        check: ADMITTED,
        variant: policy(|policy| policy.clone_excluded.iter_mut().for_each(|row| row.series = None)),
    },
    Planted {
        name: "a-basic-mysql-5-7-master-can-be-cloned",
        says: "The exception of the basic series of MySQL 5.7 was forgotten.",
        check: REFUSED,
        variant: policy(|policy| policy.clone_excluded.clear()),
    },
    Planted {
        name: "a-mysql-8-0-master-can-be-cloned",
        says: "Every version of MySQL can be cloned.",
        check: REFUSED,
        variant: policy(|policy| {
            let (engine, version) = (Engine::MySql, Some(Version::V8_0));
            policy.clone_allowed.push(ProductPattern { engine, version, edition: None, series: None });
        }),
    },
    Planted {
        name: "an-order-of-a-replica-clones-its-master",
        says: "A clone ordered of a read-only or disaster recovery instance is made of its master.",
        check: PRIMARIES,
        variant: layer(|| own(|request, beyond, _| Box::pin(of_the_master(request, beyond)))),
    },
    Planted {
        name: "an-order-of-a-clone-gives-the-clone-there-is",
        says: "An order of a clone of a master that has one is answered with that one.",
        check: NEW,
        variant: layer(|| own(|request, beyond, _| Box::pin(the_one_there_is(request, beyond)))),
    },
    Planted {
        name: "a-clone-expires-after-48-hours",
        says: "A clone shows an end 48 hours after it was made.",
        check: STAYS,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_clone(view)) {
                    if let Ok(made) = text(view, "/created_at").parse::<Timestamp>() {
                        view["expires_at"] = (made + SignedDuration::from_hours(48)).to_string().into();
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-clone-is-gone-after-48-hours",
        says: "A clone is released 48 hours after it was made, without having shown an end.",
        check: STAYS,
        variant: layer(|| {
            on_answer(|_, answer, memory| {
                let now = memory.now();
                let over = |view: &Value| {
                    let made = text(view, "/created_at").parse::<Timestamp>();
                    is_clone(view) && made.is_ok_and(|made| made + SignedDuration::from_hours(48) <= now)
                };
                if over(&answer.body) {
                    *answer = refusal(404, "InvalidDBInstanceId.NotFound", "it was released");
                }
                if let Some(list) = answer.body.get_mut("instances").and_then(Value::as_array_mut) {
                    list.retain(|view| !over(view));
                }
            })
        }),
    },
    Planted {
        name: "a-clone-is-free",
        says: "A clone is free like a temporary instance.",
        check: STAYS,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_clone(view)) {
                    view["billing"] = "free".into();
                }
            })
        }),
    },
    Planted {
        name: "every-clone-is-paid-by-use",
        says: "The billing that was ordered for a clone is not looked at.",
        check: STAYS,
        variant: layer(|| {
            on_request(|request, _| {
                if is(request, ORDER)
                    && let Some(billing) = request.body.as_mut().and_then(|body| body.get_mut("billing"))
                {
                    *billing = "pay-as-you-go".into();
                }
            })
        }),
    },
    Planted {
        name: "a-clone-is-billed-and-never-charged",
        says: "No charge of a clone is told.",
        check: STAYS,
        variant: layer(|| {
            on_answer(|_, answer, memory| {
                for view in instances(answer).into_iter().filter(|view| is_clone(view)) {
                    memory.put(format!("clone {}", text(view, "/id")), true);
                }
                if let Some(charges) = answer.body.get_mut("charges").and_then(Value::as_array_mut) {
                    charges.retain(|charge| memory.get(&format!("clone {}", text(charge, "/subject"))).is_none());
                }
            })
        }),
    },
    Planted {
        name: "the-price-of-an-instance-is-nothing",
        says: "Instances are charged with zero cents an hour.",
        check: STAYS,
        variant: policy(|policy| policy.instance_cents_per_hour = 0),
    },
    Planted {
        name: "a-clone-is-in-the-first-region-there-is",
        says: "Every clone is made in one region, whatever its master's.",
        check: REGION,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_clone(view)) {
                    view["region"] = "region-0".into();
                }
            })
        }),
    },
    Planted {
        name: "a-clone-that-runs-forgets-its-master",
        says: "A clone becomes an ordinary instance as soon as it runs, and its way back is lost.",
        check: MAPS,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_clone(view)) {
                    if text(view, "/state") == "Running" {
                        view["origin"] = json!({"kind": "primary"});
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-clone-names-itself-as-its-master",
        says: "The way back of a clone leads to the clone itself.",
        check: MAPS,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_clone(view)) {
                    view["origin"]["source"] = view["id"].clone();
                }
            })
        }),
    },
];

async fn newest_unless_chosen(mut request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError> {
    let chosen = body(&request).get("restore").and_then(Value::as_object);
    let one = chosen.is_some_and(|chosen| chosen.values().filter(|value| !value.is_null()).count() == 1);
    if is(&request, ORDER) && !one {
        let restorable = beyond.get(&format!("/v1/instances/{}/restorable", parts(&request)[2])).await?.body;
        let newest = restorable.get("backup_sets").and_then(Value::as_array).and_then(|sets| sets.last().cloned());
        if let (Some(set), Some(Value::Object(body))) = (newest, request.body.as_mut()) {
            body.insert("restore".into(), json!({"backup_set_id": set}));
        }
    }
    beyond.send(&request).await
}

async fn of_the_master(request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError> {
    let answer = beyond.send(&request).await?;
    if !is(&request, ORDER) || code(&answer) != "OperationDenied.DBInstanceType" {
        return Ok(answer);
    }
    let shown = beyond.get(&format!("/v1/instances/{}", parts(&request)[2])).await?.body;
    let master = text(&shown, "/origin/master");
    if master.is_empty() {
        return Ok(answer);
    }
    // The set belongs to the master, so that the order is right there.
    beyond.send(&Request { path: format!("/v1/instances/{master}/clones"), ..anew(&request) }).await
}

async fn the_one_there_is(request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError> {
    if is(&request, ORDER) {
        let master = parts(&request)[2].to_owned();
        let mut all = beyond.get("/v1/instances").await?;
        let found = instances(&mut all).into_iter().find(|view| text(view, "/origin/source") == master);
        if let Some(clone) = found {
            return Ok(Answer { status: 202, body: json!({"instances": [clone]}) });
        }
    }
    beyond.send(&request).await
}
