//! Tests of the whole population.

use crate::world::{APPLICATION, FaultError, Stage, WorldOptions, run};
use jiff::SignedDuration;
use std::cell::RefCell;
use std::rc::Rc;

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
