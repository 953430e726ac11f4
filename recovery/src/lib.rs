//! The recovery system the documents describe: instances, backups, temporary and clone instances, migration tasks.
//!
//! Decisions are pure and live in [`model`]; [`service`] and [`worker`] are the shells around them, [`api`] is the
//! HTTP surface. The outside is reached through [`ports`] alone, so the system never knows which world it runs in.

pub mod api;
pub mod client;
pub mod model;
pub mod ports;
pub mod service;
pub mod worker;
