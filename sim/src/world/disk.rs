//! A disk in memory that keeps apart what was synced from what was only written.

use super::blocks::Blocks;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use recovery::ports::Disk;
use redb::StorageBackend;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The disk of one host. Clones are the same disk, so it outlives the host's crashes.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
    /// Whether the host died in the middle of a write. Nothing it does from then on may be seen.
    dead: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    /// What a crash cannot take.
    durable: Blocks,
    /// What readers see: `durable` with all of `unsynced` on top.
    current: Blocks,
    unsynced: Vec<Change>,
    /// Counts openings and crashes. A file opened before the last of them is cut off: at a crash the store's own
    /// tidying up still runs, and must not reach the disk.
    generation: u64,
    fuse: Option<Fuse>,
    /// Whether there is no room left.
    full: bool,
}

/// Lets the host die at a write to come.
struct Fuse {
    /// Writes, changes of length and syncs until then.
    left: u64,
    torn: bool,
    random: ChaCha8Rng,
}

enum Change {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

impl Change {
    fn apply(&self, file: &mut Blocks) {
        match self {
            Self::Length(length) => file.resize(*length),
            Self::Write { offset, data } => file.put(*offset, data),
        }
    }
}

impl State {
    fn lose_unsynced(&mut self) {
        self.generation += 1;
        self.unsynced.clear();
        self.current = self.durable.clone();
    }

    fn tear_unsynced(&mut self, random: &mut impl Rng) {
        let changes = std::mem::take(&mut self.unsynced);
        // Half of the time the disk wrote in order and stopped; otherwise any of the writes may be missing.
        let reached = random.random_range(0..=changes.len());
        let in_order: bool = random.random();
        let kept: Vec<Change> = changes
            .into_iter()
            .enumerate()
            .filter(|(number, _)| if in_order { *number < reached } else { random.random() })
            .map(|(_, change)| change)
            .collect();
        let cut = random.random_range(0..kept.len().max(1));
        for (number, mut change) in kept.into_iter().enumerate() {
            if let Change::Write { data, .. } = &mut change
                && number == cut
                && !data.is_empty()
            {
                data.truncate(random.random_range(0..data.len()));
            }
            change.apply(&mut self.durable);
        }
        self.lose_unsynced();
    }

    fn has_room(&self) -> io::Result<()> {
        if self.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// Counts an access; whether the host dies at it, and then with what is left on the disk.
    fn burn(&mut self) -> bool {
        let Some(mut fuse) = self.fuse.take() else { return false };
        fuse.left = fuse.left.saturating_sub(1);
        if fuse.left > 0 {
            self.fuse = Some(fuse);
            return false;
        }
        if fuse.torn {
            self.tear_unsynced(&mut fuse.random);
        } else {
            self.lose_unsynced();
        }
        true
    }
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many writes a crash would lose now.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.lock().unsynced.len()
    }

    /// The host crashed: everything that was not synced is gone.
    pub fn lose_unsynced(&self) {
        self.lock().lose_unsynced();
    }

    /// The host crashed: of what was not synced the disk kept some, in any selection, and one write only in part.
    pub fn tear_unsynced(&self, random: &mut impl Rng) {
        self.lock().tear_unsynced(random);
    }

    /// The host will die at the `nth` access from now that changes or syncs the file: that access and all not synced
    /// before it are lost or torn.
    pub fn die_at_write(&self, nth: u64, torn: bool, random: ChaCha8Rng) {
        self.lock().fuse = Some(Fuse { left: nth.max(1), torn, random });
    }

    /// The disk has no room left, so that every change and every sync fails, or has room again. What it holds can be read.
    pub fn fill(&self, full: bool) {
        self.lock().full = full;
    }

    /// Whether the host died in the middle of a write.
    pub(crate) fn dead(&self) -> &Arc<AtomicBool> {
        &self.dead
    }

    /// The host starts again.
    pub(crate) fn revive(&self) {
        self.lock().fuse = None;
        self.dead.store(false, Ordering::Relaxed);
    }
}

impl Disk for MemoryDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(cut_off());
        }
        let mut state = self.lock();
        state.generation += 1;
        Ok(Box::new(MemoryFile { disk: self.clone(), generation: state.generation }))
    }
}

/// The file as one opening of the disk sees it.
struct MemoryFile {
    disk: MemoryDisk,
    generation: u64,
}

impl std::fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryFile").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl MemoryFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        if state.generation == self.generation { Ok(state) } else { Err(cut_off()) }
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state()?;
        state.has_room()?;
        change.apply(&mut state.current);
        state.unsynced.push(change);
        self.survive(&mut state)
    }

    /// Fails where the host dies at this access.
    fn survive(&self, state: &mut State) -> io::Result<()> {
        if state.burn() {
            self.disk.dead.store(true, Ordering::Relaxed);
            return Err(cut_off());
        }
        Ok(())
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the disk was cut off: its host crashed, or opened it anew")
}

fn position(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "offset beyond memory"))
}

impl StorageBackend for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state()?;
        if state.current.read(position(offset)?, out) {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "read beyond the end of the file"))
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(position(len)?))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let state = &mut *state;
        state.has_room()?;
        self.survive(state)?;
        for change in state.unsynced.drain(..) {
            change.apply(&mut state.durable);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write { offset: position(offset)?, data: data.to_vec() })
    }
}
