//! One scenario out of many golden worlds: they are set up one after the other on the same instances, each after what the
//! one before changed was undone.

use super::super::table::{Combination, scenario};
use super::super::worlds::{Outcome, of_restore, world};
use recovery::model::Engine;
use recovery::model::logical::backup::LogicalType;
use recovery::model::precheck::PrecheckItem as I;
use scenarios::{
    AccountStep, AccountStepChange, Action, ConfigureStep, Credentials, DatabaseSpec, InstanceSpec, Scenario, SqlStep,
    Step,
};
use std::collections::BTreeMap;
use std::ops::Range;

/// An instance that is newer than the others, and the one of the golden worlds that it is instead of.
const YOUNGER: (&str, &str) = ("younger", "shop");
/// Machines beside those of the instances: for the newer one and a temporary one.
const MORE_MACHINES: usize = 2;

/// What servers have that nothing was set of.
const SETTINGS: [(&str, &str); 11] = [
    ("binlog_format", "ROW"),
    ("binlog_row_image", "FULL"),
    ("character_set_server", "utf8mb4"),
    ("collation_server", "utf8mb4_general_ci"),
    ("log_bin_trust_function_creators", "ON"),
    ("max_allowed_packet", "16777216"),
    ("maxmemory-policy", "noeviction"),
    ("old_passwords", "OFF"),
    ("server_id", "1001"),
    ("sql_mode", ""),
    ("time_zone", "+00:00"),
];

/// Everything that a golden world may have made.
const EMPTY_MYSQL: &str = "set foreign_key_checks = 0; drop view if exists lamps; drop table if exists \
    customers, orders, prices, keyless, a, b, bills, Bills, notes; set foreign_key_checks = 1";
const EMPTY_POSTGRES: &str = "drop table if exists customers, orders, keyless, a, b, bills, words cascade; \
    drop sequence if exists numbers; drop extension if exists citext";
const EMPTY_REDIS: &str = "flushdb";

/// A part of the scenario, which shows combinations.
pub struct Part {
    pub combinations: Vec<Combination>,
    pub steps: Range<usize>,
    /// An instance and the name it has in the golden world.
    pub renamed: Option<(&'static str, &'static str)>,
}

/// The scenario and its parts.
pub struct Play {
    pub scenario: Scenario,
    pub parts: Vec<Part>,
    /// What each instance holds.
    held: BTreeMap<String, Vec<DatabaseSpec>>,
}

impl Play {
    /// The scenario that shows combinations of one engine.
    pub fn of(combinations: &[Combination]) -> Result<Self, String> {
        let mut parts: Vec<(Vec<Combination>, Scenario)> = Vec::new();
        // All items pass in one world of migrations and one of restores.
        for restores in [true, false] {
            let of_kind = || combinations.iter().filter(|it| of_restore(it.0) == restores);
            let passed: Vec<_> = of_kind().filter(|it| it.2 == Outcome::Passed).copied().collect();
            let mut others: Vec<_> = of_kind().filter(|it| it.2 != Outcome::Passed).map(|it| vec![*it]).collect();
            others.insert(0, passed);
            let mut of_kind = Vec::new();
            for shown in others.into_iter().filter(|it| !it.is_empty()) {
                let (item, engine, outcome) = shown[0];
                let text = world(item, engine, outcome).ok_or_else(|| format!("{item} has no world on {engine}"))?;
                of_kind.push((shown, scenario(&text)?));
            }
            // What these break or make stays.
            let stays = |shown: &[Combination]| {
                shown[0].2 != Outcome::Passed
                    && matches!(shown[0].0, I::RestoreSetReadable | I::AdviseExpiry | I::AdviseTransaction)
            };
            of_kind.sort_by_key(|(shown, world)| (stays(shown), needs_a_set(shown, world)));
            parts.extend(of_kind);
        }
        let first = parts.first().ok_or("nothing is to be shown")?.1.clone();
        let instances = first.instances.iter().map(|it| InstanceSpec { parameters: BTreeMap::new(), ..it.clone() });
        let instances = instances.collect();
        let mut scenario = Scenario { instances, tolerant: true, covers: vec![], steps: vec![], ..first };
        scenario.world.machines += MORE_MACHINES;
        let mut play = Self { scenario, parts: vec![], held: BTreeMap::new() };
        for (shown, world) in parts {
            play.add(shown, world)?;
        }
        Ok(play)
    }

    fn act(&mut self, text: impl Into<String>, action: Action) {
        self.scenario.steps.push(Step { line: 1, text: text.into(), action });
    }

