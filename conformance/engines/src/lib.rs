//! Real database servers in containers, as the ports of the recovery system: what `sim` is for virtual time, this is for
//! real time.
// Here time, threads and sockets are the machine's own: nothing in this crate takes part in a simulated run.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod cloud;
pub mod docker;
pub mod door;
pub mod engine;
pub mod harm;
pub mod hosts;
pub mod images;
pub mod local;
pub mod mysql;
pub mod network;
pub mod postgres;
pub mod programs;
pub mod rack;
pub mod redis;
pub mod stage;
pub mod time;
pub mod ways;

pub use stage::{RealStage, StageOptions};

/// Why there are no real servers here; none where a container engine answers.
#[must_use]
pub fn absent() -> Option<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(docker::Docker::connect()).err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    }
}
