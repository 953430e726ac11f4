//! Advice: a target that knows no upper case in names.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use std::collections::BTreeSet;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseNameCase,
        english: "Case of names",
        chinese: "名称大小写检查",
        weight: Weight::Advice,
        engines: &[Engine::MySql],
        needs: Needs::Load,
        looks_at: "Compares lower_case_table_names of both sides with the names of selected databases and tables.",
        finds: &["the target writes a name in lower case", "two names differ in case alone"],
        remedy: "Map the name to one in lower case.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// The parameter.
const NAME: &str = "lower_case_table_names";

async fn look(bench: &Bench) -> Looked {
    let tells_apart = |value: Option<String>| value.is_none_or(|value| value.trim() == "0");
    if !tells_apart(bench.parameter(Side::Source, NAME).await?)
        || tells_apart(bench.parameter(Side::Target, NAME).await?)
    {
        return Ok(Vec::new());
    }
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let (mut findings, mut taken) = (Vec::new(), BTreeSet::new());
    for (database, table) in bench.source_tables().await? {
        let Some(placing) = scope.place(&database, &table.name) else { continue };
        let named = format!("{}.{}", placing.database, placing.table);
        let lower = named.to_lowercase();
        let twice = !taken.insert(lower.clone());
        if lower == named && !twice {
            continue;
        }
        let target = &work.target.instance;
        let cause = if twice {
            format!(
                "two selected tables get the name {lower} in the target {target}, which tells no case apart ({NAME})"
            )
        } else {
            format!("table {named} is called {lower} in the target {target} ({NAME})")
        };
        let remedy =
            format!("Map {named} to a name in lower case and use that in statements, then check again, or go on.");
        findings.push(Finding::new(cause, remedy));
    }
    Ok(findings)
}
