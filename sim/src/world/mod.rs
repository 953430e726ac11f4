//! The deterministic world: hosts on turmoil, virtual time that costs nothing, faults, and the run loop.
//!
//! A run is a function of its options, its seed and the code alone. Everything in it happens on one thread.

mod blocks;
mod carry_out;
mod control;
mod damage;
mod dice;
mod disk;
mod engine;
mod faults;
mod graves;
mod mail;
mod meddler;
mod network;
mod panics;
mod run;
mod timers;

pub use control::{APPLICATION, Control, STRANGER};
pub use damage::{Damage, DamageError};
pub use dice::SeededDice;
pub use disk::MemoryDisk;
pub use engine::{EngineOptions, Facts, HostKit, HostPlan, WorldError, drive};
pub use faults::{FaultError, Faults, UnderWay};
pub use meddler::Meddler;
pub use network::SimNetwork;
pub use run::{SERVICE, Stage, WorldOptions, run};
pub use timers::{SimClock, Timers};

#[cfg(test)]
mod tests;
