//! Planted bugs about taking, keeping, finding and handing out backups of Redis.

use super::files::File;
use crate::planted::Planted;
use crate::planted::tools::cloud::{Done, Inner};
use crate::planted::tools::gate::{Layer, body, is, on_answer, on_file, on_request, own, parts, refusal};
use crate::planted::tools::meddling::cloud;
use crate::planted::tools::{At, CloudHooks, layer, policy, ports};
use bytes::Bytes;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, Held, Node};
use recovery::model::instance::Configuration;
use recovery::model::{BackupId, Engine, InstanceId};
use recovery::ports::clock::later;
use recovery::ports::cloud::{InstanceOrder, Made};
use serde_json::{Value, json};
use std::rc::Rc;

/// How long a backup is kept (RED-07), and how much longer than that by the bug of the second too many.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
const TOO_LONG: SignedDuration = SignedDuration::from_secs(1);
/// Between the two snapshots of a set that mixes two instants.
const BETWEEN: SignedDuration = SignedDuration::from_secs(2);
/// The hour of automatic backups in the bug of the hour that moves.
const MOVED_HOUR: u64 = 22;

/// Settings with which a server takes its backups on its master.
fn on_the_master(configuration: &Configuration) -> Configuration {
    let mut configuration = configuration.clone();
    configuration.parameters.insert("backup_node".into(), "master".into());
    configuration
}

/// Makes an instance; one of Redis with those settings.
fn create<'a>(inner: &'a Inner, order: &'a InstanceOrder, _: &'a At) -> Done<'a, Made> {
    Box::pin(async move {
        if order.product.engine != Engine::Redis {
            return inner.create(order).await;
        }
        let configuration = on_the_master(&order.configuration);
        inner.create(&InstanceOrder { configuration, ..order.clone() }).await
    })
}

/// A cloud whose Redis servers take their backups on their master.
const MASTERS: CloudHooks = CloudHooks {
    create: Some(create),
    configure: Some(|inner, instance, configuration, _| {
        Box::pin(async move { inner.configure(instance, &on_the_master(configuration)).await })
    }),
    destroy: None,
    overwrite: None,
    account: None,
    accounts: None,
    back_up: None,
    discard_backup: None,
};

/// Takes a backup that has every other key from a second snapshot, some time later.
fn mixed<'a>(
    inner: &'a Inner,
    (instance, backup): (&'a InstanceId, &'a BackupId),
    (kind, after): (BackupKind, u64),
    at: &'a At,
) -> Done<'a, Held> {
    Box::pin(async move {
        let held = inner.back_up(instance, backup, kind, after).await?;
        at.clock.sleep(BETWEEN).await;
        let second = BackupId(format!("{backup}-again"));
        inner.back_up(instance, &second, kind, after).await?;
        let (first, other) = (File::read(at, instance, backup).await, File::read(at, instance, &second).await);
        let (Some(mut file), Some(other)) = (first, other) else { return Ok(held) };
        let even =
            |key: &Value| key[1].as_str().is_some_and(|key| key.bytes().last().is_some_and(|last| last % 2 == 0));
        file.keys.retain(|key| !even(key));
        file.keys.extend(other.keys.into_iter().filter(even));
        let size_bytes = file.write(at, instance, backup).await.unwrap_or(held.size_bytes);
        inner.discard_backup(instance, &second).await?;
        Ok(Held { size_bytes, ..held })
    })
}

/// Every backup that an answer shows.
fn backups(found: &Value) -> Vec<Value> {
    match found.get("backups").and_then(Value::as_array) {
        Some(list) => list.clone(),
        None if found.get("began_at").is_some() => vec![found.clone()],
        None => Vec::new(),
    }
}

