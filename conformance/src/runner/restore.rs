//! Backups, temporary instances and clones: the steps that make something out of the past.

use super::operator::{Answer, LOOK_AGAIN_MS, Operator, StepFailed, Stepped};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::views::{BackupList, BackupView, InstanceList, InstanceView, Restorable};
use recovery::model::{BackupId, InstanceId, RefusalCode};
use recovery::ports::clock::later;
use scenarios::{BackupStep, CloneStep, RestorePoint, TemporaryStep};
use serde_json::{Value, json};

/// How long a restore may take.
const RESTORING: SignedDuration = SignedDuration::from_hours(2);
/// How long a point may take until the logs cover it: time for two log backups of half an hour.
const COVERING: SignedDuration = SignedDuration::from_hours(1);

/// What an answer comes to where a refusal may be wanted: the accepted answer, or nothing after the wanted refusal.
///
/// # Errors
/// When it was accepted though it should have been refused, or refused otherwise.
pub fn wanted(
    operator: &Operator,
    what: &str,
    answer: Answer,
    refused: Option<RefusalCode>,
) -> Stepped<Option<Answer>> {
    let Some(code) = refused else {
        return if answer.status < 400 { Ok(Some(answer)) } else { Err(StepFailed::new(what, answer.refusal())) };
    };
    let want = format!("{what} refused with {}", code.text());
    if answer.code() == Some(code.text()) {
        operator.recorder.expectation(operator.now(), true, want, answer.refusal());
        return Ok(None);
    }
    Err(StepFailed::new(
        want,
        if answer.status < 400 { format!("{} accepted", answer.status) } else { answer.refusal() },
    ))
}

/// Takes a backup.
pub async fn back_up(operator: &Operator, step: &BackupStep) -> Stepped {
    let id = operator.instance(&step.of)?;
    operator.photograph_nodes(&id, None).await;
    let answer = operator.post(&format!("/v1/instances/{id}/backups"), &json!({"kind": step.kind})).await?;
    let what = format!("a backup of {}", step.of);
    let Some(answer) = wanted(operator, &what, answer, step.refused)? else { return Ok(()) };
    let backup: BackupView = answer.read(&what)?;
    if let Some(name) = &step.name {
        operator.backups.borrow_mut().insert(name.clone(), backup.id.clone());
    }
    if step.wait {
        let done = until_backup_ended(operator, &backup.id, RESTORING).await?;
        operator.photograph_nodes(&id, None).await;
        if done.status != BackupStatus::Success {
            return Err(StepFailed::new(what, done.failure.unwrap_or_else(|| format!("{:?}", done.status))));
        }
    }
    Ok(())
}

