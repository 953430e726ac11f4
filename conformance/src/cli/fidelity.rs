//! `firedrill fidelity`: whether the simulated world is as real servers are.

use super::arguments::{FidelityArguments, Format};
use super::run::{jobs, print_line, stop_at_ctrl_c};
use super::{Failure, load, real};
use crate::exit::Exit;
use crate::fidelity::{Compared, Difference, Fidelity, compare};
use crate::runner::target::{Servers, servers_for, unsuitable};
use rayon::prelude::*;
use scenarios::Scenario;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// How the comparisons ended, by number.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    agree: usize,
    differ: usize,
    unavailable: usize,
    broken: usize,
    not_begun: usize,
    unexplained: usize,
    explained: usize,
    disappeared: usize,
}

/// Compares scenarios on both.
pub fn fidelity(arguments: &FidelityArguments) -> Result<Exit, Failure> {
    let scenarios = load::scenarios(&arguments.paths, arguments.filter.as_deref())?;
    let images = match real::images(&arguments.images)? {
        Ok(images) => images,
        Err(why) => return real::unavailable(&why, arguments.format),
    };
    let servers = |scenario: &Scenario| match unsuitable(scenario) {
        Some(why) => Err(why),
        None => servers_for(scenario, &images),
    };
    let runs: Vec<(&Scenario, Result<Servers, String>)> = scenarios
        .iter()
        .flat_map(|scenario| match servers(scenario) {
            Ok(all) => all.into_iter().map(|servers| (scenario, Ok(servers))).collect(),
            Err(why) => vec![(scenario, Err(why))],
        })
        .collect();
    let stop = stop_at_ctrl_c();
    let counts = Mutex::new(Counts::default());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs(arguments.jobs)?).build().map_err(Failure::harness)?;
    pool.install(|| {
        runs.par_iter().for_each(|(scenario, servers)| {
            let came = one(scenario, servers, &stop, arguments.format);
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            add(&mut counts, &came);
        });
    });
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    told(&counts, arguments.format);
    Ok(match counts {
        Counts { broken: 1.., .. } => Exit::Harness,
        Counts { differ: 1.., .. } => Exit::Violated,
        Counts { not_begun: 1.., .. } | Counts { agree: 0, .. } => Exit::Incomplete,
        _ => Exit::Held,
    })
}

/// Compares one, and says what came of it.
fn one(
    scenario: &Scenario,
    servers: &Result<Servers, String>,
    stop: &AtomicBool,
    format: Format,
) -> Result<Fidelity, String> {
    let servers = match servers {
        _ if stop.load(Ordering::Relaxed) => return Ok(Fidelity::Stopped),
        Ok(servers) => servers,
        Err(why) => {
            say(scenario, "", &Ok(Fidelity::Unavailable(why.clone())), format);
            return Ok(Fidelity::Unavailable(why.clone()));
        }
    };
    let came = compare(scenario, scenario.seed.unwrap_or(0), servers, stop);
    say(scenario, &servers.to_string(), &came, format);
    came
}

fn add(counts: &mut Counts, came: &Result<Fidelity, String>) {
    match came {
        Ok(Fidelity::Compared(compared)) => {
            *(if compared.agrees() { &mut counts.agree } else { &mut counts.differ }) += 1;
            counts.unexplained += compared.unexplained.len();
            counts.explained += compared.explained.len();
            counts.disappeared += compared.disappeared.len();
        }
        Ok(Fidelity::Unavailable(_)) => counts.unavailable += 1,
        Ok(Fidelity::Stopped) => counts.not_begun += 1,
        Err(_) => counts.broken += 1,
    }
}

fn say(scenario: &Scenario, on: &str, came: &Result<Fidelity, String>, format: Format) {
    match format {
        Format::Json => print_line(&event(scenario, on, came).to_string()),
        Format::Pretty => print_line(&pretty(scenario, on, came)),
    }
}

fn pretty(scenario: &Scenario, on: &str, came: &Result<Fidelity, String>) -> String {
    let place = scenario.place();
    let compared = match came {
        Ok(Fidelity::Compared(compared)) => compared,
        Ok(Fidelity::Unavailable(why)) => return format!("unavail.   {place}  ({why})"),
        Ok(Fidelity::Stopped) => return format!("stopped    {place}"),
        Err(why) => return format!("BROKEN     {place}  on {on}\n  {why}"),
    };
    let mut text = format!(
        "{} {place}  on {on}  ({} seen",
        if compared.agrees() { "agree     " } else { "DIFFER    " },
        compared.seen
    );
    if !compared.explained.is_empty() {
        text.push_str(&format!(", {} differ for a reason", compared.explained.len()));
    }
    text.push(')');
    for difference in &compared.unexplained {
        text.push_str(&both(difference));
    }
    for reason in &compared.disappeared {
        text.push_str(&format!("\n  no longer so: {}\n    reason     {}", reason.what, reason.why));
    }
    text
}

fn both(difference: &Difference) -> String {
    let side = |how: &Option<String>| how.clone().unwrap_or_else(|| "not seen".to_owned());
    format!(
        "\n  {}\n    simulated  {}\n    real       {}",
        difference.what,
        side(&difference.simulated),
        side(&difference.real)
    )
}

fn event(scenario: &Scenario, on: &str, came: &Result<Fidelity, String>) -> serde_json::Value {
    let place = scenario.place();
    let one = |it: &Difference| json!({"what": it.what, "simulated": it.simulated, "real": it.real});
    match came {
        Ok(Fidelity::Compared(Compared { seen, unexplained, explained, disappeared })) => json!({
            "event": "compared", "scenario": place, "on": on, "seen": seen,
            "unexplained": unexplained.iter().map(one).collect::<Vec<_>>(),
            "explained": explained.iter().map(|(it, why)| json!({"difference": one(it), "why": why})).collect::<Vec<_>>(),
            "disappeared": disappeared.iter().map(|it| json!({"what": it.what, "why": it.why})).collect::<Vec<_>>(),
        }),
        Ok(Fidelity::Unavailable(why)) => json!({"event": "unavailable", "scenario": place, "why": why}),
        Ok(Fidelity::Stopped) => json!({"event": "stopped", "scenario": place}),
        Err(why) => json!({"event": "broken", "scenario": place, "on": on, "why": why}),
    }
}

fn told(counts: &Counts, format: Format) {
    let Counts { agree, differ, unavailable, broken, not_begun, unexplained, explained, disappeared } = *counts;
    match format {
        Format::Json => print_line(
            &json!({
                "event": "fidelity", "agree": agree, "differ": differ, "unavailable": unavailable, "broken": broken,
                "not_begun": not_begun, "unexplained": unexplained, "explained": explained, "disappeared": disappeared,
            })
            .to_string(),
        ),
        Format::Pretty => print_line(&format!(
            "\n{agree} agree, {differ} differ, {unavailable} unavailable, {broken} broken, {not_begun} not begun: \
             {unexplained} differences without a reason, {explained} with one, {disappeared} reasons of what is no longer so"
        )),
    }
}
