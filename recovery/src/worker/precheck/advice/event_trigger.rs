//! Advice: triggers of the target that fire when the task makes objects.

use crate::model::Engine;
use crate::model::content::ObjectKind;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::names::word;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::servers::Side;
use crate::worker::sql::quote;
use std::collections::{BTreeMap, BTreeSet};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseEventTrigger,
        english: "Event triggers of the target",
        chinese: "目标库事件触发器检查",
        weight: Weight::Advice,
        engines: &[Engine::PostgreSql, Engine::Ppas],
        needs: Needs::Structure,
        looks_at: "Compares the event triggers of the target with the commands that make what is to be made there.",
        finds: &["an event trigger of the target fires when the task makes objects"],
        remedy: "Disable the event trigger until the task has ended.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Events at which a trigger fires when something is made.
const EVENTS: [&str; 2] = ["ddl_command_start", "ddl_command_end"];

async fn look(bench: &Bench) -> Looked {
    let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in bench.planned_as().await? {
        tags.entry(entry.target_database).or_default().insert(tag(entry.kind));
    }
    let target = &bench.access(Side::Target).instance;
    let mut findings = Vec::new();
    for trigger in &bench.circumstances(Side::Target).await?.event_triggers {
        let made = tags.get(&trigger.database).into_iter().flatten();
        let fired: Vec<&str> =
            made.filter(|tag| trigger.tags.is_empty() || trigger.tags.contains(tag)).map(String::as_str).collect();
        if fired.is_empty() || !EVENTS.contains(&trigger.event.as_str()) {
            continue;
        }
        let (name, database) = (&trigger.name, &trigger.database);
        let cause = format!(
            "event trigger {name} of database {database} of the target {target} runs {} at {} of what the task does there: {}",
            trigger.function,
            trigger.event,
            fired.join(", ")
        );
        let remedy = format!(
            "Disable {name} in {database} until the task has ended, or see that {} lets it through, then check again, or go on.",
            trigger.function
        );
        let quoted = quote(Engine::PostgreSql, name);
        findings.push(Finding::new(cause, remedy).by(format!("ALTER EVENT TRIGGER {quoted} DISABLE")));
    }
    Ok(findings)
}

/// The command that makes an object of a kind, as event triggers know it.
fn tag(kind: ObjectKind) -> String {
    match kind {
        ObjectKind::ForeignKey => "ALTER TABLE".to_owned(),
        kind => format!("CREATE {}", word(kind).to_uppercase()),
    }
}
