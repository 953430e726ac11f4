//! A clock that is off.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use recovery::ports::Clock;
use recovery::ports::clock::later;
use std::sync::Arc;

/// A clock that is ahead of another one.
pub(super) struct Shifted {
    pub inner: Arc<dyn Clock>,
    pub ahead: SignedDuration,
}

#[async_trait]
impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        later(self.inner.now(), self.ahead)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        self.inner.sleep_until(later(deadline, -self.ahead)).await;
    }
}
