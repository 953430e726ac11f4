//! Real servers in containers as a target.

use super::suits::{fills_disks, meddles_with_ways};
use super::{Control, Guest, Refused, Stage, Wish};
use engines::docker::Docker;
use engines::harm::Damage as RealDamage;
use engines::images::Choice;
use engines::stage::{RealStage, StageOptions};
use futures_util::future::{FutureExt, LocalBoxFuture};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, Node};
use recovery::model::photograph::Photograph;
use recovery::model::policy::Policy;
use recovery::model::{BackupId, InstanceId};
use scenarios::{Damage, Host, Scenario};
use sim::UnderWay;
use sim::world::{APPLICATION, STRANGER};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use tokio::task::AbortHandle;

/// The size of a server's disk that is to fill up.
const SMALL_DISK: i64 = 768 * 1024 * 1024;

/// What plays which engine in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers(pub Vec<Choice>);

impl std::fmt::Display for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(" "))
    }
}

/// A run's real system.
pub struct RealTarget {
    stage: RealStage,
    /// What runs on the application's host, which has a crash of its own.
    guests: RefCell<Vec<AbortHandle>>,
    down: RefCell<BTreeSet<String>>,
}

impl RealTarget {
    /// Starts a system for a scenario.
    ///
    /// # Errors
    /// [`Refused::Unavailable`] when no container engine answers.
    pub async fn start(scenario: &Scenario, servers: &Servers, policy: Policy) -> Result<(Rc<Self>, Stage), Refused> {
        let docker = Docker::connect().await.map_err(|error| Refused::Unavailable(error.to_string()))?;
        for choice in &servers.0 {
            let provided = docker.provide(&choice.image).await;
            provided.map_err(|error| Refused::Unavailable(error.to_string()))?;
        }
        let options = StageOptions {
            choices: servers.0.clone(),
            machines: scenario.world.machines,
            workers: scenario.world.workers,
            policy,
            products: scenario.instances.iter().map(|instance| instance.product).collect(),
            guarded: meddles_with_ways(scenario),
            disk_bytes: fills_disks(scenario).then_some(SMALL_DISK),
        };
        let stage = RealStage::start(docker, &options).await.map_err(Refused::failed)?;
        let (ports, service) = (stage.ports.clone(), stage.service.clone());
        let access_token = stage.access_token.clone();
        let target = Rc::new(Self { stage, guests: RefCell::default(), down: RefCell::default() });
        let control: Rc<dyn Control> = Rc::<Self>::clone(&target);
        Ok((target, Stage { ports, control, service, access_token }))
    }

    /// Ends everything, and removes the containers.
    ///
    /// # Errors
    /// When the container engine refuses.
    pub async fn close(&self) -> Result<(), Refused> {
        self.guests.borrow_mut().drain(..).for_each(|guest| guest.abort());
        self.stage.close().await
    }

    fn is_application(host: &str) -> bool {
        host == Host::Application.to_string()
    }

    async fn crash(&self, host: &str) -> Result<(), Refused> {
        if !Self::is_application(host) {
            return self.stage.crash(host).await;
        }
        self.down.borrow_mut().insert(host.to_owned());
        self.guests.borrow_mut().drain(..).for_each(|guest| guest.abort());
        Ok(())
    }

