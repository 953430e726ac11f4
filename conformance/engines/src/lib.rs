//! Real database servers in containers, as the ports of the recovery system: what `sim` is for virtual time, this is for
//! real time.
// Here time, threads and sockets are the machine's own: nothing in this crate takes part in a simulated run.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod docker;
pub mod engine;
pub mod images;
