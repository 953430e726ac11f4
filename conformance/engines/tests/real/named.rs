//! Servers that whoever runs the tests has started and names.

use recovery::model::Secret;
use recovery::ports::database::Login;

/// A server of a test.
#[derive(Debug, Clone)]
pub struct Server {
    /// `host:port`.
    pub endpoint: String,
    /// Who logs in there.
    pub login: Login,
}

/// The servers that a variable names, each as `host:port/account/password`, with spaces between.
pub fn servers(variable: &str) -> Vec<Server> {
    std::env::var(variable).unwrap_or_default().split_whitespace().filter_map(server).collect()
}

/// Why there is no server.
pub fn missing(variable: &str) -> Option<String> {
    servers(variable).is_empty().then(|| format!("{variable} names no server (host:port/account/password)"))
}

fn server(text: &str) -> Option<Server> {
    let mut parts = text.splitn(3, '/');
    let (endpoint, account, password) = (parts.next()?.to_owned(), parts.next()?.to_owned(), parts.next()?);
    Some(Server { endpoint, login: Login { account, password: Secret::new(password), ssl: false } })
}
