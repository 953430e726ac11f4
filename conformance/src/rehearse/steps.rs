//! The rehearsal, step by step.

use super::beats::{self, Beats};
use super::compare::{Change, changes};
use super::complaints::{Complaints, without_secrets};
use super::desk::Desk;
use super::measure::measure;
use super::mistake::{Mistake, drop_table, mistake};
use super::put_back::{Way, way};
use super::report::{Lost, Phase, Prechecked, Report};
use super::script::{ACCOUNT, Notes, Script};
use super::{Order, Trouble, played};
use crate::runner::failed_items;
use engines::RealStage;
use engines::images::Family;
use engines::postgres::{ident, literal};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::backup::BackupKind;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::task::{MigrationType, SameNameMode, Selection, TaskStatus};
use recovery::model::views::InstanceView;
use recovery::ports::clock::later;
use std::collections::{BTreeMap, BTreeSet};

/// The database that scripts go to which make none themselves.
const DATABASE: &str = "app";
/// What a PostgreSQL database is called that was moved out of the way.
const ASIDE: &str = "_before_recovery";
/// The phase in which rows and structure come back.
const MIGRATION: &str = "migration back";
/// How often it is looked whether a time can be restored, a moment apart.
const LOOKS: u32 = 200;

/// Takes all steps.
pub async fn take(order: &Order, stage: &RealStage, report: &mut Report, tell: &dyn Fn(&Phase)) -> Result<(), Trouble> {
    Steps { order, stage, desk: Desk::new(stage, ACCOUNT), report, tell, aside: BTreeSet::new() }.all().await
}

struct Steps<'a> {
    order: &'a Order,
    stage: &'a RealStage,
    desk: Desk<'a>,
    report: &'a mut Report,
    tell: &'a dyn Fn(&Phase),
    /// Databases that were moved out of the way.
    aside: BTreeSet<String>,
}

