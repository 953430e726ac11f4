//! Hashes of a history and of its events: same scenario, seed and version, same hashes.

use super::{Call, History, Shot, What};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

impl History {
    /// A hash over everything that happened: same scenario, seed and version, same fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        self.each_as_bytes(|bytes| {
            hash.update(bytes);
            hash.update(b"\n");
        });
        hex(&hash.finalize()[..8])
    }

    /// A hash of each event, in order.
    #[must_use]
    pub fn event_hashes(&self) -> Vec<String> {
        let mut hashes = Vec::with_capacity(self.events.len());
        self.each_as_bytes(|bytes| hashes.push(hex(&Sha256::digest(bytes)[..4])));
        hashes
    }

    /// Every event as bytes, in order; what stands in many events stands in each as its hash.
    fn each_as_bytes(&self, mut told: impl FnMut(&[u8])) {
        let mut known = Hashes::default();
        for event in &self.events {
            let (at, step) = (event.at, event.step);
            let (head, hash) = match &event.what {
                What::Photograph(Shot { instance, mark, photograph, node }) => {
                    (format!("{at} {step:?} {instance} {mark:?} {node:?} "), known.of(photograph))
                }
                What::Call(Call { sent_at, method, path, key, request, status, answer, error }) => (
                    format!("{at} {step:?} {sent_at} {method} {path} {key:?} {request} {status:?} {error:?} "),
                    known.of(answer),
                ),
                What::InstanceSeen(view) => (format!("{at} {step:?} instance "), known.of(view)),
                What::BackupSeen(view) => (format!("{at} {step:?} backup "), known.of(view)),
                What::TaskSeen(view) => (format!("{at} {step:?} task "), known.of(view)),
                What::DataSourceSeen(view) => (format!("{at} {step:?} data source "), known.of(view)),
                What::LogicalTaskSeen(view) => (format!("{at} {step:?} logical task "), known.of(view)),
                What::LogicalSetSeen(view) => (format!("{at} {step:?} logical set "), known.of(view)),
                What::RestoreSeen(view) => (format!("{at} {step:?} restore "), known.of(view)),
                _ => {
                    told(&serde_json::to_vec(event).unwrap_or_default());
                    continue;
                }
            };
            told(&[head.as_bytes(), &hash].concat());
        }
    }
}

/// Hashes of what stands in many events, each made once.
#[derive(Default)]
struct Hashes(BTreeMap<*const (), [u8; 32]>);

impl Hashes {
    fn of<T: Serialize>(&mut self, content: &Arc<T>) -> [u8; 32] {
        let make = || Sha256::digest(serde_json::to_vec(content).unwrap_or_default()).into();
        *self.0.entry(Arc::as_ptr(content).cast()).or_insert_with(make)
    }
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
