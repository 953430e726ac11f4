//! Faults: what breaks, when, and for how long.

use super::Plan;
use super::known::{Instance, Role};
use super::statements::tables_of;
use crate::explore::profiles::PRODUCTS;
use crate::explore::shapes::Shape;
use recovery::model::backup::BackupKind;
use recovery::model::instance::{Grants, Rights};
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::task::TaskStatus;
use recovery::model::{Engine, Product, Secret};
use scenarios::{
    AccountSpec, AccountStep, AccountStepChange, Act, ActKind, Action, ConfigureStep, Damage, Damaged, Deed, Fault,
    FaultStep, Host, ReleaseStep, SqlStep, WaitUntil,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Whether the service answers no request while a fault lasts. Such a one ends, or the steps after it would only wait.
fn silences(fault: &Fault) -> bool {
    match fault {
        Fault::Crash { host, .. } | Fault::Pause { host } | Fault::DiskFull { host } => *host == Host::Service,
        Fault::Partition { a, b, .. } | Fault::Hold { a, b } => {
            [a, b].into_iter().all(|host| matches!(host, Host::Service | Host::Operator))
        }
        _ => false,
    }
}

impl Plan<'_> {
    /// A fault of one of the kinds that are switched on: now, in the middle of the next step, as soon as a task or a
    /// restore is so far, or kept for when the next one is asked for.
    pub(super) fn fault(&mut self) {
        let kinds: Vec<(String, u32)> =
            self.options.faults.iter().map(|(kind, weight)| (kind.clone(), *weight)).collect();
        let Some(kind) = self.draw.weighted(kinds) else { return };
        let otherwise = Fault::Crash { host: Host::Service, torn: false };
        let fault = self.fault_of(&kind).unwrap_or(otherwise);
        let seconds = self.draw.one(10, [1, 3, 30, 90, 600]);
        let ends = fault.can_end() && (self.draw.chance(93) || silences(&fault));
        let lasts = ends.then(|| Duration::from_secs(seconds));
        let after = self.draw.chance(60).then(|| {
            let most = self.draw.one(300, [50, 2_000, 20_000]);
            (Duration::from_millis(1), Duration::from_millis(most))
        });
        let background = after.is_some() || self.draw.chance(60);
        let step = FaultStep { fault, lasts, when: None, after, background };
        if self.kept.is_none() && self.draw.chance(35) {
            self.faults += 1;
            self.kept = Some(step);
        } else {
            self.push(Action::Fault(step));
        }
    }

    /// A fault that was kept, just before the step that makes a task it can wait for.
    pub(super) fn fault_at_task(&mut self, task: &str) {
        let until = self.until_task(task.to_owned());
        let when = if self.draw.chance(30) {
            WaitUntil::TaskStatus { task: task.to_owned(), status: TaskStatus::Prechecking }
        } else {
            until
        };
        self.fault_when(when);
    }

    /// The same before the step that makes a restore task.
    pub(super) fn fault_at_restore(&mut self, restore: &str) {
        let restore = restore.to_owned();
        let records = self.draw.whole(1..=30);
        let when = match self.draw.count(0..=2) {
            0 => WaitUntil::Restore { restore, status: RestoreStatus::Checking },
            1 => WaitUntil::Restore { restore, status: RestoreStatus::Running },
            _ => WaitUntil::RestoreRecords { restore, records },
        };
        self.fault_when(when);
    }

    fn fault_when(&mut self, when: WaitUntil) {
        let Some(kept) = self.kept.take() else { return };
        // It was counted when it was kept.
        self.faults -= 1;
        let Some(kept) = self.renewed(kept) else { return };
        self.push(Action::Fault(FaultStep { when: Some(when), background: true, ..kept }));
    }

    /// A fault that nothing came for happens at last.
    pub(super) fn fault_left(&mut self) {
        if let Some(kept) = self.kept.take() {
            self.faults -= 1;
            if let Some(kept) = self.renewed(kept) {
                self.push(Action::Fault(kept));
            }
        }
    }

    /// A fault that was kept, with an account put back as it is by now; nothing where that is gone.
    fn renewed(&self, mut kept: FaultStep) -> Option<FaultStep> {
        if let Fault::Act(act) = &mut kept.fault
            && let Deed::Account(step) = &act.deed
        {
            let (AccountStepChange::Change { name, .. } | AccountStepChange::Drop { name }) = &step.change else {
                return Some(kept);
            };
            let account = self.known.accounts(&step.on).into_iter().find(|known| known.name == *name)?;
            let change = put_back(act.kind, account);
            act.undo = Some(Deed::Account(AccountStep { on: step.on.clone(), change, refused: None }));
        }
        Some(kept)
    }

    fn host(&mut self) -> Host {
        match self.draw.count(0..=5) {
            0 | 1 => Host::Service,
            2 | 3 => self.worker(),
            _ => self.machine(),
        }
    }

    fn worker(&mut self) -> Host {
        Host::Worker(self.draw.count(1..=self.options.workers.max(1)))
    }

    fn machine(&mut self) -> Host {
        let names = self.known.alive(|_| true);
        self.draw.pick(&names).map_or(Host::Machine(1), |name| Host::MachineOf(name.clone()))
    }

    /// Two hosts that talk to each other.
    fn pair(&mut self) -> (Host, Host) {
        let worker = self.worker();
        match self.draw.count(0..=6) {
            0 => (Host::Service, worker),
            1 => (worker, Host::Service),
            2 | 3 => (worker, self.machine()),
            4 => (Host::Operator, Host::Service),
            5 => (Host::Service, Host::Operator),
            _ => (Host::Service, self.machine()),
        }
    }

    fn fault_of(&mut self, kind: &str) -> Option<Fault> {
        Some(match kind {
            "crash" => Fault::Crash { host: self.host(), torn: false },
            "crash-torn" => Fault::Crash { host: Host::Service, torn: true },
            "restart" => Fault::Restart { host: self.host() },
            "pause" => Fault::Pause { host: self.host() },
            "disk-full" => Fault::DiskFull { host: Host::Service },
            "server-disk-full" => Fault::DiskFull { host: self.machine() },
            "skew" => Fault::Skew { host: self.host(), ms: self.draw.signed(-5_000..=5_000) },
            "jump" => {
                let most = self.draw.one(2_000, [60_000, 3_600_000]);
                Fault::Jump { host: self.host(), ms: self.draw.signed(-most..=most) }
            }
            "twice" => Fault::Twice { requests: self.draw.one(1, [2, 4]), at_once: self.draw.chance(50) },
            "answers-lost" => Fault::AnswersLost { requests: self.draw.one(1, [2, 4]) },
            "heal" => Fault::Heal,
            "partition" | "partition-oneway" | "hold" | "slow" | "reorder" | "reset" => self.between(kind),
            "ddl" | "sql" | "rights" | "password" | "drop-account" | "ssl" | "whitelist" | "delete" => {
                Fault::Act(Box::new(self.act(kind)?))
            }
            _ => return self.of_an_instance(kind),
        })
    }

    fn between(&mut self, kind: &str) -> Fault {
        let (a, b) = self.pair();
        let latency_ms = self.draw.one(20, [80, 200]);
        match kind {
            "hold" => Fault::Hold { a, b },
            "slow" => Fault::Slow { a, b, latency_ms },
            "reorder" => Fault::Reorder { a, b, latency_ms },
            "reset" => Fault::Reset { a, b },
            _ => Fault::Partition { a, b, oneway: kind == "partition-oneway" },
        }
    }

    fn of_an_instance(&mut self, kind: &str) -> Option<Fault> {
        let of = self.some_instance(|_| true)?;
        Some(match kind {
            "backup-corrupt" => Fault::Damage { backup: self.damaged(of), how: Damage::Corrupt },
            "backup-missing" => Fault::Damage { backup: self.damaged(of), how: Damage::Missing },
            "backup-half" => Fault::Damage { backup: self.damaged(of), how: Damage::Half },
            "log-gap" => Fault::LogGap { of: self.some_instance(|it| !it.is_redis())? },
            "log-file-lost" => Fault::LogFileLost { of: self.some_instance(|it| it.product.engine == Engine::MySql)? },
            "failover" => Fault::Failover { of },
            "version" => {
                let now = self.known.instance(&of)?.product;
                let other = |product: &Product| product.engine == now.engine && product.version != now.version;
                let versions = PRODUCTS.iter().filter_map(|text| text.parse().ok()).filter(other);
                let same: Vec<Product> = versions.map(|product| Product { version: product.version, ..now }).collect();
                let sound = |product: &&Product| product.to_string().parse() == Ok(**product);
                let same: Vec<Product> = same.iter().filter(sound).copied().collect();
                Fault::Version { of, engine: self.draw.pick(&same).copied()? }
            }
            "lag" => {
                let of = self.some_instance(Instance::is_redis).unwrap_or(of);
                Fault::Lag { of, ms: self.draw.one(1_000, [200, 30_000]) }
            }
            "client-zone" => {
                let zone = self.draw.one("+05:30", ["America/New_York", "Australia/Sydney"]);
                Fault::ClientZone { zone: zone.to_owned() }
            }
            "time-zone" => {
                let zone = self.draw.one("+02:00", ["UTC", "-11:30", "Europe/Berlin", "America/New_York"]);
                Fault::TimeZone { of, zone: zone.to_owned() }
            }
            "vanish" => {
                let masters = self.draw.chance(15);
                Fault::Vanish { of: self.some_instance(|it| it.role != Role::Primary || masters)? }
            }
            _ => return None,
        })
    }

    fn damaged(&mut self, of: String) -> Damaged {
        let named: Vec<String> = self.known.backups.iter().map(|backup| backup.name.clone()).collect();
        let sets: Vec<String> = self.known.logical.iter().flat_map(|task| task.sets.clone()).collect();
        let (named, set) = (self.draw.pick(&named).cloned(), self.draw.pick(&sets).cloned());
        let log = self.draw.chance(25) && self.known.instance(&of).is_some_and(|it| !it.is_redis());
        match (self.draw.count(0..=2), named, set) {
            (0, Some(backup), _) => Damaged::Named(backup),
            (1, _, Some(set)) => Damaged::Set(set),
            _ => Damaged::Newest { of, kind: if log { BackupKind::Log } else { BackupKind::Data } },
        }
    }

    /// Somebody does something ordinary at a bad moment.
    fn act(&mut self, kind: &str) -> Option<Act> {
        match kind {
            "ddl" | "sql" => self.act_sql(kind == "ddl"),
            "rights" | "password" | "drop-account" => self.act_account(kind),
            "ssl" | "whitelist" => self.act_setting(kind == "ssl"),
            _ => {
                let masters = self.draw.chance(5);
                let instance = self.some_instance(|it| it.role != Role::Primary || masters)?;
                let deed = Deed::Release(ReleaseStep { instance, refused: None });
                Some(Act { kind: ActKind::Delete, deed, undo: None })
            }
        }
    }

    fn act_sql(&mut self, ddl: bool) -> Option<Act> {
        let on = self.some_instance(|it| !it.is_redis() && it.role != Role::ReadOnly && !it.tables.is_empty())?;
        let tables = tables_of(self.known.instance(&on)?, "app");
        let (name, table) = self.draw.pick(&tables)?.clone();
        let number = self.known.name("late").replace('-', "_");
        let run = if ddl {
            match self.draw.count(0..=3) {
                0 => format!("truncate table {name}"),
                1 => format!("create index {number} on {name} ({})", table.shape.key()),
                2 => format!("create table {number} (id int primary key)"),
                _ => format!("alter table {name} add column {number} int"),
            }
        } else {
            match self.draw.count(0..=2) {
                0 => format!("delete from {name} where {} = 1", table.shape.key()),
                1 if table.shape != Shape::Lines => format!("update {name} set {} = 'late'", table.shape.column()),
                _ => {
                    let id = self.draw.whole(500_000..=900_000);
                    let (key, column) = (table.shape.key(), table.shape.column());
                    format!("insert into {name} ({key}, {column}) values ({id}, {})", table.shape.value("'late'"))
                }
            }
        };
        let login = self.known.login(&on);
        let kind = if ddl { ActKind::Ddl } else { ActKind::Sql };
        let deed = Deed::Sql(SqlStep { on, run, login, database: "app".into(), error: None });
        Some(Act { kind, deed, undo: None })
    }

    fn act_account(&mut self, kind: &str) -> Option<Act> {
        let on = self.some_instance(|it| it.role != Role::ReadOnly && !it.accounts.is_empty())?;
        let accounts = self.known.accounts(&on);
        let account = self.draw.pick(&accounts)?.clone();
        let name = account.name.clone();
        let rights = self.draw.one(Rights::ReadOnly, [Rights::None, Rights::ReadWrite]);
        let (kind, deed) = match kind {
            "rights" => {
                let grants = Some(Grants::all(rights));
                (ActKind::Rights, AccountStepChange::Change { name, password: None, grants })
            }
            "password" => {
                let password = Some(Secret::new("changed-pass"));
                (ActKind::Password, AccountStepChange::Change { name, password, grants: None })
            }
            _ => (ActKind::DropAccount, AccountStepChange::Drop { name }),
        };
        let step = |change| Deed::Account(AccountStep { on: on.clone(), change, refused: None });
        Some(Act { kind, deed: step(deed), undo: Some(step(put_back(kind, account))) })
    }

    fn act_setting(&mut self, ssl: bool) -> Option<Act> {
        let on = self.some_instance(|_| true)?;
        let address = self.draw.one("worker-1", ["worker-2", "application", "0.0.0.0/0"]).to_owned();
        let enabled = ssl.then(|| self.draw.chance(40));
        let address = if ssl { BTreeSet::new() } else { BTreeSet::from([address]) };
        let deed = ConfigureStep {
            on,
            whitelist: None,
            add_whitelist: BTreeSet::new(),
            remove_whitelist: address.clone(),
            ssl: enabled,
            parameters: BTreeMap::new(),
            backup_policy: None,
            alarm_thresholds: None,
            refused: None,
        };
        let undo = ConfigureStep {
            add_whitelist: address,
            remove_whitelist: BTreeSet::new(),
            ssl: enabled.map(|enabled| !enabled),
            ..deed.clone()
        };
        let kind = if ssl { ActKind::Ssl } else { ActKind::Whitelist };
        Some(Act { kind, deed: Deed::Configure(deed), undo: Some(Deed::Configure(undo)) })
    }
}

/// What puts an account back as it is.
fn put_back(kind: ActKind, account: AccountSpec) -> AccountStepChange {
    let AccountSpec { name, password, grants } = account.clone();
    match kind {
        ActKind::Rights => AccountStepChange::Change { name, password: None, grants: Some(grants) },
        ActKind::Password => AccountStepChange::Change { name, password: Some(password), grants: None },
        _ => AccountStepChange::Create(account),
    }
}
