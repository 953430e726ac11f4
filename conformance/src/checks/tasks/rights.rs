//! Whether an account's rights are enough for what a task moves (prechecks: read for structure and full data, the
//! owner's rights for incremental data, write in the target; C-23).

use super::TaskViolation;
use super::calls::Side;
use super::runs::runs;
use super::steady::{Touch, account, steady, table, tables};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::instance::{Grants, Rights};
use recovery::model::photograph::Photograph;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{MigrationType, Selection};
use recovery::model::views::TaskObjects;

/// What rights come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enough {
    /// They lack something on an object.
    Lacks(String),
    /// They are all that can be asked for.
    Has,
    /// It depends on what is asked for.
    Unsure,
}

/// Tables that a selection covers; none where a table is not there.
fn covered<'a>(source: &'a Photograph, selection: &'a Selection) -> Option<Vec<&'a str>> {
    match &selection.table {
        None => source.databases.contains_key(&selection.database).then(|| tables(source, &selection.database)),
        Some(name) => table(source, &selection.database, name).map(|_| vec![name.as_str()]),
    }
}

/// Whether rights on a database as a whole are enough, with no exception that takes some away.
fn throughout(grants: &Grants, database: &str, needed: Rights) -> bool {
    let inside = |name: &str| name == database || name.strip_prefix(database).is_some_and(|rest| rest.starts_with('.'));
    grants.on_database(database) >= needed
        && grants.exceptions.iter().all(|(name, rights)| !inside(name) || *rights >= needed)
}

/// Whether rights are enough to read what was chosen.
pub fn to_read(source: &Photograph, choice: &TaskObjects, grants: &Grants) -> Enough {
    let needed = if choice.types.contains(&MigrationType::Incremental) { Rights::Owner } else { Rights::ReadOnly };
    let owner = grants.default >= Rights::Owner;
    let mut sure = needed < Rights::Owner || owner;
    for selection in &choice.objects {
        let Some(names) = covered(source, selection) else { return Enough::Unsure };
        let database = &selection.database;
        let short = |name: &&&str| grants.on(database, name) < needed && (needed < Rights::Owner || !owner);
        if let Some(name) = names.iter().find(short) {
            return Enough::Lacks(format!("{database}.{name}"));
        }
        sure &= match &selection.table {
            Some(name) => grants.on(database, name) >= needed,
            None => throughout(grants, database, needed),
        };
    }
    if sure { Enough::Has } else { Enough::Unsure }
}

/// Whether rights are enough to write what was chosen, under its names in the target.
pub fn to_write(source: &Photograph, choice: &TaskObjects, grants: &Grants) -> Enough {
    let mut sure = true;
    for selection in &choice.objects {
        let Some(names) = covered(source, selection) else { return Enough::Unsure };
        let database = selection.target_database();
        for name in names {
            let name = selection.table_as.as_deref().unwrap_or(name);
            if !grants.on(database, name).writes() {
                return Enough::Lacks(format!("{database}.{name}"));
            }
        }
        sure &= throughout(grants, database, Rights::ReadWrite);
    }
    if sure { Enough::Has } else { Enough::Unsure }
}

/// Compares what each precheck said of one side's account with its grants on photographs.
pub fn judge(
    lens: &Lens<'_>,
    side: Side,
    item: PrecheckItem,
    enough: fn(&Photograph, &TaskObjects, &Grants) -> Enough,
) -> Finding {
    let mut finding = Finding::default();
    for run in runs(lens) {
        let (Some(given), Some(choice), Some(passed)) = (run.given(lens, side), run.choice(lens), run.says(item))
        else {
            continue;
        };
        let fact =
            steady(lens, &given.instance, Touch::Accounts, run.span, |photograph| account(photograph, given.account));
        let Some((_, grants)) = fact.flatten() else { continue };
        let source = &run.task.first.source.instance_id;
        let enough =
            steady(lens, source, Touch::Definitions, run.span, |photograph| Some(enough(photograph, &choice, grants)));
        let (task, account) = (run.task.id.clone(), given.account.to_owned());
        match (enough, passed) {
            (Some(Enough::Lacks(object)), true) => {
                finding.judge(&run.seen, Some(TaskViolation::RightsLacking { task, side, account, object }));
            }
            (Some(Enough::Lacks(_)), false) => finding.judge(&run.seen, None::<TaskViolation>),
            (Some(Enough::Has), _) if run.faulted(lens) || !run.both_connected() => {}
            (Some(Enough::Has), true) => finding.judge(&run.seen, None::<TaskViolation>),
            (Some(Enough::Has), false) => {
                finding.judge(&run.seen, Some(TaskViolation::RightsEnough { task, side, account }));
            }
            (Some(Enough::Unsure) | None, _) => {}
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::photograph;
    use serde_json::json;

    fn choice(types: &[&str], objects: serde_json::Value) -> TaskObjects {
        serde_json::from_value(json!({"types": types, "objects": objects})).unwrap_or_else(|error| panic!("{error}"))
    }

    fn grants(default: Rights, exceptions: &[(&str, Rights)]) -> Grants {
        Grants { default, exceptions: exceptions.iter().map(|(name, rights)| ((*name).to_owned(), *rights)).collect() }
    }

    #[test]
    fn one_table_that_may_not_be_read_is_lacking_in_the_whole_database() {
        let source = photograph(&[("orders", &[]), ("secrets", &[])]);
        let whole = choice(&["full"], json!([{"database": "app"}]));
        let all_but_one = grants(Rights::ReadOnly, &[("app.secrets", Rights::None)]);
        assert_eq!(to_read(&source, &whole, &all_but_one), Enough::Lacks("app.secrets".into()));
        let orders = choice(&["full"], json!([{"database": "app", "table": "orders"}]));
        assert_eq!(to_read(&source, &orders, &all_but_one), Enough::Has);
    }

    #[test]
    fn incremental_data_needs_the_owners_rights() {
        let source = photograph(&[("orders", &[])]);
        let incremental = choice(&["full", "incremental"], json!([{"database": "app", "table": "orders"}]));
        let lacking = Enough::Lacks("app.orders".into());
        assert_eq!(to_read(&source, &incremental, &Grants::all(Rights::ReadWrite)), lacking);
        assert_eq!(to_read(&source, &incremental, &Grants::all(Rights::Owner)), Enough::Has);
    }

    #[test]
    fn writing_counts_under_the_names_of_the_target() {
        let source = photograph(&[("orders", &[])]);
        let renamed = choice(&["full"], json!([{"database": "app", "table": "orders", "table_as": "copy"}]));
        let not_the_copy = grants(Rights::ReadWrite, &[("app.copy", Rights::ReadOnly)]);
        assert_eq!(to_write(&source, &renamed, &not_the_copy), Enough::Lacks("app.copy".into()));
        let not_the_old = grants(Rights::ReadWrite, &[("app.orders", Rights::ReadOnly)]);
        assert_eq!(to_write(&source, &renamed, &not_the_old), Enough::Unsure);
        assert_eq!(to_write(&source, &renamed, &Grants::all(Rights::ReadWrite)), Enough::Has);
    }
}
