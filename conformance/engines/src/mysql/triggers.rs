//! Triggers that must not act on rows being loaded.
//!
//! A structure migration makes MySQL's triggers before the rows (prechecks.md 5.2), and neither MySQL nor MariaDB can keep a
//! trigger from acting on a session's rows. So while a chunk is written into a table that has some, they are taken away
//! and made again, each as it was. They are written down beforehand among the claims: where the session ends in between,
//! the next that claims the task makes them again.

use super::claims::{BOOKS, Claim};
use super::line::{Line, Mode};
use super::quote;
use recovery::ports::database::DatabaseError;

/// Seconds to wait until another session has woken the triggers of a table.
const TURN_S: u32 = 45;

/// Triggers that were taken away.
#[must_use]
pub(super) struct Asleep {
    task: String,
    /// The lock that is held meanwhile.
    lock: Option<String>,
}

/// Takes the triggers of a table away, if it has any.
pub(super) async fn put_to_sleep(
    line: &mut Line,
    claim: Option<&Claim>,
    database: &str,
    table: &str,
) -> Result<Asleep, DatabaseError> {
    let none = Asleep { task: String::new(), lock: None };
    if names(line, database, table).await?.is_empty() {
        return Ok(none);
    }
    let Some(claim) = claim else {
        let why = format!("table {table} has triggers, which would act on the rows: claim a task first, or drop them");
        return Err(DatabaseError::Statement(why));
    };
    let lock = quote::text(&format!("{BOOKS}.t.{:x}", super::layout::hashed(&[database, table])));
    let got: Option<Option<i64>> = line.first(&format!("SELECT GET_LOCK({lock}, {TURN_S})")).await?;
    if got.flatten() != Some(1) {
        return Err(DatabaseError::Unreachable(format!("another session writes into {table} for too long")));
    }
    let asleep = Asleep { task: claim.task.clone(), lock: Some(lock) };
    let taken = take_away(line, claim, database, table).await;
    if taken.is_err() {
        asleep.wake(line).await?;
        return Err(taken.err().unwrap_or(DatabaseError::Statement("triggers".to_owned())));
    }
    Ok(asleep)
}

async fn names(line: &mut Line, database: &str, table: &str) -> Result<Vec<String>, DatabaseError> {
    let sql = format!(
        "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {} AND EVENT_OBJECT_TABLE = {} \
         ORDER BY ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER",
        quote::text(database),
        quote::text(table)
    );
    Ok(line.texts(&sql).await?.into_iter().filter_map(|row| row.into_iter().next()).collect())
}

async fn take_away(line: &mut Line, claim: &Claim, database: &str, table: &str) -> Result<(), DatabaseError> {
    claim.begin_turn(line).await?;
    let done = async {
        // Again: another session may have had them asleep a moment ago.
        let names = names(line, database, table).await?;
        for name in &names {
            let shown = line.texts(&format!("SHOW CREATE TRIGGER {}", quote::of(database, name))).await?;
            let Some([_, modes, statement, ..]) = shown.first().map(Vec::as_slice) else {
                return Err(DatabaseError::NoSuchObject(name.clone()));
            };
            let values = [&claim.task, database, name, statement, modes].map(quote::text).join(", ");
            line.exec(&format!("INSERT INTO {BOOKS}.triggers (task, db, name, statement, modes) VALUES ({values})"))
                .await?;
        }
        for name in &names {
            line.exec(&format!("DROP TRIGGER IF EXISTS {}", quote::of(database, name))).await?;
        }
        Ok(())
    };
    let done = done.await;
    if !matches!(done, Err(DatabaseError::Unreachable(_))) {
        claim.end_turn(line).await?;
    }
    done
}

impl Asleep {
    /// Makes them again.
    pub async fn wake(self, line: &mut Line) -> Result<(), DatabaseError> {
        let Some(lock) = self.lock else { return Ok(()) };
        wake_all(line, &self.task).await?;
        line.exec(&format!("DO RELEASE_LOCK({lock})")).await?;
        Ok(())
    }
}

/// Makes the triggers again that a task took away.
pub(super) async fn wake_all(line: &mut Line, task: &str) -> Result<(), DatabaseError> {
    let task = quote::text(task);
    let sql = format!("SELECT id, db, statement, modes FROM {BOOKS}.triggers WHERE task = {task} ORDER BY id");
    let kept = line.texts(&sql).await?;
    for trigger in &kept {
        let [id, database, statement, modes] = trigger.as_slice() else { continue };
        line.enter(database).await?;
        line.forget_mode();
        line.exec(&format!("SET SESSION sql_mode = {}", quote::text(modes))).await?;
        match line.exec(statement).await {
            // It was made again by a session that ended before it could say so; or its table is gone.
            Ok(_) | Err(DatabaseError::ObjectExists(_) | DatabaseError::NoSuchObject(_)) => {}
            Err(error) => return Err(error),
        }
        line.exec(&format!("DELETE FROM {BOOKS}.triggers WHERE id = {id}")).await?;
    }
    line.set(Mode::Bulk).await
}
