//! Backups, marks, temporary instances and clones, and what is done with Redis sets.

use super::Plan;
use super::known::{Backup, Instance, Keyed, Role};
use crate::explore::kinds::StepKind;
use jiff::SignedDuration;
use recovery::model::backup::BackupKind;
use recovery::model::instance::{Billing, NetworkType};
use recovery::model::policy::Policy;
use recovery::model::views::CloneEntry;
use scenarios::{Action, BackupStep, CloneStep, DownloadStep, RecoverStep, RestorePoint, TemporaryStep};

impl Plan<'_> {
    /// A backup of some instance.
    pub(super) fn backup(&mut self) -> Option<()> {
        let of = self.instance_or_any(|instance| instance.role != Role::ReadOnly)?;
        let wait = self.draw.chance(85);
        self.backup_of(&of, wait);
        Some(())
    }

    fn backup_of(&mut self, of: &str, wait: bool) -> String {
        let redis = self.known.instance(of).is_some_and(Instance::is_redis);
        let log = !redis && self.draw.chance(15);
        let kind = if log { BackupKind::Log } else { BackupKind::Data };
        let name = self.known.name("set");
        self.known.backups.push(Backup { name: name.clone(), of: of.into(), kind });
        let moment = self.known.moment();
        self.known.backup_moments.insert(name.clone(), moment);
        self.push(Action::Backup(BackupStep { of: of.into(), kind, name: Some(name.clone()), refused: None, wait }));
        name
    }

    /// A mark.
    pub(super) fn mark(&mut self) -> String {
        let name = self.known.name("mark");
        let moment = self.known.moment();
        self.known.marks.push((name.clone(), moment));
        self.push(Action::Mark(name.clone()));
        name
    }

    /// A moment or set to restore an instance to.
    fn point(&mut self, of: &str) -> RestorePoint {
        let seconds = SignedDuration::from_secs;
        let offset = self.draw.weighted([(0, 10), (-1, 2), (1, 2), (30, 1)]).map_or(SignedDuration::ZERO, seconds);
        let marks: Vec<String> = self
            .known
            .marks
            .iter()
            .filter(|(_, at)| at.tables.contains_key(of))
            .map(|(name, _)| name.clone())
            .collect();
        let own = |it: &&Backup| it.of == of && it.kind == BackupKind::Data;
        let sets: Vec<String> = self.known.backups.iter().filter(own).map(|it| it.name.clone()).collect();
        let (mark, set) = (self.draw.pick(&marks).cloned(), self.draw.pick(&sets).cloned());
        let redis = self.known.instance(of).is_some_and(Instance::is_redis);
        let foreign = self.mischief();
        if foreign {
            let any: Vec<String> = self.known.backups.iter().map(|it| it.name.clone()).collect();
            if let Some(any) = self.draw.pick(&any).cloned() {
                return RestorePoint::Backup(any);
            }
            return RestorePoint::Now(seconds(self.draw.one(3_600, [-8 * 86_400, 0])));
        }
        let by_time = if redis { 1 } else { 10 };
        let choice = self.draw.weighted([
            (0, if mark.is_some() { by_time } else { 0 }),
            (1, if set.is_some() { 5 } else { 0 }),
            (2, 3),
            (3, 1),
            (4, 1),
            (5, 1),
        ]);
        match (choice, mark, set) {
            (Some(0), Some(mark), _) => RestorePoint::Mark { mark, offset },
            (Some(1), _, Some(set)) => RestorePoint::Backup(set),
            (Some(3), ..) => RestorePoint::Earliest(offset),
            (Some(4), ..) => RestorePoint::Latest(offset),
            (Some(5), ..) => RestorePoint::Now(seconds(self.draw.one(-60, [-1, -7 * 86_400, -7 * 86_400 - 1]))),
            _ => RestorePoint::LatestBackup,
        }
    }

    /// What an instance that is restored to a point holds, as far as the plan knows.
    fn restored(&mut self, of: &str, point: &RestorePoint, role: Role) -> Option<Instance> {
        let source = self.known.instance(of)?;
        let moment = match point {
            RestorePoint::Mark { mark, .. } => self.known.marked(mark),
            RestorePoint::Backup(backup) => self.known.backup_moments.get(backup),
            _ => None,
        };
        let then = moment.and_then(|moment| Some((moment.accounts.get(of)?.clone(), moment.tables.get(of)?.clone())));
        let (accounts, tables) = then.unwrap_or_else(|| (self.known.accounts(of), source.tables.clone()));
        Some(Instance {
            product: source.product,
            role,
            master: Some(of.to_owned()),
            accounts,
            tables,
            extras: source.extras.clone(),
            gone: false,
        })
    }

    fn room(&mut self) -> bool {
        self.known.alive(|_| true).len() < self.options.machines || self.draw.chance(3)
    }

    /// A temporary instance, a second one, or one that was asked for before.
    pub(super) fn temporary(&mut self) -> Option<()> {
        if self.draw.chance(8)
            && let Some(step) = self.asked_before(|keyed| match keyed {
                Keyed::Temporary(step) => Some(Action::Temporary(step.clone())),
                Keyed::Clone(_) => None,
            })
        {
            self.push(step);
            return Some(());
        }
        let policy = Policy::default();
        let of = self.instance_or_any(|instance| {
            instance.role == Role::Primary && policy.may_have_temporary(&instance.product)
        })?;
        let has_one = self.known.instances.iter().any(|(_, instance)| {
            !instance.gone && instance.role == Role::Temporary && instance.master.as_deref() == Some(of.as_str())
        });
        if !self.room() || (has_one && !self.draw.chance(30)) {
            return None;
        }
        let point = self.point(&of);
        self.temporary_of(&of, point);
        Some(())
    }

    fn temporary_of(&mut self, of: &str, restore: RestorePoint) -> Option<String> {
        let instance = self.restored(of, &restore, Role::Temporary)?;
        let name = self.known.name("temp");
        let key = self.draw.chance(20).then(|| self.known.name("key"));
        let covered = !matches!(restore, RestorePoint::Now(_)) && self.draw.chance(75);
        let wait = self.draw.chance(85);
        let step = TemporaryStep {
            of: of.into(),
            restore,
            name: Some(name.clone()),
            refused: None,
            key: key.clone(),
            wait,
            covered,
        };
        self.known.instances.push((name.clone(), instance));
        if key.is_some() {
            self.known.keyed.push(Keyed::Temporary(step.clone()));
        }
        self.push(Action::Temporary(step));
        Some(name)
    }

    /// A request that was sent before, sent again with its key.
    fn asked_before(&mut self, fits: impl Fn(&Keyed) -> Option<Action>) -> Option<Action> {
        let before: Vec<Action> = self.known.keyed.iter().filter_map(fits).collect();
        self.draw.pick(&before).cloned()
    }

    /// Clones, or those that were asked for before.
    pub(super) fn clones(&mut self) -> Option<()> {
        if self.draw.chance(8)
            && let Some(step) = self.asked_before(|keyed| match keyed {
                Keyed::Clone(step) => Some(Action::Clone(step.clone())),
                Keyed::Temporary(_) => None,
            })
        {
            self.push(step);
            return Some(());
        }
        let policy = Policy::default();
        let of =
            self.instance_or_any(|instance| instance.role == Role::Primary && policy.may_be_cloned(&instance.product))?;
        if !self.room() {
            return None;
        }
        let point = self.point(&of);
        self.clone_of(&of, point);
        Some(())
    }

    fn clone_of(&mut self, of: &str, restore: RestorePoint) -> Option<String> {
        let instance = self.restored(of, &restore, Role::Clone)?;
        let redis = instance.is_redis();
        let room = self.options.machines.saturating_sub(self.known.alive(|_| true).len());
        let many = room >= 2 && self.draw.chance(12);
        let names: Vec<String> = (0..if many { 2 } else { 1 }).map(|_| self.known.name("copy")).collect();
        let billing = if self.draw.chance(30) { Billing::Subscription } else { Billing::PayAsYouGo };
        let network = self.draw.chance(30).then(|| self.draw.one(NetworkType::Classic, [NetworkType::Vpc]));
        let entry = redis.then(|| self.draw.one(CloneEntry::CloneInstance, [CloneEntry::RecoverData]));
        let key = self.draw.chance(20).then(|| self.known.name("key"));
        let covered = !matches!(restore, RestorePoint::Now(_)) && self.draw.chance(75);
        let step = CloneStep {
            of: of.into(),
            restore,
            names: names.clone(),
            billing,
            network,
            count: many.then_some(2),
            terms: !self.mischief(),
            entry,
            refused: None,
            key: key.clone(),
            wait: self.draw.chance(85),
            covered,
        };
        for name in &names {
            self.known.instances.push((name.clone(), instance.clone()));
        }
        if key.is_some() {
            self.known.keyed.push(Keyed::Clone(step.clone()));
        }
        self.push(Action::Clone(step));
        names.into_iter().next()
    }

    /// The documents' story: a backup, a mistake, a temporary or clone instance of before, and the data put back.
    pub(super) fn put_back(&mut self) -> Option<()> {
        let policy = Policy::default();
        let (by_temporary, by_clone) = (self.on(StepKind::Temporary), self.on(StepKind::Clone));
        let of = self.some_instance(|it| {
            it.role == Role::Primary
                && (by_temporary && policy.may_have_temporary(&it.product)
                    || by_clone && policy.may_be_cloned(&it.product))
        })?;
        if !self.room() || !self.on(StepKind::Backup) {
            return None;
        }
        let product = self.known.instance(&of)?.product;
        let redis = self.known.instance(&of)?.is_redis();
        let set = self.backup_of(&of, true);
        let mut point = RestorePoint::Backup(set);
        if !redis && self.on(StepKind::Mark) {
            self.statement_on(&of);
            point = RestorePoint::Mark { mark: self.mark(), offset: SignedDuration::ZERO };
        }
        if self.on(StepKind::Sql) {
            self.mistake(&of);
        }
        let temporary = by_temporary && policy.may_have_temporary(&product);
        let made = if temporary { self.temporary_of(&of, point) } else { self.clone_of(&of, point) }?;
        if self.on(StepKind::Migrate) && self.draw.chance(85) {
            self.migrate_from(&made, &of);
        }
        Some(())
    }

    /// An instance is made, released and made again.
    pub(super) fn again(&mut self) -> Option<()> {
        let made = self.some_instance(|it| matches!(it.role, Role::Temporary | Role::Clone))?;
        let instance = self.known.instance(&made)?.clone();
        let of = instance.master.clone()?;
        self.release_of(&made);
        let point = self.point(&of);
        match instance.role {
            Role::Temporary if self.on(StepKind::Temporary) => drop(self.temporary_of(&of, point)),
            Role::Clone if self.on(StepKind::Clone) => drop(self.clone_of(&of, point)),
            _ => {}
        }
        Some(())
    }

    /// A Redis instance is recovered from a set.
    pub(super) fn recover(&mut self) -> Option<()> {
        let instance = self.instance_or_any(Instance::is_redis)?;
        let sets: Vec<String> =
            self.known.backups.iter().filter(|it| it.of == instance).map(|it| it.name.clone()).collect();
        let set = if self.mischief() { None } else { Some(self.draw.pick(&sets).cloned()?) };
        self.recover_to(&instance, set);
        Some(())
    }

    fn recover_to(&mut self, instance: &str, set: Option<String>) {
        let set = if self.draw.chance(15) { Some("latest".to_owned()) } else { set };
        let (confirm, wait) = (!self.mischief(), self.draw.chance(90));
        self.push(Action::Recover(RecoverStep { instance: instance.into(), set, confirm, refused: None, wait }));
    }

    /// The story of Redis: a set, a mistake, a recovery, a download.
    pub(super) fn turn_back(&mut self) -> Option<()> {
        let of = self.some_instance(|it| it.is_redis() && it.role == Role::Primary)?;
        if !self.on(StepKind::Backup) {
            return None;
        }
        let set = self.backup_of(&of, true);
        self.mistake(&of);
        if self.on(StepKind::Recover) {
            self.recover_to(&of, Some(set.clone()));
        }
        if self.on(StepKind::Download) {
            self.download_of(&set);
        }
        Some(())
    }

    /// A file of a backup is fetched.
    pub(super) fn download(&mut self) -> Option<()> {
        let redis: Vec<String> = self
            .known
            .backups
            .iter()
            .filter(|it| self.known.instance(&it.of).is_some_and(Instance::is_redis))
            .map(|it| it.name.clone())
            .collect();
        let any: Vec<String> = self.known.backups.iter().map(|it| it.name.clone()).collect();
        let from = if self.mischief() { any } else { redis };
        let backup = self.draw.pick(&from)?.clone();
        self.download_of(&backup);
        Some(())
    }

    fn download_of(&mut self, backup: &str) {
        let old_link = self.known.downloaded.contains(backup) && self.draw.chance(40);
        self.known.downloaded.insert(backup.to_owned());
        self.push(Action::Download(DownloadStep { backup: backup.into(), old_link, refused: None }));
    }
}
