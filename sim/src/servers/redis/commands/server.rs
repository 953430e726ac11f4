//! Commands on the server and on whole databases.

use super::super::call::{Answer, Call, Done, NOT_AN_INTEGER, SYNTAX};
use super::super::numbers::integer;
use super::super::space::DATABASES;
use recovery::model::Version;

/// `PING [message]`.
pub(super) fn ping(call: &mut Call<'_, '_>) -> Done {
    match call.words {
        [] => Ok(Answer::Text("PONG".into())),
        [message] if call.version > Version::V2_8 => Ok(Answer::Text(message.clone())),
        _ => Err(call.arity()),
    }
}

/// `ECHO message`.
pub(super) fn echo(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::Text(call.word(0).to_owned()))
}

/// `SELECT index`: the lines after it work on that database.
pub(super) fn select(call: &mut Call<'_, '_>) -> Done {
    const OLD: &str = "ERR invalid DB index";
    let not_a_number = if call.version >= Version::V7_0 { NOT_AN_INTEGER } else { OLD };
    let index = integer(call.word(0)).ok_or(not_a_number)?;
    if call.cluster && index != 0 {
        return Err("ERR SELECT is not allowed in cluster mode".into());
    }
    let out_of_range = if call.version == Version::V2_8 { OLD } else { "ERR DB index is out of range" };
    call.database = usize::try_from(index).ok().filter(|index| *index < DATABASES).ok_or(out_of_range)?;
    Ok(Answer::ok())
}

/// `DBSIZE`.
pub(super) fn dbsize(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::count(call.unit.space().count(call.database)))
}

/// `FLUSHDB [ASYNC | SYNC]`.
pub(super) fn flushdb(call: &mut Call<'_, '_>) -> Done {
    flush(call, call.database..call.database + 1)
}

/// `FLUSHALL [ASYNC | SYNC]`.
pub(super) fn flushall(call: &mut Call<'_, '_>) -> Done {
    flush(call, 0..DATABASES)
}

fn flush(call: &mut Call<'_, '_>, databases: std::ops::Range<usize>) -> Done {
    let known = match call.words {
        [] => true,
        [how] if how.eq_ignore_ascii_case("async") => call.version >= Version::V4_0,
        [how] if how.eq_ignore_ascii_case("sync") => call.version >= Version::V7_0,
        _ => false,
    };
    match (known, call.version) {
        (true, _) => {}
        (false, Version::V2_8) => return Err(call.arity()),
        (false, _) => return Err(SYNTAX.into()),
    }
    for database in databases {
        let keys: Vec<String> = call.unit.space().keys(database).map(|(key, _)| key.clone()).collect();
        for key in keys {
            call.unit.put(database, &key, None);
        }
    }
    Ok(Answer::ok())
}

/// `INFO [section]`.
pub(super) fn info(call: &mut Call<'_, '_>) -> Done {
    let wanted = match call.words {
        [] => "default".to_owned(),
        [section] => section.to_ascii_lowercase(),
        _ if call.version < Version::V7_0 => return Err(SYNTAX.into()),
        _ => "default".to_owned(),
    };
    let mut sections = call.about.clone();
    sections.push(("Keyspace", keyspace(call)));
    let all = ["default", "all", "everything"].contains(&wanted.as_str());
    let told = sections.into_iter().filter(|(section, _)| all || section.eq_ignore_ascii_case(&wanted));
    let told: Vec<String> = told
        .map(|(section, lines)| {
            let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            format!("# {section}\r\n{lines}")
        })
        .collect();
    Ok(Answer::Text(told.join("\r\n")))
}

fn keyspace(call: &Call<'_, '_>) -> Vec<String> {
    let space = call.unit.space();
    let filled = (0..DATABASES).filter(|database| space.count(*database) > 0);
    filled
        .map(|database| {
            let left: Vec<i64> = space.keys(database).filter_map(|(_, item)| item.expires_at).collect();
            let total: i128 = left.iter().map(|expires_at| i128::from(expires_at - call.now_ms)).sum();
            let average = total.checked_div(left.len() as i128).unwrap_or_default();
            format!("db{database}:keys={},expires={},avg_ttl={average}", space.count(database), left.len())
        })
        .collect()
}
