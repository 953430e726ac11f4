//! Where temporary instances are, what lists show of them, and what they are not.

use super::super::Planted;
use super::super::tools::gate::{body, is, on_answer, on_request, own, parts};
use super::super::tools::shown::{instances, is_clone, is_temporary, leave_out, text};
use super::super::tools::{Memory, layer};
use super::ORDER;
use crate::runner::variant::Variant;
use recovery::client::Answer;
use recovery::model::Engine;
use recovery::model::policy::ProductPattern;
use serde_json::{Value, json};

const NETWORK: &str = "temporary_network_is_classic";
const REGION: &str = "temporary_is_in_its_masters_region";
const LISTED: &str = "temporary_is_listed";
const REGIONS: &str = "regions_scope_listings";
const NO_CLONE: &str = "temporary_is_not_a_clone";
const SERVES: &str = "recovery_never_stops_the_master";

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-temporary-instance-is-in-the-network-of-its-master",
        says: "A temporary instance of a master in a VPC is in that VPC.",
        check: NETWORK,
        variant: layer(|| {
            on_answer(|_, answer, memory| {
                for view in instances(answer) {
                    memory.put(format!("network of {}", text(view, "/id")), view["network"].clone());
                    let master = format!("network of {}", text(view, "/origin/master"));
                    if let Some(network) = memory.get(&master).filter(|_| is_temporary(view)) {
                        view["network"] = network.clone();
                    }
                }
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-is-in-the-first-region-there-is",
        says: "Every temporary instance is made in one region, whatever its master's.",
        check: REGION,
        variant: layer(|| {
            on_answer(|_, answer, _| {
                for view in instances(answer).into_iter().filter(|view| is_temporary(view)) {
                    view["region"] = "region-0".into();
                }
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-is-not-offered-as-a-source",
        says: "The list of migration sources leaves temporary instances out.",
        check: LISTED,
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/migration-sources") {
                    leave_out(answer, is_temporary);
                }
            })
        }),
    },
    Planted {
        name: "a-master-does-not-show-its-temporary-instance",
        says: "The list of a master's temporary instances stays empty.",
        check: LISTED,
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/instances/*/temporary-instances") {
                    leave_out(answer, is_temporary);
                }
            })
        }),
    },
    Planted {
        name: "temporary-instances-are-not-among-the-instances",
        says: "The list of all instances leaves temporary instances out.",
        check: LISTED,
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/instances") {
                    leave_out(answer, is_temporary);
                }
            })
        }),
    },
    Planted {
        name: "the-region-of-a-list-is-not-looked-at",
        says: "A list of the instances of one region shows those of all.",
        check: REGIONS,
        variant: layer(|| {
            on_request(|request, _| {
                if is(request, "GET /v1/instances") {
                    request.path = "/v1/instances".into();
                }
            })
        }),
    },
    Planted {
        name: "the-list-of-a-region-shows-masters-alone",
        says: "A list of the instances of one region leaves out what was made of masters.",
        check: REGIONS,
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if is(request, "GET /v1/instances") && request.path.contains("region=") {
                    leave_out(answer, |view| is_temporary(view) || is_clone(view));
                }
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-is-made-as-a-clone",
        says: "An order of a temporary instance makes a clone of any kind of master.",
        check: NO_CLONE,
        variant: Variant {
            policy: Some(|policy| {
                let any = |engine| ProductPattern { engine, version: None, edition: None, series: None };
                policy.clone_allowed.extend([Engine::SqlServer, Engine::PostgreSql, Engine::Ppas].map(any));
            }),
            ..layer(|| {
                own(|mut request, beyond, _| {
                    Box::pin(async move {
                        if !is(&request, ORDER) {
                            return beyond.send(&request).await;
                        }
                        request.path = format!("/v1/instances/{}/clones", parts(&request)[2]);
                        let clone =
                            json!({"restore": body(&request), "billing": "pay-as-you-go", "terms_accepted": true});
                        request.body = Some(clone);
                        let Answer { status, body } = beyond.send(&request).await?;
                        let first = body.pointer("/instances/0").cloned();
                        Ok(Answer { status, body: first.unwrap_or(body) })
                    })
                })
            })
        },
    },
    Planted {
        name: "the-master-is-restoring-while-a-temporary-instance-is-made",
        says: "The master is not running while a temporary instance of it is made.",
        check: SERVES,
        variant: layer(|| on_answer(|_, answer, memory| restoring(answer, memory))),
    },
];

/// Shows masters of temporary instances in the making in another state.
fn restoring(answer: &mut Answer, memory: &mut Memory) {
    let views = instances(answer);
    for view in views.iter().filter(|view| is_temporary(view)) {
        let making = text(view, "/state") == "Creating";
        memory.put(format!("restoring {}", text(view, "/origin/master")), making);
    }
    for view in views {
        if memory.get(&format!("restoring {}", text(view, "/id"))).and_then(Value::as_bool) == Some(true) {
            view["state"] = "Restoring".into();
        }
    }
}
