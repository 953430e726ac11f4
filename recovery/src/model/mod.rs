//! The vocabulary of database recovery and the decisions over it, without I/O, clock or randomness.

pub mod backup;
pub mod content;
pub mod decide;
pub mod ids;
pub mod instance;
pub mod logical;
pub mod photograph;
pub mod policy;
pub mod precheck;
pub mod product;
pub mod refusal;
pub mod secret;
pub mod state;
pub mod task;
pub mod views;
pub mod work;

pub use ids::{BackupId, DataSourceId, InstanceId, SetId, TaskId};
pub use product::{Edition, Engine, Product, Series, Version};
pub use refusal::{Refusal, RefusalCode};
pub use secret::Secret;