impl Steps<'_> {
    async fn all(&mut self) -> Result<(), Trouble> {
        let shop = self.make().await?;
        self.load(&shop).await?;
        let before = self.look(&shop.id, "photograph").await?;
        let beats = Beats::begin(&self.desk, endpoint(&shop)?).await.map_err(Trouble::harness)?;
        let begun = self.now();
        let backup = self.desk.back_up(&shop.id, BackupKind::Data).await?;
        self.report.backup_bytes.0 = backup.size_bytes.unwrap_or(0);
        self.ended("data backup", begun, size(self.report.backup_bytes.0));
        let point = self.until_second().await;
        let mistaken = self.err(&shop.id, &before).await?;
        let acknowledged = beats.end();
        let damaged = self.damage(&shop.id, &before).await?;
        let copy = self.recover(&shop.id, point).await?;
        self.verify(&copy, &before, &acknowledged, mistaken.0).await?;
        self.put_back((&copy, &shop), (&before, &damaged)).await?;
        self.report.recovery_time = Some(self.now().duration_since(mistaken.1));
        let after = self.look(&shop.id, "photograph of the result").await?;
        self.report.left = Some(changes(&before, &after, &self.aside));
        self.measure((&copy.id, &shop.id)).await?;
        let begun = self.now();
        self.desk.release(&copy.id).await?;
        self.ended("release of the copy", begun, String::new());
        if self.report.is_whole() {
            return Ok(());
        }
        Err(Trouble::Recovery("not everything is as it was before the mistake".into()))
    }

    fn now(&self) -> Timestamp {
        self.stage.site.time.now()
    }

    fn family(&self) -> Family {
        self.order.choice.family
    }

    fn ended(&mut self, name: &str, begun: Timestamp, detail: impl Into<String>) {
        let phase = Phase { name: name.to_owned(), took: self.now().duration_since(begun), detail: detail.into() };
        (self.tell)(&phase);
        self.report.phases.push(phase);
    }

    async fn make(&mut self) -> Result<InstanceView, Trouble> {
        let begun = self.now();
        let product = played::product(&self.order.choice).to_string();
        let made = self.desk.make(&product).await?;
        self.ended("instance made", begun, format!("{} as {product}", self.order.choice.image));
        Ok(made)
    }

    async fn load(&mut self, shop: &InstanceView) -> Result<(), Trouble> {
        let scripts =
            [Some(("schema loaded", &self.order.schema)), self.order.data.as_ref().map(|data| ("data loaded", data))];
        for (name, path) in scripts.into_iter().flatten() {
            let begun = self.now();
            let mut script = Script::open(path, self.family())?;
            let shown = path.display().to_string();
            let read = self.read(&shop.id, DATABASE, &mut script).await?;
            let mut notes = read.map_err(|why| Trouble::Input(format!("{shown}: {why}")))?;
            notes.append(&mut script.notes);
            let total: u64 = notes.values().sum();
            let noted = if total == 0 {
                String::new()
            } else {
                format!(", {total} lines changed or left out (see the report)")
            };
            self.ended(name, begun, format!("{shown}{noted}"));
            self.report.notes.insert(shown, notes);
        }
        Ok(())
    }

    /// Has a script read; gives what was let pass, or the first error.
    async fn read(
        &self,
        instance: &InstanceId,
        database: &str,
        script: &mut Script,
    ) -> Result<Result<Notes, String>, Trouble> {
        let mut complaints = Complaints::new(self.family());
        let mut hear = |bytes: &[u8]| complaints.hear(bytes);
        let code = self.stage.read_script(instance, database, script, &mut hear).await;
        match (code, script.refused.take()) {
            (_, Some(why)) => Ok(Err(why)),
            (Ok(code), None) => Ok(complaints.end(code)),
            (Err(error), None) => Err(Trouble::harness(error)),
        }
    }

    /// Runs statements that the rehearsal itself needs.
    async fn run(&self, instance: &InstanceId, database: &str, sql: &str) -> Result<(), Trouble> {
        let read = self.read(instance, database, &mut Script::text(sql, self.family())).await?;
        read.map(drop).map_err(|why| Trouble::Harness(format!("{sql}: {why}")))
    }

    async fn look(&mut self, instance: &InstanceId, name: &str) -> Result<Photograph, Trouble> {
        let begun = self.now();
        let photograph = self.stage.photograph(instance, None).await;
        let photograph = photograph.ok_or_else(|| Trouble::Harness(format!("{name}: the server does not answer")))?;
        let users = photograph.databases.iter().filter(|(name, _)| *name != beats::DATABASE);
        let objects: Vec<_> = users.flat_map(|(_, database)| database.objects.values()).collect();
        let tables = objects.iter().filter(|object| object.kind == ObjectKind::Table).count();
        let rows: u64 = objects.iter().filter_map(|object| object.rows.as_ref()).map(Rows::count).sum();
        self.ended(name, begun, format!("{tables} tables, {} other objects, {rows} rows", objects.len() - tables));
        Ok(photograph)
    }

    /// Waits until a whole second has begun and ended, with heartbeats before, in and after it; gives it.
    async fn until_second(&mut self) -> Timestamp {
        let begun = self.now();
        let second = Timestamp::from_second(self.now().as_second() + 1).unwrap_or(begun);
        let over = later(second, SignedDuration::from_millis(1_100));
        self.stage.site.time.pass(over.duration_since(self.now())).await;
        self.ended("heartbeats", begun, format!("the point to recover to is {second}"));
        second
    }

    /// Makes the mistake; gives when it began and when it was done.
    async fn err(&mut self, shop: &InstanceId, before: &Photograph) -> Result<(Timestamp, Timestamp), Trouble> {
        let Mistake { database, sql, chosen } =
            mistake(self.family(), self.order.mistake.as_deref(), before).map_err(Trouble::Input)?;
        let begun = self.now();
        let read = self.read(shop, &database, &mut Script::text(&sql, self.family())).await?;
        read.map_err(|why| Trouble::Input(format!("the mistake was refused: {why}")))?;
        let done = self.now();
        let shown = without_secrets(&sql);
        self.ended("mistake made", begun, format!("{shown}  (in {database})"));
        self.report.mistake = Some((shown, database, chosen));
        Ok((begun, done))
    }

    async fn damage(&mut self, shop: &InstanceId, before: &Photograph) -> Result<Photograph, Trouble> {
        let damaged = self.look(shop, "photograph of the damage").await?;
        self.report.damage = changes(before, &damaged, &BTreeSet::new());
        if self.report.damage.is_empty() {
            return Err(Trouble::Input("the mistake changed nothing that there would be to recover".into()));
        }
        Ok(damaged)
    }

    async fn recover(&mut self, shop: &InstanceId, point: Timestamp) -> Result<InstanceView, Trouble> {
        let begun = self.now();
        let backup = self.desk.back_up(shop, BackupKind::Log).await?;
        let mut looks = 0;
        while !self.desk.is_restorable(shop, point).await? {
            looks += 1;
            if looks > LOOKS {
                return Err(Trouble::Recovery(format!("{point} cannot be restored though data and log are backed up")));
            }
            self.stage.site.time.pass(SignedDuration::from_millis(50)).await;
        }
        self.report.backup_bytes.1 = backup.size_bytes.unwrap_or(0);
        self.ended("log backup", begun, size(self.report.backup_bytes.1));
        let begun = self.now();
        let temporary = played::by_temporary(self.family());
        let copy = self.desk.recover(shop, point, temporary).await?;
        self.report.recovered_to = copy.recovered_to;
        let what = if temporary { "temporary instance" } else { "clone" };
        let reached = copy.recovered_to.map_or_else(String::new, |time| format!("as of {time}"));
        self.ended(what, begun, reached);
        Ok(copy)
    }

    async fn verify(
        &mut self,
        copy: &InstanceView,
        before: &Photograph,
        acknowledged: &[Timestamp],
        mistaken: Timestamp,
    ) -> Result<(), Trouble> {
        let photograph = self.look(&copy.id, "photograph of the copy").await?;
        let differs = changes(before, &photograph, &BTreeSet::new());
        let same = differs.is_empty();
        self.report.copy = Some(differs);
        if !same {
            return Err(Trouble::Recovery("the recovered copy is not as the instance was before the mistake".into()));
        }
        let recovered = beats::last(self.stage, endpoint(copy)?, &self.desk.login).await;
        let recovered =
            recovered.map_err(|error| Trouble::Recovery(format!("the recovered copy does not answer: {error}")))?;
        // Those acknowledged while the mistake was under way may have been written before it.
        let known = acknowledged.partition_point(|at| *at <= mistaken);
        let from = recovered.checked_sub(1).and_then(|at| acknowledged.get(at)).copied();
        let from = from.or(copy.recovered_to).unwrap_or(mistaken);
        let time = mistaken.duration_since(from).max(SignedDuration::ZERO);
        self.report.lost = Some(Lost { time, acknowledged: known, recovered: recovered.min(known) });
        Ok(())
    }

    /// Migrates back what is damaged, database by database.
    async fn put_back(
        &mut self,
        (copy, shop): (&InstanceView, &InstanceView),
        (before, damaged): (&Photograph, &Photograph),
    ) -> Result<(), Trouble> {
        let database = &self.stage.ports.database;
        let mut session = database.connect(endpoint(copy)?, &self.desk.login).await.map_err(Trouble::harness)?;
        for (name, then) in before.databases.iter().filter(|(name, _)| *name != beats::DATABASE) {
            let own: Vec<Change> =
                self.report.damage.iter().filter(|change| change.database == *name).cloned().collect();
            if own.is_empty() {
                continue;
            }
            let described = session.describe(name).await.map_err(Trouble::harness)?;
            let now = damaged.databases.get(name);
            let Some(chosen) = way(then, now, &described, &own) else { continue };
            self.report.ways.insert(name.clone(), chosen.clone());
            let sides = (&copy.id, &shop.id);
            let (structure, full) = (MigrationType::Structure, MigrationType::Full);
            match chosen {
                Way::Whole => {
                    self.clear(&shop.id, name, &then.charset, now.is_some()).await?;
                    self.migrate(sides, &[structure, full], &[all_of(name)], SameNameMode::Stop).await?;
                }
                Way::Tables { tables, dropped, rest } => {
                    for table in dropped.iter().filter_map(|table| now.and_then(|now| now.table(table))) {
                        self.run(&shop.id, name, &drop_table(self.family(), table)).await?;
                    }
                    let there =
                        |table: &String| now.is_some_and(|now| now.table(table).is_some()) && !dropped.contains(table);
                    let mode = if tables.iter().any(there) { SameNameMode::Ignore } else { SameNameMode::Stop };
                    if !tables.is_empty() {
                        let chosen: Vec<Selection> = tables.iter().map(|table| table_of(name, table)).collect();
                        self.migrate(sides, &[structure, full], &chosen, mode).await?;
                    }
                    if rest {
                        self.migrate(sides, &[structure], &[all_of(name)], SameNameMode::Ignore).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn measure(&mut self, sides: (&InstanceId, &InstanceId)) -> Result<(), Trouble> {
        let Some((_, database, _)) = self.report.mistake.clone().filter(|_| self.order.measure) else { return Ok(()) };
        let migrations = self.report.phases.iter().filter(|phase| phase.name == MIGRATION).map(|phase| phase.took);
        let migration = migrations.fold(SignedDuration::ZERO, |all, took| all.saturating_add(took));
        let begun = self.now();
        let measured = measure(self.stage, self.family(), sides, &database, migration).await?;
        self.ended("own dump and restore", begun, measured.programs);
        self.report.measure = Some(measured);
        Ok(())
    }

    /// Moves what is left of a database out of the way; makes an empty one where the migration makes none.
    async fn clear(&mut self, shop: &InstanceId, name: &str, charset: &str, there: bool) -> Result<(), Trouble> {
        if self.family() != Family::Postgres {
            if there {
                self.run(shop, "mysql", &format!("DROP DATABASE `{}`", name.replace('`', "``"))).await?;
            }
            return Ok(());
        }
        let mut sql = String::new();
        if there {
            let aside = format!("{name}{ASIDE}");
            sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}; ALTER DATABASE {} RENAME TO {};",
                literal(name),
                ident(name),
                ident(&aside)
            );
            self.aside.insert(aside);
        }
        sql.push_str(&format!(
            "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING {};",
            ident(name),
            ident(ACCOUNT),
            literal(charset)
        ));
        self.run(shop, engines::postgres::CONTROL, &sql).await
    }

    async fn migrate(
        &mut self,
        sides: (&InstanceId, &InstanceId),
        types: &[MigrationType],
        objects: &[Selection],
        mode: SameNameMode,
    ) -> Result<(), Trouble> {
        let begun = self.now();
        let (task, run) = self.desk.precheck(sides, types, objects, mode).await?;
        let (items, failed) = (run.items.len(), failed_items(&run));
        self.report.prechecks.push(Prechecked { task: task.name.clone(), run });
        let found = if failed.is_empty() { "passed".to_owned() } else { failed.clone() };
        self.ended("precheck", begun, format!("{items} items: {found}"));
        if task.status != TaskStatus::PrecheckPassed {
            return Err(Trouble::Recovery(format!("the precheck of the migration back failed: {failed}")));
        }
        let begun = self.now();
        let ended = self.desk.migrate(&task).await?;
        let rows: u64 = ended.progress.iter().map(|entry| entry.rows_written).sum();
        let what = match objects {
            [Selection { table: None, database, .. }] if types.len() == 1 => {
                format!("what else is missing of {database}")
            }
            [Selection { table: None, database, .. }] => format!("all of {database}, {rows} rows"),
            tables => format!("{} tables, {rows} rows", tables.len()),
        };
        self.ended(MIGRATION, begun, what);
        Ok(())
    }
}

fn all_of(database: &str) -> Selection {
    Selection {
        database: database.to_owned(),
        table: None,
        columns: None,
        database_as: None,
        table_as: None,
        columns_as: BTreeMap::new(),
    }
}

fn table_of(database: &str, table: &str) -> Selection {
    Selection { table: Some(table.to_owned()), ..all_of(database) }
}

fn endpoint(instance: &InstanceView) -> Result<&str, Trouble> {
    instance.endpoint.as_deref().ok_or_else(|| Trouble::Recovery(format!("{} has no endpoint", instance.id)))
}

fn size(bytes: u64) -> String {
    format!("{} KiB", bytes / 1024)
}
