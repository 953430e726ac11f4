//! The machinery behind the operator's wishes: carries them out between two steps, and tells what is under way.

use super::dice::generator;
use super::disk::MemoryDisk;
use super::engine::{EngineOptions, OPERATOR};
use super::faults::{Faults, Order, UnderWay};
use super::graves::Graves;
use super::mail::Mail;
use super::network::{Activity, Latency, WayState, Ways, pair};
use super::timers::{HostIndex, Timers};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use turmoil::Sim;

/// Takes a host in.
pub(crate) type Rouse = Box<dyn FnOnce(&mut Sim<'static>)>;

/// A world with all its levers.
pub(crate) struct Machinery {
    pub(crate) sim: Sim<'static>,
    pub(crate) timers: Timers,
    pub(crate) ways: Ways,
    pub(crate) activity: Activity,
    pub(crate) faults: Faults,
    pub(crate) clocks: BTreeMap<String, HostIndex>,
    pub(crate) disks: BTreeMap<String, MemoryDisk>,
    /// Whether a host's next start follows the return of its main function.
    pub(crate) exited: BTreeMap<String, Rc<Cell<bool>>>,
    /// The connections of each host.
    pub(crate) graves: BTreeMap<String, Graves>,
    /// Hosts that are not taken in yet.
    pub(crate) sleeping: BTreeMap<String, Rouse>,
    names: BTreeMap<IpAddr, String>,
    mail: Mail,
    random: ChaCha8Rng,
}

impl Machinery {
    pub(crate) fn new(
        sim: Sim<'static>,
        options: &EngineOptions,
        timers: Timers,
        ways: Ways,
        activity: Activity,
        faults: Faults,
    ) -> Self {
        Self {
            sim,
            timers,
            ways,
            activity,
            faults,
            clocks: BTreeMap::new(),
            disks: BTreeMap::new(),
            exited: BTreeMap::new(),
            graves: BTreeMap::new(),
            sleeping: BTreeMap::new(),
            names: BTreeMap::new(),
            mail: Mail::new(options.latency_ms_max, generator(options.seed, "latencies", 0)),
            random: generator(options.seed, "torn disks", 0),
        }
    }

    /// Keeps the address of a host that was taken in.
    pub(crate) fn know(&mut self, host: &str) {
        let address = self.sim.lookup(host);
        self.names.insert(address, host.to_owned());
    }

    /// Takes in a host that sleeps. Its links begin as what was done to the others demands.
    pub(crate) fn rouse(&mut self, host: &str) {
        let Some(rouse) = self.sleeping.remove(host) else { return };
        rouse(&mut self.sim);
        self.know(host);
        let was_called_for = self.ways.lock().sleeping.remove(host);
        if was_called_for {
            for peer in self.awake(host) {
                self.align(host, &peer);
            }
            self.ways.wake();
            self.activity.note();
        }
    }

    /// Takes in the hosts that were called during the step.
    pub(crate) fn rouse_the_called(&mut self) {
        let called = std::mem::take(&mut self.ways.lock().called);
        for host in called {
            self.rouse(&host);
        }
    }

    /// All hosts that were taken in, but one.
    fn awake(&self, but: &str) -> Vec<String> {
        self.clocks.keys().filter(|host| *host != but && !self.sleeping.contains_key(*host)).cloned().collect()
    }

    /// Takes down the hosts that died in the middle of a write during the step.
    pub(crate) fn bury_the_dead(&mut self) {
        let dead: Vec<String> = self
            .disks
            .iter()
            .filter(|(host, disk)| disk.dead().load(Ordering::Relaxed) && !self.is_down(host))
            .map(|(host, _)| host.clone())
            .collect();
        for host in dead {
            self.take_down(&host);
        }
    }

    /// Carries out all wishes in the order they were made.
    pub(crate) fn carry_out_wishes(&mut self) {
        while let Some(wish) = self.faults.take() {
            for order in wish.orders {
                self.carry_out(order);
            }
            if let Some(done) = wish.done {
                // Nobody waits any more where the wisher was dropped.
                let _ = done.send(());
            }
            self.activity.note();
        }
    }

    fn carry_out(&mut self, order: Order) {
        for host in order.hosts() {
            self.rouse(host);
        }
        match order {
            Order::Crash { host, torn } => self.crash(&host, torn),
            Order::CrashAtWrite { host, nth, torn } => self.crash_at_write(&host, nth, torn),
            Order::Start { host } => self.start(&host),
            Order::Exit { host } => self.exit(&host),
            Order::Cut { from, to } => self.change_link(&from, &to, |ways| {
                ways.cut.insert((from.clone(), to.clone()));
            }),
            Order::Hold { a, b } => self.change_link(&a, &b, |ways| {
                ways.held.insert(pair(&a, &b));
            }),
            Order::Release { a, b } => self.change_link(&a, &b, |ways| {
                ways.held.remove(&pair(&a, &b));
            }),
            Order::Heal { a, b } => self.heal(&a, &b),
            Order::HealAll => self.heal_all(),
            Order::Slow { a, b, latency_ms } => self.slow(&a, &b, Latency::Always(latency_ms.max(1))),
            Order::Reorder { a, b, latency_ms } => self.slow(&a, &b, Latency::UpTo(latency_ms.max(1))),
            Order::Reset { a, b } => self.ways.reset(&a, &b),
            Order::FillDisk { host, full } => {
                if let Some(disk) = self.disks.get(&host) {
                    disk.fill(full);
                }
            }
            Order::Skew { host, skew_ms } => self.timers.set_skew(self.clocks[&host], skew_ms),
            Order::Pause { host } => self.set_paused(&host, true),
            Order::Unpause { host } => self.set_paused(&host, false),
            Order::Look(found) => drop(found.replace(self.messages())),
        }
    }

    fn is_down(&self, host: &str) -> bool {
        self.ways.lock().down.contains(host)
    }

    fn crash(&mut self, host: &str, torn: bool) {
        if self.is_down(host) {
            return;
        }
        // The disk first: what the host's destructors still write must not reach it.
        if let Some(disk) = self.disks.get(host) {
            if torn {
                disk.tear_unsynced(&mut self.random);
            } else {
                disk.lose_unsynced();
            }
        }
        self.take_down(host);
    }

    /// Drops everything that runs on a host.
    fn drop_tasks(&mut self, host: &str) {
        let graves = self.graves.get(host).cloned().unwrap_or_default();
        graves.open();
        self.sim.crash(host);
        graves.close();
    }

    fn take_down(&mut self, host: &str) {
        self.drop_tasks(host);
        self.ways.lock().down.insert(host.to_owned());
        self.ways.wake();
        self.activity.note();
    }

    fn crash_at_write(&mut self, host: &str, nth: u64, torn: bool) {
        if let Some(disk) = self.disks.get(host) {
            let random = ChaCha8Rng::from_rng(&mut self.random);
            disk.die_at_write(nth, torn, random);
        }
    }

    fn start(&mut self, host: &str) {
        self.crash(host, false);
        if let Some(disk) = self.disks.get(host) {
            disk.revive();
        }
        self.sim.bounce(host);
        self.ways.lock().down.remove(host);
    }

    fn exit(&mut self, host: &str) {
        if self.is_down(host) {
            return;
        }
        if let Some(exited) = self.exited.get(host) {
            exited.set(true);
        }
        self.drop_tasks(host);
        self.sim.bounce(host);
    }

    /// Changes what is known of the ways and brings turmoil's link between two hosts in line.
    fn change_link(&mut self, a: &str, b: &str, change: impl FnOnce(&mut WayState)) {
        change(&mut self.ways.lock());
        self.align(a, b);
        self.ways.wake();
    }

    /// turmoil drops what is sent on a way that is cut, and what is on it. What is held stays on the way with the rest.
    fn align(&self, a: &str, b: &str) {
        let ways = self.ways.lock();
        self.sim.repair(a, b);
        for (from, to) in [(a, b), (b, a)] {
            if ways.is_cut(from, to) {
                self.sim.partition_oneway(from, to);
            }
        }
    }

    /// Has what is on its way between two hosts take the time it takes there now.
    fn date_anew(&mut self, a: &str, b: &str) {
        self.mail.anew(self.sim.lookup(a), self.sim.lookup(b));
    }

    fn heal(&mut self, a: &str, b: &str) {
        self.change_link(a, b, |ways| {
            ways.slow.remove(&pair(a, b));
            ways.held.remove(&pair(a, b));
            ways.cut.remove(&(a.to_owned(), b.to_owned()));
            ways.cut.remove(&(b.to_owned(), a.to_owned()));
        });
        self.date_anew(a, b);
    }

    fn heal_all(&mut self) {
        let paused: Vec<String> = self.ways.lock().paused.iter().cloned().collect();
        for host in paused {
            self.set_paused(&host, false);
        }
        let hosts = self.awake("");
        for (number, a) in hosts.iter().enumerate() {
            for b in &hosts[number + 1..] {
                self.heal(a, b);
            }
        }
        self.disks.values().for_each(|disk| disk.fill(false));
        let down: Vec<String> = self.ways.lock().down.iter().cloned().collect();
        for host in down {
            self.start(&host);
        }
    }

    fn slow(&mut self, a: &str, b: &str, latency: Latency) {
        self.change_link(a, b, |ways| {
            ways.slow.insert(pair(a, b), latency);
        });
        self.date_anew(a, b);
    }

    fn set_paused(&mut self, host: &str, paused: bool) {
        if paused {
            self.ways.lock().paused.insert(host.to_owned());
        } else {
            self.ways.lock().paused.remove(host);
        }
        self.timers.set_frozen(self.clocks[host], paused);
        self.ways.wake();
    }

    /// Messages on links, by sender and receiver.
    fn messages(&self) -> Vec<UnderWay> {
        let ways = self.ways.lock();
        let mut counts: BTreeMap<(&String, &String), usize> = BTreeMap::new();
        self.sim.links(|links| {
            for message in links.flatten() {
                let (from, to) = message.pair();
                if let (Some(from), Some(to)) = (self.names.get(&from.ip()), self.names.get(&to.ip())) {
                    *counts.entry((from, to)).or_default() += 1;
                }
            }
        });
        let told = |((from, to), count): ((&String, &String), usize)| {
            let held = ways.is_held(from, to);
            UnderWay { from: from.clone(), to: to.clone(), count, held }
        };
        counts.into_iter().map(told).collect()
    }

    /// Takes down when what was sent is due.
    pub(crate) fn watch_messages(&mut self) {
        self.mail.watch(&self.sim, &self.ways.lock(), &self.names, self.timers.now_ms());
    }

    /// When the next message is due.
    pub(crate) fn next_message_ms(&self) -> Option<i64> {
        self.mail.next_ms(&self.ways.lock(), &self.names)
    }

    /// Lets those messages arrive in the next step that are due; whether one of them asks for a connection. One that is
    /// refused wakes its sender directly, not by a message.
    pub(crate) fn deliver(&mut self) -> bool {
        self.mail.deliver(&self.sim, &self.ways.lock(), &self.names, self.timers.now_ms())
    }

    /// What every host waits for, for a person to read.
    pub(crate) fn describe(&self) -> String {
        let ways = self.ways.lock();
        let mut parts: Vec<String> = Vec::new();
        for (host, index) in &self.clocks {
            let sleepers = self.timers.sleepers_of(*index);
            parts.push(if ways.sleeping.contains(host) {
                format!("{host} was not called yet")
            } else if ways.down.contains(host) {
                format!("{host} is down")
            } else if ways.paused.contains(host) {
                format!("{host} is paused with {sleepers} timers")
            } else if sleepers > 0 {
                format!("{host} waits for {sleepers} timers")
            } else if host == OPERATOR {
                format!("{host} waits for an answer")
            } else {
                format!("{host} waits for messages")
            });
        }
        for (from, to) in &ways.cut {
            parts.push(format!("{from} cannot reach {to}"));
        }
        drop(ways);
        for UnderWay { from, to, count, held } in self.messages() {
            parts.push(format!("{count} messages from {from} to {to}{}", if held { " are held" } else { "" }));
        }
        parts.join("; ")
    }
}
