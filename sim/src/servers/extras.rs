//! What a PostgreSQL database has beside objects: event triggers and extensions.
//!
//! What is modelled: an event trigger whose function raises an exception lets no command through that it fires for; what
//! else such a function does is not played, as routines are kept and not run. An extension brings its types along, and no
//! table has a column of such a type without it.

use super::catalogue::{Catalogue, key};
use super::ddl::Place;
use super::profile::word;
use super::server::{Actor, Server};
use super::statement::{Action, Cursor, Statement, not_understood};
use super::tokens::{TokenKind, tokens};
use recovery::model::content::ObjectKind;
use recovery::model::instance::Rights;
use recovery::ports::database::{self, DatabaseError, Extensions};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The extensions that can be installed; each brings the type of its name.
const OFFERED: [&str; 4] = ["citext", "cube", "hstore", "ltree"];
/// Events at which a trigger can fire, and those at which it fires for every command.
const EVENTS: [&str; 4] = ["ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite"];
const OF_COMMANDS: [&str; 2] = ["ddl_command_start", "ddl_command_end"];

/// An event trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventTrigger {
    /// What it fires at.
    event: String,
    /// The commands it fires for; all of them where there are none.
    tags: Vec<String>,
    /// The function it runs.
    function: String,
    /// Whether it is switched on.
    enabled: bool,
}

/// A change of event triggers or extensions.
#[derive(Debug, Clone)]
pub(super) enum Extra {
    /// Makes an event trigger.
    CreateTrigger(String, EventTrigger),
    /// Switches an event trigger on or off.
    EnableTrigger(String, bool),
    /// Drops an event trigger, which may be missing.
    DropTrigger(String, bool),
    /// Installs an extension, which may be there.
    CreateExtension(String, bool),
    /// Takes an extension away, which may be missing.
    DropExtension(String, bool),
}

impl Extra {
    fn name(&self) -> &str {
        match self {
            Self::CreateTrigger(name, _)
            | Self::EnableTrigger(name, _)
            | Self::DropTrigger(name, _)
            | Self::CreateExtension(name, _)
            | Self::DropExtension(name, _) => name,
        }
    }
}

/// Whether what is made or dropped is an event trigger or an extension.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    let next = cursor.all.get(cursor.at + 1);
    cursor.is("extension") || (cursor.is("event") && next.is_some_and(|token| token.is("trigger")))
}

/// Reads what stands after `CREATE`.
pub(super) fn create(mut cursor: Cursor<'_>) -> Result<Extra, DatabaseError> {
    if cursor.eat("extension") {
        let tolerant = cursor.eat_all(&["if", "not", "exists"]);
        return Ok(Extra::CreateExtension(cursor.name()?, tolerant));
    }
    cursor.at += 2;
    let name = cursor.name()?;
    let sql = cursor.sql;
    let bad = |what: &str| not_understood(sql, what);
    if !cursor.eat("on") {
        return Err(bad("ON is missing"));
    }
    let event = cursor.name()?.to_ascii_lowercase();
    if !EVENTS.contains(&event.as_str()) {
        return Err(bad("there is no such event"));
    }
    let mut tags = Vec::new();
    if cursor.eat_all(&["when", "tag", "in"]) {
        while let Some(token) = cursor.peek().filter(|token| !token.is("execute")) {
            tags.extend(Some(token.name().to_uppercase()).filter(|_| token.kind == TokenKind::Text));
            cursor.at += 1;
        }
    }
    if !cursor.eat_all(&["execute", "procedure"]) && !cursor.eat_all(&["execute", "function"]) {
        return Err(bad("EXECUTE PROCEDURE is missing"));
    }
    let function = cursor.name()?;
    Ok(Extra::CreateTrigger(name, EventTrigger { event, tags, function, enabled: true }))
}

/// Reads what stands after `DROP`.
pub(super) fn drop_extra(mut cursor: Cursor<'_>) -> Result<Extra, DatabaseError> {
    let is_extension = cursor.eat("extension");
    if !is_extension {
        cursor.at += 2;
    }
    let tolerant = cursor.eat_all(&["if", "exists"]);
    let name = cursor.name()?;
    Ok(if is_extension { Extra::DropExtension(name, tolerant) } else { Extra::DropTrigger(name, tolerant) })
}

