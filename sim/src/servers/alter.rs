//! Reads `ALTER`: of databases, of tables and of what else can be altered.

use super::extras;
use super::profile::Profile;
use super::statement::{Action, Cursor, SchemaChange, Statement, not_understood, parse};
use super::table_text;
use super::tokens::{name_list, quoted, quoted_list};
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;

/// The recovery models there are.
const RECOVERY_MODELS: [&str; 3] = ["full", "bulk_logged", "simple"];

fn alter_database(mut cursor: Cursor<'_>, profile: Profile) -> Result<Statement, DatabaseError> {
    let database = cursor.name()?;
    if !profile.recovery_models || !cursor.eat_all(&["set", "recovery"]) {
        return Err(not_understood(cursor.sql, "such a change of a database is not served"));
    }
    let model = cursor.name()?.to_ascii_lowercase();
    if !RECOVERY_MODELS.contains(&model.as_str()) {
        return Err(not_understood(cursor.sql, "there is no such recovery model"));
    }
    Ok(Statement::SetRecovery { database, model })
}

pub(super) fn alter(mut cursor: Cursor<'_>, profile: Profile) -> Result<Statement, DatabaseError> {
    if cursor.eat("database") {
        return alter_database(cursor, profile);
    }
    if profile.extensions && cursor.eat_all(&["event", "trigger"]) {
        return extras::alter_trigger(cursor).map(Statement::Extra);
    }
    if !cursor.eat("table") {
        // An altered view, routine or other definition takes the place of the old one.
        let text = format!("create or replace {}", cursor.rest());
        return parse(&text, profile);
    }
    let table = cursor.name()?;
    let checked = !(cursor.eat_all(&["with", "nocheck"]) || table_text::is_not_valid(cursor.all));
    cursor.eat_all(&["with", "check"]);
    if cursor.eat_all(&["rename", "to"]) {
        return Ok(Statement::Rename { table, to: cursor.name()? });
    }
    if cursor.eat_all(&["drop", "foreign", "key"]) || cursor.eat_all(&["drop", "constraint"]) {
        return Ok(Statement::DropConstraint { name: cursor.name()?, table });
    }
    for (word, enabled) in [("nocheck", false), ("check", true)] {
        if cursor.eat_all(&[word, "constraint"]) {
            return Ok(Statement::EnableForeignKey { name: cursor.name()?, table, enabled, checked });
        }
    }
    if cursor.eat("add") {
        let name = if cursor.eat("constraint") { cursor.name()? } else { String::new() };
        if cursor.is("foreign") {
            let (key, _) = table_text::foreign_key(cursor.sql, cursor.all, cursor.at, &table, name, Vec::new())?;
            return Ok(Statement::AddForeignKey { key, checked });
        }
        if cursor.eat("unique") {
            let _ = cursor.eat("key") || cursor.eat("index");
            let given = if cursor.is("(") { name } else { cursor.name()? };
            return unique_index(&cursor, table, given);
        }
        if cursor.all.iter().any(|token| token.is("references")) {
            return Err(not_understood(cursor.sql, "a foreign key is added with 'add constraint … foreign key'"));
        }
    }
    Ok(Statement::Schema(SchemaChange {
        action: Action::Alter,
        kind: ObjectKind::Table,
        name: table.clone(),
        table: Some(table),
        sql: cursor.sql.to_owned(),
        replaces: false,
        tolerant: false,
        definer: None,
        security: None,
    }))
}

/// A unique constraint added later is a unique index.
fn unique_index(cursor: &Cursor<'_>, table: String, name: String) -> Result<Statement, DatabaseError> {
    let columns = name_list(cursor.all, cursor.at).ok_or_else(|| not_understood(cursor.sql, "columns are missing"))?.0;
    let name = if name.is_empty() { format!("uq_{table}_{}", columns.join("_")) } else { name };
    let sql = format!("create unique index {} on {} ({})", quoted(&name), quoted(&table), quoted_list(&columns));
    Ok(Statement::Schema(SchemaChange {
        action: Action::Create,
        kind: ObjectKind::Index,
        name,
        table: Some(table),
        sql,
        replaces: false,
        tolerant: false,
        definer: None,
        security: None,
    }))
}
