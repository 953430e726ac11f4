//! MySQL and MariaDB servers in containers.

use super::accounts::{self, refused};
use super::claims::MAKE_BOOKS;
use super::line::{Line, Mode};
use super::{MySql, backup, photograph, quote, restore};
use crate::docker::{Command, Container, ContainerOrder};
use crate::engine::{Birth, Engine, Ground, Kept, OwnCopy, Restore, Server};
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
use recovery::ports::database::{DatabaseError, Login};
use std::sync::Arc;
use std::time::Duration;

/// The port servers listen on.
const PORT: u16 = 3306;
/// Where their data is.
pub(super) const DATA: &str = "/var/lib/mysql";
/// The administrator.
const ROOT: &str = "root";
/// The default database, as every engine has it.
const DEFAULT: &str = "app";
/// How often and how long a server that starts is asked.
const ASKED: (Duration, u32) = (Duration::from_millis(200), 900);

/// Where a MariaDB server's own certificate is, where it does not make one by itself.
const CERTIFICATE: (&str, &str) = ("/firedrill.pem", "/firedrill.key");

/// The servers of a family.
#[derive(Debug, Clone, Copy)]
pub struct MySqlServers {
    family: Family,
}

impl MySqlServers {
    /// Of MySQL or MariaDB.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self { family }
    }

    /// Which.
    pub(super) fn family(self) -> Family {
        self.family
    }

    fn is_mariadb(self) -> bool {
        self.family == Family::MariaDb
    }

    fn program(self) -> &'static str {
        if self.is_mariadb() { "mariadbd" } else { "mysqld" }
    }

    /// What a server is started with.
    pub(super) fn order(self, birth: &Birth) -> ContainerOrder {
        let mut arguments = vec![
            self.program().to_owned(),
            "--server-id=1001".to_owned(),
            "--log-bin=binlog".to_owned(),
            "--sync-binlog=1".to_owned(),
            format!("--binlog-ignore-db={}", super::claims::BOOKS),
            "--log-bin-trust-function-creators=1".to_owned(),
            "--max-allowed-packet=1G".to_owned(),
            "--skip-name-resolve".to_owned(),
        ];
        let (own, password) = if self.is_mariadb() {
            (["--binlog-format=ROW", "--character-set-server=utf8mb4"].as_slice(), "MARIADB_ROOT_PASSWORD")
        } else {
            (
                ["--plugin-load-add=mysql_clone.so", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"].as_slice(),
                "MYSQL_ROOT_PASSWORD",
            )
        };
        arguments.extend(own.iter().map(|argument| (*argument).to_owned()));
        if self.certified() {
            arguments.extend([format!("--ssl-cert={}", CERTIFICATE.0), format!("--ssl-key={}", CERTIFICATE.1)]);
        }
        for (name, value) in &birth.configuration.parameters {
            let name = if name == "time_zone" { "default-time-zone" } else { name };
            arguments.push(format!("--{}={value}", name.replace('_', "-")));
        }
        let mut order =
            ContainerOrder::new(birth.image.clone(), PORT).variable(password, birth.root.expose()).arguments(arguments);
        order.gated = self.certified();
        order.small_disks = birth.disk_bytes.map(|bytes| (DATA.to_owned(), bytes)).into_iter().collect();
        order
    }

    /// Whether a certificate has to be made. Servers offer SSL or not from their start on, so that they always do, and who may
    /// use it is seen to at the door; MariaDB makes a certificate of its own only since 11.4.
    pub(super) fn certified(self) -> bool {
        self.is_mariadb()
    }

    /// Makes a certificate in a container whose server does not run yet.
    pub(super) async fn certify(self, container: &Container) -> Result<(), CloudError> {
        let (certificate, key) = CERTIFICATE;
        let line = format!(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=firedrill -out {certificate} -keyout {key} \
             2>/dev/null && chmod 644 {certificate} {key}"
        );
        Ok(container.run(Command::shell(line)).await.map(drop)?)
    }

    /// Waits for a new server, and takes its container down where it does not come to answer.
    pub(super) async fn arrive(
        self,
        birth: &Birth,
        container: Container,
        prepared: Result<(), CloudError>,
    ) -> Result<Server, CloudError> {
        let server = Server {
            instance: birth.instance.clone(),
            product: birth.product,
            family: self.family,
            image: birth.image.clone(),
            container,
            replica: None,
            root: birth.root.clone(),
        };
        let arrived = match prepared {
            Ok(()) => self.settle(&server).await,
            Err(error) => Err(error),
        };
        match arrived {
            Ok(()) => Ok(server),
            Err(error) => {
                // Nobody will know of it.
                let _ = server.container.remove().await;
                Err(error)
            }
        }
    }

    async fn settle(self, server: &Server) -> Result<(), CloudError> {
        self.wait(server).await?;
        let mut line = root(server).await?;
        line.exec("SET SESSION sql_log_bin = 0").await.map_err(refused)?;
        line.exec(MAKE_BOOKS).await.map(drop).map_err(refused)
    }
}

