//! Tests of the whole population.

use crate::servers::{Rack, SimCloud, SimDatabase};
use crate::world::dice::generator;
use crate::world::{APPLICATION, Facts, FaultError, HostKit, HostPlan, MemoryDisk, SERVICE, Stage, WorldOptions, run};
use http::Method;
use jiff::SignedDuration;
use recovery::client::Client;
use recovery::model::InstanceId;
use recovery::model::Secret;
use recovery::model::photograph::Photograph;
use recovery::model::policy::Policy;
use recovery::ports::Ports;
use recovery::service::{self, ServiceConfig};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

#[test]
fn the_population_is_as_ordered() {
    let options = WorldOptions { machines: 2, workers: 1, ..WorldOptions::default() };
    let (hosts, _) = run(&options, |stage: Stage| async move { stage.control.hosts().to_vec() }).unwrap();
    assert_eq!(hosts, ["service", "worker-1", "machine-1", "machine-2", "application", "operator"]);
}

#[test]
fn a_guest_runs_on_the_application_host_with_its_ports() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&seen);
    let options = WorldOptions { skew_ms: [(APPLICATION.to_owned(), 5_000)].into(), ..WorldOptions::default() };
    let start = options.start;
    run(&options, move |stage: Stage| async move {
        let ports = stage.ports.clone();
        let refused = stage.control.spawn_on("service", |_| Box::pin(async {}));
        assert_eq!(refused, Err(FaultError::TakesNoGuests("service".to_owned())));
        let guest = Rc::clone(&kept);
        let accepted = stage.control.spawn_on(APPLICATION, move |ports| {
            Box::pin(async move {
                ports.clock.sleep(SignedDuration::from_secs(10)).await;
                guest.borrow_mut().push(ports.clock.now().duration_since(start).as_secs());
            })
        });
        assert_eq!(accepted, Ok(()));
        ports.clock.sleep(SignedDuration::from_secs(11)).await;
        assert_eq!(kept.borrow().len(), 1);
    })
    .unwrap();
    assert_eq!(*seen.borrow(), [15]);
}

pub(super) fn client(stage: &Stage) -> Client {
    let (clock, network) = (Arc::clone(&stage.ports.clock), Arc::clone(&stage.ports.network));
    Client::new(clock, network, stage.service.clone(), stage.access_token.clone())
}

/// Asks until there is an answer.
pub(super) async fn ask(
    stage: &Stage,
    client: &Client,
    method: Method,
    path: &str,
    body: Option<Value>,
    key: &str,
) -> Value {
    loop {
        let timeout = SignedDuration::from_secs(10);
        match client.send(method.clone(), path, body.as_ref(), Some(key), timeout).await {
            Ok(answer) if answer.status < 500 => return answer.body,
            _ => stage.ports.clock.sleep(SignedDuration::from_secs(2)).await,
        }
    }
}

struct Seen {
    made: Value,
    shown: Value,
    machine: Option<String>,
    photograph: Option<Arc<Photograph>>,
}

/// Orders an instance from a service that dies at one of its writes meanwhile, if at all.
fn order_an_instance(seed: u64, death: Option<(u64, bool)>) -> (Seen, Facts) {
    let options = WorldOptions { seed, ..WorldOptions::default() };
    let ran = run(&options, move |stage: Stage| async move {
        let client = client(&stage);
        stage.ports.clock.sleep(SignedDuration::from_secs(1)).await;
        if let Some((nth, torn)) = death {
            stage.control.crash_at_write(SERVICE, nth, torn).await.unwrap();
            let control = stage.control.clone();
            let clock = Arc::clone(&stage.ports.clock);
            tokio::task::spawn_local(async move {
                clock.sleep(SignedDuration::from_secs(60)).await;
                control.bounce(SERVICE).await.unwrap();
            });
        }
        let order = json!({ "product": "sqlserver 2012 web", "region": "north" });
        let made = ask(&stage, &client, Method::POST, "/v1/instances", Some(order), "the-same-key").await;
        stage.ports.clock.sleep(SignedDuration::from_mins(30)).await;
        let id = InstanceId(made["id"].as_str().unwrap_or_default().to_owned());
        let shown = ask(&stage, &client, Method::GET, &format!("/v1/instances/{id}"), None, "the-same-key").await;
        let machine = stage.control.machine_of(&id);
        Seen { made, shown, machine, photograph: stage.control.photograph(&id) }
    });
    ran.unwrap()
}

