//! Finds failures nobody wrote a scenario for: worlds, plans and faults are drawn from seeds, run and judged like any
//! scenario, and what fails is made small and kept.

pub mod draw;
pub mod kinds;
pub mod options;
pub mod plan;
pub mod profiles;
pub mod reached;
pub mod run;
pub mod save;
pub mod shapes;
pub mod shrink;
#[cfg(test)]
mod tests;
