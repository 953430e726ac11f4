//! A side is reached non-encrypted or over SSL, and non-encrypted when nothing is said (TMP-29, TMP-36, SQL-39, CLN-34; C-03).

use super::TaskViolation;
use super::calls::{MODES, Side, blamed, creations, field, flawless, made, shown};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen};
use recovery::model::task::ConnectionMode;

/// Judges the connection mode of either side of every request that makes a task.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for call in creations(lens) {
        for side in Side::BOTH {
            let mode = field(call.it, side, "connection")
                .map(|mode| mode.as_str().map_or_else(|| mode.to_string(), str::to_owned));
            match mode {
                Some(mode) if !MODES.contains(&mode.as_str()) => {
                    if call.it.accepted() {
                        finding.judge(&call, Some(TaskViolation::ModeAccepted { task: made(call.it), side, mode }));
                    } else if call.it.status == Some(400) {
                        finding.judge(&call, None::<TaskViolation>);
                    }
                }
                given => judge_known(lens, &mut finding, &call, side, given),
            }
        }
    }
    finding
}

fn judge_known(lens: &Lens<'_>, finding: &mut Finding, call: &Seen<'_, Call>, side: Side, given: Option<String>) {
    let wanted = if given.as_deref() == Some("ssl") { ConnectionMode::Ssl } else { ConnectionMode::Plain };
    if let Some(task) = shown(call.it) {
        let got = side.of(&task).connection;
        let other = (got != wanted).then(|| TaskViolation::ModeNotKept {
            task: made(call.it),
            side,
            given,
            got: format!("{got:?}"),
        });
        finding.judge(call, other);
    } else if given.as_deref() != Some("plain") && blamed(call.it) && flawless(lens, call) {
        let got = format!("refused with {}", call.it.code().unwrap_or("no code"));
        finding.judge(call, Some(TaskViolation::ModeNotKept { task: None, side, given, got }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, rescue, with, wrong};
    use serde_json::{Value, json};

    #[test]
    fn a_third_mode_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/source/connection", json!("tls"));
        tale.create_as(body);
        let (task, side, mode) = (Some("dts-1".into()), Side::Source, "tls".into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::ModeAccepted { task, side, mode }]);
    }

    #[test]
    fn a_refused_ssl_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/target/connection", json!("ssl"));
        tale.refuse_body(body, 400, "InvalidParameter").story.see(&rescue());
        let (given, got) = (Some("ssl".into()), "refused with InvalidParameter".into());
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::ModeNotKept { task: None, side: Side::Target, given, got }]
        );
    }

    #[test]
    fn a_mode_left_out_that_is_not_plain_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/source/connection", Value::Null);
        tale.set(|task| task.source.connection = ConnectionMode::Ssl).create_as(body);
        let (task, got) = (Some("dts-1".into()), "Ssl".into());
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::ModeNotKept { task, side: Side::Source, given: None, got }]
        );
    }

    #[test]
    fn a_refused_third_mode_and_both_lawful_ones_hold() {
        let mut tale = Tale::begin();
        let third = with(body(&tale.task), "/source/connection", json!("tls"));
        tale.refuse_body(third, 400, "InvalidParameter")
            .set(|task| task.target.connection = ConnectionMode::Ssl)
            .create();
        holds(&tale, check, 3);
    }
}
