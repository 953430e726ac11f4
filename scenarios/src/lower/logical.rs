//! Logical backup and restore, and Redis backups.

use super::Lower;
use super::book::Kind;
use super::steps::AT_MOST;
use crate::action::RestorePoint;
use crate::error::quoted;
use crate::fields::{At, Fields, Word};
use crate::logical::{
    DataSourceStep, DownloadStep, LogicalBackupStep, LogicalTaskRequest, LogicalTaskStep, RecoverStep,
    RemoveDataSourceStep, RestoreEnd, RestoreRequest, RestoreStep, RestoreTaskStep, RestoreUntil, SetEnd, SourceName,
};
use crate::read::wrong_name;
use recovery::model::content::ObjectKind;
use recovery::model::logical::backup::LogicalType;
use recovery::model::logical::restore::{
    Branch, DataConflict, RestoreObjects, RestoreType, StructureConflict, TableMapping,
};
use recovery::model::product::Engine;
use recovery::model::task::ConnectionMode;
use serde::de::DeserializeOwned;

/// Characters of a name in the service at most.
const SERVICE_NAME_MAX: usize = 64;

pub(crate) const UNTIL: [(&str, RestoreUntil); 4] = [
    ("saved", RestoreUntil::Saved),
    ("checked", RestoreUntil::Checked),
    ("started", RestoreUntil::Started),
    ("finished", RestoreUntil::Finished),
];

pub(crate) const ENDS: [(&str, RestoreEnd); 4] = [
    ("completed", RestoreEnd::Completed),
    ("check-failed", RestoreEnd::CheckFailed),
    ("failed", RestoreEnd::Failed),
    ("stopped", RestoreEnd::Stopped),
];

impl Lower {
    pub(super) fn data_source(&mut self, fields: &Fields) -> Option<DataSourceStep> {
        let instance = self.find(&fields.word("instance")?, Kind::Instance)?;
        let place = fields.place("instance");
        let login = self.login(&instance, &place, fields.word("account"), fields.secret("password"));
        let refused = fields.code("refused");
        let name = match refused {
            Some(_) => {
                self.refuse_keys(fields, &["as"], "`refused`", "a refused step registers nothing; leave `as` out");
                None
            }
            None => Some(self.needed_name(fields, Kind::Source)?),
        };
        if let Some(name) = &name {
            self.book.sources.insert(name.clone(), instance.clone());
        }
        Some(DataSourceStep {
            service_name: service_name(fields, name.as_deref().unwrap_or(&instance)),
            name,
            instance,
            login: login?,
            connection: fields.model("connection").unwrap_or(ConnectionMode::Plain),
            refused,
        })
    }

    /// The name `as` gives; a step that is not refused needs one.
    fn needed_name(&mut self, fields: &Fields, kind: Kind) -> Option<String> {
        let Some(name) = fields.word("as") else {
            let message = format!("this step gives the new {kind} no name");
            let help = "add `as = \"NAME\"`, or `refused = \"CODE\"` where it must be refused";
            self.problems.add(&fields.span, message, "`as` is missing", help);
            return None;
        };
        self.declare(&name, kind).then(|| name.value.to_owned())
    }

    pub(super) fn remove_data_source(
        &mut self,
        word: Option<Word<'_>>,
        table: Option<&Fields>,
    ) -> Option<RemoveDataSourceStep> {
        let of = word.or_else(|| table?.word("of"))?;
        match self.book.kind(of.value) {
            Some(Kind::Source | Kind::Instance) => {}
            _ => {
                self.unknown(&of, "data source", &[Kind::Source, Kind::Instance]);
                return None;
            }
        }
        Some(RemoveDataSourceStep { of: of.value.to_owned(), refused: table.and_then(|table| table.code("refused")) })
    }

    /// A data source by its name, or by the instance it is registered for. What a refused step names may be unknown when
    /// it looks like an id.
    fn source(&mut self, word: &Word<'_>, refused: bool) -> Option<SourceName> {
        let text = word.value.to_owned();
        match self.book.kind(word.value) {
            Some(Kind::Source) => Some(SourceName::Registered(text)),
            Some(Kind::Instance) => {
                let login = self.login(word.value, &word.span, None, None)?;
                Some(SourceName::Instance { instance: text, login })
            }
            None if refused && text.starts_with("ds-") => Some(SourceName::Unknown(text)),
            _ => {
                self.unknown(word, "data source or instance", &[Kind::Source, Kind::Instance]);
                None
            }
        }
    }

    pub(super) fn logical_backup(&mut self, fields: &Fields) -> Option<LogicalBackupStep> {
        let refused = fields.code("refused");
        let word = fields.word("of")?;
        let of = self.source(&word, refused.is_some());
        let (wait, ends) = self.set_end(fields);
        let name = match refused {
            Some(_) => {
                self.refuse_keys(fields, &["as", "ends"], "`refused`", "a refused step makes no task; leave it out");
                None
            }
            None => Some(self.needed_name(fields, Kind::LogicalTask)?),
        };
        let of = of?;
        let backup_type = fields.model("type").unwrap_or(default_type(self.book.engine_of(&of)));
        let schedule = fields.table("schedule");
        Some(LogicalBackupStep {
            of,
            service_name: service_name(fields, name.as_deref().unwrap_or(word.value)),
            name,
            backup_type,
            databases: fields.texts("databases").unwrap_or_default(),
            schedule: schedule.and_then(|at| Some((at.models("weekdays")?, at.whole("hour")?))),
            retention_days: fields.whole("retention_days"),
            refused,
            wait,
            ends,
        })
    }