/// Reads what stands after `ALTER EVENT TRIGGER`.
pub(super) fn alter_trigger(mut cursor: Cursor<'_>) -> Result<Extra, DatabaseError> {
    let name = cursor.name()?;
    let enabled = cursor.eat("enable");
    if !enabled && !cursor.eat("disable") {
        return Err(not_understood(cursor.sql, "an event trigger is enabled or disabled"));
    }
    Ok(Extra::EnableTrigger(name, enabled))
}

/// The command a statement is, as event triggers know it; none for statements that fire none.
fn tag(statement: &Statement) -> Option<String> {
    let of = |verb: &str, kind: ObjectKind| Some(format!("{verb} {}", word(kind).replace('-', " ").to_uppercase()));
    match statement {
        Statement::CreateTable(_) => of("CREATE", ObjectKind::Table),
        Statement::Schema(change) => match change.action {
            Action::Create => of("CREATE", change.kind),
            Action::Alter => of("ALTER", change.kind),
            Action::Drop => of("DROP", change.kind),
        },
        Statement::Define(new) => of("CREATE", new.kind),
        Statement::Undefine { kind, .. } => of("DROP", *kind),
        Statement::Rename { .. }
        | Statement::AddForeignKey { .. }
        | Statement::DropConstraint { .. }
        | Statement::EnableForeignKey { .. } => of("ALTER", ObjectKind::Table),
        Statement::Extra(Extra::CreateExtension(..)) => Some("CREATE EXTENSION".to_owned()),
        Statement::Extra(Extra::DropExtension(..)) => Some("DROP EXTENSION".to_owned()),
        // PostgreSQL fires none for databases and for event triggers themselves, and none here for truncations.
        Statement::Plain { .. }
        | Statement::Nothing
        | Statement::ForeignKeyChecks(_)
        | Statement::Truncate { .. }
        | Statement::CreateDatabase { .. }
        | Statement::SetRecovery { .. }
        | Statement::PurgeLog(_)
        | Statement::Extra(_)
        | Statement::DropDatabase { .. } => None,
    }
}

/// What a function raises, wherever in its body.
fn raised(text: &str) -> Option<String> {
    let all = tokens(text);
    let bodies = all.iter().filter_map(|token| {
        let (tag, body) = token.text.strip_prefix('$')?.split_once('$')?;
        body.strip_suffix(&format!("${tag}$"))
    });
    if let Some(why) = bodies.into_iter().find_map(raised) {
        return Some(why);
    }
    let at = all.windows(2).position(|pair| pair[0].is("raise") && pair[1].is("exception"))?;
    all.get(at + 2).filter(|token| token.kind == TokenKind::Text).map(|token| token.name())
}

/// The extension a declared type belongs to, unless a type of the database's own has that name.
fn extension_of(catalogue: &Catalogue, declared: &str) -> Option<&'static str> {
    let kind = declared.split(['(', ' ', '[']).next().unwrap_or_default();
    let own = catalogue.definitions.contains_key(&key(ObjectKind::Type, kind));
    OFFERED.into_iter().find(|name| !own && name.eq_ignore_ascii_case(kind))
}

/// The extensions of a database, and which tables need which.
fn extensions(catalogue: &Catalogue) -> Extensions {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, shape) in &catalogue.tables {
        for extension in shape.columns.iter().filter_map(|column| extension_of(catalogue, &column.declared)) {
            used.entry(table.clone()).or_default().insert(extension.to_owned());
        }
    }
    Extensions { installed: catalogue.extensions.clone(), used }
}

impl Server {
    /// Fires the event triggers of a command that a session runs.
    pub(super) fn fire(&self, actor: &Actor, database: &str, statement: &Statement) -> Result<(), DatabaseError> {
        let (Some(db), Some(tag)) = (self.databases.get(database), tag(statement)) else { return Ok(()) };
        let fires = |trigger: &&EventTrigger| {
            let meant = trigger.tags.is_empty() || trigger.tags.contains(&tag);
            trigger.enabled && meant && OF_COMMANDS.contains(&trigger.event.as_str())
        };
        let fired = db.catalogue.event_triggers.values().filter(|_| actor.checked).filter(fires);
        let function = |trigger: &EventTrigger| key(ObjectKind::Function, &trigger.function);
        let mut texts = fired.filter_map(|trigger| db.catalogue.definitions.get(&function(trigger)));
        match texts.find_map(|definition| raised(&definition.text)) {
            Some(why) => Err(DatabaseError::Statement(why)),
            None => Ok(()),
        }
    }

