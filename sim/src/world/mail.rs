//! Messages on the links: each stays there until its time has come, so that nothing is stepped through meanwhile.
//!
//! turmoil has no time but its steps of a millisecond each, so a message of its own that takes 4 ms costs 4 steps. It is
//! told that every message takes for ever, and each is let through by hand at its time: a step is taken only where
//! something arrives or somebody's time has come. Messages between two hosts may overtake one another, as those of two
//! connections do; each connection puts its own in order again.

use super::network::{Latency, WayState, pair};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use turmoil::{Protocol, Segment, Sim};

/// How long turmoil takes every message to need: longer than any run.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(1_000_000_000);

/// How long the end of a connection may wait for a step that is taken for something else.
const ENDING_WAITS_MS: i64 = 100;

/// A way, from and to.
type Way = (IpAddr, IpAddr);

/// When a message arrives: with the first step in this span, and there is one at its end.
#[derive(Clone, Copy)]
struct Due {
    from_ms: i64,
    to_ms: i64,
}

/// Messages on the links, by way, in the order they were sent: when each is due, in milliseconds since the start.
pub(crate) struct Mail {
    due: BTreeMap<Way, VecDeque<Due>>,
    /// Longest latency where a link has none of its own; the shortest is one millisecond.
    latency_ms_max: u64,
    random: ChaCha8Rng,
}

impl Mail {
    /// No messages yet; `random` says how long each takes.
    pub(crate) fn new(latency_ms_max: u64, random: ChaCha8Rng) -> Self {
        Self { due: BTreeMap::new(), latency_ms_max: latency_ms_max.max(1), random }
    }

    /// Notes when new messages are due.
    pub(crate) fn watch(&mut self, sim: &Sim<'static>, ways: &WayState, names: &BTreeMap<IpAddr, String>, now_ms: i64) {
        let mut counts: Vec<(Way, usize)> = Vec::new();
        sim.links(|links| {
            for link in links {
                let (a, b) = link.pair();
                let mut seen = [0, 0];
                for message in link {
                    let side = usize::from(message.pair().0.ip() != a);
                    seen[side] += 1;
                    let way = if side == 0 { (a, b) } else { (b, a) };
                    let due = self.due.entry(way).or_default();
                    if seen[side] > due.len() {
                        let from_ms = match latency(ways, names, way) {
                            // Messages on one way keep their order.
                            Some(Latency::Always(ms)) => {
                                let last_ms = due.back().map_or(i64::MIN, |last| last.from_ms);
                                now_ms.saturating_add_unsigned(ms).max(last_ms)
                            }
                            Some(Latency::UpTo(ms)) => now_ms.saturating_add_unsigned(self.random.random_range(1..=ms)),
                            // Short ones are likelier than long ones.
                            None => {
                                let most = self.latency_ms_max;
                                let mut short = || self.random.random_range(1..=most);
                                now_ms.saturating_add_unsigned(short().min(short()))
                            }
                        };
                        let waits_ms = if ends(message.protocol()) { ENDING_WAITS_MS } else { 0 };
                        due.push_back(Due { from_ms, to_ms: from_ms + waits_ms });
                    }
                }
                counts.extend([((a, b), seen[0]), ((b, a), seen[1])].into_iter().filter(|(_, count)| *count > 0));
            }
        });
        // What was dropped with its way is not waited for.
        self.due.retain(|way, due| {
            let count = counts.iter().find(|(of, _)| of == way).map_or(0, |(_, count)| *count);
            due.truncate(count);
            count > 0
        });
    }

    /// Has what is on its way between two hosts take its time anew, as the latency there is another one.
    pub(crate) fn anew(&mut self, a: IpAddr, b: IpAddr) {
        self.due.remove(&(a, b));
        self.due.remove(&(b, a));
    }

    /// When the next message has to arrive that is not held.
    pub(crate) fn next_ms(&self, ways: &WayState, names: &BTreeMap<IpAddr, String>) -> Option<i64> {
        self.open(ways, names).map(|due| due.to_ms).min()
    }

    fn open(&self, ways: &WayState, names: &BTreeMap<IpAddr, String>) -> impl Iterator<Item = &Due> {
        let open = self.due.iter().filter(|(way, _)| !is_held(ways, names, **way));
        open.flat_map(|(_, due)| due)
    }

    /// Lets messages that are due arrive in the next step; whether one of them asks for a connection.
    pub(crate) fn deliver(
        &mut self,
        sim: &Sim<'static>,
        ways: &WayState,
        names: &BTreeMap<IpAddr, String>,
        now_ms: i64,
    ) -> bool {
        if self.open(ways, names).all(|due| due.from_ms > now_ms) {
            return false;
        }
        let mut connecting = false;
        sim.links(|links| {
            for link in links {
                let (a, b) = link.pair();
                // How many messages of each way were looked at and stay.
                let mut stay = [0, 0];
                for message in link {
                    let there = message.pair().0.ip() == a;
                    let way = if there { (a, b) } else { (b, a) };
                    let Some(due) = self.due.get_mut(&way) else { continue };
                    let place = &mut stay[usize::from(there)];
                    if due.get(*place).is_none_or(|due| due.from_ms > now_ms) || is_held(ways, names, way) {
                        *place += 1;
                        continue;
                    }
                    due.remove(*place);
                    connecting |= matches!(message.protocol(), Protocol::Tcp(Segment::Syn(_)));
                    message.deliver();
                }
            }
        });
        connecting
    }
}

/// Whether a message ends a connection, so that nobody waits for it who has something to do.
fn ends(protocol: &Protocol) -> bool {
    matches!(protocol, Protocol::Tcp(Segment::Fin(_) | Segment::Rst))
}

fn is_held(ways: &WayState, names: &BTreeMap<IpAddr, String>, (from, to): Way) -> bool {
    !ways.nothing_held() && names.get(&from).zip(names.get(&to)).is_some_and(|(from, to)| ways.is_held(from, to))
}

/// The latency of a way's own.
fn latency(ways: &WayState, names: &BTreeMap<IpAddr, String>, (from, to): Way) -> Option<Latency> {
    if ways.slow.is_empty() {
        return None;
    }
    ways.slow.get(&pair(names.get(&from)?, names.get(&to)?)).copied()
}
