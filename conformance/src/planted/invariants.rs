//! Planted bugs against the invariants.

use super::Planted;
use super::tools::gate::{is, on_answer, own, refusal};
use super::tools::meddling::{forgetful_disk, session};
use super::tools::shown::{instances, text};
use super::tools::{Memory, SessionHooks, layer, ports};
use recovery::client::Answer;
use recovery::model::content::Value as Cell;
use recovery::ports::database::WriteChunk;
use serde_json::Value;

/// For each check of `checks::invariants` at least one.
pub(super) const PLANTED: &[&[Planted]] = &[&[
    Planted {
        name: "a-migration-empties-the-table-before-it-fills-it",
        says: "Rows that stood in a table of the target are deleted before the first row is copied.",
        check: "committed_rows_stay",
        variant: ports(|| {
            session(SessionHooks {
                write: Some(|inner, write, at| {
                    Box::pin(async move {
                        if at.memory(|memory| memory.first(format!("emptied {}", place(&at.endpoint, write)))) {
                            inner.run(&write.database, &format!("delete from {}", write.table)).await?;
                        }
                        inner.write(write).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-worker-notes-on-the-source-how-far-it-is",
        says: "A worker keeps its notes in a table of the source.",
        check: "sources_stay",
        variant: ports(|| {
            session(SessionHooks {
                read: Some(|inner, read, at| {
                    Box::pin(async move {
                        let chunk = inner.read(read).await?;
                        if at.memory(|memory| memory.first(format!("noted {}", at.endpoint))) {
                            let notes = "create table worker_notes (id int primary key)";
                            // A source that may only be read gets none.
                            let _ = inner.run(&read.database, notes).await;
                        }
                        Ok(chunk)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "texts-arrive-without-their-last-letter",
        says: "A text loses its last letter on the way.",
        check: "targets_are_explained",
        variant: ports(|| {
            session(SessionHooks {
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        let mut cut = write.clone();
                        for cell in cut.rows.iter_mut().flatten() {
                            if let Cell::Text(text) = cell {
                                text.pop();
                            }
                        }
                        inner.write(&cut).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-worker-notes-on-the-target-how-far-it-is",
        says: "A worker leaves a table of its own on the target.",
        check: "nothing_else_is_touched",
        variant: ports(|| {
            session(SessionHooks {
                write: Some(|inner, write, at| {
                    Box::pin(async move {
                        let written = inner.write(write).await?;
                        if at.memory(|memory| memory.first(format!("noted {}", at.endpoint))) {
                            let notes = "create table worker_notes (id int primary key)";
                            inner.run(&write.database, notes).await?;
                        }
                        Ok(written)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "the-last-row-of-a-portion-is-counted-and-not-written",
        says: "A portion of rows is written without its last and reported whole.",
        check: "reports_agree_with_photographs",
        variant: ports(|| {
            session(SessionHooks {
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        let mut short = write.clone();
                        let last = short.rows.pop();
                        Ok(inner.write(&short).await? + u64::from(last.is_some()))
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "an-instance-is-charged-from-its-order-on",
        says: "The bill of an instance begins when it was asked for and not when it was made.",
        check: "billing_adds_up",
        variant: layer(|| on_answer(|_, answer, memory| charged_from_the_order(answer, memory))),
    },
    Planted {
        name: "a-released-instance-is-charged-on",
        says: "The bill of an instance does not end with its release.",
        check: "billing_adds_up",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for charge in charges(answer) {
                    charge["until"] = Value::Null;
                }
            })
        }),
    },
    Planted {
        name: "a-second-temporary-instance-bears-the-id-of-the-first",
        says: "Whoever makes a temporary instance after another is given the other's id.",
        check: "ids_are_unique",
        variant: layer(|| {
            own(|mut request, beyond, memory| {
                Box::pin(async move {
                    let alias = |memory: &Memory| memory.text("first").zip(memory.text("second"));
                    if let Some((first, second)) = alias(&memory.borrow()) {
                        request.path = request.path.replace(&first, &second);
                        request.body = request.body.map(|body| exchanged(&body, &first, &second));
                    }
                    let mut answer = beyond.send(&request).await?;
                    if is(&request, "POST /v1/instances/*/temporary-instances") && answer.status < 400 {
                        let id = text(&answer.body, "/id").to_owned();
                        let name = if memory.borrow().text("first").is_none_or(|first| first == id) {
                            "first"
                        } else {
                            "second"
                        };
                        memory.borrow_mut().put(name, id);
                    }
                    if let Some((first, second)) = alias(&memory.borrow()) {
                        answer.body = exchanged(&answer.body, &second, &first);
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "an-order-is-refused-and-carried-out",
        says: "The first order of a temporary instance or a clone is refused though it is carried out.",
        check: "refusals_change_nothing",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let order = is(&request, "POST /v1/instances/*/temporary-instances")
                        || is(&request, "POST /v1/instances/*/clones");
                    if order && answer.status < 400 && memory.borrow_mut().first("order") {
                        return Ok(refusal(403, "OperationDenied.DBInstanceStatus", "the instance is busy"));
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "settings-are-changed-and-refused-by-half",
        says: "A change of settings that is refused has reached the server before.",
        check: "refusals_change_nothing",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    let change = is(&request, "PUT /v1/instances/*/configuration");
                    if change && answer.status < 400 && memory.borrow_mut().first("change") {
                        return Ok(refusal(400, "InvalidParameter", "one of the settings is unknown"));
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "the-disk-of-the-service-lies-about-sync",
        says: "Four of five times the disk of the service says it has synced and has not.",
        check: "answers_survive_a_crash",
        variant: ports(forgetful_disk),
    },
    Planted {
        name: "a-task-shows-the-passwords-it-was-given",
        says: "The answer to the making of a task shows the passwords of both sides.",
        check: "no_password_is_shown",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                for side in ["source", "target"] {
                    let given = request.body.as_ref().and_then(|body| body.pointer(&format!("/{side}/password")));
                    if let (Some(given), true) = (given, answer.body.get(side).is_some_and(Value::is_object)) {
                        answer.body[side]["password"] = given.clone();
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-refusal-repeats-the-password",
        says: "A refused request is answered with its own words, the password among them.",
        check: "no_password_is_shown",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                let body = request.body.as_ref();
                let given = ["/password", "/source/password", "/account/password"];
                let given = body.and_then(|body| given.iter().find_map(|place| body.pointer(place)?.as_str()));
                if let (Some(given), true) = (given, answer.status >= 400) {
                    answer.body["detail"] = format!("not accepted: password {given}").into();
                }
            })
        }),
    },
]];

fn place(endpoint: &str, write: &WriteChunk) -> String {
    format!("{endpoint} {} {}", write.database, write.table)
}

/// The charges an answer tells.
fn charges(answer: &mut Answer) -> Vec<&mut Value> {
    let list = answer.body.get_mut("charges").and_then(Value::as_array_mut);
    list.map(|list| list.iter_mut().collect()).unwrap_or_default()
}

fn charged_from_the_order(answer: &mut Answer, memory: &mut Memory) {
    for view in instances(answer) {
        memory.put(format!("asked {}", text(view, "/id")), view["requested_at"].clone());
    }
    for charge in charges(answer) {
        if let Some(asked) = memory.get(&format!("asked {}", text(charge, "/subject"))) {
            charge["from"] = asked.clone();
        }
    }
}

/// A document with one text in the place of another.
fn exchanged(document: &Value, old: &str, new: &str) -> Value {
    serde_json::from_str(&document.to_string().replace(old, new)).unwrap_or(Value::Null)
}
