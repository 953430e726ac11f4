//! History, rules, checks, runner and reports of Firedrill.
//!
//! A check sees the [`history::History`] alone, never the inside of the system it judges.

pub mod catalogue;
pub mod cause;
pub mod checks;
pub mod cli;
pub mod determinism;
pub mod exit;
pub mod explore;
pub mod fidelity;
pub mod history;
pub mod judge;
pub mod planted;
pub mod quality;
pub mod rehearse;
pub mod reports;
pub mod runner;
pub mod suite;
