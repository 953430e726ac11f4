//! A file that was read: values with their places, and how the lowering asks for them.

use crate::scenario::Host;
use jiff::SignedDuration;
use recovery::model::content::Value;
use recovery::model::{Product, RefusalCode, Secret};
use serde::de::DeserializeOwned;
use std::ops::Range;
use std::time::Duration;

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) span: Range<usize>,
    pub(crate) value: T,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Read {
    Text(String),
    Secret(Secret),
    Flag(bool),
    Whole(i64),
    Time(Duration),
    Shift(SignedDuration),
    Product(Product),
    Host(Host),
    Cell(Value),
    Json(serde_json::Value),
    List(Vec<At<Read>>),
    Map(Vec<Entry>),
    Table(Fields),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: At<String>,
    pub(crate) value: At<Read>,
}

/// A table of known keys, in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    pub(crate) span: Range<usize>,
    pub(crate) entries: Vec<Entry>,
}

/// A text with its place.
pub(crate) type Word<'f> = At<&'f str>;

impl At<Read> {
    /// The value as text.
    pub(crate) fn word(&self) -> Option<Word<'_>> {
        match &self.value {
            Read::Text(text) => Some(At { span: self.span.clone(), value: text }),
            _ => None,
        }
    }

    /// The value as table.
    pub(crate) fn table(&self) -> Option<&Fields> {
        match &self.value {
            Read::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The value as one word of an enum of the model.
    pub(crate) fn model<T: DeserializeOwned>(&self) -> Option<T> {
        let text = self.word()?.value;
        T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text)).ok()
    }
}

impl Fields {
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&At<Read>> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Where a key stands; the table where it does not.
    pub(crate) fn place(&self, key: &str) -> Range<usize> {
        self.entry(key).map_or_else(|| self.span.clone(), |entry| entry.key.span.clone())
    }

    pub(crate) fn word(&self, key: &str) -> Option<Word<'_>> {
        self.get(key)?.word()
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.word(key).map(|word| word.value.to_owned())
    }

    pub(crate) fn text_or(&self, key: &str, otherwise: &str) -> String {
        self.text(key).unwrap_or_else(|| otherwise.to_owned())
    }

    pub(crate) fn model<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.get(key)?.model()
    }

    pub(crate) fn code(&self, key: &str) -> Option<RefusalCode> {
        let text = self.word(key)?.value;
        RefusalCode::ALL.iter().copied().find(|code| code.text() == text)
    }

    pub(crate) fn secret(&self, key: &str) -> Option<Secret> {
        match &self.get(key)?.value {
            Read::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Read::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// A whole number; the tables of keys keep it within the type.
    pub(crate) fn whole<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        match self.get(key)?.value {
            Read::Whole(whole) => T::try_from(whole).ok(),
            _ => None,
        }
    }

    pub(crate) fn time(&self, key: &str) -> Option<Duration> {
        match self.get(key)?.value {
            Read::Time(time) => Some(time),
            _ => None,
        }
    }

    pub(crate) fn shift(&self, key: &str) -> Option<SignedDuration> {
        match self.get(key)?.value {
            Read::Shift(shift) => Some(shift),
            _ => None,
        }
    }

    pub(crate) fn host(&self, key: &str) -> Option<At<Host>> {
        let at = self.get(key)?;
        match &at.value {
            Read::Host(host) => Some(At { span: at.span.clone(), value: host.clone() }),
            _ => None,
        }
    }

    pub(crate) fn table(&self, key: &str) -> Option<&Fields> {
        self.get(key)?.table()
    }

    /// Entries of a list; none where the key is missing.
    pub(crate) fn list(&self, key: &str) -> &[At<Read>] {
        match self.get(key).map(|at| &at.value) {
            Some(Read::List(items)) => items,
            _ => &[],
        }
    }

    /// Entries of a list as words.
    pub(crate) fn words(&self, key: &str) -> Vec<Word<'_>> {
        self.list(key).iter().filter_map(At::word).collect()
    }

    /// Entries of a list as a collection of texts; `None` where the key is missing.
    pub(crate) fn texts<C: FromIterator<String>>(&self, key: &str) -> Option<C> {
        self.has(key).then(|| self.words(key).into_iter().map(|word| word.value.to_owned()).collect())
    }

    /// Entries of a list as a collection of words of the model; `None` where the key is missing.
    pub(crate) fn models<T: DeserializeOwned, C: FromIterator<T>>(&self, key: &str) -> Option<C> {
        self.has(key).then(|| self.list(key).iter().filter_map(At::model).collect())
    }

    /// Entries of a map; none where the key is missing.
    pub(crate) fn map(&self, key: &str) -> &[Entry] {
        match self.get(key).map(|at| &at.value) {
            Some(Read::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// Entries of a map of texts.
    pub(crate) fn text_map<C: FromIterator<(String, String)>>(&self, key: &str) -> C {
        let pair = |entry: &Entry| Some((entry.key.value.clone(), entry.value.word()?.value.to_owned()));
        self.map(key).iter().filter_map(pair).collect()
    }
}
