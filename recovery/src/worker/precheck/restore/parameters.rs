//! Server parameters of the source at backup time compared with the target's.

use super::RestoreBench;
use crate::model::Engine;
use crate::worker::precheck::bench::Snag;
use crate::worker::servers::Side;

/// Values of parameters that are not set.
const DEFAULTS: [(Engine, &str, &str); 5] = [
    (Engine::MySql, "character_set_server", "utf8"),
    (Engine::MySql, "collation_server", "utf8_general_ci"),
    (Engine::MySql, "time_zone", "SYSTEM"),
    (Engine::MySql, "lower_case_table_names", "0"),
    (Engine::MySql, "sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"),
];

fn default(engine: Engine, name: &str) -> String {
    let found = DEFAULTS.iter().find(|(own, parameter, _)| *own == engine && *parameter == name);
    found.map_or("default", |(.., value)| value).to_owned()
}

/// A parameter of the source and of the target.
pub async fn both(bench: &RestoreBench, name: &str) -> Result<(String, String), Snag> {
    let manifest = bench.manifest().await?;
    let facts = bench.bench.facts(Side::Target).await?;
    let source = manifest.parameters.get(name).cloned();
    let target = facts.parameters.get(name).cloned();
    Ok((
        source.unwrap_or_else(|| default(manifest.product.engine, name)),
        target.unwrap_or_else(|| default(facts.product.engine, name)),
    ))
}

/// What to say where a parameter differs, and nothing where it does not.
pub async fn difference(bench: &RestoreBench, name: &str) -> Result<Option<String>, Snag> {
    let (source, target) = both(bench, name).await?;
    let words = |value: &str| -> std::collections::BTreeSet<String> {
        value.split(',').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect()
    };
    Ok((words(&source) != words(&target)).then(|| said(bench, name, &source, &target)))
}

/// The difference in words.
pub fn said(bench: &RestoreBench, name: &str, source: &str, target: &str) -> String {
    let job = bench.job();
    format!("{name} was '{source}' in the backup {} and is '{target}' in the target {}", job.set, job.target.instance)
}
