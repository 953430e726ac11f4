//! Source and target of a task are of the same engine, whatever their versions (DTS-17).

use super::TaskViolation;
use super::calls::{Side, instance, setups, shown};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// The refusal of two engines.
const PAIR: &str = "InvalidEnginePair";

/// Judges requests whose instances are known.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for call in setups(lens) {
        let product = |side: Side| Some(lens.instance(&instance(call.it, side)?)?.first.product);
        let [Some(source), Some(target)] = Side::BOTH.map(product) else { continue };
        let fits = source.engine == target.engine;
        let refused = call.it.code() == Some(PAIR);
        match shown(call.it).map(|task| task.id) {
            Some(task) if !fits => finding.judge(&call, Some(TaskViolation::EnginesDiffer { task, source, target })),
            Some(_) => finding.judge(&call, None::<TaskViolation>),
            None if refused && fits => finding.judge(&call, Some(TaskViolation::PairRefused { source, target })),
            None if refused => finding.judge(&call, None::<TaskViolation>),
            None => {}
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, wrong};
    use crate::checks::testing::master;

    #[test]
    fn a_task_between_two_engines_is_found() {
        let (source, target) = (master("rm-1", "mysql 5.7"), master("rm-2", "postgresql 9.4"));
        let mut tale = Tale::between(&source, &target);
        tale.create();
        let (source, target) = (source.product, target.product);
        assert_eq!(wrong(&tale, check), vec![TaskViolation::EnginesDiffer { task: "dts-1".into(), source, target }]);
    }

    #[test]
    fn two_versions_of_an_engine_refused_as_a_pair_are_found() {
        let (source, target) = (master("rm-1", "mysql 5.7"), master("rm-2", "mysql 8.0"));
        let mut tale = Tale::between(&source, &target);
        let body = body(&tale.task);
        tale.refuse_body(body, 400, PAIR);
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::PairRefused { source: source.product, target: target.product }]
        );
    }

    #[test]
    fn a_refused_pair_and_an_accepted_one_hold() {
        let mut tale = Tale::between(&master("rm-1", "mysql 5.7"), &master("rm-2", "postgresql 9.4"));
        let other = body(&tale.task);
        tale.refuse_body(other, 400, PAIR);
        holds(&tale, check, 1);
        let mut tale = Tale::between(&master("rm-1", "mysql 5.7"), &master("rm-2", "mysql 8.0"));
        tale.create();
        holds(&tale, check, 1);
    }

    #[test]
    fn a_refusal_for_another_cause_exercises_nothing() {
        let mut tale = Tale::between(&master("rm-1", "mysql 5.7"), &master("rm-2", "postgresql 9.4"));
        let other = body(&tale.task);
        tale.refuse_body(other, 403, "OperationDenied.DBInstanceStatus");
        holds(&tale, check, 0);
    }
}
