//! Migration tasks: the two sides, the selected objects and how far the flow goes.

use super::Lower;
use super::book::Kind;
use super::steps::AT_MOST;
use crate::action::{MigrateEnd, MigrateSide, MigrateStep, MigrateUntil, TaskRequest, TaskStep};
use crate::error::{accepted, quoted};
use crate::fields::{At, Fields, Read, Word};
use crate::scenario::Credentials;
use recovery::model::task::{ConnectionMode, MigrationType, Selection};
use std::collections::{BTreeMap, BTreeSet};

/// Keys that say which objects, columns and names.
const SELECTION: [&str; 7] = ["objects", "databases", "types", "columns", "rename", "same_name", "without_advice"];
/// Keys that say which sides.
const SIDES: [&str; 6] = ["name", "from", "into", "connection", "source", "target"];

pub(crate) const UNTIL: [(&str, MigrateUntil); 8] = [
    ("configured", MigrateUntil::Configured),
    ("authorised", MigrateUntil::Authorised),
    ("selected", MigrateUntil::Selected),
    ("prechecked", MigrateUntil::Prechecked),
    ("confirmed", MigrateUntil::Confirmed),
    ("running", MigrateUntil::Running),
    ("caught-up", MigrateUntil::CaughtUp),
    ("finished", MigrateUntil::Finished),
];

impl Lower {
    pub(super) fn migrate(&mut self, fields: &Fields) -> Option<MigrateStep> {
        let source = self.side(fields, "from", "source", None);
        let target = self.side(fields, "into", "target", None);
        let types = types(fields);
        let objects = self.objects(fields);
        let (until, ends) = self.how_far(fields, &types);
        let name = fields.word("as").filter(|name| self.declare(name, Kind::Task));
        let (source, target) = (source?, target?);
        if let Some(name) = &name {
            self.book.tasks.insert(name.value.to_owned(), (source.clone(), target.clone()));
        }
        Some(MigrateStep {
            name: name.map(|name| name.value.to_owned()),
            task_name: fields.text("name"),
            source,
            target,
            types,
            objects: objects?,
            same_name: fields.model("same_name").unwrap_or_default(),
            without_advice: fields.models("without_advice").unwrap_or_default(),
            until,
            ends,
            refused: fields.code("refused"),
            terms: fields.flag("terms").unwrap_or(true),
            at_most: fields.time("at_most").unwrap_or(AT_MOST),
        })
    }

    /// One side: `from` or `into`, with the account, password and connection given for it. What is not given is as the
    /// task has it, or else the instance's first account.
    fn side(&mut self, fields: &Fields, key: &str, which: &str, before: Option<&MigrateSide>) -> Option<MigrateSide> {
        let instance = match (fields.word(key), before) {
            (Some(word), _) => self.find(&word, Kind::Instance)?,
            (None, before) => before?.instance.clone(),
        };
        let (account, password) = match fields.table(which) {
            Some(side) => (side.word("account"), side.secret("password")),
            None => (None, None),
        };
        let kept = before.filter(|before| before.instance == instance && account.is_none());
        let login = match (kept, password) {
            (Some(kept), Some(password)) => Credentials { account: kept.login.account.clone(), password },
            (Some(kept), None) => kept.login.clone(),
            (None, password) => self.login(&instance, &fields.place(key), account, password)?,
        };
        let modes = fields.table("connection");
        let mode = modes.and_then(|modes| modes.model(which)).or(before.map(|before| before.connection));
        Some(MigrateSide { instance, login, connection: mode.unwrap_or(ConnectionMode::Plain) })
    }

    fn how_far(&mut self, fields: &Fields, types: &BTreeSet<MigrationType>) -> (MigrateUntil, MigrateEnd) {
        let incremental = types.contains(&MigrationType::Incremental);
        let given = fields.word("until").and_then(|word| UNTIL.into_iter().find(|(name, _)| *name == word.value));
        let otherwise = if incremental { MigrateUntil::CaughtUp } else { MigrateUntil::Finished };
        let until = given.map_or(otherwise, |(_, until)| until);
        let said = fields.word("ends").and_then(|word| ENDS.into_iter().find(|(name, _)| *name == word.value));
        let ends = said.map_or(MigrateEnd::Finished, |(_, ends)| ends);
        let needed = match ends {
            MigrateEnd::Finished => MigrateUntil::Configured,
            MigrateEnd::PrecheckFailed => MigrateUntil::Prechecked,
            MigrateEnd::Failed => MigrateUntil::Running,
        };
        if until < needed {
            let message = format!("a flow that goes until {} cannot end so", quoted(&fields.text_or("until", "")));
            let help = "go further with `until`, or leave `ends` out";
            self.problems.add(&fields.place("ends"), message, "never seen", help);
        }
        if fields.has("ends") {
            self.refuse_keys(fields, &["refused"], "`ends`", "a flow is refused or it ends; leave one out");
        }
        if until == MigrateUntil::CaughtUp && !incremental {
            let help = "add `incremental` to `types`, or go until `finished`";
            self.problems.add(&fields.place("until"), "only an incremental task catches up", "never seen", help);
        }
        let never_finishes = incremental && ends == MigrateEnd::Finished && !fields.has("refused");
        if until == MigrateUntil::Finished && never_finishes {
            let help = "go until `caught-up`, and stop the task with a `task` step (DTS-11)";
            self.problems.add(
                &fields.place("until"),
                "an incremental task never finishes by itself",
                "never seen",
                help,
            );
        }
        (until, ends)
    }

