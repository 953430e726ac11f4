//! What the service promises over HTTP, in a small world in memory.

mod logical;
mod promises;
mod redis;
mod surface;
mod world;
