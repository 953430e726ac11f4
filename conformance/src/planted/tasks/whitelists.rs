//! Bugs about the authorisation of the whitelists.

use crate::planted::Planted;
use crate::planted::tools::gate::own;
use crate::planted::tools::layer;
use crate::planted::tools::tasks::{ask, chooses, step, steps, task_path};
use crate::runner::gate::{Beyond, Request};
use http::Method;
use recovery::client::{Answer, ClientError};
use serde_json::{Value, json};

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "authorising-replaces-the-whitelist",
        says: "After the authorisation the whitelists hold the migration service's addresses and nothing else.",
        check: "whitelist_only_grows",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(authorised(request, beyond, &["source", "target"], |entry| entry.starts_with("worker-")))
            })
        }),
    },
    Planted {
        name: "authorising-leaves-the-target-out",
        says: "The migration service's addresses are added to the whitelist of the source alone.",
        check: "whitelist_only_grows",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(authorised(request, beyond, &["target"], |entry| !entry.starts_with("worker-")))
            })
        }),
    },
    Planted {
        name: "one-address-of-the-source-is-forgotten",
        says: "Objects can be chosen though one address of the migration service is missing from the source's whitelist.",
        check: "whitelist_is_authorised_first",
        variant: layer(|| {
            own(|request, beyond, _| Box::pin(authorised(request, beyond, &["source"], |entry| entry != "worker-2")))
        }),
    },
    Planted {
        name: "objects-are-chosen-without-an-authorisation",
        says: "Types and objects are accepted though nobody has authorised the whitelists.",
        check: "whitelist_is_authorised_first",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    let first = beyond.send(&request).await?;
                    let early = first.body["code"] == "OperationDenied.TaskStep";
                    match task_path(&request).filter(|_| chooses(&request) && early) {
                        None => Ok(first),
                        Some(task) => {
                            step(beyond, &task, "authorise").await?;
                            beyond.send(&request).await
                        }
                    }
                })
            })
        }),
    },
];

/// Passes a request on; after an authorisation the whitelists of some sides keep only some entries.
async fn authorised(
    request: Request,
    beyond: &Beyond<'_>,
    sides: &[&str],
    keeps: fn(&str) -> bool,
) -> Result<Answer, ClientError> {
    let answer = beyond.send(&request).await?;
    if steps(&request, "authorise") && answer.status == 200 {
        for side in sides {
            let path = format!("/v1/instances/{}", answer.body[side]["instance_id"].as_str().unwrap_or_default());
            let instance = beyond.get(&path).await?.body;
            let entries = instance["configuration"]["whitelist"].as_array().cloned().unwrap_or_default();
            let kept: Vec<Value> = entries.into_iter().filter(|entry| entry.as_str().is_some_and(keeps)).collect();
            ask(beyond, Method::PUT, format!("{path}/configuration"), Some(json!({"whitelist": kept}))).await?;
        }
    }
    Ok(answer)
}
