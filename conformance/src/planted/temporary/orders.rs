//! Who gets a temporary instance, of what, and how many; and migrations that are set up with one.

use super::super::Planted;
use super::super::tools::gate::{anew, body, code, instead, is, own, parts, refusal};
use super::super::tools::shown::{instances, is_temporary, is_there, text};
use super::super::tools::{Memory, layer, policy};
use super::ORDER;
use crate::runner::gate::{Beyond, Request};
use crate::runner::variant::Variant;
use http::Method;
use jiff::Timestamp;
use recovery::client::{Answer, ClientError};
use recovery::model::policy::ProductPattern;
use recovery::model::{Edition, Engine, Version};
use serde_json::{Value, json};
use std::cell::RefCell;

const ONE: &str = "one_temporary_per_master";
const CHOICE: &str = "temporary_needs_a_choice";
const ONE_REQUEST: &str = "one_request_makes_one_instance";
const RUNNING: &str = "source_must_be_running";
const ADMITTED: &str = "temporary_kinds_are_admitted";
const REFUSED: &str = "other_kinds_are_refused_a_temporary";
const BACKUP: &str = "temporary_needs_a_data_backup";
const LOGS: &str = "temporary_needs_covering_logs";
const VERIFIED: &str = "verified_before_put_back";
const EXISTS: &str = "OperationDenied.TempDBInstanceExists";

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-master-may-have-two-temporary-instances",
        says: "A second temporary instance beside the first is made.",
        check: ONE,
        variant: policy(|policy| policy.temporary_per_master = 2),
    },
    Planted {
        name: "one-temporary-instance-for-the-whole-region",
        says: "A master is refused its first temporary instance while another master has one.",
        check: ONE,
        variant: layer(|| own(|request, beyond, _| Box::pin(one_for_the_region(request, beyond)))),
    },
    Planted {
        name: "without-a-choice-the-newest-backup-is-taken",
        says: "An order that names neither a backup nor a time is carried out with the newest backup.",
        check: CHOICE,
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    let nothing = body(&request).as_object().is_none_or(serde_json::Map::is_empty);
                    if is(&request, ORDER)
                        && nothing
                        && let Some(set) = newest_set(&request, beyond).await?
                    {
                        request.body = Some(json!({"backup_set_id": set}));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-time-to-come-is-taken-as-the-latest-there-is",
        says: "An order of a time in the future is carried out with the latest time that can be had.",
        check: CHOICE,
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    let to_come = time(&request).is_some_and(|time| time > beyond.now());
                    if is(&request, ORDER)
                        && to_come
                        && let Some(latest) = latest_time(&request, beyond).await?
                    {
                        request.body = Some(json!({"point_in_time": latest}));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-reaches-back-30-days",
        says: "A time more than seven days ago is accepted as long as the backups are there.",
        check: CHOICE,
        variant: policy(|policy| policy.temporary_window_s = 30 * 86_400),
    },
    Planted {
        name: "the-keys-of-orders-are-forgotten-in-a-crash",
        says: "An order that is sent again after the service crashed is taken for a new one.",
        check: ONE_REQUEST,
        variant: Variant {
            policy: Some(|policy| policy.temporary_per_master = 9),
            ..layer(|| {
                own(|mut request, beyond, memory| {
                    Box::pin(async move {
                        let crashes = memory.borrow().get("crashes").and_then(Value::as_u64).unwrap_or(0);
                        request.key = request.key.map(|key| format!("{key}-{crashes}"));
                        let answered = beyond.send(&request).await;
                        if answered.is_err() {
                            memory.borrow_mut().count("crashes");
                        }
                        answered
                    })
                })
            })
        },
    },
    Planted {
        name: "an-order-sent-twice-makes-two-temporary-instances",
        says: "The key of an order is not looked at.",
        check: ONE_REQUEST,
        variant: Variant {
            policy: Some(|policy| policy.temporary_per_master = 9),
            ..layer(|| {
                own(|mut request, beyond, memory| {
                    Box::pin(async move {
                        let key = request.key.clone().unwrap_or_default();
                        if is(&request, ORDER) && !memory.borrow_mut().first(format!("key {key}")) {
                            request = anew(&request);
                        }
                        beyond.send(&request).await
                    })
                })
            })
        },
    },
    Planted {
        name: "an-order-makes-a-temporary-instance-and-a-spare-one",
        says: "Each order makes a second temporary instance that no answer shows.",
        check: ONE_REQUEST,
        variant: Variant {
            policy: Some(|policy| policy.temporary_per_master = 9),
            ..layer(|| {
                own(|request, beyond, _| {
                    Box::pin(async move {
                        let answer = beyond.send(&request).await?;
                        if is(&request, ORDER) && answer.status < 400 {
                            beyond.send(&anew(&request)).await?;
                        }
                        Ok(answer)
                    })
                })
            })
        },
    },
    Planted {
        name: "a-migration-is-set-up-with-a-source-in-the-making",
        says: "A task is made though its source is not running yet.",
        check: RUNNING,
        variant: layer(|| own(|request, beyond, memory| Box::pin(any_source_will_do(request, beyond, memory)))),
    },
    Planted {
        name: "a-sql-server-2016-web-master-has-no-temporary-instance",
        says: "SQL Server 2016 web was forgotten in the list of kinds.",
        check: ADMITTED,
        variant: policy(|policy| policy.temporary_allowed.retain(|row| row.version != Some(Version::V2016))),
    },
    Planted {
        name: "a-postgresql-master-has-no-temporary-instance",
        says: "Only SQL Server may have temporary instances.",
        check: ADMITTED,
        variant: policy(|policy| policy.temporary_allowed.retain(|row| row.engine == Engine::SqlServer)),
    },
    Planted {
        name: "a-mysql-5-7-master-may-have-a-temporary-instance",
        says: "MySQL 5.7 is among the kinds that may have a temporary instance.",
        check: REFUSED,
        variant: policy(|policy| {
            let (engine, version) = (Engine::MySql, Some(Version::V5_7));
            policy.temporary_allowed.push(ProductPattern { engine, version, edition: None, series: None });
        }),
    },
    Planted {
        name: "the-series-of-sql-server-2012-enterprise-does-not-matter",
        says: "A high-availability instance of SQL Server 2012 enterprise may have a temporary instance like a basic one.",
        check: REFUSED,
        variant: policy(|policy| {
            let enterprise = |row: &&mut ProductPattern| row.edition == Some(Edition::Enterprise);
            policy.temporary_allowed.iter_mut().filter(enterprise).for_each(|row| row.series = None);
        }),
    },
    Planted {
        name: "a-read-only-instance-passes-the-order-to-its-master",
        says: "An order of a temporary instance of a read-only instance makes one of its master.",
        check: REFUSED,
        variant: layer(|| own(|request, beyond, _| Box::pin(passed_to_the_master(request, beyond)))),
    },
    Planted {
        name: "without-a-backup-an-empty-temporary-instance-is-made",
        says: "A master without a data backup gets a temporary instance with nothing in it.",
        check: BACKUP,
        variant: layer(|| own(|request, beyond, memory| Box::pin(empty_one(request, beyond, memory)))),
    },
    Planted {
        name: "a-time-that-is-not-covered-is-moved-to-one-that-is",
        says: "An order of a time that the logs do not cover is carried out with the latest time they do cover.",
        check: LOGS,
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    if is(&request, ORDER)
                        && code(&answer) == "OperationDenied.RestoreTimeNotCovered"
                        && let Some(latest) = latest_time(&request, beyond).await?
                    {
                        request.body = Some(json!({"point_in_time": latest}));
                        return beyond.send(&anew(&request)).await;
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "for-a-chosen-time-the-newest-backup-set-is-ordered",
        says: "An order of a point in time is carried out as an order of the newest backup set.",
        check: LOGS,
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    if is(&request, ORDER)
                        && time(&request).is_some()
                        && let Some(set) = newest_set(&request, beyond).await?
                    {
                        request.body = Some(json!({"backup_set_id": set}));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "data-have-to-be-verified-before-they-are-put-back",
        says: "No migration is set up from a temporary instance before the user confirmed that the data are right.",
        check: VERIFIED,
        variant: layer(|| {
            instead(|request, _| {
                let source = body(request).pointer("/source/instance_id").and_then(Value::as_str)?;
                (is(request, "POST /v1/migration-tasks") && source.starts_with("sub")).then(|| {
                    refusal(409, "OperationDenied.NotVerified", "verify the recovered data before they are put back")
                })
            })
        }),
    },
];

/// The time an order asks for.
fn time(request: &Request) -> Option<Timestamp> {
    body(request).get("point_in_time")?.as_str()?.parse().ok()
}

/// What can be restored of the master an order is sent to.
async fn restorable(request: &Request, beyond: &Beyond<'_>) -> Result<Value, ClientError> {
    let master = parts(request).get(2).copied().unwrap_or_default().to_owned();
    Ok(beyond.get(&format!("/v1/instances/{master}/restorable")).await?.body)
}

async fn newest_set(request: &Request, beyond: &Beyond<'_>) -> Result<Option<Value>, ClientError> {
    let restorable = restorable(request, beyond).await?;
    Ok(restorable.get("backup_sets").and_then(Value::as_array).and_then(|sets| sets.last().cloned()))
}

async fn latest_time(request: &Request, beyond: &Beyond<'_>) -> Result<Option<Value>, ClientError> {
    let restorable = restorable(request, beyond).await?;
    let ranges = restorable.get("ranges").and_then(Value::as_array);
    Ok(ranges.and_then(|ranges| ranges.last()?.get("latest").cloned()))
}

async fn one_for_the_region(request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError> {
    if is(&request, ORDER) {
        let master = parts(&request)[2].to_owned();
        let mut all = beyond.get("/v1/instances").await?;
        let others =
            |view: &&mut Value| is_temporary(view) && is_there(view) && text(view, "/origin/master") != master.as_str();
        if instances(&mut all).iter().any(others) {
            return Ok(refusal(403, EXISTS, "the region has a temporary instance"));
        }
    }
    beyond.send(&request).await
}

async fn passed_to_the_master(request: Request, beyond: &Beyond<'_>) -> Result<Answer, ClientError> {
    let answer = beyond.send(&request).await?;
    if !is(&request, ORDER) || code(&answer) != "OperationDenied.DBInstanceType" {
        return Ok(answer);
    }
    let shown = beyond.get(&format!("/v1/instances/{}", parts(&request)[2])).await?.body;
    if text(&shown, "/origin/kind") != "read-only" {
        return Ok(answer);
    }
    let path = format!("/v1/instances/{}/temporary-instances", text(&shown, "/origin/master"));
    beyond.send(&Request { path, ..anew(&request) }).await
}

/// Makes an ordinary instance with nothing in it and shows it as the temporary instance.
async fn empty_one(request: Request, beyond: &Beyond<'_>, memory: &RefCell<Memory>) -> Result<Answer, ClientError> {
    let mut answer = beyond.send(&request).await?;
    if is(&request, ORDER) && code(&answer) == "OperationDenied.NotFoundBackup" {
        let master = beyond.get(&format!("/v1/instances/{}", parts(&request)[2])).await?.body;
        let new = json!({"product": master["product"], "region": master["region"], "network": "classic"});
        let make = Request { method: Method::POST, path: "/v1/instances".into(), body: Some(new), ..anew(&request) };
        answer = beyond.send(&make).await?;
        let restored = match time(&request) {
            Some(time) => json!({"by": "point-in-time", "point_in_time": time, "backup_set_id": "none"}),
            None => json!({"by": "backup-set", "backup_set_id": "none"}),
        };
        let origin = json!({"kind": "temporary", "master": master["id"], "restored": restored});
        memory.borrow_mut().put(format!("empty {}", text(&answer.body, "/id")), origin);
    }
    for view in instances(&mut answer) {
        if let Some(origin) = memory.borrow().get(&format!("empty {}", text(view, "/id"))) {
            view["origin"] = origin.clone();
            view["billing"] = "free".into();
        }
    }
    Ok(answer)
}

/// Has a task made with its target as the source too, where the source is not there yet, and shows it as asked.
async fn any_source_will_do(
    request: Request,
    beyond: &Beyond<'_>,
    memory: &RefCell<Memory>,
) -> Result<Answer, ClientError> {
    let mut answer = beyond.send(&request).await?;
    let asked = body(&request).pointer("/source/instance_id").cloned();
    if is(&request, "POST /v1/migration-tasks") && code(&answer) == "OperationDenied.DBInstanceStatus" {
        let mut other = anew(&request);
        if let Some(body) = &mut other.body {
            body["source"] = body["target"].clone();
        }
        answer = beyond.send(&other).await?;
        memory.borrow_mut().put(format!("source of {}", text(&answer.body, "/id")), asked.unwrap_or_default());
    }
    let known = |view: &Value| memory.borrow().get(&format!("source of {}", text(view, "/id"))).cloned();
    if let Some(source) = known(&answer.body) {
        answer.body["source"]["instance_id"] = source;
    }
    Ok(answer)
}
