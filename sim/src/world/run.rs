//! The population of a run: the service, its workers, the machines, the application and the operator.

use super::control::{APPLICATION, Control, Guests, STRANGER};
use super::dice::generator;
use super::disk::MemoryDisk;
use super::engine::{EngineOptions, Facts, HostKit, HostPlan, WorldError, drive};
use super::meddler::Meddler;
use crate::servers::{MachineHost, Rack, SimCloud, SimDatabase, run_machine};
use jiff::{SignedDuration, Timestamp};
use rand::RngCore;
use recovery::model::Secret;
use recovery::model::policy::Policy;
use recovery::ports::{Disk, Ports, Vault};
use recovery::service::{self, ServiceConfig};
use recovery::worker::{self, WorkerConfig};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// The host the service runs on.
pub const SERVICE: &str = "service";
const SERVICE_PORT: u16 = 8080;

/// What a run depends on.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Seed of everything random.
    pub seed: u64,
    /// Machines for instances: one instance each at a time.
    pub machines: usize,
    /// Migration workers.
    pub workers: usize,
    /// Longest latency of a message in milliseconds; the shortest is one.
    pub latency_ms_max: u64,
    /// How far hosts' clocks are ahead of true time at the start.
    pub skew_ms: BTreeMap<String, i64>,
    /// Whether there is a host of somebody whom no whitelist names.
    pub stranger: bool,
    /// Documented numbers and choices.
    pub policy: Policy,
    /// Who stands between the system and its ports; nobody, unless a faulty variant of the system is wanted.
    pub meddler: Option<Arc<dyn Meddler>>,
    /// True time at the start.
    pub start: Timestamp,
    /// Virtual time after which the run is given up.
    pub virtual_limit: SignedDuration,
    /// Steps after which the run is given up.
    pub step_limit: u64,
}

impl Default for WorldOptions {
    fn default() -> Self {
        let EngineOptions { seed, start, latency_ms_max, skew_ms, virtual_limit, step_limit } =
            EngineOptions::default();
        let policy = Policy::default();
        Self {
            seed,
            machines: 4,
            workers: 2,
            stranger: false,
            latency_ms_max,
            skew_ms,
            policy,
            meddler: None,
            start,
            virtual_limit,
            step_limit,
        }
    }
}

impl WorldOptions {
    fn engine(&self) -> EngineOptions {
        EngineOptions {
            seed: self.seed,
            start: self.start,
            latency_ms_max: self.latency_ms_max,
            skew_ms: self.skew_ms.clone(),
            virtual_limit: self.virtual_limit,
            step_limit: self.step_limit,
        }
    }
}

/// What the operator of a run is given.
pub struct Stage {
    /// The operator's own ports.
    pub ports: Ports,
    /// Faults and the truth.
    pub control: Control,
    /// The service, `host:port`.
    pub service: String,
    /// What users of the service show it.
    pub access_token: Secret,
}

/// What all hosts have in common.
#[derive(Clone)]
struct Ground {
    vault: Vault,
    rack: Rack,
    policy: Policy,
    meddler: Option<Arc<dyn Meddler>>,
    access_token: Secret,
    worker_token: Secret,
}

impl Ground {
    fn new(options: &WorldOptions, machines: &[String]) -> Self {
        let mut random = generator(options.seed, "tokens", 0);
        let mut token = || Secret::new(format!("{:016x}{:016x}", random.next_u64(), random.next_u64()));
        Self {
            vault: Arc::new(object_store::memory::InMemory::new()),
            rack: Rack::new(options.seed, machines),
            policy: options.policy.clone(),
            meddler: options.meddler.clone(),
            access_token: token(),
            worker_token: token(),
        }
    }

    fn ports(&self, kit: HostKit) -> Ports {
        let HostKit { clock, network, dice, .. } = kit;
        let database = SimDatabase::new(Arc::clone(&clock), Arc::clone(&network));
        let cloud = SimCloud::new(Arc::clone(&clock), Arc::clone(&network), Arc::clone(&self.vault), self.rack.clone());
        let vault = Arc::clone(&self.vault);
        Ports { clock, network, database: Arc::new(database), cloud: Arc::new(cloud), vault, dice }
    }

