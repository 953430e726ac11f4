//! A scenario file as a tree of keys and values, in the file's order, and the text people read. What stands in a tree
//! is what the file means: dollars and quotation marks are made safe when the text is written.

use crate::time::{time, written};
use std::fmt::Write;
use std::time::Duration;

/// A value of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// JSON's null. TOML has none, so the reader refuses a text that holds it.
    Null,
    /// true or false.
    Flag(bool),
    /// A whole number.
    Whole(i128),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// Values.
    List(Vec<Node>),
    /// Keys with their values.
    Table(Table),
}

/// Keys with their values, in the file's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Each key stands here once.
    pub entries: Vec<(String, Node)>,
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Node {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Table> for Node {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

macro_rules! whole {
    ($($type:ty),+) => { $(impl From<$type> for Node {
        fn from(number: $type) -> Self {
            Self::Whole(i128::from(number))
        }
    })+ };
}
whole!(u8, u16, u32, u64, i64);

impl From<usize> for Node {
    fn from(number: usize) -> Self {
        Self::Whole(i128::try_from(number).unwrap_or(i128::MAX))
    }
}

impl From<Duration> for Node {
    fn from(time: Duration) -> Self {
        Self::Text(written(time))
    }
}

impl Node {
    /// The time that a text says.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        match self {
            Self::Text(text) => time(text).ok(),
            _ => None,
        }
    }
}

impl<N: Into<Node>> FromIterator<N> for Node {
    fn from_iter<I: IntoIterator<Item = N>>(nodes: I) -> Self {
        Self::List(nodes.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, N: Into<Node>> FromIterator<(K, N)> for Table {
    fn from_iter<I: IntoIterator<Item = (K, N)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().map(|(key, node)| (key.into(), node.into())).collect() }
    }
}

impl Table {
    /// A table with one key.
    #[must_use]
    pub fn of(key: &str, node: impl Into<Node>) -> Self {
        Self::default().with(key, node)
    }

    /// The table with one more key.
    #[must_use]
    pub fn with(mut self, key: &str, node: impl Into<Node>) -> Self {
        self.entries.push((key.to_owned(), node.into()));
        self
    }

    /// The table with one more key where there is a value for it.
    #[must_use]
    pub fn maybe(self, key: &str, node: Option<impl Into<Node>>) -> Self {
        match node {
            Some(node) => self.with(key, node),
            None => self,
        }
    }

    /// The table with one more key where `so`.
    #[must_use]
    pub fn only(self, so: bool, key: &str, node: impl Into<Node>) -> Self {
        self.maybe(key, so.then_some(node))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Gives a key a value, where it stands or else before everything else.
    pub fn set(&mut self, key: &str, node: impl Into<Node>) {
        match self.get_mut(key) {
            Some(there) => *there = node.into(),
            None => self.entries.insert(0, (key.to_owned(), node.into())),
        }
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|(name, _)| name == key)?;
        Some(self.entries.remove(at).1)
    }

    /// The file: keys that are no tables first, then a section for each table, as a person would lay it out. The lines
    /// of `comment` stand before everything.
    #[must_use]
    pub fn text(&self, comment: &str) -> String {
        let mut text = String::new();
        for line in comment.lines() {
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(text, "{}", format!("# {line}").trim_end());
        }
        self.parts().iter().for_each(|(_, part)| text.push_str(part));
        text
    }

    /// The file's text in parts.
    #[must_use]
    pub fn parts(&self) -> Vec<(Part, String)> {
        let is_section = |key: &str, node: &Node| match node {
            Node::Table(_) => true,
            Node::List(_) => key == "step",
            _ => false,
        };
        let (sections, plain): (Vec<_>, Vec<_>) = self.entries.iter().partition(|(key, node)| is_section(key, node));
        let mut head = String::new();
        plain.iter().for_each(|(key, node)| line(&mut head, key, node));
        let mut parts = vec![(Part::Head, head)];
        for (name, node) in sections {
            match node {
                Node::Table(table) if name == "instances" => {
                    for (index, (instance, node)) in table.entries.iter().enumerate() {
                        parts.push((Part::Instance(index), section(&format!("{name}.{}", key(instance)), node)));
                    }
                }
                Node::List(steps) => {
                    for (index, step) in steps.iter().enumerate() {
                        let mut text = String::from(if index == 0 { "\n[[step]]\n" } else { "[[step]]\n" });
                        lines(&mut text, step);
                        parts.push((Part::Step(index), text));
                    }
                }
                node => parts.push((Part::Table(name.clone()), section(&key(name), node))),
            }
        }
        parts
    }
}

/// What a part of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Keys before every table.
    Head,
    /// The table of that name.
    Table(String),
    /// The instance, from 0.
    Instance(usize),
    /// The step, from 0.
    Step(usize),
}

