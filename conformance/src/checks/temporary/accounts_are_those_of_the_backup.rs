//! Accounts and passwords of a temporary instance are those in its backup (TMP-06, TMP-28, SQL-12, SQL-33; C-01: not the
//! instance's name of TMP-08).

use super::TemporaryViolation;
use super::truth::{account_difference, fresh_shot, truth};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens};
use recovery::model::photograph::Photograph;
use recovery::ports::database::DatabaseError;

/// Compares the accounts on a photograph of the instance with those of its master at the backup, and judges logins.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let Some(truth) = truth(lens, story) else { continue };
        let shot = fresh_shot(lens, story);
        let difference = shot.and_then(|shot| account_difference(truth, &shot.it.photograph));
        let differs = difference.is_some();
        if let Some(shot) = shot {
            let instance = story.id.clone();
            finding
                .judge(&shot, difference.map(|difference| TemporaryViolation::AccountsDiffer { instance, difference }));
        }
        if !differs {
            logins(lens, story, truth, &mut finding);
        }
    }
    finding
}

/// The backup's password must work and no other, as long as nobody changed accounts on the instance itself.
fn logins(lens: &Lens<'_>, story: &InstanceStory<'_>, truth: &Photograph, finding: &mut Finding) {
    let Some(running) = story.running() else { return };
    for login in lens.logins().filter(|login| login.it.instance == *story.id && login.index > running.index) {
        if lens.touched_between(story.id, 0, login.index) {
            break;
        }
        let mark = truth.accounts.get(&login.it.account).map(|account| account.password_mark.as_str());
        let right = mark == Some(login.it.password_mark.as_str());
        let violation = match &login.it.outcome {
            Ok(()) if right => None,
            Ok(()) => {
                Some(TemporaryViolation::StrangeLogin { instance: story.id.clone(), account: login.it.account.clone() })
            }
            Err(DatabaseError::AccessDenied(_)) if !right => None,
            Err(error @ DatabaseError::AccessDenied(_)) => Some(TemporaryViolation::LoginRefused {
                instance: story.id.clone(),
                account: login.it.account.clone(),
                error: error.to_string(),
            }),
            Err(_) => continue,
        };
        finding.judge(&login, violation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::Difference;
    use crate::checks::temporary::made_up::{by_time, holds, to_time, wrong};
    use crate::checks::testing::{Story, master, photograph, start, temporary};
    use crate::history::What;

    fn story(found: &Photograph) -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = to_time(&temporary("sub1", &shop, start()), start());
        let mut story = Story::new();
        story.mark("before", &[("rm-1", &photograph(&[]))]).see(&shop);
        story.order_temporary("k", &shop, by_time(start()), &rescue).see(&rescue).shot("sub1", found);
        story
    }

    fn with_mark(mark: &str) -> Photograph {
        let mut found = photograph(&[]);
        found.accounts.values_mut().for_each(|account| account.password_mark = mark.into());
        found
    }

    #[test]
    fn a_password_changed_after_the_backup_is_found() {
        let difference = Difference::Changed { what: "password of app".into() };
        let expected = TemporaryViolation::AccountsDiffer { instance: "sub1".into(), difference };
        assert_eq!(wrong(&story(&with_mark("bbbb")), check), vec![expected]);
    }

    #[test]
    fn a_login_that_the_backup_does_not_know_is_found() {
        let mut story = story(&photograph(&[]));
        story.login("sub1", "app", "bbbb", Ok(()));
        let expected = TemporaryViolation::StrangeLogin { instance: "sub1".into(), account: "app".into() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_password_of_the_backup_that_is_refused_is_found() {
        let mut story = story(&photograph(&[]));
        story.login("sub1", "app", "aaaa", Err(DatabaseError::AccessDenied("app".into())));
        let (instance, account) = ("sub1".into(), "app".into());
        let error = "access denied for account app".into();
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::LoginRefused { instance, account, error }]);
    }

    #[test]
    fn the_accounts_of_the_backup_hold() {
        let mut story = story(&photograph(&[]));
        story.login("sub1", "app", "aaaa", Ok(()));
        story.login("sub1", "app", "bbbb", Err(DatabaseError::AccessDenied("app".into())));
        holds(&story, check, 3);
    }

    #[test]
    fn a_mark_read_off_a_clock_that_was_set_back_shortly_before_tells_nothing_and_one_long_after_does() {
        for (since, exercised) in [("1s", false), ("1h", true)] {
            let shop = master("rm-1", "sqlserver 2012 web");
            let mut story = Story::new();
            let text = "the clock of machine-1 jumps by 1004 ms, a skew";
            story.push(What::fault("jump", text, Some("machine-1"))).wait(since);
            let marked_at = story.now;
            let rescue = to_time(&temporary("sub1", &shop, marked_at), marked_at);
            story.mark("before", &[("rm-1", &photograph(&[]))]).see(&shop);
            story.order_temporary("k", &shop, by_time(marked_at), &rescue).see(&rescue);
            story.shot("sub1", &with_mark("bbbb"));
            assert_eq!(!wrong(&story, check).is_empty(), exercised, "{since}");
        }
    }

    #[test]
    fn without_a_photograph_of_that_time_nothing_is_exercised() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).see(&rescue).shot("sub1", &with_mark("bbbb"));
        holds(&story, check, 0);
    }
}
