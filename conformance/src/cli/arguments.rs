//! The arguments of `firedrill`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use engines::images::Choice;
use std::path::PathBuf;
use std::time::Duration;

/// Rehearses database recovery: runs recovery scenarios in a deterministic world and says which documented rules hold.
///
/// Exit codes: 0 all held; 1 a rule was violated or an expectation not met; 2 incomplete (a covered rule was not exercised,
/// a target is unavailable, or stopped early); 64 wrong usage or a bad scenario file; 70 firedrill itself failed.
#[derive(Debug, Parser)]
#[command(name = "firedrill", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do; runs the built-in suites unless given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios and print the rules by verdict.
    Run(RunArguments),
    /// Run one scenario under one seed again and show what happened.
    Replay(ReplayArguments),
    /// Draw worlds, plans and faults from seeds, run them, and show what goes wrong, once for each cause.
    Explore(ExploreArguments),
    /// Print where every rule of the catalogue stands.
    Rules(RulesArguments),
    /// Run one scenario and print its prechecks, item by item, with cause and remedy.
    Precheck(PrecheckArguments),
    /// Rehearse a restore on your own schema, on a real server in a container: load it, back it up, make a mistake,
    /// recover, verify, put back, compare. Exit codes: 0 everything is as before; 1 it is not, or the recovery failed;
    /// 2 no container engine or no image, or stopped; 64 a script or the mistake was refused; 70 firedrill itself failed.
    Rehearse(RehearseArguments),
    /// Run scenarios in the simulated world and on real servers, and list what can be seen to differ.
    Fidelity(FidelityArguments),
    /// Plant bugs in the system and show that the checks find them, and nothing else.
    Selftest(SelftestArguments),
    /// Print a line a run, for the comparison of two processes.
    #[command(hide = true)]
    Histories(HistoriesArguments),
    /// Print the JSON Schema of scenario files.
    Schema,
    /// Print the OpenAPI document of the recovery service.
    Openapi,
}

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// Scenario files or folders; the built-in suites unless given.
    pub paths: Vec<PathBuf>,
    /// How many seeds (10 is 0..10), or a span of seeds (A..B, B not included); unless given, the seed that a file
    /// says itself, and 3 for a file that says none.
    #[arg(long, value_parser = seeds)]
    pub seeds: Option<Seeds>,
    /// One seed, decimal or 0x…; goes before --seeds.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// Runs at a time; as many as there are cores unless given.
    #[arg(long)]
    pub jobs: Option<usize>,
    /// Only scenarios whose file, name, case (`NAME [CASE]`) or title contains this.
    #[arg(long)]
    pub filter: Option<String>,
    /// Make the first failure of each cause small, and save it as a scenario file.
    #[arg(long)]
    pub shrink: bool,
    /// Folder for the files that --shrink saves.
    #[arg(long, default_value = OUT)]
    pub out: PathBuf,
    /// For people, or one JSON event a line.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
    /// Run each seed twice in fresh processes instead, and show the first event that differs.
    #[arg(long)]
    pub check_determinism: bool,
    /// Where to run: in the simulated world, or on real database servers in containers, one run of each scenario.
    #[arg(long, value_enum, default_value_t = Target::Sim)]
    pub target: Target,
    /// The image of a real server, such as postgres=postgres:17; postgres, mysql, mariadb, redis and valkey are known.
    /// Repeated for one, scenarios run on each. FIREDRILL_IMAGE_POSTGRES and its like name one too.
    #[arg(long = "image", value_name = "SERVER=NAME:TAG")]
    pub images: Vec<Choice>,
}

/// Arguments of `fidelity`.
#[derive(Debug, Args)]
pub struct FidelityArguments {
    /// Scenario files or folders; the built-in suites unless given.
    pub paths: Vec<PathBuf>,
    /// Only scenarios whose file, name, case (`NAME [CASE]`) or title contains this.
    #[arg(long)]
    pub filter: Option<String>,
    /// Runs at a time; as many as there are cores unless given.
    #[arg(long)]
    pub jobs: Option<usize>,
    /// For people, or one JSON event a line.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
    /// The image of a real server, such as postgres=postgres:17. Repeated for one, scenarios are compared on each.
    #[arg(long = "image", value_name = "SERVER=NAME:TAG")]
    pub images: Vec<Choice>,
}

/// Where scenarios run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// The simulated world.
    Sim,
    /// Real database servers in containers.
    Real,
}

