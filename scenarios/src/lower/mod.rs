//! From a file that was read to a scenario: names are resolved, defaults filled in, and what makes no sense is refused.

mod acts;
pub(crate) mod book;
mod call;
pub(crate) mod expect;
mod faults;
mod follow;
mod instances;
pub(crate) mod logical;
pub(crate) mod logical_facts;
pub(crate) mod migrate;
mod restore;
pub(crate) mod steps;
mod text;
mod waits;

use crate::action::{Action, ApplicationStep};
use crate::cases::{Cases, Row};
use crate::error::{Problems, ScenarioError, nearest, quoted};
use crate::fields::{At, Fields, Read};
use crate::keys::SCENARIO;
use crate::read::{host, table, toml};
use crate::scenario::{ApplicationSpec, Host, InstanceSpec, RuleId, Scenario, Step, WorldSpec};
use book::{Book, Kind};
use std::collections::{BTreeMap, BTreeSet};

impl Scenario {
    /// Reads the scenarios of a file: one for each of its cases, or the one of a file without a table of cases. `file`
    /// is its path, for messages; the file's name without folder and `.toml` is the scenarios' name. `known_rules` are
    /// the ids that `covers` may name.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with its place, what was found and what would be accepted. First
    /// its TOML, then its cases, then keys and types, then names: one kind hides the next.
    pub fn parse(file: &str, text: &str, known_rules: &BTreeSet<String>) -> Result<Vec<Self>, Box<ScenarioError>> {
        let mut problems = Problems::of(file, text);
        let too_large = text.len() as u64 > crate::load::FILE_BYTES_MAX;
        if too_large || text.trim().is_empty() {
            let (message, help) = match too_large {
                true => ("the file is larger than the most a scenario may have, 1 MiB", ""),
                false => ("the file is empty", "a scenario has at least a `title` and one `[[step]]`"),
            };
            problems.add(&(0..0), message, "here", help);
            return Err(problems.error());
        }
        let Some(toml) = toml(text, &mut problems) else { return Err(problems.error()) };
        let Some(cases) = Cases::of(toml.get_ref(), &mut problems) else { return Err(problems.error()) };
        let (mut scenarios, mut used, mut wrong) = (Vec::new(), BTreeSet::new(), Vec::new());
        for row in cases.rows() {
            let mut of_case = problems.none();
            let applied = cases.applied(row, &toml, &mut used, &mut of_case);
            match lowered(file, row, &applied, of_case, known_rules) {
                Ok(scenario) => scenarios.push(scenario),
                Err(of_case) => wrong.push((row.name().unwrap_or_default().to_owned(), of_case)),
            }
        }
        if wrong.is_empty() {
            cases.check_used(&used, &mut problems);
        }
        problems.of_cases(wrong, cases.rows().len());
        if problems.any() { Err(problems.error()) } else { Ok(scenarios) }
    }

    /// The name people read: the file's, and the case's in brackets.
    #[must_use]
    pub fn shown(&self) -> String {
        with_case(&self.name, self.case.as_deref())
    }

    /// The file, and the case in brackets.
    #[must_use]
    pub fn place(&self) -> String {
        with_case(&self.file, self.case.as_deref())
    }
}

fn with_case(name: &str, case: Option<&str>) -> String {
    case.map_or_else(|| name.to_owned(), |case| format!("{name} [{case}]"))
}

/// The scenario of one case; its problems where anything is wrong.
fn lowered(
    file: &str,
    row: &Row<'_>,
    applied: &toml::Spanned<toml::de::DeTable<'_>>,
    mut problems: Problems,
    known_rules: &BTreeSet<String>,
) -> Result<Scenario, Problems> {
    if problems.any() {
        return Err(problems);
    }
    let Some(fields) = table(applied, &SCENARIO, &mut problems) else { return Err(problems) };
    let mut lower = Lower { problems, book: Book::default(), world: world_defaults(), application: None };
    match lower.scenario(file, &fields, row.fields.as_ref(), known_rules) {
        Some(scenario) if !lower.problems.any() => Ok(scenario),
        _ => Err(lower.problems),
    }
}

