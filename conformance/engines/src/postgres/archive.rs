//! Backups and recovery: a base backup with the log it needs, finished segments of the log after it, and a new server that
//! takes both in up to a time.
//!
//! Each backup ends with a mark: the server's time is taken, then a transaction of its own is committed, then the log goes on
//! to a new segment. So every change up to that time is in the log before the mark, and none up to it after, and a
//! recovery that is to end at that time or earlier always meets a later commit to stop at.

use super::machine::{self, ARCHIVE, LIBRARY, ROOT, control, failed, shell};
use super::{CONTROL, session};
use crate::docker::{Stored, give, take};
use crate::engine::{Birth, Ground, Kept, Restore, Server};
use jiff::Timestamp;
use object_store::path::Path;
use recovery::model::backup::{BackupKind, Held};
use recovery::ports::cloud::CloudError;
use recovery::ports::database::DatabaseError;
use std::time::Duration;
use tokio::time::Instant;

/// Where marks are kept, in the server's own database.
pub const LAYOUT: &str =
    "CREATE TABLE IF NOT EXISTS firedrill.marks (position bigint PRIMARY KEY, at timestamptz NOT NULL)";
/// A commit that took its time before a mark was set is in the log this much later.
const SETTLES: Duration = Duration::from_millis(50);
/// How long a server may take to put a segment down.
const ARCHIVES: Duration = Duration::from_secs(60);

/// Where a backup ends.
struct Mark {
    position: u64,
    at: Timestamp,
    /// The segment it is in.
    segment: String,
}

/// Marks the end of a backup; all of the log up to it lies in finished segments then.
async fn mark(server: &Server) -> Result<Mark, CloudError> {
    let control = control(server).await.map_err(failed)?;
    let (_, at) = session::position(&control).await.map_err(failed)?;
    tokio::time::sleep(SETTLES).await;
    let found = async {
        // This commit is the one a recovery up to that time stops at.
        control
            .execute("INSERT INTO firedrill.marks VALUES (-1, now()) ON CONFLICT (position) DO UPDATE SET at = now()")
            .await?;
        let (position, _) = session::position(&control).await?;
        let place = i64::try_from(position).map_err(super::errors::statement)?;
        let keep = format!("INSERT INTO firedrill.marks VALUES ({place}, '{at}') ON CONFLICT DO NOTHING");
        control.execute(&keep).await?;
        let segment = segment(&control, position).await?;
        control.execute("SELECT pg_switch_wal()").await?;
        Ok((position, segment))
    };
    let (position, segment) = found.await.map_err(failed)?;
    put_down(&control, &segment).await?;
    Ok(Mark { position, at, segment })
}

/// The segment that a position is in.
async fn segment(control: &super::connection::Connection, position: u64) -> Result<String, DatabaseError> {
    let place = format!("{:X}/{:X}", position >> 32, position & 0xFFFF_FFFF);
    Ok(control.one("SELECT pg_walfile_name($1::text::pg_lsn)", &[&place]).await?.get(0))
}

