//! Bugs about logins and rights of the two sides.

use crate::planted::Planted;
use crate::planted::tools::gate::{is, on_request};
use crate::planted::tools::memory::Memory;
use crate::planted::tools::tasks::{NOTED, creates, is_restored};
use crate::planted::tools::{Meddling, SessionHooks, layer, ports};
use crate::runner::gate::Request;
use recovery::model::Secret;
use recovery::model::instance::Rights;
use recovery::ports::database::{DatabaseError, Login};
use serde_json::{Value, json};
use std::sync::Arc;

/// Ports under which servers say otherwise what the account may do.
macro_rules! granting {
    (|$grants:ident, $at:ident| $change:expr) => {
        ports(|| {
            Arc::new(Meddling {
                cloud: NOTED,
                session: SessionHooks {
                    facts: Some(|inner, $at| {
                        Box::pin(async move {
                            let mut facts = inner.facts().await?;
                            let $grants = &mut facts.grants;
                            $change;
                            Ok(facts)
                        })
                    }),
                    ..SessionHooks::default()
                },
                ..Meddling::default()
            })
        })
    };
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-wrong-password-of-the-source-is-put-right",
        says: "The service uses the password it knows of the source's account, whatever password was given.",
        check: "account_exists_on_its_side",
        variant: layer(|| {
            on_request(|request, memory| {
                learn(request, memory);
                let known = memory.get("first").cloned().unwrap_or_default();
                if let Some(source) = source(request).filter(|source| source["account"] == known["name"]) {
                    source["password"] = known["password"].clone();
                }
            })
        }),
    },
    Planted {
        name: "an-unknown-account-is-replaced-by-the-first-one",
        says: "An account that the source does not have is replaced by the one the instance was made with.",
        check: "account_exists_on_its_side",
        variant: layer(|| {
            on_request(|request, memory| {
                learn(request, memory);
                let known = memory.get("first").cloned().unwrap_or_default();
                if let Some(source) = source(request).filter(|source| source["account"] == "ghost") {
                    source["account"] = known["name"].clone();
                    source["password"] = known["password"].clone();
                }
            })
        }),
    },
    Planted {
        name: "a-password-of-the-source-is-cut-to-8-characters",
        says: "No more than 8 characters of a password are sent to the source.",
        check: "account_exists_on_its_side",
        variant: ports(|| {
            Arc::new(Meddling {
                cloud: NOTED,
                connect: Some(|inner, endpoint, login, at| {
                    Box::pin(async move {
                        let mut login = login.clone();
                        if is_restored(at) {
                            login.password = Secret::new(login.password.expose().chars().take(8).collect::<String>());
                        }
                        inner.connect(endpoint, &login).await
                    })
                }),
                ..Meddling::default()
            })
        }),
    },
    Planted {
        name: "a-password-that-was-changed-still-counts",
        says: "The password that the target's account had before is accepted in a task.",
        check: "current_password_counts",
        variant: layer(|| {
            on_request(|request, memory| {
                learn(request, memory);
                let (first, now) = (memory.get("first").cloned(), memory.get("now").cloned());
                let target = request.body.as_mut().filter(|body| body.get("target").is_some());
                if let (Some(first), Some(now), Some(body)) = (first, now, target)
                    && body["target"]["password"] == first["password"]
                {
                    body["target"]["password"] = now;
                }
            })
        }),
    },
    Planted {
        name: "both-sides-log-in-with-the-sources-password",
        says: "The target is reached with the password that was given for the source.",
        check: "current_password_counts",
        variant: layer(|| {
            on_request(|request, _| {
                if creates(request)
                    && let Some(body) = request.body.as_mut().filter(|body| body.get("target").is_some())
                {
                    body["target"]["password"] = body["source"]["password"].clone();
                }
            })
        }),
    },
    Planted {
        name: "ssl-falls-back-to-a-plain-connection",
        says: "A side for which SSL was chosen is reached without it.",
        check: "ssl_needs_ssl_on_that_side",
        variant: ports(|| {
            Arc::new(Meddling {
                connect: Some(|inner, endpoint, login, _| {
                    Box::pin(async move { inner.connect(endpoint, &Login { ssl: false, ..login.clone() }).await })
                }),
                ..Meddling::default()
            })
        }),
    },
    Planted {
        name: "ssl-is-not-spoken-with-a-restored-instance",
        says: "The source is never reached over SSL, though it offers it.",
        check: "ssl_needs_ssl_on_that_side",
        variant: ports(|| {
            Arc::new(Meddling {
                cloud: NOTED,
                connect: Some(|inner, endpoint, login, at| {
                    Box::pin(async move {
                        if login.ssl && is_restored(at) {
                            return Err(DatabaseError::SslDisabled);
                        }
                        inner.connect(endpoint, login).await
                    })
                }),
                ..Meddling::default()
            })
        }),
    },
    Planted {
        name: "rights-on-the-source-are-asked-for-as-a-whole",
        says: "A table that the source account may not read is not noticed, because it may read the rest.",
        check: "source_account_reads_everything",
        variant: granting!(|grants, at| if is_restored(at) {
            grants.exceptions.clear();
        }),
    },
    Planted {
        name: "writing-is-asked-for-on-the-source",
        says: "A source account that may only read does not pass though structure and rows need no more.",
        check: "source_account_reads_everything",
        variant: granting!(|grants, at| {
            if is_restored(at) && grants.default == Rights::ReadOnly {
                grants.default = Rights::None;
            }
        }),
    },
    Planted {
        name: "following-a-log-takes-no-more-than-writing",
        says: "An incremental task passes with a source account that may read and write and not replicate.",
        check: "source_account_reads_everything",
        variant: granting!(|grants, at| {
            if is_restored(at) && grants.default == Rights::ReadWrite {
                grants.default = Rights::Owner;
            }
        }),
    },
    Planted {
        name: "reading-is-enough-on-the-target",
        says: "A target account that may only read passes.",
        check: "target_account_writes_everything",
        variant: granting!(|grants, at| {
            if !is_restored(at) && grants.default == Rights::ReadOnly {
                grants.default = Rights::ReadWrite;
            }
        }),
    },
    Planted {
        name: "the-owners-rights-are-asked-for-on-the-target",
        says: "A target account that may read and write does not pass.",
        check: "target_account_writes_everything",
        variant: granting!(|grants, at| {
            if !is_restored(at) && grants.default == Rights::ReadWrite {
                grants.default = Rights::ReadOnly;
            }
        }),
    },
];

/// Remembers the account an instance is made with, and the password it was given last.
fn learn(request: &Request, memory: &mut Memory) {
    let given = request.body.as_ref();
    if is(request, "POST /v1/instances")
        && let Some(account) = given.and_then(|body| body.get("account")).filter(|account| account.is_object())
    {
        memory.put("first", account.clone());
    }
    if is(request, "PUT /v1/instances/*/accounts/*")
        && let Some(password) = given.and_then(|body| body.get("password"))
    {
        memory.put("now", password.clone());
    }
}

/// The source of a request that makes a task.
fn source(request: &mut Request) -> Option<&mut Value> {
    if !creates(request) {
        return None;
    }
    request.body.as_mut()?.get_mut("source").filter(|source| **source != json!(null))
}
