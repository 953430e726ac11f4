//! Tests of what a crash says to those who were connected.

use super::{echo_stream, run, since_start_ms};
use crate::world::HostPlan;
use futures_util::future::join_all;
use tokio::io::AsyncReadExt;

/// When each of some connections ends, in milliseconds, after the host they lead to crashed; `before` tasks of the same
/// process ran in another runtime.
fn ends(before: usize) -> Vec<i64> {
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    other.block_on(async {
        for _ in 0..before {
            tokio::spawn(std::future::ready(())).await.unwrap();
        }
    });
    let host = HostPlan::new("machine-1", |kit| async move {
        let mut listener = kit.network.listen(7).await.unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo_stream(stream));
        }
    });
    let (ends, _) = run(vec![host], |kit, faults| async move {
        let mut streams = Vec::new();
        for _ in 0..6 {
            streams.push(kit.network.connect("machine-1:7").await.unwrap());
        }
        faults.crash("machine-1").await.unwrap();
        let ends = streams.iter_mut().map(|stream| async {
            assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
            since_start_ms(kit.clock.now())
        });
        join_all(ends).await
    });
    ends
}

#[test]
fn the_ends_of_connections_do_not_hang_on_what_else_the_process_ran() {
    let first = ends(0);
    assert!(first.iter().any(|end| *end != first[0]), "{first:?}");
    for before in 1..8 {
        assert_eq!(ends(before), first);
    }
}
