//! What is left behind by runs that died is removed: each run holds a lock on a file of its own while it lives.

use super::{DockerError, remove};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use testcontainers::bollard;
use testcontainers::bollard::query_parameters::ListContainersOptions;

/// The label whose value is the run a container belongs to.
const RUN: &str = "firedrill.run";

/// This run, as the owner of containers.
pub(super) struct Owner {
    run: String,
    lock: PathBuf,
    // Held until the process ends, however it ends.
    _held: File,
}

impl Owner {
    pub(super) fn new() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let began = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
        let run = format!("{}-{began:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lock = lock_of(&run);
        let held = File::create(&lock)?;
        held.lock()?;
        Ok(Self { run, lock, _held: held })
    }

    pub(super) fn run(&self) -> &str {
        &self.run
    }

    pub(super) fn labels(&self) -> HashMap<String, String> {
        HashMap::from([(RUN.to_owned(), self.run.clone())])
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // One that stays is in nobody's way.
        let _ = std::fs::remove_file(&self.lock);
    }
}

fn lock_of(run: &str) -> PathBuf {
    std::env::temp_dir().join(format!("firedrill-{run}.lock"))
}

/// Whether the process of a run still lives.
fn lives(run: &str) -> bool {
    let Ok(file) = File::open(lock_of(run)) else { return false };
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

async fn labelled(client: &bollard::Docker, label: &str) -> Result<Vec<(String, String)>, DockerError> {
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
    let found = client.list_containers(Some(options)).await?;
    let known = found.into_iter().filter_map(|container| {
        let run = container.labels?.remove(RUN)?;
        Some((container.id?, run))
    });
    Ok(known.collect())
}

/// Removes the containers of runs whose process is gone.
pub(super) async fn left_behind(client: &bollard::Docker) -> Result<(), DockerError> {
    for (id, run) in labelled(client, RUN).await? {
        if !lives(&run) {
            remove(client, &id).await?;
            // One that stays is in nobody's way.
            let _ = std::fs::remove_file(lock_of(&run));
        }
    }
    Ok(())
}

/// Removes the containers of a run.
pub(super) async fn of_owner(client: &bollard::Docker, run: &str) -> Result<(), DockerError> {
    for (id, _) in labelled(client, &format!("{RUN}={run}")).await? {
        remove(client, &id).await?;
    }
    Ok(())
}

/// Removes the containers of a run from where nothing can be awaited: at the end of a scope, or in a panic.
pub(super) fn in_a_thread(run: String) {
    let sweeper = std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            // The next run removes what this one cannot.
            if let Ok(client) = testcontainers::core::client::docker_client_instance().await {
                let _ = of_owner(&client, &run).await;
            }
        });
    });
    let _ = sweeper.join();
}
