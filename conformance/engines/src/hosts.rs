//! The hosts that run the system itself: the service and its workers, as tasks that can be crashed and started again.

use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a host whose main function returned stays away.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// A host's main function; called anew at each start.
pub type Main = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

struct Host {
    main: Main,
    task: Option<JoinHandle<()>>,
}

/// The hosts of a run; all end when they are dropped.
#[derive(Default)]
pub struct Hosts(Mutex<BTreeMap<String, Host>>);

impl Hosts {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a host and starts it.
    pub fn add(&self, name: &str, main: Main) {
        self.all().insert(name.to_owned(), Host { main, task: None });
        self.begin(name);
    }

    /// Whether there is a host of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all().contains_key(name)
    }

    /// Whether a host is down.
    #[must_use]
    pub fn is_down(&self, name: &str) -> bool {
        self.all().get(name).is_some_and(|host| host.task.is_none())
    }

    fn begin(&self, name: &str) {
        if let Some(host) = self.all().get_mut(name) {
            let main = Arc::clone(&host.main);
            host.task = Some(tokio::spawn(async move {
                loop {
                    main().await;
                    tokio::time::sleep(RESTART_PAUSE).await;
                }
            }));
        }
    }

    /// Crashes a host: its tasks are gone once this returns; what it wrote to its disk stays.
    pub async fn crash(&self, name: &str) {
        let task = self.all().get_mut(name).and_then(|host| host.task.take());
        if let Some(task) = task {
            task.abort();
            // One that was cut off says so.
            let _ = task.await;
        }
    }

    /// Starts a host again; one that runs is crashed first.
    pub async fn start(&self, name: &str) {
        self.crash(name).await;
        self.begin(name);
    }

    /// Starts every host that is down.
    pub fn start_all(&self) {
        let down: Vec<String> =
            self.all().iter().filter(|(_, host)| host.task.is_none()).map(|(name, _)| name.clone()).collect();
        down.iter().for_each(|name| self.begin(name));
    }

    /// Ends every host.
    pub async fn end(&self) {
        let names: Vec<String> = self.all().keys().cloned().collect();
        for name in names {
            self.crash(&name).await;
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.all().values_mut().filter_map(|host| host.task.take()).for_each(|task| task.abort());
    }
}
