//! What servers in containers are begun with.

use engines::docker::Docker;
use engines::engine::{Birth, Ground, Passwords};
use engines::images::{Family, Image, Images};
use object_store::memory::InMemory;
use recovery::model::Secret;
use recovery::model::instance::{BackupPolicy, Configuration};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What engines work with, with a vault in memory.
pub fn ground(docker: Docker) -> Ground {
    Ground { docker, vault: Arc::new(InMemory::new()), passwords: Passwords::default() }
}

/// The ground, and every image that is chosen of some families.
pub async fn grounds(families: &[Family]) -> (Ground, Vec<(Family, Image)>) {
    let docker = Docker::connect().await.expect("a container engine");
    let images = Images::new(&[], &docker).await.expect("images");
    let of = |family: &Family| images.of(*family).into_iter().map(|image| (*family, image)).collect::<Vec<_>>();
    let all = families.iter().flat_map(of).collect();
    (ground(docker), all)
}

/// A server to begin.
pub fn birth(instance: &str, product: &str, image: &Image) -> Birth {
    let backup_policy = BackupPolicy {
        weekdays: BTreeSet::new(),
        hour: 0,
        log_backup: true,
        data_retention_days: 7,
        log_retention_days: 7,
    };
    let configuration = Configuration {
        whitelist: BTreeSet::new(),
        ssl: false,
        parameters: BTreeMap::new(),
        backup_policy,
        alarm_thresholds: BTreeMap::new(),
    };
    Birth {
        instance: instance.into(),
        product: product.parse().expect("a product"),
        image: image.clone(),
        configuration,
        root: Secret::new(format!("root of {instance}")),
        disk_bytes: None,
    }
}
