//! The log of one run at trace level, without what differs from process to process: no wall clock, no thread, no colour.

use crate::history::hex;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// What writes logs in a run.
const TARGETS: [&str; 3] = ["turmoil", "sim", "recovery"];

/// Where a log is written to.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does something on this thread, and gives the lines that were logged meanwhile.
pub(super) fn kept<T>(make: impl FnOnce() -> T) -> (T, Vec<String>) {
    let page = Page::default();
    let writer = page.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_thread_ids(false)
        .with_thread_names(false)
        .with_writer(move || writer.clone());
    let targets: Targets = TARGETS.iter().map(|target| (*target, LevelFilter::TRACE)).collect();
    let subscriber = tracing_subscriber::registry().with(targets).with(layer);
    let made = tracing::subscriber::with_default(subscriber, make);
    let written = std::mem::take(&mut *page.0.lock().unwrap_or_else(PoisonError::into_inner));
    (made, String::from_utf8_lossy(&written).lines().map(str::to_owned).collect())
}

/// A line in a few digits.
pub(super) fn hash(line: &str) -> String {
    hex(&Sha256::digest(line)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner;
    use scenarios::Scenario;

    const SHOP: &str = "title = \"t\"\ncovers = []\n[instances.shop]\nengine = \"mysql 5.7\"\n\
        account = { name = \"app\", password = \"s3cret-one\" }\n[[step]]\nbackup = \"shop\"\n";

    fn logged() -> Vec<String> {
        let scenarios = Scenario::parse("shop.toml", SHOP, &std::collections::BTreeSet::new());
        let scenarios = scenarios.unwrap_or_else(|error| panic!("{error:?}"));
        kept(|| runner::run(&scenarios[0], 1, None)).1
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the wall clock is what must not stand in a log")]
    fn a_run_logs_its_messages_and_nothing_of_the_process_it_runs_in() {
        let lines = logged();
        assert!(lines.iter().any(|line| line.contains("Delivered")), "messages are logged at trace level");
        let own = ["ThreadId", "0x7f"];
        let year = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        for line in &lines {
            assert!(!line.contains(&year) && !own.iter().any(|word| line.contains(word)), "{line}");
        }
    }

    #[test]
    fn two_runs_of_one_seed_log_the_same() {
        assert_eq!(logged(), logged());
    }

    #[test]
    fn a_hash_tells_lines_apart() {
        assert_ne!(hash("step 1"), hash("step 2"));
        assert_eq!(hash("step 1").len(), 8);
    }
}
