//! Which servers a scenario runs on: for each engine it uses, every image that was named, else one.

use super::Servers;
use engines::images::{Choice, Family, Images};
use engines::programs::engine_of;
use recovery::model::Engine;
use scenarios::Scenario;
use std::collections::{BTreeMap, BTreeSet};

/// The engines a scenario uses, each with the versions it asks for.
fn engines_of(scenario: &Scenario) -> BTreeMap<Engine, BTreeSet<&'static str>> {
    let mut engines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for instance in &scenario.instances {
        engines.entry(instance.product.engine).or_default().insert(instance.product.version.word());
    }
    engines
}

/// The images that have a version a scenario asks for as their tag: what they are, they play.
fn exact(engine: Engine, versions: &BTreeSet<&'static str>, images: &Images) -> Vec<Choice> {
    let families = Family::ALL.into_iter().filter(|family| family.engine() == engine && engine_of(*family).is_some());
    let found = families.flat_map(|family| {
        versions.iter().filter_map(move |tag| Some(Choice { family, image: images.tagged(family, tag)? }))
    });
    found.collect()
}

/// What can play an engine: every image of the families that were named, else one image of one family.
fn players(engine: Engine, images: &Images) -> Result<Vec<Choice>, String> {
    let families: Vec<Family> = Family::ALL.into_iter().filter(|family| family.engine() == engine).collect();
    let named: Vec<Family> = families.iter().copied().filter(|family| images.names(*family)).collect();
    let playing = |family: &&Family| engine_of(**family).is_some();
    let chosen = if named.is_empty() { families.iter().filter(playing).take(1).copied().collect() } else { named };
    let choices = chosen.iter().flat_map(|family| {
        images.of(*family).into_iter().map(|image| Choice { family: *family, image }).collect::<Vec<_>>()
    });
    let choices: Vec<Choice> = choices.collect();
    match chosen.iter().find(|family| engine_of(**family).is_none()) {
        Some(family) => Err(format!("{family} does not run as a real server")),
        None if choices.is_empty() => Err(format!("{engine} does not run as a real server")),
        None => Ok(choices),
    }
}

/// The servers a scenario runs on, a run each; why there are none.
///
/// # Errors
/// When an engine it uses is played by nothing.
pub fn servers_for(scenario: &Scenario, images: &Images) -> Result<Vec<Servers>, String> {
    let mut all = vec![Vec::new()];
    for (engine, versions) in engines_of(scenario) {
        let mut exact = exact(engine, &versions, images);
        exact.truncate(versions.len());
        if exact.len() == versions.len() {
            all.iter_mut().for_each(|servers| servers.extend(exact.iter().cloned()));
            continue;
        }
        let players = players(engine, images)?;
        let with = |servers: &Vec<Choice>| {
            let servers = servers.clone();
            players.iter().map(move |player| [servers.clone(), vec![player.clone()]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    Ok(all.into_iter().map(Servers).collect())
}
