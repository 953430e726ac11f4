//! The whole system in real time: service and workers as tasks, servers in containers, and what may be done to them.

use crate::cloud::{ContainerCloud, Site, Tasks, remove};
use crate::docker::Docker;
use crate::door::Door;
use crate::engine::{Ground, OwnCopy, Passwords};
use crate::harm::Refused;
use crate::hosts::Hosts;
use crate::images::Choice;
use crate::local::{FileDisk, SystemDice, vault};
use crate::network::{Addresses, TcpNetwork};
use crate::programs::Programs;
use crate::rack::Rack;
use crate::time::{HostClock, Time};
use crate::ways::Ways;
use rand::RngCore;
use recovery::model::backup::Node;
use recovery::model::photograph::Photograph;
use recovery::model::policy::Policy;
use recovery::model::{InstanceId, Product, Secret};
use recovery::ports::{Clock, Ports};
use recovery::service::{self, ServiceConfig};
use recovery::worker::{self, WorkerConfig};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The host the service runs on.
pub const SERVICE: &str = "service";
const SERVICE_PORT: u16 = 8080;

/// The host that carries a run out.
pub const OPERATOR: &str = "operator";

/// How long a photograph may take.
const LOOK: Duration = Duration::from_secs(60);

/// What a run depends on.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// What plays which engine.
    pub choices: Vec<Choice>,
    /// What is asked for: of the players of an engine, older ones play its earlier versions.
    pub products: Vec<Product>,
    /// Machines for instances: one instance each at a time.
    pub machines: usize,
    /// Migration workers.
    pub workers: usize,
    /// Documented numbers and choices.
    pub policy: Policy,
    /// Whether the ways to servers can be cut, held and slowed down; direct ones are faster.
    pub guarded: bool,
    /// The size of each server's disk, where that is to be small.
    pub disk_bytes: Option<i64>,
}

/// A run's system.
pub struct RealStage {
    /// What all hosts have in common.
    pub site: Site,
    /// The operator's own ports.
    pub ports: Ports,
    /// The service, `host:port`.
    pub service: String,
    /// What users of the service show it.
    pub access_token: Secret,
    pub(crate) hosts: Hosts,
    pub(crate) clocks: BTreeMap<String, HostClock>,
    ground: Common,
}

/// What ports are made of.
#[derive(Clone)]
struct Common {
    site: Site,
    addresses: Addresses,
    guarded: bool,
}

impl Common {
    fn ports(&self, host: &str, clock: &HostClock) -> Ports {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let site = self.site.clone();
        Ports {
            network: Arc::new(TcpNetwork::new(host, site.ways.clone(), self.addresses.clone())),
            database: Arc::new(Door::new(site.clone(), host, Arc::clone(&clock), self.guarded)),
            cloud: Arc::new(ContainerCloud::new(site.clone(), host, Arc::clone(&clock))),
            vault: Arc::clone(&site.ground.vault),
            dice: Arc::new(SystemDice),
            clock,
        }
    }
}

fn token() -> Secret {
    let mut random = rand::rng();
    Secret::new(format!("{:016x}{:016x}", random.next_u64(), random.next_u64()))
}

impl RealStage {
    /// Starts service and workers, and waits until the service listens.
    ///
    /// # Errors
    /// When this machine gives no folder for what they keep, or the service does not come to listen.
    pub async fn start(docker: Docker, options: &StageOptions) -> std::io::Result<Self> {
        let vault = vault(&docker.folder().join("vault"))?;
        let ground = Ground { docker, vault, passwords: Passwords::default() };
        let site = Site {
            ground,
            rack: Rack::new(options.machines),
            programs: Programs::new(&options.choices, &options.products),
            time: Time::default(),
            ways: Ways::default(),
            disk_bytes: options.disk_bytes,
            tasks: Tasks::default(),
        };
        let common = Common { site: site.clone(), addresses: Addresses::default(), guarded: options.guarded };
        let workers: Vec<String> = (1..=options.workers).map(|number| format!("worker-{number}")).collect();
        let names = [SERVICE, OPERATOR].into_iter().map(str::to_owned).chain(workers.iter().cloned());
        let clocks: BTreeMap<_, _> = names.map(|name| (name, HostClock::new(site.time.clone()))).collect();
        let (access_token, worker_token) = (token(), token());
        let stage = Self {
            ports: common.ports(OPERATOR, &clocks[OPERATOR]),
            site,
            service: format!("{SERVICE}:{SERVICE_PORT}"),
            access_token: access_token.clone(),
            hosts: Hosts::default(),
            clocks,
            ground: common,
        };
        let config = ServiceConfig {
            policy: options.policy.clone(),
            port: SERVICE_PORT,
            access_token,
            worker_token: worker_token.clone(),
        };
        stage.add_service(config);
        for name in workers {
            stage.add_worker(&name, &worker_token);
        }
        if !stage.ground.addresses.listened(&stage.service).await {
            return Err(std::io::Error::other("the service does not come to listen"));
        }
        Ok(stage)
    }

    /// The ports of a host.
    #[must_use]
    pub fn ports_of(&self, host: &str) -> Ports {
        let clock = self.clocks.get(host).cloned().unwrap_or_else(|| HostClock::new(self.site.time.clone()));
        self.ground.ports(host, &clock)
    }

