//! A PostgreSQL server for tests: in a container, or else started from the programs on this machine.

use crate::ground;
use engines::docker::{Command as Order, Docker};
use engines::engine::{Birth, Engine};
use engines::images::{Family, Image, Images};
use engines::postgres::{LAYOUT, Postgres, PostgresEngine};
use recovery::model::Secret;
use recovery::ports::database::Login;
use recovery::ports::{Database, Session};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The password of every account of a test.
pub const PASSWORD: &str = "a pass'word";

/// A server, ended when dropped.
pub struct Server {
    pub endpoint: String,
    running: Running,
}

enum Running {
    /// Held only: its container goes with it.
    Container {
        _docker: Docker,
    },
    Programs(TempDir, PathBuf),
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Running::Programs(folder, programs) = &self.running {
            let data = folder.path().join("data");
            let _ = as_postgres(&programs.join("pg_ctl"))
                .args(["stop", "-m", "immediate", "-D"])
                .arg(data)
                .stdout(Stdio::null())
                .status();
        }
    }
}

/// Why there can be no server.
pub fn missing(absent: Option<&str>) -> Option<String> {
    let absent = absent?;
    programs().is_none().then(|| format!("{absent}; no PostgreSQL server is installed"))
}

/// A server laid out for sessions.
pub async fn server() -> Server {
    let server = match Docker::connect().await {
        Ok(docker) => contained(docker).await,
        Err(_) => start(),
    };
    let server = server.unwrap_or_else(|why| panic!("{why}"));
    let mut session = login(&server, "postgres").await;
    session.run("postgres", LAYOUT).await.expect("the layout");
    server
}

async fn contained(docker: Docker) -> Result<Server, String> {
    let images = Images::new(&[], &docker).await.map_err(|error| error.to_string())?;
    let image = images.of(Family::Postgres).remove(0);
    let ground = ground::ground(docker);
    let server =
        PostgresEngine.begin(&ground, &birth("tested", &image), None).await.map_err(|error| error.to_string())?;
    let line = "sed -i '1i host all stranger all reject' \"$PGDATA/pg_hba.conf\"; psql -qU postgres -c 'select pg_reload_conf()'";
    server.container.run(Order::shell(line).account("postgres")).await.map_err(|error| error.to_string())?;
    let endpoint = server.container.endpoint().await.map_err(|error| error.to_string())?;
    Ok(Server { endpoint, running: Running::Container { _docker: ground.docker } })
}

/// A server as tests want it.
pub fn birth(instance: &str, image: &Image) -> Birth {
    Birth { root: Secret::new(PASSWORD), ..ground::birth(instance, "postgresql 11", image) }
}

/// A session of an account.
pub async fn login(server: &Server, account: &str) -> Box<dyn Session> {
    Postgres::default().connect(&server.endpoint, &as_account(account, PASSWORD)).await.expect("a session")
}

/// How an account logs in without encryption.
pub fn as_account(account: &str, password: &str) -> Login {
    Login { account: account.to_owned(), password: Secret::new(password), ssl: false }
}

fn start() -> Result<Server, String> {
    let programs = programs().ok_or("no PostgreSQL server is installed")?;
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let data = folder.path().join("data");
    let secret = folder.path().join("password");
    std::fs::write(&secret, PASSWORD).map_err(|error| error.to_string())?;
    let owner = Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status();
    owner.map_err(|error| error.to_string())?;
    let made = as_postgres(&programs.join("initdb"))
        .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"])
        .arg(&data)
        .arg(format!("--pwfile={}", secret.display()))
        .output()
        .map_err(|error| error.to_string())?;
    if !made.status.success() {
        return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
    }
    let rules = "host all stranger all reject\nhost all all 127.0.0.1/32 scram-sha-256\n";
    std::fs::write(data.join("pg_hba.conf"), rules).map_err(|error| error.to_string())?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.map_err(|error| error.to_string())?.port();
    let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {}", folder.path().display());
    let started = as_postgres(&programs.join("pg_ctl"))
        .args(["start", "-w", "-D"])
        .arg(&data)
        .arg("-l")
        .arg(folder.path().join("log"))
        .arg("-o")
        .arg(options)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| error.to_string())?;
    let server = Server { endpoint: format!("127.0.0.1:{port}"), running: Running::Programs(folder, programs) };
    if started.success() { Ok(server) } else { Err("the PostgreSQL server does not start".to_owned()) }
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<_> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path()).collect();
    versions.sort();
    versions.into_iter().rev().map(|version| version.join("bin")).find(|programs| programs.join("initdb").exists())
}

/// The server's programs refuse to run as root.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stderr(Stdio::piped());
    if let (Some(user), Some(group)) = (id("-u", "postgres"), id("-g", "postgres"))
        && id("-u", "").is_some_and(|own| own == 0)
    {
        command.uid(user).gid(group);
    }
    command
}

fn id(what: &str, account: &str) -> Option<u32> {
    let mut command = Command::new("id");
    command.arg(what);
    if !account.is_empty() {
        command.arg(account);
    }
    String::from_utf8(command.output().ok()?.stdout).ok()?.trim().parse().ok()
}
