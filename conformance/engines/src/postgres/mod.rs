//! PostgreSQL, 13 and later.

mod accounts;
mod archive;
mod claim;
mod connection;
mod describe;
mod engine;
mod errors;
mod grants;
mod machine;
mod photograph;
mod product;
mod quote;
mod read;
mod relation;
mod run;
mod script;
mod session;
mod tls;
mod told;
mod values;
mod write;

pub use claim::LAYOUT;
pub use engine::PostgresEngine;
pub use grants::WRITERS;
pub use quote::{ident, literal};

use async_trait::async_trait;
use connection::Door;
use recovery::model::product::Product;
use recovery::ports::database::{DatabaseError, Login};
use recovery::ports::{Database, Session};
use session::PostgresSession;

/// The server's own database; none of users.
pub const CONTROL: &str = "postgres";
/// The schema every session looks in.
const PUBLIC: &str = "public";

/// Opens sessions with PostgreSQL servers.
#[derive(Debug, Clone, Default)]
pub struct Postgres {
    /// What every server is said to be; each says so itself otherwise.
    pub product: Option<Product>,
}

#[async_trait]
impl Database for Postgres {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        Ok(Box::new(PostgresSession::open(Door::new(endpoint, login)?, self.product).await?))
    }
}
