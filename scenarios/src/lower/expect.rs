//! Expectations.

use super::Lower;
use super::book::Kind;
use super::migrate::object_in;
use crate::action::FailureReason;
use crate::error::quoted;
use crate::expectation::{
    Charged, Expectation, InstanceFacts, Number, PrecheckFacts, PrecheckVerdict, Subject, TaskFacts,
};
use crate::fields::{Fields, Read, Word};
use recovery::model::content::{ObjectKind, Row};
use recovery::model::task::PhaseStatus;

pub(crate) const REASONS: [(&str, FailureReason); 6] = [
    ("ddl-during-migration", FailureReason::DdlDuringMigration),
    ("instance-gone", FailureReason::InstanceGone),
    ("unreachable", FailureReason::Unreachable),
    ("refused", FailureReason::Refused),
    ("unsupported-ddl", FailureReason::UnsupportedDdl),
    ("paused-too-long", FailureReason::PausedTooLong),
];

impl Lower {
    pub(super) fn expect(&mut self, fields: &Fields) -> Option<Expectation> {
        if fields.has("query") {
            self.expect_rows(fields)
        } else if let Some(instance) = fields.word("instance") {
            let instance = self.find(&instance, Kind::Instance)?;
            Some(Expectation::Instance { instance, facts: self.instance_facts(fields)? })
        } else if let Some(task) = fields.word("task") {
            let task = self.find(&task, Kind::Task)?;
            Some(Expectation::Task { task, facts: Box::new(self.task_facts(fields)?) })
        } else if let Some(restore) = fields.word("restore") {
            let restore = self.find(&restore, Kind::Restore)?;
            Some(Expectation::Restore { restore, facts: Box::new(self.restore_facts(fields)?) })
        } else if let Some(sets) = fields.table("logical_sets") {
            let of = self.find(&sets.word("of")?, Kind::LogicalTask)?;
            let (kind, status) = (sets.model("kind"), sets.model("status"));
            Some(Expectation::LogicalSets { of, kind, status, number: number(sets, "count")? })
        } else if let Some(restorable) = fields.table("logical_restorable") {
            let of = self.find(&restorable.word("of")?, Kind::LogicalTask);
            let (mark, contained) = self.contained(restorable)?;
            Some(Expectation::LogicalRestorable { of: of?, mark, contained })
        } else if let Some(backup) = fields.word("backup") {
            self.expect_listed(fields, &backup)
        } else if fields.has("node") {
            self.expect_node(fields)
        } else if let Some(same) = fields.word("same") {
            self.expect_same(fields, &same)
        } else if let Some(unchanged) = fields.word("unchanged") {
            let instance = self.find(&unchanged, Kind::Instance);
            let since = self.find(&fields.word("since")?, Kind::Mark)?;
            let instance = instance?;
            self.photographed(&unchanged, &instance, &since)?;
            Some(Expectation::Unchanged { instance, since })
        } else if let Some(backups) = fields.table("backups") {
            let of = self.find(&backups.word("of")?, Kind::Instance)?;
            Some(Expectation::Backups { of, kind: backups.model("kind"), number: number(backups, "count")? })
        } else if let Some(restorable) = fields.table("restorable") {
            let of = self.find(&restorable.word("of")?, Kind::Instance);
            let (mark, contained) = self.contained(restorable)?;
            Some(Expectation::Restorable { of: of?, mark, contained })
        } else if let Some(charges) = fields.table("charges") {
            self.expect_charges(charges)
        } else {
            self.expect_object(fields.table("object")?)
        }
    }

    /// `contains` or `excludes`: the mark, and which of the two.
    fn contained(&mut self, fields: &Fields) -> Option<(String, bool)> {
        let mark = fields.word("contains").or_else(|| fields.word("excludes"))?;
        Some((self.find(&mark, Kind::Mark)?, fields.has("contains")))
    }

