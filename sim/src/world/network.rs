//! The simulated network: turmoil TCP, and which ways are open.
//!
//! What turmoil does, and what this adds:
//! - A host that crashes closes its connections as a killed process does: its peers read the end (or a reset, where
//!   data was left unread). Where the way is cut at that moment they learn nothing, as after a power cut.
//! - Nothing is sent again after it was lost: a connection across a cut stays broken, so callers need timeouts.
//! - A connection is not opened towards a host that is down or across a cut, in either direction: it waits for ever.
//!   turmoil would keep a socket of each such attempt for good, and deliver old requests after a restart; so the
//!   request is not sent at all. Across a held link the attempt waits until the link is released.
//! - Nobody listening on a running host: refused.
//! - A connection that is reset fails on both sides from then on; what is on its way on it is never read.

use super::graves::Graves;
use async_trait::async_trait;
use recovery::ports::{Listener, Network, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

/// What happened during a step that turmoil's links do not show and that may have woken another host.
#[derive(Clone, Default)]
pub(crate) struct Activity(Arc<ActivityFlags>);

#[derive(Default)]
struct ActivityFlags {
    dirty: AtomicBool,
    /// A writer found a full connection: from then on a read may wake the other side.
    blocked: AtomicBool,
}

impl Activity {
    pub(crate) fn note(&self) {
        self.0.dirty.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) -> bool {
        self.0.dirty.swap(false, Ordering::Relaxed)
    }
}

/// Which ways between hosts are open.
#[derive(Clone, Default)]
pub(crate) struct Ways(Arc<Mutex<WayState>>);

#[derive(Default)]
pub(crate) struct WayState {
    /// Ways on which everything is dropped, from and to.
    pub(crate) cut: BTreeSet<(String, String)>,
    /// Pairs whose messages are held, in order of names.
    pub(crate) held: BTreeSet<(String, String)>,
    /// Hosts that were crashed and not started again.
    pub(crate) down: BTreeSet<String>,
    /// Hosts that are not there until somebody calls them.
    pub(crate) sleeping: BTreeSet<String>,
    /// Those of them that somebody calls.
    pub(crate) called: BTreeSet<String>,
    /// Hosts whose clock stands still and whose links are held.
    pub(crate) paused: BTreeSet<String>,
    /// Pairs with a latency of their own.
    pub(crate) slow: BTreeMap<(String, String), Latency>,
    waiting: Vec<Waker>,
    /// Open connections of a pair: each side of each.
    lines: BTreeMap<(String, String), Vec<Weak<Line>>>,
}

/// How long messages between two hosts take, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Latency {
    /// Each so long.
    Always(u64),
    /// Each a random time of its own, so long at most.
    UpTo(u64),
}

/// One side of a connection, as far as a reset is concerned.
#[derive(Default)]
struct Line {
    broken: AtomicBool,
    /// Who waits to read, and who to write.
    waiting: Mutex<[Option<Waker>; 2]>,
}

impl Line {
    /// Fails where the connection was reset; otherwise keeps who is to be woken when it is.
    fn intact(&self, side: usize, context: &Context<'_>) -> io::Result<()> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = waiting.get_mut(side)
            && !slot.as_ref().is_some_and(|waker| waker.will_wake(context.waker()))
        {
            *slot = Some(context.waker().clone());
        }
        Ok(())
    }

    fn break_off(&self) {
        self.broken.store(true, Ordering::Relaxed);
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

const READING: usize = 0;
const WRITING: usize = 1;

/// A pair of hosts in the order of their names.
pub(crate) fn pair(a: &str, b: &str) -> (String, String) {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    (first.to_owned(), second.to_owned())
}

impl WayState {
    pub(crate) fn is_cut(&self, from: &str, to: &str) -> bool {
        self.cut.contains(&(from.to_owned(), to.to_owned()))
    }

    pub(crate) fn is_held(&self, a: &str, b: &str) -> bool {
        self.paused.contains(a) || self.paused.contains(b) || self.held.contains(&pair(a, b))
    }

    /// Whether nothing sent now would ever arrive.
    fn is_lost(&self, from: &str, to: &str) -> bool {
        self.down.contains(to) || self.is_cut(from, to) || self.is_cut(to, from)
    }

    pub(crate) fn nothing_held(&self) -> bool {
        self.held.is_empty() && self.paused.is_empty()
    }
}

impl Ways {
    pub(crate) fn lock(&self) -> MutexGuard<'_, WayState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets those look again who wait for a way.
    pub(crate) fn wake(&self) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Takes one side of a new connection in.
    fn line(&self, a: &str, b: &str) -> Arc<Line> {
        let line = Arc::new(Line::default());
        let mut ways = self.lock();
        let lines = ways.lines.entry(pair(a, b)).or_default();
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&line));
        line
    }

