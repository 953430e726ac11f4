//! Tables of cases: each row puts its parameters into the file's texts, and makes a scenario of its own.

use crate::error::{Problems, accepted, quoted};
use crate::fields::{Fields, Read};
use crate::keys::CASES;
use crate::read::{found_kind, in_file_order, value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Keys of a row that are no parameters.
const OWN: [&str; 3] = ["name", "covers", "title"];
/// The key of the table.
const KEY: &str = "case";
/// Bytes that the parameters of one row may put into the file.
const BYTES_MAX: usize = 1 << 20;

/// A table of cases; a file without one is a single case without a name.
pub(crate) struct Cases<'t> {
    rows: Vec<Row<'t>>,
    names: Vec<String>,
}

/// One row.
pub(crate) struct Row<'t> {
    /// What its own keys say; nothing in a file without a table.
    pub(crate) fields: Option<Fields>,
    parameters: BTreeMap<&'t str, Parameter<'t>>,
}

struct Parameter<'t> {
    key: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
}

impl Row<'_> {
    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.fields.as_ref()?.word("name").map(|word| word.value)
    }
}

impl<'t> Cases<'t> {
    /// The rows of a file; `None` where anything is wrong with them.
    pub(crate) fn of(file: &'t DeTable<'t>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = file.get(KEY) else {
            let row = Row { fields: None, parameters: BTreeMap::new() };
            return Some(Self { rows: vec![row], names: Vec::new() });
        };
        let read = value(table, CASES, KEY, problems)?;
        let (Read::List(read), DeValue::Array(tables)) = (read.value, table.get_ref()) else { return None };
        if problems.any() {
            return None;
        }
        let fields = read.into_iter().map(|at| match at.value {
            Read::Table(fields) => Some(fields),
            _ => None,
        });
        let rows = fields.zip(tables).map(|(fields, table)| row(fields?, table.get_ref()));
        let rows = rows.collect::<Option<Vec<_>>>()?;
        let mut cases = Self { rows, names: Vec::new() };
        cases.check_names(problems);
        cases.check_parameters(problems);
        (!problems.any()).then_some(cases)
    }

    /// The rows in the file's order.
    pub(crate) fn rows(&self) -> &[Row<'t>] {
        &self.rows
    }

    fn check_names(&mut self, problems: &mut Problems) {
        for word in self.rows.iter().filter_map(|row| row.fields.as_ref()?.word("name")) {
            if self.names.iter().any(|name| name == word.value) {
                let message = format!("there are two cases {}", quoted(word.value));
                problems.add(&word.span, message, "again", "each case has its own name");
            }
            self.names.push(word.value.to_owned());
        }
    }

    /// Every row gives every parameter.
    fn check_parameters(&self, problems: &mut Problems) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &self.rows {
            for (name, parameter) in &row.parameters {
                first.entry(name).or_insert_with(|| problems.line(parameter.key.start));
            }
        }
        for row in &self.rows {
            let span = row.fields.as_ref().map_or(0..0, |fields| fields.span.clone());
            for (name, line) in first.iter().filter(|(name, _)| !row.parameters.contains_key(*name)) {
                let case = quoted(row.name().unwrap_or_default());
                let message = format!("the case {case} gives no {}", quoted(name));
                let help = format!("line {line} gives it to another case; every case gives every parameter");
                problems.add(&span, message, format!("{} is missing", quoted(name)), help);
            }
        }
    }

    /// Adds the parameters that stand nowhere in the file.
    pub(crate) fn check_used(&self, used: &BTreeSet<String>, problems: &mut Problems) {
        let mut told = BTreeSet::new();
        for (name, parameter) in self.rows.iter().flat_map(|row| &row.parameters) {
            if !used.contains(*name) && told.insert(*name) {
                let message = format!("the parameter {} is used nowhere", quoted(name));
                let help = format!("write `${{{name}}}` in a text of the file, or leave the parameter out");
                problems.add(&parameter.key, message, "unused", help);
            }
        }
    }

    /// The file with the parameters of a row in it, without the table of cases and without the steps of other cases.
    /// The names of the parameters that came up are added to `used`.
    pub(crate) fn applied(
        &self,
        row: &Row<'t>,
        file: &Spanned<DeTable<'t>>,
        used: &mut BTreeSet<String>,
        problems: &mut Problems,
    ) -> Spanned<DeTable<'t>> {
        let mut put = Put { row, names: &self.names, used, problems, room: BYTES_MAX };
        let mut applied = DeTable::new();
        for (key, value) in in_file_order(file.get_ref()) {
            let value = match key.get_ref().as_ref() {
                KEY => continue,
                "step" => put.steps(value),
                _ => put.value(value),
            };
            applied.insert(key.clone(), value);
        }
        Spanned::new(file.span(), applied)
    }
}

