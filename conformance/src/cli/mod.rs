//! The command line: what can be asked, and how it ends.

mod arguments;
mod determinism;
mod explore;
mod fidelity;
mod load;
mod precheck;
mod real;
mod rehearse;
mod replay;
mod rules;
mod run;
mod selftest;
mod shrink;

use crate::exit::Exit;
use arguments::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::{self, Write};

/// Runs the command that the arguments ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nothing is left to tell anyone when the terminal is gone.
            let _ = error.print();
            return if asked { Exit::Held } else { Exit::Usage };
        }
    };
    let command = cli.command.unwrap_or_else(|| Command::Run(arguments::RunArguments::default()));
    let done = match command {
        Command::Run(arguments) if arguments.check_determinism => determinism::of_scenarios(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Histories(arguments) => determinism::histories(&arguments),
        Command::Replay(arguments) => replay::replay(&arguments),
        Command::Explore(arguments) => explore::explore(&arguments),
        Command::Rules(arguments) => rules::rules(&arguments),
        Command::Precheck(arguments) => precheck::precheck(&arguments),
        Command::Rehearse(arguments) => rehearse::rehearse(&arguments),
        Command::Fidelity(arguments) => fidelity::fidelity(&arguments),
        Command::Selftest(arguments) => selftest::selftest(&arguments),
        Command::Schema => print_json(&scenarios::schema()),
        Command::Openapi => {
            recovery::api::openapi().to_pretty_json().map_err(Failure::harness).and_then(|text| say(&text))
        }
    };
    done.unwrap_or_else(|failure| {
        let _ = writeln!(io::stderr(), "{}", failure.text.trim_end());
        failure.exit
    })
}

/// Why a command could not do its work.
pub(crate) struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// What it says.
    pub text: String,
}

impl Failure {
    /// Wrong usage or a bad scenario file.
    pub fn usage(text: impl ToString) -> Self {
        Self { exit: Exit::Usage, text: text.to_string() }
    }

    /// The harness itself failed.
    pub fn harness(error: impl ToString) -> Self {
        Self { exit: Exit::Harness, text: format!("firedrill failed: {}", error.to_string()) }
    }
}

/// Width of tables that go to no terminal.
const WIDTH: usize = 120;

/// Width of the terminal, or of tables that go to none.
pub(crate) fn width() -> usize {
    console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns))
}

/// Prints a text and a line's end; a reader that went away is no failure.
pub(crate) fn say(text: &str) -> Result<Exit, Failure> {
    match writeln!(io::stdout().lock(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::harness(error)),
        _ => Ok(Exit::Held),
    }
}

fn print_json(value: &serde_json::Value) -> Result<Exit, Failure> {
    say(&serde_json::to_string_pretty(value).map_err(Failure::harness)?)
}
