//! Bugs about the order of a task's steps, and about how it starts.

use crate::planted::Planted;
use crate::planted::tools::gate::{on_answer, on_request, own};
use crate::planted::tools::memory::Memory;
use crate::planted::tools::tasks::{
    ask, choose, chooses, drive, each_task, force, looks, refusal, step, steps, task_path,
};
use crate::planted::tools::{layer, meddling, ports};
use crate::runner::gate::{Beyond, Request};
use http::Method;
use recovery::client::{Answer, ClientError};
use serde_json::{Value, json};
use std::cell::RefCell;

const EARLY: [&str; 2] = ["OperationDenied.TaskStep", "OperationDenied.TaskStatus"];

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-precheck-chooses-by-itself",
        says: "A precheck is accepted before objects were chosen, and takes the whole database.",
        check: "steps_come_in_order",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let first = beyond.send(&request).await?;
                    let Some(task) = task_path(&request).filter(|_| steps(&request, "precheck") && early(&first))
                    else {
                        return Ok(first);
                    };
                    step(beyond, &task, "authorise").await?;
                    let choice = json!({"types": ["structure", "full"], "objects": [{"database": "app"}]});
                    ask(beyond, Method::PUT, format!("{task}/objects"), Some(choice)).await?;
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-confirmation-is-taken-before-the-precheck",
        says: "A task can be confirmed before it was prechecked, and starts when it passes.",
        check: "steps_come_in_order",
        variant: layer(|| {
            own(|request, beyond, memory| Box::pin(confirmed_early(request, beyond, memory, "NotStarted")))
        }),
    },
    Planted {
        name: "a-start-is-accepted-while-the-precheck-runs",
        says: "A task can be confirmed while its precheck runs, and starts when it passes.",
        check: "steps_come_in_order",
        variant: layer(|| {
            own(|request, beyond, memory| Box::pin(confirmed_early(request, beyond, memory, "Prechecking")))
        }),
    },
    Planted {
        name: "choosing-objects-starts-the-task",
        says: "A task starts as soon as its objects are chosen; nobody has asked for a precheck and none is shown.",
        check: "precheck_runs_before_the_start",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let mut answer = beyond.send(&request).await?;
                    if let Some(task) = task_path(&request).filter(|_| chooses(&request) && answer.status == 200) {
                        answer = drive(beyond, &task).await?;
                    }
                    each_task(&mut answer, |task| task["precheck"] = Value::Null);
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-failed-precheck-does-not-stop-the-start",
        says: "A confirmed task whose fresh precheck fails migrates all the same.",
        check: "start_needs_a_passed_precheck",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let mut answer = beyond.send(&request).await?;
                    let Some(path) = task_path(&request) else { return Ok(answer) };
                    if steps(&request, "confirm") && answer.status == 200 {
                        memory.borrow_mut().put(format!("confirmed {path}"), true);
                    }
                    let failed = looks(&request) && answer.body["status"] == "PrecheckFailed";
                    if failed && memory.borrow_mut().take(&format!("confirmed {path}")).is_some() {
                        memory.borrow_mut().put(format!("failed {path}"), answer.body["precheck"].clone());
                        answer = force(beyond, &path, &answer.body).await?;
                    }
                    let kept = memory.borrow().get(&format!("failed {path}")).cloned();
                    if let Some(kept) = kept {
                        each_task(&mut answer, |task| task["precheck"] = kept.clone());
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-pass-that-went-stale-is-used",
        says: "A confirmed task starts on the precheck that passed before, whatever has changed since.",
        check: "every_start_runs_a_fresh_precheck",
        variant: layer(|| own(|request, beyond, memory| Box::pin(stale(request, beyond, memory)))),
    },
    Planted {
        name: "a-start-goes-on-with-the-failed-result",
        says: "Starting a task whose precheck failed runs no new precheck.",
        check: "every_start_runs_a_fresh_precheck",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if let Some(path) = task_path(&request).filter(|_| steps(&request, "start")) {
                        let task = beyond.get(&path).await?;
                        if task.body["status"] == "PrecheckFailed" {
                            return Ok(task);
                        }
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-failed-precheck-deletes-the-task",
        says: "A task whose precheck failed is gone after it was shown once.",
        check: "failed_precheck_keeps_the_task",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    if let Some(path) = task_path(&request).filter(|_| answer.body["status"] == "PrecheckFailed") {
                        ask(beyond, Method::DELETE, path, None).await?;
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-failed-precheck-changes-the-same-name-mode",
        says: "A task whose precheck failed is set to ignore objects of the same name.",
        check: "failed_precheck_keeps_the_task",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let failed = looks(&request) && answer.body["status"] == "PrecheckFailed";
                    if let Some(path) = task_path(&request).filter(|_| failed)
                        && memory.borrow_mut().first(format!("changed {path}"))
                    {
                        choose(beyond, &path, &answer.body, |choice| choice["same_name"] = json!("ignore")).await?;
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-failed-precheck-ends-the-task",
        says: "A task whose precheck failed is shown as finished from then on.",
        check: "failed_precheck_keeps_the_task",
        variant: layer(|| {
            on_answer(|request, answer, memory| {
                let known = task_path(request).unwrap_or_default();
                each_task(answer, |task| {
                    let failed = task["status"] == "PrecheckFailed";
                    if failed && !memory.first(format!("failed {known} {}", task["precheck"]["number"])) {
                        task["status"] = json!("Finished");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-task-with-a-failed-precheck-cannot-be-started-again",
        says: "Starting a task whose precheck failed is refused.",
        check: "failed_precheck_keeps_the_task",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if let Some(path) = task_path(&request).filter(|_| steps(&request, "start"))
                        && beyond.get(&path).await?.body["status"] == "PrecheckFailed"
                    {
                        return Ok(refusal(409, "OperationDenied.TaskStatus"));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-task-that-passed-starts-without-a-confirmation",
        says: "A task starts by itself as soon as its precheck has passed.",
        check: "start_needs_the_confirmation",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let passed = looks(&request) && answer.body["status"] == "PrecheckPassed";
                    if let Some(path) = task_path(&request).filter(|_| passed && answer.body["stage"] == "selected") {
                        step(beyond, &path, "confirm").await?;
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-confirmation-buys-too",
        says: "Confirming a task of the clone flow buys it without having been asked to.",
        check: "start_needs_the_confirmation",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let to_buy = answer.status == 200 && answer.body["purchase_required"] == json!(true);
                    if let Some(path) = task_path(&request).filter(|_| steps(&request, "confirm") && to_buy) {
                        step(beyond, &path, "purchase").await?;
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "a-purchase-confirms-too",
        says: "A task of the clone flow can be bought before it was confirmed.",
        check: "start_needs_the_confirmation",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let first = beyond.send(&request).await?;
                    let Some(path) = task_path(&request).filter(|_| steps(&request, "purchase") && early(&first))
                    else {
                        return Ok(first);
                    };
                    step(beyond, &path, "confirm").await?;
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-confirmation-asks-for-a-purchase-that-nobody-needs",
        says: "A task from a temporary instance cannot be confirmed, because it was not bought.",
        check: "start_needs_the_confirmation",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if let Some(path) = task_path(&request).filter(|_| steps(&request, "confirm"))
                        && beyond.get(&path).await?.body["purchase_required"] == json!(false)
                    {
                        return Ok(refusal(409, "OperationDenied.TaskStep"));
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "unticked-terms-are-enough-to-buy",
        says: "A task is bought though the terms of service were not ticked.",
        check: "purchase_needs_ticked_terms",
        variant: layer(|| {
            on_request(|request, _| {
                if steps(request, "purchase") {
                    request.body = Some(json!({"terms_accepted": true}));
                }
            })
        }),
    },
    Planted {
        name: "ticked-terms-are-not-seen",
        says: "A task cannot be bought though the terms of service were ticked.",
        check: "purchase_needs_ticked_terms",
        variant: layer(|| {
            on_request(|request, _| {
                if steps(request, "purchase") {
                    request.body = Some(json!({"terms_accepted": false}));
                }
            })
        }),
    },
    Planted {
        name: "a-confirmation-is-answered-and-forgotten",
        says: "A confirmation is accepted and nothing comes of it.",
        check: "confirmed_task_runs",
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    if let Some(path) = task_path(&request).filter(|_| steps(&request, "confirm")) {
                        (request.method, request.path, request.body) = (Method::GET, path, None);
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-purchase-is-answered-and-forgotten",
        says: "The purchase of a task is accepted and nothing comes of it.",
        check: "confirmed_task_runs",
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    if let Some(path) = task_path(&request).filter(|_| steps(&request, "purchase")) {
                        (request.method, request.path, request.body) = (Method::GET, path, None);
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-confirmation-is-lost-in-a-crash",
        says: "The disk says it has synced and has not, so that a crash takes a confirmation that was answered.",
        check: "confirmed_task_runs",
        variant: ports(meddling::forgetful_disk),
    },
];

fn early(answer: &Answer) -> bool {
    EARLY.iter().any(|code| answer.body["code"] == *code)
}

/// Takes a confirmation while a task is in a status in which it is refused, and confirms once the precheck has passed.
async fn confirmed_early(
    request: Request,
    beyond: &Beyond<'_>,
    memory: &RefCell<Memory>,
    status: &str,
) -> Result<Answer, ClientError> {
    let first = beyond.send(&request).await?;
    let Some(path) = task_path(&request) else { return Ok(first) };
    let confirmed = format!("confirmed {path}");
    if steps(&request, "confirm") && early(&first) {
        let task = beyond.get(&path).await?;
        if task.body["status"] == status {
            memory.borrow_mut().put(confirmed, true);
            return Ok(task);
        }
        return Ok(first);
    }
    let passed = looks(&request) && first.body["status"] == "PrecheckPassed";
    if passed && memory.borrow_mut().take(&confirmed).is_some() {
        return step(beyond, &path, "confirm").await;
    }
    Ok(first)
}

/// The list of tasks with those that were confirmed as they are shown each by itself.
async fn stale_list(request: &Request, beyond: &Beyond<'_>, memory: &RefCell<Memory>) -> Result<Answer, ClientError> {
    let mut answer = beyond.send(request).await?;
    let mut shown = Vec::new();
    each_task(&mut answer, |task| {
        shown.push(format!("/v1/migration-tasks/{}", task["id"].as_str().unwrap_or_default()))
    });
    for (index, path) in shown.into_iter().enumerate() {
        if memory.borrow().get(&format!("passed {path}")).is_some() {
            let look = Request { method: Method::GET, path, body: None, key: None };
            let seen = Box::pin(stale(look, beyond, memory)).await?;
            if seen.status == 200 {
                answer.body["tasks"][index] = seen.body;
            }
        }
    }
    Ok(answer)
}

/// Lets a confirmed task start whatever its fresh precheck says, and shows the one that passed before.
async fn stale(request: Request, beyond: &Beyond<'_>, memory: &RefCell<Memory>) -> Result<Answer, ClientError> {
    let Some(path) = task_path(&request) else { return stale_list(&request, beyond, memory).await };
    let kept = format!("passed {path}");
    if steps(&request, "confirm") {
        let before = beyond.get(&path).await?;
        let done = beyond.send(&request).await?;
        if done.status == 200 && done.body["status"] == "Prechecking" {
            memory.borrow_mut().put(kept, before.body["precheck"].clone());
            return Ok(before);
        }
        return Ok(done);
    }
    let mut answer = beyond.send(&request).await?;
    let passed = memory.borrow().get(&kept).cloned();
    let Some(passed) = passed else { return Ok(answer) };
    if looks(&request) && answer.body["status"] == "PrecheckFailed" {
        answer = force(beyond, &path, &answer.body).await?;
    }
    each_task(&mut answer, |task| {
        task["precheck"] = passed.clone();
        if task["status"] == "Prechecking" {
            task["status"] = json!("PrecheckPassed");
        }
    });
    Ok(answer)
}