    /// Breaks the open connections of two hosts.
    pub(crate) fn reset(&self, a: &str, b: &str) {
        let lines = self.lock().lines.remove(&pair(a, b)).unwrap_or_default();
        lines.iter().filter_map(Weak::upgrade).for_each(|line| line.break_off());
    }

    /// Calls a host, in case it sleeps.
    pub(crate) fn call(&self, host: &str) {
        let mut ways = self.lock();
        if ways.sleeping.contains(host) {
            ways.called.insert(host.to_owned());
        }
    }

    /// Waits until the host there is up, if it sleeps, and the way is not held; for ever where the request would be lost.
    async fn open(&self, from: &str, to: &str) {
        self.call(to);
        let mut lost = false;
        poll_fn(|context| {
            let mut ways = self.lock();
            lost |= ways.is_lost(from, to);
            if lost {
                return Poll::Pending;
            }
            if ways.is_held(from, to) || ways.sleeping.contains(to) {
                ways.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// The network as one host sees it.
#[derive(Clone)]
pub struct SimNetwork {
    host: String,
    ways: Ways,
    activity: Activity,
    dead: Arc<AtomicBool>,
    graves: Graves,
}

impl SimNetwork {
    /// The network of a host that sends nothing more once it is dead.
    pub(crate) fn new(host: &str, ways: &Ways, activity: &Activity, dead: &Arc<AtomicBool>, graves: &Graves) -> Self {
        Self {
            host: host.to_owned(),
            ways: ways.clone(),
            activity: activity.clone(),
            dead: Arc::clone(dead),
            graves: graves.clone(),
        }
    }

    fn stream(&self, inner: TcpStream, peer: &str) -> Box<dyn Stream> {
        Box::new(SimStream {
            line: self.ways.line(&self.host, peer),
            number: self.graves.number(),
            inner: Some(inner),
            activity: self.activity.clone(),
            dead: Arc::clone(&self.dead),
            graves: self.graves.clone(),
        })
    }
}

#[async_trait]
impl Network for SimNetwork {
    async fn connect(&self, address: &str) -> io::Result<Box<dyn Stream>> {
        let Some((host, _)) = address.rsplit_once(':') else {
            let message = format!("{address} is no address; expected host:port");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        if host == self.host {
            // turmoil's loopback is a timer of its own that the run loop cannot see.
            let message = format!("{host} cannot connect to itself in the simulated world");
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        self.ways.open(&self.host, host).await;
        match TcpStream::connect(address).await {
            Ok(stream) => Ok(self.stream(stream, host)),
            // turmoil calls it refused when the request was dropped on the way.
            Err(_) if self.ways.lock().is_lost(&self.host, host) => std::future::pending().await,
            Err(error) => Err(error),
        }
    }

    async fn listen(&self, port: u16) -> io::Result<Box<dyn Listener>> {
        let inner = TcpListener::bind(format!("0.0.0.0:{port}")).await?;
        Ok(Box::new(SimListener { inner, network: self.clone() }))
    }
}

struct SimListener {
    inner: TcpListener,
    network: SimNetwork,
}

#[async_trait]
impl Listener for SimListener {
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, String)> {
        let (stream, peer) = self.inner.accept().await?;
        // turmoil tells the other side directly, not by a message.
        self.network.activity.note();
        let name = turmoil::reverse_lookup(peer.ip()).unwrap_or_else(|| peer.ip().to_string());
        Ok((self.network.stream(stream, &name), name))
    }
}

struct SimStream {
    number: u64,
    line: Arc<Line>,
    /// There until the stream is dropped.
    inner: Option<TcpStream>,
    activity: Activity,
    dead: Arc<AtomicBool>,
    graves: Graves,
}

impl SimStream {
    fn inner(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.inner.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.graves.bury(self.number, inner);
        }
    }
}

impl AsyncRead for SimStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.intact(READING, context)?;
        let outcome = self.inner()?.poll_read(context, buffer);
        if outcome.is_ready() && self.activity.0.blocked.load(Ordering::Relaxed) {
            self.activity.note();
        }
        outcome
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.dead.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.line.intact(WRITING, context)?;
        let outcome = self.inner()?.poll_write(context, bytes);
        if outcome.is_pending() {
            self.activity.0.blocked.store(true, Ordering::Relaxed);
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_shutdown(context)
    }
}
