//! What is left behind by runs that died is removed: each run has a folder of its own, with a lock held while it lives.

use super::{DockerError, remove};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use testcontainers::bollard;
use testcontainers::bollard::query_parameters::ListContainersOptions;

/// The label whose value is the run a container belongs to.
const RUN: &str = "firedrill.run";

/// What the names of runs' folders begin with.
const FOLDER: &str = "firedrill-run-";

/// The file in a run's folder that is locked while it lives.
const LOCK: &str = "lock";

/// This run, as the owner of containers and of a folder.
pub(super) struct Owner {
    run: String,
    folder: PathBuf,
    // Held until the process ends, however it ends.
    _held: File,
}

impl Owner {
    pub(super) fn new() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let began = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
        let run = format!("{}-{began:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // It bears its name only once it is locked, so that nobody takes it for one that was left behind.
        let (begun, folder) = (std::env::temp_dir().join(format!(".{FOLDER}{run}")), folder_of(&run));
        std::fs::create_dir_all(&begun)?;
        let held = File::create(begun.join(LOCK))?;
        held.lock()?;
        std::fs::rename(&begun, &folder)?;
        Ok(Self { run, folder, _held: held })
    }

    pub(super) fn run(&self) -> &str {
        &self.run
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn labels(&self) -> HashMap<String, String> {
        HashMap::from([(RUN.to_owned(), self.run.clone())])
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // What stays is removed by the next run.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn folder_of(run: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{FOLDER}{run}"))
}

/// Whether the process of a run still lives.
fn lives(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else { return false };
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

/// Removes the containers and folders of runs whose process is gone.
pub(super) async fn left_behind(client: &bollard::Docker) -> Result<(), DockerError> {
    for (id, run) in labelled(client, RUN).await? {
        if !lives(&folder_of(&run)) {
            remove(client, &id).await?;
        }
    }
    let Ok(found) = std::fs::read_dir(std::env::temp_dir()) else { return Ok(()) };
    for entry in found.flatten() {
        if entry.file_name().to_string_lossy().starts_with(FOLDER) && !lives(&entry.path()) {
            // One that stays is in nobody's way.
            let _ = std::fs::remove_dir_all(entry.path());
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
    // It says nothing; what it could not do is done by the next run.
    let _ = sweeper.join();
}
