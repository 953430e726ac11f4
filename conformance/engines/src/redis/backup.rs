//! Backups of a server: the file that the replica writes, and beside it in the vault the accounts, which the file does not
//! hold and which whoever downloads it does not get.

use super::accounts::{self, ROOT, named, refused};
use super::claims::BOOKS;
use super::line::{Line, bytes, elements, number};
use super::server::{DATA, RedisServers, caught_up, now, replica, root};
use crate::docker::{Command, Container, give, take};
use crate::engine::{Ground, Kept, Server};
use futures_util::StreamExt;
use jiff::Timestamp;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use recovery::model::backup::{Held, Node};
use recovery::ports::Vault;
use recovery::ports::cloud::CloudError;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Where a second server of the same container listens while it hands over what a backup holds.
const SECOND_PORT: &str = "16379";
/// Where that server works.
const SECOND: &str = "/tmp/firedrill-second";
/// How often and how long something is waited for.
const ASKED: (Duration, u32) = (Duration::from_millis(50), 6000);

fn unreadable(kept: &Kept, why: impl Into<String>) -> CloudError {
    CloudError::BackupUnreadable { backup: kept.backup.clone(), why: why.into() }
}

/// Where a backup's accounts lie.
fn beside(place: &Path) -> Path {
    Path::from(format!("{place}.accounts"))
}

/// Takes a backup on the replica. Writing is paused until the replica has all there is and has begun to write its file:
/// what it holds is all that was written up to that instant and nothing later.
pub(super) async fn take_data(ground: &Ground, server: &Server, place: &Path) -> Result<Held, CloudError> {
    let mut master = root(server, &server.container).await?;
    let node = replica(server)?;
    let mut line = root(server, node).await?;
    let pauses = master.version() >= (6, 2);
    if pauses {
        master.one(&[b"CLIENT", b"PAUSE", b"5000", b"WRITE"]).await.map_err(refused)?;
    }
    let begun = begin(&mut master, &mut line).await;
    if pauses {
        master.one(&[b"CLIENT", b"UNPAUSE"]).await.map_err(refused)?;
    }
    let (as_of, position) = begun?;
    end(&mut line).await?;
    let file = format!("{DATA}/dump.rdb");
    let stored = take(node, Command::new(["cat", &file]), &ground.vault, place).await?;
    let lines = accounts::lines(&mut master).await.map_err(refused)?;
    let others: Vec<&String> = lines.iter().filter(|line| named(line).is_some_and(|(name, _)| name != ROOT)).collect();
    let others = serde_json::to_vec(&others).map_err(|error| CloudError::Failed(error.to_string()))?;
    let kept = ground.vault.put(&beside(place), others.into()).await;
    kept.map_err(|error| CloudError::Failed(format!("vault: {error}")))?;
    Ok(Held {
        from_position: position,
        to_position: position,
        from_time: as_of,
        to_time: as_of,
        size_bytes: stored.size_bytes,
        sha256: Some(stored.sha256),
        node: Some(Node::Replica),
    })
}

async fn begin(master: &mut Line, replica: &mut Line) -> Result<(Timestamp, u64), CloudError> {
    let as_of = now(master).await?;
    let position = caught_up(master, replica).await?;
    // Another file may be being written.
    for _ in 0..ASKED.1 {
        replica.look().await.map_err(refused)?;
        let busy = ["rdb_bgsave_in_progress", "aof_rewrite_in_progress"];
        if busy.iter().all(|what| replica.said(what) == Some("0")) {
            replica.one(&[b"BGSAVE"]).await.map_err(refused)?;
            return Ok((as_of, position));
        }
        tokio::time::sleep(ASKED.0).await;
    }
    Err(CloudError::Failed("the replica is writing another file for too long".to_owned()))
}

