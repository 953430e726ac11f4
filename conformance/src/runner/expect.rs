//! Looks whether something is so, and writes down what was found.

use super::migrate::describe;
use super::operator::{Operator, StepFailed, Stepped};
use super::restore::{is_covered, second_of};
use super::wait::copied;
use super::{logical_looks, redis};
use recovery::model::InstanceId;
use recovery::model::backup::BackupStatus;
use recovery::model::content::{Row, Value};
use recovery::model::instance::{Billing, InstanceState, Origin};
use recovery::model::photograph::{Photograph, PhotographedDatabase};
use recovery::model::precheck::{Finding, PrecheckOutcome, PrecheckRun};
use recovery::model::views::{BackupList, ChargeList, InstanceList, InstanceView};
use scenarios::{
    Charged, Expectation, FailureReason, InstanceFacts, Number, PrecheckFacts, PrecheckVerdict, Subject, TaskFacts,
};
use std::sync::Arc;

/// One thing that was looked at: whether it was as wanted, what was wanted, what was found.
pub struct Look {
    met: bool,
    want: String,
    got: String,
}

impl Look {
    /// One thing that was looked at.
    pub fn new(met: bool, want: impl Into<String>, got: impl Into<String>) -> Self {
        Self { met, want: want.into(), got: got.into() }
    }

    /// Something that is as wanted where it is equal.
    pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, want: &T, got: &T) -> Self {
        Self::new(want == got, format!("{what} {want:?}"), format!("{got:?}"))
    }
}

/// Looks, and goes on either way; what was not met fails the run.
pub async fn expect(operator: &Operator, expectation: &Expectation) -> Stepped {
    let looks = match expectation {
        Expectation::Restore { restore, facts } => logical_looks::restore(operator, restore, facts).await?,
        Expectation::LogicalSets { of, kind, status, number } => {
            vec![logical_looks::sets(operator, of, *kind, *status, *number).await?]
        }
        Expectation::LogicalRestorable { of, mark, contained } => {
            vec![logical_looks::range(operator, of, mark, *contained).await?]
        }
        Expectation::BackupListed { backup, listed, from, to } => {
            let found = redis::is_listed(operator, backup, *from, *to).await?;
            vec![Look::same(&format!("backup {backup} listed:"), listed, &found)]
        }
        Expectation::NodeRows { of, node, key, exists } => {
            let found = redis::holds(operator, of, *node, key).await?;
            vec![Look::same(&format!("key {key} on the {node:?} of {of}:"), exists, &found)]
        }
        Expectation::Rows { on, query, rows, database, login } => {
            let outcome = operator.run_sql(on, database, login, query).await?;
            vec![match outcome {
                Ok(outcome) => rows_look(on, query, rows, &outcome.rows),
                Err(error) => Look::new(false, format!("{on}: {query}"), error.to_string()),
            }]
        }
        Expectation::Instance { instance, facts } => instance_looks(operator, instance, facts).await?,
        Expectation::Task { task, facts } => task_looks(operator, task, facts).await?,
        Expectation::Same { instance, as_of, of, databases, tables } => {
            vec![same(operator, instance, (as_of, of), databases.as_deref(), tables.as_deref()).await?]
        }
        Expectation::Unchanged { instance, since } => vec![unchanged(operator, instance, since).await?],
        Expectation::Backups { of, kind, number } => {
            let id = operator.instance(of)?;
            let list: BackupList = operator.get(&format!("/v1/instances/{id}/backups")).await?;
            let fits = |it: &&recovery::model::views::BackupView| {
                it.status == BackupStatus::Success && kind.is_none_or(|kind| kind == it.kind)
            };
            let count = list.backups.iter().filter(fits).count() as u64;
            vec![number_look(&format!("completed backups of {of}"), *number, count)]
        }
        Expectation::Restorable { of, mark, contained } => {
            let id = operator.instance(of)?;
            let covered = is_covered(operator, &id, second_of(operator, mark, &id)?).await?;
            vec![Look::same(&format!("'{mark}' restorable on {of}:"), contained, &covered)]
        }
        Expectation::Charges { of, cents } => vec![charges(operator, of, *cents).await?],
        Expectation::Object { on, database, kind, name, exists, definer, security } => {
            let id = operator.instance(on)?;
            let content = now_of(operator, on, &id).await?;
            let key = format!(
                "{} {name}",
                serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
            );
            let found = content.databases.get(database).and_then(|database| database.objects.get(&key));
            let mut looks = vec![Look::same(&format!("{key} of {database} on {on} there:"), exists, &found.is_some())];
            if let (Some(found), Some(definer)) = (found, definer) {
                looks.push(Look::same(&format!("definer of {key}:"), &Some(definer.clone()), &found.definer));
            }
            if let (Some(found), Some(security)) = (found, security) {
                looks.push(Look::same(&format!("security of {key}:"), &Some(*security), &found.security));
            }
            looks
        }
    };
    for look in looks {
        operator.recorder.expectation(operator.now(), look.met, look.want, look.got);
    }
    Ok(())
}

