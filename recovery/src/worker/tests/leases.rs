//! Leases kept and lost, and servers that are away.

use super::load::{failure, run, world};
use super::sample::{only, whole};
use super::world::{End, Shared};
use crate::model::Engine;
use crate::model::task::TaskFailure;
use crate::ports::database::DatabaseError;
use crate::worker::Interruption;
use crate::worker::lease::LetGo;
use crate::worker::servers::Outages;

fn let_go(end: &End<Result<(), Interruption>>) -> Option<LetGo> {
    match end {
        End::Done(Err(Interruption::LetGo(let_go))) => Some(*let_go),
        _ => None,
    }
}

fn mysql() -> Shared {
    world(Engine::MySql, "sf", vec![only("shop", "goods")])
}

#[test]
fn a_worker_may_be_run_from_any_thread() {
    fn is_send<T: Send>(_: T) {}
    let shared = mysql();
    is_send(shared.worker().work());
    is_send(crate::worker::run);
}

#[test]
fn a_fenced_worker_writes_nothing() {
    let shared = mysql();
    shared.server("target", |server| server.epoch = 7);
    assert_eq!(let_go(&shared.turn(1_000)), Some(LetGo::Fenced));
    let world = shared.lock();
    assert_eq!(world.servers["target"].writes, 0);
    assert!(world.service.failure.is_none());
}

#[test]
fn a_worker_that_is_fenced_off_midway_lets_go() {
    let shared = mysql();
    shared.before("write", 1, |world| world.servers.get_mut("target").expect("a server").epoch = 9);
    assert_eq!(let_go(&shared.turn(1_000)), Some(LetGo::Fenced));
    assert!(shared.lock().servers["target"].rows("shop", "goods").is_empty());
    assert_eq!(failure(&shared), None);
}

#[test]
fn a_worker_whose_lease_passed_on_lets_go_at_its_next_report() {
    let shared = mysql();
    shared.before("create", 1, |world| world.service.epoch += 1);
    assert_eq!(let_go(&shared.turn(1_000)), Some(LetGo::Lost));
    // That the table is made is told with the first rows.
    assert_eq!(shared.lock().servers["target"].writes, 2);
    assert!(!shared.lock().service.finished);
}

#[test]
fn a_lease_is_renewed_while_a_server_is_slow() {
    let shared = mysql();
    shared.before("read", 1, |world| world.servers.get_mut("source").expect("a server").hangs = true);
    shared.after_s(55, |world| world.servers.get_mut("source").expect("a server").hangs = false);
    run(&shared);
    let world = shared.lock();
    assert!(world.service.finished);
    assert!(world.service.renewals >= 5, "{}", world.service.renewals);
}

#[test]
fn a_worker_cut_off_from_the_service_stops_in_time() {
    let shared = mysql();
    let began = shared.lock().now;
    shared.before("write", 1, |world| {
        world.service.away = true;
        world.servers.get_mut("target").expect("a server").hangs = true;
    });
    assert_eq!(let_go(&shared.turn(1_000)), Some(LetGo::Lapsed));
    let past = began.duration_until(shared.lock().now).as_secs();
    assert_eq!(past, 25);
    assert_eq!(shared.lock().servers["target"].rows("shop", "goods").len(), 0);
}

#[test]
fn reports_are_made_again_while_the_service_is_away_for_less_than_the_lease() {
    let shared = mysql();
    shared.before("write", 1, |world| world.service.away = true);
    shared.after_s(15, |world| world.service.away = false);
    run(&shared);
    assert!(shared.lock().service.finished);
}

#[test]
fn an_unreachable_server_is_tried_again() {
    let shared = mysql();
    let away = Some(DatabaseError::Unreachable("no route".into()));
    shared.before("read", 1, move |world| world.servers.get_mut("source").expect("a server").refuses = away);
    shared.after_s(40, |world| world.servers.get_mut("source").expect("a server").refuses = None);
    run(&shared);
    assert!(shared.lock().service.finished);
}

#[test]
fn a_server_away_for_longer_is_tried_under_a_fresh_lease_and_the_task_fails_after_twelve_hours() {
    let shared = mysql();
    let away = Some(DatabaseError::Unreachable("no route".into()));
    shared.server("target", |server| server.refuses = away);
    let mut outages = Outages::default();
    let began = shared.lock().now;
    let worker = shared.worker();
    let mut leases = 0;
    while failure(&shared).is_none() {
        leases += 1;
        assert!(leases < 2_000);
        let end = shared.drive(1_000, async { worker.turn(&mut outages).await });
        assert!(let_go(&end).is_none_or(|let_go| let_go == LetGo::Away), "{end:?}");
        assert!(matches!(shared.drive(30, std::future::pending::<()>()), End::Still));
    }
    let hours = began.duration_until(shared.lock().now).as_secs() / 3_600;
    assert!(leases > 100 && hours == 12, "{leases} leases, {hours} hours");
    let wanted = TaskFailure::Unreachable { side: "target".into(), detail: "no route".into() };
    assert_eq!(failure(&shared), Some(wanted));
}

#[test]
fn a_gone_instance_fails_the_task_at_once() {
    let shared = mysql();
    shared.lock().service.work.source.endpoint = None;
    run(&shared);
    let wanted = TaskFailure::InstanceGone { side: "source".into(), instance: "rm-source".into() };
    assert_eq!(failure(&shared), Some(wanted));
}

#[test]
fn a_refused_login_fails_the_task() {
    let shared = mysql();
    shared.server("target", |server| server.refuses = Some(DatabaseError::NotWhitelisted("worker-1".into())));
    run(&shared);
    let named = |detail: &str| detail.ends_with("address worker-1 is not on the whitelist");
    assert!(
        matches!(failure(&shared), Some(TaskFailure::Refused { side, detail }) if side == "target" && named(&detail))
    );
}

#[test]
fn a_lease_that_came_after_a_long_wait_is_renewed_first() {
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    let worker = shared.worker();
    let asked_at = crate::ports::clock::later_s(shared.lock().now, -1_500);
    let work = {
        let mut world = shared.lock();
        world.service.epoch = 1;
        world.service.leased()
    };
    let end = shared.drive(100, async { worker.handle(&mut Outages::default(), work, asked_at).await });
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
    let world = shared.lock();
    assert!(world.service.finished && world.service.renewals == 1 && world.calls.first() == Some(&"report"));
}
