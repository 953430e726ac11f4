//! Every item of a restore task's precheck.

use super::*;
use crate::model::precheck::{PrecheckItem as I, PrecheckOutcome};
use crate::ports::database::DatabaseError;
use crate::worker::logical::layout::Part;
use object_store::ObjectStoreExt;

fn checked(shared: &Shared, job: RestoreJob) -> Vec<(I, PrecheckOutcome)> {
    shared.order(Job::Restore(Box::new(RestoreJob { work: Work::Precheck, ..job })));
    run(shared);
    assert!(matches!(last(shared), Report::PrecheckDone));
    let world = shared.lock();
    let reports = world.logical.as_ref().expect("a job").reports.iter();
    let items: Vec<(I, PrecheckOutcome)> = reports
        .filter_map(|report| match report {
            Report::PrecheckItem(result) => Some((result.item, result.outcome.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(items.len(), 13);
    assert_eq!((world.servers["target"].writes, world.servers["target"].epoch), (0, 0));
    items
}

/// The items that are not a success, with their causes; `!` marks the failed ones.
fn found(shared: &Shared, job: RestoreJob) -> Vec<(I, String)> {
    let items = checked(shared, job).into_iter();
    let said = items.filter_map(|(item, outcome)| match outcome {
        PrecheckOutcome::Success => None,
        PrecheckOutcome::Warning(found) => Some((item, found.causes(), found)),
        PrecheckOutcome::Failed(found) => Some((item, format!("!{}", found.causes()), found)),
        PrecheckOutcome::Shielded(shielded) => panic!("a restore has no shields: {shielded:?}"),
    });
    said.map(|(item, cause, found)| {
        assert!(found.findings.iter().all(|finding| !finding.remedy.is_empty()));
        (item, cause)
    })
    .collect()
}

fn backed_up() -> Shared {
    let shared = world();
    dump(&shared);
    shared
}

fn only(shared: &Shared, job: RestoreJob, item: I) -> String {
    let found = found(shared, job);
    assert_eq!(found.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [item], "{found:?}");
    found[0].1.clone()
}

#[test]
fn an_empty_target_passes_every_item() {
    assert_eq!(found(&backed_up(), restore_job()), []);
}

#[test]
fn an_unreachable_target_fails_what_may_fail_and_warns_of_the_rest() {
    let shared = backed_up();
    shared.server("target", |server| server.refuses = Some(DatabaseError::AccessDenied("app".into())));
    let found = found(&shared, restore_job());
    let failed: Vec<I> = found.iter().filter(|(_, cause)| cause.starts_with('!')).map(|(item, _)| *item).collect();
    let wanted = [I::RestoreTargetConnection, I::RestoreTargetPermission, I::RestoreEngineMatch, I::RestoreVersion];
    assert_eq!(failed, wanted);
    assert!(found[0].1.contains("denies access to account app"), "{}", found[0].1);
}

#[test]
fn missing_rights_are_named_with_the_statement_that_grants_them() {
    let shared = backed_up();
    shared.server("target", |server| {
        server.put_empty("shop");
        server.grants.exceptions.insert("shop.orders".into(), Rights::ReadOnly);
    });
    let items = checked(&shared, restore_job());
    let PrecheckOutcome::Failed(found) = &items[1].1 else { panic!("{items:?}") };
    assert_eq!(found.causes(), "account app lacks read and write on shop.orders");
    let statement = found.findings[0].statement.as_deref();
    assert_eq!(statement, Some("GRANT ALL PRIVILEGES ON `shop`.`orders` TO 'app'"));
    shared.server("target", |server| server.grants = Grants::all(Rights::ReadOnly));
    assert!(only(&shared, restore_job(), I::RestoreTargetPermission).contains("database shop"));
}

#[test]
fn engine_and_version_are_those_of_the_server_itself() {
    let shared = backed_up();
    shared.server("target", |server| server.product = product_of(Engine::SqlServer));
    let other = found(&shared, restore_job());
    assert_eq!(other[0].0, I::RestoreEngineMatch);
    assert!(other[0].1.contains("sqlserver 2012 web"), "{}", other[0].1);
    shared.server("target", |server| server.product = super::super::sample::product("mysql 5.6"));
    assert!(only(&shared, restore_job(), I::RestoreVersion).contains("mysql 5.6"));
    shared.server("target", |server| server.product = super::super::sample::product("mysql 8.0"));
    assert_eq!(found(&shared, restore_job()), []);
}

#[test]
fn a_set_that_is_not_complete_or_lacks_a_chunk_fails() {
    let shared = backed_up();
    let job = RestoreJob { set_completed: false, ..restore_job() };
    assert_eq!(only(&shared, job, I::RestoreSetReadable), "!set bkx-1 is not complete");
    let path = Part::Rows { table: 2, chunk: 2 }.path(&SetId::from("bkx-1"));
    assert!(matches!(shared.drive(1, shared.1.delete(&path)), End::Done(Ok(()))));
    let cause = only(&shared, restore_job(), I::RestoreSetReadable);
    assert!(cause.contains("logical/bkx-1/rows/2/2: it is not there"), "{cause}");
}

#[test]
fn a_log_with_a_segment_missing_fails() {
    let shared = backed_up();
    wait_until(&shared, 5);
    change(&shared, "orders", None, Some(order(6)));
    wait_until(&shared, 9);
    collect(&shared, 0, Instant { position: 0, at: at(0) });
    let job = |segments, from| RestoreJob { logs: log(segments, from), until: Some(at(8)), ..restore_job() };
    assert_eq!(found(&shared, job(1, 0)), []);
    assert!(found(&shared, job(2, 0))[0].1.contains("logical/bkx-2/log/1: it is not there"));
    let gap = found(&shared, job(1, 7));
    assert_eq!(gap[0].0, I::RestoreLogCoverage);
    assert!(gap[0].1.contains("it begins after position 7"), "{gap:?}");
    assert!(found(&shared, RestoreJob { until: Some(at(8)), ..restore_job() })[0].1.contains("no log after it"));
}

#[test]
fn names_and_rows_that_are_there_are_warnings() {
    let shared = backed_up();
    shared.server("target", |server| {
        let shop = server.put("shop", vec![super::super::sample::table("goods", &["name"])]);
        shop.rows.insert("goods".into(), vec![row(1, &[])]);
    });
    let wanted = [
        (I::RestoreSameName, "table shop.goods is already in the target rm-target".to_owned()),
        (I::RestoreDataExistence, "table shop.goods of the target rm-target holds 1 rows".to_owned()),
    ];
    assert_eq!(found(&shared, restore_job()), wanted);
}

#[test]
fn parameters_that_differ_are_warnings_with_both_values() {
    let shared = backed_up();
    let set = [
        ("character_set_server", "gbk"),
        ("time_zone", "+08:00"),
        ("collation_server", "gbk_bin"),
        ("lower_case_table_names", "1"),
        ("sql_mode", "ANSI_QUOTES"),
    ];
    shared.server("target", |server| server.parameters = set.map(|(name, value)| (name.into(), value.into())).into());
    let found = found(&shared, restore_job());
    let items: Vec<I> = found.iter().map(|(item, _)| *item).collect();
    let wanted = [I::RestoreCharset, I::RestoreTimeZone, I::RestoreCollation, I::RestoreNameCase, I::RestoreSqlMode];
    assert_eq!(items, wanted);
    assert!(found[1].1.contains("time_zone was 'SYSTEM'") && found[1].1.contains("'+08:00'"), "{}", found[1].1);
}
