//! What a server says of itself and of the logged-in account.

use super::claims::BOOKS;
use super::line::Line;
use super::quote;
use super::table_text::quoted;
use jiff::{SignedDuration, Timestamp};
use recovery::model::content::DatabaseFacts;
use recovery::model::instance::{Grants, Rights};
use recovery::model::product::{Edition, Engine, Product, Series, Version};
use recovery::ports::database::{Circumstances, DatabaseError, OpenTransaction, ServerFacts};
use std::collections::BTreeMap;

/// Databases of the server itself.
const OWN: [&str; 5] = ["mysql", "information_schema", "performance_schema", "sys", BOOKS];

/// Parameters that are told, where the server has them.
const PARAMETERS: [&str; 12] = [
    "binlog_format",
    "binlog_row_image",
    "character_set_server",
    "collation_server",
    "log_bin",
    "log_bin_trust_function_creators",
    "lower_case_table_names",
    "max_allowed_packet",
    "old_passwords",
    "server_id",
    "sql_mode",
    "time_zone",
];

/// Bits of a place within a file of the binary log.
const PLACE_BITS: u32 = 36;

/// All of it.
pub(super) async fn facts(line: &mut Line) -> Result<ServerFacts, DatabaseError> {
    let lines = own_grants(line).await?;
    let names = PARAMETERS.map(|name| format!("'{name}'")).join(", ");
    let rows = line.texts(&format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")).await?;
    let parameters = rows.iter().filter_map(|row| Some((row.first()?.clone(), plain(row.get(1)?)))).collect();
    Ok(ServerFacts {
        product: product(&line.version),
        now: now(line).await?,
        grants: granted(&lines),
        parameters,
        log_position: position(line).await?,
    })
}

/// The lines of `SHOW GRANTS` of the logged-in account.
async fn own_grants(line: &mut Line) -> Result<Vec<String>, DatabaseError> {
    Ok(line.texts("SHOW GRANTS").await?.into_iter().filter_map(|row| row.into_iter().next()).collect())
}

/// Whether these lines give SUPER, alone or with all privileges on the whole server.
fn is_super(lines: &[String]) -> bool {
    let privileges = lines.iter().filter_map(|line| line.strip_prefix("GRANT ")?.split_once(" ON *.* "));
    let mut words = privileges.flat_map(|(privileges, _)| privileges.split(", "));
    words.any(|word| word == "SUPER" || word == "ALL PRIVILEGES")
}

/// What prechecks ask beside it. What the account may not see is left out.
pub(super) async fn circumstances(line: &mut Line) -> Result<Circumstances, DatabaseError> {
    let mut told = Circumstances { is_super: is_super(&own_grants(line).await?), ..Circumstances::default() };
    let tables = "SELECT TABLE_SCHEMA, TABLE_NAME, IFNULL(ENGINE, ''), IFNULL(DATA_LENGTH + INDEX_LENGTH, 0) \
                  FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'";
    let mut used = 0;
    for row in line.texts(tables).await? {
        let [database, table, engine, bytes] = row.as_slice() else { continue };
        if !is_own(database) {
            told.storage.insert(format!("{database}.{table}"), engine.clone());
            used += bytes.parse::<u64>().unwrap_or(0);
        }
    }
    told.used_bytes = Some(used);
    told.accounts = permitted(line.texts("SELECT DISTINCT User FROM mysql.user").await)?
        .map(|rows| rows.into_iter().filter_map(|row| row.into_iter().next()).collect());
    // A file that the index of the log names and that is not there has no size.
    let files = permitted(line.texts("SHOW BINARY LOGS").await)?.unwrap_or_default();
    let lost = files.iter().filter(|row| row.get(1).is_some_and(|size| size == "0"));
    told.lost_log_files = lost.filter_map(|row| row.first().cloned()).collect();
    told.transactions = transactions(line).await?;
    Ok(told)
}

/// Transactions of other sessions, and those that are prepared.
async fn transactions(line: &mut Line) -> Result<Vec<OpenTransaction>, DatabaseError> {
    let now = now(line).await?;
    // When a transaction began is told in the time zone of the server, not of the session.
    let open = "SELECT p.ID, p.USER, IFNULL(p.DB, ''), \
                TIMESTAMPDIFF(SECOND, t.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) \
                FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id \
                WHERE p.ID <> CONNECTION_ID()";
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut found = Vec::new();
    for row in permitted(line.texts(open).await)?.unwrap_or_default() {
        let [id, account, database, age_s] = row.as_slice() else { continue };
        found.push(OpenTransaction {
            id: id.clone(),
            prepared: false,
            account: some(account),
            database: some(database),
            since: age_s.parse().ok().map(|age_s: i64| now - SignedDuration::from_secs(age_s)),
        });
    }
    // Format, length of the first part of the id, length of the second, both.
    for row in permitted(line.texts("XA RECOVER").await)?.unwrap_or_default() {
        let [format, first, _, parts] = row.as_slice() else { continue };
        let id = first.parse().ok().and_then(|first| Some((parts.get(..first)?, parts.get(first..)?)));
        let id = id.map(|(first, second)| match (second, format.as_str()) {
            ("", "1") => quote::text(first),
            _ => format!("{}, {}, {format}", quote::text(first), quote::text(second)),
        });
        let told = |id| OpenTransaction { id, prepared: true, account: None, database: None, since: None };
        found.extend(id.map(told));
    }
    Ok(found)
}

/// An answer, or nothing where the account may not have it, or there is none of it.
fn permitted<T>(answer: Result<T, DatabaseError>) -> Result<Option<T>, DatabaseError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(DatabaseError::NotPermitted { .. } | DatabaseError::Statement(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The server's time.
pub(super) async fn now(line: &mut Line) -> Result<Timestamp, DatabaseError> {
    let text: String =
        line.first("SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')").await?.unwrap_or_default();
    text.parse().map_err(|_| DatabaseError::Statement(format!("the server's time is '{text}'")))
}

/// The databases an account may see, without the server's own.
pub(super) async fn databases(line: &mut Line) -> Result<Vec<DatabaseFacts>, DatabaseError> {
    let sql = "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME";
    let mut found = Vec::new();
    for row in line.texts(sql).await? {
        let [name, charset] = row.as_slice() else { continue };
        if !is_own(name) {
            found.push(DatabaseFacts { name: name.clone(), charset: plain(charset) });
        }
    }
    Ok(found)
}

/// A character set or collation by the name that every version knows: since it has another brother the first `utf8` is
/// called by its length.
fn plain(name: &str) -> String {
    name.strip_prefix("utf8mb3").map_or_else(|| name.to_owned(), |rest| format!("utf8{rest}"))
}

/// Whether a database is the server's own, or the claims'.
pub(crate) fn is_own(database: &str) -> bool {
    OWN.iter().any(|own| own.eq_ignore_ascii_case(database))
}

/// The product that stands for a server in the documents' lists.
pub(crate) fn product(version: &str) -> Product {
    let _ = version;
    Product { engine: Engine::MySql, version: Version::V8_0, edition: Edition::Only, series: Series::HighAvailability }
}

/// The end of the binary log; 0 where there is none, or the account may not see it.
pub(super) async fn position(line: &mut Line) -> Result<u64, DatabaseError> {
    match status(line).await {
        Ok(found) => Ok(found.map_or(0, |(position, _)| position)),
        Err(DatabaseError::NotPermitted { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

/// The end of the binary log, and the names of all transactions up to it where they have any (MySQL).
pub(super) async fn status(line: &mut Line) -> Result<Option<(u64, String)>, DatabaseError> {
    let asked = if has_new_words(&line.version) { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
    let rows = line.texts(asked).await?;
    let found = rows.first().and_then(|row| {
        let names = row.get(4).map(|names| names.split_whitespace().collect()).unwrap_or_default();
        Some((place(row.first()?, row.get(1)?)?, names))
    });
    Ok(found)
}

/// Whether a server knows `SHOW BINARY LOG STATUS`: MySQL since 8.2, which then lost the word before it.
pub(crate) fn has_new_words(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    let version_of = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    !version.contains("MariaDB") && version_of >= (8, 2)
}

/// A place in the binary log as a number that grows.
pub(crate) fn place(file: &str, at: &str) -> Option<u64> {
    let number: u64 = file.rsplit_once('.')?.1.parse().ok()?;
    let at: u64 = at.parse().ok()?;
    Some((number << PLACE_BITS) | at)
}

/// The file number and place that a number stands for.
pub(crate) fn file_and_place(position: u64) -> (u64, u64) {
    (position >> PLACE_BITS, position & ((1 << PLACE_BITS) - 1))
}

/// What the lines of `SHOW GRANTS` come to.
pub(crate) fn granted(lines: &[String]) -> Grants {
    let mut default = Rights::None;
    let mut replicates = false;
    let mut levels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut revoked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let (kept, rest) = match (line.strip_prefix("GRANT "), line.strip_prefix("REVOKE ")) {
            (Some(rest), _) => (&mut levels, rest),
            (None, Some(rest)) => (&mut revoked, rest),
            (None, None) => continue,
        };
        let Some((privileges, on)) = rest.split_once(" ON ") else { continue };
        let on = on.strip_prefix("TABLE ").unwrap_or(on);
        let Some(level) = level(on) else { continue };
        // What is granted on columns alone does not reach the table.
        let words = privileges.split(", ").filter(|word| !word.contains('(')).map(str::to_owned);
        kept.entry(level).or_default().extend(words);
    }
    let has = |words: &[String], wanted: &str| words.iter().any(|word| word == wanted || word == "ALL PRIVILEGES");
    let of = |words: &[String]| {
        let writes = ["INSERT", "UPDATE", "DELETE"].iter().all(|word| has(words, word));
        match (has(words, "SELECT"), writes) {
            (true, true) => Rights::ReadWrite,
            (true, false) => Rights::ReadOnly,
            _ => Rights::None,
        }
    };
    if let Some(words) = levels.get("*") {
        default = of(words);
        let replication = ["REPLICATION SLAVE", "REPLICATION REPLICA"];
        replicates = replication.iter().any(|word| has(words, word));
    }
    let mut exceptions = BTreeMap::new();
    for (level, words) in &revoked {
        let all: Vec<String> =
            levels.get("*").into_iter().flatten().filter(|word| !words.contains(word)).cloned().collect();
        exceptions.insert(level.clone(), of(&all));
    }
    for (level, words) in levels.iter().filter(|(level, _)| *level != "*") {
        let database = level.split_once('.').map(|(database, _)| database);
        let above = database.and_then(|database| levels.get(database)).map_or(default, |words| of(words).max(default));
        if of(words) > above {
            exceptions.insert(level.clone(), of(words));
        }
    }
    exceptions.retain(|level, _| level != BOOKS && !level.starts_with(&format!("{BOOKS}.")));
    let default = if default == Rights::ReadWrite && replicates { Rights::Owner } else { default };
    Grants { default, exceptions }
}

/// `*`, a database, or `database.table`, as the model names them.
fn level(on: &str) -> Option<String> {
    if on.starts_with("*.*") {
        return Some("*".to_owned());
    }
    let (database, rest) = quoted(on)?;
    // The name of a database is a pattern here, in which `_` and `%` are written with a backslash.
    let database = database.replace("\\_", "_").replace("\\%", "%");
    let rest = rest.strip_prefix('.')?;
    if rest.starts_with('*') {
        return Some(database);
    }
    quoted(rest).map(|(table, _)| format!("{database}.{table}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Grants {
        granted(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn grants_of_the_server_become_rights_of_the_model() {
        let grants = lines(&[
            "GRANT SELECT, PROCESS ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*0'",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON `my\\_shop`.* TO `app`@`%`",
            "GRANT SELECT, INSERT ON `firedrill`.* TO `app`@`%`",
        ]);
        assert_eq!(grants.default, Rights::ReadOnly);
        assert_eq!(grants.exceptions, BTreeMap::from([("my_shop".to_owned(), Rights::ReadWrite)]));
    }

    #[test]
    fn who_may_do_all_and_replicate_is_an_owner() {
        assert_eq!(lines(&["GRANT ALL PRIVILEGES ON *.* TO `app`@`%`"]), Grants::all(Rights::Owner));
        let grants = lines(&["GRANT USAGE ON *.* TO `a`@`%`", "GRANT SELECT ON `shop`.`orders` TO `a`@`%`"]);
        assert_eq!(grants.default, Rights::None);
        assert_eq!(grants.on("shop", "orders"), Rights::ReadOnly);
    }

    #[test]
    fn super_is_granted_on_the_whole_server_by_its_name_or_with_everything() {
        let has = |line: &str| is_super(&[line.to_owned()]);
        assert!(has("GRANT ALL PRIVILEGES ON *.* TO `app`@`%` WITH GRANT OPTION"));
        assert!(has("GRANT SELECT, SUPER, EVENT ON *.* TO `app`@`%`"));
        assert!(!has("GRANT ALL PRIVILEGES ON `shop`.* TO `app`@`%`"));
        assert!(!has("GRANT SELECT, SYSTEM_VARIABLES_ADMIN ON *.* TO `app`@`%`"));
    }

    #[test]
    fn a_place_in_the_log_can_be_read_back() {
        let position = place("binlog.000012", "4711").map(file_and_place);
        assert_eq!(position, Some((12, 4711)));
        assert!(has_new_words("9.7.0") && !has_new_words("8.0.40") && !has_new_words("11.8.2-MariaDB"));
    }
}
