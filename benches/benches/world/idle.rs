//! 48 virtual hours on nine hosts: a heartbeat a minute from each, and one an hour.

use bytes::Bytes;
use criterion::Criterion;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use recovery::client::Client;
use recovery::model::Secret;
use recovery::ports::clock::later;
use sim::world::{EngineOptions, Facts, HostKit, HostPlan, drive};
use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

const HOURS: i64 = 48;
const SENDERS: usize = 7;

/// Takes the measurements.
pub fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("48 virtual hours on 9 hosts");
    for (name, every) in
        [("a heartbeat a minute", SignedDuration::from_mins(1)), ("a heartbeat an hour", SignedDuration::from_hours(1))]
    {
        let (beats, facts) = run(every);
        println!("{name}: {beats} exchanges, {} steps", facts.steps);
        group.bench_function(name, |bencher| bencher.iter(|| run(every)));
    }
    group.finish();
}

fn run(every: SignedDuration) -> (u64, Facts) {
    let beats = Rc::new(Cell::new(0));
    let mut hosts = vec![HostPlan::new("service", receive)];
    for number in 1..=SENDERS {
        let beats = Rc::clone(&beats);
        hosts.push(HostPlan::new(&format!("sender-{number}"), move |kit| send(kit, every, Rc::clone(&beats))));
    }
    let options = EngineOptions { step_limit: u64::MAX, ..EngineOptions::default() };
    let ran = drive(&options, hosts, move |kit, _| async move {
        let beats = Rc::clone(&beats);
        kit.clock.sleep(SignedDuration::from_hours(HOURS)).await;
        beats.get()
    });
    ran.expect("the run ends")
}

async fn receive(kit: HostKit) {
    let mut listener = kit.network.listen(80).await.expect("the port is free");
    loop {
        let (stream, _) = listener.accept().await.expect("the port is there");
        tokio::spawn(async move {
            let answer = service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"true"))))
            });
            let mut server = http1::Builder::new();
            server.auto_date_header(false);
            server.serve_connection(TokioIo::new(stream), answer).await
        });
    }
}

async fn send(kit: HostKit, every: SignedDuration, beats: Rc<Cell<u64>>) {
    let client =
        Client::new(Arc::clone(&kit.clock), Arc::clone(&kit.network), "service:80".to_owned(), Secret::new("token"));
    let mut next = kit.clock.now();
    loop {
        next = later(next, every);
        kit.clock.sleep_until(next).await;
        let answer = client.send(Method::POST, "/beat", None, None, SignedDuration::from_secs(10)).await;
        assert!(answer.is_ok_and(|answer| answer.status == 200), "a heartbeat was lost");
        beats.set(beats.get() + 1);
    }
}
