//! A clock that is off.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use recovery::ports::Clock;
use recovery::ports::clock::later;
use std::sync::Arc;

/// How far a clock is ahead at a true time.
pub(super) type Ahead = Arc<dyn Fn(Timestamp) -> SignedDuration + Send + Sync>;

/// A clock that is ahead of another one.
pub(super) struct Shifted {
    pub inner: Arc<dyn Clock>,
    pub ahead: Ahead,
}

#[async_trait]
impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        let now = self.inner.now();
        later(now, (self.ahead)(now))
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        // A clock that falls behind meanwhile is not there yet when it is woken.
        while self.now() < deadline {
            let ahead = (self.ahead)(self.inner.now());
            self.inner.sleep_until(later(deadline, -ahead)).await;
        }
    }
}