/// The world unless a file says otherwise.
pub(crate) fn world_defaults() -> WorldSpec {
    WorldSpec { workers: 2, machines: 4, latency_ms_max: 2, skew_ms: BTreeMap::new(), region: "region-1".into() }
}

/// As many machines as the scenario's instances can occupy at a time, and every machine it names; two at least. An idle
/// machine would only make each step of the world cost more.
pub(crate) fn machines_needed(world: &WorldSpec, instances: &[InstanceSpec], steps: &[Step]) -> usize {
    let mut names: BTreeSet<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    let mut highest = 2;
    let mut name_host = |host: &Host| {
        if let Host::Machine(number) = host {
            highest = highest.max(*number);
        }
    };
    world.skew_ms.keys().for_each(&mut name_host);
    for step in steps {
        match &step.action {
            Action::Temporary(made) => names.extend(made.name.as_deref()),
            Action::Clone(made) => names.extend(made.names.iter().map(String::as_str)),
            Action::Fault(fault) => fault.fault.hosts().into_iter().for_each(&mut name_host),
            _ => {}
        }
    }
    highest.max(names.len())
}

/// The state of the lowering: what is known at the step it has come to.
struct Lower {
    problems: Problems,
    book: Book,
    world: WorldSpec,
    application: Option<ApplicationSpec>,
}

impl Lower {
    fn scenario(
        &mut self,
        file: &str,
        fields: &Fields,
        case: Option<&Fields>,
        known_rules: &BTreeSet<String>,
    ) -> Option<Scenario> {
        let covers = self.covers(fields, case, known_rules);
        if let Some(world) = fields.table("world") {
            self.world(world);
        }
        let steps = steps_of(fields);
        for step in &steps {
            self.book.foresee(step, &self.problems);
        }
        let instances = self.instances(fields.map("instances"));
        if let Some(application) = fields.table("application") {
            self.application = self.application(application, &steps);
        }
        let mut lowered = Vec::new();
        for step in &steps {
            let line = self.problems.line(step.span.start);
            if let Some(action) = self.step(step) {
                lowered.push(Step { line, text: text::of(step), action });
            } else if !self.problems.any() {
                self.problems.add(&step.span, "this step cannot be read", "here", "");
            }
        }
        let given = fields.table("world").is_some_and(|world| world.whole::<usize>("machines").is_some());
        if !given {
            self.world.machines = machines_needed(&self.world, &instances, &lowered);
        }
        Some(Scenario {
            name: stem(file),
            case: case.and_then(|case| case.text("name")),
            file: file.to_owned(),
            title: self.title(case.filter(|case| case.has("title")).unwrap_or(fields))?,
            covers,
            seed: self.seed(fields)?,
            tolerant: fields.flag("tolerant").unwrap_or(false),
            world: self.world.clone(),
            instances,
            application: self.application.clone(),
            steps: lowered,
        })
    }

    /// The seed: a number, or a text like `0x5eed`; there may be none.
    fn seed(&mut self, fields: &Fields) -> Option<Option<u64>> {
        let Some(at) = fields.get("seed") else { return Some(None) };
        let read = match &at.value {
            Read::Whole(whole) => u64::try_from(*whole).ok(),
            Read::Text(text) => crate::scenario::seed(text),
            _ => None,
        };
        if read.is_none() {
            let help = "write a number like 24301, or a text like \"0x5eed\"";
            self.problems.add(&at.span.clone(), "this is no seed", "not accepted", help);
        }
        read.map(Some)
    }

    fn title(&mut self, fields: &Fields) -> Option<String> {
        let title = fields.word("title")?;
        if title.value.trim().is_empty() || title.value.contains(['\n', '\r']) {
            self.problems.add(
                &title.span,
                "the title is empty or has several lines",
                "not accepted",
                "write one sentence that says the outcome",
            );
        }
        Some(title.value.to_owned())
    }

