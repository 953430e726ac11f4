//! The scenario language: what should happen to which instances, and what must be seen. It runs nothing.

pub mod action;
pub mod expectation;
pub mod scenario;

pub use action::*;
pub use expectation::*;
pub use scenario::*;
