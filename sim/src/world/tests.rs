//! Tests of the world with small hosts of their own.

use super::{EngineOptions, Facts, Faults, HostKit, HostPlan, MemoryDisk, SeededDice, WorldError, drive};
use jiff::{SignedDuration, Timestamp};
use recovery::ports::{Dice, Disk, Stream};
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod breaks;
mod calls;
mod crashes;
mod damage;
mod disks;
mod logical;
mod population;

type Log = Rc<RefCell<Vec<String>>>;

fn start() -> Timestamp {
    EngineOptions::default().start
}

fn since_start_ms(time: Timestamp) -> i64 {
    i64::try_from(time.duration_since(start()).as_millis()).unwrap()
}

/// Answers every line on port 7 with the same line.
async fn echo(kit: HostKit) {
    let mut listener = kit.network.listen(7).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::task::spawn_local(echo_stream(stream));
    }
}

async fn echo_stream(mut stream: Box<dyn Stream>) {
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte).await {
        if stream.write_all(&byte).await.is_err() {
            return;
        }
    }
}

fn echo_host(name: &str) -> HostPlan {
    HostPlan::new(name, echo)
}

fn idle_host(name: &str) -> HostPlan {
    HostPlan::new(name, |_| std::future::pending())
}

/// Sends a byte and waits for it to come back, at most for some seconds; whether it did.
async fn ping(kit: &HostKit, stream: &mut dyn Stream, seconds: i64) -> bool {
    let exchange = async {
        stream.write_all(b"x").await.ok()?;
        let mut byte = [0];
        (stream.read(&mut byte).await.ok()? == 1).then_some(())
    };
    kit.clock.timeout(SignedDuration::from_secs(seconds), exchange).await.flatten().is_some()
}

fn run<T: 'static, Fut: Future<Output = T> + 'static>(
    hosts: Vec<HostPlan>,
    operator: impl FnOnce(HostKit, Faults) -> Fut + 'static,
) -> (T, Facts) {
    drive(&EngineOptions::default(), hosts, operator).unwrap()
}

#[test]
fn forty_eight_idle_hours_take_hardly_a_step() {
    let hosts = (1..9).map(|number| idle_host(&format!("machine-{number}"))).collect();
    let ((), facts) = run(hosts, |kit, _| async move {
        kit.clock.sleep(SignedDuration::from_hours(48)).await;
    });
    assert!(facts.steps <= 3, "{facts:?}");
    assert!((facts.virtual_seconds - 172_800.0).abs() < 0.01, "{facts:?}");
}

#[test]
fn timers_fire_in_order_at_the_exact_millisecond() {
    let log = Log::default();
    let kept = Rc::clone(&log);
    run(vec![], move |kit, _| async move {
        let wake = |ms: i64, micros: i64| {
            let (kit, log) = (kit.clone(), Rc::clone(&kept));
            async move {
                kit.clock.sleep(SignedDuration::from_millis(ms) + SignedDuration::from_micros(micros)).await;
                log.borrow_mut().push(format!("{ms}.{micros} at {}", since_start_ms(kit.clock.now())));
            }
        };
        tokio::join!(biased; wake(70_000, 0), wake(2, 0), wake(1_000, 300), wake(999, 0), wake(1_000, 0));
    });
    let want = ["2.0 at 2", "999.0 at 999", "1000.0 at 1000", "1000.300 at 1001", "70000.0 at 70000"];
    assert_eq!(*log.borrow(), want);
}

#[test]
fn a_sleep_that_is_dropped_leaves_no_timer() {
    let outcome = drive(&EngineOptions::default(), vec![], |kit, _| async move {
        let ended = kit.clock.timeout(SignedDuration::from_hours(1), async { 7 }).await;
        assert_eq!(ended, Some(7));
        std::future::pending::<()>().await;
    });
    let Err(WorldError::Stuck { reason }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "operator waits for an answer");
}

