//! Logical backup and restore (document 003): sets are taken into the vault, logs collected, and sets restored.

pub mod collect;
pub mod dump;
pub mod fold;
pub mod layout;
pub mod reading;
pub mod restore;
mod source;