    /// The rules of the file and those of the case.
    fn covers(&mut self, fields: &Fields, case: Option<&Fields>, known: &BTreeSet<String>) -> Vec<RuleId> {
        let mut covers: Vec<RuleId> = Vec::new();
        for rule in [Some(fields), case].into_iter().flatten().flat_map(|fields| fields.words("covers")) {
            let near = || {
                let all: Vec<&String> = known.iter().collect();
                nearest(rule.value, &all).map(|near| format!("did you mean {}?", quoted(near)))
            };
            if !is_rule_shaped(rule.value) {
                let help = near().unwrap_or_else(|| "a rule id is three capitals and two digits: `TMP-11`".into());
                self.problems.add(&rule.span, format!("{} is no rule id", quoted(rule.value)), "no rule id", help);
            } else if !known.contains(rule.value) {
                let message = format!("the catalogue has no rule {}", quoted(rule.value));
                self.problems.add(&rule.span, message, "unknown rule", near().unwrap_or_default());
            } else if covers.iter().any(|covered| covered.0 == rule.value) {
                self.problems.add(&rule.span, format!("{} is covered twice", quoted(rule.value)), "again", "");
            } else {
                covers.push(RuleId(rule.value.to_owned()));
            }
        }
        covers
    }

    fn world(&mut self, fields: &Fields) {
        let world = world_defaults();
        self.world = WorldSpec {
            workers: fields.whole("workers").unwrap_or(world.workers),
            machines: fields.whole("machines").unwrap_or(world.machines),
            latency_ms_max: fields.whole("latency_ms_max").unwrap_or(world.latency_ms_max),
            skew_ms: BTreeMap::new(),
            region: fields.text_or("region", &world.region),
        };
        for entry in fields.map("skew_ms") {
            let found = host(&entry.key.value).filter(|host| !matches!(host, Host::MachineOf(_)));
            let Some(host) = found else {
                self.problems.add(
                    &entry.key.span,
                    format!("there is no host {} before the first step", quoted(&entry.key.value)),
                    "unknown host",
                    "hosts are `service`, `worker-1`, `machine-1`, `application` and `operator`",
                );
                continue;
            };
            if let (Some(host), Read::Whole(ms)) =
                (self.host(At { span: entry.key.span.clone(), value: host }), &entry.value.value)
            {
                self.world.skew_ms.insert(host, *ms);
            }
        }
    }

    fn application(&mut self, fields: &Fields, steps: &[&Fields]) -> Option<ApplicationSpec> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let login = self.login(&on, &fields.span, fields.word("account"), fields.secret("password"))?;
        let columns = fields.words("columns");
        let column = |at: usize, otherwise: &str| columns.get(at).map_or(otherwise, |word| word.value).to_owned();
        let (key_column, note_column) = (column(0, "id"), column(1, "note"));
        if key_column == note_column {
            let message = format!("key and text are both in the column {}", quoted(&key_column));
            self.problems.add(
                &fields.place("columns"),
                message,
                "one column",
                "name two columns, `[\"id\", \"note\"]`",
            );
        }
        let every = fields.time("every")?;
        if every.is_zero() {
            self.problems.add(&fields.place("every"), "the pause between two rows is zero", "zero", "for example `2s`");
        }
        let told = steps.iter().find_map(|step| step.word("application"));
        let told = told.map(|told| told.value == "start");
        Some(ApplicationSpec {
            line: self.problems.line(fields.span.start),
            database: fields.text_or("database", self.book.database(&on)),
            on,
            table: fields.text("table")?,
            key_column,
            note_column,
            every,
            login,
            from_start: match fields.word("from") {
                Some(from) => from.value == "start",
                None => writes_from_start(told),
            },
        })
    }
}

/// Whether an application writes from the start where nothing is said, by whether the first step that tells it something
/// starts it.
pub(crate) fn writes_from_start(told: Option<bool>) -> bool {
    told != Some(true)
}

/// Whether the first step that tells the application something starts it.
pub(crate) fn first_told(scenario: &Scenario) -> Option<bool> {
    scenario.steps.iter().find_map(|step| match &step.action {
        Action::Application(told) => Some(*told == ApplicationStep::Start),
        _ => None,
    })
}

fn steps_of(fields: &Fields) -> Vec<&Fields> {
    fields.list("step").iter().filter_map(At::table).collect()
}

fn is_rule_shaped(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 6
        && bytes[..3].iter().all(u8::is_ascii_uppercase)
        && bytes[3] == b'-'
        && bytes[4..].iter().all(u8::is_ascii_digit)
}

fn stem(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name).to_owned()
}
