//! Commands on keys of any type.

use super::super::call::{Answer, Call, Done};
use super::super::glob;
use recovery::model::Version;

/// `DEL key …`, `UNLINK key …`.
pub(super) fn del(call: &mut Call<'_, '_>) -> Done {
    let before = call.unit.changed();
    for key in call.words {
        call.put(key, None);
    }
    Ok(Answer::count(call.unit.changed() - before))
}

/// `EXISTS key …`; 2.8 takes one key.
pub(super) fn exists(call: &mut Call<'_, '_>) -> Done {
    if call.words.len() > 1 && call.version == Version::V2_8 {
        return Err(call.arity());
    }
    Ok(Answer::count(call.words.iter().filter(|key| call.item(key).is_some()).count()))
}

/// `TYPE key`.
pub(super) fn kind(call: &mut Call<'_, '_>) -> Done {
    Ok(Answer::Text(call.item(call.word(0)).map_or("none", |item| item.data.word()).to_owned()))
}

/// `RENAME key new`, `RENAMENX key new`.
pub(super) fn rename(call: &mut Call<'_, '_>) -> Done {
    let (key, new) = (call.word(0).to_owned(), call.word(1).to_owned());
    let careful = call.name == "renamenx";
    let Some(item) = call.item(&key).cloned() else { return Err("ERR no such key".into()) };
    if careful && call.item(&new).is_some() {
        return Ok(Answer::Number(0));
    }
    if key != new {
        call.put(&key, None);
        call.put(&new, Some(item));
    }
    Ok(if careful { Answer::Number(1) } else { Answer::ok() })
}

/// `KEYS pattern`, in the order of the keys.
pub(super) fn keys(call: &mut Call<'_, '_>) -> Done {
    let pattern = call.word(0);
    let found = call.unit.space().keys(call.database).filter(|(key, _)| glob::matches(pattern, key));
    Ok(Answer::List(found.map(|(key, _)| Some(key.clone())).collect()))
}
