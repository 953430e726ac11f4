//! Expectations about restore tasks, and about Redis backups and nodes.

use super::Lower;
use super::book::Kind;
use super::migrate::object_in;
use crate::error::quoted;
use crate::expectation::{Expectation, RestoreFacts};
use crate::fields::{At, Fields, Read, Word};
use crate::logical::RestoreReason;
use recovery::model::product::Engine;
use std::collections::BTreeMap;

pub(crate) const REASONS: [(&str, RestoreReason); 8] = [
    ("mapping-with-programmable-objects", RestoreReason::MappingWithProgrammableObjects),
    ("object-exists", RestoreReason::ObjectExists),
    ("data-exists", RestoreReason::DataExists),
    ("instance-gone", RestoreReason::InstanceGone),
    ("unreachable", RestoreReason::Unreachable),
    ("refused", RestoreReason::Refused),
    ("backup-unreadable", RestoreReason::BackupUnreadable),
    ("unsupported-ddl", RestoreReason::UnsupportedDdl),
];

impl Lower {
    pub(super) fn restore_facts(&mut self, fields: &Fields) -> Option<RestoreFacts> {
        self.some_fact(fields, "restore task")?;
        let reason = fields.word("failure");
        let reason = reason.and_then(|word| REASONS.into_iter().find(|(name, _)| *name == word.value));
        let item = match fields.table("item") {
            Some(item) => Some(self.item(item)?),
            None => None,
        };
        Some(RestoreFacts {
            status: fields.model("status"),
            failure: reason.map(|(_, reason)| reason),
            failure_says: fields.text("failure_says"),
            item,
            records: self.rows_by_table(fields, "records"),
            skipped: self.rows_by_table(fields, "skipped"),
            listed: fields.flag("listed"),
        })
    }

    /// Rows by table, under the names the file gives them.
    fn rows_by_table(&mut self, fields: &Fields, key: &str) -> BTreeMap<String, u64> {
        let mut rows = BTreeMap::new();
        for entry in fields.map(key) {
            let Read::Whole(whole) = entry.value.value else { continue };
            if self.table_named(&entry.key).is_some() {
                rows.insert(entry.key.value.clone(), u64::try_from(whole).unwrap_or(0));
            }
        }
        rows
    }

    /// Database and table of a key, `orders` of `app` or `crm.customers`.
    pub(super) fn table_named(&mut self, key: &At<String>) -> Option<(String, String)> {
        let found = object_in("app", &key.value).filter(|(_, table)| *table != "*");
        if found.is_none() {
            let help = "write `orders` for a table of `app`, `crm.customers` for one of `crm`";
            self.problems.add(&key.span, format!("{} is no table", quoted(&key.value)), "not accepted", help);
        }
        found.map(|(database, table)| (database.to_owned(), table.to_owned()))
    }

    pub(super) fn expect_listed(&mut self, fields: &Fields, backup: &Word<'_>) -> Option<Expectation> {
        let backup = self.find(backup, Kind::Backup)?;
        let (from, to) = (fields.time("from"), fields.time("to"));
        if let (Some(from), Some(to)) = (from, to)
            && from < to
        {
            let help = "`from` is the longer time ago";
            self.problems.add(&fields.place("from"), "the range ends before it begins", "swapped", help);
        }
        Some(Expectation::BackupListed { backup, listed: fields.flag("listed")?, from, to })
    }

    pub(super) fn expect_node(&mut self, fields: &Fields) -> Option<Expectation> {
        let word = fields.word("of")?;
        let of = self.find(&word, Kind::Instance)?;
        if self.book.engine(&of).is_some_and(|engine| engine != Engine::Redis) {
            let message = format!("{} shows no nodes: it is no Redis", quoted(&of));
            self.problems.add(&word.span, message, "no Redis", "name a Redis instance");
        }
        let key = self.exactly_one(fields, &["holds", "lacks"], "expectation")?;
        Some(Expectation::NodeRows { of, node: fields.model("node")?, key: fields.text(key)?, exists: key == "holds" })
    }
}
