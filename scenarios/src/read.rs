//! Reads a TOML text by the tables of keys: afterwards every value has its type, every key is known and none is missing.
//! Whether names mean anything is looked at later.

use crate::error::{Problems, accepted, listed, quoted};
use crate::fields::{At, Entry, Fields, Read};
use crate::keys::{Form, Key, Shape, Takes};
use crate::scenario::Host;
use crate::time::{SHIFT_HELP, TIME_HELP, shift, time};
use recovery::model::Secret;
use recovery::model::content::Value;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

/// Reads a text as TOML; `None` where anything is wrong, which is then among the problems.
pub(crate) fn toml<'t>(text: &'t str, problems: &mut Problems) -> Option<Spanned<DeTable<'t>>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        problems.add(&span, format!("this is not TOML: {}", error.message()), "here", "");
    }
    (!problems.any()).then_some(table)
}

/// Reads a table of a shape; `None` where anything is wrong, which is then among the problems.
pub(crate) fn table(table: &Spanned<DeTable<'_>>, shape: &'static Shape, problems: &mut Problems) -> Option<Fields> {
    let fields = Reader { problems }.table(&table.span(), table.get_ref(), (shape, false));
    if problems.any() { None } else { fields }
}

/// Reads the value of a key.
pub(crate) fn value(
    value: &Spanned<DeValue<'_>>,
    takes: Takes,
    key: &str,
    problems: &mut Problems,
) -> Option<At<Read>> {
    Reader { problems }.value(value, takes, key)
}

struct Reader<'p> {
    problems: &'p mut Problems,
}