/// Where failing scenarios are saved unless another folder is named.
pub const OUT: &str = "out/latest";

impl RunArguments {
    /// The seeds to run a scenario under.
    pub fn seeds_of(&self, scenario: &scenarios::Scenario) -> Vec<u64> {
        match (self.seed, self.seeds, scenario.seed) {
            (Some(seed), ..) | (None, None, Some(seed)) => vec![seed],
            (None, Some(Seeds { from, to }), _) => (from..to).collect(),
            (None, None, None) => (Seeds::OF_A_RUN.from..Seeds::OF_A_RUN.to).collect(),
        }
    }
}

impl Default for RunArguments {
    fn default() -> Self {
        Self {
            paths: vec![],
            seeds: None,
            seed: None,
            jobs: None,
            filter: None,
            shrink: false,
            out: OUT.into(),
            format: Format::Pretty,
            check_determinism: false,
            target: Target::Sim,
            images: vec![],
        }
    }
}

/// Arguments of `histories`.
#[derive(Debug, Args)]
pub struct HistoriesArguments {
    /// Scenario files or folders; the built-in suites unless given.
    pub paths: Vec<PathBuf>,
    /// Seeds.
    #[arg(long, default_value = "3", value_parser = seeds)]
    pub seeds: Seeds,
    /// Only scenarios whose file, name, case or title contains this.
    #[arg(long)]
    pub filter: Option<String>,
    /// Print every event of the scenario at this place instead.
    #[arg(long)]
    pub run: Option<String>,
    /// How many of the first runs keep their log at trace level.
    #[arg(long, default_value_t = 0)]
    pub logged: u64,
    /// What is drawn from the seeds under this profile of exploration, instead of scenarios.
    #[arg(long)]
    pub explore: Option<String>,
}

/// Arguments of `explore`.
#[derive(Debug, Args)]
pub struct ExploreArguments {
    /// How many seeds (10 is 0..10), or a span of seeds (A..B, B not included).
    #[arg(long, default_value = "1000", value_parser = seeds)]
    pub seeds: Seeds,
    /// One seed, decimal or 0x…, with the options and the plan that are drawn from it; goes before --seeds.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// How long at most, for example 10m.
    #[arg(long, value_parser = scenarios::read_time)]
    pub time: Option<Duration>,
    /// What to lean towards: default, temporary, clone, migration, restore, redis, faults, calm or long.
    #[arg(long, default_value = "default")]
    pub profile: String,
    /// Runs at a time; as many as there are cores unless given.
    #[arg(long)]
    pub jobs: Option<usize>,
    /// Run each seed twice in fresh processes instead, and show the first event that differs.
    #[arg(long)]
    pub check_determinism: bool,
    /// Where what was found is kept.
    #[arg(long, default_value = "out/latest")]
    pub out: PathBuf,
    /// Show failures as they are, without making them small and keeping them.
    #[arg(long)]
    pub no_shrink: bool,
    /// For people, or one JSON event a line.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The scenario file.
    #[arg(required_unless_present = "scenario", conflicts_with = "scenario")]
    pub file: Option<PathBuf>,
    /// A scenario: a file, or a built-in one by its file or name.
    #[arg(long)]
    pub scenario: Option<String>,
    /// The case of the scenario, by its name; needed where the file has several.
    #[arg(long)]
    pub case: Option<String>,
    /// The seed, decimal or 0x…; the one the file says unless given, else 0.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// Show every event: a line an event, a column a host, faults marked.
    #[arg(long)]
    pub trace: bool,
    /// Stop before this step (1 is the first) and show the world: instances, tasks, tables, messages
    /// in flight.
    #[arg(long)]
    pub until: Option<usize>,
    /// Run it against the system with this planted bug.
    #[arg(long)]
    pub planted: Option<String>,
}

/// Arguments of `rules`.
#[derive(Debug, Args)]
pub struct RulesArguments {
    /// Rules by scenarios.
    #[arg(long)]
    pub matrix: bool,
    /// For people, or one JSON object a rule.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
    /// Read what an earlier `firedrill rules --format json` printed instead of running the suites.
    #[arg(long)]
    pub from: Option<PathBuf>,
}

