//! Bugs about name, source and target of a task.

use crate::planted::Planted;
use crate::planted::tools::gate::{answer, body, instead, is, on_answer, on_request, own};
use crate::planted::tools::layer;
use crate::planted::tools::tasks::{SIDES, creates, each_side, each_task, instance_of, refusal};
use crate::runner::gate::{Beyond, Request};
use recovery::client::{Answer, ClientError};
use serde_json::{Value, json};

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-blank-account-is-taken-from-the-other-side",
        says: "A side whose account is left blank gets the account of the other side, and the task is made.",
        check: "task_needs_all_three_groups",
        variant: layer(|| {
            on_request(|request, _| {
                if creates(request) {
                    let other = body(request)["target"]["account"].clone();
                    each_side(request, |_, given| {
                        if given["account"].as_str().is_some_and(str::is_empty) {
                            given["account"] = other.clone();
                        }
                    });
                }
            })
        }),
    },
    Planted {
        name: "a-missing-source-is-taken-to-be-the-target",
        says: "A task without a source is made all the same, with its target on both sides.",
        check: "task_needs_all_three_groups",
        variant: layer(|| {
            on_request(|request, _| {
                if let Some(Value::Object(fields)) = request.body.as_mut().filter(|body| body.get("target").is_some()) {
                    let target = fields["target"].clone();
                    fields.entry("source").or_insert(target);
                }
            })
        }),
    },
    Planted {
        name: "any-kind-of-instance-is-taken-for-rds",
        says: "A side of another instance type is accepted as if it were an RDS instance.",
        check: "instance_type_is_rds",
        variant: layer(|| {
            on_request(|request, _| {
                each_side(request, |_, given| drop(given.as_object_mut().map(|fields| fields.remove("instance_type"))));
            })
        }),
    },
    Planted {
        name: "the-instance-type-has-to-be-said",
        says: "A side whose instance type is left out is refused instead of being taken for an RDS instance.",
        check: "instance_type_is_rds",
        variant: layer(|| {
            instead(|request, _| {
                let left_out = SIDES.iter().any(|side| body(request)[side].get("instance_type").is_none());
                (creates(request) && left_out).then(|| refusal(400, "InvalidParameter"))
            })
        }),
    },
    Planted {
        name: "an-unknown-connection-mode-counts-as-plain",
        says: "A connection mode that is neither plain nor ssl is accepted as plain.",
        check: "connection_mode_has_two_values",
        variant: layer(|| {
            on_request(|request, _| {
                each_side(request, |_, given| {
                    if given.get("connection").is_some_and(|mode| mode != "ssl") {
                        given["connection"] = json!("plain");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-chosen-ssl-connection-is-made-plain",
        says: "A side for which SSL was chosen is kept as non-encrypted.",
        check: "connection_mode_has_two_values",
        variant: layer(|| on_request(|request, _| each_side(request, |_, given| given["connection"] = json!("plain")))),
    },
    Planted {
        name: "a-connection-is-encrypted-unless-said-otherwise",
        says: "A side whose connection mode is left out is reached over SSL.",
        check: "connection_mode_has_two_values",
        variant: layer(|| {
            on_request(|request, _| {
                each_side(request, |_, given| {
                    if given.get("connection").is_none() {
                        given["connection"] = json!("ssl");
                    }
                });
            })
        }),
    },
    Planted {
        name: "a-region-is-not-compared-with-the-instances-own",
        says: "A side with a region that is not its instance's is accepted.",
        check: "side_regions_match",
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    if creates(&request) {
                        for side in SIDES {
                            let instance = instance_of(beyond, &request, side).await?;
                            if let Some(given) = request.body.as_mut().and_then(|body| body.get_mut(side)) {
                                given["region"] = instance["region"].clone();
                            }
                        }
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "a-task-between-two-engines-is-made",
        says: "A task whose two sides are of different engines is accepted.",
        check: "engine_pairs_match",
        variant: layer(|| {
            own(|request, beyond, _| Box::pin(with_another_target(request, beyond, "InvalidEnginePair")))
        }),
    },
    Planted {
        name: "versions-of-one-engine-are-taken-for-two-engines",
        says: "A task between two versions of one engine is refused as an invalid pair.",
        check: "engine_pairs_match",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    if creates(&request) {
                        let source = instance_of(beyond, &request, "source").await?;
                        if source["product"] != instance_of(beyond, &request, "target").await?["product"] {
                            return Ok(refusal(400, "InvalidEnginePair"));
                        }
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "source-and-target-have-to-be-two-instances",
        says: "A task within one instance is refused.",
        check: "same_instance_is_allowed",
        variant: layer(|| {
            instead(|request, _| {
                let [source, target] = SIDES.map(|side| &body(request)[side]["instance_id"]);
                (creates(request) && source == target).then(|| refusal(400, "InvalidParameter"))
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-leads-to-any-master",
        says: "A task from a temporary instance to another master than its own is accepted.",
        check: "target_is_the_mapped_master",
        variant: layer(|| own(|request, beyond, _| Box::pin(with_another_target(request, beyond, "InvalidParameter")))),
    },
    Planted {
        name: "a-temporary-instance-forgets-its-master",
        says: "A temporary instance names itself as the master it belongs to.",
        check: "target_is_the_mapped_master",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                let one = std::slice::from_mut(&mut answer.body);
                forget_masters(one);
                if let Some(instances) = answer.body.get_mut("instances").and_then(Value::as_array_mut) {
                    forget_masters(instances);
                }
            })
        }),
    },
    Planted {
        name: "a-name-is-cut-to-16-characters",
        says: "A task keeps no more than 16 characters of the name it was given.",
        check: "task_name_is_kept_or_made",
        variant: layer(|| {
            on_request(|request, _| {
                if creates(request)
                    && let Some(Value::String(name)) = request.body.as_mut().and_then(|body| body.get_mut("name"))
                    && name.chars().count() <= 32
                {
                    *name = name.chars().take(16).collect();
                }
            })
        }),
    },
    Planted {
        name: "a-name-may-be-used-once-only",
        says: "A task is refused because another one has the same name.",
        check: "task_name_is_kept_or_made",
        variant: layer(|| {
            instead(|request, memory| {
                let name = body(request)["name"].as_str().filter(|_| creates(request))?;
                let again = (body(request)["source"]["instance_id"].clone(), &request.key);
                let known = memory.get(&format!("name {name}")).is_some_and(|by| *by != json!(again));
                memory.put(format!("name {name}"), json!(again));
                known.then(|| refusal(409, "OperationDenied.NameTaken"))
            })
        }),
    },
    Planted {
        name: "a-task-without-a-name-stays-nameless",
        says: "A task that was given no name is shown with none.",
        check: "task_name_is_kept_or_made",
        variant: layer(|| {
            on_answer(|_, answer, _| {
                each_task(answer, |task| {
                    if task["name"].as_str().is_some_and(|name| name.starts_with("migration of ")) {
                        task["name"] = json!("");
                    }
                });
            })
        }),
    },
    Planted {
        name: "the-list-of-sources-is-that-of-all-regions",
        says: "The list of possible sources of one region offers the instances of the others too.",
        check: "source_is_listed_and_there",
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    if is(&request, "GET /v1/migration-sources") {
                        request.path = "/v1/instances".into();
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "the-list-of-sources-is-read-once",
        says: "The list of possible sources stays as it was when it was first asked for.",
        check: "source_is_listed_and_there",
        variant: layer(|| {
            own(|request, beyond, memory| {
                Box::pin(async move {
                    if !is(&request, "GET /v1/migration-sources") {
                        return beyond.send(&request).await;
                    }
                    let kept = memory.borrow().get(&request.path).cloned();
                    if let Some(kept) = kept {
                        return Ok(answer(200, kept));
                    }
                    let first = beyond.send(&request).await?;
                    memory.borrow_mut().put(request.path, first.body.clone());
                    Ok(first)
                })
            })
        }),
    },
    Planted {
        name: "the-list-of-sources-has-masters-only",
        says: "Temporary instances and clones are missing from the list of possible sources.",
        check: "source_is_listed_and_there",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                let instances = answer.body.get_mut("instances").and_then(Value::as_array_mut);
                if let Some(instances) = instances.filter(|_| is(request, "GET /v1/migration-sources")) {
                    instances.retain(|instance| instance["origin"]["kind"] == "primary");
                }
            })
        }),
    },
];

/// Makes a task that is refused with a code on the only target that would do, and shows the target that was asked for.
async fn with_another_target(request: Request, beyond: &Beyond<'_>, code: &str) -> Result<Answer, ClientError> {
    let first = beyond.send(&request).await?;
    if !creates(&request) || first.body["code"] != code {
        return Ok(first);
    }
    let source = instance_of(beyond, &request, "source").await?;
    let known = [&source["origin"]["master"], &source["origin"]["source"], &source["id"]];
    let Some(target) = known.into_iter().find(|id| id.is_string()) else { return Ok(first) };
    let asked = body(&request)["target"]["instance_id"].clone();
    let mut again = request.clone();
    if let Some(body) = &mut again.body {
        body["target"]["instance_id"] = target.clone();
        body["target"]["region"] = source["region"].clone();
    }
    again.key = again.key.map(|key| format!("{key}-again"));
    let mut made = beyond.send(&again).await?;
    each_task(&mut made, |task| task["target"]["instance_id"] = asked.clone());
    Ok(made)
}

/// Makes temporary instances name themselves as their masters.
fn forget_masters(instances: &mut [Value]) {
    for instance in instances {
        if instance["origin"]["kind"] == "temporary" {
            instance["origin"]["master"] = instance["id"].clone();
        }
    }
}
