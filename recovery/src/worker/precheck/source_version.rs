//! Precheck item: the source's version is one a migration to this target can start from.

use super::bench::{Bench, Snag};
use super::item::{ASKS_S, About, EVERY_ENGINE, Item, Looked, Needs, Weight};
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::{Edition, Engine, Product, Version};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::SourceVersion,
        english: "Source database version",
        chinese: "源库版本号检查",
        weight: Weight::Firm,
        engines: EVERY_ENGINE,
        needs: Needs::Anything,
        looks_at: "Asks both servers what they are: the same engine, a source that data can be migrated from, and a target \
                   that is no older.",
        finds: &[
            "source and target are of different engines",
            "the source is a cluster",
            "data cannot be migrated from the source's version",
            "the target is older than the source",
        ],
        remedy: "Upgrade the older side, or choose another pair of instances.",
        shieldable: true,
        source: "prechecks.md 2.1 item 3, 2.4; DTS-17",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// The versions a migration can start from (prechecks.md 2.4).
const SUPPORTED: [(Engine, &[Version]); 5] = [
    (Engine::MySql, &[Version::V5_5, Version::V5_6, Version::V5_7, Version::V8_0]),
    (Engine::SqlServer, &[Version::V2008R2, Version::V2012, Version::V2016]),
    (Engine::PostgreSql, &[Version::V9_4, Version::V10, Version::V11]),
    (Engine::Ppas, &[Version::V9_3, Version::V10]),
    (Engine::Redis, &[Version::V2_8, Version::V4_0, Version::V5_0, Version::V6_0, Version::V7_0]),
];

async fn look(bench: &Bench) -> Looked {
    let source = bench.facts(Side::Source).await?.product;
    // A server may have been upgraded or downgraded without a word to anybody. Another item says that it is not reached.
    let target = match bench.facts(Side::Target).await {
        Ok(facts) => facts.product,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        Err(Snag::Found(_)) => bench.access(Side::Target).product,
    };
    Ok(obstacle(source, target).into_iter().collect())
}

/// What keeps data of one product from going to another.
fn obstacle(source: Product, target: Product) -> Option<Finding> {
    let supported =
        SUPPORTED.iter().find(|(engine, _)| *engine == source.engine).map_or(&[][..], |(_, versions)| versions);
    if source.engine != target.engine {
        Some(Finding::new(
            format!("the source is {source} and the target is {target}: data migrates only within one engine"),
            format!("Choose a target whose engine is {}, in a new task.", source.engine),
        ))
    } else if source.edition == Edition::Cluster {
        Some(Finding::new(
            format!("the source is {source}, a cluster, which data cannot be migrated from"),
            "Choose a source that is no cluster, in a new task.",
        ))
    } else if !supported.contains(&source.version) {
        Some(Finding::new(
            format!("the source is {source}, a version data cannot be migrated from"),
            "Upgrade the source, or choose another pair of instances.",
        ))
    } else if target.version < source.version {
        Some(Finding::new(
            format!("the target {target} is older than the source {source}"),
            format!("Choose or upgrade to a target of version {} or later.", source.version.word()),
        ))
    } else {
        None
    }
}
