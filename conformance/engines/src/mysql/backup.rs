//! Backups of a running server: its data as files with the place in the binary log they are of, and the log's own files.
//!
//! Data is taken by the server's own programs, file by file and not as statements, which would not hold every digit of
//! every number: `mariadb-backup`, or MySQL's clone plugin.

use super::accounts::refused;
use super::facts::{self, file_and_place, place as place_of};
use super::line::Line;
use super::server::{DATA, as_root, root};
use crate::docker::{Command, Stored, take};
use crate::engine::{Ground, Server};
use crate::images::Family;
use jiff::{SignedDuration, Timestamp};
use object_store::path::Path;
use recovery::model::backup::Held;
use recovery::ports::cloud::CloudError;

/// Where a log's file begins.
const BEGINNING: u64 = 4;

/// The program that reads statements.
pub(super) fn client(family: Family) -> &'static str {
    if family == Family::MariaDb { "mariadb -uroot" } else { "mysql -uroot" }
}

/// The program that reads the binary log.
pub(super) fn log_reader(family: Family) -> &'static str {
    if family == Family::MariaDb { "mariadb-binlog" } else { "mysqlbinlog --base64-output=decode-rows" }
}

/// A folder of a backup's own in the container.
fn folder(parent: &str, place: &Path) -> String {
    let name: String = place.filename().unwrap_or("backup").chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{parent}/firedrill-{name}")
}

fn held(from: (u64, Timestamp), to: (u64, Timestamp), stored: Stored) -> Held {
    Held {
        from_position: from.0,
        to_position: to.0,
        from_time: from.1,
        to_time: to.1,
        size_bytes: stored.size_bytes,
        sha256: Some(stored.sha256),
        node: None,
    }
}

/// Takes the data.
pub(super) async fn data(ground: &Ground, server: &Server, place: &Path) -> Result<Held, CloudError> {
    let mut line = root(server).await?;
    let (position, stored) = if server.family == Family::MariaDb {
        streamed(ground, server, place).await?
    } else {
        cloned(ground, server, place, &mut line).await?
    };
    let as_of = as_of(server, &mut line, position).await?;
    Ok(held((position, as_of), (position, as_of), stored))
}

async fn streamed(ground: &Ground, server: &Server, place: &Path) -> Result<(u64, Stored), CloudError> {
    let folder = folder("/tmp", place);
    let command = as_root(
        &server.root,
        format!(
            "rm -rf {folder}; mkdir -p {folder}; mariadb-backup --backup --stream=mbstream --parallel=2 --user=root \
             --password=\"$MYSQL_PWD\" --target-dir={folder}/data --extra-lsndir={folder}"
        ),
    );
    let stored = take(&server.container, command, &ground.vault, place).await?;
    let told = format!("cat {folder}/*backup_info; rm -rf {folder}");
    let told = server.container.run(Command::shell(told)).await?.text();
    let line = told.lines().find_map(|line| line.strip_prefix("binlog_pos = "));
    let mut words = line.unwrap_or_default().split('\'').skip(1).step_by(2);
    let position = words.next().zip(words.next()).and_then(|(file, at)| place_of(file, at));
    let position = position.ok_or_else(|| CloudError::Failed("the backup does not say its place in the log".into()))?;
    Ok((position, stored))
}

/// What goes along with a clone, in a folder of the clone's own that no database can be called.
pub(super) const ALONG: &str = "#firedrill";
/// The file in it that says what there is to replay: where from, where to, and the names of all transactions up to there.
pub(super) const REACH: &str = "reach";

