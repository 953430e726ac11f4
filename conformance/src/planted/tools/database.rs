//! A way to database servers whose sessions have hooks.

use super::session::{Given, Hooked};
use super::{At, SessionHooks};
use async_trait::async_trait;
use recovery::ports::database::{DatabaseError, Login};
use recovery::ports::{Database, Session};
use std::sync::Arc;

/// Logs in otherwise than asked.
pub type Connect = for<'a> fn(&'a dyn Database, &'a str, &'a Login, &'a At) -> Given<'a, Box<dyn Session>>;

/// A `Database` with hooks.
pub(super) struct HookedDatabase {
    pub inner: Arc<dyn Database>,
    pub connect: Option<Connect>,
    pub hooks: SessionHooks,
    pub at: At,
}

#[async_trait]
impl Database for HookedDatabase {
    async fn connect(&self, endpoint: &str, login: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        let at = At { endpoint: endpoint.to_owned(), account: login.account.clone(), ..self.at.clone() };
        let inner = match self.connect {
            Some(connect) => connect(&*self.inner, endpoint, login, &at).await?,
            None => self.inner.connect(endpoint, login).await?,
        };
        Ok(Box::new(Hooked { inner, hooks: self.hooks, at }))
    }
}