    /// `wait` and `ends` of a step that makes a set.
    fn set_end(&mut self, fields: &Fields) -> (bool, SetEnd) {
        let wait = fields.flag("wait").unwrap_or(true);
        if !wait {
            self.refuse_keys(fields, &["ends"], "`wait = false`", "a step that does not wait sees no end");
        }
        let failed = fields.word("ends").is_some_and(|ends| ends.value == "failed");
        (wait, if failed { SetEnd::Failed } else { SetEnd::Completed })
    }

    pub(super) fn logical_task(&mut self, fields: &Fields) -> Option<LogicalTaskStep> {
        let of = self.find(&fields.word("of")?, Kind::LogicalTask)?;
        let refused = fields.code("refused");
        if fields.word("do")?.value == "stop" {
            self.refuse_keys(fields, &["as", "wait", "ends"], "`stop`", "it belongs to `run`");
            return Some(LogicalTaskStep { of, request: LogicalTaskRequest::Stop, refused });
        }
        if refused.is_some() {
            self.refuse_keys(fields, &["as", "ends"], "`refused`", "a refused step takes no set; leave it out");
        }
        let (wait, ends) = self.set_end(fields);
        let name = fields.word("as").filter(|_| refused.is_none()).filter(|name| self.declare(name, Kind::Set));
        let name = name.map(|name| name.value.to_owned());
        Some(LogicalTaskStep { of, request: LogicalTaskRequest::Run { name, wait, ends }, refused })
    }

    /// A set by its name: one that a step named, the first one of a task, or `TASK log`.
    pub(super) fn set_named(&mut self, word: &Word<'_>) -> Option<String> {
        let backed_up =
            |task: &str| self.book.is(task, Kind::LogicalTask) || self.book.foreseen(task, Kind::LogicalTask);
        let log_of = word.value.strip_suffix(" log").is_some_and(backed_up);
        let comes = self.book.foreseen(word.value, Kind::Set) || self.book.foreseen(word.value, Kind::LogicalTask);
        match self.book.kind(word.value) {
            Some(Kind::Set | Kind::LogicalTask) => Some(word.value.to_owned()),
            None if log_of || comes => Some(word.value.to_owned()),
            None => {
                self.unknown(word, "backup set", &[Kind::Set, Kind::LogicalTask]);
                None
            }
            Some(_) => self.find(word, Kind::Set),
        }
    }

    pub(super) fn logical_restore(&mut self, fields: &Fields) -> Option<RestoreStep> {
        let refused = fields.code("refused");
        let task = self.find(&fields.word("task")?, Kind::LogicalTask);
        let of = match fields.word("of") {
            Some(of) => Some(self.source(&of, refused.is_some())?),
            None => None,
        };
        let into = self.source(&fields.word("into")?, refused.is_some());
        let point = match fields.word("set") {
            Some(set) if set.value == "latest" => Some(RestorePoint::LatestBackup),
            Some(set) => self.set_named(&set).map(RestorePoint::Backup),
            None => self.point_in_time(fields),
        };
        let (until, ends) = self.restore_end(fields);
        let (objects, mapping) = (self.restored_objects(fields), self.mapping(fields));
        let name = fields.word("as").filter(|name| self.declare(name, Kind::Restore));
        let (name, task) = (name.map(|name| name.value.to_owned()), task?);
        let otherwise = || format!("restore of {task}");
        Some(RestoreStep {
            service_name: service_name(fields, &name.clone().unwrap_or_else(otherwise)),
            task,
            of,
            point: point?,
            into: into?,
            name,
            types: fields.models("types").unwrap_or([RestoreType::Structure, RestoreType::Full].into()),
            objects: objects?,
            mapping,
            structure_conflict: fields.model("structure_conflict").unwrap_or(StructureConflict::Stop),
            data_conflict: fields.model("data_conflict").unwrap_or(DataConflict::Stop),
            until,
            ends,
            refused,
            covered: fields.flag("covered").unwrap_or(refused.is_none()),
            at_most: fields.time("at_most").unwrap_or(AT_MOST),
        })
    }

    fn restore_end(&mut self, fields: &Fields) -> (RestoreUntil, RestoreEnd) {
        let until = chosen(fields, "until", &UNTIL).unwrap_or(RestoreUntil::Finished);
        let ends = chosen(fields, "ends", &ENDS).unwrap_or(RestoreEnd::Completed);
        let needed = match ends {
            RestoreEnd::Completed => RestoreUntil::Saved,
            RestoreEnd::CheckFailed => RestoreUntil::Checked,
            RestoreEnd::Failed | RestoreEnd::Stopped => RestoreUntil::Finished,
        };
        if until < needed {
            let message = format!("a flow that goes until {} cannot end so", quoted(&fields.text_or("until", "")));
            let help = "go further with `until`, or leave `ends` out";
            self.problems.add(&fields.place("ends"), message, "never seen", help);
        }
        if fields.has("refused") {
            self.refuse_keys(fields, &["ends"], "`refused`", "a flow is refused or it ends; leave one out");
        }
        (until, ends)
    }

