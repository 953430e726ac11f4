//! What is only read stays as it was: the source of a migration, the server a backup or a restore is of, and the master a
//! new instance is made from.

use super::InvariantViolation;
use super::changes::{Change, changes, pairs, shots};
use super::doings::{Doings, LINGERS, Movement};
use crate::checks::Finding;
use crate::checks::temporary::witness::{at_event, order_of};
use crate::history::lens::Lens;
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::logical::backup::SetStatus;
use std::collections::BTreeMap;

/// Something that reads an instance for a time.
pub struct Reader<'a> {
    instance: &'a InstanceId,
    what: String,
    from: usize,
    until: Timestamp,
}

/// What reads instances, with the times between which it may.
pub fn readers<'a>(lens: &Lens<'a>, doings: &Doings<'_, 'a>) -> Vec<Reader<'a>> {
    let mut found = Vec::new();
    for doing in &doings.moves {
        let source = match &doing.movement {
            Movement::Migration(_) => doing.source,
            Movement::Restore(story) => lens.data_source(&story.first.source).map(|source| &source.first.instance_id),
        };
        if let Some(instance) = source.filter(|source| *source != doing.target) {
            found.push(Reader { instance, what: format!("task {}", doing.id()), from: doing.from, until: doing.until });
        }
    }
    for story in lens.instances() {
        let (Some(master), Some(order)) = (story.master(), order_of(lens, story.id)) else { continue };
        let Some(instance) = lens.instance(master).map(|master| master.id) else { continue };
        let until = story.running().map_or(Timestamp::MAX, |seen| seen.at + LINGERS);
        found.push(Reader {
            instance,
            what: format!("the making of {}", story.id),
            from: before(lens, order.it.sent_at),
            until,
        });
    }
    for set in lens.sets() {
        let Some(source) = lens.data_source(&set.first.source) else { continue };
        let over = set.views.iter().find(|seen| seen.it.status != SetStatus::Running);
        let until = over.map_or(Timestamp::MAX, |seen| seen.at + LINGERS);
        let from = before(lens, set.first.began_at);
        found.push(Reader { instance: &source.first.instance_id, what: format!("set {}", set.id), from, until });
    }
    found
}

/// The last event by which a time had not come.
fn before(lens: &Lens<'_>, time: Timestamp) -> usize {
    lens.history.events.partition_point(|event| event.at < time).saturating_sub(1)
}

/// The reader that was at work while something changed for which there is no explanation.
pub fn reader_of<'r, 'a>(readers: &'r [Reader<'a>], change: &Change<'a>) -> Option<&'r Reader<'a>> {
    readers.iter().find(|reader| reader.instance == change.instance && change.within(reader.from, reader.until))
}

/// Looks at every change of an instance while something read it.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let doings = Doings::of(lens);
    let readers = readers(lens, &doings);
    if readers.is_empty() {
        return finding;
    }
    for change in changes(lens) {
        let Some(reader) = reader_of(&readers, &change) else { continue };
        if !change.is_users(&doings) && !change.is_moved(lens, &doings) {
            let (instance, by) = (change.instance.clone(), reader.what.clone());
            let violation = InvariantViolation::SourceTouched { instance, by, difference: change.difference() };
            finding.judge(&change.seen(), Some(violation));
        }
    }
    // A reader between whose beginning and end there are photographs has been looked at.
    let mut last: BTreeMap<&InstanceId, (usize, Timestamp)> = BTreeMap::new();
    for (instance, _, after) in pairs(&shots(lens)) {
        last.insert(instance, (after.index, after.at));
    }
    for reader in &readers {
        if let Some((index, at)) = last.get(reader.instance).filter(|(index, _)| *index > reader.from) {
            finding.judge(&at_event(*index, *at), None::<InvariantViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{done, photograph};
    use recovery::model::photograph::Photograph;

    fn two() -> Photograph {
        photograph(&[("orders", &[(1, "lamp"), (2, "desk")]), ("notes", &[(1, "x")])])
    }

    fn less() -> Photograph {
        photograph(&[("orders", &[(1, "lamp"), (2, "desk")]), ("notes", &[])])
    }

    #[test]
    fn a_source_that_changes_between_two_photographs_is_found() {
        let mut tale = Tale::new();
        tale.rescue().story.shot("sub1", &two());
        tale.migrate("sub1", "rm-1").story.shot("sub1", &less());
        tale.finish();
        let difference = Difference::Rows { what: "table notes of app".into(), want: 1, got: 0 };
        let by = "task dts-1".to_owned();
        assert_eq!(
            wrong(&tale.story, check),
            vec![InvariantViolation::SourceTouched { instance: "sub1".into(), by, difference }]
        );
    }

    #[test]
    fn what_users_write_to_one_table_does_not_excuse_another() {
        let mut tale = Tale::new();
        tale.rescue().story.shot("sub1", &two());
        tale.migrate("sub1", "rm-1").story.statement("sub1", "delete from orders", done());
        tale.story.shot("sub1", &photograph(&[("orders", &[]), ("notes", &[])]));
        let found = wrong(&tale.story, check);
        assert!(
            matches!(&found[..], [InvariantViolation::SourceTouched { difference: Difference::Rows { what, .. }, .. }] if what == "table notes of app"),
            "{found:?}"
        );
    }

    #[test]
    fn a_source_that_stays_and_one_its_users_write_to_hold() {
        let mut tale = Tale::new();
        tale.rescue().story.shot("sub1", &two());
        tale.migrate("sub1", "rm-1").story.shot("sub1", &two()).statement("sub1", "delete from notes", done());
        tale.story.shot("sub1", &less());
        tale.finish();
        holds(&tale.story, check, 1);
    }

    #[test]
    fn what_a_user_set_while_the_server_was_cut_off_may_come_to_it_later() {
        let listed = |list: &str| {
            let mut held = two();
            held.settings.insert("whitelist".into(), list.into());
            held
        };
        let told = |cut_off: bool| {
            let mut tale = Tale::new();
            tale.rescue().story.shot("sub1", &listed("operator,worker-1"));
            if cut_off {
                tale.crash();
            }
            let path = "PUT /v1/instances/sub1/configuration";
            tale.migrate("sub1", "rm-1").story.call(path, serde_json::Value::Null, 200, serde_json::Value::Null);
            tale.story.shot("sub1", &listed("operator,worker-1")).wait("1h").shot("sub1", &listed("operator"));
            tale
        };
        holds(&told(true).story, check, 1);
        assert_eq!(wrong(&told(false).story, check).len(), 1);
    }

    #[test]
    fn an_address_authorised_for_the_migration_is_no_violation() {
        let listed = |list: &str| {
            let mut held = two();
            held.settings.insert("whitelist".into(), list.into());
            held
        };
        let mut tale = Tale::new();
        tale.rescue().story.shot("sub1", &listed("operator"));
        tale.migrate("sub1", "rm-1").story.shot("sub1", &listed("operator,worker-1"));
        holds(&tale.story, check, 1);
        tale.story.shot("sub1", &listed("worker-1"));
        assert_eq!(wrong(&tale.story, check).len(), 1);
    }
}