#[test]
fn an_instance_is_made_on_a_machine_and_can_be_photographed() {
    let (seen, facts) = order_an_instance(3, None);
    assert_eq!(seen.shown["state"], "Running", "{} {}", seen.made, seen.shown);
    assert!(seen.machine.is_some_and(|machine| machine.starts_with("machine-")));
    assert!(seen.photograph.is_some());
    assert!(facts.steps < 2_000, "{facts:?}");
}

#[test]
fn the_whole_system_does_the_same_again_with_the_same_seed() {
    let (first, facts) = order_an_instance(5, None);
    let (second, again) = order_an_instance(5, None);
    assert_eq!((first.shown.clone(), facts), (second.shown, again));
    assert_ne!(first.shown["id"], order_an_instance(6, None).0.shown["id"]);
}

#[test]
fn an_ordered_instance_comes_about_although_the_service_dies_at_any_of_its_writes() {
    for nth in 1..24 {
        let (seen, _) = order_an_instance(nth, Some((nth, nth % 2 == 0)));
        assert_eq!(seen.shown["state"], "Running", "death at write {nth}: {} {}", seen.made, seen.shown);
        assert!(seen.machine.is_some(), "death at write {nth}");
    }
}

fn ports(kit: HostKit) -> Ports {
    let HostKit { clock, network, dice, .. } = kit;
    let vault: recovery::ports::Vault = Arc::new(object_store::memory::InMemory::new());
    let rack = Rack::new(1, ["machine-1"]);
    let database = Arc::new(SimDatabase::new(Arc::clone(&clock), Arc::clone(&network)));
    let cloud = Arc::new(SimCloud::new(Arc::clone(&clock), Arc::clone(&network), Arc::clone(&vault), rack));
    Ports { clock, network, database, cloud, vault, dice }
}

#[test]
fn a_service_that_dies_while_its_store_is_first_made_starts_with_an_empty_one() {
    let mut deaths = 0;
    for (nth, torn) in (1..12).flat_map(|nth| [(nth, false), (nth, true)]) {
        let disk = MemoryDisk::new();
        disk.die_at_write(nth, torn, generator(nth, "first making", 0));
        let kept = disk.clone();
        let host = HostPlan::new(SERVICE, move |kit| {
            let (access_token, worker_token) = (Secret::new("users"), Secret::new("workers"));
            let config = ServiceConfig { policy: Policy::default(), port: 80, access_token, worker_token };
            let run = service::run(ports(kit), Arc::new(kept.clone()), config);
            async move { drop(run.await) }
        });
        let ((down, status), _) = super::run(vec![host.with_disk(disk)], |kit, faults| async move {
            kit.clock.sleep(SignedDuration::from_secs(5)).await;
            let down = faults.is_down(SERVICE);
            if down {
                faults.bounce(SERVICE).await.unwrap();
                kit.clock.sleep(SignedDuration::from_secs(5)).await;
            }
            let client = Client::new(kit.clock, kit.network, "service:80".to_owned(), Secret::new("users"));
            let timeout = SignedDuration::from_secs(5);
            let answer = client.send(Method::GET, "/v1/instances", None, None, timeout).await;
            (down, answer.map(|answer| answer.status))
        });
        assert_eq!(status, Ok(200), "death at write {nth}, torn {torn}");
        deaths += u32::from(down);
    }
    assert!(deaths > 5, "{deaths} deaths");
}
