//! Planted bugs that carry out something else than was asked for and go on showing what was asked for.

use super::{Fields, newest_full, saved, saves, shown, text};
use crate::planted::Planted;
use crate::planted::tools::Memory;
use crate::planted::tools::gate::{on_request, own};
use crate::planted::tools::layer;
use crate::runner::gate::{Beyond, Request};
use jiff::{SignedDuration, Timestamp};
use recovery::client::{Answer, ClientError};
use recovery::ports::clock::later;
use serde_json::{Value, json};
use std::cell::RefCell;

/// What a restore is asked for, as views show it again.
const ASKED: [&str; 6] = ["recovery", "types", "objects", "mapping", "structure_conflict", "data_conflict"];
/// How long a log takes to be collected.
const COLLECTED: SignedDuration = SignedDuration::from_secs(75);

/// Saves a restore otherwise than asked, and shows it as it was asked for.
async fn disguised(
    mut request: Request,
    beyond: &Beyond<'_>,
    memory: &RefCell<Memory>,
    change: impl AsyncFnOnce(&mut Fields),
) -> Result<Answer, ClientError> {
    let wanted = request.body.clone().filter(|_| saves(&request));
    if let Some(fields) = saved(&mut request) {
        change(fields).await;
    }
    let mut answer = beyond.send(&request).await?;
    let id = answer.body.get("id").and_then(Value::as_str).filter(|_| answer.status < 400);
    if let (Some(wanted), Some(id)) = (wanted, id) {
        memory.borrow_mut().put(id, wanted);
    }
    for fields in shown(&request, &mut answer) {
        let wanted = memory.borrow().get(text(fields, "id")).cloned().unwrap_or_default();
        for name in ASKED {
            if let Some(value) = wanted.get(name) {
                fields.insert(name.into(), value.clone());
            }
        }
    }
    Ok(answer)
}

/// The point in time that is asked for.
fn time(fields: &Fields) -> Option<Timestamp> {
    fields.get("recovery")?.get("point_in_time")?.as_str()?.parse().ok()
}

/// Asks for another point in time.
fn put_time(fields: &mut Fields, time: Timestamp) {
    fields.insert("recovery".into(), json!({"method": "point-in-time", "point_in_time": time}));
}

/// Asks for something else where one thing is asked for.
fn swap(fields: &mut Fields, name: &str, from: &Value, to: Value) {
    if fields.get(name) == Some(from) {
        fields.insert(name.into(), to);
    }
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-point-in-time-is-silently-moved-to-the-last-backup",
        says: "A restore to a point in time brings the newest full set and no log.",
        check: "point_in_time_content",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    let set = newest_full(beyond, text(fields, "backup_task")).await;
                    if let (Some(set), true) = (set, time(fields).is_some()) {
                        fields.insert("recovery".into(), json!({"method": "backup-set", "backup_set_id": set}));
                    }
                }))
            })
        }),
    },
    Planted {
        name: "the-second-asked-for-is-left-out",
        says: "What was committed in the very second that is asked for is missing.",
        check: "seconds_are_told_apart",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    if let Some(time) = time(fields) {
                        put_time(fields, later(time, SignedDuration::from_secs(-1)));
                    }
                }))
            })
        }),
    },
    Planted {
        name: "a-point-in-time-is-moved-by-a-second-and-told-so",
        says: "A saved restore shows another second than was asked for.",
        check: "seconds_are_told_apart",
        variant: layer(|| {
            on_request(|request, _| {
                if let Some(fields) = saved(request)
                    && let Some(time) = time(fields)
                {
                    put_time(fields, later(time, SignedDuration::from_secs(-1)));
                }
            })
        }),
    },
    Planted {
        name: "the-log-is-applied-to-a-backup-set",
        says: "A restore by backup set brings what was collected after it, too.",
        check: "backup_set_content_is_of_completion",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    beyond.clock.sleep_until(later(beyond.now(), COLLECTED)).await;
                    let path = format!("/v1/logical-backup-tasks/{}/restorable", text(fields, "backup_task"));
                    let Ok(stated) = beyond.get(&path).await else { return };
                    let latest = stated.body["ranges"][0]["latest"].as_str().and_then(|time| time.parse().ok());
                    if let Some(latest) = latest {
                        put_time(fields, latest);
                    }
                }))
            })
        }),
    },
    Planted {
        name: "names-in-the-target-are-not-changed",
        says: "A mapping is shown and not carried out.",
        check: "mapping_names_the_target",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    fields.insert("mapping".into(), json!([]));
                }))
            })
        }),
    },
    Planted {
        name: "a-table-in-the-way-does-not-stop-a-restore",
        says: "The policy of stopping at a table that is there goes on.",
        check: "existing_tables_stop_the_task",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    swap(fields, "structure_conflict", &json!("stop"), json!("ignore"));
                }))
            })
        }),
    },
    Planted {
        name: "a-table-in-the-way-always-stops-a-restore",
        says: "The policy of going on at a table that is there stops.",
        check: "existing_tables_are_skipped",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    swap(fields, "structure_conflict", &json!("ignore"), json!("stop"));
                }))
            })
        }),
    },
    Planted {
        name: "a-row-in-the-way-always-stops-a-restore",
        says: "The policy of going on at a row that is there stops.",
        check: "existing_rows_are_kept",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    swap(fields, "data_conflict", &json!("ignore"), json!("stop"));
                }))
            })
        }),
    },
    Planted {
        name: "everything-comes-whatever-was-chosen",
        says: "A choice of objects is shown and all of the backup is restored.",
        check: "only_chosen_objects_come",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    fields.insert("objects".into(), json!({"choose": "all"}));
                }))
            })
        }),
    },
    Planted {
        name: "the-last-branch-of-a-choice-is-lost",
        says: "Of several chosen branches the last is not restored.",
        check: "only_chosen_objects_come",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    let branches = fields.get_mut("objects").and_then(|objects| objects.get_mut("branches"));
                    if let Some(Value::Array(branches)) = branches
                        && branches.len() > 1
                    {
                        branches.pop();
                    }
                }))
            })
        }),
    },
    Planted {
        name: "full-data-alone-makes-the-tables-it-needs",
        says: "A restore of rows alone brings structure, too.",
        check: "types_restore_what_they_say",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    swap(fields, "types", &json!(["full"]), json!(["structure", "full"]));
                }))
            })
        }),
    },
    Planted {
        name: "structure-alone-brings-the-rows-with-it",
        says: "A restore of structure alone brings rows, too.",
        check: "types_restore_what_they_say",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(disguised(request, beyond, memory, async |fields: &mut Fields| {
                    swap(fields, "types", &json!(["structure"]), json!(["structure", "full"]));
                }))
            })
        }),
    },
];
