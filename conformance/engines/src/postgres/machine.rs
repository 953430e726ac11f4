//! A PostgreSQL server in a container: started empty, waited for, given its settings, and asked as its administrator.

use super::connection::{Connection, Door};
use super::{CONTROL, LAYOUT, WRITERS, ident, literal};
use crate::docker::{Command, Container, ContainerOrder};
use crate::engine::{Birth, Ground, Server};
use crate::images::{Family, Image};
use recovery::model::Secret;
use recovery::model::instance::Configuration;
use recovery::ports::cloud::CloudError;
use recovery::ports::database::{DatabaseError, Login};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// The port servers listen on in their containers.
const PORT: u16 = 5432;
/// The administrator.
pub const ROOT: &str = "postgres";
/// The account of the container that the server runs as.
const SYSTEM: &str = "postgres";
/// Where finished segments of the log lie in the container, under the folder that [`LIBRARY`] names.
pub const ARCHIVE: &str = "firedrill_wal";
/// The folder of that.
pub const LIBRARY: &str = "/var/lib/postgresql";
/// How long a server may take to answer.
const ANSWERS: Duration = Duration::from_secs(180);
/// The database users begin with.
const FIRST: &str = "app";

/// What the server is told at its start: to keep its log in finished segments, each under its name once it is whole.
fn arguments() -> Vec<String> {
    let archive = format!("{LIBRARY}/{ARCHIVE}");
    let keep = format!(
        "archive_command=mkdir -p {archive} && test ! -e {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f"
    );
    let settings = ["archive_mode=on", "wal_level=replica", "max_wal_senders=8", keep.as_str(), "max_connections=200"];
    let settings = settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]);
    std::iter::once("postgres".to_owned()).chain(settings).collect()
}

/// The folder of a server's data in its image: from 18 on it has the version in it.
#[must_use]
pub fn data_folder(image: &Image) -> String {
    let version: u32 =
        image.tag().split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or("").parse().unwrap_or(0);
    if version >= 18 { format!("{LIBRARY}/{version}/docker") } else { format!("{LIBRARY}/data") }
}

/// Starts a container for a server; where it is gated, its data can be put in before the server starts.
///
/// # Errors
/// When it does not start.
pub async fn start(ground: &Ground, birth: &Birth, gated: bool) -> Result<Server, CloudError> {
    let mut order = ContainerOrder::new(birth.image.clone(), PORT)
        .variable("POSTGRES_PASSWORD", birth.root.expose())
        .variable("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C.UTF-8 --no-sync --wal-segsize=4")
        .arguments(arguments());
    order.gated = gated;
    order.small_disks.extend(birth.disk_bytes.map(|bytes| (data_folder(&birth.image), bytes)));
    let container = ground.docker.start(order).await?;
    Ok(Server {
        instance: birth.instance.clone(),
        product: birth.product,
        family: Family::Postgres,
        image: birth.image.clone(),
        container,
        replica: None,
        root: birth.root.clone(),
    })
}

/// A line for the shell, as the account the server runs as.
#[must_use]
pub fn shell(line: impl Into<String>) -> Command {
    Command::shell(line).account(SYSTEM)
}