    async fn carry_out(&self, wish: Wish) -> Result<(), Refused> {
        let (stage, ways) = (&self.stage, &self.stage.site.ways);
        let never = |what: &str| Err(Refused::Unavailable(what.to_owned()));
        match wish {
            Wish::Crash { torn: true, .. } | Wish::CrashAtWrite { .. } => {
                return never("the disk of this machine does not tear writes");
            }
            Wish::Version(..) => return never("a server's version does not change while it runs"),
            Wish::Lag(..) => return never("how far a real replica is behind cannot be set"),
            Wish::LoseLogFile(instance) => return stage.lose_log(&instance).await,
            Wish::Crash { host, torn: false } => return self.crash(&host).await,
            Wish::Start(host) if Self::is_application(&host) => {
                self.down.borrow_mut().remove(&host);
            }
            Wish::Start(host) => return stage.start_again(&host).await,
            Wish::Pause(host) => return stage.stand_still(&host, true).await,
            Wish::GoOn(host) => return stage.stand_still(&host, false).await,
            Wish::Cut { a, b, oneway } => {
                ways.cut(&a, &b);
                if !oneway {
                    ways.cut(&b, &a);
                }
            }
            Wish::Hold(a, b) => ways.hold(&a, &b),
            Wish::Release(a, b) => ways.release(&a, &b),
            Wish::Slow(a, b, ms) => ways.slow(&a, &b, ms),
            Wish::Reorder(a, b, ms) => ways.reorder(&a, &b, ms),
            Wish::Reset(a, b) => ways.reset(&a, &b),
            Wish::Heal(a, b) => ways.heal(&a, &b),
            Wish::HealAll => {
                self.down.borrow_mut().clear();
                return stage.heal_all().await;
            }
            Wish::Skew(host, ms) => return stage.skew(&host, ms),
            Wish::FillDisk { host, full } => return stage.fill_disk(&host, full).await,
            Wish::Damage(instance, backup, how) => return stage.damage_backup(&instance, &backup, damage(how)).await,
            Wish::DamageSet(set, how) => return stage.damage_set(&set, damage(how)).await,
            Wish::FailOver(instance) => return stage.fail_over(&instance).await,
            Wish::Zone(instance, zone) => return stage.time_zone(&instance, &zone).await,
            Wish::Vanish(instance) => return stage.vanish(&instance).await,
        }
        Ok(())
    }
}

fn damage(how: Damage) -> RealDamage {
    match how {
        Damage::Corrupt => RealDamage::Corrupt,
        Damage::Missing => RealDamage::Missing,
        Damage::Half => RealDamage::Half,
    }
}

impl Control for RealTarget {
    fn true_now(&self) -> Timestamp {
        self.stage.site.time.now()
    }

    fn sleep(&self, span: SignedDuration) -> LocalBoxFuture<'_, ()> {
        self.stage.site.time.pass(span).boxed_local()
    }

    fn photograph<'a>(
        &'a self,
        instance: &'a InstanceId,
        node: Option<Node>,
    ) -> LocalBoxFuture<'a, Option<Arc<Photograph>>> {
        async move { self.stage.photograph(instance, node).await.map(Arc::new) }.boxed_local()
    }

    fn takes_time(&self) -> bool {
        true
    }

    fn machine_of(&self, instance: &InstanceId) -> Option<String> {
        self.stage.site.rack.machine_of(instance)
    }

    fn is_down<'a>(&'a self, host: &'a str) -> LocalBoxFuture<'a, bool> {
        let down = self.down.borrow().contains(host);
        async move { down || self.stage.is_down(host).await }.boxed_local()
    }

    fn wish(&self, wish: Wish) -> LocalBoxFuture<'_, Result<(), Refused>> {
        self.carry_out(wish).boxed_local()
    }

    fn newest_backup<'a>(
        &'a self,
        instance: &'a InstanceId,
        kind: BackupKind,
    ) -> LocalBoxFuture<'a, Result<Option<BackupId>, Refused>> {
        self.stage.newest_backup(instance, kind).boxed_local()
    }

    fn zone(&self, name: &str) -> Result<TimeZone, Refused> {
        sim::servers::zone(name).ok_or_else(|| Refused::failed(format!("there is no time zone {name}")))
    }

    fn spawn_on(&self, host: &str, guest: Guest) -> Result<(), Refused> {
        if host != APPLICATION && host != STRANGER {
            return Err(Refused::failed(format!("{host} runs nothing but its own program")));
        }
        if self.down.borrow().contains(host) {
            return Ok(());
        }
        let task = tokio::task::spawn_local(guest(self.stage.ports_of(host)));
        self.guests.borrow_mut().push(task.abort_handle());
        Ok(())
    }

    fn under_way(&self) -> LocalBoxFuture<'_, Result<Vec<UnderWay>, Refused>> {
        // What is on real wires is not known.
        async { Ok(Vec::new()) }.boxed_local()
    }
}
