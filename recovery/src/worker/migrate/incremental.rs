//! Carrying over the changes of the source's log, for as long as the task is not stopped (DTS-11). Where more tasks are
//! under way than there are workers, they take turns.

use super::ddl::{self, Ddl};
use super::journey::Journey;
use super::verify;
use crate::model::content::{Change, ChangeKind, Object, ObjectKind, Value};
use crate::model::task::{MigrationType, TaskFailure};
use crate::model::work::Report;
use crate::ports::clock::later_s;
use crate::ports::database::Apply;
use crate::worker::ask::{Changes, Describe};
use crate::worker::lease::Stop;
use crate::worker::scope::Placing;
use crate::worker::servers::{Servers, Side, refused};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Seconds after which a turn ends, where another task waits, though there is more to carry over.
const TURN_S: i64 = 60;
/// Seconds between two looks at a log that is caught up with: so many after it had something new, and longer each time
/// it has not, up to so many.
const POLLS_S: (i64, i64) = (5, 20);

type RowByName = BTreeMap<String, Value>;

/// Follows the log until the lease ends, the task fails, or all is carried over and another task waits for a worker.
///
/// # Errors
/// When the lease is lost or over, or the task failed.
pub async fn follow(servers: &mut Servers<'_>, journey: &mut Journey) -> Result<(), Stop> {
    let turn_over_at = later_s(servers.now(), TURN_S);
    journey.begin(servers, MigrationType::Incremental).await?;
    let mut following = Following {
        described: verify::describe_source(servers, journey).await?,
        position: journey.work.log_position.unwrap_or_default(),
        may_be_applied: true,
    };
    let limit = journey.work.chunk_rows.max(1);
    let (mut said_caught_up, mut poll_s) = (false, POLLS_S.0);
    loop {
        let after = following.position;
        let answer = servers.call(Side::Source, &Changes(after, limit)).await?;
        let changes = answer.or_fail()?;
        let caught_up = changes.len() < limit;
        if let Some(last) = changes.last() {
            let position = last.position;
            following.carry_over(servers, journey, &changes).await?;
            following.report(servers, position, caught_up).await?;
            poll_s = POLLS_S.0;
        } else if !said_caught_up {
            following.report(servers, after, true).await?;
        }
        said_caught_up = caught_up;
        if servers.lease.others_wait() && (caught_up || servers.now() >= turn_over_at) {
            return Ok(servers.lease.report(vec![Report::TurnOver]).await?);
        }
        if caught_up {
            servers.lease.wait(SignedDuration::from_secs(poll_s)).await?;
            poll_s = (poll_s + 1).min(POLLS_S.1);
        }
    }
}

/// How far the log is carried over.
struct Following {
    /// The source's objects, for the keys of tables.
    described: BTreeMap<String, Vec<Object>>,
    position: u64,
    /// Whether an attempt before this one may have applied what comes next and ended before it could say so.
    may_be_applied: bool,
}

impl Following {
    async fn report(&mut self, servers: &mut Servers<'_>, log_position: u64, caught_up: bool) -> Result<(), Stop> {
        servers.lease.report(vec![Report::Applied { log_position, caught_up }]).await?;
        self.position = log_position;
        Ok(())
    }

    /// Applies changes in order. A statement is applied and reported by itself, as it cannot be applied twice.
    async fn carry_over(
        &mut self,
        servers: &mut Servers<'_>,
        journey: &Journey,
        changes: &[Change],
    ) -> Result<(), Stop> {
        let mut rows = Vec::new();
        for (number, change) in changes.iter().enumerate() {
            match &change.kind {
                ChangeKind::Row { table, old, new } => {
                    rows.extend(self.row(journey, &change.database, table, old.as_ref(), new.as_ref()));
                }
                ChangeKind::Ddl { object, sql } => {
                    let Some(statement) = statement(journey, &change.database, object, sql)? else {
                        continue;
                    };
                    self.apply(servers, &std::mem::take(&mut rows)).await?;
                    if let Some(before) = number.checked_sub(1).map(|before| changes[before].position) {
                        self.report(servers, before, false).await?;
                    }
                    self.apply_statement(servers, journey, statement).await?;
                    self.report(servers, change.position, false).await?;
                    self.described = verify::describe_source(servers, journey).await?;
                }
            }
        }
        self.apply(servers, &rows).await
    }

    async fn apply(&mut self, servers: &mut Servers<'_>, rows: &[Apply]) -> Result<(), Stop> {
        if !rows.is_empty() {
            servers.call(Side::Target, rows).await?.or_fail()?;
            self.may_be_applied = false;
        }
        Ok(())
    }