    fn expect_rows(&mut self, fields: &Fields) -> Option<Expectation> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let login = self.login(&on, &fields.place("on"), fields.word("account"), fields.secret("password"))?;
        let mut rows: Vec<Row> = Vec::new();
        for at in fields.list("rows") {
            let Read::List(cells) = &at.value else { continue };
            let row: Row = cells.iter().filter_map(|cell| cell.value.cell()).collect();
            if let Some(first) = rows.first().filter(|first| first.len() != row.len()) {
                let message = format!("this row has {} values, and the first one has {}", row.len(), first.len());
                let help = "a query gives rows of one length";
                self.problems.add(&at.span, message, "another length", help);
            }
            rows.push(row);
        }
        let query = fields.text("query")?;
        let database = fields.text_or("database", self.book.database(&on));
        Some(Expectation::Rows { on, query, rows, database, login })
    }

    fn instance_facts(&mut self, fields: &Fields) -> Option<InstanceFacts> {
        self.some_fact(fields, "instance")?;
        let recovered_to = match fields.word("recovered_to") {
            Some(mark) => Some(self.find(&mark, Kind::Mark)?),
            None => None,
        };
        Some(InstanceFacts {
            state: fields.model("state"),
            network: fields.model("network"),
            billing: fields.model("billing"),
            region: fields.text("region"),
            gone: fields.flag("gone"),
            listed: fields.flag("listed"),
            offered: fields.flag("offered"),
            recovered_to,
            free: fields.flag("free"),
            ssl: fields.flag("ssl"),
            whitelisted: fields.texts("whitelisted").unwrap_or_default(),
        })
    }

    fn task_facts(&mut self, fields: &Fields) -> Option<TaskFacts> {
        self.some_fact(fields, "task")?;
        if !fields.has("phase") {
            self.refuse_keys(fields, &["phase_status"], "a task without `phase`", "say which `phase`");
        }
        let reason = fields.word("failure");
        let reason = reason.and_then(|word| REASONS.into_iter().find(|(name, _)| *name == word.value));
        let phase_status = fields.model("phase_status").unwrap_or(PhaseStatus::Finished);
        let item = match fields.table("item") {
            Some(item) => Some(self.item(item)?),
            None => None,
        };
        Some(TaskFacts {
            status: fields.model("status"),
            stage: fields.model("stage"),
            failure: reason.map(|(_, reason)| reason),
            item,
            phase: fields.model("phase").map(|phase| (phase, phase_status)),
            rows: fields.whole("rows"),
            absent: fields.flag("absent"),
            purchase_required: fields.flag("purchase_required"),
            precheck_runs: fields.whole("precheck_runs"),
        })
    }

    pub(super) fn item(&mut self, fields: &Fields) -> Option<PrecheckFacts> {
        let result = match fields.word("result")?.value {
            "failed" => PrecheckVerdict::Failed,
            "warning" => PrecheckVerdict::Warning,
            "shielded" => PrecheckVerdict::Shielded,
            _ => PrecheckVerdict::Success,
        };
        if result == PrecheckVerdict::Success {
            let help = "only a failed or shielded item and a warning have a cause and a remedy (TMP-45, LOG-50)";
            self.refuse_keys(fields, &["cause", "remedy"], "`result = \"success\"`", help);
        }
        Some(PrecheckFacts {
            item: fields.model("name")?,
            result,
            cause: fields.text("cause"),
            remedy: fields.text("remedy"),
        })
    }

    pub(super) fn some_fact(&mut self, fields: &Fields, subject: &str) -> Option<()> {
        if fields.entries.len() > 1 {
            return Some(());
        }
        let message = format!("nothing is expected of this {subject}");
        self.problems.add(&fields.span, message, "incomplete", "say at least one thing that must be so");
        None
    }

    fn expect_same(&mut self, fields: &Fields, same: &Word<'_>) -> Option<Expectation> {
        let instance = self.find(same, Kind::Instance);
        let as_of = self.find(&fields.word("as_of")?, Kind::Mark);
        let (instance, as_of) = (instance?, as_of?);
        let of = match fields.word("of") {
            Some(of) => self.find(&of, Kind::Instance)?,
            None => {
                let known = self.book.instances.get(&instance);
                known.and_then(|known| known.master.clone()).unwrap_or_else(|| instance.clone())
            }
        };
        self.photographed(&fields.word("of").unwrap_or_else(|| same.clone()), &of, &as_of)?;
        let (mut tables, database) = (Vec::new(), self.book.database(&of));
        for word in fields.words("tables") {
            match object_in(database, word.value).filter(|(_, table)| *table != "*") {
                Some((database, table)) => tables.push((database.to_owned(), table.to_owned())),
                None => {
                    let help = "write `orders` for a table of `app`, `crm.customers` for one of `crm`";
                    let message = format!("{} is no table", quoted(word.value));
                    self.problems.add(&word.span, message, "not accepted", help);
                }
            }
        }
        let tables = fields.has("tables").then_some(tables);
        Some(Expectation::Same { instance, as_of, of, databases: fields.texts("databases"), tables })
    }

    /// Whether the instance was there at the mark.
    fn photographed(&mut self, place: &Word<'_>, instance: &str, mark: &str) -> Option<()> {
        if self.book.accounts_at(instance, mark).is_some() {
            return Some(());
        }
        let message = format!("the instance {} was not there yet at the mark {}", quoted(instance), quoted(mark));
        self.problems.add(&place.span, message, "no photograph", "choose a later mark, or another instance");
        None
    }

    fn expect_charges(&mut self, fields: &Fields) -> Option<Expectation> {
        let of = fields.word("of")?;
        let subject = match self.book.kind(of.value) {
            Some(Kind::Instance) => Subject::Instance(of.value.to_owned()),
            Some(Kind::Task) => Subject::Task(of.value.to_owned()),
            _ => {
                self.unknown(&of, "instance or task", &[Kind::Instance, Kind::Task]);
                return None;
            }
        };
        let cents = match fields.flag("none") {
            Some(true) => Charged::Nothing,
            Some(false) => {
                let help = "write `none = true`, or `at_least = 1`";
                self.problems.add(&fields.place("none"), "`none` is true or is left out", "not accepted", help);
                return None;
            }
            None => Charged::Cents(number(fields, "cents")?),
        };
        Some(Expectation::Charges { of: subject, cents })
    }

    fn expect_object(&mut self, fields: &Fields) -> Option<Expectation> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let exists = fields.flag("exists").unwrap_or(true);
        if !exists {
            let help = "what is not there has neither";
            self.refuse_keys(fields, &["definer", "security"], "`exists = false`", help);
        }
        Some(Expectation::Object {
            database: fields.text_or("database", self.book.database(&on)),
            on,
            kind: fields.model("kind").unwrap_or(ObjectKind::Table),
            name: fields.text("name")?,
            exists,
            definer: fields.text("definer"),
            security: fields.model("security"),
        })
    }
}

impl Read {
    fn cell(&self) -> Option<recovery::model::content::Value> {
        match self {
            Self::Cell(value) => Some(value.clone()),
            _ => None,
        }
    }
}

/// `at_least`, or exactly what another key says.
fn number(fields: &Fields, exactly: &str) -> Option<Number> {
    match fields.whole("at_least") {
        Some(least) => Some(Number::AtLeast(least)),
        None => fields.whole(exactly).map(Number::Exactly),
    }
}
