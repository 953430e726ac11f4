//! Commands on lists.

use super::super::call::{Answer, Call, Done};
use recovery::model::Version;
use std::collections::VecDeque;
use std::ops::Range;

type List = VecDeque<String>;

/// `LPUSH key element …`, `RPUSH key element …`.
pub(super) fn push(call: &mut Call<'_, '_>) -> Done {
    let (key, elements, at_head) = (call.word(0).to_owned(), &call.words[1..], call.name.starts_with('l'));
    let length = call.alter(&key, |list: &mut List| {
        for element in elements.iter().cloned() {
            if at_head { list.push_front(element) } else { list.push_back(element) }
        }
        Ok(list.len())
    })?;
    Ok(Answer::count(length))
}

/// `LPOP key [count]`, `RPOP key [count]`; the count came with 6.2.
pub(super) fn pop(call: &mut Call<'_, '_>) -> Done {
    let (key, at_head) = (call.word(0).to_owned(), call.name.starts_with('l'));
    let count = match call.words.len() {
        1 => None,
        2 if call.version >= Version::V7_0 => {
            let count = usize::try_from(call.integer(1)?);
            Some(count.map_err(|_| "ERR value is out of range, must be positive")?)
        }
        _ => return Err(call.arity()),
    };
    if call.look::<List>(&key)?.is_none() {
        return Ok(Answer::Nothing);
    }
    let popped = call.alter(&key, |list: &mut List| {
        let pops =
            (0..count.unwrap_or(1).min(list.len())).map(|_| if at_head { list.pop_front() } else { list.pop_back() });
        Ok(pops.collect::<Vec<_>>())
    })?;
    Ok(match count {
        None => Answer::maybe(popped.into_iter().flatten().next()),
        Some(_) => Answer::List(popped),
    })
}

/// `LRANGE key start stop`.
pub(super) fn lrange(call: &mut Call<'_, '_>) -> Done {
    let (start, stop) = (call.integer(1)?, call.integer(2)?);
    let Some(list) = call.look::<List>(call.word(0))? else { return Ok(Answer::List(Vec::new())) };
    Ok(Answer::List(list.range(span(start, stop, list.len())).cloned().map(Some).collect()))
}

/// `LLEN key`.
pub(super) fn llen(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::count(call.look::<List>(call.word(0))?.map_or(0, List::len)))
}

/// The places from `start` to `stop`, both included, counted from the end where negative.
pub(super) fn span(start: i64, stop: i64, length: usize) -> Range<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let (start, stop) = (from_end(start).max(0), from_end(stop).min(length - 1));
    let place = |index: i64| usize::try_from(index).unwrap_or_default();
    if start > stop { 0..0 } else { place(start)..place(stop) + 1 }
}
