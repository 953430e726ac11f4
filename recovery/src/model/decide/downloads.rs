//! Decisions on links to Redis backup files: made when asked for, and gone with the file.

use super::backups::{find, is_kept};
use super::{Context, Decided, Decision, refuse};
use crate::model::backup::{Backup, BackupStatus};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{State, StateChange};
use crate::model::views::DownloadLink;
use crate::model::{BackupId, Engine};
use jiff::Timestamp;

/// Gives a link to a backup's file, valid as long as the file is there (RED-16, RED-17). A backup has one link: asked for
/// again, the same is given.
///
/// # Errors
/// `InvalidBackupId.NotFound`, `OperationDenied.DBInstanceType`, `OperationDenied.BackupStatus`.
pub fn link(ctx: &Context<'_>, id: &BackupId) -> Decided<DownloadLink> {
    let backup = find(ctx, id)?;
    if !is_kept(backup, ctx.now) {
        return refuse(RefusalCode::BackupNotFound, format!("backup {id} was deleted when its retention had passed"));
    }
    let is_redis =
        ctx.state.instances.get(&backup.instance).is_some_and(|instance| instance.product.engine == Engine::Redis);
    if !is_redis {
        let detail = format!("backup {id} is not one of Redis; only those can be downloaded");
        return refuse(RefusalCode::ProductNotSupported, detail);
    }
    let (BackupStatus::Success, Some(held), Some(expires_at)) = (backup.status, &backup.held, backup.expires_at) else {
        let detail = format!("backup {id} is {:?}; only one that is Success has a file", backup.status);
        return refuse(RefusalCode::BackupStatus, detail);
    };
    // One id has 60 random bits; two together are beyond guessing.
    let token = backup.download.clone().unwrap_or_else(|| format!("{}{}", (ctx.new_id)(""), (ctx.new_id)("")));
    let link = DownloadLink { path: format!("/v1/downloads/{token}"), expires_at, size_bytes: held.size_bytes };
    let mut changes = Vec::new();
    if backup.download.is_none() {
        changes.push(StateChange::Backup(Box::new(Backup { download: Some(token), ..backup.clone() })));
    }
    Ok(Decision::new(changes, link))
}

/// The backup a link leads to.
///
/// # Errors
/// `InvalidDownload.NotFound` for a link that was never given, or whose file is gone (RED-16).
pub fn file<'a>(state: &'a State, token: &str, now: Timestamp) -> Result<&'a Backup, Refusal> {
    let leads_to = |backup: &&Backup| backup.download.as_deref() == Some(token) && is_kept(backup, now);
    state.backups.values().find(leads_to).ok_or_else(gone)
}

/// The refusal of a link without a file.
#[must_use]
pub fn gone() -> Refusal {
    let detail = "there is no file behind this link; it was never given, or the file was deleted seven days after its \
                  backup";
    Refusal::new(RefusalCode::DownloadGone, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backup::{BackupKind, BackupMode};
    use crate::model::decide::backups;
    use crate::model::decide::testing::{Bench, MYSQL, REDIS, code};
    use crate::ports::clock::later_s;

    #[test]
    fn a_link_leads_to_its_backup_until_the_retention_has_passed() {
        let mut bench = Bench::new();
        let id = bench.primary(REDIS);
        let (first, second) = (bench.data_backup(&id, 1), bench.data_backup(&id, 2));
        let one = bench.decide(|ctx| link(ctx, &first)).unwrap();
        let other = bench.decide(|ctx| link(ctx, &second)).unwrap();
        assert_ne!(one.path, other.path);
        assert_eq!(bench.decide(|ctx| link(ctx, &first)), Ok(one.clone()));
        let token = one.path.strip_prefix("/v1/downloads/").unwrap();
        assert_eq!(file(&bench.state, token, bench.now).map(|backup| &backup.id), Ok(&first));
        bench.now = later_s(one.expires_at, -1);
        assert!(file(&bench.state, token, bench.now).is_ok());
        bench.now = one.expires_at;
        assert_eq!(code(file(&bench.state, token, bench.now)), RefusalCode::DownloadGone);
        assert_eq!(code(bench.decide(|ctx| link(ctx, &first))), RefusalCode::BackupNotFound);
        bench.decide(|ctx| backups::dropped(ctx, &first)).unwrap();
        assert_eq!(code(file(&bench.state, token, later_s(bench.now, -1))), RefusalCode::DownloadGone);
    }

    #[test]
    fn a_link_is_for_a_completed_backup_of_redis() {
        let mut bench = Bench::new();
        assert_eq!(code(bench.decide(|ctx| link(ctx, &"bk-none".into()))), RefusalCode::BackupNotFound);
        let other = bench.primary(MYSQL);
        let backup = bench.data_backup(&other, 1);
        assert_eq!(code(bench.decide(|ctx| link(ctx, &backup))), RefusalCode::ProductNotSupported);
        let id = bench.primary(REDIS);
        let backup = bench.decide(|ctx| backups::request(ctx, &id, BackupKind::Data, BackupMode::Manual)).unwrap();
        assert_eq!(code(bench.decide(|ctx| link(ctx, &backup))), RefusalCode::BackupStatus);
        bench.decide(|ctx| backups::failed(ctx, &backup, "vault away")).unwrap();
        assert_eq!(code(bench.decide(|ctx| link(ctx, &backup))), RefusalCode::BackupStatus);
    }

    #[test]
    fn no_token_is_a_token_of_no_backup() {
        let mut bench = Bench::new();
        let id = bench.primary(REDIS);
        bench.data_backup(&id, 1);
        for token in ["", "none"] {
            assert_eq!(code(file(&bench.state, token, bench.now)), RefusalCode::DownloadGone);
        }
    }
}
