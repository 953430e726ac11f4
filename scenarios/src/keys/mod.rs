//! The keys of the language as data: what each is called, what it takes and what it says. The reader checks files by
//! these tables and the JSON Schema is written from them, so the two cannot differ.

mod expect;
mod faults;
mod logical;
mod steps;
mod tables;

pub(crate) use tables::{CASES, SCENARIO};

use recovery::model::RefusalCode;

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    /// Any text.
    Text,
    /// A name: not empty, no braces.
    Name,
    /// A password; never shown.
    Password,
    /// true or false.
    Flag,
    /// A whole number within bounds.
    Whole { min: i64, max: i64 },
    /// A time, `48h`.
    Time,
    /// A time with a sign, `-1s`.
    Shift,
    /// A text, or a TOML date and time with offset.
    Moment,
    /// One of some words.
    Word(Words),
    /// `sqlserver 2012 web`.
    Product,
    /// `service`, `worker-1`, `machine of rescue`.
    Host,
    /// Values of a kind, and how many at least and at most.
    List { of: &'static Self, min: usize, max: usize },
    /// Keys that the file chooses, each with a value of a kind.
    Map(&'static Self),
    /// A table with known keys.
    Table(&'static Shape),
    /// A table with known keys and any others.
    Open(&'static Shape),
    /// One of several kinds, told apart by their TOML type.
    Either(&'static [Self]),
    /// One value of a row.
    Cell,
    /// Anything that JSON can say.
    Json,
}

/// Where words come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Words {
    /// From this list.
    Of(&'static [&'static str]),
    /// From a type of the model, by its own JSON Schema.
    Model(fn() -> Vec<String>),
    /// Refusal codes.
    Codes,
}

impl Words {
    pub(crate) fn all(self) -> Vec<String> {
        match self {
            Self::Of(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Self::Model(words) => words(),
            Self::Codes => RefusalCode::ALL.iter().map(|code| code.text().to_owned()).collect(),
        }
    }
}

/// The words of an enum of the model.
pub(crate) fn words_of<T: schemars::JsonSchema>() -> Vec<String> {
    fn collect(schema: &serde_json::Value, words: &mut Vec<String>) {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        words.extend(schema.get("const").and_then(text));
        words.extend(schema.get("enum").and_then(|all| all.as_array()).into_iter().flatten().filter_map(text));
        for part in schema.get("oneOf").and_then(|all| all.as_array()).into_iter().flatten() {
            collect(part, words);
        }
    }
    let mut words = Vec::new();
    collect(schemars::schema_for!(T).as_value(), &mut words);
    words
}

/// One key of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) needed: bool,
    pub(crate) says: &'static str,
}

/// A key that has to be there.
pub(crate) const fn need(name: &'static str, takes: Takes, says: &'static str) -> Key {
    Key { name, takes, needed: true, says }
}

/// A key that may be there.
pub(crate) const fn may(name: &'static str, takes: Takes, says: &'static str) -> Key {
    Key { name, takes, needed: false, says }
}

/// A table with known keys: those that are always allowed, and forms of which exactly one is chosen by its first key.
#[derive(Debug)]
pub(crate) struct Shape {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [Key],
    pub(crate) forms: &'static [Form],
}

/// Keys that go together; the first one chooses the form and is always needed.
#[derive(Debug)]
pub(crate) struct Form(pub(crate) &'static [Key]);

impl Form {
    /// The key that chooses this form.
    pub(crate) fn chosen_by(&self) -> &'static str {
        self.0.first().map_or("", |key| key.name)
    }
}

impl Shape {
    /// A table without forms.
    pub(crate) const fn plain(name: &'static str, keys: &'static [Key]) -> Self {
        Self { name, keys, forms: &[] }
    }

    /// Every key, with the form it belongs to.
    pub(crate) fn every_key(&self) -> impl Iterator<Item = (Option<&'static Form>, &'static Key)> {
        let of_forms = self.forms.iter().flat_map(|form| form.0.iter().map(move |key| (Some(form), key)));
        self.keys.iter().map(|key| (None, key)).chain(of_forms)
    }

    /// The keys that choose a form.
    pub(crate) fn choices(&self) -> Vec<&'static str> {
        self.forms.iter().map(Form::chosen_by).collect()
    }
}
