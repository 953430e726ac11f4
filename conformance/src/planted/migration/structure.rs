//! Bugs about the definitions that come along: which, when, and with whose rights.

use crate::planted::Planted;
use crate::planted::tools::gate::{on_request, own};
use crate::planted::tools::session::Inner;
use crate::planted::tools::tasks::{NOTED, chooses, each_object, each_task, is_restored, looks, task_path};
use crate::planted::tools::{At, Meddling, Memory, SessionHooks, layer, meddling, ports};
use crate::runner::gate::{Beyond, Request};
use http::Method;
use recovery::client::{Answer, ClientError};
use recovery::model::content::{Object, ObjectKind, Security};
use recovery::ports::database::DatabaseError;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;

/// Ports under which objects of a kind are made before the first row is written.
macro_rules! made_early {
    ($kind:expr) => {
        ports(|| {
            Arc::new(Meddling {
                cloud: NOTED,
                session: SessionHooks {
                    describe: Some(|inner, database, at| {
                        Box::pin(async move {
                            let objects = inner.describe(database).await?;
                            let kept: Vec<&Object> = objects.iter().filter(|object| object.kind == $kind).collect();
                            if is_restored(at) {
                                at.memory(|memory| memory.put("early", json!(kept)));
                            }
                            Ok(objects)
                        })
                    }),
                    write: Some(|inner, write, at| {
                        Box::pin(async move {
                            for object in objects(at.memory(|memory| memory.take("early"))) {
                                inner.create(&write.database, &object).await?;
                            }
                            inner.write(write).await
                        })
                    }),
                    create: Some(|inner, database, object, _| {
                        Box::pin(async move {
                            match inner.create(database, object).await {
                                Err(DatabaseError::ObjectExists(_)) if object.kind == $kind => Ok(()),
                                outcome => outcome,
                            }
                        })
                    }),
                    ..SessionHooks::default()
                },
                ..Meddling::default()
            })
        })
    };
}

