//! The deterministic world Firedrill rehearses in: clock, network, disks, simulated database servers, faults.

#[cfg(not(tokio_unstable))]
compile_error!(
    "the simulated world needs tokio's seeded scheduler: build with `--cfg tokio_unstable`. The file .cargo/config.toml \
     of this repository says so; a RUSTFLAGS variable overrides that file, so unset it or add the flag to it"
);

pub mod servers;
pub mod world;

pub use world::{Facts, Meddler, Stage, UnderWay, WorldError, WorldOptions, run};
