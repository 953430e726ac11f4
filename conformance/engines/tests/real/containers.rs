//! Containers: commanded, streamed to and from, and never left behind.

use crate::{Test, wait};
use engines::docker::{Command, Container, ContainerOrder, Docker, give, take};
use engines::images::{Family, Images};
use engines::local::vault;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Tested = Result<(), Box<dyn std::error::Error>>;

/// The tests.
pub const TESTS: &[Test] = &[
    ("a_server_answers_where_its_endpoint_says_also_after_a_restart", || run(answers())),
    ("a_killed_server_keeps_its_disk", || run(keeps_its_disk())),
    ("a_paused_server_and_one_off_its_network_answer_nothing", || run(answers_nothing())),
    ("programs_read_and_write_streams_and_end_with_their_code", || run(programs())),
    ("what_a_program_writes_goes_through_the_vault_into_another", || run(through_the_vault())),
    ("nothing_stays_in_the_vault_of_a_program_that_ends_badly", || run(ends_badly())),
    ("a_gated_server_starts_only_when_it_is_let", || run(gated())),
    ("a_small_disk_is_full_when_it_is", || run(small_disk())),
    ("no_container_is_left_when_its_engine_is_dropped_even_in_a_panic", || run(left_behind())),
];

fn run(test: impl Future<Output = Tested>) {
    wait(test).unwrap_or_else(|error| panic!("{error}"));
}

async fn redis(docker: &Docker) -> Result<ContainerOrder, Box<dyn std::error::Error>> {
    let image = Images::new(&[], docker).await?.of(Family::Redis).remove(0);
    Ok(ContainerOrder::new(image, 6379))
}

/// Whether a Redis server answers there within three seconds.
async fn pongs(container: &Container) -> bool {
    let exchange = async {
        loop {
            let Ok(endpoint) = container.endpoint().await else { continue };
            if let Ok(mut stream) = TcpStream::connect(endpoint).await {
                let mut answer = [0; 5];
                let asked = stream.write_all(b"PING\r\n").await.is_ok();
                if asked && stream.read_exact(&mut answer).await.is_ok() && &answer == b"+PONG" {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), exchange).await.is_ok()
}

async fn answers() -> Tested {
    let docker = Docker::connect().await?;
    let container = docker.start(redis(&docker).await?).await?;
    assert!(pongs(&container).await);
    container.stop(5).await?;
    assert!(!container.is_running().await?);
    container.restart().await?;
    assert!(container.is_running().await? && pongs(&container).await);
    assert!(container.log(50).await?.contains("Ready to accept connections"));
    Ok(docker.close().await?)
}

async fn keeps_its_disk() -> Tested {
    let docker = Docker::connect().await?;
    let container = docker.start(redis(&docker).await?).await?;
    container.run(Command::shell("echo kept > /data/kept")).await?;
    container.kill().await?;
    container.kill().await?;
    container.restart().await?;
    assert_eq!(container.run(Command::new(["cat", "/data/kept"])).await?.text(), "kept\n");
    Ok(docker.close().await?)
}

async fn answers_nothing() -> Tested {
    let docker = Docker::connect().await?;
    let container = docker.start(redis(&docker).await?).await?;
    assert!(pongs(&container).await);
    container.pause().await?;
    assert!(!pongs(&container).await);
    container.unpause().await?;
    assert!(pongs(&container).await);
    container.disconnect().await?;
    assert!(!pongs(&container).await);
    container.reconnect().await?;
    assert!(pongs(&container).await);
    Ok(docker.close().await?)
}

async fn programs() -> Tested {
    let docker = Docker::connect().await?;
    let container = docker.start(redis(&docker).await?).await?;
    let text: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    let copied = container.run(Command::new(["cat"]).input(text.clone())).await?;
    assert!(copied.text() == text, "{} bytes came back of {}", copied.stdout.len(), text.len());
    let said = container.run(Command::shell("printf %s \"$WORD\"").variable("WORD", "a 'quoted' \"word\"")).await?;
    assert_eq!(said.text(), "a 'quoted' \"word\"");
    let failed = container.run(Command::shell("echo no such thing >&2; exit 3")).await;
    let told = failed.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains('3') && told.contains("no such thing"), "{told}");
    Ok(docker.close().await?)
}

async fn through_the_vault() -> Tested {
    let (docker, folder) = (Docker::connect().await?, tempfile::tempdir()?);
    let (container, vault) = (docker.start(redis(&docker).await?).await?, vault(folder.path())?);
    let place = Path::from("backups/rm-a/bk-1");
    // More than a portion, and more than one part of an upload.
    let stored = take(&container, Command::shell("head -c 30000000 /dev/urandom | tee /tmp/there"), &vault, &place);
    let stored = stored.await?;
    assert_eq!(stored.size_bytes, 30_000_000);
    give(&vault, &place, &container, Command::shell("cat > /tmp/back")).await?;
    let sums = container.run(Command::shell("cd /tmp; cmp there back; sha256sum back")).await?.text();
    assert!(sums.starts_with(&stored.sha256), "{sums} {}", stored.sha256);
    Ok(docker.close().await?)
}

async fn ends_badly() -> Tested {
    let (docker, folder) = (Docker::connect().await?, tempfile::tempdir()?);
    let (container, vault) = (docker.start(redis(&docker).await?).await?, vault(folder.path())?);
    let place = Path::from("backups/rm-a/bk-1");
    assert!(take(&container, Command::shell("echo half; exit 1"), &vault, &place).await.is_err());
    assert!(matches!(vault.head(&place).await, Err(object_store::Error::NotFound { .. })));
    Ok(docker.close().await?)
}

async fn gated() -> Tested {
    let docker = Docker::connect().await?;
    let order = ContainerOrder { gated: true, ..redis(&docker).await?.arguments(["redis-server"]) };
    let container = docker.start(order).await?;
    assert!(!pongs(&container).await);
    container.open().await?;
    assert!(pongs(&container).await);
    Ok(docker.close().await?)
}

async fn small_disk() -> Tested {
    let docker = Docker::connect().await?;
    let order = ContainerOrder { small_disks: vec![("/small".into(), 1 << 20)], ..redis(&docker).await? };
    let container = docker.start(order).await?;
    let filled = container.run(Command::shell("head -c 2000000 /dev/zero > /small/file")).await;
    assert!(filled.is_err_and(|error| error.to_string().contains("No space left")));
    Ok(docker.close().await?)
}

async fn left_behind() -> Tested {
    let watcher = Docker::connect().await?;
    let started = tokio::spawn(async {
        let docker = Docker::connect().await.map_err(|error| error.to_string())?;
        let order = redis(&docker).await.map_err(|error| error.to_string())?;
        let container = docker.start(order).await.map_err(|error| error.to_string())?;
        let panics = tokio::spawn(async move {
            let _held = docker;
            panic!("in the middle of a run")
        });
        assert!(panics.await.is_err_and(|error| error.is_panic()));
        Ok::<_, String>(container)
    });
    let container = started.await??;
    assert!(container.is_running().await.is_err(), "the container is still there");
    Ok(watcher.close().await?)
}