fn row<'t>(fields: Fields, table: &'t DeValue<'t>) -> Option<Row<'t>> {
    let DeValue::Table(table) = table else { return None };
    let parameters = table.iter().filter(|(key, _)| !OWN.contains(&key.get_ref().as_ref()));
    let parameters =
        parameters.map(|(key, value)| (key.get_ref().as_ref(), Parameter { key: key.span(), value })).collect();
    Some(Row { fields: Some(fields), parameters })
}

/// Puts the parameters of a row into a file.
struct Put<'p, 't> {
    row: &'p Row<'t>,
    names: &'p [String],
    used: &'p mut BTreeSet<String>,
    problems: &'p mut Problems,
    room: usize,
}

impl<'t> Put<'_, 't> {
    /// The steps of this case.
    fn steps(&mut self, steps: &Spanned<DeValue<'t>>) -> Spanned<DeValue<'t>> {
        let (whole, given) = match self.whole(steps) {
            Some(given) => (true, given),
            None => (false, steps.clone()),
        };
        let DeValue::Array(items) = given.get_ref() else { return self.value(&given) };
        let mut mine = DeArray::new();
        for step in items {
            if self.is_mine(step.get_ref()) {
                mine.push(if whole { step.clone() } else { self.value(step) });
            }
        }
        Spanned::new(given.span(), DeValue::Array(mine))
    }

    /// Whether `only` and `except` let this case take a step.
    fn is_mine(&mut self, step: &DeValue<'t>) -> bool {
        let DeValue::Table(step) = step else { return true };
        let mut mine = true;
        for key in ["only", "except"] {
            let Some(DeValue::Array(cases)) = step.get(key).map(Spanned::get_ref) else { continue };
            let named: Vec<(Range<usize>, &str)> =
                cases.iter().filter_map(|case| Some((case.span(), case.get_ref().as_str()?))).collect();
            for (span, name) in &named {
                self.check_case(span, name);
            }
            let is_named = self.row.name().is_some_and(|name| named.iter().any(|(_, named)| *named == name));
            mine &= is_named == (key == "only");
        }
        if let (Some(_), Some((except, _))) = (step.get("only"), step.get_key_value("except")) {
            let message = "this step has both `only` and `except`";
            self.problems.add(&except.span(), message, "one too many", "name those that take it, or those that do not");
        }
        mine
    }

    fn check_case(&mut self, span: &Range<usize>, name: &str) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        let help = match self.names {
            [] => "this file has no table `[[case]]`".to_owned(),
            names => accepted(name, names, "cases are"),
        };
        self.problems.add(span, format!("there is no case {}", quoted(name)), "unknown case", help);
    }

    fn value(&mut self, value: &Spanned<DeValue<'t>>) -> Spanned<DeValue<'t>> {
        let put = match value.get_ref() {
            DeValue::String(text) => match self.whole(value) {
                Some(whole) => return whole,
                None => DeValue::String(self.put_into(&value.span(), text).into()),
            },
            DeValue::Array(items) => DeValue::Array(items.iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => {
                let entries = in_file_order(table).into_iter();
                DeValue::Table(entries.map(|(key, value)| (key.clone(), self.value(value))).collect())
            }
            other => other.clone(),
        };
        Spanned::new(value.span(), put)
    }

    /// The parameter's own value where a text is one placeholder and nothing else.
    fn whole(&mut self, value: &Spanned<DeValue<'t>>) -> Option<Spanned<DeValue<'t>>> {
        let text = value.get_ref().as_str()?;
        let [Piece::Placeholder(name)] = pieces(text).ok()?[..] else { return None };
        let parameter = self.row.parameters.get(name)?;
        self.used.insert(name.to_owned());
        let given = parameter.value;
        self.take(given, given.span().len()).then(|| given.clone())
    }

    /// A text with the parameters in it.
    fn put_into(&mut self, span: &Range<usize>, text: &str) -> String {
        let found = match pieces(text) {
            Ok(found) => found,
            Err(open) => {
                let place = self.problems.place(span, open);
                let help = "a parameter is written `${NAME}`; write `$${` where a dollar and a brace are meant";
                self.problems.add(&place, "`${` is not closed", "not closed", help);
                return String::new();
            }
        };
        let mut put = String::new();
        for piece in found {
            match piece {
                Piece::Text(text) => put.push_str(text),
                Piece::Placeholder(name) => put.push_str(&self.parameter(span, name)),
            }
        }
        put
    }

    /// A parameter as a part of a text; empty where that cannot be, which is then among the problems.
    fn parameter(&mut self, span: &Range<usize>, name: &str) -> String {
        let Some(parameter) = self.row.parameters.get(name) else {
            let place = self.problems.place(span, &format!("${{{name}}}"));
            let known: Vec<&&str> = self.row.parameters.keys().collect();
            let help = match known.is_empty() {
                true => "no `[[case]]` gives a parameter; write `$${` where a dollar and a brace are meant".to_owned(),
                false => accepted(name, &known, "parameters are"),
            };
            self.problems.add(&place, format!("there is no parameter {}", quoted(name)), "unknown parameter", help);
            return String::new();
        };
        self.used.insert(name.to_owned());
        let given = parameter.value;
        let text = match given.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(whole) => whole.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            DeValue::Array(_) | DeValue::Table(_) => {
                let line = self.problems.line(self.problems.place(span, &format!("${{{name}}}")).start);
                let found = found_kind(given.get_ref());
                let message = format!("{} is {found}, and line {line} has it within a text", quoted(name));
                let help = format!("{found} takes the place of a whole text: write `\"${{{name}}}\"` there");
                self.problems.add(&given.span(), message, found, help);
                return String::new();
            }
        };
        if self.take(given, text.len()) { text } else { String::new() }
    }

    /// Whether there is room for so many bytes more.
    fn take(&mut self, given: &Spanned<DeValue<'t>>, bytes: usize) -> bool {
        if bytes <= self.room {
            self.room -= bytes;
            return true;
        }
        if self.room > 0 {
            let message = "the parameters of this case make the file larger than the most a scenario may have, 1 MiB";
            self.problems.add(&given.span(), message, "too much", "let statements make many rows instead");
        }
        self.room = 0;
        false
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

/// A text with its placeholders `${NAME}` apart; `$${` is `${` itself. The error is what follows a `${` that is not
/// closed, on its line.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            found.extend([Piece::Text(before), Piece::Text("${")]);
            rest = &from[2..];
            continue;
        }
        let line = from.lines().next().unwrap_or(from);
        let Some((name, _)) = line[2..].split_once('}').filter(|(name, _)| !name.contains('{')) else {
            return Err(line);
        };
        found.extend([Piece::Text(before), Piece::Placeholder(name)]);
        rest = &from[name.len() + 3..];
    }
    found.push(Piece::Text(rest));
    found.retain(|piece| *piece != Piece::Text(""));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_apart_and_two_dollars_are_one() {
        use Piece::{Placeholder, Text};
        assert_eq!(pieces("${a}"), Ok(vec![Placeholder("a")]));
        assert_eq!(
            pieces("x ${a}-${b c}!"),
            Ok(vec![Text("x "), Placeholder("a"), Text("-"), Placeholder("b c"), Text("!")])
        );
        assert_eq!(pieces("$${a}"), Ok(vec![Text("${"), Text("a}")]));
        assert_eq!(pieces("$5 {a}"), Ok(vec![Text("$5 {a}")]));
        assert_eq!(pieces(""), Ok(vec![]));
        assert_eq!(pieces("a ${b\nc}"), Err("${b"));
        assert_eq!(pieces("a ${b ${c}"), Err("${b ${c}"));
    }
}
