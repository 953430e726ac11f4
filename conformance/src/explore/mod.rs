//! Finds failures nobody wrote a scenario for, and makes them small.

pub mod save;
pub mod shrink;
