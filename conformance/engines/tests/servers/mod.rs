//! Servers for tests that need one.

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

/// The servers that a variable names, each as `host:port/account/password`, with spaces between. Without any it says that
/// the test was not run, which is a failure where engines are required.
pub fn servers(variable: &str) -> Vec<Server> {
    let named = std::env::var(variable).unwrap_or_default();
    let servers: Vec<Server> = named.split_whitespace().filter_map(server).collect();
    if servers.is_empty() {
        let why = format!("not run: {variable} names no server (host:port/account/password)");
        assert_ne!(std::env::var("FIREDRILL_REQUIRE_ENGINES").as_deref(), Ok("1"), "{why}");
        eprintln!("{why}");
    }
    servers
}

fn server(text: &str) -> Option<Server> {
    let mut parts = text.splitn(3, '/');
    let (endpoint, account, password) = (parts.next()?.to_owned(), parts.next()?.to_owned(), parts.next()?);
    Some(Server { endpoint, login: Login { account, password: Secret::new(password), ssl: false } })
}

/// Runs a test to its end.
pub fn wait<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test)
}