#[test]
fn skew_shows_in_now_and_moves_waiting_timers() {
    let woke = Log::default();
    let kept = Rc::clone(&woke);
    let host = HostPlan::new("worker-1", move |kit| {
        let log = Rc::clone(&kept);
        async move {
            log.borrow_mut().push(format!("starts at {}", since_start_ms(kit.clock.now())));
            kit.clock.sleep(SignedDuration::from_secs(60)).await;
            log.borrow_mut().push(format!("wakes at {}", since_start_ms(kit.clock.now())));
            std::future::pending().await
        }
    });
    let options = EngineOptions { skew_ms: [("worker-1".to_owned(), 500)].into(), ..EngineOptions::default() };
    let kept = Rc::clone(&woke);
    drive(&options, vec![host], move |kit, faults| async move {
        kit.clock.sleep(SignedDuration::from_secs(10)).await;
        faults.skew("worker-1", 40_500).await.unwrap();
        kit.clock.sleep_until(start() + SignedDuration::from_secs(19)).await;
        assert_eq!(kept.borrow().len(), 1);
        kit.clock.sleep_until(start() + SignedDuration::from_secs(21)).await;
        assert_eq!(kept.borrow().len(), 2);
    })
    .unwrap();
    assert_eq!(*woke.borrow(), ["starts at 500", "wakes at 60500"]);
}

#[test]
fn hosts_talk_and_learn_each_others_names() {
    let log = Log::default();
    let kept = Rc::clone(&log);
    let host = HostPlan::new("service", move |kit| {
        let log = Rc::clone(&kept);
        async move {
            let mut listener = kit.network.listen(7).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            log.borrow_mut().push(peer);
            echo_stream(stream).await;
        }
    });
    let (answered, facts) = run(vec![host], |kit, _| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        ping(&kit, &mut *stream, 5).await
    });
    assert!(answered);
    assert_eq!(*log.borrow(), ["operator"]);
    assert!(facts.steps < 20, "{facts:?}");
}

#[test]
fn a_host_cannot_connect_to_itself_and_nobody_listening_refuses() {
    let ((own, refused, unknown), facts) = run(vec![idle_host("service")], |kit, _| async move {
        let own = kit.network.connect("operator:7").await.err().unwrap().to_string();
        let refused = kit.network.connect("service:7").await.err().unwrap().kind();
        let unknown = kit.network.connect("nowhere:7").await.err().unwrap().kind();
        (own, refused, unknown)
    });
    assert!(own.contains("itself"), "{own}");
    assert_eq!(refused, std::io::ErrorKind::ConnectionRefused);
    assert_eq!(unknown, std::io::ErrorKind::NotFound);
    assert!(facts.virtual_seconds < 0.1, "{facts:?}");
}

#[test]
fn a_connection_across_a_cut_never_opens_and_the_timeout_on_the_clock_ends_it() {
    let (waited_ms, _) = run(vec![echo_host("service")], |kit, faults| async move {
        faults.partition("operator", "service").await.unwrap();
        let begun = kit.clock.now();
        let opened = kit.clock.timeout(SignedDuration::from_secs(30), kit.network.connect("service:7")).await;
        assert!(opened.is_none());
        kit.clock.now().duration_since(begun).as_millis()
    });
    assert_eq!(waited_ms, 30_000);
}

#[test]
fn a_request_that_was_on_its_way_when_the_link_was_cut_is_lost_not_refused() {
    let (opened, _) = run(vec![echo_host("service")], |kit, faults| async move {
        faults.slow("operator", "service", 50).await.unwrap();
        let cut = async {
            kit.clock.sleep(SignedDuration::from_millis(10)).await;
            faults.partition("operator", "service").await.unwrap();
        };
        let connect = kit.clock.timeout(SignedDuration::from_secs(5), kit.network.connect("service:7"));
        tokio::join!(biased; connect, cut).0.is_some()
    });
    assert!(!opened);
}

