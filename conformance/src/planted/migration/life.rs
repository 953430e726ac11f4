//! Bugs about how a migration fails, pauses, ends and is paid for.

use crate::planted::Planted;
use crate::planted::tools::gate::{instead, is, on_answer, own};
use crate::planted::tools::tasks::{each_task, looks, refusal, step, steps, task_path};
use crate::planted::tools::{layer, policy};
use http::Method;
use serde_json::{Value, json};

const DAY_S: i64 = 24 * 3_600;

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-failed-task-is-retried-for-8-days",
        says: "A failed task is still taken up again by itself on the eighth day.",
        check: "failed_tasks_are_retried_for_7_days",
        variant: policy(|policy| policy.auto_retry_s = 8 * DAY_S),
    },
    Planted {
        name: "a-failed-task-is-retried-an-hour-too-long",
        says: "A failed task is taken up again once more within an hour after its seven days.",
        check: "failed_tasks_are_retried_for_7_days",
        variant: policy(|policy| policy.auto_retry_s = 7 * DAY_S + 3_600),
    },
    Planted {
        name: "a-failed-task-is-given-up-after-a-day",
        says: "A failed task is not taken up again by itself after its first day.",
        check: "failed_tasks_are_retried_for_7_days",
        variant: policy(|policy| policy.auto_retry_s = DAY_S),
    },
    Planted {
        name: "a-failed-task-is-never-tried-again",
        says: "A failed task waits for its user though its failure may pass.",
        check: "failed_tasks_are_retried_for_7_days",
        variant: policy(|policy| policy.auto_retry_s = 0),
    },
    Planted {
        name: "a-pause-of-6-hours-is-forgotten",
        says: "An incremental task goes on after any pause.",
        check: "long_pause_ends_an_incremental_task",
        variant: policy(|policy| policy.incremental_pause_s = 365 * DAY_S),
    },
    Planted {
        name: "an-incremental-task-may-be-paused-for-5-hours-only",
        says: "An incremental task cannot go on after a pause of less than six hours.",
        check: "long_pause_ends_an_incremental_task",
        variant: policy(|policy| policy.incremental_pause_s = 5 * 3_600),
    },
    Planted {
        name: "a-task-that-does-not-migrate-can-be-paused",
        says: "A pause is accepted of a task that has not started or has ended.",
        check: "long_pause_ends_an_incremental_task",
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    let first = beyond.send(&request).await?;
                    let Some(path) = task_path(&request).filter(|_| steps(&request, "pause") && first.status == 409)
                    else {
                        return Ok(first);
                    };
                    (request.method, request.path) = (Method::GET, path);
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "an-incremental-task-cannot-be-paused",
        says: "A pause is refused of a task that follows its source.",
        check: "long_pause_ends_an_incremental_task",
        variant: layer(|| {
            instead(|request, _| steps(request, "pause").then(|| refusal(409, "OperationDenied.TaskStatus")))
        }),
    },
    Planted {
        name: "a-paused-task-goes-on-when-it-is-looked-at",
        says: "A paused task is resumed by itself.",
        check: "long_pause_ends_an_incremental_task",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let paused = looks(&request) && answer.body["status"] == "Suspending";
                    if let Some(path) = task_path(&request).filter(|_| paused) {
                        step(beyond, &path, "resume").await?;
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-stopped-task-starts-again",
        says: "Stopping a task only pauses it, and a start lets it go on.",
        check: "stopped_tasks_stay_stopped",
        variant: layer(|| {
            own(|mut request, beyond, memory| {
                Box::pin(async move {
                    let Some(path) = task_path(&request) else { return beyond.send(&request).await };
                    if steps(&request, "stop") {
                        memory.borrow_mut().put(path.clone(), true);
                        request.path = format!("{path}/pause");
                    }
                    if steps(&request, "start") {
                        memory.borrow_mut().take(&path);
                    }
                    let mut answer = beyond.send(&request).await?;
                    let stopped = memory.borrow().get(&path).is_some();
                    each_task(&mut answer, |task| {
                        if stopped && task["status"] == "Suspending" {
                            task["status"] = json!("Finished");
                        }
                    });
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-stopped-task-goes-on-by-itself",
        says: "A stopped task is paused and taken up again a while later.",
        check: "stopped_tasks_stay_stopped",
        variant: layer(|| {
            own(|mut request, beyond, memory| {
                Box::pin(async move {
                    let Some(path) = task_path(&request) else { return beyond.send(&request).await };
                    if steps(&request, "stop") {
                        request.path = format!("{path}/pause");
                    }
                    let mut answer = beyond.send(&request).await?;
                    if answer.body["status"] == "Suspending" {
                        if memory.borrow_mut().count(&path) == 4 {
                            step(beyond, &path, "resume").await?;
                        }
                        each_task(&mut answer, |task| task["status"] = json!("Finished"));
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-stopped-task-writes-on",
        says: "A stopped task is shown as finished and goes on following its source.",
        check: "stopped_tasks_stay_stopped",
        variant: layer(|| {
            own(|mut request, beyond, memory| {
                Box::pin(async move {
                    let Some(path) = task_path(&request) else { return beyond.send(&request).await };
                    if steps(&request, "stop") {
                        memory.borrow_mut().put(path.clone(), true);
                        (request.method, request.path) = (Method::GET, path.clone());
                    }
                    let mut answer = beyond.send(&request).await?;
                    let stopped = memory.borrow().get(&path).is_some();
                    each_task(&mut answer, |task| {
                        if stopped {
                            task["status"] = json!("Finished");
                        }
                    });
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-deleted-task-is-still-there",
        says: "Deleting a task is accepted and does nothing.",
        check: "stopped_tasks_stay_stopped",
        variant: layer(|| {
            instead(|request, _| {
                is(request, "DELETE /v1/migration-tasks/*")
                    .then(|| crate::planted::tools::gate::answer(204, Value::Null))
            })
        }),
    },
    Planted {
        name: "a-task-is-paid-for-beforehand",
        says: "A task is shown as paid for in advance.",
        check: "structure_and_full_are_free",
        variant: layer(|| on_answer(|_, answer, _| each_task(answer, |task| task["pay_type"] = json!("PrePaid")))),
    },
    Planted {
        name: "structure-and-rows-are-charged",
        says: "A task without incremental data is charged for what it loads.",
        check: "structure_and_full_are_free",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let mut answer = beyond.send(&request).await?;
                    let subject = request.path.split_once("subject=dts-").map(|(_, id)| format!("dts-{id}"));
                    let charges = answer.body.get_mut("charges").and_then(Value::as_array_mut);
                    if let (Some(charges), Some(subject)) = (charges.filter(|charges| charges.is_empty()), subject) {
                        let from = beyond.now().to_string();
                        charges.push(json!({
                            "subject": subject, "what": "full-migration", "from": from, "until": null, "cents": 7,
                        }));
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "incremental-data-are-charged-with-nothing",
        says: "The hour of incremental migration costs 0 cents.",
        check: "structure_and_full_are_free",
        variant: policy(|policy| policy.incremental_cents_per_hour = 0),
    },
    Planted {
        name: "incremental-data-are-not-charged",
        says: "No charge is recorded for incremental migration.",
        check: "structure_and_full_are_free",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                if let Some(charges) = answer.body.get_mut("charges").and_then(Value::as_array_mut) {
                    charges.retain(|charge| charge["what"] != "incremental-migration");
                }
            })
        }),
    },
    Planted {
        name: "an-incremental-task-ends-once-it-has-caught-up",
        says: "A task that follows its source ends by itself as soon as it has caught up.",
        check: "task_ends_or_goes_on_by_types",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let caught_up = looks(&request) && answer.body["phases"]["incremental"] == "Catched";
                    match task_path(&request).filter(|_| caught_up && answer.body["status"] == "Migrating") {
                        Some(path) => step(beyond, &path, "stop").await,
                        None => Ok(answer),
                    }
                })
            })
        }),
    },
    Planted {
        name: "a-loaded-task-never-ends",
        says: "A task without the incremental type is still migrating when all of it has been moved.",
        check: "task_ends_or_goes_on_by_types",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    if task["status"] == "Finished" {
                        task["status"] = json!("Migrating");
                        task["ended_at"] = Value::Null;
                    }
                });
            })
        }),
    },
];
