//! A new server of backups: the data's files, then the log's changes up to a time.

use super::accounts::refused;
use super::backup::{ALONG, REACH, client, log_reader};
use super::facts::file_and_place;
use super::quote;
use super::server::{DATA, MySqlServers, as_root, root};
use crate::docker::{Command, Container, give};
use crate::engine::{Birth, Ground, Kept, Restore, Server};
use crate::images::Family;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use object_store::ObjectStoreExt;
use recovery::ports::Vault;
use recovery::ports::cloud::CloudError;
use sha2::{Digest, Sha256};

/// Where the log's files are put for the replay.
const REPLAY: &str = "/tmp/firedrill-replay";
/// Where the log that came with a clone is put.
const CLONED: &str = "/tmp/firedrill-clone";
/// What a restored server reads at its start: its administrator's password is another than that of the one it was.
const FIRST: &str = "/firedrill-first.sql";

fn unreadable(kept: &Kept, why: impl Into<String>) -> CloudError {
    CloudError::BackupUnreadable { backup: kept.backup.clone(), why: why.into() }
}

/// Refuses a backup that is missing or whose bytes are not those that were taken.
async fn intact(vault: &Vault, kept: &Kept) -> Result<(), CloudError> {
    let fail = |error: object_store::Error| unreadable(kept, error.to_string());
    let mut bytes = vault.get(&kept.place).await.map_err(fail)?.into_stream();
    let mut hash = Sha256::new();
    while let Some(part) = bytes.next().await {
        hash.update(part.map_err(fail)?);
    }
    let found = super::values::hex(&hash.finalize());
    if kept.held.sha256.as_ref().is_some_and(|sha256| *sha256 != found) {
        return Err(unreadable(kept, "its bytes are not those that were written"));
    }
    Ok(())
}

/// The time the content is to be of, and will be. Refuses one that the backups do not hold.
fn reached(restore: &Restore) -> Result<Timestamp, CloudError> {
    let data = &restore.data;
    let Some(until) = restore.until else { return Ok(data.held.to_time) };
    if until < data.held.to_time {
        let why = format!("data backup {} is of {}, after the time {until} asked for", data.backup, data.held.to_time);
        return Err(CloudError::Failed(why));
    }
    let (mut position, mut end) = (data.held.to_position, data.held.to_time);
    for log in &restore.logs {
        if log.held.from_position > position {
            let why = format!("it begins after position {}, the one before ends at {position}", log.held.from_position);
            return Err(unreadable(log, why));
        }
        (position, end) = (position.max(log.held.to_position), end.max(log.held.to_time));
    }
    if until > end {
        return Err(CloudError::Failed(format!("the log backups end at {end}, before the time {until} asked for")));
    }
    Ok(until)
}

/// Makes the server.
pub(super) async fn restore(
    servers: MySqlServers,
    ground: &Ground,
    birth: &Birth,
    restore: &Restore,
) -> Result<(Server, Option<Timestamp>), CloudError> {
    let as_of = reached(restore)?;
    let logs = if restore.until.is_some() { restore.logs.as_slice() } else { &[] };
    for kept in std::iter::once(&restore.data).chain(logs) {
        intact(&ground.vault, kept).await?;
    }
    let mut order = servers.order(birth);
    order.gated = true;
    order.arguments.push(format!("--init-file={FIRST}"));
    let password = quote::text(birth.root.expose());
    let first = format!(
        "SET sql_log_bin = 0;\nALTER USER root@localhost IDENTIFIED BY {password};\n\
         ALTER USER root@'%' IDENTIFIED BY {password};\n"
    );
    order.files.push((FIRST.to_owned(), first.into_bytes()));
    let container = ground.docker.start(order).await?;
    let prepared = fill(servers, ground, &container, &restore.data).await;
    let server = servers.arrive(birth, container, prepared).await?;
    let brought = async {
        if servers.family() == Family::MySql {
            complete(&server, &restore.data).await?;
        }
        match restore.until {
            Some(until) if !logs.is_empty() => replay(ground, &server, restore, until).await,
            _ => Ok(()),
        }
    };
    if let Err(error) = brought.await {
        // Nobody will know of it.
        let _ = server.container.remove().await;
        return Err(error);
    }
    Ok((server, Some(as_of)))
}

/// Brings a clone to the moment its backup is of, by the log that went along with it.
async fn complete(server: &Server, data: &Kept) -> Result<(), CloudError> {
    let told = server.container.run(Command::new(["cat".to_owned(), format!("{CLONED}/{REACH}")])).await;
    let told = told.map_err(|error| unreadable(data, error.to_string()))?.text();
    let mut words = told.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (from, to) = number().zip(number()).ok_or_else(|| unreadable(data, "it does not say what it holds"))?;
    let transactions = quote::text(words.next().unwrap_or_default());
    let mut line = root(server).await?;
    let asked = format!("SELECT GTID_SUBSET({transactions}, @@global.gtid_executed)");
    let whole: Option<i64> = line.first(&asked).await.map_err(refused)?;
    if whole != Some(1) {
        let (start, stop) = (file_and_place(from).1, file_and_place(to).1);
        let script = format!(
            "cd {CLONED}; mysqlbinlog --disable-log-bin --start-position={start} --stop-position={stop} \
             $(ls | grep -E '[.][0-9]+$' | LC_ALL=C sort) | {} --binary-mode",
            client(Family::MySql)
        );
        server.container.run(as_root(&server.root, script)).await?;
    }
    server.container.run(Command::new(["rm", "-rf", CLONED])).await?;
    Ok(())
}

