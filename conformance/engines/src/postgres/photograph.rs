//! The content of a server as it truly is, looked at as its administrator.

use super::connection::Connection;
use super::describe::{self, Described};
use super::machine::{connect, control, databases};
use super::quote::idents;
use super::relation::Relation;
use super::values::{Shape, decode};
use super::{accounts, session};
use crate::engine::{Ground, Server};
use futures_util::TryStreamExt;
use recovery::model::content::{ObjectKind, Row};
use recovery::model::photograph::{
    Photograph, PhotographedAccount, PhotographedDatabase, PhotographedObject, Rows, password_mark,
};
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::pin::pin;

/// Tables up to this many rows are photographed row by row.
const WHOLE_ROWS_MAX: usize = 1000;

/// Takes a photograph.
///
/// # Errors
/// When the server does not answer.
pub async fn take(ground: &Ground, server: &Server) -> Result<Photograph, DatabaseError> {
    let control = control(server).await?;
    let mut photograph = Photograph {
        databases: BTreeMap::new(),
        accounts: BTreeMap::new(),
        settings: BTreeMap::new(),
        log_position: session::position(&control).await?.0,
    };
    for (name, charset) in databases(&control).await? {
        let connection = connect(server, &name).await?;
        photograph.databases.insert(name, PhotographedDatabase { charset, objects: objects(&connection).await? });
    }
    for account in accounts::all(&control).await? {
        let mut mark = String::new();
        for password in ground.passwords.of(&account.name) {
            if accounts::accepts(server, &account.name, &password).await {
                mark = password_mark(&password);
                break;
            }
        }
        let photographed = PhotographedAccount { password_mark: mark, grants: account.grants };
        photograph.accounts.insert(account.name, photographed);
    }
    Ok(photograph)
}

/// All objects of a database, as of one instant, by kind and name. Those whose names belong to their table alone are
/// called with it where another table has one of the same name.
async fn objects(connection: &Connection) -> Result<BTreeMap<String, PhotographedObject>, DatabaseError> {
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = public").await?;
    let found = describe::within(connection).await?;
    let mut objects = BTreeMap::new();
    for Described { object, lasting, enabled, .. } in found {
        let rows = if object.kind == ObjectKind::Table {
            Some(rows(connection, &object.name, &object.key).await?)
        } else {
            None
        };
        let word = word(object.kind);
        let mut entry = format!("{word} {}", object.name);
        if let (true, Some(table)) = (objects.contains_key(&entry), &object.table) {
            entry = format!("{word} {} of {table}", object.name);
        }
        let photographed = PhotographedObject {
            kind: object.kind,
            name: object.name,
            definition: lasting.split_whitespace().collect::<Vec<_>>().join(" "),
            definer: None,
            security: None,
            enabled,
            needs: object.needs,
            rows,
        };
        objects.insert(entry, photographed);
    }
    connection.execute("COMMIT").await?;
    Ok(objects)
}

/// A kind's word, as everywhere on photographs.
fn word(kind: ObjectKind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A table's rows in an order of their own, so that where they lie does not count.
async fn rows(connection: &Connection, table: &str, key: &[String]) -> Result<Rows, DatabaseError> {
    let relation = Relation::find(connection, table).await?;
    let columns: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let shapes: Vec<Shape> = relation.columns.iter().map(|column| column.shape).collect();
    let sql = format!(
        "COPY (SELECT {} FROM ONLY {} AS \"firedrill row\" ORDER BY \"firedrill row\"::text COLLATE \"C\") TO STDOUT",
        idents(&columns),
        relation.quoted
    );
    let stream = connection.client().copy_out(&sql).await.map_err(|error| connection.means(&error))?;
    let mut stream = pin!(stream);
    let (mut whole, mut hash, mut count): (Vec<Row>, Sha256, u64) = (Vec::new(), Sha256::new(), 0);
    while let Some(line) = stream.try_next().await.map_err(|error| connection.means(&error))? {
        let row = decode(line.strip_suffix(b"\n").unwrap_or(&line), &shapes)?;
        hash.update(serde_json::to_vec(&row).unwrap_or_default());
        hash.update(b"\n");
        count += 1;
        if whole.len() <= WHOLE_ROWS_MAX {
            whole.push(row);
        }
    }
    if whole.len() <= WHOLE_ROWS_MAX {
        return Ok(Rows::Whole { columns, key: key.to_vec(), rows: whole });
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Rows::Digest { count, sha256 })
}
