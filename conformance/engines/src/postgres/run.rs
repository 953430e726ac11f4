//! Runs statements of an application, and makes objects from their descriptions.

use super::connection::Connection;
use super::describe::{go_on, marks};
use super::relation::Relation;
use super::script::{says, statements, verb};
use super::values::Shape;
use recovery::model::content::{Object, ObjectKind, Row, Value};
use recovery::ports::database::{DatabaseError, Outcome};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{Kind, Type};

/// How statements begin that give rows.
const ASKING: [&str; 9] = ["select", "values", "with", "table", "show", "explain", "fetch", "execute", "call"];
/// How statements begin that end or begin transactions by themselves.
const TRANSACTIONS: [&str; 6] = ["begin", "start", "commit", "rollback", "end", "abort"];

/// Runs a script: one transaction, unless it says where its transactions begin and end. A single statement runs by itself,
/// as some may only do.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn run(connection: &Connection, script: &str) -> Result<Outcome, DatabaseError> {
    let statements = statements(script);
    let own = statements.iter().any(|statement| TRANSACTIONS.contains(&verb(statement).as_str()));
    if statements.len() < 2 || own {
        let outcome = all(connection, &statements).await;
        if own && outcome.is_err() {
            // Where the script had not begun anything, this is a warning of the server.
            let _ = connection.execute("ROLLBACK").await;
        }
        return outcome;
    }
    connection.execute("BEGIN").await?;
    let outcome = all(connection, &statements).await;
    connection.end_writing(outcome).await
}

async fn all(connection: &Connection, statements: &[&str]) -> Result<Outcome, DatabaseError> {
    let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 };
    for statement in statements {
        let next = one(connection, statement).await?;
        outcome = Outcome { affected: outcome.affected + next.affected, ..next };
    }
    Ok(outcome)
}

async fn one(connection: &Connection, statement: &str) -> Result<Outcome, DatabaseError> {
    let verb = verb(statement);
    let asks = ASKING.contains(&verb.as_str());
    let mut shapes = Vec::new();
    if asks || says(statement, "returning") {
        // The text form of rows does not say what types they have; the statement prepared does.
        let prepared = connection.client().prepare(statement).await.map_err(|error| connection.means(&error))?;
        shapes = prepared.columns().iter().map(|column| shape(column.type_())).collect();
    }
    let answers = connection.client().simple_query(statement).await.map_err(|error| connection.means(&error))?;
    let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 };
    for answer in answers {
        match answer {
            SimpleQueryMessage::RowDescription(columns) => {
                outcome.columns = columns.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let value = |at: usize| {
                    let shape = shapes.get(at).copied().unwrap_or(Shape::Text);
                    row.get(at).map_or(Value::Null, |text| shape.value(text.to_owned()))
                };
                outcome.rows.push((0..row.len()).map(value).collect::<Row>());
            }
            SimpleQueryMessage::CommandComplete(count)
                if ["insert", "update", "delete", "merge", "copy"].contains(&verb.as_str()) =>
            {
                outcome.affected = count;
            }
            SimpleQueryMessage::CommandComplete(count) if verb == "with" && outcome.columns.is_empty() => {
                outcome.affected = count;
            }
            _ => {}
        }
    }
    Ok(outcome)
}

fn shape(of: &Type) -> Shape {
    match of.kind() {
        Kind::Domain(base) => shape(base),
        _ => Shape::of(of.oid()),
    }
}

/// Makes an object. What a routine's text names need not be there yet; a schema that is there need not be made.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn create(connection: &Connection, object: &Object) -> Result<(), DatabaseError> {
    connection.execute("BEGIN; SET LOCAL search_path = public; SET LOCAL check_function_bodies = off").await?;
    let outcome = in_transaction(connection, object).await;
    connection.end_writing(outcome).await
}

async fn in_transaction(connection: &Connection, object: &Object) -> Result<(), DatabaseError> {
    for statement in statements(&object.definition) {
        if statement.starts_with("CREATE SCHEMA IF NOT EXISTS ") && has_schema(connection, statement).await? {
            continue;
        }
        connection.execute(statement).await?;
    }
    if object.kind == ObjectKind::Table {
        go_on_as_marked(connection, object).await?;
    }
    Ok(())
}

/// Who may not make schemas may not say so either, even of one that is there.
async fn has_schema(connection: &Connection, statement: &str) -> Result<bool, DatabaseError> {
    let name = statement.trim_start_matches("CREATE SCHEMA IF NOT EXISTS ").trim();
    let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = (parse_ident($1))[1])";
    Ok(connection.one(sql, &[&name]).await?.get(0))
}

/// Lets the `serial` columns of a table that was made go on where its description says.
async fn go_on_as_marked(connection: &Connection, table: &Object) -> Result<(), DatabaseError> {
    let marks = marks(&table.definition);
    if marks.is_empty() {
        return Ok(());
    }
    let place = Relation::find(connection, &table.name).await?.quoted;
    let sql = "SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 \
               AND a.attidentity = '' AND NOT a.attisdropped AND EXISTS (SELECT FROM pg_depend d \
                 JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' \
                 WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = d.classid \
                 AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'a') ORDER BY a.attnum";
    let columns = connection.query(sql, &[&place]).await?;
    for (column, next) in columns.iter().zip(marks) {
        connection.execute(&go_on(&place, column.get(0), next)).await?;
    }
    Ok(())
}