    /// The ports of a host of the system itself.
    fn system_ports(&self, kit: HostKit) -> Ports {
        let name = kit.name.clone();
        let ports = self.ports(kit);
        match &self.meddler {
            Some(meddler) => meddler.ports(&name, ports),
            None => ports,
        }
    }

    fn service(&self) -> HostPlan {
        let (ground, disk) = (self.clone(), MemoryDisk::new());
        let kept = disk.clone();
        let plan = HostPlan::new(SERVICE, move |kit| {
            let config = ServiceConfig {
                policy: ground.policy.clone(),
                port: SERVICE_PORT,
                access_token: ground.access_token.clone(),
                worker_token: ground.worker_token.clone(),
            };
            let mut disk: Arc<dyn Disk> = Arc::new(kept.clone());
            if let Some(meddler) = &ground.meddler {
                disk = meddler.disk(disk);
            }
            let ports = ground.system_ports(kit);
            async move {
                if let Err(error) = service::run(ports, disk, config).await {
                    tracing::warn!(%error, "the service ended and is started again");
                }
            }
        });
        plan.with_disk(disk)
    }

    fn worker(&self, name: &str) -> HostPlan {
        let ground = self.clone();
        HostPlan::new(name, move |kit| {
            let config = WorkerConfig {
                name: kit.name.clone(),
                service: format!("{SERVICE}:{SERVICE_PORT}"),
                token: ground.worker_token.clone(),
            };
            let ports = ground.system_ports(kit);
            async move {
                worker::run(ports, config).await;
            }
        })
    }

    fn machine(&self, name: &str) -> HostPlan {
        let ground = self.clone();
        HostPlan::new(name, move |kit| {
            let (vault, rack) = (Arc::clone(&ground.vault), ground.rack.clone());
            let HostKit { name, clock, network, .. } = kit;
            async move {
                if let Err(error) = run_machine(MachineHost { name, clock, network, vault, rack }).await {
                    tracing::warn!(%error, "a machine ended and is started again");
                }
            }
        })
        .started_when_called()
    }

    fn lodging(&self, name: &str, guests: &Guests) -> HostPlan {
        let (ground, guests) = (self.clone(), guests.clone());
        HostPlan::new(name, move |kit| guests.clone().serve(ground.ports(kit))).started_when_called()
    }
}

/// Runs the whole system in the simulated world until the operator's future ends.
///
/// Hosts: `service`, `worker-1` and on, `machine-1` and on, `application`, `operator`, and where it is asked for `stranger`.
///
/// # Errors
/// See [`WorldError`].
pub fn run<T, F, Fut>(options: &WorldOptions, operator: F) -> Result<(T, Facts), WorldError>
where
    F: FnOnce(Stage) -> Fut + 'static,
    Fut: Future<Output = T> + 'static,
    T: 'static,
{
    let named =
        |kind: &str, count: usize| -> Vec<String> { (1..=count).map(|number| format!("{kind}-{number}")).collect() };
    let machines = named("machine", options.machines);
    let ground = Ground::new(options, &machines);
    let lodgings = [Some(APPLICATION), options.stranger.then_some(STRANGER)];
    let guests: BTreeMap<_, _> = lodgings.into_iter().flatten().map(|name| (name, Guests::default())).collect();
    let mut hosts = vec![ground.service()];
    hosts.extend(named("worker", options.workers).iter().map(|name| ground.worker(name)));
    hosts.extend(machines.iter().map(|name| ground.machine(name)));
    hosts.extend(guests.iter().map(|(name, guests)| ground.lodging(name, guests)));
    let seed = options.seed;
    drive(&options.engine(), hosts, move |kit, faults| {
        operator(Stage {
            control: Control::new(faults, ground.rack.clone(), Arc::clone(&ground.vault), seed, guests),
            service: format!("{SERVICE}:{SERVICE_PORT}"),
            access_token: ground.access_token.clone(),
            ports: ground.ports(kit),
        })
    })
}