fn rows_look(on: &str, query: &str, want: &[Row], got: &[Row]) -> Look {
    let shown = |rows: &[Row]| serde_json::to_string(rows).unwrap_or_default();
    let (mut a, mut b) = (want.to_vec(), got.to_vec());
    if !query.to_ascii_lowercase().contains("order by") {
        a.sort_by_key(|row| serde_json::to_string(row).unwrap_or_default());
        b.sort_by_key(|row| serde_json::to_string(row).unwrap_or_default());
    }
    let equal = a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)));
    Look::new(equal, format!("{on}: {query} gives {}", shown(want)), shown(got))
}

/// A number is the same whether a server calls it whole or not.
#[allow(clippy::cast_precision_loss, clippy::float_cmp)]
fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Integer(whole), Value::Real(real)) | (Value::Real(real), Value::Integer(whole)) => {
            *whole as f64 == *real
        }
        _ => a == b,
    }
}

async fn instance_looks(operator: &Operator, name: &str, facts: &InstanceFacts) -> Stepped<Vec<Look>> {
    let id = operator.instance(name)?;
    let view = operator.see(&id).await?;
    let mut looks = Vec::new();
    let state = view.as_ref().map_or(InstanceState::Released, |view| view.state);
    if let Some(wanted) = &facts.state {
        looks.push(Look::same(name, wanted, &state));
    }
    if let Some(gone) = &facts.gone {
        looks.push(Look::same(&format!("{name} gone:"), gone, &view.is_none()));
        if *gone {
            let still = is_open(operator, &id).await;
            looks.push(Look::same(&format!("{name} can still be used:"), &false, &still));
        }
    }
    let listed = operator.get::<InstanceList>("/v1/instances").await?.instances.iter().any(|view| view.id == id);
    if let Some(wanted) = &facts.listed {
        looks.push(Look::same(&format!("{name} listed:"), wanted, &listed));
        if let Some(Origin::Temporary { master, .. }) = view.as_ref().map(|view| &view.origin) {
            let path = format!("/v1/instances/{master}/temporary-instances");
            let of_master = operator.get::<InstanceList>(&path).await?.instances.iter().any(|view| view.id == id);
            looks.push(Look::same(&format!("{name} listed with its master:"), wanted, &of_master));
        }
    }
    if let Some(wanted) = &facts.offered {
        let region = view.as_ref().map_or("region-1", |view| view.region.as_str());
        let list: InstanceList = operator.get(&format!("/v1/migration-sources?region={region}")).await?;
        looks.push(Look::same(
            &format!("{name} offered as a source:"),
            wanted,
            &list.instances.iter().any(|it| it.id == id),
        ));
    }
    if let Some(view) = &view {
        looks.extend(view_looks(operator, name, view, facts)?);
        if let Some(wanted) = &facts.free {
            let charges: ChargeList = operator.get(&format!("/v1/charges?subject={id}")).await?;
            let free = view.billing == Billing::Free && charges.charges.is_empty();
            looks.push(Look::same(&format!("{name} free:"), wanted, &free));
        }
    } else if facts.network.is_some()
        || facts.billing.is_some()
        || facts.region.is_some()
        || facts.recovered_to.is_some()
    {
        looks.push(Look::new(false, format!("facts of {name}"), "it is gone"));
    }
    Ok(looks)
}

/// Whether the login that was let in last is let in again; an instance nobody ever logged in to has no door to try.
async fn is_open(operator: &Operator, id: &InstanceId) -> bool {
    let door = operator.doors.borrow().get(id).cloned();
    match door {
        Some((endpoint, login)) => operator.log_in(id, &endpoint, &login).await.is_ok(),
        None => false,
    }
}

