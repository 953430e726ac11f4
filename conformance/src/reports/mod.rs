//! What people and programs read: failures, summaries, the rule matrix, traces.

pub mod explored;
pub mod failure;
pub mod items;
pub mod json;
pub mod matrix;
pub mod precheck;
pub mod pretty;
pub mod selftest;
pub mod table;
pub mod trace;
pub mod world;