    /// Changes event triggers or extensions; both take a superuser.
    pub(super) fn change_extra(&mut self, at: &mut Place<'_>, extra: Extra) -> Result<(), DatabaseError> {
        let name = extra.name().to_owned();
        if at.actor.checked && self.rights(&at.actor.account)? < Rights::Owner {
            let what = format!("change event triggers and extensions ({name})");
            return Err(DatabaseError::NotPermitted { account: at.actor.account.clone(), what });
        }
        let missing = || DatabaseError::NoSuchObject(name.clone());
        let catalogue = Arc::make_mut(&mut self.db_mut(at.database)?.catalogue);
        let used = extensions(catalogue).used;
        let (there, done) = match extra {
            Extra::CreateTrigger(_, trigger) => {
                if !catalogue.definitions.contains_key(&key(ObjectKind::Function, &trigger.function)) {
                    return Err(DatabaseError::NoSuchObject(trigger.function));
                }
                if catalogue.event_triggers.contains_key(&name) {
                    return Err(DatabaseError::ObjectExists(name));
                }
                catalogue.event_triggers.insert(name.clone(), trigger);
                (true, true)
            }
            Extra::EnableTrigger(_, enabled) => {
                catalogue.event_triggers.get_mut(&name).ok_or_else(missing)?.enabled = enabled;
                (true, true)
            }
            Extra::DropTrigger(_, tolerant) => {
                let dropped = catalogue.event_triggers.remove(&name).is_some();
                (dropped || tolerant, dropped)
            }
            Extra::CreateExtension(_, _) if !OFFERED.contains(&name.as_str()) => {
                return Err(DatabaseError::Statement(format!("extension {name} is not available")));
            }
            Extra::CreateExtension(_, tolerant) => {
                let made = catalogue.extensions.insert(name.clone());
                if !made && !tolerant {
                    return Err(DatabaseError::ObjectExists(name));
                }
                (true, made)
            }
            Extra::DropExtension(_, tolerant) => {
                if let Some((table, _)) = used.iter().find(|(_, extensions)| extensions.contains(&name)) {
                    let why = format!("cannot drop extension {name} because table {table} depends on it");
                    return Err(DatabaseError::Statement(why));
                }
                let dropped = catalogue.extensions.remove(&name);
                (dropped || tolerant, dropped)
            }
        };
        if !there {
            return Err(missing());
        }
        if done {
            let text = at.text;
            self.log_ddl(at, &name, text);
        }
        Ok(())
    }

    /// Refuses a table with a column of a type whose extension is not installed.
    pub(super) fn knows_types(&self, database: &str, table: &str) -> Result<(), DatabaseError> {
        let catalogue = &self.db(database)?.catalogue;
        let Some((_, shape)) = catalogue.table(table).filter(|_| self.profile.extensions) else { return Ok(()) };
        let needed = shape.columns.iter().filter_map(|column| extension_of(catalogue, &column.declared));
        match needed.into_iter().find(|extension| !catalogue.extensions.contains(*extension)) {
            Some(kind) => Err(DatabaseError::Statement(format!("type \"{kind}\" does not exist"))),
            None => Ok(()),
        }
    }

    /// What the server tells of its event triggers and extensions.
    pub(super) fn told_extras(&self, told: &mut database::Circumstances) {
        if !self.profile.extensions {
            return;
        }
        for (name, db) in &self.databases {
            let enabled = db.catalogue.event_triggers.iter().filter(|(_, trigger)| trigger.enabled);
            told.event_triggers.extend(enabled.map(|(own, trigger)| database::EventTrigger {
                database: name.clone(),
                name: own.clone(),
                event: trigger.event.clone(),
                tags: trigger.tags.clone(),
                function: trigger.function.clone(),
            }));
            told.extensions.insert(name.clone(), extensions(&db.catalogue));
        }
        told.offered_extensions = Some(OFFERED.map(str::to_owned).into());
    }
}
