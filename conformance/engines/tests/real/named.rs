//! Servers of sessions: those that whoever runs the tests names, else one in a container of each image that is chosen.

use crate::ground::{birth, grounds};
use engines::docker::Docker;
use engines::images::Family;
use engines::programs::engine_of;
use recovery::model::Secret;
use recovery::ports::database::Login;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A server of a test.
#[derive(Debug, Clone)]
pub struct Server {
    /// `host:port`.
    pub endpoint: String,
    /// Who logs in there.
    pub login: Login,
}

/// What a group of tests runs on.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The variable that names servers, each as `host:port/account/password`, with spaces between.
    pub variable: &'static str,
    /// The families whose images are started where it names none.
    pub families: &'static [Family],
    /// A product that they play.
    pub product: &'static str,
    /// Who may do everything on them.
    pub root: &'static str,
}

/// What was started, and who keeps it.
type Started = BTreeMap<&'static str, (Docker, Vec<Server>)>;

/// All tests of a group share their servers.
static STARTED: Mutex<Started> = Mutex::new(BTreeMap::new());

/// The servers of a group.
pub fn servers(wanted: Wanted) -> Vec<Server> {
    let named = named(wanted.variable);
    if !named.is_empty() {
        return named;
    }
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.entry(wanted.variable).or_insert_with(|| crate::wait(start(wanted))).1.clone()
}

/// Why there is no server, where no container engine is there for that reason.
pub fn missing(wanted: Wanted, absent: Option<&str>) -> Option<String> {
    let why = absent.filter(|_| named(wanted.variable).is_empty())?;
    Some(format!("{why}; {} names no server (host:port/account/password)", wanted.variable))
}

/// Ends what was started.
pub fn close() {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

async fn start(wanted: Wanted) -> (Docker, Vec<Server>) {
    let (ground, images) = grounds(wanted.families).await;
    let mut servers = Vec::new();
    for (family, image) in images {
        let engine = engine_of(family).expect("an engine");
        let birth = birth("tested", wanted.product, &image);
        let server = engine.begin(&ground, &birth, None).await.unwrap_or_else(|error| panic!("{image}: {error}"));
        let endpoint = server.container.endpoint().await.expect("an endpoint");
        let login = Login { account: wanted.root.to_owned(), password: birth.root, ssl: false };
        servers.push(Server { endpoint, login });
    }
    (ground.docker, servers)
}

fn named(variable: &str) -> Vec<Server> {
    std::env::var(variable).unwrap_or_default().split_whitespace().filter_map(server).collect()
}

fn server(text: &str) -> Option<Server> {
    let mut parts = text.splitn(3, '/');
    let (endpoint, account, password) = (parts.next()?.to_owned(), parts.next()?.to_owned(), parts.next()?);
    Some(Server { endpoint, login: Login { account, password: Secret::new(password), ssl: false } })
}
