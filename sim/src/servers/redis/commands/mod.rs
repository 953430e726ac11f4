//! The commands a server understands: since which version, with how many words, on which keys, by which right.

mod expiry;
mod hashes;
mod keys;
mod lists;
mod server;
mod sets;
mod sorted;
mod strings;

use super::call::{Call, Done, wrong_arity};
use super::slots::slot;
use recovery::model::Version::{self, V2_8, V4_0, V5_0, V6_0, V7_0};
use recovery::model::instance::Rights;
use std::collections::BTreeSet;

/// Which of its words are keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    None,
    First,
    FirstTwo,
    All,
    /// The first, the third and so on.
    EveryOther,
}

/// One command.
pub(super) struct Command {
    /// Name in lower case.
    pub name: &'static str,
    /// Version it came with.
    since: Version,
    /// Words with the name; negative where more are allowed.
    arity: i8,
    keys: Keys,
    /// The right it takes on the database it works on.
    pub needs: Rights,
    /// Whether it works on every database.
    pub everywhere: bool,
    /// Does it.
    pub run: fn(&mut Call<'_, '_>) -> Done,
}

const fn command(
    name: &'static str,
    arity: i8,
    keys: Keys,
    needs: Rights,
    run: fn(&mut Call<'_, '_>) -> Done,
) -> Command {
    Command { name, since: V2_8, arity, keys, needs, everywhere: false, run }
}

const fn since(since: Version, command: Command) -> Command {
    Command { since, ..command }
}

use Keys::{All, EveryOther, First, FirstTwo};
use Rights::{ReadOnly as Read, ReadWrite as Write};

const COMMANDS: [Command; 62] = [
    command("ping", -1, Keys::None, Rights::None, server::ping),
    command("echo", 2, Keys::None, Rights::None, server::echo),
    command("select", 2, Keys::None, Rights::None, server::select),
    command("info", -1, Keys::None, Rights::None, server::info),
    command("dbsize", 1, Keys::None, Read, server::dbsize),
    command("flushdb", -1, Keys::None, Write, server::flushdb),
    Command { everywhere: true, ..command("flushall", -1, Keys::None, Write, server::flushall) },
    command("set", -3, First, Write, strings::set),
    command("setnx", 3, First, Write, strings::setnx),
    command("setex", 4, First, Write, strings::setex),
    command("psetex", 4, First, Write, strings::setex),
    command("get", 2, First, Read, strings::get),
    command("getset", 3, First, Write, strings::getset),
    since(V7_0, command("getdel", 2, First, Write, strings::getdel)),
    command("mset", -3, EveryOther, Write, strings::mset),
    command("mget", -2, All, Read, strings::mget),
    command("append", 3, First, Write, strings::append),
    command("strlen", 2, First, Read, strings::strlen),
    command("incr", 2, First, Write, strings::incr),
    command("incrby", 3, First, Write, strings::incr),
    command("decr", 2, First, Write, strings::incr),
    command("decrby", 3, First, Write, strings::incr),
    command("del", -2, All, Write, keys::del),
    since(V4_0, command("unlink", -2, All, Write, keys::del)),
    command("exists", -2, All, Read, keys::exists),
    command("type", 2, First, Read, keys::kind),
    command("rename", 3, FirstTwo, Write, keys::rename),
    command("renamenx", 3, FirstTwo, Write, keys::rename),
    command("keys", 2, Keys::None, Read, keys::keys),
    command("expire", -3, First, Write, expiry::expire),
    command("pexpire", -3, First, Write, expiry::expire),
    command("expireat", -3, First, Write, expiry::expire),
    command("pexpireat", -3, First, Write, expiry::expire),
    command("persist", 2, First, Write, expiry::persist),
    command("ttl", 2, First, Read, expiry::ttl),
    command("pttl", 2, First, Read, expiry::ttl),
    since(V7_0, command("expiretime", 2, First, Read, expiry::expiretime)),
    since(V7_0, command("pexpiretime", 2, First, Read, expiry::expiretime)),
    command("hset", -4, First, Write, hashes::hset),
    command("hmset", -4, First, Write, hashes::hset),
    command("hget", 3, First, Read, hashes::hget),
    command("hmget", -3, First, Read, hashes::hmget),
    command("hdel", -3, First, Write, hashes::hdel),
    command("hgetall", 2, First, Read, hashes::hgetall),
    command("hlen", 2, First, Read, hashes::hlen),
    command("hexists", 3, First, Read, hashes::hexists),
    command("lpush", -3, First, Write, lists::push),
    command("rpush", -3, First, Write, lists::push),
    command("lpop", -2, First, Write, lists::pop),
    command("rpop", -2, First, Write, lists::pop),
    command("lrange", 4, First, Read, lists::lrange),
    command("llen", 2, First, Read, lists::llen),
    command("sadd", -3, First, Write, sets::sadd),
    command("srem", -3, First, Write, sets::srem),
    command("smembers", 2, First, Read, sets::smembers),
    command("scard", 2, First, Read, sets::scard),
    command("sismember", 3, First, Read, sets::sismember),
    command("zadd", -4, First, Write, sorted::zadd),
    command("zrem", -3, First, Write, sorted::zrem),
    command("zrange", -4, First, Read, sorted::zrange),
    command("zscore", 3, First, Read, sorted::zscore),
    command("zcard", 2, First, Read, sorted::zcard),
];

impl Command {
    /// The command of these words, as a server of a version knows it; the errors are Redis's own.
    pub fn of(version: Version, name: &str, words: &[String]) -> Result<&'static Self, String> {
        let known = COMMANDS.iter().find(|known| known.name.eq_ignore_ascii_case(name) && known.since <= version);
        let Some(command) = known else { return Err(unknown(version, name, words)) };
        let count = words.len() + 1;
        let wanted = usize::from(command.arity.unsigned_abs());
        if if command.arity < 0 { count < wanted } else { count != wanted } {
            return Err(wrong_arity(command.name));
        }
        Ok(command)
    }

    /// Refuses keys of several slots of a cluster in one command.
    pub fn check_slots(&self, words: &[String]) -> Result<(), String> {
        let keys: Vec<&String> = match self.keys {
            Keys::None => Vec::new(),
            First => words.iter().take(1).collect(),
            FirstTwo => words.iter().take(2).collect(),
            All => words.iter().collect(),
            EveryOther => words.iter().step_by(2).collect(),
        };
        let slots: BTreeSet<u16> = keys.into_iter().map(|key| slot(key)).collect();
        if slots.len() > 1 { Err("CROSSSLOT Keys in request don't hash to the same slot".into()) } else { Ok(()) }
    }
}

fn unknown(version: Version, name: &str, words: &[String]) -> String {
    let beginning = |open: char, close: &str| -> String {
        words.iter().map(|word| format!("{open}{word}{close} ")).collect::<String>()
    };
    match version {
        V2_8 | V4_0 => format!("ERR unknown command '{name}'"),
        V5_0 | V6_0 => {
            format!("ERR unknown command `{name}`, with args beginning with: {}", beginning('`', "`,"))
        }
        _ => format!("ERR unknown command '{name}', with args beginning with: {}", beginning('\'', "'")),
    }
}