    fn add_service(&self, config: ServiceConfig) {
        let ports = self.ports_of(SERVICE);
        let disk = FileDisk::new(self.site.ground.docker.folder().join("store"));
        let main = move || -> futures_util::future::BoxFuture<'static, ()> {
            let (ports, disk, config) = (ports.clone(), Arc::new(disk.clone()), config.clone());
            Box::pin(async move {
                if let Err(error) = service::run(ports, disk, config).await {
                    tracing::warn!(%error, "the service ended and is started again");
                }
            })
        };
        self.hosts.add(SERVICE, Arc::new(main));
    }

    fn add_worker(&self, name: &str, token: &Secret) {
        let ports = self.ports_of(name);
        let config = WorkerConfig { name: name.to_owned(), service: self.service.clone(), token: token.clone() };
        let main = move || -> futures_util::future::BoxFuture<'static, ()> {
            let (ports, config) = (ports.clone(), config.clone());
            Box::pin(async move {
                worker::run(ports, config).await;
            })
        };
        self.hosts.add(name, Arc::new(main));
    }

    /// The content of an instance, or of one node of it, as it truly is; none where its server does not answer.
    pub async fn photograph(&self, instance: &InstanceId, node: Option<Node>) -> Option<Photograph> {
        let lodger = self.site.rack.lodger(instance).filter(|lodger| !lodger.away)?;
        let player = self.site.player(&lodger.server.product).ok()?;
        let look = player.engine.photograph(&self.site.ground, &lodger.server, node);
        match tokio::time::timeout(LOOK, look).await {
            Ok(Ok(photograph)) => Some(Photograph { settings: settings(&lodger.configuration), ..photograph }),
            Ok(Err(error)) => {
                tracing::warn!(%instance, %error, "an instance cannot be photographed");
                None
            }
            Err(_) => {
                tracing::warn!(%instance, "a photograph takes too long");
                None
            }
        }
    }

    /// Has the engine's own client, in an instance's container, read a script for a database as the administrator; what it
    /// complains of goes to `hears`. Gives its exit code.
    ///
    /// # Errors
    /// When there is no such instance, the script cannot be read, or the container engine refuses.
    pub async fn read_script(
        &self,
        instance: &InstanceId,
        database: &str,
        script: &mut dyn Iterator<Item = std::io::Result<bytes::Bytes>>,
        hears: &mut dyn FnMut(&[u8]),
    ) -> Result<i64, Refused> {
        let lodger = self.site.rack.lodger(instance);
        let lodger =
            lodger.ok_or_else(|| Refused::failed(format!("there is no instance {instance} on any machine")))?;
        let player = self.site.player(&lodger.server.product).map_err(Refused::failed)?;
        let reader = player.engine.script_reader(&lodger.server, database);
        let reader = reader.ok_or_else(|| Refused::Unavailable(format!("{} reads no scripts", player.family)))?;
        let process = lodger.server.container.spawn(reader).await.map_err(Refused::failed)?;
        process.feed(script, hears).await.map_err(Refused::failed)
    }

    /// Has the engine's own programs copy a database of an instance into a new one of another instance; gives how long that
    /// took.
    ///
    /// # Errors
    /// When there are no such instances, or a program ends badly.
    pub async fn own_copy(
        &self,
        (from, to): (&InstanceId, &InstanceId),
        database: &str,
        into: &str,
    ) -> Result<Duration, Refused> {
        let server = |instance: &InstanceId| {
            let lodger = self.site.rack.lodger(instance).map(|lodger| lodger.server);
            lodger.ok_or_else(|| Refused::failed(format!("there is no instance {instance} on any machine")))
        };
        let (source, target) = (server(from)?, server(to)?);
        let address = source.container.address().await.map_err(Refused::failed)?;
        let player = self.site.player(&target.product).map_err(Refused::failed)?;
        let copy = OwnCopy { source: &source, address: &address, target: &target, database, into };
        let command = player.engine.own_copy(&copy);
        let command = command.ok_or_else(|| Refused::Unavailable(format!("{} has no such programs", player.family)))?;
        let begun = tokio::time::Instant::now();
        target.container.run(command).await.map_err(Refused::failed)?;
        Ok(begun.elapsed())
    }

    /// Takes an instance off its machine with all it holds. Nobody tells the service.
    ///
    /// # Errors
    /// When there is no such instance.
    pub async fn vanish(&self, instance: &InstanceId) -> Result<(), Refused> {
        let lodger = self.site.rack.free(instance);
        let lodger =
            lodger.ok_or_else(|| Refused::failed(format!("there is no instance {instance} on any machine")))?;
        remove(&lodger.server).await.map_err(Refused::failed)
    }

    /// Ends everything: tasks first, then containers.
    ///
    /// # Errors
    /// When the container engine refuses.
    pub async fn close(&self) -> Result<(), Refused> {
        self.site.tasks.end();
        self.hosts.end().await;
        self.site.ground.docker.close().await.map_err(Refused::failed)
    }
}

impl Drop for RealStage {
    fn drop(&mut self) {
        self.site.tasks.end();
    }
}

/// The settings that a recovery must not change, as photographs show them.
fn settings(configuration: &recovery::model::instance::Configuration) -> BTreeMap<String, String> {
    let whitelist: Vec<&str> = configuration.whitelist.iter().map(String::as_str).collect();
    let own = [("whitelist".to_owned(), whitelist.join(",")), ("ssl".to_owned(), configuration.ssl.to_string())];
    let parameters = configuration.parameters.iter().map(|(name, value)| (format!("parameter.{name}"), value.clone()));
    own.into_iter().chain(parameters).collect()
}