/// Ports under which objects of a kind keep their definer's rights.
macro_rules! definer_kept {
    ($kind:expr) => {
        ports(|| {
            meddling::session(SessionHooks {
                create: Some(|inner, database, object, _| {
                    Box::pin(async move {
                        let mut object = object.clone();
                        if object.kind == $kind {
                            object.security = Some(Security::Definer);
                            object.definition = object.definition.replace("SECURITY INVOKER", "SECURITY DEFINER");
                        }
                        inner.create(database, &object).await
                    })
                }),
                ..SessionHooks::default()
            })
        })
    };
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "triggers-are-made-before-the-rows",
        says: "SQL Server's triggers are made before the rows are copied.",
        check: "structure_comes_in_order",
        variant: made_early!(ObjectKind::Trigger),
    },
    Planted {
        name: "foreign-keys-are-made-before-the-rows",
        says: "SQL Server's foreign keys are made before the rows are copied.",
        check: "structure_comes_in_order",
        variant: made_early!(ObjectKind::ForeignKey),
    },
    Planted {
        name: "triggers-of-mysql-are-made-after-the-rows",
        says: "MySQL's triggers are made only when the rows are copied.",
        check: "structure_comes_in_order",
        variant: ports(|| {
            Arc::new(Meddling {
                cloud: NOTED,
                session: SessionHooks {
                    create: Some(|inner, database, object, at| {
                        Box::pin(async move {
                            if object.kind != ObjectKind::Trigger {
                                return inner.create(database, object).await;
                            }
                            at.memory(|memory| memory.put("late", json!([object])));
                            Ok(())
                        })
                    }),
                    write: Some(|inner, write, at| {
                        Box::pin(async move {
                            at.memory(|memory| memory.put("written", true));
                            inner.write(write).await
                        })
                    }),
                    describe: Some(|inner, database, at| {
                        Box::pin(async move {
                            let written = at.memory(|memory| memory.get("written").is_some());
                            if written && !is_restored(at) {
                                for object in objects(at.memory(|memory| memory.take("late"))) {
                                    inner.create(database, &object).await?;
                                }
                            }
                            inner.describe(database).await
                        })
                    }),
                    ..SessionHooks::default()
                },
                ..Meddling::default()
            })
        }),
    },
    Planted {
        name: "structure-alone-brings-the-rows-too",
        says: "Rows are moved though only the structure was ticked.",
        check: "structure_comes_in_order",
        variant: layer(|| own(|request, beyond, memory| Box::pin(other_types(request, beyond, memory, ADD_FULL)))),
    },
    Planted {
        name: "ticked-rows-are-left-out",
        says: "The rows are not moved though they were ticked beside the structure.",
        check: "structure_comes_in_order",
        variant: layer(|| own(|request, beyond, memory| Box::pin(other_types(request, beyond, memory, DROP_FULL)))),
    },
    Planted {
        name: "views-are-left-behind",
        says: "A whole database arrives without its views.",
        check: "granularity_of_selection",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, _| {
                    Box::pin(async move {
                        let mut objects = inner.describe(database).await?;
                        objects.retain(|object| object.kind != ObjectKind::View);
                        Ok(objects)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "views-come-with-a-chosen-table",
        says: "A table that was chosen by itself brings the views that need it.",
        check: "granularity_of_selection",
        variant: ports(|| {
            Arc::new(Meddling {
                cloud: NOTED,
                session: SessionHooks {
                    describe: Some(|inner, database, at| {
                        Box::pin(async move {
                            let objects = inner.describe(database).await?;
                            let views: Vec<_> =
                                objects.iter().filter(|object| object.kind == ObjectKind::View).collect();
                            if is_restored(at) {
                                at.memory(|memory| memory.put("views", json!(views)));
                            }
                            Ok(objects)
                        })
                    }),
                    create: Some(|inner, database, object, at| Box::pin(with_views(inner, database, object, at))),
                    ..SessionHooks::default()
                },
                ..Meddling::default()
            })
        }),
    },
    Planted {
        name: "columns-that-were-not-chosen-come-along",
        says: "A table arrives with all its columns though only some were chosen.",
        check: "granularity_of_selection",
        variant: layer(|| {
            on_request(|request, _| {
                each_object(request, |object| drop(object.as_object_mut().map(|fields| fields.remove("columns"))));
            })
        }),
    },
    Planted {
        name: "empty-tables-are-left-behind",
        says: "A table without rows is not migrated, and a view that needs it points at nothing.",
        check: "dependents_never_dangle",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, _| {
                    Box::pin(async move {
                        let mut objects = inner.describe(database).await?;
                        objects.retain(|object| object.kind != ObjectKind::Table || object.rows > 0);
                        Ok(objects)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "accounts-come-with-the-data",
        says: "Accounts that the target lacks are made there when a migration has ended.",
        check: "users_are_not_migrated",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let answer = beyond.send(&request).await?;
                    if looks(&request) && answer.body["status"] == "Finished" {
                        let [source, target] = ["source", "target"].map(|side| {
                            format!(
                                "/v1/instances/{}/accounts",
                                answer.body[side]["instance_id"].as_str().unwrap_or("")
                            )
                        });
                        let there = beyond.get(&source).await?.body;
                        for account in there["accounts"].as_array().into_iter().flatten() {
                            let new = json!({"name": account["name"], "password": "made-anew-1", "grants": account["grants"]});
                            let key = account["name"].as_str().map(|name| format!("account-{name}"));
                            let request = Request { method: Method::POST, path: target.clone(), body: Some(new), key };
                            beyond.send(&request).await?;
                        }
                    }
                    Ok(answer)
                })
            })
        }),
    },
    Planted {
        name: "the-definer-of-views-is-kept",
        says: "A migrated view of MySQL runs with its definer's rights.",
        check: "users_are_not_migrated",
        variant: definer_kept!(ObjectKind::View),
    },
    Planted {
        name: "the-definer-of-procedures-alone-is-kept",
        says: "A migrated procedure of MySQL runs with its definer's rights, while views run with their caller's.",
        check: "users_are_not_migrated",
        variant: definer_kept!(ObjectKind::Procedure),
    },
];

/// Objects out of the memory of a run.
fn objects(kept: Option<Value>) -> Vec<Object> {
    kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default()
}

/// Makes a table together with the views that need it.
async fn with_views(inner: &mut Inner, database: &str, object: &Object, at: &At) -> Result<(), DatabaseError> {
    inner.create(database, object).await?;
    let views = objects(at.memory(|memory| memory.get("views").cloned()));
    for view in views.iter().filter(|view| object.kind == ObjectKind::Table && view.needs.contains(&object.name)) {
        inner.create(database, view).await?;
    }
    Ok(())
}

type Types = fn(&mut Vec<Value>);
const ADD_FULL: Types = |types| {
    if *types == [json!("structure")] {
        types.push(json!("full"));
    }
};
const DROP_FULL: Types = |types| {
    if types.contains(&json!("structure")) {
        types.retain(|kind| kind != "full");
    }
};

/// Chooses other types than asked for, and shows those that were asked for.
async fn other_types(
    mut request: Request,
    beyond: &Beyond<'_>,
    memory: &RefCell<Memory>,
    change: Types,
) -> Result<Answer, ClientError> {
    let path = task_path(&request).unwrap_or_default();
    if chooses(&request)
        && let Some(types) = request.body.as_mut().and_then(|body| body["types"].as_array_mut())
    {
        memory.borrow_mut().put(path.clone(), types.clone());
        change(types);
    }
    let mut answer = beyond.send(&request).await?;
    let asked = memory.borrow().get(&path).cloned();
    if let Some(asked) = asked {
        each_task(&mut answer, |task| task["types"] = asked.clone());
    }
    Ok(answer)
}
