//! Makes a failing scenario small: takes away steps, faults, instances, keys, rows and statements, and makes values
//! simpler, as long as it fails the same way under the same seed.
//!
//! What is tried is the file: a candidate is written, read again and run as it was read, so that the file that comes out
//! fails by itself. One whose names no longer mean anything is never run.

mod cut;
mod simpler;
mod statements;
#[cfg(test)]
mod tests;

use crate::catalogue::catalogue;
use crate::cause::Cause;
use crate::judge::Outcome;
use crate::suite::RunResult;
use scenarios::tree::{Node, Table};
use scenarios::{RuleId, Scenario, tree_of};
use std::collections::BTreeSet;

/// Runs a scenario under a seed.
pub type Run<'r> = dyn for<'s> Fn(&'s Scenario, u64) -> RunResult<'s> + 'r;

/// How much may be tried.
#[derive(Clone, Copy)]
pub struct Budget<'b> {
    /// Runs at most.
    pub runs: usize,
    /// Whether to stop with what there is.
    pub stop: &'b dyn Fn() -> bool,
}

/// Runs that are enough for a plan of 60 steps.
pub const RUNS: usize = 800;

/// A scenario that was made small.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The scenario, as the file says it.
    pub scenario: Scenario,
    /// The file's text.
    pub text: String,
    /// A name for the file, made from the cause.
    pub name: String,
    /// Seed it fails under; the file says it too.
    pub seed: u64,
    /// How it fails.
    pub cause: Cause,
    /// Runs it took.
    pub runs: usize,
    /// Steps before.
    pub from_steps: usize,
    /// Steps now.
    pub to_steps: usize,
}

/// Makes a scenario small that fails by `cause` under a seed; `None` where it does not, once it is written as a file.
#[must_use]
pub fn shrink(scenario: &Scenario, seed: u64, cause: &Cause, run: &Run<'_>, budget: Budget<'_>) -> Option<Shrunk> {
    let mut table = tree_of(&Scenario { seed: Some(seed), ..scenario.clone() });
    table.remove("covers");
    let mut shrinker = Shrinker {
        seed,
        cause,
        run,
        budget,
        runs: 0,
        allowed: None,
        known: catalogue().ids(),
        tried: BTreeSet::new(),
        best: Table::default(),
        told: Told::default(),
    };
    if !shrinker.keeps(&table) {
        return None;
    }
    shrinker.all();
    shrinker.done(scenario)
}

/// What there is to tell about the smallest scenario so far.
#[derive(Default)]
struct Told {
    /// Rules it violates, first the one that is told.
    rules: Vec<&'static str>,
    /// Rules it exercises.
    exercised: BTreeSet<String>,
    /// What is wrong in a sentence.
    says: String,
    want: String,
    got: String,
    /// The step at which it shows.
    step: Option<usize>,
}

impl Told {
    fn of(cause: &Cause, run: &RunResult<'_>) -> Self {
        let mut told = Self::default();
        let Some(judgement) = &run.judgement else {
            told.got = run.broken.clone().unwrap_or_default();
            return told;
        };
        let exercised = judgement.findings.iter().filter(|found| found.finding.exercised > 0);
        told.exercised = exercised.map(|found| found.rule.id.clone()).collect();
        let mut violations = judgement.violations().filter(|(rule, evidence)| Cause::of(rule, evidence) == *cause);
        if let Some((rule, evidence)) = violations.next() {
            told.rules.push(&rule.id);
            for (other, _) in violations {
                if !told.rules.contains(&other.id.as_str()) {
                    told.rules.push(&other.id);
                }
            }
            told.says.clone_from(&rule.text);
            (told.want, told.got) = (evidence.violation.want(), evidence.violation.got());
            let event = run.history.as_ref().and_then(|history| history.events.get(evidence.index));
            told.step = event.and_then(|event| event.step);
        } else if let Some(unmet) = judgement.unmet.iter().find(|unmet| Cause::of_unmet(unmet) == *cause) {
            (told.want, told.got) = (unmet.want.clone(), unmet.got.clone());
            told.step = unmet.step;
        }
        told
    }

    fn title(&self, cause: &Cause) -> String {
        let title = match cause {
            Cause::Violation { .. } => format!("{} is violated: {}", self.rules.join(", "), self.says),
            Cause::Unmet { .. } => format!("Not met: {}", self.want),
            Cause::Broken { .. } => format!("The harness cannot run it: {}", self.got),
        };
        title.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn name(&self, cause: &Cause) -> String {
        let slug = |text: &str| {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            words.take(8).map(str::to_lowercase).collect::<Vec<_>>().join("-")
        };
        match (cause, self.rules.first()) {
            (Cause::Violation { .. }, Some(rule)) => (*rule).to_owned(),
            (Cause::Violation { check, .. }, None) => check.clone(),
            (Cause::Unmet { shape }, _) => format!("unmet-{}", slug(shape)),
            (Cause::Broken { shape }, _) => format!("broken-{}", slug(shape)),
        }
    }
}

struct Shrinker<'a> {
    seed: u64,
    cause: &'a Cause,
    run: &'a Run<'a>,
    budget: Budget<'a>,
    runs: usize,
    /// Causes of the scenario as it was: no other may come.
    allowed: Option<BTreeSet<Cause>>,
    known: BTreeSet<String>,
    tried: BTreeSet<String>,
    best: Table,
    told: Told,
}

