//! The simulated world as a target.

use super::{Control, Guest, Refused, Stage, Wish};
use futures_util::future::{FutureExt, LocalBoxFuture, ready};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, Node};
use recovery::model::photograph::Photograph;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::Clock;
use scenarios::{Damage, Host};
use sim::UnderWay;
use std::rc::Rc;
use std::sync::Arc;

struct Simulated {
    control: sim::world::Control,
    clock: Arc<dyn Clock>,
}

/// The stage of a simulated run, as the operator uses it.
#[must_use]
pub fn simulated(stage: sim::Stage) -> Stage {
    let sim::Stage { ports, control, service, access_token } = stage;
    let clock = Arc::clone(&ports.clock);
    Stage { ports, control: Rc::new(Simulated { control, clock }), service, access_token }
}

fn told<E: std::fmt::Display>(done: Result<(), E>) -> Result<(), Refused> {
    done.map_err(Refused::failed)
}

fn damage(how: Damage) -> sim::world::Damage {
    match how {
        Damage::Corrupt => sim::world::Damage::Corrupt,
        Damage::Missing => sim::world::Damage::Missing,
        Damage::Half => sim::world::Damage::Half,
    }
}

impl Simulated {
    async fn carry_out(&self, wish: Wish) -> Result<(), Refused> {
        let control = &self.control;
        match wish {
            Wish::Crash { host, torn: false } => told(control.crash(&host).await),
            Wish::Crash { host, torn: true } => told(control.crash_torn(&host).await),
            Wish::CrashAtWrite { host, nth } => told(control.crash_at_write(&host, nth, true).await),
            Wish::Start(host) => told(control.bounce(&host).await),
            Wish::Pause(host) => told(control.pause(&host).await),
            Wish::GoOn(host) => told(control.unpause(&host).await),
            Wish::Cut { a, b, oneway: true } => told(control.partition_oneway(&a, &b).await),
            Wish::Cut { a, b, oneway: false } => told(control.partition(&a, &b).await),
            Wish::Hold(a, b) => told(control.hold(&a, &b).await),
            Wish::Release(a, b) => told(control.release(&a, &b).await),
            Wish::Slow(a, b, ms) => told(control.slow(&a, &b, ms).await),
            Wish::Reorder(a, b, ms) => told(control.reorder(&a, &b, ms).await),
            Wish::Reset(a, b) => told(control.reset(&a, &b).await),
            Wish::Heal(a, b) => told(control.heal(&a, &b).await),
            Wish::HealAll => told(control.heal_all().await),
            Wish::Skew(host, ms) => told(control.skew(&host, ms).await),
            Wish::FillDisk { host, full } if host == Host::Service.to_string() => {
                told(control.fill_disk(&host, full).await)
            }
            Wish::FillDisk { host, full } => told(control.full_disk(&host, full)),
            Wish::Damage(instance, backup, how) => told(control.damage_backup(&instance, &backup, damage(how)).await),
            Wish::DamageSet(set, how) => told(control.damage_set(&set, damage(how)).await),
            Wish::LoseLogFile(instance) => told(control.lose_log_file(&instance)),
            Wish::FailOver(instance) => told(control.failover(&instance)),
            Wish::Version(instance, product) => told(control.set_version(&instance, product)),
            Wish::Lag(instance, ms) => told(control.replica_lag(&instance, ms)),
            Wish::Zone(instance, zone) => told(control.time_zone(&instance, &zone)),
            Wish::Vanish(instance) => told(control.vanish(&instance)),
        }
    }
}

impl Control for Simulated {
    fn true_now(&self) -> Timestamp {
        self.control.true_now()
    }

    fn sleep(&self, span: SignedDuration) -> LocalBoxFuture<'_, ()> {
        self.clock.sleep(span).boxed_local()
    }

    fn photograph<'a>(
        &'a self,
        instance: &'a InstanceId,
        node: Option<Node>,
    ) -> LocalBoxFuture<'a, Option<Arc<Photograph>>> {
        let photograph = match node {
            None => self.control.photograph(instance),
            Some(node) => self.control.photograph_node(instance, node),
        };
        ready(photograph).boxed_local()
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn machine_of(&self, instance: &InstanceId) -> Option<String> {
        self.control.machine_of(instance)
    }

    fn is_down<'a>(&'a self, host: &'a str) -> LocalBoxFuture<'a, bool> {
        ready(self.control.is_down(host)).boxed_local()
    }

    fn wish(&self, wish: Wish) -> LocalBoxFuture<'_, Result<(), Refused>> {
        self.carry_out(wish).boxed_local()
    }

    fn newest_backup<'a>(
        &'a self,
        instance: &'a InstanceId,
        kind: BackupKind,
    ) -> LocalBoxFuture<'a, Result<Option<BackupId>, Refused>> {
        async move { self.control.newest_backup(instance, kind).await.map_err(Refused::failed) }.boxed_local()
    }

    fn zone(&self, name: &str) -> Result<TimeZone, Refused> {
        self.control.zone(name).map_err(Refused::failed)
    }

    fn spawn_on(&self, host: &str, guest: Guest) -> Result<(), Refused> {
        self.control.spawn_on(host, guest).map_err(Refused::failed)
    }

    fn under_way(&self) -> LocalBoxFuture<'_, Result<Vec<UnderWay>, Refused>> {
        async move { self.control.under_way().await.map_err(Refused::failed) }.boxed_local()
    }
}