#[test]
fn a_cut_in_one_direction_lets_the_other_through() {
    let log = Log::default();
    let kept = Rc::clone(&log);
    let host = HostPlan::new("service", move |kit| {
        let log = Rc::clone(&kept);
        async move {
            let mut listener = kit.network.listen(7).await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut byte = [0];
            while stream.read(&mut byte).await.unwrap_or(0) == 1 {
                log.borrow_mut().push("read".to_owned());
                let _ = stream.write_all(&byte).await;
            }
        }
    });
    let (answers, _) = run(vec![host], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        let mut answers = vec![ping(&kit, &mut *stream, 5).await];
        faults.partition_oneway("service", "operator").await.unwrap();
        answers.push(ping(&kit, &mut *stream, 5).await);
        faults.heal("service", "operator").await.unwrap();
        faults.partition_oneway("operator", "service").await.unwrap();
        answers.push(ping(&kit, &mut *stream, 5).await);
        answers
    });
    assert_eq!(answers, [true, false, false]);
    assert_eq!(log.borrow().len(), 2, "the second byte arrived, its answer did not; the third was lost");
}

#[test]
fn held_messages_do_not_count_as_under_way_and_arrive_after_release() {
    let (waited_ms, facts) = run(vec![echo_host("service")], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        faults.hold("operator", "service").await.unwrap();
        let begun = kit.clock.now();
        let release = async {
            kit.clock.sleep(SignedDuration::from_hours(5)).await;
            faults.release("operator", "service").await.unwrap();
        };
        let (answered, ()) = tokio::join!(biased; ping(&kit, &mut *stream, 36_000), release);
        assert!(answered);
        kit.clock.now().duration_since(begun).as_millis()
    });
    assert!((18_000_000..18_000_100).contains(&waited_ms), "{waited_ms}");
    assert!(facts.steps < 60, "{facts:?}");
}

#[test]
fn a_connection_opened_across_a_held_link_waits_for_the_release() {
    let (answered, _) = run(vec![echo_host("service")], |kit, faults| async move {
        faults.hold("operator", "service").await.unwrap();
        let release = async {
            kit.clock.sleep(SignedDuration::from_secs(60)).await;
            faults.release("operator", "service").await.unwrap();
        };
        let (stream, ()) = tokio::join!(biased; kit.network.connect("service:7"), release);
        ping(&kit, &mut *stream.unwrap(), 5).await
    });
    assert!(answered);
}

#[test]
fn a_link_can_be_slow_and_heals() {
    let (spans, _) = run(vec![echo_host("service")], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        let mut spans = Vec::new();
        faults.slow("operator", "service", 100).await.unwrap();
        for _ in 0..2 {
            let begun = kit.clock.now();
            assert!(ping(&kit, &mut *stream, 5).await);
            spans.push(kit.clock.now().duration_since(begun).as_millis());
            faults.heal("operator", "service").await.unwrap();
        }
        spans
    });
    assert!((200..210).contains(&spans[0]) && spans[1] < 20, "{spans:?}");
}

#[test]
fn a_crash_closes_the_connections_and_a_host_that_is_down_is_not_reached() {
    let starts = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&starts);
    let host = HostPlan::new("service", move |kit| {
        *counted.borrow_mut() += 1;
        echo(kit)
    });
    run(vec![host], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 5).await);
        faults.crash("service").await.unwrap();
        let begun = kit.clock.now();
        let read = kit.clock.timeout(SignedDuration::from_secs(9), stream.read(&mut [0])).await;
        assert_eq!(read.unwrap().ok(), Some(0), "the peer of a killed process reads the end");
        assert!(kit.clock.now().duration_since(begun).as_millis() < 20);
        let opened = kit.clock.timeout(SignedDuration::from_secs(9), kit.network.connect("service:7")).await;
        assert!(opened.is_none());
        faults.bounce("service").await.unwrap();
        kit.clock.sleep(SignedDuration::from_millis(5)).await;
        let mut stream = kit.network.connect("service:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 5).await);
    });
    assert_eq!(*starts.borrow(), 2);
}

