//! What the service promises over HTTP, in a small world in memory.

mod promises;
mod surface;
mod world;