/// Waits until a server takes writes; gives what it said last, where it ends instead.
///
/// # Errors
/// When it does not come to answer.
pub async fn wait(server: &Server) -> Result<(), CloudError> {
    let until = Instant::now() + ANSWERS;
    loop {
        let answer = match control(server).await {
            Ok(control) => control.one("SELECT pg_is_in_recovery()", &[]).await.map(|row| row.get::<_, bool>(0)),
            Err(error) => Err(error),
        };
        if matches!(answer, Ok(false)) {
            return Ok(());
        }
        if !server.container.is_running().await? {
            return Err(CloudError::Failed(format!("the server ended: {}", last_words(&server.container).await)));
        }
        match answer {
            Ok(_) | Err(DatabaseError::Unreachable(_)) if Instant::now() < until => {}
            Ok(_) => return Err(CloudError::Failed("the server does not end its recovery".into())),
            Err(error) => return Err(failed(error)),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a server that ended complained of.
pub async fn last_words(container: &Container) -> String {
    let log = container.log(200).await.unwrap_or_default();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("FATAL") || line.contains("PANIC")).collect();
    if told.is_empty() { log.lines().last().unwrap_or_default().to_owned() } else { told.join("; ") }
}

/// A connection of the administrator to a database of a server.
///
/// # Errors
/// When it does not answer.
pub async fn connect(server: &Server, database: &str) -> Result<Connection, DatabaseError> {
    let endpoint = server.container.endpoint().await;
    let endpoint = endpoint.map_err(|error| DatabaseError::Unreachable(error.to_string()))?;
    let login = Login { account: ROOT.to_owned(), password: server.root.clone(), ssl: false };
    Door::new(&endpoint, &login)?.open(database, "firedrill administrator").await
}

/// A connection of the administrator to the server's own database.
///
/// # Errors
/// When it does not answer.
pub async fn control(server: &Server) -> Result<Connection, DatabaseError> {
    connect(server, CONTROL).await
}

/// The databases of users.
///
/// # Errors
/// When the server refuses.
pub async fn databases(control: &Connection) -> Result<Vec<(String, String)>, DatabaseError> {
    let sql = "SELECT datname::text, pg_encoding_to_char(encoding)::text FROM pg_database \
               WHERE datallowconn AND NOT datistemplate AND datname <> $1 ORDER BY datname";
    Ok(control.query(sql, &[&CONTROL]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// What a server's refusal means for an order of the cloud.
#[must_use]
pub fn failed(error: DatabaseError) -> CloudError {
    match error {
        DatabaseError::Unreachable(why) => CloudError::Unreachable(why),
        other => CloudError::Failed(other.to_string()),
    }
}

/// Lays an empty server out: where tasks are claimed and the log is marked, the role of those that write everything,
/// and the first database.
///
/// # Errors
/// When the server refuses.
pub async fn lay_out(server: &Server) -> Result<(), DatabaseError> {
    let control = control(server).await?;
    control.execute(LAYOUT).await?;
    control.execute(super::archive::LAYOUT).await?;
    let writers = ident(WRITERS);
    let make = format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {0}) THEN CREATE ROLE {writers}; END IF; \
         IF current_setting('server_version_num')::int >= 140000 THEN \
           EXECUTE 'GRANT pg_read_all_data, pg_write_all_data TO {writers}'; END IF; \
         IF current_setting('server_version_num')::int >= 150000 THEN \
           EXECUTE 'GRANT SET ON PARAMETER session_replication_role TO {writers}'; END IF; END $$",
        literal(WRITERS)
    );
    control.execute(&make).await?;
    match control.execute(&format!("CREATE DATABASE {} OWNER {writers} TEMPLATE template0", ident(FIRST))).await {
        Ok(()) | Err(DatabaseError::ObjectExists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Settings that the cloud gives itself, whatever the configuration says.
const OWN: [&str; 5] = ["ssl", "ssl_cert_file", "ssl_key_file", "timezone", "log_timezone"];

/// Gives a server its settings.
///
/// # Errors
/// When it refuses one.
pub async fn configure(server: &Server, configuration: &Configuration) -> Result<(), CloudError> {
    if configuration.ssl {
        // The certificate is the server's own, made once.
        let line = "cd \"$PGDATA\"; [ -s server.crt ] || { umask 077; openssl req -x509 -newkey rsa:2048 -nodes -days 3650 \
                    -subj /CN=firedrill -keyout server.key -out server.crt.new 2>/dev/null; mv server.crt.new server.crt; }";
        server.container.run(shell(line)).await?;
    }
    settings(server, configuration).await.map_err(failed)
}

async fn settings(server: &Server, configuration: &Configuration) -> Result<(), DatabaseError> {
    let control = control(server).await?;
    let zone = |name: &str| if name == "time_zone" { "timezone".to_owned() } else { name.to_lowercase() };
    let wanted: BTreeSet<String> = configuration.parameters.keys().map(|name| zone(name)).collect();
    let sql = "SELECT DISTINCT lower(name) FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'";
    for row in control.query(sql, &[]).await? {
        let name: String = row.get(0);
        if !wanted.contains(&name) && !OWN.contains(&name.as_str()) {
            control.execute(&format!("ALTER SYSTEM RESET {}", ident(&name))).await?;
        }
    }
    let ssl = if configuration.ssl { "on" } else { "off" };
    let own = [("ssl", ssl), ("timezone", "UTC"), ("log_timezone", "UTC")];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let given = configuration.parameters.iter().map(|(name, value)| (zone(name), value.clone()));
    for (name, value) in own.chain(given) {
        control.execute(&format!("ALTER SYSTEM SET {} = {}", ident(&name), literal(&value))).await?;
    }
    control.execute("SELECT pg_reload_conf()").await
}

/// Sets the time zone that functions go by.
///
/// # Errors
/// When the server does not know it.
pub async fn time_zone(server: &Server, zone: &str) -> Result<(), DatabaseError> {
    let control = control(server).await?;
    control.execute(&format!("ALTER SYSTEM SET timezone = {}", literal(zone))).await?;
    control.execute("SELECT pg_reload_conf()").await
}

/// Gives the administrator of a server that was restored the password this one is to have.
///
/// # Errors
/// When the server refuses.
pub async fn own_password(container: &Container, root: &Secret) -> Result<(), CloudError> {
    let sql = format!("ALTER ROLE {} PASSWORD {}", ident(ROOT), literal(root.expose()));
    let line = format!("psql -XqAt -v ON_ERROR_STOP=1 -U {ROOT} -d {CONTROL}");
    container.run(shell(line).input(sql)).await?;
    Ok(())
}
