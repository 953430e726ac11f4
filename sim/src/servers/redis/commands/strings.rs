//! Commands on strings.

use super::super::call::{Answer, Call, Done, NOT_AN_INTEGER, SYNTAX};
use super::super::data::{Data, Item};
use super::super::numbers::integer;
use super::expiry::absolute;
use recovery::model::Version::{V6_0, V7_0};

/// `SET key value [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] [NX | XX] [GET]`. KEEPTTL came with 6.0, EXAT, PXAT and GET
/// with 6.2.
pub(super) fn set(call: &mut Call<'_, '_>) -> Done {
    let (mut expires_at, mut keeps, mut only_new, mut only_old, mut gets) = (None, false, false, false, false);
    let mut at = 2;
    while let Some(word) = call.words.get(at) {
        let option = word.to_ascii_lowercase();
        at += 1;
        match option.as_str() {
            "nx" if !only_old => only_new = true,
            "xx" if !only_new => only_old = true,
            "get" if call.version >= V7_0 => gets = true,
            "keepttl" if call.version >= V6_0 && expires_at.is_none() => keeps = true,
            "ex" | "px" | "exat" | "pxat" if expires_at.is_none() && !keeps && at < call.words.len() => {
                if option.ends_with("at") && call.version < V7_0 {
                    return Err(SYNTAX.into());
                }
                expires_at = Some(lifetime(call, at, option.starts_with('e'), option.ends_with("at"))?);
                at += 1;
            }
            _ => return Err(SYNTAX.into()),
        }
    }
    let key = call.word(0).to_owned();
    let old = if gets { Answer::maybe(call.look::<String>(&key)?.cloned()) } else { Answer::ok() };
    let there = call.item(&key);
    if (only_new && there.is_some()) || (only_old && there.is_none()) {
        return Ok(if gets { old } else { Answer::Nothing });
    }
    let expires_at = if keeps { there.and_then(|item| item.expires_at) } else { expires_at };
    let data = Data::Text(call.word(1).to_owned());
    call.put(&key, Some(Item { data, expires_at }));
    Ok(old)
}

/// A word as the time a new value goes at: it must lie after now, or after the epoch where it is absolute.
fn lifetime(call: &Call<'_, '_>, index: usize, in_seconds: bool, is_absolute: bool) -> Result<i64, String> {
    let number = call.integer(index)?;
    let from = if is_absolute { 0 } else { call.now_ms };
    absolute(number, in_seconds, from).filter(|_| number > 0).ok_or_else(|| call.bad_expiry())
}

/// `SETNX key value`.
pub(super) fn setnx(call: &mut Call<'_, '_>) -> Done {
    let (key, value) = (call.word(0).to_owned(), call.word(1).to_owned());
    let is_new = call.item(&key).is_none();
    if is_new {
        call.put(&key, Some(Item::new(Data::Text(value))));
    }
    Ok(Answer::flag(is_new))
}

/// `SETEX key s value`, `PSETEX key ms value`.
pub(super) fn setex(call: &mut Call<'_, '_>) -> Done {
    let expires_at = lifetime(call, 1, call.name == "setex", false)?;
    let (key, value) = (call.word(0).to_owned(), call.word(2).to_owned());
    call.put(&key, Some(Item { data: Data::Text(value), expires_at: Some(expires_at) }));
    Ok(Answer::ok())
}

/// `GET key`.
pub(super) fn get(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::maybe(call.look::<String>(call.word(0))?.cloned()))
}

/// `GETSET key value`.
pub(super) fn getset(call: &mut Call<'_, '_>) -> Done {
    let (key, value) = (call.word(0).to_owned(), call.word(1).to_owned());
    let old = call.look::<String>(&key)?.cloned();
    call.put(&key, Some(Item::new(Data::Text(value))));
    Ok(Answer::maybe(old))
}

/// `GETDEL key`.
pub(super) fn getdel(call: &mut Call<'_, '_>) -> Done {
    let key = call.word(0).to_owned();
    let old = call.look::<String>(&key)?.cloned();
    call.put(&key, None);
    Ok(Answer::maybe(old))
}

/// `MSET key value …`.
pub(super) fn mset(call: &mut Call<'_, '_>) -> Done {
    if !call.words.len().is_multiple_of(2) {
        let old = "ERR wrong number of arguments for MSET".to_owned();
        return Err(if call.version >= V7_0 { call.arity() } else { old });
    }
    for pair in call.words.chunks(2) {
        if let [key, value] = pair {
            call.put(key, Some(Item::new(Data::Text(value.clone()))));
        }
    }
    Ok(Answer::ok())
}

/// `MGET key …`.
pub(super) fn mget(call: &mut Call<'_, '_>) -> Done {
    // A key that holds no string is as if it were not there.
    let found = call.words.iter().map(|key| call.look::<String>(key).ok().flatten().cloned());
    Ok(Answer::List(found.collect()))
}

/// `APPEND key value`.
pub(super) fn append(call: &mut Call<'_, '_>) -> Done {
    let (key, value) = (call.word(0).to_owned(), call.word(1).to_owned());
    let length = call.alter(&key, |text: &mut String| {
        text.push_str(&value);
        Ok(text.len())
    })?;
    Ok(Answer::count(length))
}

/// `STRLEN key`.
pub(super) fn strlen(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::count(call.look::<String>(call.word(0))?.map_or(0, String::len)))
}

/// `INCR key`, `DECR key`, `INCRBY key n`, `DECRBY key n`.
pub(super) fn incr(call: &mut Call<'_, '_>) -> Done {
    let by = if call.words.len() > 1 { call.integer(1)? } else { 1 };
    let by = if call.name.starts_with("decr") { by.checked_neg().ok_or("ERR decrement would overflow")? } else { by };
    let key = call.word(0).to_owned();
    let is_new = call.item(&key).is_none();
    let number = call.alter(&key, |text: &mut String| {
        let old = if is_new { Some(0) } else { integer(text) };
        let sum = old.ok_or(NOT_AN_INTEGER)?.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
        *text = sum.to_string();
        Ok(sum)
    })?;
    Ok(Answer::Number(number))
}