/// Waits until a backup is no longer running.
pub async fn until_backup_ended(operator: &Operator, id: &BackupId, at_most: SignedDuration) -> Stepped<BackupView> {
    let give_up = later(operator.now(), at_most);
    let mut pause_ms = LOOK_AGAIN_MS.0;
    loop {
        let view: BackupView = operator.get(&format!("/v1/backups/{id}")).await?;
        if view.status != BackupStatus::Running {
            return Ok(view);
        }
        if operator.now() >= give_up {
            return Err(StepFailed::new(format!("backup {id} ended"), format!("running after {at_most:#}")));
        }
        operator.sleep(SignedDuration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(LOOK_AGAIN_MS.1);
    }
}

/// Makes a temporary instance.
pub async fn temporary(operator: &Operator, step: &TemporaryStep) -> Stepped {
    let master = operator.instance(&step.of)?;
    let choice = chosen(operator, &master, &step.restore, step.covered).await?;
    let key = operator.key_named(step.key.as_deref());
    let path = format!("/v1/instances/{master}/temporary-instances");
    let answer = operator.call(Method::POST, &path, Some(&choice), Some(&key)).await?;
    let what = format!("a temporary instance of {}", step.of);
    let Some(answer) = wanted(operator, &what, answer, step.refused)? else { return Ok(()) };
    let made: InstanceView = answer.read(&what)?;
    named(operator, step.name.as_deref(), &made.id, &what)?;
    if step.wait {
        operator.until_running(&made.id, RESTORING).await?;
    }
    Ok(())
}

/// Makes clones.
pub async fn clone(operator: &Operator, step: &CloneStep) -> Stepped {
    let source = operator.instance(&step.of)?;
    let choice = chosen(operator, &source, &step.restore, step.covered).await?;
    let mut body = json!({"restore": choice, "billing": step.billing, "terms_accepted": step.terms});
    if let Some(network) = step.network {
        body["network"] = json!(network);
    }
    if let Some(count) = step.count {
        body["count"] = json!(count);
    }
    if let Some(entry) = step.entry {
        body["entry"] = json!(entry);
    }
    let key = operator.key_named(step.key.as_deref());
    let answer =
        operator.call(Method::POST, &format!("/v1/instances/{source}/clones"), Some(&body), Some(&key)).await?;
    let what = format!("a clone of {}", step.of);
    let Some(answer) = wanted(operator, &what, answer, step.refused)? else { return Ok(()) };
    let made: InstanceList = answer.read(&what)?;
    if made.instances.len() != step.names.len() {
        return Err(StepFailed::new(format!("{} clones", step.names.len()), format!("{}", made.instances.len())));
    }
    for (view, name) in made.instances.iter().zip(&step.names) {
        named(operator, Some(name), &view.id, &what)?;
    }
    for view in made.instances.iter().filter(|_| step.wait) {
        operator.until_running(&view.id, RESTORING).await?;
    }
    Ok(())
}

/// Gives an instance its name; one that bears it already must be the same.
fn named(operator: &Operator, name: Option<&str>, id: &InstanceId, what: &str) -> Stepped {
    let Some(name) = name else { return Ok(()) };
    let known = operator.instances.borrow().get(name).cloned();
    match known {
        Some(known) if known != *id => {
            Err(StepFailed::new(format!("{what}: the same instance again, {known}"), format!("another, {id}")))
        }
        _ => {
            operator.christen(name, id);
            Ok(())
        }
    }
}

/// The body that chooses what to restore.
async fn chosen(operator: &Operator, of: &InstanceId, point: &RestorePoint, covered: bool) -> Stepped<Value> {
    let time = match point {
        RestorePoint::Backup(name) => {
            let id = operator.backups.borrow().get(name).cloned();
            let id = id.ok_or_else(|| StepFailed::new(format!("backup {name}"), "it was never taken"))?;
            return Ok(json!({"backup_set_id": id}));
        }
        RestorePoint::LatestBackup => return Ok(json!({"backup_set_id": latest(operator, of).await?})),
        RestorePoint::Mark { mark, offset } => later(second_of(operator, mark, of)?, *offset),
        RestorePoint::Time(time) => *time,
        RestorePoint::Earliest(offset) => later(edge(operator, of).await?.0, *offset),
        RestorePoint::Latest(offset) => later(edge(operator, of).await?.1, *offset),
        RestorePoint::Now(offset) => {
            let moved = later(operator.now(), *offset);
            Timestamp::from_second(moved.as_second()).unwrap_or(moved)
        }
    };
    if covered {
        until_covered(operator, of, time, COVERING).await?;
    }
    Ok(json!({"point_in_time": time}))
}

/// The second a mark stands for on an instance's server.
pub fn second_of(operator: &Operator, mark: &str, of: &InstanceId) -> Stepped<Timestamp> {
    let marks = operator.marks.borrow();
    let second = marks.get(mark).and_then(|times| times.get(of)).copied();
    second.ok_or_else(|| StepFailed::new(format!("mark '{mark}' on {of}"), "the instance had no content then"))
}

/// The newest completed data backup of an instance.
pub async fn latest(operator: &Operator, of: &InstanceId) -> Stepped<BackupId> {
    let list: BackupList = operator.get(&format!("/v1/instances/{of}/backups")).await?;
    let newest = list.backups.iter().rev().find(|it| it.kind == BackupKind::Data && it.status == BackupStatus::Success);
    newest.map(|it| it.id.clone()).ok_or_else(|| StepFailed::new("a completed data backup", "there is none"))
}

async fn edge(operator: &Operator, of: &InstanceId) -> Stepped<(Timestamp, Timestamp)> {
    let restorable: Restorable = operator.get(&format!("/v1/instances/{of}/restorable")).await?;
    match (restorable.ranges.first(), restorable.ranges.last()) {
        (Some(first), Some(last)) => Ok((first.earliest, last.latest)),
        _ => Err(StepFailed::new("a restorable range", "there is none")),
    }
}

/// Whether a time lies in a restorable range of an instance now.
pub async fn is_covered(operator: &Operator, of: &InstanceId, time: Timestamp) -> Stepped<bool> {
    let restorable: Restorable = operator.get(&format!("/v1/instances/{of}/restorable")).await?;
    Ok(restorable.ranges.iter().any(|range| (range.earliest..=range.latest).contains(&time)))
}

/// Waits until the service says that a time can be restored; not where no backup that could cover it is there or coming.
pub async fn until_covered(operator: &Operator, of: &InstanceId, time: Timestamp, at_most: SignedDuration) -> Stepped {
    let give_up = later(operator.now(), at_most);
    while !is_covered(operator, of, time).await? {
        let list: BackupList = operator.get(&format!("/v1/instances/{of}/backups")).await?;
        let logs_come = operator.see(of).await?.is_some_and(|view| view.configuration.backup_policy.log_backup);
        if let Some(why) = never_covered(&list.backups, logs_come, time) {
            return Err(StepFailed::new(format!("{time} restorable"), why));
        }
        if operator.now() >= give_up {
            return Err(StepFailed::new(format!("{time} restorable"), format!("not after {at_most:#}")));
        }
        operator.sleep(SignedDuration::from_mins(5)).await;
    }
    Ok(())
}

/// Why no log backup to come covers a time: only a data backup from before it can be the ground.
fn never_covered(backups: &[BackupView], logs_come: bool, time: Timestamp) -> Option<&'static str> {
    let is_ground = |backup: &&BackupView| match backup.status {
        BackupStatus::Running => true,
        BackupStatus::Success => backup.content_to.is_none_or(|content_to| content_to <= time),
        BackupStatus::Failed => false,
    };
    let (data, logs): (Vec<_>, Vec<_>) = backups.iter().partition(|backup| backup.kind == BackupKind::Data);
    if !data.iter().any(is_ground) {
        return Some("no data backup from before it");
    }
    let under_way = logs.iter().any(|backup| backup.status == BackupStatus::Running);
    (!logs_come && !under_way).then_some("no log backup that reaches it, and no more are taken")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{span, start};
    use recovery::model::backup::BackupMode;

    fn backup(kind: BackupKind, status: BackupStatus, content_to: Option<&str>) -> BackupView {
        BackupView {
            id: "bk-1".into(),
            instance: "rm-1".into(),
            kind,
            mode: BackupMode::Manual,
            status,
            began_at: start(),
            ended_at: None,
            content_to: content_to.map(|after| start() + span(after)),
            size_bytes: None,
            node: None,
            expires_at: None,
            failure: None,
        }
    }

    #[test]
    fn a_time_is_waited_for_only_where_a_backup_to_come_can_cover_it() {
        use BackupKind::{Data, Log};
        use BackupStatus::{Failed, Running, Success};
        let time = start() + span("10m");
        let why = |backups: &[BackupView], logs_come| never_covered(backups, logs_come, time).is_some();
        let before = backup(Data, Success, Some("9m"));
        for (backups, logs_come, never) in [
            (vec![], true, true),
            (vec![before.clone()], true, false),
            (vec![backup(Data, Success, Some("11m"))], true, true),
            (vec![backup(Data, Failed, Some("9m"))], true, true),
            (vec![backup(Data, Running, None)], true, false),
            (vec![backup(Log, Success, Some("9m"))], true, true),
            (vec![before.clone()], false, true),
            (vec![before.clone(), backup(Log, Success, Some("9m"))], false, true),
            (vec![before, backup(Log, Running, None)], false, false),
        ] {
            assert_eq!(why(&backups, logs_come), never, "{backups:?}, logs come: {logs_come}");
        }
    }
}
