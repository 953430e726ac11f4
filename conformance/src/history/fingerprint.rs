//! Hashes of a history and of its events: same scenario, seed and version, same hashes.

use super::{Call, History, Shot, What};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::io::Write;
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

    /// Every event as bytes, in order. A photograph or an answer that stands in many events stands in each as its hash; what
    /// an answer showed follows from it, and stands here by its id alone.
    fn each_as_bytes(&self, mut told: impl FnMut(&[u8])) {
        let mut known = Hashes::default();
        let mut bytes = Vec::new();
        for event in &self.events {
            bytes.clear();
            put_time(&mut bytes, event.at);
            put(&mut bytes, format_args!("{:?} ", event.step));
            match &event.what {
                What::Photograph(Shot { instance, mark, photograph, node }) => {
                    put(&mut bytes, format_args!("{instance} {mark:?} {node:?} "));
                    bytes.extend(known.of(photograph));
                }
                What::Call(Call { sent_at, method, path, key, request, status, answer, error }) => {
                    put_time(&mut bytes, *sent_at);
                    put(&mut bytes, format_args!("{method} {path} {key:?} {status:?} {error:?} "));
                    put_json(&mut bytes, request);
                    bytes.extend(known.of(answer));
                }
                What::InstanceSeen(view) => put(&mut bytes, format_args!("instance {}", view.id)),
                What::BackupSeen(view) => put(&mut bytes, format_args!("backup {}", view.id)),
                What::TaskSeen(view) => put(&mut bytes, format_args!("task {}", view.id)),
                What::DataSourceSeen(view) => put(&mut bytes, format_args!("data source {}", view.id)),
                What::LogicalTaskSeen(view) => put(&mut bytes, format_args!("logical task {}", view.id)),
                What::LogicalSetSeen(view) => put(&mut bytes, format_args!("logical set {}", view.id)),
                What::RestoreSeen(view) => put(&mut bytes, format_args!("restore {}", view.id)),
                other => put_json(&mut bytes, other),
            }
            told(&bytes);
        }
    }
}

fn put_time(bytes: &mut Vec<u8>, time: Timestamp) {
    bytes.extend(time.as_nanosecond().to_le_bytes());
}

fn put(bytes: &mut Vec<u8>, text: Arguments<'_>) {
    // Nothing fails that is written to memory, here and below.
    let _ = bytes.write_fmt(text);
}

fn put_json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    let _ = serde_json::to_writer(bytes, value);
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