/// A clone is of some moment while it was made, which the plugin does not tell of a local one. So the log of that time goes
/// along: replayed up to its end, where each transaction that is in the clone is passed over by its name, it makes the
/// content that of the end.
async fn cloned(ground: &Ground, server: &Server, place: &Path, line: &mut Line) -> Result<(u64, Stored), CloudError> {
    let folder = folder("/var/lib/mysql-files", place);
    let container = &server.container;
    container.run(Command::new(["rm", "-rf", &folder])).await?;
    let none = || CloudError::Failed("the server keeps no binary log".to_owned());
    let (from, _) = facts::status(line).await.map_err(refused)?.ok_or_else(none)?;
    line.exec(&format!("CLONE LOCAL DATA DIRECTORY '{folder}'")).await.map_err(refused)?;
    let (to, transactions) = facts::status(line).await.map_err(refused)?.ok_or_else(none)?;
    let span = file_and_place(from).0..=file_and_place(to).0;
    let files: Vec<String> =
        files(line).await?.into_iter().filter(|file| span.contains(&file.number)).map(|file| file.name).collect();
    let along = format!(
        "mkdir '{folder}/{ALONG}'; cd {DATA}; cp {} '{folder}/{ALONG}'; printf '{from} {to} {transactions}' >'{folder}/{ALONG}/{REACH}'",
        files.join(" ")
    );
    container.run(Command::shell(along)).await?;
    let packed = Command::new(["tar", "-C", &folder, "-cf", "-", "."]);
    let stored = take(container, packed, &ground.vault, place).await;
    container.run(Command::new(["rm", "-rf", &folder])).await?;
    Ok((to, stored?))
}

/// The latest time at which the content was that of a place in the log: now, or just before the first change after it.
async fn as_of(server: &Server, line: &mut Line, position: u64) -> Result<Timestamp, CloudError> {
    let now = facts::now(line).await.map_err(refused)?;
    let (number, at) = file_and_place(position);
    let files = files(line).await?;
    let names: Vec<&str> = files.iter().filter(|file| file.number >= number).map(|file| file.name.as_str()).collect();
    let script =
        format!("cd {DATA}; {} --start-position={at} {} | awk '{}'", log_reader(server.family), names.join(" "), FIRST);
    let found = server.container.run(as_root(&server.root, script)).await?.text();
    let first = found.trim();
    let time = match (server.family, first) {
        (_, "") => None,
        (Family::MariaDb, text) => second(text),
        (_, text) => text.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).map(before),
    };
    Ok(time.map_or(now, |time| time.min(now)))
}

/// A microsecond earlier.
fn before(time: Timestamp) -> Timestamp {
    time.checked_sub(SignedDuration::from_micros(1)).unwrap_or(time)
}

/// Prints the time of the first transaction: the microsecond it was committed in, or where that is not in the log the
/// second it began in.
const FIRST: &str = r#"!found && /GTID/ && match($0, /immediate_commit_timestamp=[0-9]+/) {
  print substr($0, RSTART + 27, RLENGTH - 27); found = 1 }
!found && /^#[0-9]+ +[0-9]+:[0-9][0-9]:[0-9][0-9] server id .*GTID [0-9]/ { print substr($1, 2) " " $2; found = 1 }"#;

/// The second of `241121 9:05:07`.
fn second(text: &str) -> Option<Timestamp> {
    let (day, time) = text.split_once(' ')?;
    let (year, month, day) = (day.get(..2)?, day.get(2..4)?, day.get(4..6)?);
    let time = time.trim();
    let zero = if time.len() == 7 { "0" } else { "" };
    format!("20{year}-{month}-{day}T{zero}{time}Z").parse().ok()
}

/// A file of the binary log, as the log's index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LogFile {
    number: u64,
    name: String,
    /// The index names it, and it is not on the disk.
    is_lost: bool,
}

/// Files of the binary log by number.
async fn files(line: &mut Line) -> Result<Vec<LogFile>, CloudError> {
    let rows = line.texts("SHOW BINARY LOGS").await.map_err(refused)?;
    Ok(rows.iter().filter_map(|row| log_file(row)).collect())
}

/// A file that is not there has no size.
fn log_file(row: &[String]) -> Option<LogFile> {
    let name = row.first()?.clone();
    let number = name.rsplit_once('.')?.1.parse().ok()?;
    Some(LogFile { number, name, is_lost: row.get(1).is_some_and(|size| size == "0") })
}

/// The files that hold the log after a place, and the place they begin after: a later one where files between were purged or
/// lost, so that what is missing shows as a gap and nothing is restored over it.
fn after_gaps(closed: &[LogFile], after: u64) -> (u64, &[LogFile]) {
    let (number, _) = file_and_place(after);
    let from = closed.iter().position(|file| file.number >= number).unwrap_or(closed.len());
    let wanted = &closed[from..];
    let whole = wanted.iter().rposition(|file| file.is_lost).map_or(0, |lost| lost + 1);
    let kept = &wanted[whole..];
    match kept.first() {
        Some(first) if first.number > number.max(1) => {
            (place_of(&first.name, &BEGINNING.to_string()).unwrap_or(after), kept)
        }
        _ => (after, kept),
    }
}

