//! The key space as a table: a key's row holds its type, what `DUMP` gives of it, and the time at which it goes.

use super::claims::Claim;
use super::line::{Line, bytes, elements, number, of_server, text};
use crate::mysql::{hex, unhex};
use recovery::model::content::{Column, Object, ObjectKind, Value};
use recovery::ports::database::{Chunk, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use redis::{Pipeline, Value as Given};
use std::collections::BTreeMap;

/// The table's name.
pub(super) const NAME: &str = "keys";
/// Its columns.
pub(super) const COLUMNS: [&str; 4] = ["key", "type", "value", "expires_at"];
/// Its definition, always the same.
const DEFINITION: &str =
    "create table keys (key text primary key, type text not null, value text not null, expires_at bigint)";
/// Its revision, always the same: nothing changes its definition.
const REVISION: u64 = 1;
/// Logical databases that keys can be in.
pub(super) const DATABASES: usize = 16;
/// Keys asked for at a time while all are listed.
const SCANNED: usize = 5000;
/// Bytes of values that one chunk may hold.
const CHUNK_BYTES: usize = 8 << 20;
/// Keys whose values are asked for at a time.
const PORTION: usize = 256;

fn bad(why: impl Into<String>) -> DatabaseError {
    DatabaseError::Statement(why.into())
}

/// Bytes as a value: as text where they are text.
pub(super) fn of_bytes(bytes: Vec<u8>) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::Bytes { hex: hex(error.as_bytes()) },
    }
}

fn to_bytes(value: &Value) -> Result<Vec<u8>, DatabaseError> {
    match value {
        Value::Text(text) => Ok(text.clone().into_bytes()),
        Value::Bytes { hex } => unhex(hex).ok_or_else(|| bad("bytes are not written in hexadecimal digits")),
        _ => Err(bad("a row of keys needs key and value as text or bytes")),
    }
}

/// The number of a database.
pub(super) fn index(database: &str) -> Result<usize, DatabaseError> {
    let index = database.parse().ok().filter(|index| *index < DATABASES);
    index.ok_or_else(|| DatabaseError::NoSuchDatabase(database.to_owned()))
}

/// Refuses any other table.
pub(super) fn is_keys(table: &str) -> Result<(), DatabaseError> {
    if table == NAME { Ok(()) } else { Err(DatabaseError::NoSuchObject(table.to_owned())) }
}

/// The table of a database with so many keys.
pub(super) fn described(rows: u64) -> Object {
    let declared = ["text", "text", "text", "bigint"];
    let column = |(name, declared): (&&str, &str)| Column {
        name: (*name).to_owned(),
        declared: declared.to_owned(),
        nullable: *name == COLUMNS[3],
    };
    Object {
        kind: ObjectKind::Table,
        name: NAME.to_owned(),
        table: None,
        definition: DEFINITION.to_owned(),
        columns: COLUMNS.iter().zip(declared).map(column).collect(),
        key: vec![COLUMNS[0].to_owned()],
        needs: Vec::new(),
        definer: None,
        security: None,
        revision: REVISION,
        rows,
    }
}

/// The keys of a database in order, as they were when it was first read: servers list them in an order of their own,
/// which is another after each start, so that no mark of theirs would do.
#[derive(Default)]
pub(super) struct Listed {
    database: Option<usize>,
    /// All keys, one after the other.
    letters: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Listed {
    fn key(&self, at: usize) -> &[u8] {
        let begin = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.letters[begin..self.ends[at]]
    }

    /// Lists the keys of a database.
    pub async fn fill(&mut self, line: &mut Line, database: usize) -> Result<(), DatabaseError> {
        *self = Self::default();
        let mut keys: Vec<Box<[u8]>> = Vec::new();
        let mut cursor = "0".to_owned();
        loop {
            let mut pipe = redis::pipe();
            pipe.cmd("SELECT").arg(database).cmd("SCAN").arg(&cursor).arg("COUNT").arg(SCANNED);
            let scanned = elements(line.all(&mut pipe).await?.pop().unwrap_or_default());
            let mut scanned = scanned.into_iter();
            cursor = scanned.next().map(|cursor| text(&cursor)).unwrap_or_default();
            let found = scanned.next().map(elements).unwrap_or_default();
            keys.extend(found.into_iter().map(|key| bytes(key).into_boxed_slice()));
            if cursor == "0" || cursor.is_empty() {
                break;
            }
        }
        keys.sort_unstable();
        // A server may name a key more than once.
        keys.dedup();
        for key in &keys {
            self.letters.extend_from_slice(key);
            self.ends.push(self.letters.len());
        }
        self.database = Some(database);
        Ok(())
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|at| self.key(at))
    }

