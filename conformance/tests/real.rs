//! Scenarios on real servers, each a test of its own name. Without a container engine each says that it was not run and why;
//! where FIREDRILL_REQUIRE_ENGINES is set, it fails. `firedrill run --target real` runs all of them. Rehearsals on dumps of
//! users' schemas beside them, and every item of a precheck.

#[path = "items_on_real/mod.rs"]
mod items_on_real;
#[path = "rehearsals/mod.rs"]
mod rehearsals;
#[path = "golden/table.rs"]
mod table;
#[path = "golden/worlds.rs"]
mod worlds;

use conformance::catalogue::catalogue;
use conformance::judge::Outcome;
use conformance::reports::failure::failure;
use conformance::runner::target::{servers_for, unsuitable};
use conformance::suite::run_on;
use engines::docker::Docker;
use engines::images::{Family, Images};
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::{Scenario, builtin};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// One scenario for each way of recovery.
const SCENARIOS: [&str; 4] = [
    "documents/the-generic-document-from-its-first-step-to-its-last",
    "clone/a-mysql-5-7-master-can-be-cloned",
    "redis/a-recovery-overwrites-the-instance-with-the-set",
    "redis/a-clone-holds-the-set-and-leaves-the-original-as-it-was",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let why = engines::absent();
    let required = std::env::var_os("FIREDRILL_REQUIRE_ENGINES").is_some();
    let trial = |name: &str, test: Box<dyn FnOnce() -> Result<(), String> + Send>| {
        let missing = why.clone();
        let trial = Trial::test(name, move || match missing {
            Some(why) => Err(Failed::from(why)),
            None => test().map_err(Failed::from),
        });
        match &why {
            Some(why) if !required => trial.with_kind(format!("not run: {why}")).with_ignored_flag(true),
            _ => trial,
        }
    };
    let scenarios = SCENARIOS.iter().map(|name| trial(name, Box::new(|| every_rule_holds_on_real_servers(name))));
    let rehearsals = rehearsals::CASES.iter().map(|(name, case)| trial(name, Box::new(|| case(&images()?))));
    let items = Family::ALL
        .map(|family| trial(&items_on_real::name(family), Box::new(move || items_on_real::check(family, &images()?))));
    let table = Trial::test("every combination of an item is run on real servers, or it is said why not", || {
        items_on_real::table_is_whole().map_err(Failed::from)
    });
    libtest_mimic::run(&arguments, scenarios.chain(rehearsals).chain(items).chain([table]).collect()).exit_code()
}

fn cases(name: &str) -> Result<Vec<Scenario>, String> {
    let source = builtin().into_iter().find(|source| source.file.ends_with(&format!("{name}.toml")));
    let source = source.ok_or_else(|| format!("there is no scenario {name}"))?;
    Scenario::parse(&source.file, &source.text, &catalogue().ids()).map_err(|error| error.to_string())
}

fn images() -> Result<Images, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let images = runtime.map_err(|error| error.to_string())?.block_on(async {
        let docker = Docker::connect().await?;
        Images::new(&[], &docker).await
    });
    images.map_err(|error| error.to_string())
}

fn every_rule_holds_on_real_servers(name: &str) -> Result<(), String> {
    let (images, never) = (images()?, AtomicBool::new(false));
    let cases = cases(name)?;
    assert!(!cases.is_empty());
    for case in &cases {
        if let Some(why) = unsuitable(case) {
            return Err(format!("{}: {why}", case.shown()));
        }
        for servers in servers_for(case, &images)? {
            let run = run_on(case, 0, &servers, &never).ok_or("it was stopped")?;
            if run.outcome != Outcome::Passed {
                let why = run.unavailable.clone().unwrap_or_default();
                return Err(format!("{:?} on {servers}: {why}\n{}", run.outcome, failure(&run)));
            }
        }
    }
    Ok(())
}