impl Reader<'_> {
    /// Reads a table of a shape; an open one may have other keys, which are left alone.
    fn table(
        &mut self,
        span: &Range<usize>,
        table: &DeTable<'_>,
        (shape, open): (&'static Shape, bool),
    ) -> Option<Fields> {
        let form = match self.form(span, table, shape) {
            Ok(form) => form,
            Err(()) => return None,
        };
        let allowed = |name: &str| {
            let of_form = form.into_iter().flat_map(|form| form.0);
            of_form.chain(shape.keys).find(|key| key.name == name)
        };
        let mut entries = Vec::new();
        for (key, value) in in_file_order(table) {
            match allowed(key.get_ref()) {
                Some(known) => {
                    let value = self.value(value, known.takes, known.name);
                    let key = At { span: key.span(), value: known.name.to_owned() };
                    entries.extend(value.map(|value| Entry { key, value }));
                }
                None if open => {}
                None => self.unknown_key(key, form, shape),
            }
        }
        let needed = form.into_iter().flat_map(|form| form.0).chain(shape.keys).filter(|key| key.needed);
        for key in needed.filter(|key| !table.contains_key(key.name)) {
            let message = format!("this {} has no {}", shape.name, quoted(key.name));
            self.problems.add(span, message, format!("{} is missing", quoted(key.name)), key.says);
        }
        Some(Fields { span: span.clone(), entries })
    }

    /// The form the keys choose.
    fn form(&mut self, span: &Range<usize>, table: &DeTable<'_>, shape: &'static Shape) -> Result<Chosen, ()> {
        if shape.forms.is_empty() {
            return Ok(None);
        }
        let choices = shape.choices();
        let given = in_file_order(table).into_iter().filter(|(key, _)| choices.contains(&key.get_ref().as_ref()));
        let given: Vec<_> = given.map(|(key, _)| key).collect();
        match given.as_slice() {
            [key] => Ok(shape.forms.iter().find(|form| form.chosen_by() == key.get_ref())),
            [first, second, ..] => {
                let message = format!(
                    "this {} has both {} and {}",
                    shape.name,
                    quoted(first.get_ref()),
                    quoted(second.get_ref())
                );
                let help = format!("it takes exactly one of {}", listed(&choices, "or"));
                self.problems.add(&second.span(), message, "one too many", help);
                Err(())
            }
            [] => {
                let known: Vec<_> = shape.every_key().map(|(_, key)| key.name).collect();
                let strange = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
                let strange: Vec<_> = strange.collect();
                for key in &strange {
                    self.unknown_key(key, None, shape);
                }
                if strange.is_empty() {
                    let message = format!("this {} does not say what it is about", shape.name);
                    let help = format!("it takes exactly one of {}", listed(&choices, "or"));
                    self.problems.add(span, message, "nothing chosen here", help);
                }
                Err(())
            }
        }
    }

    fn unknown_key(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, form: Chosen, shape: &'static Shape) {
        let found = key.get_ref().as_ref();
        let mut names: Vec<&str> = form.into_iter().flat_map(|form| form.0).map(|key| key.name).collect();
        names.extend(shape.keys.iter().map(|key| key.name));
        if form.is_none() {
            names.extend(shape.choices());
        }
        let elsewhere = shape.every_key().any(|(_, key)| key.name == found);
        let (message, label) = match form {
            Some(form) if elsewhere => {
                let chosen = quoted(form.chosen_by());
                (format!("{} does not go with {chosen} in this {}", quoted(found), shape.name), "out of place")
            }
            _ => (format!("this {} has no key {}", shape.name, quoted(found)), "unknown key"),
        };
        self.problems.add(&key.span(), message, label, accepted(found, &names, "its keys are"));
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, takes: Takes, key: &str) -> Option<At<Read>> {
        let span = value.span();
        let read = match (takes, value.get_ref()) {
            (Takes::Either(kinds), found) => {
                let kind = kinds.iter().find(|kind| admits(**kind, found));
                return match kind {
                    Some(kind) => self.value(value, *kind, key),
                    None => self.wrong_type(&span, found, takes, key),
                };
            }
            (Takes::Flag, DeValue::Boolean(flag)) => Read::Flag(*flag),
            (Takes::Whole { min, max }, DeValue::Integer(number)) => {
                let whole = integer(number).filter(|whole| (min..=max).contains(whole));
                let Some(whole) = whole else {
                    let message = format!("{} is out of bounds for {}", number, quoted(key));
                    self.problems.add(&span, message, "out of bounds", describe(takes));
                    return None;
                };
                Read::Whole(whole)
            }
            (Takes::List { of, min, max }, DeValue::Array(items)) => {
                if items.len() < min || items.len() > max {
                    let message = format!("{} has {} entries here", quoted(key), items.len());
                    self.problems.add(&span, message, "wrong number", describe(takes));
                    return None;
                }
                Read::List(items.iter().filter_map(|item| self.value(item, *of, key)).collect())
            }
            (Takes::Map(of), DeValue::Table(table)) => Read::Map(self.map(table, *of)),
            (Takes::Table(shape), DeValue::Table(table)) => Read::Table(self.table(&span, table, (shape, false))?),
            (Takes::Open(shape), DeValue::Table(table)) => Read::Table(self.table(&span, table, (shape, true))?),
            (Takes::Cell, found) => Read::Cell(self.cell(&span, found)?),
            (Takes::Json, found) => Read::Json(self.json(&span, found)?),
            (Takes::Moment, DeValue::Datetime(moment)) => Read::Text(moment.to_string()),
            (_, DeValue::String(text)) => self.text(&span, text, takes, key)?,
            (_, found) => return self.wrong_type(&span, found, takes, key),
        };
        Some(At { span, value: read })
    }

    fn map(&mut self, table: &DeTable<'_>, of: Takes) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (key, value) in in_file_order(table) {
            let name = key.get_ref().as_ref();
            if let Some(value) = self.value(value, of, name) {
                entries.push(Entry { key: At { span: key.span(), value: name.to_owned() }, value });
            }
        }
        entries
    }

    /// A value that is written as a TOML string.
    fn text(&mut self, span: &Range<usize>, text: &str, takes: Takes, key: &str) -> Option<Read> {
        let refused = |said: String, help: &str| Err((said, help.to_owned()));
        let read = match takes {
            Takes::Text | Takes::Moment => Ok(Read::Text(text.to_owned())),
            Takes::Password => Ok(Read::Secret(Secret::new(text))),
            Takes::Name => match wrong_name(text) {
                None => Ok(Read::Text(text.to_owned())),
                Some(why) => refused(format!("{} is no name: {why}", quoted(text)), &describe(takes)),
            },
            Takes::Time => time(text).map(Read::Time).or_else(|said| refused(said, TIME_HELP)),
            Takes::Shift => shift(text).map(Read::Shift).or_else(|said| refused(said, SHIFT_HELP)),
            Takes::Word(words) => {
                let all = words.all();
                match all.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                    Some(word) => Ok(Read::Text(word.clone())),
                    None => {
                        let help = accepted(text, &all, &format!("{} takes", quoted(key)));
                        refused(format!("{} is nothing that {} takes", quoted(text), quoted(key)), &help)
                    }
                }
            }
            Takes::Product => {
                text.parse().map(Read::Product).or_else(|wrong: recovery::model::product::ProductError| {
                    refused(format!("{} is not a product: {}", quoted(text), wrong.why), &describe(takes))
                })
            }
            Takes::Host => match host(text) {
                Some(host) => Ok(Read::Host(host)),
                None => refused(format!("there is no host {}", quoted(text)), &describe(takes)),
            },
            _ => return self.wrong_type(span, &DeValue::String(text.into()), takes, key).map(|at| at.value),
        };
        match read {
            Ok(read) => Some(read),
            Err((said, help)) => {
                self.problems.add(span, said, "not accepted", help);
                None
            }
        }
    }

    /// Adds the problem; there is never a value.
    fn wrong_type(&mut self, span: &Range<usize>, found: &DeValue<'_>, takes: Takes, key: &str) -> Option<At<Read>> {
        let message = format!("{} takes {}, but this is {}", quoted(key), kind(takes), found_kind(found));
        self.problems.add(span, message, found_kind(found), describe(takes));
        None
    }

    fn cell(&mut self, span: &Range<usize>, found: &DeValue<'_>) -> Option<Value> {
        let cell = match found {
            DeValue::String(text) => Some(Value::Text(text.clone().into_owned())),
            DeValue::Integer(number) => integer(number).map(Value::Integer),
            DeValue::Float(number) => float(number).map(Value::Real),
            DeValue::Table(table) => match in_file_order(table).as_slice() {
                [(key, value)] => match (key.get_ref().as_ref(), value.get_ref()) {
                    ("null", DeValue::Boolean(true)) => Some(Value::Null),
                    ("hex", DeValue::String(hex)) if is_hex(hex) => Some(Value::Bytes { hex: hex.to_lowercase() }),
                    _ => None,
                },
                _ => None,
            },
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) => None,
        };
        if cell.is_none() {
            self.problems.add(span, "this is no value of a row", found_kind(found), describe(Takes::Cell));
        }
        cell
    }

    fn json(&mut self, span: &Range<usize>, found: &DeValue<'_>) -> Option<serde_json::Value> {
        let json = match found {
            DeValue::String(text) => Some(serde_json::Value::String(text.clone().into_owned())),
            DeValue::Integer(number) => integer(number).map(Into::into),
            DeValue::Float(number) => {
                float(number).and_then(serde_json::Number::from_f64).map(serde_json::Value::Number)
            }
            DeValue::Boolean(flag) => Some((*flag).into()),
            DeValue::Datetime(moment) => Some(moment.to_string().into()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.json(&item.span(), item.get_ref()));
                return items.collect::<Option<Vec<_>>>().map(serde_json::Value::Array);
            }
            DeValue::Table(table) => {
                let entries = table.iter().map(|(key, value)| {
                    let json = self.json(&value.span(), value.get_ref())?;
                    Some((key.get_ref().clone().into_owned(), json))
                });
                return entries.collect::<Option<serde_json::Map<_, _>>>().map(serde_json::Value::Object);
            }
        };
        if json.is_none() {
            self.problems.add(span, "JSON has no such number", found_kind(found), "write it as a text");
        }
        json
    }
}

