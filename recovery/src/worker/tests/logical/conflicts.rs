//! What objects and rows of the same name and key in the target mean: two policies by three (LOG-37 to LOG-42, C-20).

use super::*;
use crate::model::logical::restore::{RestorePhase, RestoredStatus};

/// A target that has goods with another row 1 and a row 2 of its own.
fn occupied() -> Shared {
    let shared = world();
    shared.server("source", |server| {
        let goods = (1..=3).map(|id| row(id, &[("name", "lamp")])).collect();
        server.db("shop").expect("it is there").rows.insert("goods".into(), goods);
    });
    dump(&shared);
    shared.server("target", |server| {
        let mut own = super::super::sample::table("goods", &["name"]);
        own.definition = "create table goods (id int primary key, name varchar(40)) comment='own'".to_owned();
        let shop = server.put("shop", vec![own]);
        shop.rows.insert("goods".into(), vec![row(1, &[("name", "mine")]), row(9, &[("name", "other")])]);
    });
    shared
}

fn with(structure_conflict: StructureConflict, data_conflict: DataConflict) -> (Shared, Option<RestoreFailure>) {
    let shared = occupied();
    let failure = restore(&shared, RestoreJob { structure_conflict, data_conflict, ..restore_job() });
    (shared, failure)
}

fn goods(shared: &Shared) -> Vec<(i64, String)> {
    let mut found: Vec<(i64, String)> = shared.lock().servers["target"]
        .rows("shop", "goods")
        .iter()
        .map(|row| match (&row["id"], &row["name"]) {
            (Value::Integer(id), Value::Text(name)) => (*id, name.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort();
    found
}

fn pairs(rows: &[(i64, &str)]) -> Vec<(i64, String)> {
    rows.iter().map(|(id, name)| (*id, (*name).to_owned())).collect()
}

fn full(shared: &Shared) -> RestoredObject {
    let is_it = |entry: &RestoredObject| entry.phase == RestorePhase::Full && entry.name == "goods";
    details(shared).into_iter().find(is_it).expect("it is there")
}

#[test]
fn an_object_that_is_there_stops_the_task_whatever_is_said_of_rows() {
    for data in [DataConflict::Ignore, DataConflict::Stop, DataConflict::DeleteThenRewrite] {
        let (shared, failure) = with(StructureConflict::Stop, data);
        assert_eq!(failure, Some(RestoreFailure::ObjectExists { object: "table shop.goods".into() }));
        assert_eq!(goods(&shared), pairs(&[(1, "mine"), (9, "other")]));
    }
}

#[test]
fn with_both_ignored_rows_of_the_target_stay_and_the_others_come() {
    let (shared, failure) = with(StructureConflict::Ignore, DataConflict::Ignore);
    assert_eq!(failure, None);
    assert_eq!(goods(&shared), pairs(&[(1, "mine"), (2, "lamp"), (3, "lamp"), (9, "other")]));
    assert_eq!((full(&shared).records, full(&shared).records_skipped), (2, 1));
    let made = details(&shared).into_iter().find(|entry| entry.name == "goods").expect("it is there");
    assert_eq!(made.status, RestoredStatus::Skipped);
    let world = shared.lock();
    let own = world.servers["target"].databases["shop"].objects.iter().find(|object| object.name == "goods");
    assert!(own.expect("it is there").definition.contains("own"));
}

#[test]
fn a_row_that_is_there_stops_the_task_and_stays() {
    let (shared, failure) = with(StructureConflict::Ignore, DataConflict::Stop);
    assert!(matches!(failure, Some(RestoreFailure::DataExists { table, .. }) if table == "shop.goods"));
    assert_eq!(goods(&shared), pairs(&[(1, "mine"), (9, "other")]));
    assert_eq!(full(&shared).status, RestoredStatus::Failed);
}

#[test]
fn rows_that_are_there_are_deleted_and_rewritten_and_no_others() {
    let (shared, failure) = with(StructureConflict::Ignore, DataConflict::DeleteThenRewrite);
    assert_eq!(failure, None);
    assert_eq!(goods(&shared), pairs(&[(1, "lamp"), (2, "lamp"), (3, "lamp"), (9, "other")]));
    assert_eq!((full(&shared).records, full(&shared).records_skipped), (3, 0));
}

#[test]
fn a_table_left_as_it_is_that_lacks_a_column_fails_the_task_with_the_reason() {
    let shared = occupied();
    shared.server("target", |server| {
        let goods = server.db("shop").and_then(|shop| shop.table("goods")).expect("it is there");
        goods.columns.retain(|column| column.name != "name");
    });
    let structure_conflict = StructureConflict::Ignore;
    let failure = restore(&shared, RestoreJob { structure_conflict, ..restore_job() });
    let Some(RestoreFailure::Refused { object, detail }) = failure else { panic!("{failure:?}") };
    assert_eq!((object.as_str(), detail.as_str()), ("table shop.goods", "the table in the target has no column name"));
}