async fn fill(servers: MySqlServers, ground: &Ground, container: &Container, data: &Kept) -> Result<(), CloudError> {
    let unpack = match servers.family() {
        Family::MariaDb => Command::new(["mbstream", "-x", "-C", DATA]),
        _ => Command::new(["tar", "-C", DATA, "-xf", "-"]),
    };
    let unpacked = give(&ground.vault, &data.place, container, unpack).await;
    unpacked.map_err(|error| unreadable(data, error.to_string()))?;
    if servers.family() == Family::MySql {
        let aside = container.run(Command::new(["mv".to_owned(), format!("{DATA}/{ALONG}"), CLONED.to_owned()])).await;
        aside.map_err(|error| unreadable(data, error.to_string()))?;
    }
    if servers.family() == Family::MariaDb {
        let prepare = Command::new(["mariadb-backup", "--prepare", "--target-dir", DATA]);
        container.run(prepare).await.map_err(|error| unreadable(data, error.to_string()))?;
    }
    if servers.certified() {
        servers.certify(container).await?;
    }
    container.run(Command::new(["chown", "-R", "mysql:mysql", DATA])).await?;
    Ok(container.open().await?)
}

/// Replays the log up to and including a time.
async fn replay(ground: &Ground, server: &Server, restore: &Restore, until: Timestamp) -> Result<(), CloudError> {
    let container = &server.container;
    container.run(Command::new(["mkdir", "-p", REPLAY])).await?;
    for log in &restore.logs {
        let unpacked =
            give(&ground.vault, &log.place, container, Command::new(["tar", "-C", REPLAY, "-xf", "-"])).await;
        unpacked.map_err(|error| unreadable(log, error.to_string()))?;
    }
    let (number, at) = file_and_place(restore.data.held.to_position);
    let listed = container.run(Command::new(["ls", REPLAY])).await?.text();
    let mut files: Vec<(u64, &str)> = listed
        .lines()
        .filter_map(|name| Some((name.rsplit_once('.')?.1.parse().ok()?, name)))
        .filter(|(own, _)| *own >= number)
        .collect();
    files.sort_unstable();
    // Every file from the data's place on has to be there: what they hold builds upon each other.
    let gap = files.iter().zip(number..).find(|((own, _), wanted)| own != wanted);
    if files.is_empty() || gap.is_some() {
        let missing = gap.map_or(number, |(_, wanted)| wanted);
        let log = restore.logs.first().unwrap_or(&restore.data);
        return Err(unreadable(log, format!("file {missing} of the binary log is missing")));
    }
    let names: Vec<&str> = files.iter().map(|(_, name)| *name).collect();
    let mut line = root(server).await?;
    let scheduler: Option<String> = line.first("SELECT @@global.event_scheduler").await.map_err(refused)?;
    let scheduler = scheduler.filter(|scheduler| scheduler == "ON");
    if scheduler.is_some() {
        line.exec("SET GLOBAL event_scheduler = OFF").await.map_err(refused)?;
    }
    let script =
        if server.family == Family::MariaDb { by_second(&names, at, until) } else { by_commit(&names, at, until) };
    container.run(as_root(&server.root, script)).await?;
    if scheduler.is_some() {
        line.exec("SET GLOBAL event_scheduler = ON").await.map_err(refused)?;
    }
    container.run(Command::new(["rm", "-rf", REPLAY])).await?;
    Ok(())
}

/// MariaDB's log knows the second a statement began in: what began in a second that is over at the time asked for is
/// replayed.
fn by_second(names: &[&str], at: u64, until: Timestamp) -> String {
    let fraction = i64::from(until.subsec_nanosecond());
    let over = if fraction == 0 {
        until
    } else {
        until.saturating_add(SignedDuration::from_nanos(1_000_000_000 - fraction)).unwrap_or(until)
    };
    let stop = over.strftime("%Y-%m-%d %H:%M:%S");
    format!(
        "cd {REPLAY}; {} --disable-log-bin --start-position={at} --stop-datetime='{stop}' {} | {} --binary-mode",
        log_reader(Family::MariaDb),
        names.join(" "),
        client(Family::MariaDb)
    )
}

/// MySQL's log knows the microsecond each transaction was committed in: the replay ends before the first that came later.
fn by_commit(names: &[&str], at: u64, until: Timestamp) -> String {
    let reader = log_reader(Family::MySql);
    let client = client(Family::MySql);
    format!(
        "cd {REPLAY}; files=(); stop=; start={at}
for file in {names}; do
  files+=(\"$file\")
  stop=$({reader} --start-position=$start \"$file\" | awk -v until={micros} '{later}')
  start={beginning}
  [ -z \"$stop\" ] || break
done
if [ -n \"$stop\" ] && [ ${{#files[@]}} = 1 ] && [ \"$stop\" -le {at} ]; then exit 0; fi
mysqlbinlog --disable-log-bin --start-position={at} ${{stop:+--stop-position=$stop}} \"${{files[@]}}\" | {client} --binary-mode",
        names = names.join(" "),
        micros = until.as_microsecond(),
        later = LATER,
        beginning = 4
    )
}

/// Prints where the first transaction begins that was committed after a microsecond.
const LATER: &str = r#"/^# at / { at = $3 }
!found && match($0, /immediate_commit_timestamp=[0-9]+/) {
  if (substr($0, RSTART + 27, RLENGTH - 27) + 0 > until + 0) { print at; found = 1 } }"#;
