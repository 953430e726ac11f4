//! A Redis backup is a snapshot: it holds one instant of the instance and no command after it (RED-02).

use super::RedisViolation;
use super::witness::{Appearance, appearances, keys, lag, states, strange};
use crate::checks::Finding;
use crate::checks::temporary::witness::skewed;
use crate::history::lens::Lens;
use crate::history::{Client, Event, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;

/// How long before a backup began a row may still be on its way to the replica, beside the time it is behind.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(2);

/// Compares what shows of each backup with the states its instance had meanwhile, and with the application's ledger.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for appearance in appearances(lens) {
        let Some(story) = lens.backup(&appearance.backup) else { continue };
        let by_state = states(lens, story).and_then(|states| strange(&states, &appearance.shot));
        let backup = appearance.backup.clone();
        let violation = match by_state {
            Some(difference) => {
                Some(difference.map(|difference| RedisViolation::SnapshotDiffers { backup, difference }))
            }
            None => {
                story.complete().and_then(|done| by_ledger(lens, &appearance, story.first.began_at, done.it.ended_at?))
            }
        };
        if let Some(violation) = violation {
            finding.judge(&appearance.shot, violation);
        }
    }
    finding
}

/// Rows of the application in what shows of a backup: those before it are in, those after it are not, and none is in
/// without all that were acknowledged before it was sent.
fn by_ledger(
    lens: &Lens<'_>,
    appearance: &Appearance<'_>,
    began_at: Timestamp,
    ended_at: Timestamp,
) -> Option<Option<RedisViolation>> {
    let of = &lens.backup(&appearance.backup)?.first.instance;
    let held = keys(&appearance.shot.it.photograph, appearance.shot.at)?;
    let from = left_alone_from(lens, of, ended_at);
    let rows: Vec<_> =
        lens.ledger(of).filter(|row| row.index < appearance.call.index && row.it.sent_at >= from).collect();
    if skewed(lens) || rows.is_empty() {
        return None;
    }
    let on_its_way = ON_ITS_WAY + lag(lens, of);
    let key = |row: &crate::history::LedgerEntry| format!("key {}:{} of {}", row.table, row.id, row.database);
    let there = |row: &crate::history::LedgerEntry| held.contains_key(&key(row));
    let newest = rows.iter().filter(|row| there(row.it)).map(|row| row.it.sent_at).max();
    let wrong = rows.iter().find(|row| {
        let before =
            row.it.acknowledged && (row.at + on_its_way <= began_at || newest.is_some_and(|sent| row.at <= sent));
        let after = row.it.sent_at > ended_at;
        if there(row.it) { after } else { before }
    });
    Some(wrong.map(|row| RedisViolation::SnapshotMixed {
        backup: appearance.backup.clone(),
        key: key(row.it),
        there: there(row.it),
    }))
}

/// From when on nothing but the application changed an instance until a backup of it ended: neither commands of others
/// nor a recovery or migration into it, which may take away what the application wrote.
fn left_alone_from(lens: &Lens<'_>, of: &InstanceId, ended_at: Timestamp) -> Timestamp {
    let events = lens.history.events.iter().enumerate().take_while(|(_, event)| event.at <= ended_at);
    let disturbs = |index: usize, event: &Event| match &event.what {
        What::Statement(it) => it.instance == *of && it.by == Client::Operator && !it.only_reads(),
        What::InstanceSeen(_) | What::TaskSeen(_) => lens.moved_into_between(of, index, index + 1),
        _ => false,
    };
    let last = events.filter(|(index, event)| disturbs(*index, event)).last();
    last.map_or(Timestamp::MIN, |(_, event)| event.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, backup, cache, copy, holds, recover, show, take, texts, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{Story, done};
    use crate::history::LedgerEntry;

    #[test]
    fn a_command_after_the_snapshot_that_is_in_it_is_found() {
        let mut story = backed_up(&texts(&[("a", "1")]));
        story.statement("r-1", "set b 2", done()).shot("r-1", &texts(&[("a", "1"), ("b", "2")]));
        recover(&mut story, &texts(&[("a", "1"), ("b", "2")]));
        let difference = Difference::Extra { what: "key b of 0".into() };
        let backup = "bk-1".into();
        assert_eq!(wrong(&story, check), vec![RedisViolation::SnapshotDiffers { backup, difference }]);
    }

    #[test]
    fn a_replica_that_a_fault_sets_back_may_be_behind_for_as_long_and_no_longer() {
        let judged = |lag: &str| {
            let mut story = Story::new();
            let text = format!("the replica of r-1 is {lag} ms behind");
            story.see(&cache()).shot("r-1", &texts(&[("a", "1")])).wait("1m");
            story.push(What::fault("lag", text, Some("machine-1")));
            story.statement("r-1", "set b 2", done()).shot("r-1", &texts(&[("a", "1"), ("b", "2")])).wait("10s");
            take(&mut story, &texts(&[("a", "1"), ("b", "2")]));
            recover(&mut story, &texts(&[("a", "1")]));
            story
        };
        holds(&judged("30000"), check, 1);
        assert_eq!(wrong(&judged("3000"), check).len(), 1);
    }

    #[test]
    fn the_state_of_the_backup_in_a_recovery_and_a_clone_holds() {
        let mut story = backed_up(&texts(&[("a", "1")]));
        copy(&mut story, &texts(&[("a", "1")]));
        story.statement("r-1", "set b 2", done());
        recover(&mut story, &texts(&[("a", "1")]));
        holds(&story, check, 2);
    }

    /// Rows 1 to 3 are written while a backup is taken; the clone shows some of them.
    fn with_rows(shown: &[(&str, &str)]) -> Story {
        let mut story = Story::new();
        story.see(&cache()).shot("r-1", &texts(&[])).wait("10s");
        let began_at = story.now;
        for id in 1..=3 {
            let (sent_at, database, table) = (story.now, "0".into(), "orders".into());
            let row = LedgerEntry {
                instance: "r-1".into(),
                database,
                table,
                id,
                sent_at,
                acknowledged: true,
                refused: false,
            };
            story.push(What::Ledger(row)).wait("100ms");
        }
        story.wait("1s");
        show(&mut story, &backup("bk-1", began_at));
        copy(&mut story, &texts(shown));
        story
    }

    #[test]
    fn a_mixture_of_two_instants_is_found() {
        let (backup, key) = ("bk-1".into(), "key orders:2 of 0".into());
        let found = wrong(&with_rows(&[("orders:1", "x"), ("orders:3", "x")]), check);
        assert_eq!(found, vec![RedisViolation::SnapshotMixed { backup, key, there: false }]);
        holds(&with_rows(&[("orders:1", "x"), ("orders:2", "x")]), check, 1);
    }
}
