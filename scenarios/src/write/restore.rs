//! Temporary and clone instances, and the moments they are made of.

use super::steps::refused;
use super::word;
use crate::action::{CloneStep, RestorePoint, TemporaryStep};
use crate::lower::book::Book;
use crate::time::written_shift;
use crate::tree::{Node, Table};
use jiff::SignedDuration;
use recovery::model::RefusalCode;
use recovery::model::instance::Billing;

pub(super) fn temporary(step: &TemporaryStep, book: &Book) -> Table {
    let table = point(Table::of("of", &step.of), &step.restore, book);
    let known = step.key.as_ref().is_some_and(|key| book.keys.contains_key(key));
    let table = table.maybe("as", step.name.as_ref().filter(|_| !known));
    asked(table, step.refused, step.key.as_ref(), step.wait, step.covered)
}

pub(super) fn clones(step: &CloneStep, book: &Book) -> Table {
    let table = point(Table::of("of", &step.of), &step.restore, book);
    let known = step.key.as_ref().is_some_and(|key| book.keys.contains_key(key));
    let names: Option<Node> = match step.names.as_slice() {
        [] => None,
        _ if known && step.refused.is_none() => None,
        [one] => Some(one.into()),
        several => Some(several.iter().collect()),
    };
    let table = table
        .maybe("as", names)
        .only(step.billing != Billing::PayAsYouGo, "billing", word(&step.billing))
        .maybe("network", step.network.as_ref().map(word))
        .maybe("count", step.count)
        .only(!step.terms, "terms", false)
        .maybe("entry", step.entry.as_ref().map(word));
    asked(table, step.refused, step.key.as_ref(), step.wait, step.covered)
}

fn asked(table: Table, code: Option<RefusalCode>, key: Option<&String>, wait: bool, covered: bool) -> Table {
    refused(table, code).maybe("key", key).only(!wait, "wait", false).only(
        covered != code.is_none(),
        "covered",
        covered,
    )
}

/// `to`, `set` or `at`.
pub(super) fn point(table: Table, point: &RestorePoint, book: &Book) -> Table {
    let at = |name: &str, offset: &SignedDuration| moved(name, *offset);
    match point {
        RestorePoint::Mark { mark, offset } if offset.is_zero() => table.with("to", mark),
        RestorePoint::Mark { mark, offset } => table.with("at", moved_mark(mark, *offset, book)),
        RestorePoint::Backup(backup) => table.with("set", backup),
        RestorePoint::LatestBackup => table.with("set", "latest"),
        RestorePoint::Time(time) => table.with("at", time.to_string()),
        RestorePoint::Earliest(offset) => table.with("at", at("earliest", offset)),
        RestorePoint::Latest(offset) => table.with("at", at("latest", offset)),
        RestorePoint::Now(offset) => table.with("at", at("now", offset)),
    }
}

/// `NAME - 1s`.
pub(super) fn moved(name: &str, offset: SignedDuration) -> String {
    if offset.is_zero() { name.to_owned() } else { format!("{name} {}", written_shift(offset, " ")) }
}

/// The same of a mark, written so that no other mark is meant.
fn moved_mark(mark: &str, offset: SignedDuration, book: &Book) -> String {
    let meant = RestorePoint::Mark { mark: mark.to_owned(), offset };
    let usual = moved(mark, offset);
    let tight = format!("{mark}{}", written_shift(offset, ""));
    let spellings = [usual.clone(), tight];
    spellings.into_iter().find(|text| book.moment(text).as_ref() == Some(&meant)).unwrap_or(usual)
}
