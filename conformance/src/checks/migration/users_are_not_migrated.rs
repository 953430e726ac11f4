//! Accounts stay where they are; migrated views and routines of MySQL run with the rights of who calls them (DTS-24; C-15).

use super::MigrationViolation;
use super::content::kind_word;
use super::scene::{last_before_begin, others_wrote};
use crate::checks::Finding;
use crate::history::Shot;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::content::{ObjectKind, Security};
use recovery::model::photograph::Photograph;
use recovery::model::{Engine, InstanceId};

/// Compares the accounts of each task's target before and after with those of the source, where the source has one that
/// the target lacked; and looks at what views and routines MySQL tasks brought.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let (from, into) = (&task.first.source.instance_id, &task.first.target.instance_id);
        let (Some(begin), Some(begun)) = (last_before_begin(task), task.started()) else { continue };
        let (Some(source), Some(before)) = (lens.shot_before(from, begin.index), lens.shot_before(into, begin.index))
        else {
            continue;
        };
        let after =
            lens.shots(into).rev().find(|shot| shot.index > begun.index && untouched(lens, task, into, &before, shot));
        let Some(after) = after else { continue };
        let (had, was, is) = (&source.it.photograph, &before.it.photograph, &after.it.photograph);
        let lacked: Vec<&String> = had.accounts.keys().filter(|name| !was.accounts.contains_key(*name)).collect();
        if !lacked.is_empty() {
            let came = lacked.into_iter().find(|name| is.accounts.contains_key(*name)).cloned();
            finding.judge(
                &after,
                came.map(|account| MigrationViolation::AccountMigrated { task: task.id.clone(), account }),
            );
        }
        let mysql = lens.instance(into).is_some_and(|story| story.first.product.engine == Engine::MySql);
        for (kind, name, security) in brought(had, was, is).into_iter().filter(|_| mysql) {
            let (task, kind) = (task.id.clone(), kind_word(kind));
            let wrong = security == Some(Security::Definer);
            finding.judge(&after, wrong.then_some(MigrationViolation::RunsAsDefiner { task, kind, name }));
        }
    }
    finding
}

/// Views and routines of the source's names that are new in the target.
fn brought(source: &Photograph, was: &Photograph, is: &Photograph) -> Vec<(ObjectKind, String, Option<Security>)> {
    let runs_as = |kind: ObjectKind| matches!(kind, ObjectKind::View | ObjectKind::Procedure | ObjectKind::Function);
    let mut found = Vec::new();
    for (database, held) in &is.databases {
        for (key, object) in held.objects.iter().filter(|(_, object)| runs_as(object.kind)) {
            let new = was.databases.get(database).is_none_or(|held| !held.objects.contains_key(key));
            let known = source.databases.values().any(|held| held.objects.contains_key(key));
            if new && known {
                found.push((object.kind, object.name.clone(), object.security));
            }
        }
    }
    found
}

/// Whether no user made accounts, views or routines on the target, and no other task brought any, until a photograph.
fn untouched(
    lens: &Lens<'_>,
    task: &TaskStory<'_>,
    target: &InstanceId,
    before: &Seen<'_, Shot>,
    after: &Seen<'_, Shot>,
) -> bool {
    let accounts = lens.calls().any(|seen| {
        seen.index > before.index
            && seen.it.sent_at <= after.at
            && seen.it.method != "GET"
            && !seen.it.refused()
            && seen.it.part(2) == Some(target.as_str())
            && seen.it.part(3) == Some("accounts")
    });
    let ddl = lens
        .statements(target)
        .any(|seen| seen.index > before.index && seen.it.sent_at <= after.at && seen.it.is_ddl());
    !accounts && !ddl && !others_wrote(lens, target, task.id, before.index, after.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, with, wrong};
    use recovery::model::instance::{Grants, Rights};
    use recovery::model::photograph::PhotographedAccount;
    use serde_json::json;

    fn with_clerk(mut held: Photograph) -> Photograph {
        let clerk = PhotographedAccount { password_mark: "bbbb".into(), grants: Grants::all(Rights::ReadOnly) };
        held.accounts.insert("clerk".into(), clerk);
        held
    }

    #[test]
    fn an_account_that_comes_along_is_found() {
        let mut plot = Plot::between(&with_clerk(orders()), &nothing());
        plot.begin().finish().after(&with_clerk(orders()), &with_clerk(orders()));
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::AccountMigrated { task: "dts-1".into(), account: "clerk".into() }]
        );
    }

    #[test]
    fn an_account_that_stays_away_holds_and_one_a_user_made_exercises_nothing() {
        let mut plot = Plot::between(&with_clerk(orders()), &nothing());
        plot.begin().finish().after(&with_clerk(orders()), &orders());
        holds(&plot.story, check, 1);
        let mut plot = Plot::between(&with_clerk(orders()), &nothing());
        plot.begin().story.call("POST /v1/instances/rm-1/accounts", json!({"name": "clerk"}), 201, json!({}));
        plot.finish().after(&with_clerk(orders()), &with_clerk(orders()));
        holds(&plot.story, check, 0);
    }

    #[test]
    fn a_view_of_mysql_that_runs_as_its_definer_is_found_and_one_that_runs_as_its_caller_holds() {
        let view = |held: Photograph| {
            with(held, ObjectKind::View, "lamps", "create view lamps as select * from orders", &["orders"])
        };
        let mut as_definer = view(orders());
        if let Some(object) = as_definer.databases.get_mut("app").and_then(|held| held.objects.get_mut("view lamps")) {
            object.security = Some(Security::Definer);
        }
        let mut plot = Plot::between(&as_definer, &nothing());
        plot.begin().finish().after(&as_definer, &as_definer);
        let expected =
            MigrationViolation::RunsAsDefiner { task: "dts-1".into(), kind: "view".into(), name: "lamps".into() };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
        let mut plot = Plot::between(&as_definer, &nothing());
        plot.begin().finish().after(&as_definer, &view(orders()));
        holds(&plot.story, check, 1);
    }
}