impl Shrinker<'_> {
    /// Everything that can be taken away or made simpler, until nothing more can.
    fn all(&mut self) {
        self.tail();
        loop {
            let before = self.best.clone();
            self.steps();
            self.sweep(&|best, _| simpler::plainer_steps(best));
            self.sweep(&|best, known| cut::instances(best, known));
            self.sweep(&|best, _| simpler::tables(best, &simpler::without_a_key));
            self.sweep(&|best, _| simpler::tables(best, &simpler::without_an_item));
            self.sweep(&|best, _| simpler::tables(best, &simpler::fewer_statements));
            self.sweep(&|best, _| simpler::tables(best, &simpler::a_simpler_value));
            if self.best == before || self.spent() {
                return;
            }
        }
    }

    fn spent(&self) -> bool {
        self.runs >= self.budget.runs || (self.budget.stop)()
    }

    /// Runs a candidate; where it still fails the same way, it is the best there is.
    fn keeps(&mut self, candidate: &Table) -> bool {
        let text = candidate.text("");
        if self.spent() || !self.tried.insert(text.clone()) {
            return false;
        }
        let Some(scenario) = read("candidate.toml", &text, &self.known) else { return false };
        self.runs += 1;
        let run = (self.run)(&scenario, self.seed);
        let causes = Cause::all(&run);
        let allowed = self.allowed.get_or_insert_with(|| causes.clone());
        if !causes.contains(self.cause) || !causes.is_subset(allowed) {
            return false;
        }
        self.told = Told::of(self.cause, &run);
        // As it would be written: in the short form where there is one now.
        self.best = tree_of(&scenario);
        self.tried.insert(self.best.text(""));
        true
    }

    /// Takes away what comes after the step at which it shows.
    fn tail(&mut self) {
        if let Some(step) = self.told.step {
            let count = cut::count(&self.best);
            if step + 1 < count
                && let Some(candidate) = cut::without_steps(&self.best, step + 1..count, &self.known)
            {
                self.keeps(&candidate);
            }
        }
    }

    /// Takes away steps, many at a time at first, from the last to the first; with a step goes what needs it.
    fn steps(&mut self) {
        let mut size = cut::count(&self.best).div_ceil(2);
        while size > 0 {
            let mut end = cut::count(&self.best);
            while end > 0 && !self.spent() {
                // What needed a step that went is gone with it.
                end = end.min(cut::count(&self.best));
                let start = end.saturating_sub(size);
                if let Some(candidate) = cut::without_steps(&self.best, start..end, &self.known) {
                    self.keeps(&candidate);
                }
                end = start;
            }
            size /= 2;
        }
    }

    /// Tries each candidate that is made of the best there is, and goes on with those of a better one.
    fn sweep(&mut self, candidates: &dyn Fn(&Table, &BTreeSet<String>) -> Vec<Table>) {
        let mut index = 0;
        let mut all = candidates(&self.best, &self.known);
        while index < all.len() && !self.spent() {
            match self.keeps(&all[index]) {
                true => all = candidates(&self.best, &self.known),
                false => index += 1,
            }
        }
    }

    /// The file that comes out.
    fn done(self, scenario: &Scenario) -> Option<Shrunk> {
        let told = &self.told;
        let covers: Vec<String> = match self.cause {
            Cause::Violation { .. } => {
                let rules = told.rules.iter().filter(|rule| self.known.contains(**rule));
                rules.map(|rule| (*rule).to_owned()).collect()
            }
            Cause::Unmet { .. } | Cause::Broken { .. } => {
                let kept = scenario.covers.iter().filter(|RuleId(rule)| told.exercised.contains(rule));
                kept.map(ToString::to_string).collect()
            }
        };
        let mut table = self.best.clone();
        if !covers.is_empty() {
            table.set("covers", covers.iter().collect::<Node>());
        }
        let title = told.title(self.cause);
        table.remove("title");
        table.set("title", &title);
        let (name, steps) = (told.name(self.cause), (scenario.steps.len(), cut::count(&table)));
        let comment = format!(
            "{title}\nwant {}\ngot {}\n{CAUSE}{}\nshrunk {} -> {} steps",
            told.want, told.got, self.cause, steps.0, steps.1
        );
        let text = table.text(&comment);
        let scenario = read(&format!("{name}.toml"), &text, &self.known)?;
        Some(Shrunk {
            scenario,
            text,
            name,
            seed: self.seed,
            cause: self.cause.clone(),
            runs: self.runs,
            from_steps: steps.0,
            to_steps: steps.1,
        })
    }
}

/// What the line of a saved file begins with that says its cause.
pub(super) const CAUSE: &str = "cause ";

/// The one scenario of a text; `None` where it is none.
fn read(file: &str, text: &str, known: &BTreeSet<String>) -> Option<Scenario> {
    Scenario::parse(file, text, known).ok()?.pop()
}

/// The first failure of each cause in runs that ended, with how many runs had it, in the order of the causes.
#[derive(Debug, Default)]
pub struct Failures {
    first: std::collections::BTreeMap<Cause, (usize, u64, usize)>,
}

impl Failures {
    /// Notes a run of the scenario of that index.
    pub fn note(&mut self, index: usize, run: &RunResult<'_>) {
        if !matches!(run.outcome, Outcome::Failed | Outcome::Broken) {
            return;
        }
        let Some(cause) = Cause::main(run) else { return };
        let first = self.first.entry(cause).or_insert((index, run.seed, 0));
        (first.0, first.1) = (first.0, first.1).min((index, run.seed));
        first.2 += 1;
    }

    /// Each cause with the index of its first scenario, the seed, and how many runs had it.
    pub fn each(&self) -> impl Iterator<Item = (&Cause, usize, u64, usize)> {
        self.first.iter().map(|(cause, (index, seed, runs))| (cause, *index, *seed, *runs))
    }
}
