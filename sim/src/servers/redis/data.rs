//! What a key holds, and how it is written as a row of the table `keys`.

use super::numbers::shortest;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a key holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// A string.
    Text(String),
    /// A hash.
    Hash(BTreeMap<String, String>),
    /// A list, its head first.
    List(VecDeque<String>),
    /// A set.
    Set(BTreeSet<String>),
    /// A sorted set: the score of each member.
    Sorted(BTreeMap<String, f64>),
}

/// What a key holds, and until when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// What it holds.
    pub data: Data,
    /// Milliseconds since the epoch at which it goes; never without.
    pub expires_at: Option<i64>,
}

impl Item {
    /// An item that stays.
    pub fn new(data: Data) -> Self {
        Self { data, expires_at: None }
    }

    /// Whether it is still there.
    pub fn is_there(&self, now_ms: i64) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > now_ms)
    }
}

impl Data {
    /// Its type's word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Hash(_) => "hash",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Sorted(_) => "zset",
        }
    }

    /// Whether nothing is in it; a key that holds nothing is not there.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Hash(fields) => fields.is_empty(),
            Self::List(elements) => elements.is_empty(),
            Self::Set(members) => members.is_empty(),
            Self::Sorted(members) => members.is_empty(),
        }
    }

    /// Canonical JSON: a string, an object of a hash's fields, an array of a list's elements in order or of a set's
    /// members sorted, an object of a sorted set's members with their scores as strings. Equal content, equal text.
    pub fn json(&self) -> String {
        let written = match self {
            Self::Text(text) => serde_json::to_string(text),
            Self::Hash(fields) => serde_json::to_string(fields),
            Self::List(elements) => serde_json::to_string(elements),
            Self::Set(members) => serde_json::to_string(members),
            Self::Sorted(members) => {
                let scores: BTreeMap<&String, String> =
                    members.iter().map(|(member, score)| (member, shortest(*score))).collect();
                serde_json::to_string(&scores)
            }
        };
        written.unwrap_or_default()
    }

    /// Reads what [`Self::json`] wrote.
    pub fn from_json(word: &str, json: &str) -> Result<Self, String> {
        let bad = |error: serde_json::Error| format!("the value is no {word}: {error}");
        let data = match word {
            "string" => Self::Text(serde_json::from_str(json).map_err(bad)?),
            "hash" => Self::Hash(serde_json::from_str(json).map_err(bad)?),
            "list" => Self::List(serde_json::from_str(json).map_err(bad)?),
            "set" => Self::Set(serde_json::from_str(json).map_err(bad)?),
            "zset" => {
                let scores: BTreeMap<String, String> = serde_json::from_str(json).map_err(bad)?;
                let read = scores.into_iter().map(|(member, score)| {
                    let read = super::numbers::score(&score);
                    read.map(|read| (member, read)).ok_or_else(|| format!("{score} is no score"))
                });
                Self::Sorted(read.collect::<Result<_, _>>()?)
            }
            other => return Err(format!("a key has no type {other}")),
        };
        if data.is_empty() { Err(format!("an empty {word} cannot be a key's value")) } else { Ok(data) }
    }
}

/// The members of a sorted set in its order: by score, then by name.
pub(super) fn ranked(members: &BTreeMap<String, f64>) -> Vec<(&String, f64)> {
    let mut ranked: Vec<_> = members.iter().map(|(member, score)| (member, *score)).collect();
    ranked.sort_by(|one, other| one.1.total_cmp(&other.1).then_with(|| one.0.cmp(other.0)));
    ranked
}

/// A time as keys keep it.
pub(super) fn ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A key's time as the log keeps it.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
