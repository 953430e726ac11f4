//! Tests of the disk: what a crash takes, and that the store opens after every one.

use super::{Disk, HostKit, HostPlan, MemoryDisk, run};
use crate::world::dice::generator;
use jiff::SignedDuration;
use redb::{Database, ReadableDatabase, StorageBackend, TableDefinition};
use std::io;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");

fn content(disk: &MemoryDisk) -> Vec<u8> {
    let file = disk.open().unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_crash_loses_what_was_not_synced_and_cuts_the_open_file_off() {
    let disk = MemoryDisk::new();
    let file = disk.open().unwrap();
    file.write(0, b"kept").unwrap();
    file.sync_data().unwrap();
    file.write(2, b"lost").unwrap();
    file.set_len(100).unwrap();
    assert_eq!(file.len().unwrap(), 100);
    assert_eq!(disk.unsynced(), 2);
    disk.lose_unsynced();
    assert!(file.write(0, b"late").is_err());
    assert!(file.sync_data().is_err());
    assert_eq!(content(&disk), b"kept");
}

#[test]
fn a_torn_disk_keeps_any_part_of_what_was_not_synced() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = MemoryDisk::new();
        let file = disk.open().unwrap();
        file.write(0, b"....").unwrap();
        file.sync_data().unwrap();
        file.write(0, b"ab").unwrap();
        file.write(2, b"cd").unwrap();
        disk.tear_unsynced(&mut generator(seed, "test", 0));
        seen.insert(String::from_utf8(content(&disk)).unwrap());
    }
    for part in ["....", "a...", "abc.", "..c."] {
        assert!(seen.contains(part), "{part} is not among {seen:?}");
    }
    assert!(!seen.contains("abcd"), "one write is always kept only in part: {seen:?}");
}

/// Commits rows until the file fails; how many commits were confirmed, or nothing if the store was not made.
fn commit_rows(backend: impl StorageBackend, count: u64) -> Option<u64> {
    let store = Database::builder().create_with_backend(backend).ok()?;
    for number in 0..count {
        let commit = || -> Result<(), redb::Error> {
            let transaction = store.begin_write()?;
            transaction.open_table(ROWS)?.insert(number, [7_u8; 700].as_slice())?;
            transaction.commit()?;
            Ok(())
        };
        if commit().is_err() {
            return Some(number);
        }
    }
    Some(count)
}

fn rows_found(disk: &MemoryDisk) -> Result<u64, redb::Error> {
    let store = Database::builder().create_with_backend(Boxed(disk.open()?))?;
    let transaction = store.begin_read()?;
    match transaction.open_table(ROWS) {
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(0),
        table => {
            let table = table?;
            let found = (0..).take_while(|number| matches!(table.get(*number), Ok(Some(_)))).count();
            Ok(found as u64)
        }
    }
}

#[derive(Debug)]
struct Boxed(Box<dyn StorageBackend>);

impl StorageBackend for Boxed {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn the_store_opens_after_a_crash_at_every_write_and_keeps_what_it_confirmed() {
    const ROWS_WRITTEN: u64 = 6;
    for torn in [false, true] {
        for nth in 1.. {
            let disk = MemoryDisk::new();
            disk.die_at_write(nth, torn, generator(9, "fuse", nth));
            let confirmed = commit_rows(Boxed(disk.open().unwrap()), ROWS_WRITTEN);
            let died = disk.dead().load(Ordering::Relaxed);
            disk.revive();
            match (rows_found(&disk), confirmed) {
                // redb writes its magic number last when it makes a file: one without it never held anything.
                (Err(error), None) => assert!(error.to_string().contains("magic number"), "{error}"),
                (found, confirmed) => {
                    let found = found.unwrap_or_else(|error| panic!("after write {nth}, torn {torn}: {error}"));
                    let confirmed = confirmed.unwrap_or(0);
                    assert!(found >= confirmed, "after write {nth}, torn {torn}: {found} of {confirmed} confirmed");
                }
            }
            if !died {
                assert!(nth > 20, "only {nth} writes were tried");
                break;
            }
        }
    }
}

/// Commits a row for every byte it is sent and answers once it is durable.
async fn keep_rows(kit: HostKit, disk: MemoryDisk) {
    let store = Database::builder().create_with_backend(Boxed(disk.open().unwrap())).unwrap();
    let mut listener = kit.network.listen(7).await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte).await {
            let commit = || -> Result<(), redb::Error> {
                let transaction = store.begin_write()?;
                transaction.open_table(ROWS)?.insert(u64::from(byte[0]), [7_u8; 700].as_slice())?;
                transaction.commit()?;
                Ok(())
            };
            let answer = if commit().is_ok() { b"y" } else { b"n" };
            let _ = stream.write_all(answer).await;
        }
    }
}