    /// The selected objects with their columns and new names.
    fn objects(&mut self, fields: &Fields) -> Option<Vec<Selection>> {
        if !fields.has("objects") && !fields.has("databases") {
            let help = "add `objects = [\"orders\"]` or `databases = [\"app\"]`; `objects = []` where none are meant";
            self.problems.add(&fields.span, "this step selects no objects", "`objects` is missing", help);
            return None;
        }
        let mut objects: Vec<Selection> = Vec::new();
        for word in fields.words("objects") {
            let Some((database, table)) = object(word.value) else {
                let message = format!("{} is no object", quoted(word.value));
                let help = "write `orders` for a table of `app`, `crm.customers` for one of `crm`, `app.*` for all";
                self.problems.add(&word.span, message, "not accepted", help);
                continue;
            };
            self.select(&mut objects, &word, database, (table != "*").then_some(table));
        }
        for word in fields.words("databases") {
            self.select(&mut objects, &word, word.value, None);
        }
        self.columns(fields, &mut objects);
        for entry in fields.map("rename") {
            if let Some(to) = entry.value.word() {
                self.rename(&mut objects, &entry.key, &to);
            }
        }
        Some(objects)
    }

    fn select(&mut self, objects: &mut Vec<Selection>, word: &Word<'_>, database: &str, table: Option<&str>) {
        let same = |object: &&Selection| object.database == database && object.table.as_deref() == table;
        if objects.iter().any(|object| same(&object)) {
            self.problems.add(&word.span, format!("{} is selected twice", quoted(word.value)), "again", "");
            return;
        }
        objects.push(Selection {
            database: database.to_owned(),
            table: table.map(str::to_owned),
            columns: None,
            database_as: None,
            table_as: None,
            columns_as: BTreeMap::new(),
        });
    }

    fn columns(&mut self, fields: &Fields, objects: &mut [Selection]) {
        for entry in fields.map("columns") {
            let columns = match &entry.value.value {
                Read::List(items) => items.iter().filter_map(|item| Some(item.word()?.value.to_owned())).collect(),
                _ => continue,
            };
            match selected(objects, &entry.key.value) {
                Some(object) => object.columns = Some(columns),
                None => self.not_selected(&entry.key, objects, "columns belong to a selected table"),
            }
        }
    }

    fn rename(&mut self, objects: &mut [Selection], key: &At<String>, to: &Word<'_>) {
        if let Some(why) = crate::read::wrong_name(to.value) {
            self.problems.add(&to.span, format!("{} is no name: {why}", quoted(to.value)), "no name", "");
            return;
        }
        if let Some(database) = key.value.strip_prefix("db:") {
            let mut any = false;
            for object in objects.iter_mut().filter(|object| object.database == database) {
                object.database_as = Some(to.value.to_owned());
                any = true;
            }
            if !any {
                self.not_selected(key, objects, "nothing of that database is selected");
            }
            return;
        }
        if let Some(object) = selected(objects, &key.value) {
            object.table_as = Some(to.value.to_owned());
            return;
        }
        let column = key.value.rsplit_once('.');
        match column.and_then(|(table, column)| Some((selected(objects, table)?, column))) {
            Some((object, column)) => drop(object.columns_as.insert(column.to_owned(), to.value.to_owned())),
            None => {
                self.not_selected(key, objects, "a table is renamed by its name, its column with a dot: `orders.item`")
            }
        }
    }

