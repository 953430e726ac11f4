//! What a planted bug remembers within one run, and where a hook stands.

use jiff::Timestamp;
use recovery::ports::{Clock, Ports};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by name; new for each run.
#[derive(Clone, Default)]
pub struct Memory {
    kept: BTreeMap<String, Value>,
    pub(super) now: Timestamp,
}

// What is kept may be a password.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kept.keys()).finish()
    }
}

impl Memory {
    /// Keeps a value.
    pub fn put(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.kept.insert(name.into(), value.into());
    }

    /// The time of the call a layer is asked about; in a hook of a port its clock tells.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A value that was kept.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.kept.get(name)
    }

    /// A text that was kept.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// Takes a value out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.kept.remove(name)
    }

    /// How often this was asked of that name, this time included.
    pub fn count(&mut self, name: impl Into<String>) -> u64 {
        let entry = self.kept.entry(name.into()).or_insert(Value::from(0_u64));
        let count = entry.as_u64().unwrap_or(0) + 1;
        *entry = count.into();
        count
    }

    /// Whether this is asked of that name for the first time.
    pub fn first(&mut self, name: impl Into<String>) -> bool {
        self.count(name) == 1
    }
}

/// Where a hook of a port stands.
#[derive(Clone)]
pub struct At {
    /// The host whose port it is: `service` or `worker-1`.
    pub host: String,
    /// The server of a session, `host:port`; empty elsewhere.
    pub endpoint: String,
    /// The account of a session; empty elsewhere.
    pub account: String,
    /// The host's clock.
    pub clock: Arc<dyn Clock>,
    /// The host's ports as they are without any hook, for what a bug does on its own.
    pub ports: Ports,
    pub(super) memory: Arc<Mutex<Memory>>,
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At").field("host", &self.host).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl At {
    /// Looks into the memory of the run, which all hosts share.
    pub fn memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_time_is_the_first() {
        let mut memory = Memory::default();
        assert!(memory.first("order"));
        assert!(!memory.first("order"));
        assert!(memory.first("another order"));
        assert_eq!(memory.count("order"), 3);
    }
}
