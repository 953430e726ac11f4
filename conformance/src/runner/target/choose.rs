//! Which servers a scenario runs on: for each engine it uses, every image that was named, else one; one for each version
//! that it asks for, where there are as many.

use super::Servers;
use engines::images::{Choice, Family, Images};
use engines::programs::engine_of;
use recovery::model::{Engine, Version};
use scenarios::Scenario;
use std::collections::{BTreeMap, BTreeSet};

/// The engines a scenario uses, each with the versions it asks for.
fn engines_of(scenario: &Scenario) -> BTreeMap<Engine, BTreeSet<Version>> {
    let mut engines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for instance in &scenario.instances {
        engines.entry(instance.product.engine).or_default().insert(instance.product.version);
    }
    engines
}

/// The images that have a version a scenario asks for as their tag: what they are, they play.
fn exact(engine: Engine, versions: &BTreeSet<Version>, images: &Images) -> Vec<Choice> {
    let families = Family::ALL.into_iter().filter(|family| family.engine() == engine && engine_of(*family).is_some());
    let found = families.flat_map(|family| {
        let tagged = move |tag| Some(Choice { family, image: images.tagged(family, tag)? });
        versions.iter().filter_map(move |version| tagged(version.word()))
    });
    found.collect()
}

/// What can play an engine in so many versions: every image of the families that were named, else one image of one family.
/// Where a family has as many images, older ones play earlier versions, so that what is earlier is an earlier server.
fn players(engine: Engine, count: usize, images: &Images) -> Result<Vec<Vec<Choice>>, String> {
    let families: Vec<Family> = Family::ALL.into_iter().filter(|family| family.engine() == engine).collect();
    let named: Vec<Family> = families.iter().copied().filter(|family| images.names(*family)).collect();
    let playing = |family: &&Family| engine_of(**family).is_some();
    let chosen = if named.is_empty() { families.iter().filter(playing).take(1).copied().collect() } else { named };
    let casts = chosen.iter().flat_map(|family| {
        let successive = if count > 1 { images.successive(*family, count) } else { Vec::new() };
        let alone = || images.of(*family).into_iter().map(|image| vec![image]).collect();
        let rows = if successive.is_empty() { alone() } else { successive };
        rows.into_iter().map(|row| row.into_iter().map(|image| Choice { family: *family, image }).collect())
    });
    let casts: Vec<Vec<Choice>> = casts.collect();
    match chosen.iter().find(|family| engine_of(**family).is_none()) {
        Some(family) => Err(format!("{family} does not run as a real server")),
        None if casts.is_empty() => Err(format!("{engine} does not run as a real server")),
        None => Ok(casts),
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
        let casts = players(engine, versions.len(), images)?;
        let with = |servers: &Vec<Choice>| {
            casts.iter().map(|cast| [servers.clone(), cast.clone()].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    Ok(all.into_iter().map(Servers).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use engines::images::Choice;

    fn scenario(later: &str, earlier: &str) -> Scenario {
        let instance = |name: &str, engine: &str| {
            format!(
                "[instances.{name}]\nengine = \"{engine}\"\naccount = {{ name = \"app\", password = \"s3cret\" }}\n"
            )
        };
        let text = format!(
            "title = \"a fact\"\n{}{}[[step]]\nmark = \"now\"\n",
            instance("shop", later),
            instance("depot", earlier)
        );
        let parsed = Scenario::parse("a-fact.toml", &text, &Default::default());
        parsed.unwrap_or_else(|error| panic!("{}", error.render())).remove(0)
    }

    fn servers(later: &str, earlier: &str) -> Result<Vec<String>, String> {
        let named = ["mysql=mysql:9.7", "mariadb=mariadb:11.8", "mariadb=mariadb:10.5", "mariadb=mariadb:10.11"];
        let named = named.map(str::parse).into_iter().collect::<Result<Vec<Choice>, _>>()?;
        let all = servers_for(&scenario(later, earlier), &Images::named(&named))?;
        Ok(all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_scenario_of_two_versions_runs_on_an_older_and_a_newer_image() {
        let both = [
            "mysql=mysql:9.7",
            "mariadb=mariadb:10.5 mariadb=mariadb:10.11",
            "mariadb=mariadb:10.11 mariadb=mariadb:11.8",
        ];
        assert_eq!(servers("mysql 8.0", "mysql 5.7"), Ok(both.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_scenario_of_one_version_runs_on_every_image_that_was_named() {
        assert_eq!(servers("mysql 5.7", "mysql 5.7").map(|all| all.len()), Ok(4));
    }
}