async fn end(replica: &mut Line) -> Result<(), CloudError> {
    for _ in 0..ASKED.1 {
        replica.look().await.map_err(refused)?;
        match (replica.said("rdb_bgsave_in_progress"), replica.said("rdb_last_bgsave_status")) {
            (Some("0"), Some("ok")) => return Ok(()),
            (Some("0"), said) => {
                let said = said.unwrap_or("nothing");
                return Err(CloudError::Failed(format!("the replica could not write its file: it says {said}")));
            }
            _ => tokio::time::sleep(ASKED.0).await,
        }
    }
    Err(CloudError::Failed("the replica does not come to the end of its file".to_owned()))
}

/// Refuses a backup that is missing or whose bytes are not those that were taken.
async fn intact(vault: &Vault, kept: &Kept) -> Result<(), CloudError> {
    let fail = |error: object_store::Error| unreadable(kept, error.to_string());
    let mut parts = vault.get(&kept.place).await.map_err(fail)?.into_stream();
    let mut hash = Sha256::new();
    while let Some(part) = parts.next().await {
        hash.update(part.map_err(fail)?);
    }
    let found = crate::mysql::hex(&hash.finalize());
    if kept.held.sha256.as_ref().is_some_and(|sha256| *sha256 != found) {
        return Err(unreadable(kept, "its bytes are not those that were written"));
    }
    Ok(())
}

/// The lines of the accounts that belong to a backup.
pub(super) async fn accounts(ground: &Ground, data: &Kept) -> Result<Vec<String>, CloudError> {
    let fail = |error: String| unreadable(data, format!("its accounts cannot be read: {error}"));
    let found = ground.vault.get(&beside(&data.place)).await.map_err(|error| fail(error.to_string()))?;
    let found = found.bytes().await.map_err(|error| fail(error.to_string()))?;
    serde_json::from_slice(&found).map_err(|error| fail(error.to_string()))
}

/// Starts a second server in a container with what a backup holds.
async fn second(
    servers: RedisServers,
    ground: &Ground,
    container: &Container,
    data: &Kept,
    folder: &str,
    password: &str,
) -> Result<(), CloudError> {
    intact(&ground.vault, data).await?;
    container.run(Command::shell(format!("rm -rf {SECOND}; mkdir -p {SECOND} {folder}"))).await?;
    let write = Command::shell(format!("cat > {folder}/firedrill.rdb"));
    give(&ground.vault, &data.place, container, write).await.map_err(|error| unreadable(data, error.to_string()))?;
    let databases = BOOKS + 1;
    let (program, client) = (servers.program(), servers.client());
    // It answers once it has read the file, and ends by itself where it cannot.
    let start = format!(
        "{program} --port {SECOND_PORT} --bind 127.0.0.1 --databases {databases} --save '' --appendonly no --repl-diskless-sync-delay 0 --dir {folder} \
         --dbfilename firedrill.rdb --requirepass \"$REDISCLI_AUTH\" --daemonize yes --pidfile {SECOND}/pid --logfile {SECOND}/log
         for n in $(seq 1200); do
           case $({client} -p {SECOND_PORT} ping 2>/dev/null) in PONG) exit 0 ;; esac
           [ $n -lt 20 ] || kill -0 \"$(cat {SECOND}/pid)\" 2>/dev/null || break
           sleep 0.1
         done
         tail -n 5 {SECOND}/log >&2; exit 1"
    );
    let started = container.run(Command::shell(start).variable("REDISCLI_AUTH", password)).await;
    started.map(drop).map_err(|error| unreadable(data, error.to_string()))
}

/// Ends the second server.
fn ended(servers: RedisServers, folder: &str, password: &str) -> Command {
    let client = servers.client();
    let line = format!(
        "{client} -p {SECOND_PORT} shutdown nosave || true
         for n in $(seq 100); do kill -0 \"$(cat {SECOND}/pid 2>/dev/null)\" 2>/dev/null || break; sleep 0.1; done
         rm -rf {SECOND} {folder}/firedrill.rdb"
    );
    Command::shell(line).variable("REDISCLI_AUTH", password)
}

