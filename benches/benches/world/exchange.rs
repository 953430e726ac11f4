//! One instance read through the real service in the simulated world, and the same exchange on bare turmoil.

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use recovery::client::Client;
use serde_json::{Value, json};
use sim::world::{Stage, WorldOptions, run};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use turmoil::net::{TcpListener, TcpStream};

const EXCHANGES: u32 = 1_000;
const HOSTS: usize = 9;
const ROUNDS: usize = 9;

/// Takes the measurements.
pub fn measure(criterion: &mut Criterion) {
    let body = in_world(1);
    let mut group = criterion.benchmark_group("an exchange");
    group.throughput(Throughput::Elements(u64::from(EXCHANGES)));
    group.bench_function("with the service in the world", |bencher| bencher.iter(|| in_world(EXCHANGES)));
    group.bench_function("on bare turmoil", |bencher| bencher.iter(|| on_bare_turmoil(&body, EXCHANGES)));
    group.finish();
}

/// Prints how many times the bare exchange an exchange with the service costs: the middle of several rounds, in each
/// of which both are taken one right after the other. What both cost without any exchange is taken off.
pub fn print_ratio() {
    let body = in_world(1);
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let world = seconds(|| in_world(EXCHANGES)) - seconds(|| in_world(1));
            let bare = seconds(|| on_bare_turmoil(&body, EXCHANGES)) - seconds(|| on_bare_turmoil(&body, 1));
            world / bare
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("an exchange with the service costs {:.2} times one on bare turmoil", ratios[ROUNDS / 2]);
}

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let begun = std::time::Instant::now();
    std::hint::black_box(work());
    begun.elapsed().as_secs_f64()
}

/// Reads an instance so many times through the service; gives the instance as it was answered.
fn in_world(exchanges: u32) -> Bytes {
    // The service, two workers, four machines, the application and the operator.
    let options = WorldOptions { step_limit: u64::MAX, ..WorldOptions::default() };
    let (body, _) = run(&options, move |stage| read_instance(stage, exchanges)).expect("the run ends");
    body
}

async fn read_instance(stage: Stage, exchanges: u32) -> Bytes {
    let (clock, network) = (Arc::clone(&stage.ports.clock), Arc::clone(&stage.ports.network));
    let client = Client::new(clock, network, stage.service.clone(), stage.access_token.clone());
    let timeout = SignedDuration::from_secs(30);
    let order = json!({ "product": "sqlserver 2012 web", "region": "north" });
    let made = client.send(Method::POST, "/v1/instances", Some(&order), None, timeout).await.expect("an answer");
    let id = made.body["id"].as_str().unwrap_or_else(|| panic!("no instance: {made:?}")).to_owned();
    stage.ports.clock.sleep(SignedDuration::from_mins(10)).await;
    let mut last = Value::Null;
    for _ in 0..exchanges {
        let shown = client.send(Method::GET, &format!("/v1/instances/{id}"), None, None, timeout).await;
        let shown = shown.expect("an answer");
        assert_eq!(shown.status, 200, "{shown:?}");
        last = shown.body;
    }
    Bytes::from(last.to_string())
}

/// The same number of exchanges of the same size, with the same latencies and number of hosts.
fn on_bare_turmoil(body: &Bytes, exchanges: u32) {
    let mut sim = turmoil::Builder::new()
        .rng_seed(0)
        .enable_random_order()
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::MAX)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(4))
        .tcp_capacity(65_536)
        .build();
    sim.set_message_latency_curve(3.0);
    let body = body.clone();
    sim.host("service", move || serve(body.clone()));
    for number in 3..=HOSTS {
        sim.host(format!("idle-{number}"), std::future::pending::<turmoil::Result>);
    }
    sim.client("operator", ask(exchanges));
    sim.run().expect("the run ends");
}

async fn serve(body: Bytes) -> turmoil::Result {
    let listener = TcpListener::bind("0.0.0.0:8080").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let body = body.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |_: Request<Incoming>| {
                let body = body.clone();
                async move {
                    let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
                    Ok::<_, Infallible>(answer.body(Full::new(body)).unwrap_or_default())
                }
            });
            let mut server = server::conn::http1::Builder::new();
            server.auto_date_header(false);
            server.serve_connection(TokioIo::new(stream), answer).await
        });
    }
}

async fn ask(exchanges: u32) -> turmoil::Result {
    let stream = TcpStream::connect("service:8080").await?;
    let (mut sender, driver) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    for _ in 0..exchanges {
        let request = Request::get("/v1/instances/rm-abcdefghijkm")
            .header(header::HOST, "service:8080")
            .header(header::AUTHORIZATION, "Bearer 0123456789abcdef0123456789abcdef")
            .body(Full::<Bytes>::default())?;
        let answer = sender.send_request(request).await?;
        let bytes = answer.into_body().collect().await?.to_bytes();
        serde_json::from_slice::<Value>(&bytes)?;
    }
    Ok(())
}
