//! Redis and Valkey servers in containers: a master, and a replica that backups are taken on (RED-03).

use super::accounts::{self, ROOT, kept, named, refused};
use super::claims::BOOKS;
use super::line::{Line, elements, number};
use super::{Redis, backup, photograph};
use crate::docker::{Command, Container, ContainerOrder};
use crate::engine::{Birth, Engine, Ground, Kept, Restore, Server};
use crate::images::{Family, Image};
use async_trait::async_trait;
use jiff::Timestamp;
use object_store::path::Path;
use recovery::model::Secret;
use recovery::model::backup::{BackupKind, Held, Node};
use recovery::model::instance::{Configuration, FirstAccount};
use recovery::model::photograph::{Photograph, PhotographedAccount, password_mark};
use recovery::model::views::AccountView;
use recovery::ports::Database;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::Login;
use std::sync::Arc;
use std::time::Duration;

/// The port servers listen on.
pub(super) const PORT: u16 = 6379;
/// Where their data is.
pub(super) const DATA: &str = "/data";
/// Where their accounts are kept.
const ACCOUNTS: &str = "/firedrill/users.acl";
/// How often and how long a server that starts is asked.
const ASKED: (Duration, u32) = (Duration::from_millis(100), 600);
/// Parameters that only the simulated server knows.
const SIMULATED: [&str; 2] = ["replica_lag_ms", "backup_node"];

/// The servers of a family.
#[derive(Debug, Clone, Copy)]
pub struct RedisServers {
    family: Family,
}

impl RedisServers {
    /// Of Redis or Valkey.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self { family }
    }

    /// The server's program.
    pub(super) fn program(self) -> &'static str {
        if self.family == Family::Valkey { "valkey-server" } else { "redis-server" }
    }

    /// The client's program.
    pub(super) fn client(self) -> &'static str {
        if self.family == Family::Valkey { "valkey-cli" } else { "redis-cli" }
    }

    fn order(self, birth: &Birth, own: &[String]) -> ContainerOrder {
        let databases = (BOOKS + 1).to_string();
        let password = birth.root.expose();
        let arguments = [
            self.program(),
            "--databases",
            &databases,
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--aclfile",
            ACCOUNTS,
            "--masteruser",
            ROOT,
            "--masterauth",
            password,
            "--protected-mode",
            "no",
            "--repl-diskless-sync",
            "yes",
            "--repl-diskless-sync-delay",
            "0",
        ];
        let mut order = ContainerOrder::new(birth.image.clone(), PORT)
            .arguments(arguments.map(str::to_owned))
            .arguments(own.iter().cloned());
        order.gated = true;
        order.small_disks = birth.disk_bytes.map(|bytes| (DATA.to_owned(), bytes)).into_iter().collect();
        order
    }

    /// Puts the accounts into a container whose server does not run yet.
    async fn prepare(self, container: &Container, root: &Secret, others: &[String]) -> Result<(), CloudError> {
        let told = container.run(Command::new([self.program(), "--version"])).await?.text();
        // Channels are known to rules since 6.2.
        let channels = if told.contains("v=6.0") { "" } else { "&* " };
        let mut lines = vec![format!("user {ROOT} on {} ~* {channels}+@all", kept(root))];
        lines.extend(others.iter().cloned());
        let line = format!("mkdir -p /firedrill && cat > {ACCOUNTS} && chown -R redis /firedrill {DATA}");
        let text = lines.join("\n") + "\n";
        Ok(container.run(Command::shell(line).input(text)).await.map(drop)?)
    }

    /// Starts master and replica; `fill` puts data into the master's container before its server runs.
    async fn start(
        self,
        ground: &Ground,
        birth: &Birth,
        others: &[String],
        data: Option<&Kept>,
    ) -> Result<Server, CloudError> {
        if birth.configuration.ssl {
            let why = "SSL is not available with real Redis and Valkey servers";
            return Err(CloudError::Failed(why.to_owned()));
        }
        let container = ground.docker.start(self.order(birth, &[])).await?;
        let mut server = Server {
            instance: birth.instance.clone(),
            product: birth.product,
            family: self.family,
            image: birth.image.clone(),
            container,
            replica: None,
            root: birth.root.clone(),
        };
        let started = async {
            self.prepare(&server.container, &birth.root, others).await?;
            if let Some(data) = data {
                backup::load(self, ground, &server.container, data).await?;
            }
            server.container.open().await?;
            answers(&server, &server.container).await?;
            let replica = ground.docker.start(self.order(birth, &[])).await?;
            server.replica = Some(replica.clone());
            self.prepare(&replica, &birth.root, &[]).await?;
            replica.open().await?;
            self.wait(&server).await?;
            self.configure(&server, &birth.configuration).await
        };
        match started.await {
            Ok(()) => Ok(server),
            Err(error) => {
                // Nobody will know of them.
                for container in [Some(&server.container), server.replica.as_ref()].into_iter().flatten() {
                    let _ = container.remove().await;
                }
                Err(error)
            }
        }
    }
}