#[test]
fn a_crash_behind_a_cut_leaves_the_peer_in_the_dark() {
    run(vec![echo_host("service")], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 5).await);
        faults.partition("operator", "service").await.unwrap();
        faults.crash("service").await.unwrap();
        let read = kit.clock.timeout(SignedDuration::from_hours(9), stream.read(&mut [0])).await;
        assert!(read.is_none());
        faults.heal_all().await.unwrap();
        kit.clock.sleep(SignedDuration::from_millis(5)).await;
        let mut fresh = kit.network.connect("service:7").await.unwrap();
        assert!(ping(&kit, &mut *fresh, 5).await, "healing everything starts the host again");
    });
}

#[test]
fn a_host_whose_main_function_returns_is_started_again_a_second_later_and_later_each_time() {
    let log = Log::default();
    let kept = Rc::clone(&log);
    let host = HostPlan::new("service", move |kit| {
        let log = Rc::clone(&kept);
        async move { log.borrow_mut().push(since_start_ms(kit.clock.now()).to_string()) }
    });
    run(vec![host], |kit, _| async move { kit.clock.sleep(SignedDuration::from_secs(95)).await });
    let at = ["0", "1001", "3002", "7003", "15004", "31005", "61006", "91007"];
    assert_eq!(*log.borrow(), at);
}

#[test]
fn a_paused_host_neither_wakes_nor_answers_until_it_goes_on() {
    let log = Log::default();
    let kept = Rc::clone(&log);
    let host = HostPlan::new("worker-1", move |kit| {
        let log = Rc::clone(&kept);
        async move {
            tokio::task::spawn_local(echo(kit.clone()));
            loop {
                kit.clock.sleep(SignedDuration::from_secs(10)).await;
                log.borrow_mut().push(kit.clock.now().duration_since(start()).as_secs().to_string());
            }
        }
    });
    run(vec![host], |kit, faults| async move {
        let mut stream = kit.network.connect("worker-1:7").await.unwrap();
        kit.clock.sleep_until(start() + SignedDuration::from_secs(15)).await;
        faults.pause("worker-1").await.unwrap();
        assert!(!ping(&kit, &mut *stream, 3_600).await);
        faults.unpause("worker-1").await.unwrap();
        assert!(ping(&kit, &mut *stream, 5).await);
        kit.clock.sleep(SignedDuration::from_secs(11)).await;
    });
    assert_eq!(*log.borrow(), ["10", "3615", "3625"]);
}

/// A run whose course depends on latencies, order of hosts and dice.
fn trace(seed: u64) -> (Vec<String>, u64) {
    let log = Log::default();
    let kept = Rc::clone(&log);
    let hosts = (1..=3).map(|number| {
        let log = Rc::clone(&kept);
        HostPlan::new(&format!("worker-{number}"), move |kit| {
            let log = Rc::clone(&log);
            async move {
                let mut stream = kit.network.connect("operator:9").await.unwrap();
                for _ in 0..5 {
                    let id = kit.dice.id("w-");
                    stream.write_all(b"x").await.unwrap();
                    let at = since_start_ms(kit.clock.now());
                    log.borrow_mut().push(format!("{} {id} {at}", kit.name));
                    stream.read_exact(&mut [0]).await.unwrap();
                }
                std::future::pending().await
            }
        })
    });
    let options = EngineOptions { seed, ..EngineOptions::default() };
    let hosts = hosts.collect();
    let ((), facts) = drive(&options, hosts, |kit, _| async move {
        let mut listener = kit.network.listen(9).await.unwrap();
        for _ in 0..3 {
            tokio::task::spawn_local(echo_stream(listener.accept().await.unwrap().0));
        }
        kit.clock.sleep(SignedDuration::from_secs(1)).await;
    })
    .unwrap();
    let lines = log.borrow().clone();
    (lines, facts.steps)
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let first = trace(1);
    assert_eq!(first.0.len(), 15, "{first:?}");
    assert_eq!(first, trace(1));
    assert_ne!(first.0, trace(2).0);
}