    /// A row change with the target's names; nothing when its table is not selected.
    fn row(
        &self,
        journey: &Journey,
        database: &str,
        table: &str,
        old: Option<&RowByName>,
        new: Option<&RowByName>,
    ) -> Option<Apply> {
        let placing = journey.scope().place(database, table)?;
        // Within one instance (DTS-18) the log also shows what this very task wrote.
        let one_instance = journey.work.source.instance == journey.work.target.instance;
        if one_instance && journey.scope().is_target(database, table) {
            return None;
        }
        let is_table = |object: &&Object| object.kind == ObjectKind::Table && object.name == table;
        let described = self.described.get(database).and_then(|objects| objects.iter().find(is_table));
        let planned = journey.planned().filter(|(entry, _)| entry.database == database).map(|(_, object)| object);
        let described = described.or_else(|| planned.into_iter().find(is_table));
        let key = described.map(|table| placing.key_of(table)).unwrap_or_default();
        let named = |row: &RowByName| selected(&placing, row);
        let (database, table) = (placing.database.to_owned(), placing.table.to_owned());
        match (old.map(named), new.map(named)) {
            (old, Some(new)) => Some(Apply::Upsert { database, table, key, old, new }),
            (Some(old), None) => Some(Apply::Delete { database, table, key, old }),
            (None, None) => None,
        }
    }

    async fn apply_statement(
        &mut self,
        servers: &mut Servers<'_>,
        journey: &Journey,
        statement: Carried,
    ) -> Result<(), Stop> {
        let apply = [statement.apply];
        let answer = servers.call(Side::Target, &apply[..]).await?;
        let may_be_applied = std::mem::replace(&mut self.may_be_applied, false) || answer.repeated;
        match answer.outcome {
            Ok(()) => Ok(()),
            Err(_) if may_be_applied && agree(servers, journey, &statement.subject).await? => Ok(()),
            Err(error) => Err(refused(Side::Target, &error)),
        }
    }
}

fn selected(placing: &Placing<'_>, row: &RowByName) -> RowByName {
    row.iter().filter_map(|(column, value)| Some((placing.column(column)?, value.clone()))).collect()
}

/// A statement to carry over.
struct Carried {
    apply: Apply,
    /// Source database, and name of what it changes there.
    subject: (String, String),
}

/// The statement as the target gets it; nothing when it is about nothing selected.
fn statement(journey: &Journey, database: &str, object: &str, text: &str) -> Result<Option<Carried>, Stop> {
    let scope = journey.scope();
    let read = Ddl::read(journey.engine(), text);
    let table = read.table();
    let own = scope.table(database, object).or_else(|| scope.table(database, table.as_deref()?));
    let whole = scope.whole(database);
    if read.is_beside() || (own.is_none() && whole.is_none()) {
        return Ok(None);
    }
    // A table selected by itself would be lost under another name, and columns that are not selected cannot be altered.
    let unfit = own.is_some_and(|own| read.renames_table() || (read.alters_table() && !own.takes_all_columns()));
    if !read.is_carried() || unfit {
        let object = format!("{database}.{object}");
        return Err(Stop::Failed(TaskFailure::UnsupportedDdl { object }));
    }
    let target = own.map(|own| own.database).or(whole).unwrap_or(database);
    let names = new_names(journey, database, table.as_deref());
    let sql = ddl::with_names(journey.engine(), text, (database, target), &names);
    let apply = Apply::Ddl { database: target.to_owned(), sql };
    Ok(Some(Carried { apply, subject: (database.to_owned(), object.to_owned()) }))
}

/// Tables of a database that are called otherwise in the target, and the renamed columns of the table concerned.
fn new_names(journey: &Journey, database: &str, table: Option<&str>) -> Vec<(String, String)> {
    let scope = journey.scope();
    let of_database = scope.tables().filter(|(own, _)| *own == database);
    let tables = of_database.filter_map(|(_, table)| Some((table, scope.table(database, table)?)));
    let mut names: Vec<_> = tables.map(|(table, placing)| (table.to_owned(), placing.table.to_owned())).collect();
    let concerned = table.and_then(|table| scope.table(database, table));
    names.extend(concerned.iter().flat_map(Placing::new_columns));
    names
}

/// Whether source and target show the same of an object: both have it, with the same columns, or neither has it. Then a
/// statement that the target refused the second time had its effect the first time.
async fn agree(servers: &mut Servers<'_>, journey: &Journey, subject: &(String, String)) -> Result<bool, Stop> {
    let (database, name) = subject;
    let placing = journey.scope().place(database, name);
    let target = placing.map_or(database.as_str(), |placing| placing.database);
    let there = servers.call(Side::Target, &Describe(target)).await?.or_fail()?;
    let here = servers.call(Side::Source, &Describe(database)).await?.or_fail()?;
    let columns = |objects: &[Object], name: &str| -> Option<Vec<String>> {
        let object = objects.iter().find(|object| object.name == name)?;
        Some(object.columns.iter().map(|column| column.name.clone()).collect())
    };
    let wanted = columns(&here, name).map(|columns| match &placing {
        Some(placing) => columns.iter().filter_map(|column| placing.column(column)).collect(),
        None => columns,
    });
    Ok(columns(&there, placing.map_or(name.as_str(), |placing| placing.table)) == wanted)
}
