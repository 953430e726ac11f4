//! One command under way: what it may look at and change, and how it is answered.

use super::data::{Data, Item};
use super::numbers::integer;
use super::space::Unit;
use recovery::model::Version;
use recovery::model::content::{Row, Value};
use recovery::ports::database::Outcome;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A key is asked for what it does not hold.
const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
/// A word stands where none is understood.
pub(super) const SYNTAX: &str = "ERR syntax error";
/// A number is none.
pub(super) const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
/// A score is none.
pub(super) const NOT_A_FLOAT: &str = "ERR value is not a valid float";

/// What a command is answered with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// Nil.
    Nothing,
    /// A whole number.
    Number(i64),
    /// A status or a string.
    Text(String),
    /// Strings and nils.
    List(Vec<Option<String>>),
    /// Pairs, under these two names.
    Pairs([&'static str; 2], Vec<(String, String)>),
}

/// A command's answer, or the error as Redis words it.
pub(super) type Done = Result<Answer, String>;

/// What INFO tells of the server beside its keys, by section.
pub(super) type About = Vec<(&'static str, Vec<String>)>;

/// One command under way.
pub(super) struct Call<'a, 'u> {
    /// The keys, and what was changed so far.
    pub unit: &'a mut Unit<'u>,
    /// The logical database that is selected.
    pub database: usize,
    /// The server's time in milliseconds.
    pub now_ms: i64,
    /// The server's version.
    pub version: Version,
    /// Whether the server is a cluster.
    pub cluster: bool,
    /// What INFO tells.
    pub about: &'a About,
    /// The command's name in lower case.
    pub name: &'a str,
    /// The words after it.
    pub words: &'a [String],
}

impl Answer {
    /// `OK`.
    pub fn ok() -> Self {
        Self::Text("OK".to_owned())
    }

    /// A count.
    pub fn count(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// One or zero.
    pub fn flag(is: bool) -> Self {
        Self::Number(i64::from(is))
    }

    /// A string that may not be there.
    pub fn maybe(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }

    /// The answer as rows: one for each element, under one name, or two for pairs.
    pub fn outcome(self, affected: u64) -> Outcome {
        let value = |text: Option<String>| vec![text.map_or(Value::Null, Value::Text)];
        let (columns, rows): (Vec<&str>, Vec<Row>) = match self {
            Self::Nothing => (vec!["value"], vec![value(None)]),
            Self::Number(number) => (vec!["value"], vec![vec![Value::Integer(number)]]),
            Self::Text(text) => (vec!["value"], vec![value(Some(text))]),
            Self::List(elements) => (vec!["value"], elements.into_iter().map(value).collect()),
            Self::Pairs(names, pairs) => {
                let row = |(one, other)| vec![Value::Text(one), Value::Text(other)];
                (names.to_vec(), pairs.into_iter().map(row).collect())
            }
        };
        Outcome { columns: columns.into_iter().map(str::to_owned).collect(), rows, affected }
    }
}

/// A kind of content that a key can hold.
pub(super) trait Kind: Clone + Default {
    /// What a key holds, where it is of this kind.
    fn of(data: &Data) -> Option<&Self>;
    /// As what a key holds.
    fn into_data(self) -> Data;
}

macro_rules! kind {
    ($kind:ty, $variant:ident) => {
        impl Kind for $kind {
            fn of(data: &Data) -> Option<&Self> {
                if let Data::$variant(content) = data { Some(content) } else { None }
            }

            fn into_data(self) -> Data {
                Data::$variant(self)
            }
        }
    };
}

kind!(String, Text);
kind!(BTreeMap<String, String>, Hash);
kind!(VecDeque<String>, List);
kind!(BTreeSet<String>, Set);
kind!(BTreeMap<String, f64>, Sorted);

impl Call<'_, '_> {
    /// A word after the name; the table of commands says how many there are at least.
    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// A word as a whole number.
    pub fn integer(&self, index: usize) -> Result<i64, String> {
        integer(self.word(index)).ok_or_else(|| NOT_AN_INTEGER.to_owned())
    }

    /// What a key holds and until when.
    pub fn item(&self, key: &str) -> Option<&Item> {
        self.unit.space().get(self.database, key)
    }

    /// What a key holds, if it is there, as content of a kind.
    pub fn look<K: Kind>(&self, key: &str) -> Result<Option<&K>, String> {
        match self.item(key) {
            None => Ok(None),
            Some(item) => K::of(&item.data).map(Some).ok_or_else(|| WRONG_TYPE.to_owned()),
        }
    }

    /// Changes what a key holds, from nothing where it is not there; when it goes stays as it is.
    pub fn alter<K: Kind, T>(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut K) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut content = self.look::<K>(key)?.cloned().unwrap_or_default();
        let expires_at = self.item(key).and_then(|item| item.expires_at);
        let changed = change(&mut content)?;
        self.put(key, Some(Item { data: content.into_data(), expires_at }));
        Ok(changed)
    }

    /// Gives a key what it holds from now on, or takes it away. What is over already is not there.
    pub fn put(&mut self, key: &str, item: Option<Item>) {
        let item = item.filter(|item| item.is_there(self.now_ms));
        self.unit.put(self.database, key, item);
    }

    /// The error of a command with too few or too many words.
    pub fn arity(&self) -> String {
        wrong_arity(self.name)
    }

    /// The error of a time to go at that is none.
    pub fn bad_expiry(&self) -> String {
        let name = self.name;
        if self.version >= Version::V7_0 {
            format!("ERR invalid expire time in '{name}' command")
        } else {
            format!("ERR invalid expire time in {name}")
        }
    }
}

/// The error of a command with too few or too many words.
pub(super) fn wrong_arity(name: &str) -> String {
    format!("ERR wrong number of arguments for '{name}' command")
}
