//! The content of a server: every key as what it holds, not as the server keeps it, so that equal contents are equal.

use super::line::{Line, bytes, elements, number, text};
use super::table::{self, COLUMNS, DATABASES, Listed, NAME, index, of_bytes};
use crate::mysql::hex;
use recovery::model::content::{Row, Value};
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use recovery::ports::database::DatabaseError;
use redis::Value as Given;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Databases up to this many keys are photographed key by key.
const WHOLE_ROWS_MAX: usize = 1000;
/// Keys looked at together.
const PORTION: usize = 200;

/// How the content of each type is asked for.
const ASKED: [(&str, &[&str]); 6] = [
    ("string", &["GET"]),
    ("hash", &["HGETALL"]),
    ("list", &["LRANGE", "0", "-1"]),
    ("set", &["SMEMBERS"]),
    ("zset", &["ZRANGE", "0", "-1", "WITHSCORES"]),
    ("stream", &["XRANGE", "-", "+"]),
];

/// Takes it. Accounts and settings are left out.
pub(super) async fn photograph(line: &mut Line) -> Result<Photograph, DatabaseError> {
    let counts = table::counts(line).await?;
    let log_position = line.said("master_repl_offset").and_then(|at| at.parse().ok()).unwrap_or(0);
    let mut databases = BTreeMap::new();
    for database in (0..DATABASES).filter(|database| *database == 0 || counts.contains_key(database)) {
        let described = table::described(0);
        let keys = PhotographedObject {
            kind: described.kind,
            name: described.name,
            definition: described.definition,
            definer: None,
            security: None,
            enabled: true,
            needs: Vec::new(),
            rows: Some(rows(line, &database.to_string()).await?),
        };
        let objects = BTreeMap::from([(format!("table {NAME}"), keys)]);
        databases.insert(database.to_string(), PhotographedDatabase { charset: super::CHARSET.to_owned(), objects });
    }
    Ok(Photograph { databases, accounts: BTreeMap::new(), settings: BTreeMap::new(), log_position })
}

async fn rows(line: &mut Line, database: &str) -> Result<Rows, DatabaseError> {
    let database = index(database)?;
    let mut listed = Listed::default();
    listed.fill(line, database).await?;
    let keys: Vec<Vec<u8>> = listed.keys().map(<[u8]>::to_vec).collect();
    let (mut whole, mut hash, mut count) = (Vec::new(), Sha256::new(), 0);
    for keys in keys.chunks(PORTION) {
        for row in portion(line, database, keys).await? {
            hash.update(serde_json::to_vec(&row).unwrap_or_default());
            hash.update(b"\n");
            count += 1;
            if count <= WHOLE_ROWS_MAX {
                whole.push(row);
            }
        }
    }
    if count <= WHOLE_ROWS_MAX {
        let columns = COLUMNS.map(str::to_owned).to_vec();
        return Ok(Rows::Whole { columns, key: vec![COLUMNS[0].to_owned()], rows: whole });
    }
    Ok(Rows::Digest { count: count as u64, sha256: hex(&hash.finalize()) })
}

async fn portion(line: &mut Line, database: usize, keys: &[Vec<u8>]) -> Result<Vec<Row>, DatabaseError> {
    let mut pipe = redis::pipe();
    pipe.cmd("SELECT").arg(database);
    for key in keys {
        pipe.cmd("TYPE").arg(key);
    }
    let words: Vec<String> = line.all(&mut pipe).await?.iter().skip(1).map(text).collect();
    let mut pipe = redis::pipe();
    let tells_time = line.version() >= (7, 0);
    for (key, word) in keys.iter().zip(&words) {
        let asked = ASKED.iter().find(|(own, _)| own == word).map_or(&["DUMP"][..], |(_, asked)| *asked);
        let command = pipe.cmd(asked[0]).arg(key);
        for word in &asked[1..] {
            command.arg(*word);
        }
        if tells_time {
            pipe.cmd("PEXPIRETIME").arg(key);
        } else {
            pipe.cmd("EVAL").arg(table::EXPIRES).arg(1).arg(key);
        }
    }
    let mut answers = line.all(&mut pipe).await?.into_iter();
    let mut rows = Vec::with_capacity(keys.len());
    for (key, word) in keys.iter().zip(words) {
        let (content, expires) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
        let expires = number(&expires).unwrap_or(-1);
        if word == "none" || expires == -2 {
            continue;
        }
        let value = Value::Text(written(&word, content));
        let expires = if expires < 0 { Value::Null } else { Value::Integer(expires) };
        rows.push(vec![of_bytes(key.clone()), Value::Text(word), value, expires]);
    }
    Ok(rows)
}

/// Bytes as JSON has them: text, or hexadecimal digits behind a mark that no text of keys begins with.
fn word(given: Given) -> String {
    match of_bytes(bytes(given)) {
        Value::Bytes { hex } => format!("\u{fffd}hex:{hex}"),
        Value::Text(text) => text,
        _ => String::new(),
    }
}

/// The content as canonical JSON.
fn written(kind: &str, content: Given) -> String {
    let pairs = |content: Given| {
        let mut words = elements(content).into_iter().map(word);
        let mut pairs = BTreeMap::new();
        while let Some((name, value)) = words.next().zip(words.next()) {
            pairs.insert(name, value);
        }
        pairs
    };
    let json = match kind {
        "string" => serde_json::to_string(&word(content)),
        "hash" => serde_json::to_string(&pairs(content)),
        "zset" => {
            // Servers write the same score with more or with fewer digits.
            let score = |score: String| score.parse().map_or(score, |number: f64| (number + 0.0).to_string());
            let scores = pairs(content).into_iter().map(|(member, given)| (member, score(given)));
            serde_json::to_string(&scores.collect::<BTreeMap<_, _>>())
        }
        "set" => {
            let mut members: Vec<String> = elements(content).into_iter().map(word).collect();
            members.sort_unstable();
            serde_json::to_string(&members)
        }
        "stream" => serde_json::to_string(&entries(content)),
        "list" => serde_json::to_string(&elements(content).into_iter().map(word).collect::<Vec<_>>()),
        _ => serde_json::to_string(&word(content)),
    };
    json.unwrap_or_default()
}

/// The entries of a stream, each with its id first.
fn entries(content: Given) -> Vec<Vec<String>> {
    let entry = |entry: Given| {
        let mut parts = elements(entry).into_iter();
        let id = parts.next().map(word).into_iter();
        id.chain(parts.next().map(elements).unwrap_or_default().into_iter().map(word)).collect()
    };
    elements(content).into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_contents_are_written_alike() {
        let bulk = |bytes: &[u8]| Given::BulkString(bytes.to_vec());
        assert_eq!(written("string", bulk(b"a\"b")), "\"a\\\"b\"");
        assert_eq!(written("set", Given::Array(vec![bulk(b"b"), bulk(b"a")])), "[\"a\",\"b\"]");
        let one = written("zset", Given::Array(vec![bulk(b"a"), bulk(b"0.10000000000000001")]));
        assert_eq!(one, written("zset", Given::Array(vec![bulk(b"a"), bulk(b"0.1")])));
        assert_eq!(written("string", bulk(b"\xff")), "\"\u{fffd}hex:ff\"");
    }
}