/// Puts what a backup holds into the data folder of a server that does not run yet.
pub(super) async fn load(
    servers: RedisServers,
    ground: &Ground,
    container: &Container,
    data: &Kept,
) -> Result<(), CloudError> {
    let password = "nobody else is in here";
    second(servers, ground, container, data, DATA, password).await?;
    // A server that keeps a log of its writes begins with that alone.
    let client = servers.client();
    let switch = format!(
        "{client} -p {SECOND_PORT} -n {BOOKS} flushdb
         {client} -p {SECOND_PORT} config set appendonly yes
         for n in $(seq 6000); do
           told=$({client} -p {SECOND_PORT} info persistence)
           case $told in *aof_rewrite_in_progress:0*) case $told in *aof_rewrite_scheduled:0*) break ;; esac ;; esac
           sleep 0.1
         done
         case $({client} -p {SECOND_PORT} info persistence) in *aof_last_bgrewrite_status:ok*) ;; *) exit 1 ;; esac"
    );
    container.run(Command::shell(switch).variable("REDISCLI_AUTH", password)).await?;
    container.run(ended(servers, DATA, password)).await?;
    container.run(Command::new(["chown", "-R", "redis", DATA])).await?;
    Ok(())
}

/// Puts what a backup holds in the place of all keys of a running server: it follows, for a moment, a second server that
/// has it. Its sessions are ended; its own replica follows as it follows everything.
pub(super) async fn overwrite(
    servers: RedisServers,
    ground: &Ground,
    server: &Server,
    data: &Kept,
) -> Result<(), CloudError> {
    let password = server.root.expose();
    second(servers, ground, &server.container, data, SECOND, password).await?;
    let done = hand_over(servers, server).await;
    server.container.run(ended(servers, SECOND, password)).await?;
    done
}

async fn hand_over(servers: RedisServers, server: &Server) -> Result<(), CloudError> {
    let mut line = root(server, &server.container).await?;
    keep_claims(servers, server, &mut line).await?;
    line.one(&[b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"]).await.map_err(refused)?;
    line.one(&[b"REPLICAOF", b"127.0.0.1", SECOND_PORT.as_bytes()]).await.map_err(refused)?;
    let mut has = false;
    for _ in 0..ASKED.1 {
        tokio::time::sleep(ASKED.0).await;
        // While it loads it tells nothing.
        if line.look().await.is_ok() && line.said("master_link_status") == Some("up") {
            has = true;
            break;
        }
    }
    line.one(&[b"REPLICAOF", b"NO", b"ONE"]).await.map_err(refused)?;
    if !has {
        return Err(CloudError::Failed("the server does not take over what the backup holds".to_owned()));
    }
    let mut follower = root(server, replica(server)?).await?;
    caught_up(&mut line, &mut follower).await.map(drop)
}

/// Claims are not part of what is recovered: those of now stay.
async fn keep_claims(servers: RedisServers, server: &Server, line: &mut Line) -> Result<(), CloudError> {
    let mut pipe = redis::pipe();
    pipe.cmd("SELECT").arg(BOOKS).cmd("KEYS").arg("*");
    let keys = elements(line.all(&mut pipe).await.map_err(refused)?.pop().unwrap_or_default());
    let client = servers.client();
    let mut script = format!("{client} -p {SECOND_PORT} -n {BOOKS} flushdb\n");
    for key in keys.into_iter().map(bytes) {
        let epoch = line.one(&[b"GET", &key]).await.map_err(refused)?;
        let (Some(epoch), Ok(key)) = (number(&epoch), String::from_utf8(key)) else { continue };
        let key = key.replace('\'', "'\\''");
        script.push_str(&format!("{client} -p {SECOND_PORT} -n {BOOKS} set '{key}' {epoch}\n"));
    }
    let mut select = redis::pipe();
    select.cmd("SELECT").arg(0);
    line.all(&mut select).await.map_err(refused)?;
    let command = Command::shell(script).variable("REDISCLI_AUTH", server.root.expose());
    Ok(server.container.run(command).await.map(drop)?)
}