type Chosen = Option<&'static Form>;

/// Keys with their values as the file has them, not by the alphabet.
pub(crate) fn in_file_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn float(number: &DeFloat<'_>) -> Option<f64> {
    number.as_str().parse().ok().filter(|float: &f64| float.is_finite())
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Why a text is no name.
pub(crate) fn wrong_name(text: &str) -> Option<&'static str> {
    const NAME_CHARACTERS_MAX: usize = 100;
    if text.is_empty() {
        Some("it is empty")
    } else if text.trim() != text {
        Some("it begins or ends with a space")
    } else if text.contains(['{', '}']) || text.chars().any(char::is_control) {
        Some("it holds a brace or a control character")
    } else if text.chars().nth(NAME_CHARACTERS_MAX).is_some() {
        Some("it has more than 100 characters")
    } else {
        None
    }
}

/// A host by its name.
pub(crate) fn host(text: &str) -> Option<Host> {
    let numbered = |prefix: &str| {
        let number = text.strip_prefix(prefix)?;
        number.parse::<usize>().ok().filter(|parsed| *parsed > 0 && parsed.to_string() == number)
    };
    match text {
        "service" => Some(Host::Service),
        "application" => Some(Host::Application),
        "operator" => Some(Host::Operator),
        _ => {
            let of = || text.strip_prefix("machine of ").filter(|name| wrong_name(name).is_none());
            (numbered("worker-").map(Host::Worker))
                .or_else(|| numbered("machine-").map(Host::Machine))
                .or_else(|| of().map(|name| Host::MachineOf(name.to_owned())))
        }
    }
}

