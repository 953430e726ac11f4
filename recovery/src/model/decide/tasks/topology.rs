//! Which other tasks could carry what a task writes back to where it reads (CHECK_TOPOLOGY): what of the state the precheck
//! and the staleness of its results go by.

use crate::model::InstanceId;
use crate::model::state::State;
use crate::model::task::{MigrationType, Task};
use crate::model::work::Following;
use std::collections::BTreeSet;

/// The other tasks that follow logs and, one after the other, lead from the task's target back to its source; none where
/// the task follows no log itself. Whether their objects meet is for the precheck to see.
#[must_use]
pub fn way_back(state: &State, task: &Task) -> Vec<Following> {
    if !task.types.contains(&MigrationType::Incremental) {
        return Vec::new();
    }
    let others: Vec<&Task> = state.tasks.values().filter(|other| other.id != task.id && other.is_following()).collect();
    let onward = reached(&task.target.instance, &others, |other| (&other.source.instance, &other.target.instance));
    let backward = reached(&task.source.instance, &others, |other| (&other.target.instance, &other.source.instance));
    let leads = |other: &&Task| onward.contains(&other.source.instance) && backward.contains(&other.target.instance);
    others.into_iter().filter(leads).map(following).collect()
}

fn following(task: &Task) -> Following {
    Following {
        task: task.id.clone(),
        source: task.source.instance.to_string(),
        target: task.target.instance.to_string(),
        objects: task.objects.clone(),
    }
}

/// The instances that tasks reach from one on, that one included, each from and to where `ends` says.
fn reached<'a>(
    begin: &'a InstanceId,
    tasks: &[&'a Task],
    ends: impl Fn(&'a Task) -> (&'a InstanceId, &'a InstanceId),
) -> BTreeSet<&'a InstanceId> {
    let mut reached = BTreeSet::from([begin]);
    loop {
        let further = tasks.iter().map(|task| ends(task)).filter(|(from, _)| reached.contains(from));
        let further: Vec<&InstanceId> = further.map(|(_, to)| to).filter(|to| !reached.contains(to)).collect();
        if further.is_empty() {
            return reached;
        }
        reached.extend(further);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskId;
    use crate::model::decide::leases;
    use crate::model::decide::tasks::{confirm, precheck};
    use crate::model::decide::testing::{Bench, MYSQL};
    use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
    use crate::model::task::{TaskFailure, TaskStatus};
    use crate::model::work::{Job, Report, Reports};

    const FOLLOWING: &[MigrationType] = &[MigrationType::Full, MigrationType::Incremental];

    struct Ring {
        bench: Bench,
        instances: [InstanceId; 3],
    }

    fn ring() -> Ring {
        let mut bench = Bench::new();
        let instances = [(); 3].map(|()| bench.restorable_primary(MYSQL));
        Ring { bench, instances }
    }

    impl Ring {
        fn task(&mut self, from: usize, into: usize, types: &[MigrationType]) -> TaskId {
            let (from, into) = (self.instances[from].clone(), self.instances[into].clone());
            self.bench.selected_task(&from, &into, types)
        }

        fn running(&mut self, from: usize, into: usize) -> TaskId {
            let id = self.task(from, into, FOLLOWING);
            self.bench.edit_task(&id, |task| task.status = TaskStatus::Migrating);
            id
        }

        fn way_back(&self, id: &TaskId) -> Vec<TaskId> {
            way_back(&self.bench.state, &self.bench.state.tasks[id]).into_iter().map(|other| other.task).collect()
        }

        /// A worker takes the next task: which, under which epoch, and which others it is told to lead back.
        fn lease(&mut self) -> (TaskId, u64, Vec<TaskId>) {
            let leased = self.bench.ask(|ctx| leases::next(ctx, "worker-1")).expect("there is work");
            self.bench.state.apply(&leased.changes);
            match leased.answer.job {
                Job::Migration(job) => {
                    let told = job.way_back.into_iter().map(|other| other.task).collect();
                    (leased.answer.task, leased.answer.epoch, told)
                }
                other => panic!("{other:?}"),
            }
        }

        /// The worker found nothing.
        fn pass(&mut self, id: &TaskId, epoch: u64) -> TaskStatus {
            let item = PrecheckResult { item: PrecheckItem::Topology, outcome: PrecheckOutcome::Success };
            let reports = vec![Report::PrecheckItem(item), Report::PrecheckDone];
            let reports = Reports { worker: "worker-1".into(), epoch, reports };
            self.bench.decide(|ctx| leases::report(ctx, id, &reports)).unwrap();
            self.bench.state.tasks[id].status
        }
    }

    #[test]
    fn tasks_under_way_that_lead_back_over_any_number_of_instances_are_named() {
        let mut ring = ring();
        let aside = ring.running(0, 2);
        let onward = ring.running(1, 2);
        ring.task(1, 0, FOLLOWING);
        let own = ring.task(0, 1, FOLLOWING);
        assert_eq!(ring.way_back(&own), []);
        ring.bench.edit_task(&aside, |task| task.status = TaskStatus::Finished);
        let last = ring.running(2, 0);
        assert_eq!(ring.way_back(&own).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([onward, last]));
        let copy = ring.task(0, 1, &[MigrationType::Full]);
        assert_eq!(ring.way_back(&copy), []);
    }

    #[test]
    fn a_task_that_may_go_on_without_a_precheck_counts_and_one_that_never_does_not() {
        let mut ring = ring();
        let other = ring.running(1, 0);
        let own = ring.task(0, 1, FOLLOWING);
        let passing = TaskFailure::Refused { side: "target".into(), detail: "no".into() };
        for (status, failure, counts) in [
            (TaskStatus::Suspending, None, true),
            (TaskStatus::MigrationFailed, Some(passing), true),
            (TaskStatus::MigrationFailed, Some(TaskFailure::PausedTooLong), false),
            (TaskStatus::Finished, None, false),
            (TaskStatus::PrecheckPassed, None, false),
        ] {
            ring.bench.edit_task(&other, |task| (task.status, task.failure) = (status, failure.clone()));
            assert_eq!(!ring.way_back(&own).is_empty(), counts, "{status:?} {failure:?}");
        }
    }

    #[test]
    fn of_two_tasks_that_are_checked_at_the_same_time_one_is_checked_again_knowing_of_the_other() {
        let mut ring = ring();
        let (out, back) = (ring.task(0, 1, FOLLOWING), ring.task(1, 0, FOLLOWING));
        for id in [&out, &back] {
            ring.bench.decide(|ctx| precheck(ctx, id)).unwrap();
            let (_, epoch, _) = ring.lease();
            assert_eq!(ring.pass(id, epoch), TaskStatus::PrecheckPassed);
        }
        for id in [&out, &back] {
            ring.bench.decide(|ctx| confirm(ctx, id)).unwrap();
        }
        let (first, second) = (ring.lease(), ring.lease());
        assert_eq!((first.0, first.2), (out.clone(), vec![]));
        assert_eq!((second.0, second.2), (back.clone(), vec![]));
        assert_eq!(ring.pass(&out, first.1), TaskStatus::Migrating);
        assert_eq!(ring.pass(&back, second.1), TaskStatus::Prechecking);
        let again =
            [ring.lease(), ring.lease()].into_iter().find(|leased| leased.0 == back).expect("it is checked again");
        assert_eq!(again.2, [out]);
    }
}
