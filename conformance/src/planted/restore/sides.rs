//! Planted bugs about the two sides of a restore: data sources, engines, versions and backup tasks.

use super::{Fields, or_else, saved, saves, text};
use crate::planted::Planted;
use crate::planted::tools::gate::{body, is, on_answer, on_request, own, refusal};
use crate::planted::tools::layer;
use crate::runner::gate::{Beyond, Request};
use recovery::client::{Answer, ClientError};
use serde_json::Value;

/// Lets a request in that the service refused with a code, as if the target were no matter.
async fn let_in(request: Request, beyond: &Beyond<'_>, refused: &str) -> Result<Answer, ClientError> {
    or_else(request, beyond, refused, async |fields: &mut Fields| {
        let source = fields.get("source").cloned().unwrap_or_default();
        fields.insert("target".into(), source);
    })
    .await
}

/// The products of both sides of a request; none where it does not make or change a restore task.
async fn products(request: &Request, beyond: &Beyond<'_>) -> Option<(Value, Value)> {
    let side = async |name: &str| {
        let id = body(request)[name].as_str()?;
        let source = beyond.get(&format!("/v1/data-sources/{id}")).await.ok().filter(|answer| answer.status == 200)?;
        Some(source.body["product"].clone())
    };
    if saves(request) { Some((side("source").await?, side("target").await?)) } else { None }
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-target-that-nobody-registered-is-let-in",
        says: "A restore is saved though its target was never added or was removed.",
        check: "targets_are_registered",
        variant: layer(|| own(|request, beyond, _| Box::pin(let_in(request, beyond, "InvalidDataSource.NotFound")))),
    },
    Planted {
        name: "another-engine-is-let-in",
        says: "Nobody looks at the engine of the target.",
        check: "target_engine_matches",
        variant: layer(|| own(|request, beyond, _| Box::pin(let_in(request, beyond, "InvalidTarget.Engine")))),
    },
    Planted {
        name: "another-version-is-taken-for-another-engine",
        says: "The engine is compared together with its version.",
        check: "target_engine_matches",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    match products(&request, beyond).await {
                        Some((source, target)) if source != target => {
                            Ok(refusal(400, "InvalidTarget.Engine", "the target is another engine"))
                        }
                        _ => beyond.send(&request).await,
                    }
                })
            })
        }),
    },
    Planted {
        name: "an-earlier-version-is-let-in",
        says: "Nobody looks at the version of the target.",
        check: "target_version_is_not_lower",
        variant: layer(|| own(|request, beyond, _| Box::pin(let_in(request, beyond, "InvalidTarget.Version")))),
    },
    Planted {
        name: "the-same-version-is-refused",
        says: "The version of the target has to be later than that of the backup.",
        check: "target_version_is_not_lower",
        variant: layer(|| {
            own(|request, beyond, _| {
                Box::pin(async move {
                    match products(&request, beyond).await {
                        Some((source, target)) if source == target => {
                            Ok(refusal(400, "InvalidTarget.Version", "the target's version is not later"))
                        }
                        _ => beyond.send(&request).await,
                    }
                })
            })
        }),
    },
    Planted {
        name: "a-backup-task-of-another-source-is-taken",
        says: "Whose backup task it is does not matter.",
        check: "backup_tasks_are_listed_by_source",
        variant: layer(|| {
            own(|mut request, beyond, _| {
                Box::pin(async move {
                    if let Some(fields) = saved(&mut request) {
                        let path = format!("/v1/logical-backup-tasks/{}", text(fields, "backup_task"));
                        let task = beyond.get(&path).await?;
                        if let Some(source) = task.body.get("source") {
                            fields.insert("source".into(), source.clone());
                        }
                    }
                    beyond.send(&request).await
                })
            })
        }),
    },
    Planted {
        name: "backup-tasks-of-every-source-are-listed",
        says: "The choice of a source does not narrow the list of backup tasks.",
        check: "backup_tasks_are_listed_by_source",
        variant: layer(|| {
            on_request(|request, _| {
                if is(request, "GET /v1/logical-backup-tasks") {
                    request.path = "/v1/logical-backup-tasks".into();
                }
            })
        }),
    },
    Planted {
        name: "the-newest-backup-task-of-a-source-is-not-listed",
        says: "The list of a source ends before the newest backup task.",
        check: "backup_tasks_are_listed_by_source",
        variant: layer(|| {
            on_answer(|request, answer, _| {
                if request.path.starts_with("/v1/logical-backup-tasks?source=")
                    && let Some(Value::Array(tasks)) = answer.body.get_mut("tasks")
                {
                    tasks.pop();
                }
            })
        }),
    },
];