fn view_looks(operator: &Operator, name: &str, view: &InstanceView, facts: &InstanceFacts) -> Stepped<Vec<Look>> {
    let mut looks = Vec::new();
    if let Some(wanted) = &facts.network {
        looks.push(Look::same(&format!("network of {name}"), wanted, &view.network));
    }
    if let Some(wanted) = &facts.billing {
        looks.push(Look::same(&format!("billing of {name}"), wanted, &view.billing));
    }
    if let Some(wanted) = &facts.region {
        looks.push(Look::same(&format!("region of {name}"), wanted, &view.region));
    }
    if let Some(mark) = &facts.recovered_to {
        let master = recovered_from(view).unwrap_or(&view.id);
        looks.push(Look::same(
            &format!("{name} recovered to"),
            &Some(second_of(operator, mark, master)?),
            &view.recovered_to,
        ));
    }
    if let Some(wanted) = &facts.ssl {
        looks.push(Look::same(&format!("SSL of {name}:"), wanted, &view.configuration.ssl));
    }
    for address in &facts.whitelisted {
        let there = view.configuration.whitelist.contains(address);
        looks.push(Look::same(&format!("{address} on the whitelist of {name}:"), &true, &there));
    }
    Ok(looks)
}

fn recovered_from(view: &InstanceView) -> Option<&InstanceId> {
    use recovery::model::instance::Origin;
    match &view.origin {
        Origin::Temporary { master, .. } => Some(master),
        Origin::Clone { source, .. } => Some(source),
        _ => None,
    }
}

async fn task_looks(operator: &Operator, name: &str, facts: &TaskFacts) -> Stepped<Vec<Look>> {
    let id = operator.task(name)?;
    let view = operator.see_task(&id).await?;
    let mut looks = Vec::new();
    if let Some(wanted) = &facts.absent {
        looks.push(Look::same(&format!("task {name} absent:"), wanted, &view.is_none()));
    }
    let Some(view) = view else {
        if facts.absent.is_none() {
            looks.push(Look::new(false, format!("task {name}"), "it is gone"));
        }
        return Ok(looks);
    };
    if let Some(wanted) = facts.status {
        looks.push(Look::new(wanted == view.status, format!("task {name} {wanted:?}"), describe(&view)));
    }
    if let Some(wanted) = &facts.stage {
        looks.push(Look::same(&format!("stage of task {name}"), wanted, &view.stage));
    }
    if let Some(wanted) = &facts.failure {
        let got = view.failure.as_ref().map(FailureReason::of);
        looks.push(Look::new(got == Some(*wanted), format!("task {name} failed with {wanted:?}"), describe(&view)));
    }
    if let Some((phase, wanted)) = &facts.phase {
        looks.push(Look::same(&format!("{phase:?} of task {name}"), &Some(*wanted), &view.phases.get(phase).copied()));
    }
    if let Some(wanted) = &facts.rows {
        looks.push(Look::same(&format!("rows written by task {name}"), wanted, &copied(&view)));
    }
    if let Some(wanted) = &facts.purchase_required {
        looks.push(Look::same(&format!("purchase of task {name} required:"), wanted, &view.purchase_required));
    }
    if let Some(wanted) = &facts.precheck_runs {
        looks.push(Look::same(
            &format!("prechecks of task {name}"),
            wanted,
            &view.precheck.as_ref().map_or(0, |run| run.number),
        ));
    }
    if let Some(wanted) = &facts.item {
        looks.push(item_look(&format!("task {name}"), view.precheck.as_ref(), wanted));
    }
    Ok(looks)
}

/// One item of the newest precheck of a task.
pub fn item_look(what: &str, run: Option<&PrecheckRun>, facts: &PrecheckFacts) -> Look {
    let found = run.iter().flat_map(|run| &run.items).find(|result| result.item == facts.item);
    let want = format!("{what}: {facts:?}");
    let Some(found) = found else { return Look::new(false, want, "no such item in the newest precheck") };
    let verdict = match &found.outcome {
        PrecheckOutcome::Success => PrecheckVerdict::Success,
        PrecheckOutcome::Warning(_) => PrecheckVerdict::Warning,
        PrecheckOutcome::Failed(_) => PrecheckVerdict::Failed,
        PrecheckOutcome::Shielded(_) => PrecheckVerdict::Shielded,
    };
    let told = found.outcome.found().map_or(&[][..], |found| &found.findings);
    let has = |wanted: &Option<String>, said: fn(&Finding) -> String| {
        wanted.as_ref().is_none_or(|wanted| told.iter().any(|finding| said(finding).contains(wanted.as_str())))
    };
    // The statement that repairs it is part of the remedy.
    let remedy = |finding: &Finding| format!("{} {}", finding.remedy, finding.statement.as_deref().unwrap_or_default());
    let met =
        facts.result == verdict && has(&facts.cause, |finding| finding.cause.clone()) && has(&facts.remedy, remedy);
    Look::new(met, want, format!("{:?}", found.outcome))
}

