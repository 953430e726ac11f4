//! Planted bugs about what a logical backup takes in: the moment of a full set, and the log after it.

use crate::planted::Planted;
use crate::planted::tools::meddling::session;
use crate::planted::tools::session::{Given, Inner};
use crate::planted::tools::{At, SessionHooks, ports};
use jiff::SignedDuration;
use recovery::model::content::{Change, ChangeKind};
use recovery::ports::clock::later;
use recovery::ports::database::{ServerFacts, SnapshotFacts};

/// How much farther a log says it reaches than it does.
const CLAIMED: SignedDuration = SignedDuration::from_secs(60);

/// Under which name the place of a server's log at its snapshot is kept.
fn taken(at: &At) -> String {
    format!("snapshot of {}", at.endpoint)
}

/// Takes a snapshot and keeps its place in the log.
fn snapshot<'a>(inner: &'a mut Inner, at: &'a At) -> Given<'a, SnapshotFacts> {
    Box::pin(async move {
        let snapshot = inner.snapshot().await?;
        at.memory(|memory| memory.put(taken(at), snapshot.position));
        Ok(snapshot)
    })
}

/// What a server says of itself: just after a snapshot, that its log has not moved on since.
fn facts_of_the_snapshot<'a>(inner: &'a mut Inner, at: &'a At) -> Given<'a, ServerFacts> {
    Box::pin(async move {
        let facts = inner.facts().await?;
        let position = at.memory(|memory| memory.take(&taken(at))).and_then(|position| position.as_u64());
        Ok(ServerFacts { log_position: position.unwrap_or(facts.log_position), ..facts })
    })
}

/// Asks a server for itself: a set asks once after its snapshot, and whoever asks again is not taking it any more.
fn counted<'a>(inner: &'a mut Inner, at: &'a At) -> Given<'a, ServerFacts> {
    Box::pin(async move {
        at.memory(|memory| {
            let again = format!("asked after {}", taken(at));
            if memory.get(&taken(at)).is_some() && !memory.first(again.clone()) {
                memory.take(&taken(at));
                memory.take(&again);
            }
        });
        inner.facts().await
    })
}

/// The changes of a log as far as they are kept.
fn keep<'a>(
    inner: &'a mut Inner,
    (after, limit): (u64, usize),
    kept: impl FnOnce(&mut Vec<Change>) + Send + 'a,
) -> Given<'a, Vec<Change>> {
    Box::pin(async move {
        let mut changes = inner.changes(after, limit).await?;
        kept(&mut changes);
        Ok(changes)
    })
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-full-set-is-as-of-its-beginning",
        says: "What changed while a full set was taken is not in it.",
        check: "backup_set_content_is_of_completion",
        variant: ports(|| {
            session(SessionHooks {
                snapshot: Some(snapshot),
                facts: Some(facts_of_the_snapshot),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "what-is-written-while-a-set-is-taken-is-lost",
        says: "A full set says that it reaches to its completion, and holds nothing after its snapshot.",
        check: "backup_set_content_is_of_completion",
        variant: ports(|| {
            session(SessionHooks {
                snapshot: Some(snapshot),
                facts: Some(counted),
                changes: Some(|inner, after, limit, at| {
                    keep(inner, (after, limit), move |changes| {
                        if at.memory(|memory| memory.get(&taken(at)).is_some()) {
                            changes.clear();
                        }
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "the-last-transaction-of-each-piece-of-log-is-lost",
        says: "Whoever collects the log stops one transaction short.",
        check: "point_in_time_content",
        variant: ports(|| {
            session(SessionHooks {
                changes: Some(|inner, after, limit, _| {
                    keep(inner, (after, limit), |changes| {
                        let last = changes.last().map(|change| change.at);
                        changes.retain(|change| Some(change.at) != last);
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "rows-deleted-in-the-log-stay",
        says: "What was deleted after the full set comes back.",
        check: "point_in_time_content",
        variant: ports(|| {
            session(SessionHooks {
                changes: Some(|inner, after, limit, _| {
                    keep(inner, (after, limit), |changes| {
                        changes.retain(|change| !matches!(&change.kind, ChangeKind::Row { new: None, .. }));
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "definitions-changed-in-the-log-are-passed-over",
        says: "Tables made, changed or dropped after the full set are as they were in it.",
        check: "point_in_time_content",
        variant: ports(|| {
            session(SessionHooks {
                changes: Some(|inner, after, limit, _| {
                    keep(inner, (after, limit), |changes| {
                        changes.retain(|change| !matches!(&change.kind, ChangeKind::Ddl { .. }));
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-log-claims-a-minute-more-than-it-holds",
        says: "The range that can be restored is stated a minute farther than the log was collected.",
        check: "point_in_time_content",
        variant: ports(|| {
            session(SessionHooks {
                facts: Some(|inner, _| {
                    Box::pin(async move {
                        let facts = inner.facts().await?;
                        Ok(ServerFacts { now: later(facts.now, CLAIMED), ..facts })
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "what-was-committed-at-a-boundary-is-dropped",
        says: "The newest second of the log is left out when it is collected, and never collected again.",
        check: "seconds_are_told_apart",
        variant: ports(|| {
            session(SessionHooks {
                changes: Some(|inner, after, limit, _| {
                    keep(inner, (after, limit), |changes| {
                        let newest = changes.last().map(|change| change.at.as_second());
                        changes.retain(|change| Some(change.at.as_second()) != newest);
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
];