/// The administrator's connection.
pub(super) async fn root(server: &Server) -> Result<Line, CloudError> {
    let endpoint = server.container.endpoint().await?;
    let mut line = Line::open(&endpoint, &login(server)).await.map_err(refused)?;
    line.set(Mode::Bulk).await.map_err(refused)?;
    Ok(line)
}

fn login(server: &Server) -> Login {
    Login { account: ROOT.to_owned(), password: server.root.clone(), ssl: false }
}

/// A program of the server's, run in its container as the administrator.
pub(super) fn as_root(root: &Secret, line: impl Into<String>) -> Command {
    // Not every system's `sh` tells of what fails inside a pipe.
    Command::new(["bash".to_owned(), "-ec".to_owned(), format!("set -o pipefail; {}", line.into())])
        .variable("MYSQL_PWD", root.expose())
        .variable("TZ", "UTC")
        .variable("LC_ALL", "C.UTF-8")
}

#[async_trait]
impl Engine for MySqlServers {
    fn database(&self) -> Arc<dyn Database> {
        Arc::new(MySql)
    }

    async fn begin(
        &self,
        ground: &Ground,
        birth: &Birth,
        account: Option<&FirstAccount>,
    ) -> Result<Server, CloudError> {
        let container = ground.docker.start(self.order(birth)).await?;
        let prepared = async {
            if self.certified() {
                self.certify(&container).await?;
                container.open().await?;
            }
            Ok(())
        };
        let prepared = prepared.await;
        let server = self.arrive(birth, container, prepared).await?;
        let mut line = root(&server).await?;
        let made = format!("CREATE DATABASE IF NOT EXISTS {DEFAULT} CHARACTER SET utf8mb4");
        line.exec(&made).await.map_err(refused)?;
        if let Some(account) = account {
            ground.passwords.note(&account.name, &account.password);
            accounts::create(&mut line, account).await?;
        }
        Ok(server)
    }

    async fn restore(
        &self,
        ground: &Ground,
        birth: &Birth,
        restore: &Restore,
    ) -> Result<(Server, Option<Timestamp>), CloudError> {
        restore::restore(*self, ground, birth, restore).await
    }

    async fn wait(&self, server: &Server) -> Result<(), CloudError> {
        let mut last = String::new();
        for _ in 0..ASKED.1 {
            match server.container.endpoint().await {
                Ok(endpoint) => match Line::open(&endpoint, &login(server)).await {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error.to_string(),
                },
                Err(error) => last = error.to_string(),
            }
            if !server.container.is_running().await? {
                break;
            }
            tokio::time::sleep(ASKED.0).await;
        }
        let said = server.container.log(20).await.unwrap_or_default();
        Err(CloudError::Failed(format!("the server of {} does not answer: {last}; it said: {said}", server.instance)))
    }