#[test]
fn dice_of_another_start_of_a_host_never_repeat_an_id() {
    let mut ids: Vec<u64> = Vec::new();
    for (host, number) in [("service", 0), ("service", 1), ("worker-1", 0)] {
        let dice = SeededDice::new(7, host, number);
        ids.extend((0..100).map(|_| dice.next()));
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert_eq!(SeededDice::new(7, "service", 0).next(), SeededDice::new(7, "service", 0).next());
}

#[test]
fn a_run_in_which_nothing_can_happen_any_more_says_who_waits_for_what() {
    let hosts = vec![echo_host("service"), idle_host("worker-1")];
    let outcome = drive(&EngineOptions::default(), hosts, |kit, faults| async move {
        faults.crash("worker-1").await.unwrap();
        faults.partition_oneway("operator", "service").await.unwrap();
        let _ = kit.network.connect("service:7").await;
    });
    let Err(WorldError::Stuck { reason }) = outcome else { panic!("{outcome:?}") };
    for part in ["service waits for messages", "worker-1 is down", "operator cannot reach service"] {
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn a_run_beyond_its_limits_is_given_up() {
    let ticking =
        || HostPlan::new("worker-1", |kit| async move { kit.clock.sleep(SignedDuration::from_secs(1)).await });
    let late = EngineOptions { virtual_limit: SignedDuration::from_hours(1), ..EngineOptions::default() };
    let long = EngineOptions { step_limit: 50, ..EngineOptions::default() };
    for (options, words) in [(late, "1h of virtual time"), (long, "50 steps")] {
        let outcome = drive(&options, vec![ticking()], |_, _| std::future::pending::<()>());
        let Err(WorldError::TooLong { reason }) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn a_panic_in_a_task_of_a_host_names_the_host_and_the_words() {
    let host = || {
        HostPlan::new("worker-1", |kit| async move {
            kit.clock.sleep(SignedDuration::from_secs(3)).await;
            tokio::spawn(async { panic!("the third {}", "shelf") });
            std::future::pending().await
        })
    };
    let outcome = drive(&EngineOptions::default(), vec![host()], |_, _| std::future::pending::<()>());
    let Err(WorldError::Panicked { host: name, message }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(name, "worker-1");
    assert!(message.starts_with("the third shelf") && message.contains("tests.rs"), "{message}");
    let ((), facts) = run(vec![echo_host("service")], |_, _| async {});
    assert_eq!(facts.steps, 1, "a run after it on the same thread is not touched");
}

#[test]
fn faults_at_hosts_that_are_not_there_are_refused() {
    let (answers, _) = run(vec![idle_host("service")], |_, faults| async move {
        [
            faults.crash("sevice").await.unwrap_err().to_string(),
            faults.crash("operator").await.unwrap_err().to_string(),
            faults.partition("service", "service").await.unwrap_err().to_string(),
        ]
    });
    assert_eq!(answers[0], "there is no host sevice; there are service, operator");
    assert!(answers[1].contains("neither be crashed"), "{answers:?}");
    assert!(answers[2].contains("no link with itself"), "{answers:?}");
}

#[test]
fn everything_is_dropped_when_a_run_is_over() {
    let token = Arc::new(());
    let kept = Arc::clone(&token);
    let host = HostPlan::new("service", move |kit| {
        let token = Arc::clone(&kept);
        async move {
            let other = Arc::clone(&token);
            tokio::spawn(async move {
                let _other = other;
                std::future::pending::<()>().await;
            });
            echo(kit).await;
            drop(token);
        }
    });
    run(vec![host], |kit, _| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 5).await);
    });
    assert_eq!(Arc::strong_count(&token), 1);
}