/// Waits until a segment lies where it is kept.
async fn put_down(control: &super::connection::Connection, segment: &str) -> Result<(), CloudError> {
    let until = Instant::now() + ARCHIVES;
    while Instant::now() < until {
        let row = control
            .one("SELECT last_archived_wal, last_failed_wal FROM pg_stat_archiver", &[])
            .await
            .map_err(failed)?;
        let last: Option<&str> = row.get(0);
        if last.is_some_and(|last| last.get(..24).is_some_and(|last| last >= segment)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(CloudError::Failed(format!(
        "segment {segment} of the log was not put down within {} seconds",
        ARCHIVES.as_secs()
    )))
}

/// Takes a backup into the vault.
///
/// # Errors
/// When it cannot be taken.
pub async fn back_up(
    ground: &Ground,
    server: &Server,
    place: &Path,
    kind: BackupKind,
    after_position: u64,
) -> Result<Held, CloudError> {
    match kind {
        BackupKind::Data => data(ground, server, place).await,
        BackupKind::Log => log(ground, server, place, after_position).await,
    }
}

/// Writes the segments from one to another, none missing, as a tar file.
fn segments(first: &str, last: &str) -> String {
    format!(
        "cd {LIBRARY}; ls {ARCHIVE} | grep -E '^[0-9A-F]{{24}}$' | LC_ALL=C sort | \
         LC_ALL=C awk -v first={first} -v last={last} '($0 \"\") >= (first \"\") && ($0 \"\") <= (last \"\") {{ print \"{ARCHIVE}/\" $0; n++; if (n == 1 && ($0 \"\") != (first \"\")) bad = 1; end = $0 }} \
         END {{ if (bad || (end \"\") != (last \"\")) exit 3 }}' >/tmp/firedrill.segments || \
         {{ echo 'the log no longer reaches back to that position' >&2; exit 3; }}; tar -cf - -T /tmp/firedrill.segments"
    )
}

async fn data(ground: &Ground, server: &Server, place: &Path) -> Result<Held, CloudError> {
    let control = control(server).await.map_err(failed)?;
    let (position, _) = session::position(&control).await.map_err(failed)?;
    let first = segment(&control, position).await.map_err(failed)?;
    // The copy goes on while the mark that ends it is waited for, so the mark's segment is told to it in a file.
    let told = "/tmp/firedrill.last";
    let line = format!(
        "pg_basebackup -U {ROOT} -D - -F tar -X none -c fast --no-manifest 2>/tmp/firedrill.said || \
         {{ cat /tmp/firedrill.said >&2; exit 1; }}; touch /tmp/firedrill.copied; until [ -e {told} ]; do sleep 0.05; done; \
         last=$(cat {told}); {}",
        segments(&first, "$last")
    );
    let taking = take(&server.container, shell(line), &ground.vault, place);
    let marking = async {
        let copied = "until [ -e /tmp/firedrill.copied ]; do sleep 0.05; done";
        server.container.run(shell(copied)).await?;
        let mark = mark(server).await?;
        let tell = format!("printf %s {} >{told}.new; mv {told}.new {told}", mark.segment);
        server.container.run(shell(tell)).await?;
        Ok::<Mark, CloudError>(mark)
    };
    server.container.run(shell(format!("rm -f {told} /tmp/firedrill.copied"))).await?;
    let mut taking = std::pin::pin!(taking);
    let mut marking = std::pin::pin!(marking);
    let mark = tokio::select! {
        marked = &mut marking => marked?,
        ended = &mut taking => {
            ended?;
            return Err(CloudError::Failed("the base backup ended before its mark".into()));
        }
    };
    let stored = taking.await?;
    Ok(held(&stored, (mark.position, mark.at), &mark))
}

async fn log(ground: &Ground, server: &Server, place: &Path, after_position: u64) -> Result<Held, CloudError> {
    let control = control(server).await.map_err(failed)?;
    let mark = mark(server).await?;
    let first = segment(&control, after_position).await.map_err(failed)?;
    let place_after = i64::try_from(after_position).map_err(|error| CloudError::Failed(error.to_string()))?;
    let sql = "SELECT (extract(epoch FROM at) * 1000000)::bigint FROM firedrill.marks \
               WHERE position >= 0 AND position <= $1 ORDER BY position DESC LIMIT 1";
    let found = control.query(sql, &[&place_after]).await.map_err(failed)?;
    let from = found.first().map_or(mark.at.as_microsecond(), |row| row.get(0));
    let from = Timestamp::from_microsecond(from).map_err(|error| CloudError::Failed(error.to_string()))?;
    let stored = take(&server.container, shell(segments(&first, &mark.segment)), &ground.vault, place).await?;
    Ok(held(&stored, (after_position, from), &mark))
}

fn held(stored: &Stored, from: (u64, Timestamp), mark: &Mark) -> Held {
    Held {
        from_position: from.0,
        to_position: mark.position,
        from_time: from.1,
        to_time: mark.at,
        size_bytes: stored.size_bytes,
        sha256: Some(stored.sha256.clone()),
        node: None,
    }
}

/// Starts a server with what backups hold.
///
/// # Errors
/// When the time asked for is not in them, or they cannot be read.
pub async fn restore(
    ground: &Ground,
    birth: &Birth,
    restore: &Restore,
) -> Result<(Server, Option<Timestamp>), CloudError> {
    let until = restore.until.unwrap_or(restore.data.held.to_time);
    refuse_beyond(restore, until)?;
    let server = machine::start(ground, birth, true).await?;
    match fill(ground, birth, restore, until, &server).await {
        Ok(()) => Ok((server, Some(until))),
        Err(error) => {
            server.container.remove().await?;
            Err(error)
        }
    }
}

/// Refuses a time that the backups do not reach.
fn refuse_beyond(restore: &Restore, until: Timestamp) -> Result<(), CloudError> {
    let (data, last) = (&restore.data.held, restore.logs.last().map_or(&restore.data.held, |log| &log.held));
    let mut position = data.to_position;
    for log in &restore.logs {
        if log.held.from_position > position {
            let why = format!("the log has a gap between positions {position} and {}", log.held.from_position);
            return Err(CloudError::BackupUnreadable { backup: log.backup.clone(), why });
        }
        position = position.max(log.held.to_position);
    }
    if until < data.to_time {
        let end = data.to_time;
        return Err(CloudError::Failed(format!(
            "{until} is before the end of the data backup, {end}: choose an earlier backup"
        )));
    }
    if until > last.to_time {
        return Err(CloudError::Failed(format!("{until} is beyond the end of the log, {}", last.to_time)));
    }
    Ok(())
}

async fn fill(
    ground: &Ground,
    birth: &Birth,
    restore: &Restore,
    until: Timestamp,
    server: &Server,
) -> Result<(), CloudError> {
    let container = &server.container;
    let owner = format!(
        "mkdir -p \"$PGDATA\" {LIBRARY}/{ARCHIVE}; chown postgres:postgres \"$PGDATA\" {LIBRARY}/{ARCHIVE}; chmod 700 \"$PGDATA\""
    );
    container.run(crate::docker::Command::shell(owner)).await?;
    // One tar file stands after the other: the zeros between them are none of the end.
    unpack(ground, server, &restore.data).await?;
    for log in &restore.logs {
        unpack(ground, server, log).await?;
    }
    // Names of zones are not known yet where this is read.
    let time = until.strftime("%Y-%m-%d %H:%M:%S%.6f+00");
    let settings = format!(
        "restore_command = 'cp \"{ARCHIVE}/%f\" \"%p\"'\nrecovery_target_time = '{time}'\n\
         recovery_target_inclusive = on\nrecovery_target_action = 'promote'\nrecovery_target_timeline = 'current'\n"
    );
    let line = "cat >>\"$PGDATA/postgresql.auto.conf\"; touch \"$PGDATA/recovery.signal\"";
    container.run(shell(line).input(settings)).await?;
    container.open().await?;
    let last = restore.logs.last().unwrap_or(&restore.data);
    recovered(server).await.map_err(|why| CloudError::BackupUnreadable { backup: last.backup.clone(), why })?;
    machine::own_password(container, &birth.root).await?;
    machine::wait(server).await?;
    let control = control(server).await.map_err(failed)?;
    for name in RECOVERY {
        control.execute(&format!("ALTER SYSTEM RESET {name}")).await.map_err(failed)?;
    }
    container.run(shell(format!("rm -rf \"$PGDATA/{ARCHIVE}\""))).await?;
    machine::configure(server, &birth.configuration).await
}

/// Settings of a recovery, of no use after it.
const RECOVERY: [&str; 5] = [
    "restore_command",
    "recovery_target_time",
    "recovery_target_inclusive",
    "recovery_target_action",
    "recovery_target_timeline",
];

async fn unpack(ground: &Ground, server: &Server, kept: &Kept) -> Result<(), CloudError> {
    let line = "tar -x -i -C \"$PGDATA\" -f -";
    let unpacked = give(&ground.vault, &kept.place, &server.container, shell(line)).await;
    unpacked.map_err(|error| CloudError::BackupUnreadable { backup: kept.backup.clone(), why: error.to_string() })
}

/// Waits until a recovery is over; or says why it broke off.
async fn recovered(server: &Server) -> Result<(), String> {
    let line = format!(
        "for try in $(seq 6000); do \
           if [ \"$(psql -XqAt -U {ROOT} -d {CONTROL} -c 'SELECT pg_is_in_recovery()' 2>/dev/null)\" = f ]; then exit 0; fi; sleep 0.1; done; exit 1"
    );
    let ended = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            if !matches!(server.container.is_running().await, Ok(true)) {
                return machine::last_words(&server.container).await;
            }
        }
    };
    tokio::select! {
        why = ended => Err(why),
        waited = server.container.run(shell(line)) => match waited {
            Ok(_) => Ok(()),
            Err(error) if server.container.is_running().await.unwrap_or(false) => Err(error.to_string()),
            Err(_) => Err(machine::last_words(&server.container).await),
        },
    }
}
