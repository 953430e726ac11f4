//! Commands on sorted sets.

use super::super::call::{Answer, Call, Done, NOT_A_FLOAT, SYNTAX};
use super::super::data::ranked;
use super::super::numbers::{answered, score};
use super::lists::span;
use recovery::model::Version::{V4_0, V7_0};
use std::collections::BTreeMap;

type Sorted = BTreeMap<String, f64>;

/// How ZADD treats members that are there, or are not.
#[derive(Default)]
struct Options {
    only_new: bool,
    only_old: bool,
    only_greater: bool,
    only_less: bool,
    /// Whether members with another score count, too.
    counts_changed: bool,
}

/// `ZADD key [NX | XX] [GT | LT] [CH] score member …`; NX, XX and CH came with 3.0.2, GT and LT with 6.2.
pub(super) fn zadd(call: &mut Call<'_, '_>) -> Done {
    let mut options = Options::default();
    let mut at = 1;
    while let Some(word) = call.words.get(at) {
        match word.to_ascii_lowercase().as_str() {
            "nx" if call.version >= V4_0 => options.only_new = true,
            "xx" if call.version >= V4_0 => options.only_old = true,
            "ch" if call.version >= V4_0 => options.counts_changed = true,
            "gt" if call.version >= V7_0 => options.only_greater = true,
            "lt" if call.version >= V7_0 => options.only_less = true,
            _ => break,
        }
        at += 1;
    }
    let pairs = &call.words[at.min(call.words.len())..];
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(SYNTAX.into());
    }
    if options.only_new && options.only_old {
        return Err("ERR XX and NX options at the same time are not compatible".into());
    }
    let ordered = options.only_greater || options.only_less;
    if (options.only_greater && options.only_less) || (ordered && options.only_new) {
        return Err("ERR GT, LT, and/or NX options at the same time are not compatible".into());
    }
    let read = |pair: &[String]| Some((score(pair.first()?)?, pair.get(1)?.clone()));
    let pairs: Option<Vec<(f64, String)>> = pairs.chunks(2).map(read).collect();
    let pairs = pairs.ok_or(NOT_A_FLOAT)?;
    let key = call.word(0).to_owned();
    let count = call.alter(&key, |members: &mut Sorted| Ok(put(members, pairs, &options)))?;
    Ok(Answer::count(count))
}

fn put(members: &mut Sorted, pairs: Vec<(f64, String)>, options: &Options) -> usize {
    let mut count = 0;
    for (new, member) in pairs {
        let wanted = match members.get(&member) {
            None => !options.only_old,
            Some(old) => {
                !(options.only_new || (options.only_greater && new <= *old) || (options.only_less && new >= *old))
            }
        };
        if wanted {
            let old = members.insert(member, new);
            count += usize::from(old.is_none() || (options.counts_changed && old != Some(new)));
        }
    }
    count
}

/// `ZREM key member …`.
pub(super) fn zrem(call: &mut Call<'_, '_>) -> Done {
    let (key, gone) = (call.word(0).to_owned(), &call.words[1..]);
    let removed = call.alter(&key, |members: &mut Sorted| {
        Ok(gone.iter().filter(|member| members.remove(member.as_str()).is_some()).count())
    })?;
    Ok(Answer::count(removed))
}

/// `ZRANGE key start stop [WITHSCORES]`.
pub(super) fn zrange(call: &mut Call<'_, '_>) -> Done {
    let with_scores = match call.words.get(3..) {
        None | Some([]) => false,
        Some([word]) if word.eq_ignore_ascii_case("withscores") => true,
        Some(_) => return Err(SYNTAX.into()),
    };
    let (start, stop) = (call.integer(1)?, call.integer(2)?);
    let members = call.look::<Sorted>(call.word(0))?;
    let ranked = members.map(ranked).unwrap_or_default();
    let found = ranked[span(start, stop, ranked.len())].iter();
    Ok(if with_scores {
        let pairs = found.map(|(member, score)| ((*member).clone(), answered(*score)));
        Answer::Pairs(["member", "score"], pairs.collect())
    } else {
        Answer::List(found.map(|(member, _)| Some((*member).clone())).collect())
    })
}

/// `ZSCORE key member`.
pub(super) fn zscore(call: &mut Call<'_, '_>) -> Done {
    let members = call.look::<Sorted>(call.word(0))?;
    Ok(Answer::maybe(members.and_then(|members| members.get(call.word(1))).copied().map(answered)))
}

/// `ZCARD key`.
pub(super) fn zcard(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::count(call.look::<Sorted>(call.word(0))?.map_or(0, Sorted::len)))
}
