//! A running temporary instance lets the right account in from an allowed address (TMP-03; prechecks.md section 7.1).

use super::TemporaryViolation;
use super::truth::{fresh_shot, truth};
use super::witness::{LIFE, birth, faulted_before, released_by_user};
use crate::checks::Finding;
use crate::history::Login;
use crate::history::lens::{InstanceStory, Lens, Seen};
use recovery::model::photograph::Photograph;
use recovery::ports::database::DatabaseError;

const EVERYWHERE: &str = "0.0.0.0/0";

/// Judges every login that the photograph of the backup, or of the instance itself, says must work; and every read of an
/// account that may read.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let (Some(running), Some(birth)) = (story.running(), birth(lens, story)) else { continue };
        let held = truth(lens, story).or_else(|| fresh_shot(lens, story).map(|shot| shot.it.photograph.as_ref()));
        let Some(held) = held else { continue };
        let there =
            |index, at| index > running.index && at < birth.earliest + LIFE && !released_by_user(lens, story, at);
        for login in lens.logins().filter(|login| login.it.instance == *story.id && there(login.index, login.at)) {
            let violation = match &login.it.outcome {
                _ if !is_right(story, held, &login) || accounts_changed(lens, story, login.index) => continue,
                Err(DatabaseError::Unreachable(_)) if faulted_before(lens, login.index) => continue,
                Ok(()) => None,
                Err(error) => Some(TemporaryViolation::LoginRefused {
                    instance: story.id.clone(),
                    account: login.it.account.clone(),
                    error: error.to_string(),
                }),
            };
            finding.judge(&login, violation);
        }
        for read in lens.statements(story.id).filter(|read| there(read.index, read.at) && read.it.only_reads()) {
            let Some(account) = held.accounts.get(&read.it.account) else { continue };
            if !account.grants.exceptions.is_empty()
                || !account.grants.default.reads()
                || accounts_changed(lens, story, read.index)
            {
                continue;
            }
            if let Err(error @ DatabaseError::NotPermitted { .. }) = &read.it.outcome {
                let (instance, account, error) = (story.id.clone(), read.it.account.clone(), error.to_string());
                finding.judge(&read, Some(TemporaryViolation::ReadRefused { instance, account, error }));
            }
        }
    }
    finding
}

fn is_right(story: &InstanceStory<'_>, held: &Photograph, login: &Seen<'_, Login>) -> bool {
    let Some(view) = story.view_at(login.index) else { return false };
    let allowed = &view.it.configuration.whitelist;
    held.accounts.get(&login.it.account).is_some_and(|account| account.password_mark == login.it.password_mark)
        && (allowed.contains(EVERYWHERE) || allowed.contains(&login.it.from))
        && (!login.it.ssl || view.it.configuration.ssl)
}

/// Users may change accounts of a temporary instance; from then on its backup tells nothing of them.
fn accounts_changed(lens: &Lens<'_>, story: &InstanceStory<'_>, before: usize) -> bool {
    lens.calls().filter(|seen| seen.index < before).any(|seen| {
        let parts = seen.it.parts();
        let about =
            parts.get(2) == Some(&story.id.as_str()) && matches!(parts.get(3), Some(&("accounts" | "configuration")));
        about && seen.it.method != "GET" && !seen.it.refused()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
    use crate::checks::testing::{Story, master, photograph, start, temporary};
    use crate::history::What;

    fn story(password_mark: &str, outcome: Result<(), DatabaseError>) -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &rescue).see(&rescue).shot("sub1", &photograph(&[]));
        story.login("sub1", "app", password_mark, outcome);
        story
    }

    fn denied() -> Result<(), DatabaseError> {
        Err(DatabaseError::AccessDenied("app".into()))
    }

    #[test]
    fn a_right_account_that_is_turned_away_is_found() {
        let error = "access denied for account app".into();
        let expected = TemporaryViolation::LoginRefused { instance: "sub1".into(), account: "app".into(), error };
        assert_eq!(wrong(&story("aaaa", denied()), check), vec![expected]);
    }

    #[test]
    fn a_right_account_that_gets_in_holds() {
        holds(&story("aaaa", Ok(())), check, 1);
    }

    #[test]
    fn a_wrong_password_exercises_nothing() {
        holds(&story("bbbb", denied()), check, 0);
    }

    #[test]
    fn a_server_that_is_not_reached_after_a_fault_exercises_nothing() {
        let mut story = story("bbbb", denied());
        story.push(What::fault("partition", "partition", None));
        story.login("sub1", "app", "aaaa", Err(DatabaseError::Unreachable("cut".into())));
        holds(&story, check, 0);
    }

    #[test]
    fn a_reader_who_may_not_read_is_found() {
        let mut story = story("aaaa", Ok(()));
        let error = DatabaseError::NotPermitted { account: "app".into(), what: "read orders".into() };
        story.statement("sub1", "select * from orders", Err(error.clone()));
        let (instance, account, error) = ("sub1".into(), "app".into(), error.to_string());
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::ReadRefused { instance, account, error }]);
    }
}
