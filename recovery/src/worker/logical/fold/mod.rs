//! The log folded into the content of a set: what the definitions and rows were at a later moment.
//!
//! Row changes come down to their net effect by key, so that what is kept is what changed, never a table. Statements that
//! change definitions are carried out on the definitions themselves; what cannot be carried exactly is marked, and a
//! restore of it fails instead of giving something else.

mod alter;
pub mod columns;
mod ddl;
pub mod head;
pub mod rows;
pub mod state;
pub mod statement;
pub mod table_text;
pub mod words;

pub use rows::TableRows;
pub use state::{Entry, State};