/// So many, as wanted.
pub fn number_look(what: &str, want: Number, got: u64) -> Look {
    match want {
        Number::Exactly(number) => Look::new(got == number, format!("{number} {what}"), got.to_string()),
        Number::AtLeast(number) => Look::new(got >= number, format!("at least {number} {what}"), got.to_string()),
    }
}

async fn charges(operator: &Operator, of: &Subject, want: Charged) -> Stepped<Look> {
    let (name, id) = match of {
        Subject::Instance(name) => (name, operator.instance(name)?.to_string()),
        Subject::Task(name) => (name, operator.task(name)?.to_string()),
    };
    let list: ChargeList = operator.get(&format!("/v1/charges?subject={id}")).await?;
    let cents: u64 = list.charges.iter().map(|charge| charge.cents).sum();
    Ok(match want {
        Charged::Nothing => Look::new(
            list.charges.is_empty(),
            format!("no charge for {name}"),
            format!("{} charges", list.charges.len()),
        ),
        Charged::Cents(number) => number_look(&format!("cents charged for {name}"), number, cents),
    })
}

async fn now_of(operator: &Operator, name: &str, id: &InstanceId) -> Stepped<Arc<Photograph>> {
    let content = operator.stage.control.photograph(id, None).await;
    content.ok_or_else(|| StepFailed::new(format!("the content of {name}"), "it has none"))
}

fn then_of(operator: &Operator, name: &str, mark: &str) -> Stepped<Arc<Photograph>> {
    let id = operator.instance(name)?;
    let history = operator.recorder.marked(&id, mark);
    history.ok_or_else(|| StepFailed::new(format!("the photograph of {name} at '{mark}'"), "there is none"))
}

async fn same(
    operator: &Operator,
    name: &str,
    (mark, of): (&str, &str),
    databases: Option<&[String]>,
    tables: Option<&[(String, String)]>,
) -> Stepped<Look> {
    let now = now_of(operator, name, &operator.instance(name)?).await?;
    let then = then_of(operator, of, mark)?;
    let names = then.databases.keys().chain(now.databases.keys());
    let mut names: Vec<&String> = names.filter(|it| databases.is_none_or(|only| only.contains(it))).collect();
    names.sort_unstable();
    names.dedup();
    let empty = PhotographedDatabase { charset: String::new(), objects: std::collections::BTreeMap::new() };
    let mut differences = Vec::new();
    for database in names {
        let get = |from: &'_ Photograph| from.databases.get(database).cloned().unwrap_or_else(|| empty.clone());
        let (a, b) = (get(&then), get(&now));
        for key in a.objects.keys().chain(b.objects.keys()) {
            let wanted = tables
                .is_none_or(|only| only.iter().any(|(d, table)| d == database && format!("table {table}") == *key));
            if wanted
                && a.objects.get(key) != b.objects.get(key)
                && !differences.contains(&format!("{database}: {key}"))
            {
                differences.push(format!("{database}: {key}"));
            }
        }
    }
    let want = format!("{name} as {of} was at '{mark}'");
    Ok(Look::new(differences.is_empty(), want, format!("different in {}", differences.join(", "))))
}

async fn unchanged(operator: &Operator, name: &str, since: &str) -> Stepped<Look> {
    let now = now_of(operator, name, &operator.instance(name)?).await?;
    let then = then_of(operator, name, since)?;
    let mut differences = Vec::new();
    if now.databases != then.databases {
        differences.push("content");
    }
    if now.accounts != then.accounts {
        differences.push("accounts");
    }
    if now.settings != then.settings {
        differences.push("settings");
    }
    Ok(Look::new(
        differences.is_empty(),
        format!("{name} unchanged since '{since}'"),
        format!("other {}", differences.join(", ")),
    ))
}