fn login(root: &Secret) -> Login {
    Login { account: ROOT.to_owned(), password: root.clone(), ssl: false }
}

/// The administrator's connection with one node.
pub(super) async fn root(server: &Server, container: &Container) -> Result<Line, CloudError> {
    let endpoint = container.endpoint().await?;
    Line::open(&endpoint, &login(&server.root)).await.map_err(refused)
}

/// The replica's container.
pub(super) fn replica(server: &Server) -> Result<&Container, CloudError> {
    server.replica.as_ref().ok_or_else(|| CloudError::Failed(format!("{} has no replica", server.instance)))
}

/// Waits until a node answers.
async fn answers(server: &Server, container: &Container) -> Result<Line, CloudError> {
    let mut last = String::new();
    for _ in 0..ASKED.1 {
        match root(server, container).await {
            Ok(mut line) => match line.one(&[b"PING"]).await {
                Ok(_) => return Ok(line),
                Err(error) => last = error.to_string(),
            },
            Err(error) => last = error.to_string(),
        }
        if !container.is_running().await? {
            break;
        }
        tokio::time::sleep(ASKED.0).await;
    }
    let said = container.log(20).await.unwrap_or_default();
    Err(CloudError::Failed(format!("the server of {} does not answer: {last}; it said: {said}", server.instance)))
}

