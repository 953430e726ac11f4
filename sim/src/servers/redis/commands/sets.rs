//! Commands on sets.

use super::super::call::{Answer, Call, Done};
use std::collections::BTreeSet;

type Set = BTreeSet<String>;

/// `SADD key member …`.
pub(super) fn sadd(call: &mut Call<'_, '_>) -> Done {
    let (key, members) = (call.word(0).to_owned(), &call.words[1..]);
    let added =
        call.alter(&key, |set: &mut Set| Ok(members.iter().filter(|member| set.insert((*member).clone())).count()))?;
    Ok(Answer::count(added))
}

/// `SREM key member …`.
pub(super) fn srem(call: &mut Call<'_, '_>) -> Done {
    let (key, members) = (call.word(0).to_owned(), &call.words[1..]);
    let removed =
        call.alter(&key, |set: &mut Set| Ok(members.iter().filter(|member| set.remove(member.as_str())).count()))?;
    Ok(Answer::count(removed))
}

/// `SMEMBERS key`, in order.
pub(super) fn smembers(call: &mut Call<'_, '_>) -> Done {
    let set = call.look::<Set>(call.word(0))?;
    Ok(Answer::List(set.into_iter().flatten().cloned().map(Some).collect()))
}

/// `SCARD key`.
pub(super) fn scard(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::count(call.look::<Set>(call.word(0))?.map_or(0, Set::len)))
}

/// `SISMEMBER key member`.
pub(super) fn sismember(call: &mut Call<'_, '_>) -> Done {
    let set = call.look::<Set>(call.word(0))?;
    Ok(Answer::flag(set.is_some_and(|set| set.contains(call.word(1)))))
}
