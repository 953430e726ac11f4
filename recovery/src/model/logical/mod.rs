//! Logical backup and restore of registered data sources (document 003): another product than the migration task, with
//! rules of its own (C-15, C-16, C-21).

pub mod backup;
pub mod restore;
pub mod source;
pub mod views;