/// Whether a value has the TOML type that a key takes.
fn admits(takes: Takes, found: &DeValue<'_>) -> bool {
    match takes {
        Takes::Flag => found.is_bool(),
        Takes::Whole { .. } => found.is_integer(),
        Takes::List { .. } => found.is_array(),
        Takes::Map(_) | Takes::Table(_) | Takes::Open(_) => found.is_table(),
        Takes::Either(kinds) => kinds.iter().any(|kind| admits(*kind, found)),
        Takes::Cell | Takes::Json => true,
        Takes::Moment => found.is_str() || found.is_datetime(),
        Takes::Text
        | Takes::Name
        | Takes::Password
        | Takes::Time
        | Takes::Shift
        | Takes::Word(_)
        | Takes::Product
        | Takes::Host => found.is_str(),
    }
}

/// What a key takes, in two or three words.
fn kind(takes: Takes) -> String {
    match takes {
        Takes::Text | Takes::Password => "a text".into(),
        Takes::Name => "a name".into(),
        Takes::Flag => "true or false".into(),
        Takes::Whole { .. } => "a whole number".into(),
        Takes::Time => "a time as text".into(),
        Takes::Shift => "a time with a sign as text".into(),
        Takes::Moment => "a moment".into(),
        Takes::Word(_) => "a word".into(),
        Takes::Product => "a product as text".into(),
        Takes::Host => "a host".into(),
        Takes::List { .. } => "a list".into(),
        Takes::Map(_) | Takes::Table(_) | Takes::Open(_) => "a table".into(),
        Takes::Either(kinds) => kinds.iter().map(|takes| kind(*takes)).collect::<Vec<_>>().join(" or "),
        Takes::Cell => "a value of a row".into(),
        Takes::Json => "anything".into(),
    }
}

/// What would be accepted, in a sentence.
fn describe(takes: Takes) -> String {
    match takes {
        Takes::Text | Takes::Password => "write a text in quotes".into(),
        Takes::Name => "a name is a text of 1 to 100 characters, without braces, with no space around it".into(),
        Takes::Flag => "write true or false, without quotes".into(),
        Takes::Whole { min, max: i64::MAX } => format!("write a whole number from {min} on"),
        Takes::Whole { min, max } => format!("write a whole number from {min} to {max}"),
        Takes::Time => TIME_HELP.into(),
        Takes::Shift => SHIFT_HELP.into(),
        Takes::Moment => "write `2026-01-05T09:30:00Z`, or a mark with a shift, `MARK - 1s`".into(),
        Takes::Word(words) => format!("write one of {}", listed(&words.all(), "or")),
        Takes::Product => {
            "write for example `mysql 5.7`, `mysql 5.7 basic`, `sqlserver 2012 web`, `sqlserver 2012 enterprise basic`, \
             `sqlserver 2008r2`, `postgresql 9.4`, `ppas 9.3`, `redis 5.0` or `redis 7.0 cluster`"
                .into()
        }
        Takes::Host => {
            "hosts are `service`, `worker-1`, `machine-1`, `machine of INSTANCE`, `application` and `operator`".into()
        }
        Takes::List { min, max, .. } if min == max => format!("write a list of {min} in square brackets"),
        Takes::List { min, max, .. } => format!("write a list of {min} to {max} in square brackets"),
        Takes::Map(_) => "write a table, `{ key = value }`".into(),
        Takes::Table(shape) | Takes::Open(shape) => {
            let keys: Vec<&Key> = shape.every_key().map(|(_, key)| key).collect();
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            format!("write a table with keys of {}", listed(&names, "and"))
        }
        Takes::Either(kinds) => kinds.iter().map(|takes| describe(*takes)).collect::<Vec<_>>().join("; or "),
        Takes::Cell => "write a text, a number, `{ null = true }` for NULL or `{ hex = \"00ff\" }` for bytes".into(),
        Takes::Json => "write any value".into(),
    }
}

/// What a value is, in two or three words.
pub(crate) fn found_kind(found: &DeValue<'_>) -> &'static str {
    match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
