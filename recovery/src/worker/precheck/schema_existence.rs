//! Precheck item: everything selected is in the source, and the target has the databases for it. A database that the
//! target lacks is made there if that is allowed (DTS-15).

use super::bench::{Bench, Snag};
use super::grants::{On, Privilege, grant};
use super::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::task::MigrationType;
use crate::worker::migrate::plan;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::SchemaExistence,
        english: "Database existence",
        chinese: "schema存在性检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Looks for everything selected in the source, and for its databases in the target; makes a database that \
                   the target lacks, except on PostgreSQL.",
        finds: &[
            "a selected database, table or column is not in the source",
            "the target lacks a database that cannot be made there: its name, its character set, or no right to",
            "without structure, the target lacks a table",
        ],
        remedy: "Select what is there; make a database in the target, grant it, and map the source database to it.",
        shieldable: false,
        source: "prechecks.md 2.1 item 4; DTS-15",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Character sets a database is made with.
const CHARSETS: [&str; 4] = ["utf8", "gbk", "latin1", "utf8mb4"];

async fn look(bench: &Bench) -> Looked {
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
    Ok(findings)
}

/// Selected databases, tables and columns that the source does not have.
async fn not_in_source(bench: &Bench) -> Looked {
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
    Ok(each(missing.iter().map(|what| format!("selected {what} is not in the source {source}")).collect(), remedy))
}

fn before_dot(name: &str) -> &str {
    name.split_once('.').map_or(name, |(before, _)| before)
}

/// Makes a database the target lacks; says what stands in the way. PostgreSQL's are made beforehand (prechecks.md 2.4).
async fn provide(bench: &Bench, name: &str, source: &str) -> Result<Option<Finding>, Snag> {
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
        let granted = grant(work.target.product.engine, Privilege::Write, &On::database(name), account);
        return Ok(Some(Finding::new(format!("{missing}, and account {account} may not make it"), remedy).by(granted)));
    } else {
        let made = bench.create_database(name, &model.charset).await?;
        made.err().map(|error| format!("it could not be made there: {error}"))
    };
    Ok(obstacle.map(|obstacle| Finding::new(format!("{missing}, and {obstacle}"), by_hand)))
}

/// Without structure the tables have to be in the target already.
async fn tables_not_in_target(bench: &Bench) -> Looked {
    let work = bench.work();
    let mut findings = Vec::new();
    for entry in bench.planned_as().await? {
        let (database, table) = (&entry.target_database, &entry.target_name);
        let objects = bench.objects(Side::Target, database).await?;
        if !objects.iter().any(|object| object.kind == entry.kind && object.name == *table) {
            let cause = format!("table {database}.{table} is not in the target {}", work.target.instance);
            let remedy = "Select structure as well, or make the table in the target, then start again.";
            findings.push(Finding::new(cause, remedy));
        }
    }
    Ok(findings)
}
