//! A plan: a whole scenario drawn from options. A small model of what should be there is kept while it is drawn, so that
//! most steps make sense, and some are drawn though they will hardly be accepted.

mod calls;
mod faults;
mod known;
mod logical;
mod manage;
mod moves;
mod rescue;
mod statements;
mod world;

use super::draw::Draw;
use super::kinds::StepKind;
use super::options::Options;
use known::Known;
use scenarios::{Action, FaultStep, Scenario, Step};

/// Tries to draw a step whose preconditions hold before any statement does.
const TRIES: usize = 12;

/// A plan that is being drawn.
struct Plan<'a> {
    options: &'a Options,
    draw: Draw,
    known: Known,
    steps: Vec<Step>,
    /// Faults so far.
    faults: usize,
    /// A fault that waits for a task or restore to be made.
    kept: Option<FaultStep>,
}

/// The scenario that options stand for.
#[must_use]
pub fn plan(options: &Options) -> Scenario {
    let draw = Draw::new(options.seed, "plan");
    let mut plan = Plan { options, draw, known: Known::default(), steps: vec![], faults: 0, kept: None };
    let (instances, application) = plan.world();
    if plan.draw.chance(75) {
        plan.story();
    }
    while plan.length() < options.length {
        plan.next();
    }
    plan.fault_left();
    let workers = options.workers;
    Scenario {
        name: format!("explored-{:#x}", options.seed),
        case: None,
        file: format!("explored-{:#x}.toml", options.seed),
        title: format!("Explored from seed {:#x}, profile {}", options.seed, options.profile),
        covers: vec![],
        seed: Some(options.seed),
        tolerant: true,
        world: plan.hosts(workers),
        instances,
        application,
        steps: plan.steps,
    }
}

impl Plan<'_> {
    /// Steps so far that are no faults.
    fn length(&self) -> usize {
        self.steps.iter().filter(|step| !matches!(step.action, Action::Fault(_))).count()
    }

    /// Draws a step, with a fault before it now and then.
    fn next(&mut self) {
        let (left, faults_left) = (
            self.options.length.saturating_sub(self.length()).max(1),
            self.options.fault_count.saturating_sub(self.faults),
        );
        if faults_left > 0 && self.draw.count(1..=left) <= faults_left {
            self.fault();
        }
        for _ in 0..TRIES {
            let weights: Vec<(StepKind, u32)> =
                self.options.steps.iter().map(|(kind, weight)| (*kind, *weight)).collect();
            let Some(kind) = self.draw.weighted(weights) else { break };
            if self.take(kind).is_some() {
                return;
            }
        }
        if self.statement().is_none() {
            self.mark();
        }
    }

    /// Draws a step of a kind; none where what it needs is not there.
    fn take(&mut self, kind: StepKind) -> Option<()> {
        if self.draw.chance(12) {
            return self.story_of(kind);
        }
        match kind {
            StepKind::Backup => self.backup(),
            StepKind::Sql => self.statement(),
            StepKind::Mark => {
                self.mark();
                Some(())
            }
            StepKind::Temporary => self.temporary(),
            StepKind::Clone => self.clones(),
            StepKind::Migrate => self.migrate(),
            StepKind::Task => self.task(),
            StepKind::Wait => self.wait(),
            StepKind::DataSource => self.data_source(),
            StepKind::RemoveDataSource => self.remove_data_source(),
            StepKind::LogicalBackup => self.logical_backup(),
            StepKind::LogicalTask => self.logical_task(),
            StepKind::Restore => self.restore(),
            StepKind::RestoreTask => self.restore_task(),
            StepKind::Recover => self.recover(),
            StepKind::Download => self.download(),
            StepKind::Release => self.release(),
            StepKind::Account => self.account(),
            StepKind::Configure => self.configure(),
            StepKind::Login => self.login(),
            StepKind::Advance => self.advance(),
            StepKind::Application => self.application(),
            StepKind::Call => self.call(),
        }
    }

    /// Whether a kind of step is switched on.
    fn on(&self, kind: StepKind) -> bool {
        self.options.steps.contains_key(&kind)
    }

    /// Whether to do something that will hardly be accepted.
    fn mischief(&mut self) -> bool {
        self.draw.chance(self.options.mischief_percent)
    }

    fn push(&mut self, action: Action) {
        let text = match &action {
            Action::Fault(fault) => format!("fault {:?}", fault.fault),
            other => StepKind::of(other).map_or("expect", StepKind::text).to_owned(),
        };
        self.faults += usize::from(matches!(action, Action::Fault(_)));
        self.steps.push(Step { line: self.steps.len() + 1, text, action });
    }

    /// One of the instances that should be there and fit.
    fn some_instance(&mut self, fits: impl Fn(&known::Instance) -> bool) -> Option<String> {
        let names = self.known.alive(fits);
        self.draw.pick(&names).cloned()
    }

    /// An instance that fits, or with some mischief any.
    fn instance_or_any(&mut self, fits: impl Fn(&known::Instance) -> bool) -> Option<String> {
        if self.mischief() {
            let names: Vec<String> = self.known.instances.iter().map(|(name, _)| name.clone()).collect();
            return self.draw.pick(&names).cloned();
        }
        self.some_instance(fits)
    }

    /// A story that something kind of step is in: what it needs is done first.
    fn story_of(&mut self, kind: StepKind) -> Option<()> {
        match kind {
            StepKind::Temporary | StepKind::Clone | StepKind::Migrate | StepKind::Task => self.put_back(),
            StepKind::LogicalBackup | StepKind::LogicalTask | StepKind::Restore | StepKind::RestoreTask => {
                self.bring_back()
            }
            StepKind::Recover | StepKind::Download => self.turn_back(),
            StepKind::Release => self.again(),
            _ => None,
        }
    }

    /// One of the stories that are switched on.
    fn story(&mut self) {
        let kinds = [StepKind::Temporary, StepKind::Clone, StepKind::Migrate, StepKind::Restore, StepKind::Recover];
        let weights: Vec<_> =
            kinds.into_iter().filter_map(|kind| Some((kind, *self.options.steps.get(&kind)?))).collect();
        if let Some(kind) = self.draw.weighted(weights) {
            self.story_of(kind);
        }
    }
}
