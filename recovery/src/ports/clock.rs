//! Time: the only way anything in the system learns the time or waits.

use async_trait::async_trait;
use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use std::{future::Future, pin::pin};

/// A host's clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time on this host.
    fn now(&self) -> Timestamp;

    /// Waits until this host's clock shows `deadline`, or not at all if it already does.
    async fn sleep_until(&self, deadline: Timestamp);
}

impl dyn Clock {
    /// Waits for a while.
    pub async fn sleep(&self, span: SignedDuration) {
        self.sleep_until(later(self.now(), span)).await;
    }

    /// Waits for `work`, at most for a while; `None` when the time was over first.
    pub async fn timeout<T>(&self, span: SignedDuration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.sleep_until(later(self.now(), span)))).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(((), _)) => None,
        }
    }
}

/// A time a while after another; stays at the end of the calendar instead of overflowing.
#[must_use]
pub fn later(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_add(span).unwrap_or(if span.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// `later` in whole seconds.
#[must_use]
pub fn later_s(time: Timestamp, seconds: i64) -> Timestamp {
    later(time, SignedDuration::from_secs(seconds))
}
