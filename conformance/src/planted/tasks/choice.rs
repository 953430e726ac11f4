//! Bugs about the choice of types, objects and names.

use crate::planted::Planted;
use crate::planted::tools::gate::{body, on_request};
use crate::planted::tools::session::Inner;
use crate::planted::tools::tasks::{NOTED, chooses, each_object, is_restored};
use crate::planted::tools::{At, Meddling, SessionHooks, layer, meddling, ports};
use recovery::model::content::{Object, ObjectKind};
use recovery::ports::database::{DatabaseError, ServerFacts};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-choice-without-types-means-structure-and-full",
        says: "A task for which no migration type was chosen is accepted and moves structure and rows.",
        check: "types_are_chosen",
        variant: layer(|| {
            on_request(|request, _| {
                if let Some(types) = types(request).filter(|types| types.as_array().is_some_and(Vec::is_empty)) {
                    *types = json!(["structure", "full"]);
                }
            })
        }),
    },
    Planted {
        name: "a-type-that-is-not-known-means-full",
        says: "A migration type that there is not is accepted and means the rows.",
        check: "types_are_chosen",
        variant: layer(|| {
            on_request(|request, _| {
                let known = ["structure", "full", "incremental"];
                for kind in types(request).and_then(Value::as_array_mut).into_iter().flatten() {
                    if !kind.as_str().is_some_and(|kind| known.contains(&kind)) {
                        *kind = json!("full");
                    }
                }
            })
        }),
    },
    Planted {
        name: "structure-always-comes-along",
        says: "Structure is migrated though only the rows were ticked.",
        check: "types_are_chosen",
        variant: layer(|| {
            on_request(|request, _| {
                if let Some(types) = types(request).and_then(Value::as_array_mut).filter(|types| !types.is_empty()) {
                    types.push(json!("structure"));
                }
            })
        }),
    },
    Planted {
        name: "an-empty-choice-means-everything",
        says: "A choice without any object is accepted and means the whole database.",
        check: "objects_are_chosen_and_only_they_move",
        variant: layer(|| {
            on_request(|request, _| {
                let empty = body(request)["objects"].as_array().is_some_and(Vec::is_empty);
                if let Some(body) = request.body.as_mut().filter(|_| empty) {
                    body["objects"] = json!([{"database": "app"}]);
                }
            })
        }),
    },
    Planted {
        name: "the-target-is-made-a-mirror-of-the-choice",
        says: "Making a table empties every other table of the target's database.",
        check: "objects_are_chosen_and_only_they_move",
        variant: ports(|| meddling::session(SessionHooks { create: Some(MIRRORS), ..SessionHooks::default() })),
    },
    Planted {
        name: "each-precheck-leaves-its-probe-behind",
        says: "To see whether it may write, a precheck makes a table in the target and leaves it there.",
        check: "objects_are_chosen_and_only_they_move",
        variant: ports(|| probing(SessionHooks { facts: Some(PROBES), ..SessionHooks::default() })),
    },
    Planted {
        name: "a-failed-precheck-leaves-an-object-behind",
        says: "The table with which a precheck tries to write goes away only when the migration begins.",
        check: "objects_are_chosen_and_only_they_move",
        variant: ports(|| {
            probing(SessionHooks {
                facts: Some(PROBES),
                claim: Some(|inner, task, epoch, at| {
                    Box::pin(async move {
                        inner.claim(task, epoch).await?;
                        for number in 1..=at.memory(|memory| memory.count(format!("probes {}", at.endpoint))) {
                            // Some are gone already.
                            let _ = inner.run("app", &format!("drop table dts_probe_{number}")).await;
                        }
                        Ok(())
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "new-names-of-columns-are-passed-over",
        says: "A column that was given another name keeps its own in the target.",
        check: "renames_act_on_the_target_alone",
        variant: layer(|| on_request(|request, _| each_object(request, |object| forget(object, "columns_as")))),
    },
    Planted {
        name: "a-new-name-is-cut-to-8-characters",
        says: "A table gets no more than 8 characters of its new name in the target.",
        check: "renames_act_on_the_target_alone",
        variant: layer(|| {
            on_request(|request, _| {
                each_object(request, |object| {
                    if let Some(Value::String(name)) = object.get_mut("table_as") {
                        *name = name.chars().take(8).collect();
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-rename-touches-the-source",
        says: "A table that goes to the target under another name gets that name in the source as well, once it is copied.",
        check: "renames_act_on_the_target_alone",
        variant: ports(|| crate::planted::migration::renaming_at_the_end()),
    },
];

/// The types that a request chooses.
fn types(request: &mut crate::runner::gate::Request) -> Option<&mut Value> {
    if !chooses(request) {
        return None;
    }
    request.body.as_mut()?.get_mut("types")
}

/// Takes a field out of an object.
fn forget(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}

fn probing(session: SessionHooks) -> Arc<dyn sim::Meddler> {
    Arc::new(Meddling { session, cloud: NOTED, ..Meddling::default() })
}

type Create = for<'a> fn(&'a mut Inner, &'a str, &'a Object, &'a At) -> crate::planted::tools::session::Given<'a, ()>;
type Facts = for<'a> fn(&'a mut Inner, &'a At) -> crate::planted::tools::session::Given<'a, ServerFacts>;

/// Empties every other table before one is made.
pub(in crate::planted) const MIRRORS: Create = |inner, database, object, _| {
    Box::pin(async move {
        if object.kind == ObjectKind::Table {
            let there = inner.describe(database).await?;
            for other in there.iter().filter(|other| other.kind == ObjectKind::Table && other.name != object.name) {
                inner.run(database, &format!("delete from {}", other.name)).await?;
            }
        }
        inner.create(database, object).await
    })
};

/// Makes a table in the target whenever it asks what the server says of itself.
const PROBES: Facts = |inner, at| {
    Box::pin(async move {
        if !is_restored(at) {
            let number = at.memory(|memory| memory.count(format!("probes {}", at.endpoint)));
            // An account that may not is found out by what the server says next.
            let _: Result<_, DatabaseError> =
                inner.run("app", &format!("create table dts_probe_{number} (id int primary key)")).await;
        }
        inner.facts().await
    })
};