    /// `app`, `app.table`, `app.table.orders`; everything where nothing is said.
    fn restored_objects(&mut self, fields: &Fields) -> Option<RestoreObjects> {
        if !fields.has("objects") {
            return Some(RestoreObjects::All);
        }
        let mut branches = Vec::new();
        for word in fields.words("objects") {
            let mut parts = word.value.splitn(3, '.');
            let (database, kind, name) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            let no_name = [Some(database), name].into_iter().flatten().any(|part| wrong_name(part).is_some());
            let known: Option<ObjectKind> = kind.and_then(|kind| At { span: 0..0, value: kind }.model());
            if no_name || kind.is_some() && known.is_none() {
                let message = format!("{} is no branch of the tree of objects", quoted(word.value));
                let help = "write `app` for a database, `app.table` for a kind of objects in it, `app.table.orders` for \
                            one object";
                self.problems.add(&word.span, message, "not accepted", help);
                return None;
            }
            branches.push(Branch { database: database.into(), kind: known, name: name.map(str::to_owned) });
        }
        Some(RestoreObjects::Custom { branches })
    }

    fn mapping(&mut self, fields: &Fields) -> Vec<TableMapping> {
        let mut mapping = Vec::new();
        for entry in fields.map("mapping") {
            let Some(to) = entry.value.word() else { continue };
            match self.table_named(&entry.key) {
                Some((database, table)) => {
                    mapping.push(TableMapping { database, table, table_as: to.value.to_owned() });
                }
                None => continue,
            }
        }
        mapping
    }

    pub(super) fn restore_task(&mut self, fields: &Fields) -> Option<RestoreTaskStep> {
        let of = self.find(&fields.word("of")?, Kind::Restore)?;
        let request = match fields.word("do")?.value {
            "precheck" => RestoreRequest::Precheck,
            "start" => RestoreRequest::Start,
            _ => RestoreRequest::Delete,
        };
        Some(RestoreTaskStep { of, request, refused: fields.code("refused") })
    }

    pub(super) fn recover(&mut self, fields: &Fields) -> Option<RecoverStep> {
        let instance = self.find(&fields.word("instance")?, Kind::Instance);
        let set = match fields.word("set") {
            Some(set) if set.value == "latest" => Some(set.value.to_owned()),
            Some(set) => Some(self.find(&set, Kind::Backup)?),
            None => None,
        };
        Some(RecoverStep {
            instance: instance?,
            set,
            confirm: fields.flag("confirm").unwrap_or(true),
            refused: fields.code("refused"),
            wait: fields.flag("wait").unwrap_or(true),
        })
    }

    pub(super) fn download(&mut self, word: Option<Word<'_>>, table: Option<&Fields>) -> Option<DownloadStep> {
        let backup = self.find(&word.or_else(|| table?.word("backup"))?, Kind::Backup)?;
        let old_link = table.and_then(|table| table.word("link")).is_some_and(|link| link.value == "old");
        if let Some(table) = table.filter(|_| old_link && !self.book.downloaded.contains(&backup)) {
            let message = format!("no step before this one was given a link to {}", quoted(&backup));
            self.problems.add(&table.place("link"), message, "no old link", "download it before, with a new link");
        }
        let refused = table.and_then(|table| table.code("refused"));
        if refused.is_none() {
            self.book.downloaded.insert(backup.clone());
        }
        Some(DownloadStep { backup, old_link, refused })
    }
}

impl super::Book {
    /// Whether a text is `TASK set`: the first set of a logical backup task, where the task's name alone is the task.
    pub(super) fn is_first_set(&self, text: &str) -> bool {
        text.strip_suffix(" set").is_some_and(|task| self.is(task, Kind::LogicalTask))
    }
}

impl At<&str> {
    /// The text as one word of an enum of the model.
    fn model<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(self.value)).ok()
    }
}

/// What is backed up where nothing is said.
pub(crate) fn default_type(engine: Option<Engine>) -> LogicalType {
    match engine {
        Some(Engine::MySql) => LogicalType::StructureFullLog,
        _ => LogicalType::StructureFull,
    }
}

/// The name in the service where none is said: the scenario's, no longer than the service takes.
pub(crate) fn default_service_name(otherwise: &str) -> String {
    otherwise.chars().take(SERVICE_NAME_MAX).collect()
}

/// The name in the service: what is said, or the scenario's, no longer than the service takes.
fn service_name(fields: &Fields, otherwise: &str) -> String {
    fields.text("name").unwrap_or_else(|| default_service_name(otherwise))
}

fn chosen<T: Copy>(fields: &Fields, key: &str, words: &[(&str, T)]) -> Option<T> {
    let word = fields.word(key)?;
    words.iter().find(|(name, _)| *name == word.value).map(|(_, chosen)| *chosen)
}
