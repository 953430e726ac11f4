//! Bugs about the items of a precheck and what they come to.

use crate::planted::Planted;
use crate::planted::tools::gate::{on_answer, on_request};
use crate::planted::tools::tasks::{chooses, each_object, each_task};
use crate::planted::tools::{SessionHooks, layer, meddling, policy, ports};
use recovery::model::content::ObjectKind;
use recovery::model::precheck::PrecheckItem;
use recovery::ports::database::{DatabaseError, WriteChunk};
use serde_json::{Value, json};

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "the-last-item-decides-a-precheck",
        says: "A precheck counts as passed when its last item did, whatever failed before.",
        check: "precheck_is_a_conjunction",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    let last = task["precheck"]["items"].as_array().and_then(|items| items.last());
                    let passed = last.is_some_and(|item| item["result"] == "success");
                    if passed && task["status"] == "PrecheckFailed" {
                        task["status"] = json!("PrecheckPassed");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-precheck-fails-and-shows-no-failed-item",
        says: "A precheck that failed shows each of its items as passed.",
        check: "precheck_is_a_conjunction",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    for item in items(task) {
                        *item = json!({"item": item["item"], "result": "success"});
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-failed-precheck-starts-all-the-same",
        says: "What an item finds is shown, and the task starts as if nothing had been found.",
        check: "start_needs_a_passed_precheck",
        variant: policy(|policy| policy.precheck_blocks = false),
    },
    Planted {
        name: "any-item-can-be-shielded",
        says: "A shield of an item that may not be shielded is taken, and what the item finds does not count.",
        check: "precheck_is_a_conjunction",
        variant: policy(|policy| {
            policy.shieldable_items = PrecheckItem::ALL.iter().map(|item| item.code().to_owned()).collect();
        }),
    },
    Planted {
        name: "a-shield-covers-every-item",
        says: "Where one item is shielded, whatever else failed counts as shielded too.",
        check: "precheck_is_a_conjunction",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    let failed = items(task).any(|item| item["result"] == "failed");
                    if !failed || !items(task).any(|item| item["result"] == "shielded") {
                        return;
                    }
                    for item in items(task).filter(|item| item["result"] == "failed") {
                        (item["result"], item["allowed_by"]) = (json!("shielded"), json!("a shield of another item"));
                    }
                    task["status"] = json!("PrecheckPassed");
                });
            })
        }),
    },
    Planted {
        name: "a-failed-item-offers-no-remedy",
        says: "A failed item of a precheck says what was found and not what would do.",
        check: "failed_items_say_why",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    for finding in items(task).flat_map(findings) {
                        finding["remedy"] = json!("");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-failed-item-keeps-its-cause-to-itself",
        says: "A failed item of a precheck says no more of its cause than a blank.",
        check: "failed_items_say_why",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    for finding in items(task).flat_map(findings) {
                        finding["cause"] = json!(" ");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-passed-item-carries-an-error",
        says: "An item that passed names a cause of failure all the same.",
        check: "failed_items_say_why",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    for item in items(task).filter(|item| item["result"] == "success") {
                        item["findings"] = json!([{"cause": "the account is denied access", "remedy": "none"}]);
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-precheck-looks-at-what-an-earlier-one-read",
        says: "What a precheck read of the objects of a server is used again by the next one.",
        check: "same_name_fails_the_precheck",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, at| {
                    Box::pin(async move {
                        let name = format!("described {} {database}", at.endpoint);
                        let kept = at.memory(|memory| memory.get(&name).cloned());
                        if let Some(kept) = kept.and_then(|kept| serde_json::from_value(kept).ok()) {
                            return Ok(kept);
                        }
                        let objects = inner.describe(database).await?;
                        at.memory(|memory| memory.put(name, json!(objects)));
                        Ok(objects)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "the-same-name-mode-is-passed-over",
        says: "A task that is told to ignore objects of the same name stops at them.",
        check: "same_name_fails_the_precheck",
        variant: layer(|| {
            on_request(|request, _| {
                let choice = chooses(request).then_some(request.body.as_mut()).flatten();
                if let Some(Value::Object(fields)) = choice {
                    fields.remove("same_name");
                }
            })
        }),
    },
    Planted {
        name: "foreign-keys-are-not-looked-at",
        says: "A table passes without the tables its foreign keys point to.",
        check: "foreign_key_parents_are_selected",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, _| {
                    Box::pin(async move {
                        let mut objects = inner.describe(database).await?;
                        objects.retain(|object| object.kind != ObjectKind::ForeignKey);
                        Ok(objects)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-parent-is-looked-for-in-capitals",
        says: "A parent table that was chosen is not recognised, because its name is compared in capital letters.",
        check: "foreign_key_parents_are_selected",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, _| {
                    Box::pin(async move {
                        let mut objects = inner.describe(database).await?;
                        for key in objects.iter_mut().filter(|object| object.kind == ObjectKind::ForeignKey) {
                            key.needs.iter_mut().for_each(|parent| *parent = parent.to_uppercase());
                        }
                        Ok(objects)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-missing-database-is-never-made",
        says: "A database that the target lacks has to be made by hand, though it could be made.",
        check: "missing_database_is_made",
        variant: ports(|| {
            meddling::session(SessionHooks {
                create_database: Some(|_, name, _, at| {
                    Box::pin(async move {
                        let (account, what) = (at.account.clone(), format!("make database {name}"));
                        Err(DatabaseError::NotPermitted { account, what })
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "an-illegal-database-name-is-mended-in-silence",
        says: "A database whose new name is not legal is made under one that is.",
        check: "missing_database_is_made",
        variant: layer(|| {
            on_request(|request, _| {
                each_object(request, |object| {
                    if let Some(Value::String(name)) = object.get_mut("database_as") {
                        *name = name.to_lowercase().replace(' ', "_");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-missing-database-is-made-under-another-name",
        says: "A database that the target lacks is made with a number behind its name, and filled there.",
        check: "missing_database_is_made",
        variant: ports(|| {
            meddling::session(SessionHooks {
                create_database: Some(|inner, name, charset, at| {
                    Box::pin(async move {
                        at.memory(|memory| memory.put(format!("made {} {name}", at.endpoint), true));
                        match inner.create_database(&place(name, at), charset).await {
                            Err(DatabaseError::ObjectExists(_)) => Ok(()),
                            outcome => outcome,
                        }
                    })
                }),
                describe: Some(|inner, database, at| {
                    Box::pin(async move { inner.describe(&place(database, at)).await })
                }),
                create: Some(|inner, database, object, at| {
                    Box::pin(async move { inner.create(&place(database, at), object).await })
                }),
                write: Some(|inner, write, at| {
                    Box::pin(async move {
                        inner.write(&WriteChunk { database: place(&write.database, at), ..write.clone() }).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
];

/// The items of the precheck of a task that is shown.
fn items(task: &mut Value) -> impl Iterator<Item = &mut Value> {
    task.pointer_mut("/precheck/items").and_then(Value::as_array_mut).into_iter().flatten()
}

/// What a failed item found.
fn findings(item: &mut Value) -> impl Iterator<Item = &mut Value> {
    let failed = item["result"] == "failed";
    item.get_mut("findings").filter(|_| failed).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Where a database that was made on a server really lies.
fn place(database: &str, at: &crate::planted::tools::At) -> String {
    let made = at.memory(|memory| memory.get(&format!("made {} {database}", at.endpoint)).is_some());
    if made { format!("{database}_1") } else { database.to_owned() }
}
