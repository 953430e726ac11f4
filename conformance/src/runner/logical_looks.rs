//! What is looked at about logical backup and restore.

use super::expect::{Look, item_look, number_look};
use super::logical::{covers, restorable, second_for, sets_of, task_named};
use super::operator::{Operator, Stepped};
use super::rebuild::{describe, restore_named, see};
use recovery::model::content::ObjectKind;
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::restore::{RestorePhase, RestoredObject};
use recovery::model::logical::views::{LogicalSetView, RestoreList, RestoreView};
use scenarios::{Number, RestoreFacts, RestoreReason};

/// How many sets of a backup task are listed.
pub async fn sets(
    operator: &Operator,
    of: &str,
    kind: Option<SetKind>,
    status: Option<SetStatus>,
    number: Number,
) -> Stepped<Look> {
    let listed = sets_of(operator, &task_named(operator, of)?.id).await?;
    let fits = |set: &&LogicalSetView| {
        kind.is_none_or(|kind| kind == set.kind) && status.is_none_or(|status| status == set.status)
    };
    let count = listed.iter().filter(fits).count() as u64;
    Ok(number_look(&format!("sets of {of} ({kind:?}, {status:?})"), number, count))
}

/// Whether a mark lies in the range of a backup task.
pub async fn range(operator: &Operator, of: &str, mark: &str, contained: bool) -> Stepped<Look> {
    let task = task_named(operator, of)?;
    let second = second_for(operator, mark, &task)?;
    let covered = covers(&restorable(operator, &task).await?, second);
    Ok(Look::same(&format!("'{mark}' restorable from {of}:"), &contained, &covered))
}

/// Facts of a restore task.
pub async fn restore(operator: &Operator, name: &str, facts: &RestoreFacts) -> Stepped<Vec<Look>> {
    let id = restore_named(operator, name)?;
    let mut looks = Vec::new();
    if let Some(wanted) = &facts.listed {
        let list: RestoreList = operator.get("/v1/restore-tasks").await?;
        let listed = list.tasks.iter().any(|view| view.id == id);
        looks.push(Look::same(&format!("restore {name} listed:"), wanted, &listed));
    }
    let Some(view) = see(operator, &id).await? else {
        if facts.listed.is_none() {
            looks.push(Look::new(false, format!("restore {name}"), "it is gone"));
        }
        return Ok(looks);
    };
    looks.extend(view_looks(name, &view, facts));
    Ok(looks)
}

fn view_looks(name: &str, view: &RestoreView, facts: &RestoreFacts) -> Vec<Look> {
    let mut looks = Vec::new();
    if let Some(wanted) = facts.status {
        looks.push(Look::new(wanted == view.status, format!("restore {name} {wanted:?}"), describe(view)));
    }
    if let Some(wanted) = facts.failure {
        let got = view.failure.as_ref().map(RestoreReason::of);
        looks.push(Look::new(got == Some(wanted), format!("restore {name} ended by {wanted:?}"), describe(view)));
    }
    if let Some(text) = &facts.failure_says {
        let said = view.failure.as_ref().and_then(|failure| serde_json::to_string(failure).ok()).unwrap_or_default();
        looks.push(Look::new(said.contains(text), format!("the failure of restore {name} says '{text}'"), said));
    }
    if let Some(wanted) = &facts.item {
        looks.push(item_look(&format!("restore {name}"), view.precheck.as_ref(), wanted));
    }
    for (table, wanted) in &facts.records {
        let got = of_table(view, table, |object| object.records);
        looks.push(Look::same(&format!("rows of {table} written by restore {name}:"), &Some(*wanted), &got));
    }
    for (table, wanted) in &facts.skipped {
        let got = of_table(view, table, |object| object.records_skipped);
        looks.push(Look::same(&format!("rows of {table} left out by restore {name}:"), &Some(*wanted), &got));
    }
    looks
}

/// A number about a table, `crm.customers` in another database than `app`; none where the details do not hold it.
fn of_table(view: &RestoreView, table: &str, number: impl Fn(&RestoredObject) -> u64) -> Option<u64> {
    let (database, table) = table.split_once('.').unwrap_or(("app", table));
    let found = view.details.iter().find(|object| {
        object.phase == RestorePhase::Full
            && object.kind == ObjectKind::Table
            && object.database == database
            && object.name == table
    });
    found.map(number)
}
