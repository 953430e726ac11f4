//! The ways between hosts: each connection passes through here where it can be cut, held, slowed down and reset.

use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// Bytes passed on at a time.
const PORTION: usize = 64 * 1024;

type Pair = (String, String);

fn pair(a: &str, b: &str) -> Pair {
    if a <= b { (a.to_owned(), b.to_owned()) } else { (b.to_owned(), a.to_owned()) }
}

/// How long bytes take.
#[derive(Debug, Clone, Copy)]
enum Latency {
    Always(u64),
    UpTo(u64),
}

/// What was done to the ways. Clones are the same ways.
#[derive(Clone)]
pub struct Ways(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// From one host to another.
    cut: BTreeSet<Pair>,
    held: BTreeSet<Pair>,
    slow: BTreeMap<Pair, Latency>,
    resets: BTreeMap<Pair, u64>,
}

impl Default for Ways {
    fn default() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), changed: watch::Sender::new(0) }))
    }
}

impl Ways {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.0.changed.send_modify(|count| *count += 1);
    }

    /// Lets nothing pass from one host to another.
    pub fn cut(&self, from: &str, to: &str) {
        self.change(|state| {
            state.cut.insert((from.to_owned(), to.to_owned()));
        });
    }

    /// Holds what passes between two hosts.
    pub fn hold(&self, a: &str, b: &str) {
        self.change(|state| {
            state.held.insert(pair(a, b));
        });
    }

    /// Lets go on what was held.
    pub fn release(&self, a: &str, b: &str) {
        self.change(|state| {
            state.held.remove(&pair(a, b));
        });
    }

    /// What passes between two hosts takes so long.
    pub fn slow(&self, a: &str, b: &str, ms: u64) {
        self.change(|state| {
            state.slow.insert(pair(a, b), Latency::Always(ms));
        });
    }

    /// What passes between two hosts takes up to so long, each time another time.
    pub fn reorder(&self, a: &str, b: &str, ms: u64) {
        self.change(|state| {
            state.slow.insert(pair(a, b), Latency::UpTo(ms));
        });
    }

    /// Breaks the connections that are open between two hosts.
    pub fn reset(&self, a: &str, b: &str) {
        self.change(|state| *state.resets.entry(pair(a, b)).or_default() += 1);
    }

    /// Makes the way between two hosts whole.
    pub fn heal(&self, a: &str, b: &str) {
        self.change(|state| {
            state.cut.remove(&(a.to_owned(), b.to_owned()));
            state.cut.remove(&(b.to_owned(), a.to_owned()));
            state.held.remove(&pair(a, b));
            state.slow.remove(&pair(a, b));
        });
    }

    /// Makes all ways whole.
    pub fn heal_all(&self) {
        self.change(|state| {
            state.cut.clear();
            state.held.clear();
            state.slow.clear();
        });
    }

    fn is_shut(&self, from: &str, to: &str) -> bool {
        let state = self.state();
        state.cut.contains(&(from.to_owned(), to.to_owned())) || state.held.contains(&pair(from, to))
    }

    /// Waits until something passes from one host to another.
    pub async fn pass(&self, from: &str, to: &str) {
        let mut changed = self.0.changed.subscribe();
        while self.is_shut(from, to) {
            // The sender lives as long as these ways do.
            let _ = changed.changed().await;
        }
        let latency = self.state().slow.get(&pair(from, to)).copied();
        let ms = match latency {
            None => return,
            Some(Latency::Always(ms)) => ms,
            Some(Latency::UpTo(ms)) => rand::rng().random_range(0..=ms),
        };
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn resets(&self, a: &str, b: &str) -> u64 {
        self.state().resets.get(&pair(a, b)).copied().unwrap_or(0)
    }

    async fn reset_comes(&self, a: &str, b: &str, known: u64) {
        let mut changed = self.0.changed.subscribe();
        while self.resets(a, b) == known {
            let _ = changed.changed().await;
        }
    }

    /// Passes on what two ends of a connection between two hosts send each other, until both are done or it is reset.
    pub async fn relay(
        &self,
        (a_host, a): (&str, impl AsyncRead + AsyncWrite + Unpin),
        (b_host, b): (&str, impl AsyncRead + AsyncWrite + Unpin),
    ) {
        let known = self.resets(a_host, b_host);
        let (a_reads, a_writes) = tokio::io::split(a);
        let (b_reads, b_writes) = tokio::io::split(b);
        let there = self.pump(a_host, a_reads, b_host, b_writes);
        let back = self.pump(b_host, b_reads, a_host, a_writes);
        tokio::select! {
            biased;
            () = self.reset_comes(a_host, b_host, known) => {}
            _ = futures_util::future::join(there, back) => {}
        }
    }

    async fn pump(&self, from: &str, mut reads: impl AsyncRead + Unpin, to: &str, mut writes: impl AsyncWrite + Unpin) {
        let mut portion = vec![0; PORTION];
        loop {
            let count = match reads.read(&mut portion).await {
                Ok(count) if count > 0 => count,
                _ => break,
            };
            self.pass(from, to).await;
            if writes.write_all(&portion[..count]).await.is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = writes.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo_through(ways: &Ways) -> tokio::io::DuplexStream {
        let (near, here) = tokio::io::duplex(1024);
        let (there, far) = tokio::io::duplex(1024);
        let ways = ways.clone();
        tokio::spawn(async move { ways.relay(("a", here), ("b", there)).await });
        tokio::spawn(async move {
            let (mut reads, mut writes) = tokio::io::split(far);
            tokio::io::copy(&mut reads, &mut writes).await
        });
        near
    }

    async fn answers(stream: &mut tokio::io::DuplexStream) -> bool {
        let exchange = async {
            let mut byte = [0];
            stream.write_all(b"x").await.is_ok() && matches!(stream.read(&mut byte).await, Ok(1))
        };
        tokio::time::timeout(Duration::from_millis(200), exchange).await.unwrap_or(false)
    }

    #[tokio::test]
    async fn what_is_held_arrives_once_it_is_released() {
        let ways = Ways::default();
        let mut stream = echo_through(&ways).await;
        assert!(answers(&mut stream).await);
        ways.hold("b", "a");
        assert!(!answers(&mut stream).await);
        ways.release("a", "b");
        let mut byte = [0];
        assert!(matches!(stream.read(&mut byte).await, Ok(1)));
    }

    #[tokio::test]
    async fn a_cut_in_one_direction_stops_answers_alone() {
        let ways = Ways::default();
        let mut stream = echo_through(&ways).await;
        ways.cut("b", "a");
        assert!(!answers(&mut stream).await);
        ways.heal_all();
        assert!(matches!(stream.read(&mut [0]).await, Ok(1)));
    }

    #[tokio::test]
    async fn a_reset_ends_the_connections_that_are_open_and_no_later_ones() {
        let ways = Ways::default();
        let mut stream = echo_through(&ways).await;
        assert!(answers(&mut stream).await);
        ways.reset("a", "b");
        assert!(!answers(&mut stream).await);
        let mut next = echo_through(&ways).await;
        assert!(answers(&mut next).await);
    }
}
