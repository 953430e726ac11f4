//! Items on following the log of the source.

use super::super::sample::{only, whole};
use super::{cause, change, failed, world};
use crate::model::Engine;
use crate::model::instance::{Grants, Rights};
use crate::model::precheck::PrecheckItem as I;
use crate::ports::database::Recovery;

#[test]
fn each_parameter_that_keeps_the_log_from_being_followed_fails_with_what_sets_it() {
    let cases = [
        ("log_bin", "OFF", I::BinlogOn, "log_bin = mysql-bin"),
        ("binlog_format", "MIXED", I::BinlogMode, "SET GLOBAL binlog_format = 'ROW'"),
        ("binlog_row_image", "MINIMAL", I::BinlogRowImage, "SET GLOBAL binlog_row_image = 'FULL'"),
        ("server_id", "1", I::ServerId, "SET GLOBAL server_id = 1001"),
    ];
    for (name, value, item, statement) in cases {
        let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
        change(&shared, "source", |server| {
            server.grants = Grants::all(Rights::Owner);
            server.parameters.insert(name.into(), value.into());
        });
        let said = cause(&shared, item);
        assert!(said.contains(&format!("{name} of the source rm-source is {value}")), "{said}");
        let world = shared.lock();
        let found = world.service.items.iter().find(|result| result.item == item).and_then(|it| it.outcome.found());
        assert_eq!(found.and_then(|found| found.findings[0].statement.as_deref()), Some(statement));
    }
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    change(&shared, "source", |server| {
        server.parameters.insert("log_bin".into(), "OFF".into());
    });
    assert_eq!(failed(&shared), []);
}

#[test]
fn a_log_file_that_is_gone_fails_with_what_purges_up_to_the_next() {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    change(&shared, "source", |server| {
        server.grants = Grants::all(Rights::Owner);
        server.told.lost_log_files = vec!["mysql-bin.000041".into()];
    });
    let said = cause(&shared, I::BinlogExistence);
    assert_eq!(said, "file mysql-bin.000041 of the binary log of the source rm-source is missing");
    let world = shared.lock();
    let found = world.service.items.iter().find_map(|it| it.outcome.found()).expect("it failed");
    assert_eq!(found.findings[0].statement.as_deref(), Some("PURGE BINARY LOGS TO 'mysql-bin.000042'"));
}

#[test]
fn a_table_whose_changes_cannot_be_followed_fails_incremental_where_it_is_selected() {
    for (letters, objects, fails) in [
        ("sfi", vec![whole("shop")], true),
        ("sfi", vec![only("shop", "goods")], false),
        ("sf", vec![whole("shop")], false),
    ] {
        let shared = world(Engine::MySql, letters, objects);
        change(&shared, "source", |server| {
            server.grants = Grants::all(Rights::Owner);
            server.told.storage =
                [("shop.orders".into(), "Federated".into()), ("shop.goods".into(), "InnoDB".into())].into();
        });
        if fails {
            assert!(cause(&shared, I::StorageEngine).starts_with("table shop.orders has the storage engine FEDERATED"));
        } else {
            assert_eq!(failed(&shared), []);
        }
    }
}

#[test]
fn following_the_log_of_an_sql_server_takes_the_full_model_a_full_backup_and_a_sysadmin() {
    let recovery = |model: &str, backed_up| Recovery { model: model.into(), backed_up };
    let with = |rights, recovery: Recovery| {
        let shared = world(Engine::SqlServer, "sfi", vec![whole("shop")]);
        change(&shared, "source", |server| {
            server.grants = Grants::all(rights);
            server.grants.exceptions.insert("shop".into(), Rights::Owner);
            server.told.recovery =
                [("shop".into(), recovery), ("other".into(), Recovery { model: "simple".into(), backed_up: false })]
                    .into();
        });
        failed(&shared).into_iter().map(|(item, cause, _)| (item, cause)).collect::<Vec<_>>()
    };
    assert_eq!(with(Rights::Owner, recovery("full", true)), []);
    let found = with(Rights::Owner, recovery("simple", false));
    assert_eq!(found.len(), 1);
    assert!(found[0].0 == I::RecoveryModel && found[0].1.contains("database shop of the source rm-source is simple"));
    assert!(found[0].1.contains("no full backup of database shop"), "{found:?}");
    let found = with(Rights::ReadWrite, recovery("full", true));
    assert_eq!(
        found,
        [(I::Superuser, "source account app is no sysadmin on rm-source, and following its log takes one".to_owned())]
    );
}