    fn not_selected(&mut self, key: &At<String>, objects: &[Selection], hint: &str) {
        let tables: Vec<String> = objects
            .iter()
            .map(|object| match &object.table {
                Some(table) if object.database == "app" => table.clone(),
                Some(table) => format!("{}.{table}", object.database),
                None => format!("db:{}", object.database),
            })
            .collect();
        let help = format!("{hint}; {}", accepted(&key.value, &tables, "selected are"));
        let whole = objects.iter().any(|object| object.table.is_none());
        let help = match whole && !key.value.starts_with("db:") {
            true => {
                format!("{help}; within a whole database tables keep their names and columns: select them one by one")
            }
            false => help.trim_end_matches("; ").to_owned(),
        };
        self.problems.add(&key.span, format!("{} is not selected", quoted(&key.value)), "not selected", help);
    }

    pub(super) fn task(&mut self, fields: &Fields) -> Option<TaskStep> {
        let of = self.find(&fields.word("of")?, Kind::Task)?;
        let asked = fields.word("do")?.value;
        let with = quoted(asked);
        let foreign = |own: &str, keys: &'static [&'static str]| if asked == own { &[] } else { keys };
        self.refuse_keys(fields, foreign("purchase", &["terms"]), &with, "it belongs to `purchase`");
        self.refuse_keys(fields, foreign("select", &SELECTION), &with, "it belongs to `select`");
        self.refuse_keys(fields, foreign("edit", &SIDES), &with, "it belongs to `edit`");
        let shields = matches!(asked, "shield" | "unshield");
        self.refuse_keys(
            fields,
            if shields { &[] } else { &["items"] },
            &with,
            "it belongs to `shield` and `unshield`",
        );
        let refused = fields.code("refused");
        let request = match asked {
            "shield" | "unshield" => {
                TaskRequest::Shield { items: fields.models("items").unwrap_or_default(), shielded: asked == "shield" }
            }
            "authorise" => TaskRequest::Authorise,
            "select" => TaskRequest::Select {
                types: types(fields),
                objects: self.objects(fields)?,
                same_name: fields.model("same_name").unwrap_or_default(),
                without_advice: fields.models("without_advice").unwrap_or_default(),
            },
            "precheck" => TaskRequest::Precheck,
            "confirm" => TaskRequest::Confirm,
            "purchase" => TaskRequest::Purchase { terms: fields.flag("terms").unwrap_or(true) },
            "start" => TaskRequest::Start,
            "pause" => TaskRequest::Pause,
            "resume" => TaskRequest::Resume,
            "stop" => TaskRequest::Stop,
            "delete" => TaskRequest::Delete,
            _ => self.edit(fields, &of, refused.is_none())?,
        };
        Some(TaskStep { of, request, refused })
    }

    fn edit(&mut self, fields: &Fields, of: &str, kept: bool) -> Option<TaskRequest> {
        let (source, target) = self.book.tasks.get(of)?.clone();
        let source = self.side(fields, "from", "source", Some(&source));
        let target = self.side(fields, "into", "target", Some(&target));
        let (source, target) = (source?, target?);
        if kept {
            self.book.tasks.insert(of.to_owned(), (source.clone(), target.clone()));
        }
        Some(TaskRequest::Edit { task_name: fields.text("name"), source, target })
    }
}

/// What is migrated where nothing is said.
pub(crate) fn default_types() -> BTreeSet<MigrationType> {
    [MigrationType::Structure, MigrationType::Full].into()
}

fn types(fields: &Fields) -> BTreeSet<MigrationType> {
    fields.models("types").unwrap_or_else(default_types)
}

/// Words for how a migration ends.
pub(crate) const ENDS: [(&str, MigrateEnd); 3] = [
    ("finished", MigrateEnd::Finished),
    ("precheck-failed", MigrateEnd::PrecheckFailed),
    ("failed", MigrateEnd::Failed),
];

/// Database and object of `orders`, `crm.customers`, `app.*`.
fn object(text: &str) -> Option<(&str, &str)> {
    object_in("app", text)
}

/// The same where another database is meant unless one is said.
pub(crate) fn object_in<'t>(database: &'t str, text: &'t str) -> Option<(&'t str, &'t str)> {
    let (database, table) = text.split_once('.').unwrap_or((database, text));
    let good = |part: &str| crate::read::wrong_name(part).is_none() && !part.contains(['.', '*']);
    (good(database) && (table == "*" && text.contains('.') || good(table))).then_some((database, table))
}

/// The selected table that a text names.
fn selected<'o>(objects: &'o mut [Selection], text: &str) -> Option<&'o mut Selection> {
    let (database, table) = object(text)?;
    objects.iter_mut().find(|object| object.database == database && object.table.as_deref() == Some(table))
}