/// Hours counted by a clock of another zone; the documents' are those of UTC.
fn moved(hour: &Value, by: u64) -> Value {
    hour.as_u64().map_or(Value::Null, |hour| Value::from((hour + by) % 24))
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "backups-are-taken-on-the-master",
        says: "Snapshots are taken on the node that takes the writes.",
        check: "taken_on_the_replica",
        variant: ports(|| cloud(MASTERS)),
    },
    Planted {
        name: "a-backup-of-the-master-is-told-to-be-of-the-replica",
        says: "Snapshots are taken on the master and shown as taken on the replica.",
        check: "taken_on_the_replica",
        variant: ports(|| {
            cloud(CloudHooks {
                back_up: Some(|inner, instance, backup, kind, after, _| {
                    Box::pin(async move {
                        let held = inner.back_up(instance, backup, kind, after).await?;
                        Ok(Held { node: held.node.map(|_| Node::Replica), ..held })
                    })
                }),
                ..MASTERS
            })
        }),
    },
    Planted {
        name: "a-backup-slows-the-master",
        says: "While a backup is taken the master answers later, because it writes the snapshot down itself.",
        check: "master_is_not_slowed",
        variant: ports(|| cloud(MASTERS)),
    },
    Planted {
        name: "an-instance-does-not-run-while-it-is-backed-up",
        says: "An instance leaves its service for the time of a backup.",
        check: "master_is_not_slowed",
        variant: layer(|| {
            on_answer(|request, found, memory| {
                for backup in backups(&found.body) {
                    let of = backup["instance"].as_str().unwrap_or_default().to_owned();
                    memory.put(of, backup["status"] == "running");
                }
                let many = found.body.get_mut("instances").and_then(Value::as_array_mut);
                let one = is(request, "GET /v1/instances/*");
                let shown: Vec<&mut Value> = match many {
                    Some(list) => list.iter_mut().collect(),
                    None if one => vec![&mut found.body],
                    None => Vec::new(),
                };
                for view in shown {
                    let busy = view["id"].as_str().and_then(|id| memory.get(id)) == Some(&Value::Bool(true));
                    if busy {
                        view["state"] = "Rebooting".into();
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-set-mixes-two-instants",
        says: "A backup reads its keys one after the other while the instance goes on.",
        check: "snapshot_is_of_one_instant",
        variant: ports(|| {
            cloud(CloudHooks {
                back_up: Some(|inner, instance, backup, kind, after, at| {
                    mixed(inner, (instance, backup), (kind, after), at)
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "backup-settings-are-accepted-and-dropped",
        says: "Who sets days and hour of the automatic backup is told that it was done.",
        check: "policy_can_be_set_and_takes_effect",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let policy = !body(&request)["backup_policy"].is_null();
                    match parts(&request).get(2) {
                        Some(id) if policy && is(&request, "PUT /v1/instances/*/configuration") => {
                            beyond.get(&format!("/v1/instances/{id}")).await
                        }
                        _ => beyond.send(&request).await,
                    }
                })
            })
        }),
    },
    Planted {
        name: "the-hour-of-the-automatic-backup-is-taken-for-another-zones",
        says: "Automatic backups begin eight hours after the hour that was set.",
        check: "policy_can_be_set_and_takes_effect",
        variant: layer(|| {
            Rc::new(Layer {
                request: Some(|request, memory| {
                    if is(request, "PUT /v1/instances/*/configuration")
                        && let Some(hour) =
                            request.body.as_mut().and_then(|body| body.pointer_mut("/backup_policy/hour"))
                    {
                        *hour = moved(hour, 8);
                        let id = request.path.split('/').nth(3).unwrap_or_default();
                        memory.put(id, true);
                    }
                }),
                answer: Some(|_, found, memory| {
                    let many = found.body.get_mut("instances").and_then(Value::as_array_mut).is_some();
                    let views = if many { found.body["instances"].as_array_mut() } else { None };
                    let views: Vec<&mut Value> = match views {
                        Some(list) => list.iter_mut().collect(),
                        None => vec![&mut found.body],
                    };
                    for view in views.into_iter().filter(|view| view.is_object()) {
                        let known = view["id"].as_str().is_some_and(|id| memory.get(id).is_some());
                        if let Some(hour) = view.pointer_mut("/configuration/backup_policy/hour").filter(|_| known) {
                            *hour = moved(hour, 16);
                        }
                    }
                }),
                ..Layer::default()
            })
        }),
    },
    Planted {
        name: "a-manual-backup-moves-the-automatic-ones",
        says: "Who asks for a backup gets another hour of the automatic backup with it.",
        check: "policy_can_be_set_and_takes_effect",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let found = beyond.send(&request).await?;
                    if is(&request, "POST /v1/instances/*/backups") && found.status < 400 {
                        let path = format!("/v1/instances/{}", parts(&request)[2]);
                        let view = beyond.get(&path).await?.body;
                        let mut settings = view["configuration"]["backup_policy"].clone();
                        settings["hour"] = MOVED_HOUR.into();
                        let (path, body) = (format!("{path}/configuration"), Some(json!({"backup_policy": settings})));
                        let change = crate::runner::gate::Request { method: Method::PUT, path, body, key: None };
                        beyond.send(&change).await?;
                    }
                    Ok(found)
                })
            })
        }),
    },
    Planted {
        name: "redis-backups-are-kept-for-8-days",
        says: "A backup stays a day too long.",
        check: "kept_for_7_days",
        variant: policy(|policy| policy.redis_retention_days = 8),
    },
    Planted {
        name: "redis-backups-are-kept-for-6-days",
        says: "A backup goes a day too early.",
        check: "kept_for_7_days",
        variant: policy(|policy| policy.redis_retention_days = 6),
    },
    Planted {
        name: "the-retention-of-redis-backups-is-off-by-a-second",
        says: "A backup is listed for a second after its seven days.",
        check: "kept_for_7_days",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let mut found = beyond.send(&request).await?;
                    for backup in backups(&found.body) {
                        let id = backup["id"].as_str().unwrap_or_default().to_owned();
                        memory.borrow_mut().put(id.clone(), backup);
                        let mut memory = memory.borrow_mut();
                        let known = memory.get("known").and_then(Value::as_array).cloned().unwrap_or_default();
                        if !known.contains(&Value::from(id.as_str())) {
                            memory.put("known", known.into_iter().chain([id.into()]).collect::<Vec<_>>());
                        }
                    }
                    if let Some(list) = found.body.get_mut("backups").and_then(Value::as_array_mut) {
                        let memory = memory.borrow();
                        let known = memory.get("known").and_then(Value::as_array).cloned().unwrap_or_default();
                        for backup in known.iter().filter_map(|id| memory.get(id.as_str()?)) {
                            let ended_at = backup["ended_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
                            let until = ended_at.map(|at| later(at, KEPT + TOO_LONG));
                            let of = request.path.contains(backup["instance"].as_str().unwrap_or(" "));
                            let gone = !list.iter().any(|listed| listed["id"] == backup["id"]);
                            if of && gone && until.is_some_and(|until| beyond.now() < until) {
                                list.push(backup.clone());
                            }
                        }
                    }
                    Ok(found)
                })
            })
        }),
    },
    Planted {
        name: "the-retention-of-redis-backups-can-be-set",
        says: "Another number of days is accepted.",
        check: "retention_is_fixed",
        variant: layer(|| {
            on_request(|request, _| {
                if is(request, "PUT /v1/instances/*/configuration")
                    && let Some(policy) = request.body.as_mut().and_then(|body| body.get_mut("backup_policy"))
                {
                    policy["data_retention_days"] = 7.into();
                    policy["log_retention_days"] = 7.into();
                }
            })
        }),
    },
    Planted {
        name: "a-manual-backup-is-taken-in-the-window-alone",
        says: "A backup cannot be asked for but in the hour of the automatic one.",
        check: "manual_backup_at_once",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let hour = beyond.now().as_second().div_euclid(3600).rem_euclid(24);
                    if is(&request, "POST /v1/instances/*/backups") && hour != 3 {
                        return Ok(refusal(403, "OperationDenied.BackupMethod", "wait for the hour of the backup"));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-manual-backup-counts-as-an-automatic-one",
        says: "A backup that was asked for shows as one of the policy's.",
        check: "manual_backup_at_once",
        variant: layer(|| {
            on_answer(|request, found, _| {
                if is(request, "POST /v1/instances/*/backups") && found.status < 400 {
                    found.body["mode"] = "automated".into();
                }
            })
        }),
    },
    Planted {
        name: "the-end-of-a-range-of-times-is-passed-over",
        says: "Backups are found from a time on, whatever time was given as the last.",
        check: "listing_by_range",
        variant: layer(|| {
            on_request(|request, _| {
                if let Some((path, _)) = request.path.split_once("&to=") {
                    request.path = path.to_owned();
                }
            })
        }),
    },
    Planted {
        name: "a-range-of-times-finds-the-newest-days-alone",
        says: "A range of times that ended a day ago or earlier finds nothing.",
        check: "listing_by_range",
        variant: layer(|| {
            on_answer(|request, found, _| {
                if request.path.contains("&to=")
                    && let Some(list) = found.body.get_mut("backups").and_then(Value::as_array_mut)
                {
                    list.clear();
                }
            })
        }),
    },
    Planted {
        name: "manual-backups-are-not-archived",
        says: "There is no file of a backup that was asked for.",
        check: "both_kinds_are_archived",
        variant: layer(|| {
            Rc::new(Layer {
                answer: Some(|request, found, memory| {
                    let id = parts(request).get(2).copied().unwrap_or_default();
                    if is(request, "POST /v1/instances/*/backups") {
                        memory.put(found.body["id"].as_str().unwrap_or_default(), true);
                    } else if is(request, "POST /v1/backups/*/download") && memory.get(id).is_some() {
                        memory.put(found.body["path"].as_str().unwrap_or_default(), true);
                    }
                }),
                file: Some(|path, file, memory| {
                    if memory.get(path).is_some() {
                        let refused = refusal(404, "InvalidDownload.NotFound", "there is no file");
                        *file = (404, refused.body.to_string().into());
                    }
                }),
                ..Layer::default()
            })
        }),
    },
    Planted {
        name: "a-backup-file-is-cut-off",
        says: "The second half of a file is not handed out.",
        check: "both_kinds_are_archived",
        variant: layer(|| on_file(|_, (_, bytes), _| bytes.truncate(bytes.len() / 2))),
    },
    Planted {
        name: "a-download-link-outlives-its-backup",
        says: "A file that was fetched once is handed out for ever.",
        check: "download_dies_with_the_file",
        variant: layer(|| {
            on_file(|path, (status, bytes), memory| {
                if *status == 200 {
                    memory.put(path, bytes.to_vec());
                } else if let Some(Value::Array(kept)) = memory.get(path) {
                    let kept = kept.iter().filter_map(Value::as_u64).filter_map(|byte| u8::try_from(byte).ok());
                    (*status, *bytes) = (200, kept.collect::<Vec<u8>>().into());
                }
            })
        }),
    },
    Planted {
        name: "a-download-link-works-once",
        says: "A link to a file is dead after the first use.",
        check: "download_dies_with_the_file",
        variant: layer(|| {
            on_file(|path, file, memory| {
                if !memory.first(path) {
                    *file = (404, Bytes::from_static(b"{}"));
                }
            })
        }),
    },
    Planted {
        name: "keeping-a-redis-backup-is-charged",
        says: "Every backup that is kept costs something.",
        check: "keeping_costs_nothing",
        variant: layer(|| {
            on_answer(|request, found, memory| {
                for backup in backups(&found.body).into_iter().filter(|backup| backup["status"] == "success") {
                    memory.put("backup", backup);
                }
                let backup = memory.get("backup").cloned();
                if let (true, Some(backup)) = (is(request, "GET /v1/charges"), backup)
                    && let Some(charges) = found.body.get_mut("charges").and_then(Value::as_array_mut)
                {
                    let (subject, from) = (backup["id"].clone(), backup["began_at"].clone());
                    let what = "backup";
                    charges.push(json!({"subject": subject, "what": what, "from": from, "until": null, "cents": 3}));
                }
            })
        }),
    },
    Planted {
        name: "settings-of-redis-are-told-back-with-another-retention",
        says: "An instance shows another number of days than backups are kept.",
        check: "retention_is_fixed",
        variant: layer(|| {
            on_answer(|request, found, _| {
                if is(request, "GET /v1/instances") {
                    let list = found.body.get_mut("instances").and_then(Value::as_array_mut);
                    for view in list.into_iter().flatten() {
                        if let Some(days) = view.pointer_mut("/configuration/backup_policy/data_retention_days") {
                            *days = 30.into();
                        }
                    }
                }
            })
        }),
    },
];
