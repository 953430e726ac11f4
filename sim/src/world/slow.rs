//! Slow links: what is sent over one is held there until its time has come, so that nothing is stepped through meanwhile.
//! On some of them messages overtake one another.
//!
//! turmoil has no time but its steps of a millisecond each, so a message of its own that takes 80 ms costs 80 steps.

use super::network::{Latency, WayState, pair};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use turmoil::{Protocol, Segment, Sim};

/// A way, from and to.
type Way = (String, String);

/// Messages on slow links, by way, in the order they were sent: when each is due, in milliseconds since the start.
pub(crate) struct SlowLinks {
    due: BTreeMap<Way, VecDeque<i64>>,
    random: ChaCha8Rng,
}

impl SlowLinks {
    /// No messages yet; `random` says how long those take that overtake one another.
    pub(crate) fn new(random: ChaCha8Rng) -> Self {
        Self { due: BTreeMap::new(), random }
    }

    /// Notes when new messages are due. Those that were on their way when a link became slow take its time from then.
    pub(crate) fn watch(&mut self, sim: &Sim<'static>, ways: &WayState, names: &BTreeMap<IpAddr, String>, now_ms: i64) {
        if ways.slow.is_empty() {
            self.due.clear();
            return;
        }
        let mut counts: BTreeMap<Way, usize> = BTreeMap::new();
        each(sim, names, |from, to, _| {
            *counts.entry((from.to_owned(), to.to_owned())).or_default() += 1;
            false
        });
        // What was dropped with its way, and what is no longer slow, is not waited for.
        self.due.retain(|way, _| counts.contains_key(way));
        for (way, count) in counts {
            let Some(latency) = ways.slow.get(&pair(&way.0, &way.1)) else {
                self.due.remove(&way);
                continue;
            };
            let due = self.due.entry(way).or_default();
            match latency {
                // Messages on one way keep their order.
                Latency::Always(ms) => {
                    let at = now_ms.saturating_add_unsigned(*ms).max(due.back().copied().unwrap_or(i64::MIN));
                    due.resize(count, at);
                }
                Latency::UpTo(ms) => {
                    let random = &mut self.random;
                    due.resize_with(count, || now_ms.saturating_add_unsigned(random.random_range(1..=*ms)));
                }
            }
        }
    }

    /// When the next message is due that is not held.
    pub(crate) fn next_ms(&self, ways: &WayState) -> Option<i64> {
        let open = self.due.iter().filter(|((from, to), _)| !ways.is_held(from, to));
        open.flat_map(|(_, due)| due.iter().copied()).min()
    }

    /// Lets messages that are due arrive in the next step; whether one of them asks for a connection.
    pub(crate) fn deliver(
        &mut self,
        sim: &Sim<'static>,
        ways: &WayState,
        names: &BTreeMap<IpAddr, String>,
        now_ms: i64,
    ) -> bool {
        if self.next_ms(ways).is_none_or(|next| next > now_ms) {
            return false;
        }
        let mut connecting = false;
        // How many messages of a way were looked at and stay.
        let mut stay: BTreeMap<Way, usize> = BTreeMap::new();
        each(sim, names, |from, to, protocol| {
            if ways.is_held(from, to) {
                return false;
            }
            let way = (from.to_owned(), to.to_owned());
            let Some(due) = self.due.get_mut(&way) else { return false };
            let place = stay.entry(way).or_default();
            let is_due = due.get(*place).is_some_and(|at| *at <= now_ms);
            if is_due {
                due.remove(*place);
                connecting |= matches!(protocol, Protocol::Tcp(Segment::Syn(_)));
            } else {
                *place += 1;
            }
            is_due
        });
        connecting
    }
}

/// Looks at every message on the links, with its sender and receiver, and lets those arrive that `look` says so of.
fn each(sim: &Sim<'static>, names: &BTreeMap<IpAddr, String>, mut look: impl FnMut(&str, &str, &Protocol) -> bool) {
    sim.links(|links| {
        for message in links.flatten() {
            let (from, to) = message.pair();
            if let (Some(from), Some(to)) = (names.get(&from.ip()), names.get(&to.ip()))
                && look(from, to, message.protocol())
            {
                message.deliver();
            }
        }
    });
}
