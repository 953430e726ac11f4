//! The worker against servers, a service and a clock in memory.

mod crash;
mod incremental;
mod leases;
mod load;
mod logical;
mod plan;
mod precheck;
mod redis;
mod rename;
pub(super) mod sample;
mod servers;
mod vault;
mod world;
