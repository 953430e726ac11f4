//! Planted bugs about what a form may ask for: more is taken than is documented, or less.

use super::{Fields, newest_full, or_else, saved, saves, text};
use crate::planted::Planted;
use crate::planted::tools::gate::{answer, body, code, instead, is, on_answer, on_request, own, refusal};
use crate::planted::tools::{layer, policy};
use crate::runner::gate::Request;
use recovery::model::Engine;
use serde_json::{Value, json};

/// Characters of a name that a short column would keep.
const COLUMN: usize = 32;
/// Bytes a name may have where characters were meant.
const BYTES: usize = 64;

/// Changes what is asked for in a form.
fn form(request: &mut Request, change: impl FnOnce(&mut Fields)) {
    if let Some(fields) = saved(request) {
        change(fields);
    }
}

/// Whether a field of a form is missing or empty.
fn lacks(fields: &Fields, name: &str) -> bool {
    match fields.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "an-unknown-way-of-recovery-is-taken-for-a-backup-set",
        says: "A method that is neither of the two counts as a restore by backup set.",
        check: "recovery_method_is_one_of_two",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if let Some(Value::Object(recovery)) = fields.get_mut("recovery")
                        && !["point-in-time", "backup-set"].contains(&text(recovery, "method"))
                    {
                        recovery.insert("method".into(), "backup-set".into());
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-restore-by-backup-set-is-not-understood",
        says: "The method of restoring by backup set was left out.",
        check: "recovery_method_is_one_of_two",
        variant: layer(|| {
            instead(|request, _| {
                let by_set = saves(request) && body(request)["recovery"]["method"] == "backup-set";
                by_set.then(|| refusal(400, "InvalidParameter", "recovery: unknown method backup-set"))
            })
        }),
    },
    Planted {
        name: "a-point-in-time-beside-a-backup-set-is-passed-over",
        says: "A point in time that comes with a backup set is dropped without a word.",
        check: "point_in_time_needs_its_method",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if let Some(Value::Object(recovery)) = fields.get_mut("recovery")
                        && text(recovery, "method") == "backup-set"
                    {
                        recovery.remove("point_in_time");
                    }
                });
            })
        }),
    },
    Planted {
        name: "rewriting-is-offered-for-structure",
        says: "The policy for rows is taken for structure, too.",
        check: "conflict_policies_are_two_and_three",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if text(fields, "structure_conflict") == "delete-then-rewrite" {
                        fields.insert("structure_conflict".into(), "ignore".into());
                    }
                });
            })
        }),
    },
    Planted {
        name: "rewriting-of-rows-is-not-understood",
        says: "Of the three policies for rows the third is missing.",
        check: "conflict_policies_are_two_and_three",
        variant: layer(|| {
            instead(|request, _| {
                let rewrites = saves(request) && body(request)["data_conflict"] == "delete-then-rewrite";
                rewrites.then(|| refusal(400, "InvalidParameter", "data_conflict: unknown policy delete-then-rewrite"))
            })
        }),
    },
    Planted {
        name: "an-empty-choice-of-objects-is-taken-for-all",
        says: "Who picks and picks nothing gets everything.",
        check: "objects_are_all_or_chosen",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if fields.get("objects").is_some_and(|objects| objects["branches"] == json!([])) {
                        fields.insert("objects".into(), json!({"choose": "all"}));
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-third-choice-of-objects-is-taken",
        says: "A choice that is neither all nor custom counts as all.",
        check: "objects_are_all_or_chosen",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    let choice = fields.get("objects").and_then(|objects| objects["choose"].as_str());
                    if choice.is_some_and(|choice| !["all", "custom"].contains(&choice)) {
                        fields.insert("objects".into(), json!({"choose": "all"}));
                    }
                });
            })
        }),
    },
    Planted {
        name: "without-a-type-both-are-restored",
        says: "A restore of no type brings structure and rows.",
        check: "types_restore_what_they_say",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if lacks(fields, "types") {
                        fields.insert("types".into(), json!(["structure", "full"]));
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-missing-name-of-a-restore-is-made-up",
        says: "The form goes on without a name.",
        check: "wizard_fields_are_needed",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if lacks(fields, "name") {
                        fields.insert("name".into(), "restore".into());
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-missing-target-is-taken-for-the-source",
        says: "The form goes on without a target and restores into the source.",
        check: "wizard_fields_are_needed",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    if lacks(fields, "target") {
                        let source = fields.get("source").cloned().unwrap_or_default();
                        fields.insert("target".into(), source);
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-restore-name-of-65-characters-is-taken",
        says: "The bound of a restore's name is off by one, upwards.",
        check: "restore_name_has_1_to_64_characters",
        variant: policy(|policy| policy.logical_name_characters_max = 65),
    },
    Planted {
        name: "a-restore-name-of-64-characters-is-refused",
        says: "The bound of a restore's name is off by one, downwards.",
        check: "restore_name_has_1_to_64_characters",
        variant: policy(|policy| policy.logical_name_characters_max = 63),
    },
    Planted {
        name: "a-restore-name-is-measured-in-bytes",
        says: "A name of 64 characters is refused when they take more bytes.",
        check: "restore_name_has_1_to_64_characters",
        variant: layer(|| {
            instead(|request, _| {
                let long = body(request)["name"].as_str().is_some_and(|name| name.len() > BYTES);
                (saves(request) && long).then(|| refusal(400, "InvalidParameter", "name is longer than 64"))
            })
        }),
    },
    Planted {
        name: "a-long-restore-name-is-cut",
        says: "A restore's name is kept in a column of 32 characters.",
        check: "restore_name_has_1_to_64_characters",
        variant: layer(|| {
            on_request(|request, _| {
                form(request, |fields| {
                    let name: String = text(fields, "name").chars().take(COLUMN).collect();
                    fields.insert("name".into(), name.into());
                });
            })
        }),
    },
    Planted {
        name: "a-log-set-is-taken-for-its-full-set",
        says: "Who picks a set that cannot be restored gets the newest that can.",
        check: "restore_needs_a_completed_full_set",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(or_else(request, beyond, "OperationDenied.BackupSet", async |fields: &mut Fields| {
                    if let Some(set) = newest_full(beyond, text(fields, "backup_task")).await {
                        fields.insert("recovery".into(), json!({"method": "backup-set", "backup_set_id": set}));
                    }
                }))
            })
        }),
    },
    Planted {
        name: "every-set-is-offered-for-restores",
        says: "Sets that are being taken, failed ones and logs are offered like full ones.",
        check: "restore_needs_a_completed_full_set",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/logical-backup-sets")
                    && let Some(Value::Array(sets)) = answer.body.get_mut("sets")
                {
                    sets.iter_mut().for_each(|set| set["restorable"] = true.into());
                }
            })
        }),
    },
    Planted {
        name: "sql-server-gets-a-logical-log",
        says: "A logical backup of SQL Server may have a log.",
        check: "no_log_where_there_is_none",
        variant: policy(|policy| policy.logical_log_engines.push(Engine::SqlServer)),
    },
    Planted {
        name: "a-point-in-time-of-sql-server-is-taken-for-the-last-backup",
        says: "Where there is no log, a point in time gives the newest full set.",
        check: "point_in_time_is_for_mysql",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(or_else(request, beyond, "OperationDenied.RestoreMethod", async |fields: &mut Fields| {
                    if let Some(set) = newest_full(beyond, text(fields, "backup_task")).await {
                        fields.insert("recovery".into(), json!({"method": "backup-set", "backup_set_id": set}));
                    }
                }))
            })
        }),
    },
    Planted {
        name: "a-time-before-the-first-backup-is-moved-to-it",
        says: "A point in time outside the stated range is moved to its beginning.",
        check: "range_is_stated_and_kept",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(or_else(request, beyond, "InvalidRestoreTime", async |fields: &mut Fields| {
                    let path = format!("/v1/logical-backup-tasks/{}/restorable", text(fields, "backup_task"));
                    let stated = beyond.get(&path).await.unwrap_or_else(|_| answer(404, Value::Null));
                    let time = stated.body["ranges"][0]["earliest"].clone();
                    fields.insert("recovery".into(), json!({"method": "point-in-time", "point_in_time": time}));
                }))
            })
        }),
    },
    Planted {
        name: "the-log-is-collected-every-ten-minutes",
        says: "The stated range ends ten minutes ago instead of some seconds.",
        check: "range_is_stated_and_kept",
        variant: policy(|policy| policy.logical_log_interval_s = 600),
    },
    Planted {
        name: "the-last-minute-of-the-stated-range-is-refused",
        says: "A point in time less than a minute ago is refused though it is stated.",
        check: "range_is_stated_and_kept",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let time = body(&request)["recovery"]["point_in_time"].as_str();
                    let time = time.and_then(|time| time.parse::<jiff::Timestamp>().ok());
                    let recent = time.is_some_and(|time| beyond.now().duration_since(time).as_secs() < 60);
                    let answer = beyond.send(&request).await?;
                    if saves(&request) && recent && code(&answer).is_empty() {
                        let detail = "the log is not there yet";
                        return Ok(refusal(403, "OperationDenied.RestoreTimeNotCovered", detail));
                    }
                    Ok(answer)
                })
            })
        }),
    },
];
