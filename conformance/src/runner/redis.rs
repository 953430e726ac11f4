//! Redis: recover a backup into its own instance, fetch a backup's file, look at lists and nodes.

use super::operator::{Operator, StepFailed, Stepped};
use super::restore::{latest, wanted};
use crate::history::{What, hex};
use futures_util::future::LocalBoxFuture;
use http::Method;
use jiff::SignedDuration;
use recovery::model::BackupId;
use recovery::model::backup::Node;
use recovery::model::content::Value;
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::views::{BackupList, BackupView, DownloadLink};
use recovery::ports::clock::later;
use scenarios::{DownloadStep, RecoverStep};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long a recovery may take.
const RECOVERING: SignedDuration = SignedDuration::from_hours(2);

/// Recovers a backup set into its own instance.
pub async fn recover(operator: &Operator, step: &RecoverStep) -> Stepped {
    let id = operator.instance(&step.instance)?;
    let mut body = json!({"overwrite_confirmed": step.confirm});
    if let Some(set) = &step.set {
        let set = if set == "latest" { latest(operator, &id).await? } else { backup_named(operator, set)? };
        body["backup_set_id"] = json!(set);
    }
    operator.photograph_all(None).await;
    let answer = operator.post(&format!("/v1/instances/{id}/recovery"), &body).await?;
    let what = format!("the recovery of {}", step.instance);
    if wanted(operator, &what, answer, step.refused)?.is_none() {
        return Ok(());
    }
    if step.wait {
        operator.until_running(&id, RECOVERING).await?;
        operator.photograph_all(None).await;
    }
    Ok(())
}

/// Asks for a link to a backup's file, or takes the one from before, and fetches the file.
pub async fn download(operator: &Operator, step: &DownloadStep) -> Stepped {
    let id = backup_named(operator, &step.backup)?;
    let what = format!("the file of backup {}", step.backup);
    let known = operator.links.borrow().get(&id).cloned();
    let path = match known.filter(|_| step.old_link) {
        Some(path) => path,
        None if step.old_link => return Err(StepFailed::new(format!("an old link to {what}"), "there is none")),
        None => {
            let answer = operator.call(Method::POST, &format!("/v1/backups/{id}/download"), None, None).await?;
            let refused = step.refused.filter(|_| answer.status >= 400);
            let Some(answer) = wanted(operator, &what, answer, refused)? else { return Ok(()) };
            let link: DownloadLink = answer.read(&what)?;
            operator.links.borrow_mut().insert(id.clone(), link.path.clone());
            link.path
        }
    };
    let (answer, bytes) = operator.fetch(&path).await?;
    let fetched = What::Downloaded {
        backup: id,
        path,
        status: answer.status,
        size_bytes: bytes.len() as u64,
        sha256: hex(&Sha256::digest(&bytes)),
    };
    operator.recorder.record(operator.now(), fetched);
    wanted(operator, &what, answer, step.refused).map(drop)
}

fn backup_named(operator: &Operator, name: &str) -> Stepped<BackupId> {
    let known = operator.backups.borrow().get(name).cloned();
    known.ok_or_else(|| StepFailed::new(format!("backup {name}"), "it was never taken"))
}

/// Whether a backup is on the list of its instance, asked for by a range that is counted back from now.
pub async fn is_listed(
    operator: &Operator,
    backup: &str,
    from: Option<Duration>,
    to: Option<Duration>,
) -> Stepped<bool> {
    let id = backup_named(operator, backup)?;
    let missing = || StepFailed::new(format!("the instance of backup {backup}"), "no answer ever showed it");
    let instance = operator.recorder.backed_up(&id).ok_or_else(missing)?;
    let back = |span: Duration| later(operator.now(), -SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX));
    let bounds = [("from", from.map(back)), ("to", to.map(back))];
    let query: Vec<String> = bounds.iter().filter_map(|(name, at)| at.map(|at| format!("{name}={at}"))).collect();
    let mut path = format!("/v1/instances/{instance}/backups");
    if !query.is_empty() {
        path.push_str(&format!("?{}", query.join("&")));
    }
    let list: BackupList = operator.get(&path).await?;
    Ok(list.backups.iter().any(|view: &BackupView| view.id == id))
}

/// Whether a node holds a key, in whatever logical database.
pub async fn holds(operator: &Operator, name: &str, node: Node, key: &str) -> Stepped<bool> {
    let id = operator.instance(name)?;
    let content = operator.stage.control.photograph(&id, Some(node)).await;
    let content = content.ok_or_else(|| StepFailed::new(format!("the {node:?} of {name}"), "it shows none"))?;
    Ok(has_key(&content, key))
}

fn has_key(content: &Photograph, key: &str) -> bool {
    let tables = content.databases.values().filter_map(|database| database.table("keys"));
    tables.filter_map(|table| table.rows.as_ref()).any(|rows| match rows {
        Rows::Whole { rows, .. } => rows.iter().any(|row| row.first() == Some(&Value::Text(key.to_owned()))),
        Rows::Digest { .. } => false,
    })
}

/// Lists the backups of every Redis instance that is there.
pub fn looks(operator: &Operator) -> impl Iterator<Item = LocalBoxFuture<'_, Stepped>> {
    operator.recorder.redis_instances().into_iter().map(move |id| -> LocalBoxFuture<'_, Stepped> {
        Box::pin(async move {
            operator.call(Method::GET, &format!("/v1/instances/{id}/backups"), None, None).await.map(drop)
        })
    })
}
