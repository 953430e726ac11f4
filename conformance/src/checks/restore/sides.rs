//! Restores between two products: what came of the request and of the precheck (LOG-04, LOG-05).

use super::witness::{products, requests};
use crate::history::lens::{Lens, Seen};
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome};
use recovery::model::{Product, TaskId};

/// A request for a restore from one product into another.
pub struct Pair<'a> {
    /// The event that says how it ended.
    pub seen: Seen<'a, ()>,
    /// The backed up product.
    pub source: Product,
    /// The product restored into.
    pub target: Product,
    /// What came of it.
    pub came: Came,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It was refused with that code, or the precheck item failed.
    Refused(String),
    /// It may be started, or was.
    LetThrough(TaskId),
    /// It is not known yet.
    Open,
}

/// Requests whose sides are known, with what came of them; `item` is the precheck item that may say no.
pub fn pairs<'a>(lens: &Lens<'a>, item: PrecheckItem) -> Vec<Pair<'a>> {
    let mut found = Vec::new();
    for request in requests(lens) {
        let sides = request.side("/source").zip(request.side("/target"));
        let Some((source, target)) = sides.and_then(|(source, target)| products(lens, &source, &target)) else {
            continue;
        };
        let (mut index, mut at) = (request.call.index, request.call.at);
        let came = match &request.made {
            None => match request.call.it.code() {
                Some(code) => Came::Refused(code.to_owned()),
                None => continue,
            },
            Some(made) => {
                let story = lens.restore(made.id.as_str());
                let over = story
                    .into_iter()
                    .flat_map(|story| &story.views)
                    .find(|seen| seen.index > request.call.index && seen.it.status != RestoreStatus::Checking);
                if let Some(seen) = over {
                    (index, at) = (seen.index, seen.at);
                }
                let failed = over.and_then(|seen| seen.it.precheck.as_ref()).is_some_and(|run| {
                    let fails = |outcome: &PrecheckOutcome| outcome.is_failure();
                    run.items.iter().any(|result| result.item == item && fails(&result.outcome))
                });
                match over.map(|seen| seen.it.status) {
                    Some(RestoreStatus::CheckFailed) if failed => Came::Refused("the precheck".into()),
                    Some(RestoreStatus::CheckFailed | RestoreStatus::Checking) | None => Came::Open,
                    Some(_) => Came::LetThrough(made.id.clone()),
                }
            }
        };
        found.push(Pair { seen: Seen { index, at, it: &() }, source, target, came });
    }
    found
}