    fn add(&mut self, combinations: Vec<Combination>, mut world: Scenario) -> Result<(), String> {
        let begin = self.scenario.steps.len();
        let renamed = self.replace_the_newer(&mut world);
        let own_set = needs_a_set(&combinations, &world);
        for spec in &world.instances {
            self.fill(spec);
            self.set(spec, spec.parameters.clone());
        }
        for step in world.steps {
            let mut action = step.action;
            if let Action::LogicalBackup(it) = &mut action {
                // The log of a source is not taken from real servers.
                it.backup_type = LogicalType::StructureFull;
            }
            if let Action::Sql(it) = &action {
                self.held.remove(&it.on);
            }
            let once = match action {
                Action::LogicalBackup(_) => !own_set,
                Action::DataSource(_) => true,
                _ => false,
            };
            if !once || !self.scenario.steps.iter().any(|step| step.action == action) {
                self.act(step.text, action);
            }
        }
        self.parts.push(Part { combinations, steps: begin..self.scenario.steps.len(), renamed });
        self.undo(begin, &world.instances);
        Ok(())
    }

    /// Where a world has a source of another version, another instance is it.
    fn replace_the_newer(&mut self, world: &mut Scenario) -> Option<(&'static str, &'static str)> {
        let source = world.instances.first_mut()?;
        if source.product == self.scenario.instances.first()?.product {
            return None;
        }
        YOUNGER.0.clone_into(&mut source.name);
        if !self.scenario.instances.iter().any(|spec| spec.name == YOUNGER.0) {
            self.scenario.instances.push(source.clone());
        }
        for step in &mut world.steps {
            if let Action::Migrate(it) = &mut step.action {
                YOUNGER.0.clone_into(&mut it.source.instance);
            }
        }
        Some(YOUNGER)
    }

    /// Empties an instance and puts in what the world has there, where that is not what it holds.
    fn fill(&mut self, spec: &InstanceSpec) {
        let (empty, between) = match spec.product.engine {
            Engine::Redis => (EMPTY_REDIS, "\n"),
            Engine::MySql => (EMPTY_MYSQL, ";\n"),
            _ => (EMPTY_POSTGRES, ";\n"),
        };
        if self.held.insert(spec.name.clone(), spec.databases.clone()).as_ref() == Some(&spec.databases) {
            return;
        }
        for database in &spec.databases {
            let own = &spec.accounts[0];
            let login = Credentials { account: own.name.clone(), password: own.password.clone() };
            let run = [empty, database.sql.trim()].iter().filter(|sql| !sql.is_empty()).copied().collect::<Vec<_>>();
            let (on, run) = (spec.name.clone(), run.join(between));
            let step = SqlStep { on, run, login, database: database.name.clone(), error: None };
            self.act("sql", Action::Sql(step));
        }
    }

    fn set(&mut self, spec: &InstanceSpec, parameters: BTreeMap<String, String>) {
        if parameters.is_empty() {
            return;
        }
        let step = ConfigureStep {
            on: spec.name.clone(),
            whitelist: None,
            add_whitelist: [].into(),
            remove_whitelist: [].into(),
            ssl: None,
            parameters,
            backup_policy: None,
            alarm_thresholds: None,
            refused: None,
        };
        self.act("configure", Action::Configure(step));
    }

    /// Puts settings and accounts back that steps from one on have changed.
    fn undo(&mut self, begin: usize, instances: &[InstanceSpec]) {
        for spec in instances {
            let was = |name: &String| SETTINGS.iter().find(|(own, _)| own == name);
            let known = spec.parameters.keys().filter_map(was);
            self.set(spec, known.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
            let changes = |step: &Step| matches!(&step.action, Action::Account(it) if it.on == spec.name);
            if self.scenario.steps[begin..].iter().any(changes) {
                let own = &spec.accounts[0];
                let (name, password, grants) = (own.name.clone(), Some(own.password.clone()), Some(own.grants.clone()));
                let change = AccountStepChange::Change { name, password, grants };
                let step = AccountStep { on: spec.name.clone(), change, refused: None };
                self.act("account", Action::Account(step));
            }
        }
    }
}

/// Whether a world restores a set that no other can: one of a source with settings of its own, or one that is damaged.
fn needs_a_set(shown: &[Combination], world: &Scenario) -> bool {
    let first = world.instances.first();
    shown[0].0 == I::RestoreSetReadable && shown[0].2 != Outcome::Passed
        || first.is_some_and(|source| !source.parameters.is_empty())
}
