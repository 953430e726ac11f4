//! Tests of connections that are reset, and of messages that overtake one another.

use super::{echo_host, ping, run, since_start_ms};
use crate::world::HostPlan;
use jiff::SignedDuration;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_reset_breaks_open_connections_on_both_sides_and_no_new_ones() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&told);
    let host = HostPlan::new("machine-1", move |kit| {
        let told = Rc::clone(&kept);
        async move {
            let mut listener = kit.network.listen(7).await.unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (told, clock) = (Rc::clone(&told), kit.clock.clone());
                tokio::task::spawn_local(async move {
                    let mut byte = [0];
                    loop {
                        match stream.read(&mut byte).await {
                            Ok(1) => stream.write_all(&byte).await.unwrap(),
                            ended => {
                                let kind = ended.map_err(|error| error.kind());
                                told.borrow_mut().push((since_start_ms(clock.now()), kind));
                                return;
                            }
                        }
                    }
                });
            }
        }
    });
    let (kinds, _) = run(vec![host, echo_host("machine-2")], |kit, faults| async move {
        let mut broken = kit.network.connect("machine-1:7").await.unwrap();
        let mut other = kit.network.connect("machine-2:7").await.unwrap();
        assert!(ping(&kit, &mut *broken, 1).await && ping(&kit, &mut *other, 1).await);
        kit.clock.sleep(SignedDuration::from_secs(10)).await;
        faults.reset("operator", "machine-1").await.unwrap();
        let kinds = [
            broken.read(&mut [0]).await.map_err(|error| error.kind()),
            broken.write(b"x").await.map_err(|error| error.kind()),
        ];
        assert!(ping(&kit, &mut *other, 1).await);
        let mut again = kit.network.connect("machine-1:7").await.unwrap();
        assert!(ping(&kit, &mut *again, 1).await);
        kinds
    });
    assert_eq!(kinds, [Err(ErrorKind::ConnectionReset), Err(ErrorKind::ConnectionReset)]);
    let told = told.borrow();
    let [(at, Err(ErrorKind::ConnectionReset))] = told.as_slice() else { panic!("{told:?}") };
    assert!((10_000..10_100).contains(at), "{at}");
}

#[test]
fn one_who_waits_to_read_is_woken_by_a_reset() {
    let (waited_ms, _) = run(vec![echo_host("machine-1")], |kit, faults| async move {
        let mut stream = kit.network.connect("machine-1:7").await.unwrap();
        let reading = async {
            let kind = stream.read(&mut [0]).await.map_err(|error| error.kind());
            assert_eq!(kind, Err(ErrorKind::ConnectionReset));
            since_start_ms(kit.clock.now())
        };
        let resetting = async {
            kit.clock.sleep(SignedDuration::from_mins(5)).await;
            faults.reset("machine-1", "operator").await.unwrap();
        };
        let (read_at, ()) = tokio::join!(biased; reading, resetting);
        read_at
    });
    assert!((300_000..300_020).contains(&waited_ms), "{waited_ms}");
}

/// The order in which twenty connections, each opened and written to in turn, come back.
fn order_of_answers(latency_ms: Option<u64>) -> Vec<usize> {
    let (order, facts) = run(vec![echo_host("machine-1")], move |kit, faults| async move {
        let mut streams = Vec::new();
        for _ in 0..20 {
            streams.push(kit.network.connect("machine-1:7").await.unwrap());
        }
        if let Some(latency_ms) = latency_ms {
            faults.reorder("operator", "machine-1", latency_ms).await.unwrap();
        }
        let order = Rc::new(RefCell::new(Vec::new()));
        let mut tasks = Vec::new();
        for (number, mut stream) in streams.into_iter().enumerate() {
            let (order, own) = (Rc::clone(&order), kit.clone());
            tasks.push(tokio::task::spawn_local(async move {
                assert!(ping(&own, &mut *stream, 60).await);
                order.borrow_mut().push(number);
                // Bytes of one connection keep their order all the same.
                stream.write_all(b"abc").await.unwrap();
                let mut back = [0; 3];
                stream.read_exact(&mut back).await.unwrap();
                assert_eq!(&back, b"abc");
            }));
            kit.clock.sleep(SignedDuration::from_millis(10)).await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        order.take()
    });
    assert!(facts.steps < 2_000, "{facts:?}");
    order
}

#[test]
fn messages_of_different_connections_overtake_one_another_and_cost_no_more_steps() {
    let in_turn: Vec<usize> = (0..20).collect();
    assert_eq!(order_of_answers(None), in_turn);
    let overtaken = order_of_answers(Some(5_000));
    assert_ne!(overtaken, in_turn);
    assert_eq!(overtaken, order_of_answers(Some(5_000)), "the seed alone says how");
}

#[test]
fn a_link_is_as_before_once_it_is_healed() {
    let (took_ms, _) = run(vec![echo_host("machine-1")], |kit, faults| async move {
        faults.reorder("operator", "machine-1", 60_000).await.unwrap();
        faults.heal("operator", "machine-1").await.unwrap();
        let before = kit.clock.now();
        let mut stream = kit.network.connect("machine-1:7").await.unwrap();
        assert!(ping(&kit, &mut *stream, 1).await);
        kit.clock.now().duration_since(before).as_millis()
    });
    assert!(took_ms < 50, "{took_ms}");
}
