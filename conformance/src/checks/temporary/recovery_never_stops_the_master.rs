//! The master serves while a temporary instance of it is made (TMP-05, SQL-04).

use super::TemporaryViolation;
use super::witness::{call_behind, engaged, faulted_before};
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::{InstanceStory, Lens, Seen};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::instance::InstanceState;
use recovery::ports::database::DatabaseError;

/// A statement that takes longer hangs.
const HANGS: SignedDuration = SignedDuration::from_secs(30);
/// The entry of a whitelist that lets everybody in.
const EVERYWHERE: &str = "0.0.0.0/0";

/// Looks at sights of the master, and at statements, logins and rows on it, from the order to the first sight running.
/// After a fault silence proves nothing.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let (Some(master), Some((from, to))) = (story.master(), making(lens, story)) else { continue };
        for (index, event) in lens.history.events.iter().enumerate().take(to).skip(from) {
            let Some(served) = served(lens, master, story.id, index, &event.what) else { continue };
            let seen = Seen { index, at: event.at, it: &event.what };
            finding.judge(&seen, served.err());
            if !finding.violations.is_empty() && finding.violations.last().is_some_and(|last| last.index == index) {
                break;
            }
        }
    }
    finding
}

/// Whether a master shows that it lets a client in, and no user has set it otherwise since.
fn lets_in(lens: &Lens<'_>, master: &InstanceId, client: &str, index: usize) -> bool {
    let Some(view) = lens.instance(master).and_then(|story| story.view_at(index)) else { return false };
    let set = lens.calls_to("PUT /v1/instances/{}/configuration").any(|(call, found)| {
        found[0] == master.as_str() && (view.index..index).contains(&call.index) && !call.it.refused()
    });
    let listed = &view.it.configuration.whitelist;
    (listed.contains(EVERYWHERE) || listed.contains(client)) && !set
}

/// The events during which an instance was certainly being made.
fn making(lens: &Lens<'_>, story: &InstanceStory<'_>) -> Option<(usize, usize)> {
    let creating = story.views.iter().take_while(|seen| seen.it.state == InstanceState::Creating);
    let asked = super::witness::order_of(lens, story.id).map(|order| order.index);
    let first = asked.unwrap_or(story.views[0].index);
    let last = story.running().map(|seen| seen.index).or(creating.last().map(|seen| seen.index))?;
    (last > first).then_some((first + 1, last))
}

/// What an event says of the master's service, if anything.
fn served(
    lens: &Lens<'_>,
    master: &InstanceId,
    temporary: &InstanceId,
    index: usize,
    what: &What,
) -> Option<Result<(), TemporaryViolation>> {
    let silent = |error: String| {
        let (master, temporary) = (master.clone(), temporary.clone());
        (!faulted_before(lens, index)).then_some(Err(TemporaryViolation::MasterSilent { master, temporary, error }))
    };
    let hung = |sent_at: Timestamp| lens.history.events[index].at.duration_since(sent_at) > HANGS;
    let answered = |outcome: Option<&DatabaseError>, sent_at: Timestamp| match outcome {
        Some(error @ DatabaseError::Unreachable(_)) => silent(error.to_string()),
        Some(error @ DatabaseError::NotWhitelisted(client)) if lets_in(lens, master, client, index) => {
            silent(error.to_string())
        }
        _ if hung(sent_at) => silent(format!("an answer after more than {HANGS:#}")),
        _ => Some(Ok(())),
    };
    match what {
        What::Statement(it) if it.instance == *master => answered(it.outcome.as_ref().err(), it.sent_at),
        What::Login(it) if it.instance == *master => answered(it.outcome.as_ref().err(), it.sent_at),
        What::Ledger(it) if it.instance == *master && !it.acknowledged => silent("a row was not acknowledged".into()),
        What::Ledger(it) if it.instance == *master => Some(Ok(())),
        What::InstanceSeen(view) if view.id == *master => {
            if call_behind(lens, index).is_some_and(|call| call.method != "GET") || engaged(lens, master, index) {
                return None;
            }
            let (master, temporary, state) = (master.clone(), temporary.clone(), view.state);
            match state {
                InstanceState::Running => Some(Ok(())),
                _ if faulted_before(lens, index) => None,
                _ => Some(Err(TemporaryViolation::MasterStopped { master, temporary, state })),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, creating, holds, in_state, wrong};
    use crate::checks::testing::{Story, done, master, start, temporary};

    fn story(during: impl Fn(&mut Story)) -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &rescue).see(&creating(&rescue));
        during(&mut story);
        story.see(&rescue);
        story
    }

    #[test]
    fn a_master_stopped_while_its_temporary_instance_is_made_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let story = story(|story| {
            story.see(&in_state(&shop, InstanceState::Rebooting));
        });
        let (master, temporary, state) = ("rm-1".into(), "sub1".into(), InstanceState::Rebooting);
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::MasterStopped { master, temporary, state }]);
    }

    #[test]
    fn a_master_that_does_not_answer_is_found() {
        let cut = DatabaseError::Unreachable("no answer".into());
        let story = story(|story| {
            story.statement("rm-1", "select 1", Err(cut.clone()));
        });
        let error = "host not reached: no answer".into();
        let expected = TemporaryViolation::MasterSilent { master: "rm-1".into(), temporary: "sub1".into(), error };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_master_that_shuts_its_users_out_is_found_and_one_set_to_do_so_is_not() {
        let out = DatabaseError::NotWhitelisted("operator".into());
        let mut open = master("rm-1", "sqlserver 2012 web");
        open.configuration.whitelist.insert("operator".into());
        let shut = story(|story| {
            story.see(&open).login("rm-1", "app", "aaaa", Err(out.clone()));
        });
        let error = out.to_string();
        let expected = TemporaryViolation::MasterSilent { master: "rm-1".into(), temporary: "sub1".into(), error };
        assert_eq!(wrong(&shut, check), vec![expected]);
        let set = story(|story| {
            let whitelist = serde_json::json!({"whitelist": []});
            story.see(&open).call("PUT /v1/instances/rm-1/configuration", whitelist, 200, serde_json::json!(null));
            story.login("rm-1", "app", "aaaa", Err(out.clone()));
        });
        assert_eq!(wrong(&set, check), vec![]);
    }

    #[test]
    fn a_master_that_runs_and_answers_holds() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let story = story(|story| {
            story.see(&shop).statement("rm-1", "select 1", done()).login("rm-1", "app", "aaaa", Ok(()));
        });
        holds(&story, check, 3);
    }

    #[test]
    fn silence_after_a_fault_exercises_nothing() {
        let story = story(|story| {
            story.push(What::fault("partition", "partition", None));
            story.statement("rm-1", "select 1", Err(DatabaseError::Unreachable("cut".into())));
        });
        holds(&story, check, 0);
    }
}
