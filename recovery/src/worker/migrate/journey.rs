//! One task's way through its plan: the leased work, and how far each object is.

use super::plan::{Planned, Stage, stage};
use super::rename::Names;
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};
use crate::model::task::{MigrationType, ObjectProgress, PhaseStatus, SameNameMode, TaskFailure};
use crate::model::work::{MigrationJob, Report};
use crate::worker::lease::{LetGo, Stop};
use crate::worker::scope::Scope;
use crate::worker::servers::Servers;

/// The leased work and what has become of it in this attempt.
pub struct Journey {
    /// The work; `progress` and `planned` go on with what is done.
    pub work: MigrationJob,
    /// The phase under way.
    pub phase: Option<MigrationType>,
}

impl Journey {
    /// Takes up the work where earlier attempts left it.
    #[must_use]
    pub fn new(work: MigrationJob) -> Self {
        Self { work, phase: None }
    }

    /// The engine of both sides (DTS-17).
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.work.source.product.engine
    }

    /// The selections.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope::new(&self.work.objects)
    }

    /// Whether the task has this type.
    #[must_use]
    pub fn has(&self, kind: MigrationType) -> bool {
        self.work.types.contains(&kind)
    }

    /// Whether objects and rows that are in the target already stay there (C-14).
    #[must_use]
    pub fn keeps_same_name(&self) -> bool {
        self.work.same_name == SameNameMode::Ignore
    }

    /// Places of the objects of a stage.
    #[must_use]
    pub fn of_stage(&self, wanted: Stage) -> Vec<usize> {
        let progress = self.work.progress.iter().enumerate();
        progress.filter(|(_, entry)| stage(self.engine(), entry.kind) == Some(wanted)).map(|(index, _)| index).collect()
    }

    /// Places of the tables.
    #[must_use]
    pub fn tables(&self) -> Vec<usize> {
        let progress = self.work.progress.iter().enumerate();
        progress.filter(|(_, entry)| entry.kind == ObjectKind::Table).map(|(index, _)| index).collect()
    }

    /// The planned objects with their databases.
    pub fn planned(&self) -> impl Iterator<Item = (&ObjectProgress, &Object)> {
        self.work.progress.iter().zip(&self.work.planned)
    }

    /// Lets `look` see the names of a database.
    pub fn with_names<T>(&self, database: &str, look: impl FnOnce(&Names<'_>) -> T) -> T {
        let of_database = self.planned().filter(|(entry, _)| entry.database == database);
        let objects: Vec<&Object> = of_database.map(|(_, object)| object).collect();
        look(&Names { engine: self.engine(), scope: self.scope(), database, objects: &objects })
    }

    /// The source description of an object.
    ///
    /// # Errors
    /// When the plan has no such place.
    pub fn source(&self, index: usize) -> Result<Planned, Stop> {
        let planned = self.planned().nth(index);
        let planned =
            planned.map(|(entry, object)| Planned { database: entry.database.clone(), object: object.clone() });
        planned.ok_or_else(|| misfit(format!("place {index}")))
    }

    /// The target database of an object and the object as it is made there.
    ///
    /// # Errors
    /// When the plan does not fit the selections.
    pub fn mapped(&self, index: usize) -> Result<(String, Object), Stop> {
        let planned = self.source(index)?;
        let mapped = self.with_names(&planned.database, |names| names.mapped(&planned.object));
        mapped.ok_or_else(|| misfit(format!("{}.{}", planned.database, planned.object.name)))
    }

    /// Changes an object's progress and reports it.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn report(
        &mut self,
        servers: &mut Servers<'_>,
        index: usize,
        change: impl FnOnce(&mut ObjectProgress),
    ) -> Result<(), LetGo> {
        let Some(progress) = self.work.progress.get_mut(index) else {
            return Ok(());
        };
        change(progress);
        let progress = progress.clone();
        servers.lease.report(vec![Report::Object { index, progress }]).await
    }

    /// Notes that an object is made. It was announced: an attempt that does not know that it is made finds it so.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn made(&mut self, servers: &mut Servers<'_>, index: usize) -> Result<(), LetGo> {
        let Some(progress) = self.work.progress.get_mut(index) else {
            return Ok(());
        };
        progress.made = true;
        let progress = progress.clone();
        servers.lease.note(Report::Object { index, progress }).await
    }

    /// Notes that a phase begins.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn begin(&mut self, servers: &mut Servers<'_>, phase: MigrationType) -> Result<(), LetGo> {
        self.phase = Some(phase);
        servers.lease.note(Report::Phase { phase, status: PhaseStatus::Migrating }).await
    }
}

fn misfit(what: String) -> Stop {
    let detail = format!("the plan and the selected objects do not fit together at {what}; make a new task");
    Stop::Failed(TaskFailure::Refused { side: "source".to_owned(), detail })
}

/// The failure of a task one of whose objects was changed by DDL (C-12).
#[must_use]
pub fn changed(database: &str, object: &str) -> Stop {
    let object = if object.is_empty() { database.to_owned() } else { format!("{database}.{object}") };
    Stop::Failed(TaskFailure::DdlDuringMigration { object })
}