/// The address of a container for others of its network.
async fn address(container: &Container) -> Result<String, CloudError> {
    let told = container.run(Command::new(["hostname", "-i"])).await?.text();
    Ok(told.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Waits until the replica has all that the master had written when it was asked; says the place that is.
pub(super) async fn caught_up(master: &mut Line, replica: &mut Line) -> Result<u64, CloudError> {
    for _ in 0..ASKED.1 {
        master.look().await.map_err(refused)?;
        let wanted: u64 = master.said("master_repl_offset").and_then(|at| at.parse().ok()).unwrap_or(0);
        for _ in 0..20 {
            replica.look().await.map_err(refused)?;
            let up = replica.said("master_link_status") == Some("up");
            let has = replica.said("slave_repl_offset").and_then(|at| at.parse().ok()).unwrap_or(0);
            if up && has >= wanted {
                return Ok(has);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Err(CloudError::Failed("the replica does not catch up with its master".to_owned()))
}

/// The server's time.
pub(super) async fn now(line: &mut Line) -> Result<Timestamp, CloudError> {
    let told: Vec<i64> = elements(line.one(&[b"TIME"]).await.map_err(refused)?).iter().filter_map(number).collect();
    let time = told.first().zip(told.get(1)).and_then(|(second, micros)| {
        Timestamp::from_microsecond(second.checked_mul(1_000_000)?.checked_add(*micros)?).ok()
    });
    time.ok_or_else(|| CloudError::Failed("the server does not tell its time".to_owned()))
}

#[async_trait]
impl Engine for RedisServers {
    fn database(&self) -> Arc<dyn Database> {
        Arc::new(Redis)
    }

    async fn begin(
        &self,
        ground: &Ground,
        birth: &Birth,
        account: Option<&FirstAccount>,
    ) -> Result<Server, CloudError> {
        let server = self.start(ground, birth, &[], None).await?;
        if let Some(account) = account {
            ground.passwords.note(&account.name, &account.password);
            let mut line = root(&server, &server.container).await?;
            accounts::change(&mut line, &AccountOrder::Create(account.clone())).await?;
        }
        Ok(server)
    }

    async fn restore(
        &self,
        ground: &Ground,
        birth: &Birth,
        restore: &Restore,
    ) -> Result<(Server, Option<Timestamp>), CloudError> {
        if restore.until.is_some() {
            return Err(CloudError::Failed("a Redis instance is made from one backup and no log".to_owned()));
        }
        let others = backup::accounts(ground, &restore.data).await?;
        let server = self.start(ground, birth, &others, Some(&restore.data)).await?;
        Ok((server, Some(restore.data.held.to_time)))
    }

    async fn wait(&self, server: &Server) -> Result<(), CloudError> {
        let mut master = answers(server, &server.container).await?;
        let mut replica = answers(server, replica(server)?).await?;
        // A container may have another address after each start.
        let address = address(&server.container).await?;
        replica.look().await.map_err(refused)?;
        if replica.said("master_host") != Some(address.as_str()) {
            let port = PORT.to_string();
            replica.one(&[b"REPLICAOF", address.as_bytes(), port.as_bytes()]).await.map_err(refused)?;
        }
        caught_up(&mut master, &mut replica).await.map(drop)
    }

    async fn back_up(
        &self,
        ground: &Ground,
        server: &Server,
        place: &Path,
        kind: BackupKind,
        _after_position: u64,
    ) -> Result<Held, CloudError> {
        match kind {
            BackupKind::Data => backup::take_data(ground, server, place).await,
            BackupKind::Log => Err(CloudError::Failed("a Redis server has no log backups".to_owned())),
        }
    }

    async fn overwrite(&self, ground: &Ground, server: &Server, data: &Kept) -> Result<(), CloudError> {
        backup::overwrite(*self, ground, server, data).await
    }

    async fn configure(&self, server: &Server, configuration: &Configuration) -> Result<(), CloudError> {
        if configuration.ssl {
            let why = "SSL is not available with real Redis and Valkey servers";
            return Err(CloudError::Failed(why.to_owned()));
        }
        let known = configuration.parameters.iter().filter(|(name, _)| !SIMULATED.contains(&name.as_str()));
        for (name, value) in known {
            for container in [&server.container, replica(server)?] {
                let mut line = root(server, container).await?;
                line.one(&[b"CONFIG", b"SET", name.as_bytes(), value.as_bytes()]).await.map_err(refused)?;
            }
        }
        Ok(())
    }

    async fn account(&self, server: &Server, order: &AccountOrder) -> Result<(), CloudError> {
        accounts::change(&mut root(server, &server.container).await?, order).await
    }

    async fn accounts(&self, server: &Server) -> Result<Vec<AccountView>, CloudError> {
        accounts::all(&mut root(server, &server.container).await?).await.map_err(refused)
    }

    async fn photograph(&self, ground: &Ground, server: &Server, node: Option<Node>) -> Result<Photograph, CloudError> {
        let container = if node == Some(Node::Replica) { replica(server)? } else { &server.container };
        let mut line = root(server, container).await?;
        // Nothing is written while the keys are looked at one by one.
        let pauses = line.version() >= (6, 2) && node != Some(Node::Replica);
        if pauses {
            line.one(&[b"CLIENT", b"PAUSE", b"20000", b"WRITE"]).await.map_err(refused)?;
        }
        let taken = photograph::photograph(&mut line).await.map_err(refused);
        if pauses {
            line.one(&[b"CLIENT", b"UNPAUSE"]).await.map_err(refused)?;
        }
        let mut photograph = taken?;
        let mut master = root(server, &server.container).await?;
        let lines = accounts::lines(&mut master).await.map_err(refused)?;
        for AccountView { name, grants } in accounts::all(&mut master).await.map_err(refused)? {
            let rules = lines.iter().filter_map(|line| named(line)).find(|(own, _)| *own == name);
            let rules = rules.map(|(_, rules)| rules).unwrap_or_default();
            let known =
                ground.passwords.of(&name).into_iter().find(|password| rules.contains(&kept(password).as_str()));
            let password_mark = known.map_or_else(|| "unknown".to_owned(), |password| password_mark(&password));
            photograph.accounts.insert(name, PhotographedAccount { password_mark, grants });
        }
        Ok(photograph)
    }

    async fn time_zone(&self, server: &Server, zone: &str) -> Result<(), CloudError> {
        Err(CloudError::Failed(format!(
            "the functions of {} go by no time zone, so not by {zone} either",
            server.instance
        )))
    }

    fn data_folder(&self, _: &Image) -> String {
        DATA.to_owned()
    }
}