/// Takes the log after a place, up to now. The file that is being written is closed first, so that each goes into one
/// backup of the log, and whole.
pub(super) async fn log(ground: &Ground, server: &Server, place: &Path, after: u64) -> Result<Held, CloudError> {
    let mut line = root(server).await?;
    let to_time = facts::now(&mut line).await.map_err(refused)?;
    line.exec("FLUSH BINARY LOGS").await.map_err(refused)?;
    let files = files(&mut line).await?;
    let Some((open, closed)) = files.split_last() else {
        return Err(CloudError::Failed("the server keeps no binary log".to_owned()));
    };
    let (from, kept) = after_gaps(closed, after);
    let Some(first) = kept.first().map(|file| &file.name) else {
        return Err(CloudError::Failed(format!("position {after} is after the end of the log")));
    };
    let packed = ["tar", "-C", DATA, "-cf", "-"].into_iter().chain(kept.iter().map(|file| file.name.as_str()));
    let stored = take(&server.container, Command::new(packed), &ground.vault, place).await?;
    // A file says at its beginning when it was begun.
    let begun = format!("od -An -tu4 -j{BEGINNING} -N4 {DATA}/{first}");
    let begun = server.container.run(Command::shell(begun)).await?.text();
    let begun = begun.trim().parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    let from_time = begun.map_or(to_time, |begun| begun.min(to_time));
    let to = place_of(&open.name, &BEGINNING.to_string()).unwrap_or(from);
    Ok(held((from, from_time), (to.max(from), to_time), stored))
}

/// Takes the files of the log up to now off the disk, and leaves them in the log's index.
pub(super) async fn lose_log(server: &Server) -> Result<(), CloudError> {
    let mut line = root(server).await?;
    line.exec("FLUSH BINARY LOGS").await.map_err(refused)?;
    let files = files(&mut line).await?;
    let closed = files.iter().rev().skip(1).map(|file| format!("{DATA}/{}", file.name));
    let words = ["rm".to_owned(), "-f".to_owned()].into_iter().chain(closed);
    Ok(server.container.run(Command::new(words)).await.map(drop)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(sizes: &[(u64, &str)]) -> Vec<LogFile> {
        let row = |(number, size): &(u64, &str)| vec![format!("binlog.{number:06}"), (*size).to_owned(), "No".into()];
        sizes.iter().filter_map(|file| log_file(&row(file))).collect()
    }

    fn place(number: u64, at: u64) -> u64 {
        place_of(&format!("binlog.{number:06}"), &at.to_string()).unwrap_or_default()
    }

    fn kept(files: &[LogFile], after: u64) -> (u64, Vec<u64>) {
        let (from, kept) = after_gaps(files, after);
        (from, kept.iter().map(|file| file.number).collect())
    }

    #[test]
    fn a_log_backup_joins_the_one_before_where_every_file_is_there() {
        let files = listed(&[(1, "300"), (2, "157"), (3, "900")]);
        assert_eq!(kept(&files, place(2, 4)), (place(2, 4), vec![2, 3]));
        assert_eq!(kept(&files, 0), (0, vec![1, 2, 3]));
        assert_eq!(kept(&files, place(4, 4)), (place(4, 4), vec![]));
    }

    #[test]
    fn a_log_backup_begins_behind_files_that_are_lost_or_purged() {
        let lost = listed(&[(1, "0"), (2, "0"), (3, "900"), (4, "157")]);
        assert_eq!(kept(&lost, place(2, 700)), (place(3, 4), vec![3, 4]));
        assert_eq!(kept(&lost, place(3, 20)), (place(3, 20), vec![3, 4]));
        let purged = listed(&[(5, "300"), (6, "300")]);
        assert_eq!(kept(&purged, place(3, 4)), (place(5, 4), vec![5, 6]));
    }

    #[test]
    fn the_second_of_a_log_line_is_read_with_one_digit_or_two() {
        assert_eq!(second("241121  9:05:07"), "2024-11-21T09:05:07Z".parse().ok());
        assert_eq!(second("241121 19:05:07"), "2024-11-21T19:05:07Z".parse().ok());
    }
}
