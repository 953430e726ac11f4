//! Advice: extensions that objects of the source need and the target lacks.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::servers::Side;
use crate::worker::sql::quote;
use std::collections::{BTreeMap, BTreeSet};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseExtension,
        english: "Extensions of the target",
        chinese: "目标库扩展插件检查",
        weight: Weight::Advice,
        engines: &[Engine::PostgreSql, Engine::Ppas],
        needs: Needs::Structure,
        looks_at: "Compares the extensions that objects to be made depend on in the source with those of the target.",
        finds: &[
            "an object needs an extension that is not installed in the target database",
            "an object needs an extension that the target does not offer",
        ],
        remedy: "Install the extension in the target database.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let used = bench.circumstances(Side::Source).await?;
    let there = bench.circumstances(Side::Target).await?;
    // By target database and extension, the objects that need it.
    let mut lacking: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    for entry in bench.planned_as().await? {
        let extensions = used.extensions.get(&entry.database).and_then(|own| own.used.get(&entry.name));
        for extension in extensions.into_iter().flatten() {
            let installed = there.extensions.get(&entry.target_database);
            if installed.is_some_and(|own| !own.installed.contains(extension)) {
                let objects = lacking.entry((entry.target_database.clone(), extension)).or_default();
                objects.insert(format!("{}.{}", entry.database, entry.name));
            }
        }
    }
    let target = &bench.access(Side::Target).instance;
    let finding = |((database, extension), objects): ((String, &str), BTreeSet<String>)| {
        let objects = objects.into_iter().collect::<Vec<_>>().join(", ");
        let cause = format!(
            "database {database} of the target {target} lacks the extension {extension}, without which {objects} cannot be \
             made"
        );
        if there.offered_extensions.as_ref().is_some_and(|offered| !offered.contains(extension)) {
            let remedy = format!("Choose a target that offers {extension}, or leave {objects} out, then check again.");
            return Finding::new(format!("{cause}; {target} does not offer it"), remedy);
        }
        let remedy = format!("Install {extension} in {database} of {target}, then check again.");
        Finding::new(cause, remedy).by(format!("CREATE EXTENSION {}", quote(Engine::PostgreSql, extension)))
    };
    Ok(lacking.into_iter().map(finding).collect())
}
