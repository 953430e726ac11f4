//! Faults of whole runs: when they come, what they leave behind, and what is said of those that do not.

use crate::history::{Call, History, What};
use crate::runner::run;
use scenarios::Scenario;

const SHOP: &str = "title = \"a fact\"
[instances.shop]
engine = \"mysql 5.7\"
account = { name = \"app\", password = \"s3cret\", rights = \"owner\" }
sql = \"create table orders (id int primary key); insert into orders values (1), (2), (3);\"
[instances.spare]
engine = \"mysql 5.7\"
account = { name = \"app\", password = \"s3cret\", rights = \"owner\" }
";
const MOVE: &str = "migrate = { from = \"shop\", into = \"spare\", objects = [\"orders\"], as = \"move\" }";

fn history(steps: &[&str]) -> History {
    let steps: String = steps.iter().map(|step| format!("[[step]]\n{step}\n")).collect();
    let parsed = Scenario::parse("a-fact.toml", &format!("{SHOP}{steps}"), &Default::default());
    let scenarios = parsed.unwrap_or_else(|error| panic!("{}", error.render()));
    let history = run(&scenarios[0], 1, None).unwrap_or_else(|error| panic!("{error}"));
    let unmet = history.events.iter().find(|event| matches!(event.what, What::Expectation { met: false, .. }));
    assert!(unmet.is_none(), "{unmet:?}");
    history
}

/// Kinds of faults that began or ended, and of those that did not happen.
fn told(history: &History) -> Vec<(&str, Option<bool>)> {
    let told = |what| match what {
        &What::Fault { ref kind, began, .. } if kind != "heal" => Some((kind.as_str(), Some(began))),
        What::FaultMissed { kind, .. } => Some((kind.as_str(), None)),
        _ => None,
    };
    history.events.iter().filter_map(|event| told(&event.what)).collect()
}

fn calls(history: &History) -> impl Iterator<Item = &Call> {
    history.events.iter().filter_map(|event| match &event.what {
        What::Call(call) => Some(call),
        _ => None,
    })
}

#[test]
fn what_a_fault_waits_for_may_be_made_later() {
    let fault = "fault = { crash = \"service\", for = \"5s\", when = { task = \"move\", rows = 1 } }";
    // Rows for several looks at the task while they are copied.
    let more = "with recursive n(i) as (select 4 union all select i + 1 from n where i < 900) select i from n";
    let rows = format!("sql = {{ on = \"shop\", run = \"insert into orders {more}\" }}");
    let history = history(&[&rows, fault, MOVE]);
    assert_eq!(told(&history), [("crash", Some(true)), ("crash", Some(false))]);
    let at = |wanted: &dyn Fn(&What) -> bool| history.events.iter().position(|event| wanted(&event.what));
    let begun = at(&|what| matches!(what, What::Fault { .. }));
    let copied = at(&|what| matches!(what, What::TaskSeen(view) if view.progress.iter().any(|it| it.rows_written > 0)));
    assert!(copied.is_some() && copied < begun, "{copied:?} {begun:?}");
}

#[test]
fn a_fault_whose_condition_never_comes_did_not_happen_and_is_no_failure() {
    let never = "fault = { crash = \"service\", when = { task = \"move\", rows = 9000 } }";
    let nobody = "fault = { vanish = \"spare\", when = { backup = \"set\", status = \"failed\" } }";
    let late = "fault = { pause = \"service\", after = [\"9d\", \"10d\"], background = true }";
    let history = history(&[never, nobody, late, MOVE, "backup = { of = \"shop\", as = \"set\" }"]);
    let mut told = told(&history);
    told.sort_unstable();
    assert_eq!(told, [("crash", None), ("pause", None), ("vanish", None)]);
}

#[test]
fn what_an_act_changed_is_put_back_when_everything_heals() {
    let act = "fault = { password = { on = \"shop\", name = \"app\", password = \"other\" } }";
    let refused = "login = { on = \"shop\", refused = \"denied\" }";
    let history = history(&[act, refused, "fault = { heal = true }", "login = { on = \"shop\" }"]);
    assert_eq!(told(&history), [("password", Some(true)), ("password", Some(false))]);
    let text = serde_json::to_string(&history).unwrap_or_default();
    assert!(!text.contains("\"other\""), "a password stands in the history");
}

#[test]
fn an_act_ends_with_its_time_and_then_only_once() {
    let act = "fault = { rights = { on = \"shop\", name = \"app\", rights = \"read-only\" }, for = \"1h\" }";
    let history = history(&[act, "sql = { on = \"shop\", run = \"insert into orders values (4)\" }"]);
    assert_eq!(told(&history), [("rights", Some(true)), ("rights", Some(false))]);
}

#[test]
fn an_act_in_the_background_that_is_refused_did_not_happen() {
    let act = "fault = { ddl = { on = \"shop\", run = \"drop table nothing\" }, background = true }";
    assert_eq!(told(&history(&[act, "advance = \"1m\""])), [("ddl", None)]);
}

#[test]
fn a_request_sent_twice_bears_one_key_and_is_answered_twice() {
    for at_once in [true, false] {
        let fault = format!("fault = {{ twice = 1, at_once = {at_once} }}");
        let history = history(&[&fault, "backup = { of = \"shop\", as = \"set\" }"]);
        let keyed: Vec<&Call> =
            calls(&history).filter(|call| call.matches("POST /v1/instances/{}/backups").is_some()).collect();
        let [first, second] = keyed.as_slice() else { panic!("{keyed:?}") };
        assert_eq!((&first.key, &first.request), (&second.key, &second.request));
        assert_eq!(first.sent_at == second.sent_at, at_once);
        assert!(first.accepted() || second.accepted());
    }
}

#[test]
fn a_request_whose_answer_is_lost_is_made_again_with_its_key() {
    let history = history(&["fault = { answers_lost = 1 }", "backup = { of = \"shop\", as = \"set\" }"]);
    let keyed: Vec<&Call> =
        calls(&history).filter(|call| call.matches("POST /v1/instances/{}/backups").is_some()).collect();
    let [lost, answered] = keyed.as_slice() else { panic!("{keyed:?}") };
    assert_eq!((lost.status, &lost.key), (None, &answered.key));
    assert!(answered.accepted());
}

#[test]
fn a_clock_that_jumped_is_where_it_was_afterwards() {
    let jump = "fault = { jump = \"service\", ms = 3600000, for = \"1m\" }";
    let history = history(&["fault = { skew = \"service\", ms = 500 }", jump, "backup = \"shop\""]);
    let texts: Vec<&str> = history
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Fault { text, .. } if text.contains("skew") => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    let backup = history.events.iter().rev().find_map(|event| match &event.what {
        What::BackupSeen(view) => Some((event.at, view.began_at)),
        _ => None,
    });
    let (at, begun) = backup.unwrap_or_else(|| panic!("no backup was seen"));
    assert!(begun.duration_since(at).as_secs() < 10, "the service is no hour ahead any more");
}

#[test]
fn a_service_without_room_on_its_disk_answers_once_there_is_some() {
    let full = "fault = { disk_full = \"service\", for = \"30s\", background = true }";
    let history = history(&[full, "backup = { of = \"shop\", as = \"set\" }"]);
    let asked: Vec<&Call> =
        calls(&history).filter(|call| call.matches("POST /v1/instances/{}/backups").is_some()).collect();
    assert!(asked.len() > 1 && !asked[0].accepted(), "{asked:?}");
    assert!(asked.last().is_some_and(|call| call.accepted()));
}