/// A table with a head of its own; what it holds of statements by database gets a head too.
fn section(head: &str, node: &Node) -> String {
    let mut text = format!("\n[{head}]\n");
    let Node::Table(table) = node else { return text };
    let long = |(key, node): &&(String, Node)| key == "databases" && has_lines(node);
    table.entries.iter().filter(|entry| !long(entry)).for_each(|(key, node)| line(&mut text, key, node));
    for (name, node) in table.entries.iter().filter(long) {
        let _ = write!(text, "\n[{head}.{}]\n", key(name));
        lines(&mut text, node);
    }
    text
}

fn has_lines(node: &Node) -> bool {
    match node {
        Node::Text(text) => text.contains('\n'),
        Node::Table(table) => table.entries.iter().any(|(_, node)| has_lines(node)),
        _ => false,
    }
}

fn lines(text: &mut String, node: &Node) {
    if let Node::Table(table) = node {
        table.entries.iter().for_each(|(key, node)| line(text, key, node));
    }
}

fn line(text: &mut String, name: &str, node: &Node) {
    let _ = write!(text, "{} = ", key(name));
    value(text, node);
    text.push('\n');
}

fn value(text: &mut String, node: &Node) {
    match node {
        Node::Null => text.push_str("null"),
        Node::Flag(flag) => {
            let _ = write!(text, "{flag}");
        }
        Node::Whole(number) => {
            let _ = write!(text, "{number}");
        }
        Node::Real(number) => {
            let _ = write!(text, "{number:?}");
        }
        Node::Text(it) => text.push_str(&quoted(&it.replace("${", "$${"))),
        Node::List(nodes) => {
            let wide = nodes.len() > 4 && nodes.iter().all(|node| matches!(node, Node::List(_)));
            text.push('[');
            for (number, node) in nodes.iter().enumerate() {
                text.push_str(match (number, wide) {
                    (_, true) => "\n  ",
                    (0, false) => "",
                    (_, false) => ", ",
                });
                value(text, node);
                if wide {
                    text.push(',');
                }
            }
            text.push_str(if wide { "\n]" } else { "]" });
        }
        Node::Table(table) if table.entries.is_empty() => text.push_str("{}"),
        Node::Table(table) => {
            text.push_str("{ ");
            for (number, (name, node)) in table.entries.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { ", " });
                let _ = write!(text, "{} = ", key(name));
                value(text, node);
            }
            text.push_str(" }");
        }
    }
}

/// A key, in quotation marks where it needs them.
fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { escaped(name, false) }
}

/// A text as TOML has it: as it stands where that can be, with its line ends where it has several lines.
fn quoted(text: &str) -> String {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    let plain = !text.contains(odd);
    let lines = text.contains('\n');
    let marks = text.contains(['"', '\\']);
    match (plain, lines) {
        (true, true) if !text.contains("'''") && !text.ends_with('\'') => format!("'''\n{text}'''"),
        (_, true) => format!("\"\"\"\n{}\"\"\"", escaped_body(text, true)),
        (true, false) if marks && !text.contains(['\'', '\t']) => format!("'{text}'"),
        (_, false) => escaped(text, false),
    }
}

fn escaped(text: &str, lines: bool) -> String {
    format!("\"{}\"", escaped_body(text, lines))
}

fn escaped_body(text: &str, lines: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' if lines => escaped.push('\n'),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}
