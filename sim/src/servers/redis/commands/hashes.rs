//! Commands on hashes.

use super::super::call::{Answer, Call, Done};
use recovery::model::Version::{V4_0, V7_0};
use std::collections::BTreeMap;

type Hash = BTreeMap<String, String>;

/// `HSET key field value …` (one field before 4.0), `HMSET key field value …`.
pub(super) fn hset(call: &mut Call<'_, '_>) -> Done {
    let fields = &call.words[1..];
    let single = call.name == "hset" && call.version < V4_0;
    if single && fields.len() != 2 {
        return Err(call.arity());
    }
    if !fields.len().is_multiple_of(2) {
        let old = "ERR wrong number of arguments for HMSET".to_owned();
        return Err(if call.version >= V7_0 { call.arity() } else { old });
    }
    let key = call.word(0).to_owned();
    let added = call.alter(&key, |hash: &mut Hash| {
        let mut added = 0;
        for pair in fields.chunks(2) {
            if let [field, value] = pair {
                added += usize::from(hash.insert(field.clone(), value.clone()).is_none());
            }
        }
        Ok(added)
    })?;
    Ok(if call.name == "hset" { Answer::count(added) } else { Answer::ok() })
}

/// `HGET key field`.
pub(super) fn hget(call: &mut Call<'_, '_>) -> Done {
    let hash = call.look::<Hash>(call.word(0))?;
    Ok(Answer::maybe(hash.and_then(|hash| hash.get(call.word(1))).cloned()))
}

/// `HMGET key field …`.
pub(super) fn hmget(call: &mut Call<'_, '_>) -> Done {
    let hash = call.look::<Hash>(call.word(0))?;
    let found = call.words.iter().skip(1).map(|field| hash.and_then(|hash| hash.get(field)).cloned());
    Ok(Answer::List(found.collect()))
}

/// `HDEL key field …`.
pub(super) fn hdel(call: &mut Call<'_, '_>) -> Done {
    let (key, fields) = (call.word(0).to_owned(), &call.words[1..]);
    let removed = call.alter(&key, |hash: &mut Hash| {
        Ok(fields.iter().filter(|field| hash.remove(field.as_str()).is_some()).count())
    })?;
    Ok(Answer::count(removed))
}

/// `HGETALL key`, in the order of the fields.
pub(super) fn hgetall(call: &mut Call<'_, '_>) -> Done {
    let hash = call.look::<Hash>(call.word(0))?;
    let pairs = hash.into_iter().flatten().map(|(field, value)| (field.clone(), value.clone()));
    Ok(Answer::Pairs(["field", "value"], pairs.collect()))
}

/// `HLEN key`.
pub(super) fn hlen(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::count(call.look::<Hash>(call.word(0))?.map_or(0, Hash::len)))
}

/// `HEXISTS key field`.
pub(super) fn hexists(call: &mut Call<'_, '_>) -> Done {
    let hash = call.look::<Hash>(call.word(0))?;
    Ok(Answer::flag(hash.is_some_and(|hash| hash.contains_key(call.word(1)))))
}
