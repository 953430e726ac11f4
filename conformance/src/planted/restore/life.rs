//! Planted bugs about the life of a restore task: its precheck, its start, its details and the list.

use super::{Fields, bare, shown, text};
use crate::planted::Planted;
use crate::planted::tools::gate::{code, is, on_answer, own, parts, refusal};
use crate::planted::tools::layer;
use http::Method;
use serde_json::{Value, json};

/// Starts a restore task.
const START: &str = "POST /v1/restore-tasks/*/start";

/// The items of the newest precheck of a shown task that came out so.
fn items<'t>(task: &'t Fields, outcome: &'static str) -> impl Iterator<Item = &'t Value> {
    let items = task.get("precheck").and_then(|run| run.get("items")).and_then(Value::as_array);
    items.into_iter().flatten().filter(move |item| item["result"] == outcome)
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-restore-that-failed-its-check-is-thrown-away",
        says: "A restore task is not kept when its precheck fails.",
        check: "precheck_saves_the_task",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let found = beyond.send(&request).await?;
                    if is(&request, "GET /v1/restore-tasks/*") && found.body["status"] == "check-failed" {
                        beyond.send(&bare(Method::DELETE, &request.path)).await?;
                        return beyond.send(&request).await;
                    }
                    Ok(found)
                })
            })
        }),
    },
    Planted {
        name: "the-result-of-a-precheck-is-not-kept",
        says: "A saved restore task shows no precheck at all.",
        check: "precheck_saves_the_task",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                shown(request, answer).into_iter().for_each(|task| drop(task.insert("precheck".into(), Value::Null)));
            })
        }),
    },
    Planted {
        name: "a-repaired-restore-is-told-its-old-result",
        says: "Checking again gives the result from before the repair.",
        check: "failed_items_are_repaired_and_checked_again",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if is(&request, "POST /v1/restore-tasks/*/precheck") {
                        let id = parts(&request).get(2).copied().unwrap_or_default();
                        return beyond.get(&format!("/v1/restore-tasks/{id}")).await;
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-failed-item-of-a-restore-names-no-remedy",
        says: "A failed item says what is wrong and not what would help.",
        check: "failed_items_are_repaired_and_checked_again",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                for task in shown(request, answer) {
                    let items = task.get_mut("precheck").and_then(|run| run.get_mut("items"));
                    for item in items.and_then(Value::as_array_mut).into_iter().flatten() {
                        let failed = item["result"] == "failed";
                        let findings = item.get_mut("findings").and_then(Value::as_array_mut).into_iter().flatten();
                        findings.filter(|_| failed).for_each(|finding| finding["remedy"] = "".into());
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-restore-told-to-start-while-it-is-checked-starts-afterwards",
        says: "A start is accepted while the precheck runs and carried out when it is over.",
        check: "restore_start_needs_a_passed_precheck",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let kept = memory.borrow().text("start");
                    if let Some(path) = kept {
                        let started = beyond.send(&bare(Method::POST, path)).await?;
                        if started.status < 400 {
                            memory.borrow_mut().take("start");
                        }
                    }
                    let told = beyond.send(&request).await?;
                    if !is(&request, START) || code(&told) != "OperationDenied.TaskStatus" {
                        return Ok(told);
                    }
                    let id = parts(&request).get(2).copied().unwrap_or_default();
                    let task = beyond.get(&format!("/v1/restore-tasks/{id}")).await?;
                    if task.body["status"] != "checking" {
                        return Ok(told);
                    }
                    memory.borrow_mut().put("start", request.path.clone());
                    Ok(task)
                })
            })
        }),
    },
    Planted {
        name: "a-start-after-a-failed-check-is-accepted",
        says: "Who starts a restore whose precheck failed is told that it goes on.",
        check: "restore_start_needs_a_passed_precheck",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let told = beyond.send(&request).await?;
                    if is(&request, START) && code(&told) == "OperationDenied.TaskStatus" {
                        let id = parts(&request).get(2).copied().unwrap_or_default();
                        return beyond.get(&format!("/v1/restore-tasks/{id}")).await;
                    }
                    Ok(told)
                })
            })
        }),
    },
    Planted {
        name: "a-start-is-told-and-forgotten",
        says: "Who starts a restore is told so, and nothing happens.",
        check: "restore_start_is_true",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if is(&request, START) {
                        let id = parts(&request).get(2).copied().unwrap_or_default();
                        return beyond.get(&format!("/v1/restore-tasks/{id}")).await;
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-warning-blocks-the-start-of-a-restore",
        says: "A restore with a warning cannot be started.",
        check: "warnings_do_not_block",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if is(&request, START) {
                        let id = parts(&request).get(2).copied().unwrap_or_default();
                        let task = beyond.get(&format!("/v1/restore-tasks/{id}")).await?;
                        let warned = task.body.as_object().is_some_and(|task| items(task, "warning").next().is_some());
                        if warned {
                            return Ok(refusal(409, "OperationDenied.TaskStatus", "the precheck has warnings"));
                        }
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-warning-of-a-restore-counts-as-a-failure",
        says: "A precheck with a warning ends as failed.",
        check: "warnings_do_not_block",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                for task in shown(request, answer) {
                    let passed = task.get("status") == Some(&json!("check-passed"));
                    if passed && items(task, "warning").next().is_some() {
                        task.insert("status".into(), "check-failed".into());
                    }
                }
            })
        }),
    },
    Planted {
        name: "restores-that-came-to-nothing-are-not-listed",
        says: "The list of restore tasks leaves out those that failed or whose check failed.",
        check: "restore_tasks_are_listed",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/restore-tasks")
                    && let Some(Value::Array(tasks)) = answer.body.get_mut("tasks")
                {
                    tasks.retain(|task| task["status"] != "failed" && task["status"] != "check-failed");
                }
            })
        }),
    },
    Planted {
        name: "a-completed-restore-leaves-the-list",
        says: "The list of restore tasks shows those under way alone.",
        check: "restore_tasks_are_listed",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/restore-tasks")
                    && let Some(Value::Array(tasks)) = answer.body.get_mut("tasks")
                {
                    tasks.retain(|task| task["status"] != "completed");
                }
            })
        }),
    },
    Planted {
        name: "the-details-of-a-restore-count-no-records",
        says: "The details show every table with no record.",
        check: "restore_details_show_progress",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                for task in shown(request, answer) {
                    for entry in task.get_mut("details").and_then(Value::as_array_mut).into_iter().flatten() {
                        entry["records"] = 0.into();
                    }
                }
            })
        }),
    },
    Planted {
        name: "the-details-of-a-restore-are-those-of-the-look-before",
        says: "The details of a restore task come from a cache that is one look behind.",
        check: "restore_details_show_progress",
        variant: layer(|| {
            on_answer(|request, answer, memory| {
                for task in shown(request, answer) {
                    let id = text(task, "id").to_owned();
                    let details = task.get("details").cloned().unwrap_or_default();
                    if let Some(before) = memory.take(&id) {
                        task.insert("details".into(), before);
                    }
                    memory.put(id, details);
                }
            })
        }),
    },
    Planted {
        name: "a-restore-that-ended-early-does-not-say-why",
        says: "A failed or stopped restore task shows no reason.",
        check: "restore_details_show_progress",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                shown(request, answer).into_iter().for_each(|task| drop(task.insert("failure".into(), Value::Null)));
            })
        }),
    },
    Planted {
        name: "a-restore-stopped-by-a-table-does-not-say-by-which",
        says: "Where a table that is there ends a restore, the reason is left out.",
        check: "existing_tables_stop_the_task",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                for task in shown(request, answer) {
                    if task.get("failure").is_some_and(|failure| failure["reason"] == "object-exists") {
                        task.insert("failure".into(), Value::Null);
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-restore-is-lost-from-sight-once-it-is-saved",
        says: "A saved restore task is not found under its id.",
        check: "precheck_saves_the_task",
        variant: layer(|| {
            on_answer(|request, found, _| {
                if is(request, "GET /v1/restore-tasks/*") && found.body["status"] == "check-passed" {
                    *found = refusal(404, "InvalidTaskId.NotFound", "there is no such task");
                }
            })
        }),
    },
];
