//! Tests of hosts that wait for a call, and of links on which a message takes long.

use super::{echo, echo_host, ping, run, since_start_ms};
use crate::world::HostPlan;
use jiff::SignedDuration;

fn called(name: &str) -> HostPlan {
    HostPlan::new(name, echo).started_when_called()
}

#[test]
fn a_host_that_waits_for_a_call_answers_the_first_one() {
    let (answered, facts) = run(vec![called("machine-1"), called("machine-2")], |kit, _| async move {
        let mut stream = kit.network.connect("machine-1:7").await.unwrap();
        ping(&kit, &mut *stream, 1).await
    });
    assert!(answered);
    assert!(facts.virtual_seconds < 0.02, "{facts:?}");
}

#[test]
fn a_fault_reaches_a_host_that_was_never_called() {
    let (heard, _) =
        run(vec![called("machine-1"), called("machine-2"), echo_host("service")], |kit, faults| async move {
            faults.partition("operator", "machine-1").await.unwrap();
            faults.crash("machine-2").await.unwrap();
            let mut heard = Vec::new();
            for host in ["machine-1:7", "machine-2:7"] {
                let connect = kit.network.connect(host);
                heard.push(kit.clock.timeout(SignedDuration::from_secs(1), connect).await.is_some());
            }
            faults.heal_all().await.unwrap();
            for host in ["machine-1:7", "machine-2:7"] {
                let mut stream = kit.network.connect(host).await.unwrap();
                heard.push(ping(&kit, &mut *stream, 1).await);
            }
            heard
        });
    assert_eq!(heard, [false, false, true, true]);
}

#[test]
fn a_host_called_while_its_caller_is_paused_hears_it_afterwards() {
    let caller = HostPlan::new("service", |kit| async move {
        kit.clock.sleep(SignedDuration::from_millis(50)).await;
        let mut stream = kit.network.connect("machine-1:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 3_600).await);
        std::future::pending().await
    });
    let (woken_at, _) = run(vec![called("machine-1"), caller], |kit, faults| async move {
        faults.pause("service").await.unwrap();
        let mut stream = kit.network.connect("machine-1:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 1).await);
        kit.clock.sleep(SignedDuration::from_mins(1)).await;
        faults.unpause("service").await.unwrap();
        kit.clock.sleep(SignedDuration::from_secs(1)).await;
        since_start_ms(kit.clock.now())
    });
    assert!(woken_at >= 61_000, "{woken_at}");
}

#[test]
fn a_message_that_takes_five_seconds_costs_hardly_a_step() {
    let (times, facts) = run(vec![echo_host("service")], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        faults.slow("operator", "service", 5_000).await.unwrap();
        let mut times = Vec::new();
        for _ in 0..3 {
            let before = since_start_ms(kit.clock.now());
            assert!(ping(&kit, &mut *stream, 60).await);
            times.push(since_start_ms(kit.clock.now()) - before);
        }
        times
    });
    assert_eq!(times, [10_000; 3]);
    assert!(facts.steps < 60, "{facts:?}");
}

#[test]
fn a_slow_link_that_is_held_and_released_keeps_its_latency() {
    let (times, _) = run(vec![echo_host("service")], |kit, faults| async move {
        let mut stream = kit.network.connect("service:7").await.unwrap();
        faults.slow("operator", "service", 1_000).await.unwrap();
        faults.hold("operator", "service").await.unwrap();
        let began = since_start_ms(kit.clock.now());
        let exchange = ping(&kit, &mut *stream, 60);
        let release = async {
            kit.clock.sleep(SignedDuration::from_secs(5)).await;
            faults.release("operator", "service").await.unwrap();
        };
        let (answered, ()) = tokio::join!(biased; exchange, release);
        assert!(answered);
        let held = since_start_ms(kit.clock.now()) - began;
        let before = since_start_ms(kit.clock.now());
        assert!(ping(&kit, &mut *stream, 60).await);
        (held, since_start_ms(kit.clock.now()) - before)
    });
    assert!((6_000..6_010).contains(&times.0), "{times:?}");
    assert_eq!(times.1, 2_000);
}

#[test]
fn what_is_cut_on_a_slow_link_never_arrives_and_later_messages_do() {
    let (answers, _) = run(vec![echo_host("service")], |kit, faults| async move {
        faults.slow("operator", "service", 500).await.unwrap();
        let mut lost = kit.network.connect("service:7").await.unwrap();
        let exchange = ping(&kit, &mut *lost, 10);
        let cut = async {
            kit.clock.sleep(SignedDuration::from_millis(100)).await;
            faults.partition("operator", "service").await.unwrap();
        };
        let (answered, ()) = tokio::join!(biased; exchange, cut);
        faults.heal("operator", "service").await.unwrap();
        let mut fresh = kit.network.connect("service:7").await.unwrap();
        (answered, ping(&kit, &mut *fresh, 1).await)
    });
    assert_eq!(answers, (false, true));
}
