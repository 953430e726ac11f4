//! SSL to a side needs SSL on that very side, and on no other (TMP-30, TMP-37; C-03).

use super::TaskViolation;
use super::calls::Side;
use super::runs::{connectivity, runs};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares what each precheck said of a side's connectivity over SSL with what photographs say of SSL there.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for run in runs(lens) {
        for side in Side::BOTH {
            let Some(given) = run.given(lens, side).filter(|given| given.ssl) else { continue };
            let (Some(passed), Some(on)) = (run.says(connectivity(side)), run.ssl_on(lens, &given)) else { continue };
            let task = run.task.id.clone();
            match (on, passed) {
                (false, true) => finding.judge(&run.seen, Some(TaskViolation::SslPassedWithout { task, side })),
                (false, false) => finding.judge(&run.seen, None::<TaskViolation>),
                (true, _) if !run.must_connect(lens, &given) => {}
                (true, true) => finding.judge(&run.seen, None::<TaskViolation>),
                (true, false) => finding.judge(&run.seen, Some(TaskViolation::SslFailedThoughOn { task, side })),
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::photograph::Photograph;
    use recovery::model::precheck::PrecheckItem;
    use recovery::model::task::ConnectionMode;

    const ITEM: PrecheckItem = PrecheckItem::TargetConnectivity;

    fn with_ssl(on: bool) -> Photograph {
        Photograph { settings: [("ssl".to_owned(), on.to_string())].into(), ..photograph(&[]) }
    }

    fn tale(source: bool, target: bool, failing: &[PrecheckItem]) -> Tale {
        let mut tale = Tale::begin();
        let (source, target) = (with_ssl(source), with_ssl(target));
        tale.set(|task| task.target.connection = ConnectionMode::Ssl).ready();
        tale.photograph(&source, &target).precheck(failing).photograph(&source, &target);
        tale
    }

    #[test]
    fn ssl_that_passes_where_it_is_off_is_found() {
        let expected = TaskViolation::SslPassedWithout { task: "dts-1".into(), side: Side::Target };
        assert_eq!(wrong(&tale(true, false, &[]), check), vec![expected]);
    }

    #[test]
    fn ssl_that_fails_because_it_is_off_on_the_other_side_is_found() {
        let expected = TaskViolation::SslFailedThoughOn { task: "dts-1".into(), side: Side::Target };
        assert_eq!(wrong(&tale(false, true, &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale(true, false, &[ITEM]), check, 1);
        holds(&tale(false, true, &[]), check, 1);
    }

    #[test]
    fn a_plain_connection_exercises_nothing() {
        let mut tale = Tale::begin();
        let shot = with_ssl(false);
        tale.ready().photograph(&shot, &shot).precheck(&[]).photograph(&shot, &shot);
        holds(&tale, check, 0);
    }
}