#[test]
fn a_host_that_dies_in_the_middle_of_a_write_answers_nothing_more_and_comes_back_whole() {
    let mut died_at = 0;
    for nth in 1..60 {
        let disk = MemoryDisk::new();
        let captured = disk.clone();
        let host = HostPlan::new("service", move |kit| keep_rows(kit, captured.clone())).with_disk(disk.clone());
        let ((confirmed, down), _) = run(vec![host], move |kit, faults| async move {
            kit.clock.sleep(SignedDuration::from_millis(5)).await;
            faults.crash_at_write("service", nth, nth % 2 == 0).await.unwrap();
            let mut stream = kit.network.connect("service:7").await.unwrap();
            let mut confirmed = 0_u64;
            for row in 0..3 {
                let mut answer = [b'-'];
                stream.write_all(&[row]).await.unwrap();
                let read = kit.clock.timeout(SignedDuration::from_secs(5), stream.read(&mut answer)).await;
                assert_ne!(answer, *b"n", "a dead host says nothing");
                if !matches!(read, Some(Ok(1))) {
                    break;
                }
                confirmed += 1;
            }
            let down = faults.is_down("service");
            faults.bounce("service").await.unwrap();
            kit.clock.sleep(SignedDuration::from_millis(5)).await;
            assert!(kit.network.connect("service:7").await.is_ok());
            (confirmed, down)
        });
        assert_eq!(down, confirmed < 3);
        died_at += u64::from(down);
        assert!(rows_found(&disk).unwrap() >= confirmed, "at write {nth}");
    }
    assert!(died_at > 10, "died {died_at} times");
}

#[test]
fn a_hosts_disk_outlives_its_crash_and_its_destructors_do_not_reach_it() {
    let disk = MemoryDisk::new();
    let captured = disk.clone();
    let host = HostPlan::new("service", move |_| {
        let disk = captured.clone();
        async move {
            struct LastWords(Box<dyn StorageBackend>);
            impl Drop for LastWords {
                fn drop(&mut self) {
                    let _ = self.0.write(0, b"last");
                    let _ = self.0.sync_data();
                }
            }
            let file = LastWords(disk.open().unwrap());
            if file.0.len().unwrap() == 0 {
                file.0.write(0, b"safe").unwrap();
                file.0.sync_data().unwrap();
                file.0.write(0, b"gone").unwrap();
            }
            std::future::pending::<()>().await;
            drop(file);
        }
    });
    let seen = disk.clone();
    let ((), _) = run(vec![host.with_disk(disk)], |kit, faults| async move {
        kit.clock.sleep(SignedDuration::from_secs(1)).await;
        faults.crash("service").await.unwrap();
        assert_eq!(content(&seen), b"safe");
        faults.bounce("service").await.unwrap();
    });
}

#[test]
fn a_full_disk_refuses_every_change_and_sync_and_keeps_what_it_has() {
    let disk = MemoryDisk::new();
    let file = disk.open().unwrap();
    file.write(0, b"kept").unwrap();
    file.sync_data().unwrap();
    disk.fill(true);
    let full = |outcome: io::Result<()>| outcome.map_err(|error| error.kind());
    assert_eq!(full(file.write(0, b"late")), Err(io::ErrorKind::StorageFull));
    assert_eq!(full(file.set_len(100)), Err(io::ErrorKind::StorageFull));
    assert_eq!(full(file.sync_data()), Err(io::ErrorKind::StorageFull));
    assert_eq!(content(&disk), b"kept");
    disk.fill(false);
    let file = disk.open().unwrap();
    file.write(0, b"late").unwrap();
    assert_eq!(content(&disk), b"late");
}