    /// The place of the first key after one.
    fn after(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) <= key { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// Reads keys in their order.
pub(super) async fn read(line: &mut Line, listed: &mut Listed, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
    let database = index(&read.database)?;
    is_keys(&read.table)?;
    let place = |name: &String| {
        let place = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
        place.ok_or_else(|| bad(format!("no such column: {name}")))
    };
    let places: Vec<usize> = read.columns.iter().map(place).collect::<Result<_, _>>()?;
    if listed.database != Some(database) || read.after.is_none() {
        listed.fill(line, database).await?;
    }
    let after =
        read.after.as_deref().map(|mark| unhex(mark).ok_or_else(|| bad("the mark is not one of this server's")));
    let mut at = after.transpose()?.map_or(0, |key| listed.after(&key));
    let limit = read.limit.max(1);
    let (mut rows, mut size, mut last) = (Vec::new(), 0, None);
    while at < listed.ends.len() && rows.len() < limit && size < CHUNK_BYTES {
        let end = (at + PORTION.min(limit - rows.len())).min(listed.ends.len());
        let keys: Vec<&[u8]> = (at..end).map(|at| listed.key(at)).collect();
        for (number, item) in items(line, database, &keys).await?.into_iter().enumerate() {
            last = Some(keys[number]);
            // One that went meanwhile is not there.
            let Some((word, dumped, expires_at)) = item else { continue };
            size += dumped.len();
            let expires_at = expires_at.map_or(Value::Null, Value::Integer);
            let value = Value::Bytes { hex: hex(&dumped) };
            let row = [of_bytes(keys[number].to_vec()), Value::Text(word), value, expires_at];
            rows.push(places.iter().map(|place| row[*place].clone()).collect());
        }
        at = end;
    }
    let done = at >= listed.ends.len();
    if done {
        let revision = REVISION;
        let last = last.map(hex);
        *listed = Listed::default();
        return Ok(Chunk { rows, last, done, revision });
    }
    Ok(Chunk { rows, last: last.map(hex), done, revision: REVISION })
}

/// A key's type, its value as the server dumps it, and the millisecond at which it goes.
type Item = (String, Vec<u8>, Option<i64>);

async fn items(line: &mut Line, database: usize, keys: &[&[u8]]) -> Result<Vec<Option<Item>>, DatabaseError> {
    let tells_time = line.version() >= (7, 0);
    let mut pipe = redis::pipe();
    pipe.cmd("SELECT").arg(database);
    for key in keys {
        pipe.cmd("TYPE").arg(*key).cmd("DUMP").arg(*key);
        if tells_time {
            pipe.cmd("PEXPIRETIME").arg(*key);
        } else {
            pipe.cmd("EVAL").arg(EXPIRES).arg(1).arg(*key);
        }
    }
    let mut answers = line.all(&mut pipe).await?.into_iter().skip(1);
    let mut items = Vec::with_capacity(keys.len());
    for _ in keys {
        let (word, dumped, expires) = (answers.next(), answers.next(), answers.next());
        let (Some(word), Some(Given::BulkString(dumped)), Some(expires)) = (word, dumped, expires) else {
            items.push(None);
            continue;
        };
        // -1 says that it stays, -2 that it went.
        let expires = number(&expires).unwrap_or(-1);
        items.push((expires != -2).then(|| (text(&word), dumped, Some(expires).filter(|at| *at >= 0))));
    }
    Ok(items)
}

/// Tells when a key goes where the server has no command for it: both numbers are of one millisecond.
pub(super) const EXPIRES: &str =
    "local function now() local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end
local before, left, after
repeat before = now() left = redis.call('PTTL', KEYS[1]) after = now() until before == after
if left < 0 then return left end
return string.format('%.0f', before + left)";

/// Writes keys whole or not at all, none of them where a later claim has come.
pub(super) async fn write(line: &mut Line, claim: Option<&Claim>, write: &WriteChunk) -> Result<u64, DatabaseError> {
    let database = index(&write.database)?;
    is_keys(&write.table)?;
    if let Some(other) = write.columns.iter().find(|name| !COLUMNS.iter().any(|own| own.eq_ignore_ascii_case(name))) {
        return Err(bad(format!("no such column: {other}")));
    }
    let places = COLUMNS.map(|name| write.columns.iter().position(|column| column.eq_ignore_ascii_case(name)));
    let mut restores = redis::pipe();
    let mut keys = Vec::new();
    for row in &write.rows {
        if row.len() != write.columns.len() {
            return Err(bad(format!("a row of {} values for {} columns", row.len(), write.columns.len())));
        }
        let [key, _, value, expires_at] = places.map(|place| place.map_or(&Value::Null, |place| &row[place]));
        let expires_at = match expires_at {
            Value::Null => 0,
            Value::Integer(at) => (*at).max(1),
            _ => return Err(bad("the column expires_at takes whole milliseconds or NULL")),
        };
        let key = to_bytes(key)?;
        let command = restores.cmd("RESTORE").arg(&key).arg(expires_at).arg(to_bytes(value)?).arg("ABSTTL");
        if write.on_conflict == OnConflict::Replace {
            command.arg("REPLACE");
        }
        keys.push(key);
    }
    let stop = write.on_conflict == OnConflict::Stop;
    let answers = guarded(line, claim, database, &keys, stop, restores).await?;
    let mut written = 0;
    for answer in answers {
        match answer {
            Given::ServerError(error) if error.code() == "BUSYKEY" => {}
            Given::ServerError(error) => return Err(of_server(&line.account, &error)),
            _ => written += 1,
        }
    }
    Ok(written)
}

/// Runs commands as one transaction, where the claim still holds, and none of the keys is there if none may be.
async fn guarded(
    line: &mut Line,
    claim: Option<&Claim>,
    database: usize,
    keys: &[Vec<u8>],
    none_there: bool,
    commands: Pipeline,
) -> Result<Vec<Given>, DatabaseError> {
    let mut watch = redis::pipe();
    if let Some(claim) = claim {
        claim.watch(&mut watch);
    }
    watch.cmd("SELECT").arg(database);
    if none_there {
        for key in keys {
            watch.cmd("WATCH").arg(key).cmd("EXISTS").arg(key);
        }
    }
    let answers = line.all(&mut watch).await?;
    let refused = match claim {
        Some(claim) => claim.check(&answers),
        None => Ok(()),
    };
    let there = answers.iter().rev().take(if none_there { keys.len() * 2 } else { 0 });
    let there = there.step_by(2).filter(|answer| number(answer) == Some(1)).count();
    if refused.is_err() || there > 0 {
        line.one(&[b"UNWATCH"]).await?;
        refused?;
        return Err(DatabaseError::Constraint(format!("{there} of the keys exist in database {database}")));
    }
    let count = commands.len();
    let mut pipe = redis::pipe();
    pipe.cmd("MULTI");
    for command in commands.cmd_iter() {
        pipe.add_command(command.clone());
    }
    pipe.cmd("EXEC");
    let mut answers = line.ask(&mut pipe).await?;
    match answers.pop() {
        Some(Given::Array(done)) if done.len() == count => Ok(done),
        Some(Given::ServerError(error)) => {
            // One of the commands was not even taken up: say which.
            let first =
                answers.iter().find_map(|one| if let Given::ServerError(error) = one { Some(error) } else { None });
            Err(of_server(&line.account, first.unwrap_or(&error)))
        }
        _ => Err(DatabaseError::Unreachable("somebody else wrote in between".to_owned())),
    }
}

/// How many keys each database has, where there are any.
pub(super) async fn counts(line: &mut Line) -> Result<BTreeMap<usize, u64>, DatabaseError> {
    line.look().await?;
    let count = |database: usize| {
        let said = line.said(&format!("db{database}"))?;
        let keys = said.split(',').find_map(|part| part.strip_prefix("keys="))?;
        Some((database, keys.parse().ok()?))
    };
    Ok((0..DATABASES).filter_map(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_after_any_other() {
        let mut listed = Listed::default();
        for key in ["a", "b", "d"] {
            listed.letters.extend_from_slice(key.as_bytes());
            listed.ends.push(listed.letters.len());
        }
        assert_eq!(["", "a", "c", "d"].map(|key| listed.after(key.as_bytes())), [0, 1, 2, 3]);
    }

    #[test]
    fn only_the_sixteen_databases_are_there() {
        assert_eq!(index("15"), Ok(15));
        assert!(index("16").is_err() && index("app").is_err());
    }
}