    async fn back_up(
        &self,
        ground: &Ground,
        server: &Server,
        place: &Path,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError> {
        match kind {
            BackupKind::Data => backup::data(ground, server, place).await,
            BackupKind::Log => backup::log(ground, server, place, after_position).await,
        }
    }

    async fn overwrite(&self, _: &Ground, server: &Server, _: &Kept) -> Result<(), CloudError> {
        let why = format!("{} is of an engine whose instances are not overwritten", server.instance);
        Err(CloudError::Failed(why))
    }

    async fn configure(&self, server: &Server, configuration: &Configuration) -> Result<(), CloudError> {
        let mut line = root(server).await?;
        for (name, value) in &configuration.parameters {
            let is_number = value.parse::<i64>().is_ok();
            let value = if is_number { value.clone() } else { quote::text(value) };
            match line.exec(&format!("SET GLOBAL {} = {value}", quote::name(name))).await {
                Ok(_) => {}
                // Only told at its start, which may have been done.
                Err(DatabaseError::Statement(why)) if why.ends_with("(1238)") => {
                    let now: Option<String> =
                        line.first(&format!("SELECT @@global.{}", quote::name(name))).await.map_err(refused)?;
                    if now.is_none_or(|now| quote::text(&now) != value && now != value) {
                        return Err(CloudError::Failed(format!("{name}: {why}")));
                    }
                }
                Err(error) => return Err(refused(error)),
            }
        }
        Ok(())
    }

    async fn account(&self, server: &Server, order: &AccountOrder) -> Result<(), CloudError> {
        accounts::change(&mut root(server).await?, order).await
    }

    async fn accounts(&self, server: &Server) -> Result<Vec<AccountView>, CloudError> {
        accounts::all(&mut root(server).await?).await.map_err(refused)
    }

    async fn photograph(&self, ground: &Ground, server: &Server, _: Option<Node>) -> Result<Photograph, CloudError> {
        let endpoint = server.container.endpoint().await?;
        let mut session = MySql.connect(&endpoint, &login(server)).await.map_err(refused)?;
        let mut photograph = photograph::photograph(session.as_mut()).await.map_err(refused)?;
        drop(session);
        for AccountView { name, grants } in self.accounts(server).await? {
            let mut password_mark = "unknown".to_owned();
            for password in ground.passwords.of(&name) {
                let login = Login { account: name.clone(), password: password.clone(), ssl: false };
                if Line::open(&endpoint, &login).await.is_ok() {
                    password_mark = self::password_mark(&password);
                    break;
                }
            }
            photograph.accounts.insert(name, PhotographedAccount { password_mark, grants });
        }
        Ok(photograph)
    }

    async fn lose_log(&self, server: &Server) -> Result<(), CloudError> {
        backup::lose_log(server).await
    }

    async fn time_zone(&self, server: &Server, zone: &str) -> Result<(), CloudError> {
        let mut line = root(server).await?;
        let sql = format!("SET GLOBAL time_zone = {}", quote::text(zone));
        if line.exec(&sql).await.is_ok() {
            return Ok(());
        }
        // Names of zones are known once they were loaded.
        let prefix = if self.is_mariadb() { "mariadb-tzinfo-to-sql" } else { "mysql_tzinfo_to_sql" };
        let client = backup::client(self.family);
        let load =
            format!("{prefix} /usr/share/zoneinfo 2>/dev/null | {client} --init-command='SET sql_log_bin=0' mysql");
        server.container.run(as_root(&server.root, load)).await?;
        line.exec(&sql).await.map(drop).map_err(refused)
    }

    fn script_reader(&self, server: &Server, database: &str) -> Option<Command> {
        let client = backup::client(self.family);
        let line = format!(
            "exec {client} --binary-mode --default-character-set=utf8mb4 --max-allowed-packet=1G \
             \"$FIREDRILL_DATABASE\" >/dev/null"
        );
        Some(as_root(&server.root, line).variable("FIREDRILL_DATABASE", database))
    }

    fn own_copy(&self, copy: &OwnCopy<'_>) -> Option<Command> {
        let client = backup::client(self.family);
        let dump = if self.is_mariadb() { "mariadb-dump" } else { "mysqldump --set-gtid-purged=OFF" };
        let line = format!(
            "{client} -e \"CREATE DATABASE $INTO\"; MYSQL_PWD=\"$SOURCE_PASSWORD\" {dump} -h \"$ADDRESS\" -u root \
             --single-transaction \"$SOURCE\" | {client} \"$INTO\""
        );
        let command = as_root(&copy.target.root, line).variable("SOURCE_PASSWORD", copy.source.root.expose());
        Some(command.variable("ADDRESS", copy.address).variable("SOURCE", copy.database).variable("INTO", copy.into))
    }

    fn data_folder(&self, _: &Image) -> String {
        DATA.to_owned()
    }
}
