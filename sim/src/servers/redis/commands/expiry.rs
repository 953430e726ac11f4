//! Commands on when keys go.

use super::super::call::{Answer, Call, Done};
use super::super::data::Item;
use recovery::model::Version;

/// A time in milliseconds since the epoch: a number of seconds or milliseconds after another.
pub(super) fn absolute(number: i64, in_seconds: bool, from_ms: i64) -> Option<i64> {
    number.checked_mul(if in_seconds { 1000 } else { 1 })?.checked_add(from_ms)
}

/// `EXPIRE key s`, `PEXPIRE key ms`, `EXPIREAT key s`, `PEXPIREAT key ms`, from 7.0 on with `NX`, `XX`, `GT` or `LT`. A
/// time that is over deletes the key.
pub(super) fn expire(call: &mut Call<'_, '_>) -> Done {
    if call.words.len() > 2 && call.version < Version::V7_0 {
        return Err(call.arity());
    }
    let from_ms = if call.name.ends_with("at") { 0 } else { call.now_ms };
    let expires_at = absolute(call.integer(1)?, !call.name.starts_with('p'), from_ms);
    let expires_at = expires_at.ok_or_else(|| call.bad_expiry())?;
    let key = call.word(0).to_owned();
    let old = call.item(&key).cloned();
    let applies = allowed(call, old.as_ref().and_then(|item| item.expires_at), expires_at)?;
    let Some(item) = old.filter(|_| applies) else { return Ok(Answer::Number(0)) };
    call.put(&key, Some(Item { expires_at: Some(expires_at), ..item }));
    Ok(Answer::Number(1))
}

fn allowed(call: &Call<'_, '_>, old: Option<i64>, new: i64) -> Result<bool, String> {
    let (mut only_new, mut only_old, mut only_later, mut only_earlier) = (false, false, false, false);
    for word in call.words.iter().skip(2) {
        match word.to_ascii_lowercase().as_str() {
            "nx" => only_new = true,
            "xx" => only_old = true,
            "gt" => only_later = true,
            "lt" => only_earlier = true,
            _ => return Err(format!("ERR Unsupported option {word}")),
        }
    }
    if only_new && (only_old || only_later || only_earlier) {
        return Err("ERR NX and XX, GT or LT options at the same time are not compatible".into());
    }
    if only_later && only_earlier {
        return Err("ERR GT and LT options at the same time are not compatible".into());
    }
    // A key that never goes counts as one that goes at the end of time.
    let held = old.unwrap_or(i64::MAX);
    let kept = (only_new && old.is_some()) || (only_old && old.is_none());
    let kept = kept || (only_later && (old.is_none() || new <= held)) || (only_earlier && new >= held);
    Ok(!kept)
}

/// `PERSIST key`.
pub(super) fn persist(call: &mut Call<'_, '_>) -> Done {
    let key = call.word(0).to_owned();
    let Some(item) = call.item(&key).filter(|item| item.expires_at.is_some()).cloned() else {
        return Ok(Answer::Number(0));
    };
    call.put(&key, Some(Item::new(item.data)));
    Ok(Answer::Number(1))
}

/// Minus two without the key, minus one where it stays.
fn remaining(call: &Call<'_, '_>, told: impl Fn(i64) -> i64) -> Done {
    Ok(Answer::Number(match call.item(call.word(0)).map(|item| item.expires_at) {
        None => -2,
        Some(None) => -1,
        Some(Some(expires_at)) => told(expires_at),
    }))
}

/// `TTL key`, `PTTL key`.
pub(super) fn ttl(call: &mut Call<'_, '_>) -> Done {
    let (in_seconds, now_ms) = (!call.name.starts_with('p'), call.now_ms);
    remaining(call, |expires_at| {
        let left = expires_at.saturating_sub(now_ms).max(0);
        if in_seconds { left.saturating_add(500) / 1000 } else { left }
    })
}

/// `EXPIRETIME key`, `PEXPIRETIME key`.
pub(super) fn expiretime(call: &mut Call<'_, '_>) -> Done {
    let in_seconds = !call.name.starts_with('p');
    remaining(call, |expires_at| if in_seconds { expires_at.saturating_add(500) / 1000 } else { expires_at })
}
