//! Handlers for the workers' channel: leases and reports. It is not part of the documented interface.

use super::requests::{Named, Sent};
use super::{Answered, Api};
use crate::model::TaskId;
use crate::model::decide::leases;
use crate::model::work::{LeaseRequest, Reports};
use crate::ports::clock::later_s;
use crate::service::Answer;
use axum::extract::State;
use std::pin::pin;
use std::sync::Arc;

/// Bytes of a report at most; a plan describes every object of a database.
const REPORT_MAX: usize = 64 << 20;

/// Gives a worker a task to work on, as soon as there is one; 204 when none came up for a while.
pub(super) async fn lease(State(api): State<Arc<Api>>, Sent(request): Sent<LeaseRequest>) -> Answered {
    let keeper = &api.keeper;
    let give_up_at = later_s(keeper.clock().now(), keeper.policy().lease_wait_s);
    loop {
        let mut changed = pin!(keeper.changed());
        changed.as_mut().enable();
        if let Some(work) = keeper.decide_if(|ctx| leases::next(ctx, &request.worker))? {
            return Ok(Answer::json(200, &work)?);
        }
        if keeper.clock().now() >= give_up_at {
            return Ok(Answer::empty());
        }
        let next_at = keeper.read(|view| Ok(leases::next_at(view.state, view.now)))?;
        let wake_at = next_at.map_or(give_up_at, |next_at| next_at.min(give_up_at));
        tokio::select! {
            biased;
            () = &mut changed => {}
            () = keeper.clock().sleep_until(wake_at) => {}
        }
    }
}

/// Takes a worker's reports and renews its lease.
pub(super) async fn report(
    State(api): State<Arc<Api>>,
    Named(task): Named<TaskId>,
    Sent(reports): Sent<Reports, REPORT_MAX>,
) -> Answered {
    let kept = api.keeper.decide(|ctx| leases::report(ctx, &task, &reports))?;
    Ok(Answer::json(200, &kept)?)
}
