//! Shields of precheck items, and what a precheck is computed for.

use super::{changed, configurable, topology};
use crate::model::TaskId;
use crate::model::decide::{Context, Decided, refuse};
use crate::model::instance::Instance;
use crate::model::precheck::PrecheckItem;
use crate::model::refusal::RefusalCode;
use crate::model::state::State;
use crate::model::task::{Side, Stage, Task, TaskStatus};
use crate::model::views::Shields;
use serde::Serialize;
use std::collections::BTreeMap;

/// Shields items, or takes their shields away (prechecks.md section 4). A pass that other shields led to does not count
/// any more (C-07).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, `InvalidParameter`, `OperationDenied.PrecheckItem`.
pub fn shield(ctx: &Context<'_>, id: &TaskId, wanted: &Shields) -> Decided<()> {
    let task = configurable(ctx, id)?;
    if wanted.items.is_empty() {
        return refuse(RefusalCode::InvalidParameter, "items is empty; name the precheck items to shield by code");
    }
    let may = |item: &PrecheckItem| ctx.policy.shieldable_items.iter().any(|code| code == item.code());
    if let Some(item) = wanted.items.iter().find(|item| !may(item)) {
        let all = ctx.policy.shieldable_items.join(", ");
        let detail = format!("item {item} cannot be shielded: repair what it finds; items that can be are {all}");
        return refuse(RefusalCode::NotShieldable, detail);
    }
    let mut after = task.clone();
    match wanted.shielded {
        true => after.shields.extend(&wanted.items),
        false => after.shields.retain(|item| !wanted.items.contains(item)),
    }
    if after.shields != task.shields && task.status == TaskStatus::PrecheckPassed {
        (after.status, after.stage) = (TaskStatus::NotStarted, task.stage.min(Stage::Selected));
    }
    changed(ctx, task, after)
}

/// Whether the task's newest precheck failed, and every item that failed is shielded by now.
pub(super) fn cover(task: &Task) -> bool {
    let ended = task.precheck.as_ref().filter(|run| run.ended_at.is_some() && !run.items.is_empty());
    ended.is_some_and(|run| {
        let mut failed = run.items.iter().filter(|result| result.outcome.is_failure()).map(|result| result.item);
        !task.shields.is_empty() && failed.all(|item| task.shields.contains(&item))
    })
}

/// What a precheck of the task is computed for, fact by fact.
#[must_use]
pub fn configuration(state: &State, task: &Task) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for (name, side) in [("source", &task.source), ("target", &task.target)] {
        let account = format!("account {}, {} connection", side.account, word(&side.connection));
        facts.insert(name.to_owned(), format!("{}, {account}", described(state, side)));
        facts.insert(format!("{name} settings"), settings(state.instances.get(&side.instance)));
    }
    let types: Vec<String> = task.types.iter().map(word).collect();
    let shields: Vec<&str> = task.shields.iter().map(|item| item.code()).collect();
    facts.insert("types".to_owned(), types.join(", "));
    facts.insert("objects".to_owned(), word(&task.objects));
    facts.insert("same name".to_owned(), word(&task.same_name));
    facts.insert("shields".to_owned(), shields.join(", "));
    let left_out: Vec<&str> = task.without_advice.iter().map(|item| item.code()).collect();
    facts.insert("advice left out".to_owned(), left_out.join(", "));
    let others: Vec<String> = topology::way_back(state, task)
        .iter()
        .map(|other| format!("task {} from {} to {}", other.task, other.source, other.target))
        .collect();
    // Only where there are some: most tasks have none, and then there is nothing to tell.
    if !others.is_empty() {
        facts.insert("way back".to_owned(), others.join(", "));
    }
    // A password is no fact that could be shown; that it was given anew is.
    facts.insert("times edited".to_owned(), task.edits.to_string());
    facts
}

fn described(state: &State, side: &Side) -> String {
    match state.instances.get(&side.instance) {
        None => format!("{}, gone", side.instance),
        Some(instance) => format!("{}, {}", side.instance, instance.product),
    }
}

/// The settings of an instance that a precheck depends on, and how often a backup was recovered into it.
pub(in crate::model::decide) fn settings(instance: Option<&Instance>) -> String {
    let Some(instance) = instance else { return String::new() };
    let set = &instance.configuration;
    let addresses: Vec<&str> = set.whitelist.iter().map(String::as_str).collect();
    let parameters: String = set.parameters.iter().map(|(name, value)| format!("; {name} = {value}")).collect();
    let ssl = if set.ssl { "on" } else { "off" };
    let recovered = instance.recoveries;
    format!("whitelist {}; ssl {ssl}{parameters}; recovered {recovered} times", addresses.join(", "))
}

/// A value as interfaces write it, without quotes where it is one word.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}
