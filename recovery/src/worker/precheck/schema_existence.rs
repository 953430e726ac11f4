//! Precheck item: everything selected is in the source, and the target has the databases for it. A database that the
//! target lacks is made there if that is allowed (DTS-15).

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::Engine;
use crate::model::precheck::PrecheckOutcome;
use crate::model::task::MigrationType;
use crate::worker::migrate::plan;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;

/// Character sets a database is made with.
const CHARSETS: [&str; 4] = ["utf8", "gbk", "latin1", "utf8mb4"];

/// Something found wrong: cause and remedy.
type Finding = (String, String);

/// Looks for what is selected in the source and for its place in the target.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    let mut findings = not_in_source(bench).await?;
    if bench.loads() {
        let work = bench.work();
        for (target, source) in Scope::new(&work.objects).target_databases() {
            findings.extend(provide(bench, target, source).await?);
        }
    }
    if !bench.has(MigrationType::Structure) {
        findings.extend(tables_not_in_target(bench).await?);
    }
    let (causes, mut remedies): (Vec<String>, Vec<String>) = findings.into_iter().unzip();
    remedies.dedup();
    Ok(failed_if_any(&causes, remedies.join(" ")))
}

/// Selected databases, tables and columns that the source does not have.
async fn not_in_source(bench: &mut Bench) -> Result<Vec<Finding>, Snag> {
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut missing = Vec::new();
    for database in scope.databases() {
        if bench.database(Side::Source, database).await?.is_none() {
            missing.push(format!("database {database}"));
        }
    }
    let described = bench.source_objects().await?;
    let there = |table: &String| !missing.iter().any(|database| format!("database {}", before_dot(table)) == *database);
    let tables: Vec<String> = plan::missing(scope, &described).into_iter().filter(there).collect();
    missing.extend(tables.into_iter().map(|table| format!("table {table}")));
    for selection in &work.objects {
        let objects = described.get(&selection.database).into_iter().flatten();
        let Some(table) = objects.into_iter().find(|object| Some(&object.name) == selection.table.as_ref()) else {
            continue;
        };
        let named = selection.columns.iter().flatten().chain(selection.columns_as.keys());
        let unknown = named.filter(|name| !table.columns.iter().any(|column| column.name == **name));
        missing.extend(unknown.map(|column| format!("column {}.{}.{column}", selection.database, table.name)));
    }
    let source = &work.source.instance;
    let remedy = "Select what is there, in a new task, or make it in the source, then start again.";
    Ok(missing
        .iter()
        .map(|what| (format!("selected {what} is not in the source {source}"), remedy.to_owned()))
        .collect())
}

fn before_dot(name: &str) -> &str {
    name.split_once('.').map_or(name, |(before, _)| before)
}

/// Makes a database the target lacks; says what stands in the way. PostgreSQL's are made beforehand (prechecks.md 2.4).
async fn provide(bench: &mut Bench, name: &str, source: &str) -> Result<Option<Finding>, Snag> {
    if bench.database(Side::Target, name).await?.is_some() {
        return Ok(None);
    }
    let Some(model) = bench.database(Side::Source, source).await? else {
        return Ok(None);
    };
    let grants = bench.facts(Side::Target).await?.grants;
    let work = bench.work();
    let (instance, account) = (&work.target.instance, &work.target.login.account);
    let missing = format!("database {name} is not in the target {instance}");
    let by_hand =
        format!("Make a database in {instance}, grant it to account {account}, map {source} to it, then start again.");
    let legal = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-');
    let obstacle = if work.target.product.engine == Engine::PostgreSql {
        Some("on PostgreSQL it has to be made beforehand".to_owned())
    } else if !name.chars().all(legal) || name.is_empty() {
        Some("its name may only have lower-case letters, digits, '_' and '-' to be made there".to_owned())
    } else if !CHARSETS.contains(&model.charset.as_str()) {
        Some(format!("its character set {} is none of {}", model.charset, CHARSETS.join(", ")))
    } else if !grants.on_database(name).writes() {
        let remedy = format!("Grant account {account} read and write on {instance}, then start again.");
        return Ok(Some((format!("{missing}, and account {account} may not make it"), remedy)));
    } else {
        let made = bench.create_database(name, &model.charset).await?;
        made.err().map(|error| format!("it could not be made there: {error}"))
    };
    Ok(obstacle.map(|obstacle| (format!("{missing}, and {obstacle}"), by_hand)))
}

/// Without structure the tables have to be in the target already.
async fn tables_not_in_target(bench: &mut Bench) -> Result<Vec<Finding>, Snag> {
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let described = bench.source_objects().await?;
    let planned = plan::plan(work.source.product.engine, scope, &work.types, &described);
    let mut findings = Vec::new();
    for entry in plan::progress(work.source.product.engine, scope, &planned) {
        let (database, table) = (&entry.target_database, &entry.target_name);
        let objects = bench.objects(Side::Target, database).await?;
        if !objects.iter().any(|object| object.kind == entry.kind && object.name == *table) {
            let cause = format!("table {database}.{table} is not in the target {}", work.target.instance);
            let remedy = "Select structure as well, or make the table in the target, then start again.";
            findings.push((cause, remedy.to_owned()));
        }
    }
    Ok(findings)
}
