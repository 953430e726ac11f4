//! The scenario language: what should happen to which instances, and what must be seen. It runs nothing.

pub mod action;
pub mod call;
mod cases;
pub mod error;
pub mod expectation;
pub mod fault;
mod fields;
mod keys;
pub mod load;
pub mod logical;
mod lower;
mod read;
pub mod scenario;
mod schema;
mod time;
pub mod tree;
mod write;

pub use action::*;
pub use call::*;
pub use error::{Problem, ScenarioError};
pub use expectation::*;
pub use fault::*;
pub use load::{FILE_BYTES_MAX, LoadError, Source, beside, builtin, load};
pub use logical::*;
pub use scenario::*;
pub use schema::schema;
pub use time::time as read_time;
pub use write::{tree_of, write};

#[cfg(test)]
mod tests;
