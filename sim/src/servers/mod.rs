//! Simulated database servers: machines of a rack, the servers on them, and the two ports that reach them.
//!
//! An SQL server is SQLite in memory under the profile of the engine it plays; a Redis server keeps its own key space. Everything durable lies in the [`Rack`]; a
//! machine's future holds sessions only, so its crash loses no committed data.

mod alter;
mod backup;
mod catalogue;
mod circumstances;
mod cloud;
mod database;
mod db;
mod ddl;
mod describe;
mod events;
mod extras;
mod foreign_keys;
mod front;
mod functions;
mod harm;
mod hosted;
mod log;
mod log_files;
mod machine;
mod prepared;
mod profile;
mod protocol;
mod rack;
mod redis;
mod replay;
mod rows;
mod run;
mod sequences;
mod server;
mod statement;
mod table_text;
#[cfg(test)]
mod tests;
mod tokens;
mod trust;
mod values;
mod zones;

pub(crate) use backup::held_in;
pub use cloud::SimCloud;
pub use database::SimDatabase;
pub(crate) use harm::{Unharmed, check_zone};
pub use machine::{MachineHost, run_machine};
pub use rack::Rack;
pub(crate) use zones::known as known_zones;
pub use zones::zone;

/// How long things take on a machine, and how long callers wait for them.
pub mod timing {
    use jiff::SignedDuration;

    /// Making an instance without content.
    pub const CREATE: SignedDuration = SignedDuration::from_secs(2);
    /// Reading backups into a new instance, or copying a master.
    pub const RESTORE: SignedDuration = SignedDuration::from_secs(20);
    /// Replaying this many log entries takes a second more.
    pub const REPLAYED_PER_S: usize = 1000;
    /// Taking a data backup; its content is that of the end.
    pub const DATA_BACKUP: SignedDuration = SignedDuration::from_secs(10);
    /// A node that writes a snapshot down answers so much later (RED-04).
    pub const SNAPSHOT_SLOWS: SignedDuration = SignedDuration::from_millis(25);
    /// Taking a log backup; it reaches to the end.
    pub const LOG_BACKUP: SignedDuration = SignedDuration::from_secs(2);
    /// A stand-by takes over, or a server starts again, in this time.
    pub const FAILOVER: SignedDuration = SignedDuration::from_secs(5);
    /// Taking an instance down.
    pub const DESTROY: SignedDuration = SignedDuration::from_secs(1);
    /// A caller waits this long for a connection and its login.
    pub const CONNECT_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);
    /// A session waits this long for an answer.
    pub const REQUEST_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
    /// The cloud waits this long for a backup or the taking down of an instance.
    pub const ORDER_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
    /// The cloud waits this long for a new instance.
    pub const CREATE_TIMEOUT: SignedDuration = SignedDuration::from_secs(600);
}

/// Port of the orders of the cloud.
pub const CONTROL_PORT: u16 = 7000;

/// Port of database sessions.
pub const DATABASE_PORT: u16 = 5432;