/// Arguments of `precheck`.
#[derive(Debug, Args)]
pub struct PrecheckArguments {
    /// A scenario: a file, or a built-in one by its file or name.
    #[arg(required_unless_present_any = ["explain", "list", "quality"])]
    pub scenario: Option<String>,
    /// The case of the scenario, by its name; needed where the file has several.
    #[arg(long)]
    pub case: Option<String>,
    /// The seed, decimal or 0x…; the one the file says unless given, else 0.
    #[arg(long, value_parser = seed)]
    pub seed: Option<u64>,
    /// List every item instead, with engines, tasks, what it weighs and whether it may be shielded.
    #[arg(long, conflicts_with_all = ["scenario", "explain"])]
    pub list: bool,
    /// Run that many random migrations instead and print how many failures the precheck foresaw, and how many tasks it
    /// blocked that would have succeeded.
    #[arg(long, value_name = "TASKS", conflicts_with_all = ["scenario", "explain", "list"],
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub quality: Option<u64>,
    /// Runs at a time, for --quality; as many as there are cores unless given.
    #[arg(long)]
    pub jobs: Option<usize>,
    /// Print all that is to be said of an item instead, by its code: CHECK_AUTH_SRC, for example.
    #[arg(long, value_name = "ITEM", conflicts_with = "scenario")]
    pub explain: Option<String>,
    /// For people, or one JSON event a line.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}

/// Arguments of `rehearse`.
#[derive(Debug, Args)]
pub struct RehearseArguments {
    /// The server: postgres, mysql or mariadb, and its image, such as postgres=postgres:17.
    #[arg(long, value_name = "SERVER=IMAGE")]
    pub engine: Choice,
    /// The script that makes the schema: a dump of pg_dump, mysqldump or mariadb-dump as it is, or your own; may hold data.
    #[arg(long, value_name = "FILE.sql")]
    pub schema: PathBuf,
    /// A script that puts data in.
    #[arg(long, value_name = "FILE.sql")]
    pub data: Option<PathBuf>,
    /// The mistake, as SQL; unless given, the largest table is dropped.
    #[arg(long, value_name = "SQL")]
    pub mistake: Option<String>,
    /// Also time the engine's own dump and restore of the whole database, between the same containers.
    #[arg(long)]
    pub measure: bool,
    /// Folder the report is kept in: text, JSON and precheck results.
    #[arg(long, value_name = "DIR", default_value = "out/rehearsal")]
    pub report: PathBuf,
    /// For people, or the whole report as one JSON object.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}

/// Arguments of `selftest`.
#[derive(Debug, Args)]
pub struct SelftestArguments {
    /// Seeds to explore where no scenario shows a planted bug, and with the system as it stands; scenarios are run with the
    /// first two of them.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub seeds: u64,
    /// Runs at a time; as many as there are cores unless given.
    #[arg(long)]
    pub jobs: Option<usize>,
    /// Make what catches each bug small, and print how many steps are left.
    #[arg(long)]
    pub shrink: bool,
    /// Only planted bugs whose name or check contains this.
    #[arg(long)]
    pub filter: Option<String>,
    /// For people, or one JSON event a line.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// For programs.
    Json,
}

/// A span of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// First.
    pub from: u64,
    /// After the last.
    pub to: u64,
}

impl Seeds {
    /// Seeds of a run that names none.
    pub const OF_A_RUN: Self = Self { from: 0, to: 3 };
}

fn seed(text: &str) -> Result<u64, String> {
    scenarios::seed(text).ok_or_else(|| format!("'{text}' is no seed; write a number like 24301 or 0x5eed"))
}

fn seeds(text: &str) -> Result<Seeds, String> {
    let span = match text.split_once("..") {
        Some((from, to)) => Seeds { from: seed(from)?, to: seed(to)? },
        None => Seeds { from: 0, to: seed(text)? },
    };
    if span.from >= span.to {
        return Err(format!("'{text}' names no seed; write how many (10) or a span (0..10)"));
    }
    if span.to - span.from > 1_000_000 {
        return Err(format!("'{text}' is more than a million seeds; write a shorter span"));
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_span() {
        assert_eq!(seeds("10"), Ok(Seeds { from: 0, to: 10 }));
        assert_eq!(seeds("0x10..20"), Ok(Seeds { from: 16, to: 20 }));
        assert!(seeds("0").is_err());
        assert!(seeds("5..5").is_err());
        assert!(seeds("x").is_err());
    }

    #[test]
    fn the_arguments_are_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["firedrill", "run", "--seed", "0x5eed", "a.toml"]);
        assert!(matches!(cli, Ok(Cli { command: Some(Command::Run(RunArguments { seed: Some(0x5eed), .. })) })));
    }
}
