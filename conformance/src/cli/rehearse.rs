//! `firedrill rehearse`: recovery rehearsed on the user's own schema.

use super::arguments::{Format, RehearseArguments};
use super::run::stop_at_ctrl_c;
use super::{Failure, say};
use crate::exit::Exit;
use crate::rehearse::{Order, Phase, Trouble, line, rehearse as run};

/// Rehearses, prints each phase as it ends, and keeps the report.
pub fn rehearse(arguments: &RehearseArguments) -> Result<Exit, Failure> {
    let order = Order {
        choice: arguments.engine.clone(),
        schema: arguments.schema.clone(),
        data: arguments.data.clone(),
        mistake: arguments.mistake.clone(),
        measure: arguments.measure,
    };
    let pretty = arguments.format == Format::Pretty;
    let tell = |phase: &Phase| {
        if pretty {
            // A reader that went away hears the end neither.
            let _ = say(&line(phase));
        }
    };
    let stop = stop_at_ctrl_c();
    let (report, ended) = run(&order, &stop, &tell);
    if matches!(ended, Err(Trouble::Input(_) | Trouble::Unavailable(_))) && report.phases.is_empty() {
        return ended.map(|()| Exit::Held).map_err(failure);
    }
    let kept = report.keep(&arguments.report, &ended);
    kept.map_err(|error| Failure::harness(format!("{}: {error}", arguments.report.display())))?;
    if pretty {
        say(&format!("\n{}report         {}", report.summary(), arguments.report.display()))?;
    } else {
        say(&report.json(&ended).to_string())?;
    }
    ended.map(|()| Exit::Held).map_err(failure)
}

fn failure(trouble: Trouble) -> Failure {
    let exit = match trouble {
        Trouble::Recovery(_) => Exit::Violated,
        Trouble::Unavailable(_) | Trouble::Stopped => Exit::Incomplete,
        Trouble::Input(_) => Exit::Usage,
        Trouble::Harness(_) => Exit::Harness,
    };
    Failure { exit, text: trouble.to_string() }
}
