//! What is wrong with a scenario file: every problem with its place, what was found and what would be accepted.

use miette::{Diagnostic, NamedSource, SourceSpan};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;

/// Problems that are kept of one file; a file with more is too broken for the rest to say anything.
const PROBLEMS_MAX: usize = 20;
/// Problems that are looked for; they come nearly in the order of the file.
const PROBLEMS_FOUND_MAX: usize = 200;
/// Width that [`ScenarioError::render`] wraps at.
const WIDTH: usize = 100;

/// A file that is no scenario. Its `related` diagnostics are the problems, in the order of the file.
#[derive(Debug, Error, Diagnostic)]
#[error("{} is not a scenario: {}", file, Counted(problems.len()))]
pub struct ScenarioError {
    /// The file, as it was given.
    pub file: String,
    /// Its text, for the lines that are shown.
    #[source_code]
    source_text: NamedSource<Arc<str>>,
    /// What is wrong; at least one.
    #[related]
    pub problems: Vec<Problem>,
}

/// One problem of a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{message}")]
pub struct Problem {
    /// What was found, in a sentence.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Where.
    #[label("{label}")]
    pub at: SourceSpan,
    /// What stands under the place.
    pub label: String,
    /// What would be accepted.
    #[help]
    pub help: Option<String>,
}

struct Counted(usize);

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 problem"),
            number => write!(f, "{number} problems"),
        }
    }
}

impl ScenarioError {
    /// All problems as text without colours, in plain ASCII around the file's own lines.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none())
            .with_width(WIDTH)
            .with_links(false)
            .with_context_lines(1);
        match handler.render_report(&mut text, self) {
            Ok(()) => text,
            Err(fmt::Error) => self.lines(),
        }
    }

    /// One line a problem: `file:line: message`.
    #[must_use]
    pub fn lines(&self) -> String {
        let line = |problem: &Problem| format!("{}:{}: {}\n", self.file, problem.line, problem.message);
        self.problems.iter().map(line).collect()
    }
}

/// Collects the problems of one file.
pub(crate) struct Problems {
    file: String,
    text: Arc<str>,
    line_starts: Arc<[usize]>,
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn of(file: &str, text: &str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: file.to_owned(), text: text.into(), line_starts, found: Vec::new() }
    }

    /// None of the same file.
    pub(crate) fn none(&self) -> Self {
        Self {
            file: self.file.clone(),
            text: Arc::clone(&self.text),
            line_starts: Arc::clone(&self.line_starts),
            found: Vec::new(),
        }
    }

    /// Adds the problems that some of `all` cases of the file have, each once: one that not every case has says which
    /// have it.
    pub(crate) fn of_cases(&mut self, cases: Vec<(String, Self)>, all: usize) {
        let mut same: Vec<(Problem, Vec<String>)> = Vec::new();
        let mut found = BTreeMap::new();
        for (name, problems) in cases {
            for problem in problems.found {
                let which = (problem.at.offset(), problem.at.len(), problem.message.clone(), problem.help.clone());
                let index = *found.entry(which).or_insert(same.len());
                if index == same.len() {
                    same.push((problem, Vec::new()));
                }
                if let Some((_, names)) = same.get_mut(index).filter(|(_, names)| names.last() != Some(&name)) {
                    names.push(name.clone());
                }
            }
        }
        for (mut problem, names) in same {
            if names.len() < all {
                let cases = if names.len() == 1 { "case" } else { "cases" };
                problem.message = format!("{}, in the {cases} {}", problem.message, listed(&names, "and"));
            }
            self.found.push(problem);
        }
    }

    /// Line of a byte, from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= byte).max(1)
    }

    /// Where a part of a value stands; the whole value where the file writes the part otherwise.
    pub(crate) fn place(&self, span: &Range<usize>, part: &str) -> Range<usize> {
        let at = self.text.get(span.clone()).and_then(|written| written.find(part));
        at.map_or_else(|| span.clone(), |at| span.start + at..span.start + at + part.len())
    }

    pub(crate) fn any(&self) -> bool {
        !self.found.is_empty()
    }

    /// Whether there are more problems than will be shown.
    pub(crate) fn full(&self) -> bool {
        self.found.len() >= PROBLEMS_FOUND_MAX
    }

    /// Adds a problem; `help` is left out where it is empty.
    pub(crate) fn add(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.full() {
            return;
        }
        let (start, end) = self.shown(span);
        let help = help.into();
        self.found.push(Problem {
            message: message.into(),
            line: self.line(span.start),
            at: (start, end - start).into(),
            label: label.into(),
            help: (!help.is_empty()).then_some(help),
        });
    }

    /// The part of a span that is shown: within the text, on whole characters, on its first line.
    fn shown(&self, span: &Range<usize>) -> (usize, usize) {
        let whole = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (whole(span.start), whole(span.end.max(span.start)));
        let first_line = self.text[start..end].find(['\n', '\r']).map_or(end, |length| start + length);
        (start, first_line)
    }

    /// All problems as one error, in the order of the file.
    pub(crate) fn error(mut self) -> Box<ScenarioError> {
        self.found.sort_by_key(|problem| problem.at.offset());
        self.found.truncate(PROBLEMS_MAX);
        let source_text = NamedSource::new(&self.file, self.text);
        Box::new(ScenarioError { file: self.file, source_text, problems: self.found })
    }
}

/// A text as it is quoted in a message: one line, not too long.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let mut shown: String = text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}

/// Words in a sentence: `a`, `b` or `c`.
pub(crate) fn listed<S: AsRef<str>>(words: &[S], last: &str) -> String {
    const LISTED_MAX: usize = 40;
    let quoted: Vec<String> = words.iter().take(LISTED_MAX).map(|word| quoted(word.as_ref())).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some(_) if words.len() > LISTED_MAX => format!("{}, ...", quoted.join(", ")),
        Some((end, before)) => format!("{} {last} {end}", before.join(", ")),
    }
}

/// Words that are still listed where one of them is near.
const SHOWN_BESIDE_NEAREST: usize = 30;

/// "did you mean" with the nearest word, where one is near enough, then what would be accepted.
pub(crate) fn accepted<S: AsRef<str>>(found: &str, words: &[S], what: &str) -> String {
    if words.is_empty() {
        return String::new();
    }
    let all = format!("{what}: {}", listed(words, "or"));
    match nearest(found, words) {
        Some(near) if words.len() > SHOWN_BESIDE_NEAREST => format!("did you mean {}?", quoted(near)),
        Some(near) => format!("did you mean {}? {all}", quoted(near)),
        None => all,
    }
}

/// The nearest word by edit distance, at most a third of the word away.
pub(crate) fn nearest<'w, S: AsRef<str>>(found: &str, words: &'w [S]) -> Option<&'w str> {
    const COMPARED_MAX: usize = 80;
    let found: Vec<char> = found.to_lowercase().chars().take(COMPARED_MAX + 1).collect();
    if found.len() > COMPARED_MAX {
        return None;
    }
    let distance = |word: &&'w S| {
        let word: Vec<char> = word.as_ref().to_lowercase().chars().take(COMPARED_MAX).collect();
        (edit_distance(&found, &word), word.len().max(found.len()))
    };
    let near = words.iter().map(|word| (distance(&word), word)).min_by_key(|((distance, _), _)| *distance);
    near.filter(|((distance, length), _)| *distance <= (length / 3).max(1)).map(|(_, word)| word.as_ref())
}

/// Insertions, deletions, replacements and swaps of neighbours that make one word the other.
fn edit_distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut least = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}
