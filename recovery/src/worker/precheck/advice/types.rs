//! Advice: columns of types that are not migrated.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::scope::Scope;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseTypes,
        english: "Unsupported column types",
        chinese: "不支持的列类型检查",
        weight: Weight::Advice,
        engines: &[Engine::SqlServer],
        needs: Needs::Load,
        looks_at: "Reads the types of the columns of selected tables.",
        finds: &["a column has a type that is not migrated"],
        remedy: "Leave the column out.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Types that are not migrated from SQL Server (prechecks.md 5.2); timestamp is another word for rowversion.
const NOT_MIGRATED: [&str; 6] = ["sql_variant", "hierarchyid", "geometry", "cursor", "rowversion", "timestamp"];

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut findings = Vec::new();
    for (database, table) in bench.source_tables().await? {
        let Some(placing) = scope.place(&database, &table.name) else { continue };
        for column in table.columns.iter().filter(|column| placing.column(&column.name).is_some()) {
            let kind = column.declared.split('(').next().unwrap_or_default().trim().to_lowercase();
            if NOT_MIGRATED.contains(&kind.as_str()) {
                let named = format!("{database}.{}.{}", table.name, column.name);
                let cause = format!("column {named} is of type {kind}, which is not migrated");
                findings.push(Finding::new(
                    cause,
                    format!("Select the columns of {} without {}, then check again.", table.name, column.name),
                ));
            }
        }
    }
    Ok(findings)
}
