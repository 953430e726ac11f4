//! How a set lies in the vault: `logical/{set}/manifest.json`, `rows/{table}/{chunk}`, `tail/{part}` and, for a log set,
//! `log/{segment}`.
//!
//! Every object is JSON that bears the SHA-256 of its own content, which set and part it is, and the epoch it was written
//! under, so that a damaged, cut-off, exchanged or left-over one is noticed. The manifest is written last; only with it a
//! full or structure set is whole. What is read or written at a time is one object, never a table.

use crate::model::content::{Change, Object, Row};
use crate::model::logical::backup::Instant;
use crate::model::{Product, SetId};
use crate::ports::{Clock, Vault};
use crate::worker::lease::{Keeper, Lease, LetGo, Stop};
use crate::worker::servers::CALL_TIMEOUT_S;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStoreExt, PutMode, PutOptions};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Attempts at the vault before it is given up.
const TRIES: u32 = 10;
/// Seconds between two attempts, at first and at most.
const AGAIN_S: (i64, i64) = (1, 30);

/// One object of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "kebab-case")]
pub enum Part {
    /// What the set holds.
    Manifest,
    /// Rows of a table.
    Rows {
        /// Place of the table in the manifest.
        table: usize,
        /// Chunk, from 0.
        chunk: u64,
    },
    /// Changes from the snapshot to the completion of a full set.
    Tail {
        /// Part, from 0.
        number: u64,
    },
    /// Changes of a log set.
    Log {
        /// Segment, from 0.
        segment: u64,
    },
}

impl Part {
    /// Where it lies.
    #[must_use]
    pub fn path(self, set: &SetId) -> Path {
        let within = match self {
            Self::Manifest => "manifest.json".to_owned(),
            Self::Rows { table, chunk } => format!("rows/{table}/{chunk}"),
            Self::Tail { number } => format!("tail/{number}"),
            Self::Log { segment } => format!("log/{segment}"),
        };
        Path::from_iter(["logical", set.as_str()].into_iter().chain(within.split('/')))
    }
}

/// What a full or structure set holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What the source was.
    pub product: Product,
    /// The source's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Databases, as of the snapshot.
    pub databases: Vec<DatabaseContent>,
    /// Tables whose rows are there, in the order of their places.
    pub tables: Vec<TableContent>,
    /// Rows in each chunk but a table's last.
    pub chunk_rows: usize,
    /// What the rows are as of.
    pub snapshot: Instant,
    /// What the rows are as of with the tail.
    pub completion: Instant,
    /// Parts of the tail.
    pub tail_parts: u64,
    /// Epoch that rows and tail were written under.
    pub epoch: u64,
}

/// One database of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseContent {
    /// Name.
    pub name: String,
    /// Character set.
    pub charset: String,
    /// Objects, with definer and security.
    pub objects: Vec<Object>,
}

/// The rows of one table of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContent {
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Chunks.
    pub chunks: u64,
    /// SHA-256 over the seals of the chunks in order.
    pub sha256: String,
}

/// One segment of a log set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Where it begins, exclusive.
    pub after: Instant,
    /// Where it ends, inclusive.
    pub to: Instant,
    /// What changed.
    pub changes: Vec<Change>,
}

/// Seals in order, as one.
#[derive(Default)]
pub struct Seals(Sha256);

impl Seals {
    /// Adds the next seal.
    pub fn add(&mut self, seal: &str) {
        self.0.update(seal.as_bytes());
    }

    /// All of them as one.
    #[must_use]
    pub fn all(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Why an object could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Set.
    pub set: SetId,
    /// Why, with the object.
    pub detail: String,
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub bytes: u64,
    /// Seal.
    pub seal: String,
}

/// An object as it was read.
#[derive(Debug, Clone)]
pub struct Read<B> {
    /// What it holds.
    pub body: B,
    /// Epoch it was written under.
    pub epoch: u64,
    /// Bytes.
    pub bytes: u64,
    /// Seal.
    pub seal: String,
}

#[derive(Serialize, Deserialize)]
struct Head {
    set: SetId,
    #[serde(flatten)]
    part: Part,
    epoch: u64,
}

#[derive(Serialize, Deserialize)]
struct Sealed<B> {
    head: Head,
    body: B,
}

const MARK: &[u8] = b"{\"sha256\":\"";
const SEAL_LENGTH: usize = 64;

/// The set in the vault, as one worker sees it.
#[derive(Clone)]
pub struct Shelf {
    vault: Vault,
    clock: Arc<dyn Clock>,
    set: SetId,
}

impl Shelf {
    /// The shelf of a set.
    #[must_use]
    pub fn new(vault: Vault, clock: Arc<dyn Clock>, set: SetId) -> Self {
        Self { vault, clock, set }
    }

    /// The shelf of another set.
    #[must_use]
    pub fn of(&self, set: &SetId) -> Self {
        Self { set: set.clone(), ..self.clone() }
    }

    /// Why an object of this set is of no use.
    #[must_use]
    pub fn unusable(&self, part: Part, why: impl std::fmt::Display) -> Unusable {
        Unusable { set: self.set.clone(), detail: format!("{}: {why}", part.path(&self.set)) }
    }

    /// Writes an object over whatever is there.
    ///
    /// # Errors
    /// When the lease is over, or the vault does not take it.
    pub async fn put<B: Serialize>(&self, lease: &mut Lease, part: Part, body: B) -> Result<Written, Stop<Unusable>> {
        let bytes = self.sealed(lease.epoch(), part, body).map_err(Stop::Failed)?;
        self.write(lease, part, &bytes, PutMode::Overwrite).await?;
        Ok(written(&bytes))
    }

    /// Writes an object unless there is one; nothing when there is.
    ///
    /// # Errors
    /// When the lease is over, or the vault does not take it.
    pub async fn put_new<B: Serialize>(
        &self,
        lease: &mut Lease,
        part: Part,
        body: B,
    ) -> Result<Option<Written>, Stop<Unusable>> {
        let bytes = self.sealed(lease.epoch(), part, body).map_err(Stop::Failed)?;
        let is_new = self.write(lease, part, &bytes, PutMode::Create).await?;
        Ok(is_new.then(|| written(&bytes)))
    }

    /// Says whether it was written: only with [`PutMode::Create`] it may not be.
    async fn write(&self, lease: &mut Lease, part: Part, bytes: &[u8], mode: PutMode) -> Result<bool, Stop<Unusable>> {
        let path = part.path(&self.set);
        let put = self.keep_trying(lease, || {
            let options = PutOptions { mode: mode.clone(), ..PutOptions::default() };
            self.vault.put_opts(&path, bytes.to_vec().into(), options)
        });
        match put.await? {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) if mode == PutMode::Create => Ok(false),
            Err(error) => Err(Stop::Failed(self.unusable(part, error))),
        }
    }

    /// Takes an object away; one that is not there is no error.
    ///
    /// # Errors
    /// When the lease is over, or the vault refuses.
    pub async fn remove(&self, lease: &mut Lease, part: Part) -> Result<(), Stop<Unusable>> {
        let path = part.path(&self.set);
        match self.keep_trying(lease, || Box::pin(self.vault.delete(&path))).await? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Stop::Failed(self.unusable(part, error))),
        }
    }

    /// Reads an object; fails when it is missing, damaged or another than it should be.
    ///
    /// # Errors
    /// When the lease is over, or the object is of no use.
    pub async fn get<B: DeserializeOwned>(
        &self,
        lease: &mut impl Keeper,
        part: Part,
    ) -> Result<Read<B>, Stop<Unusable>> {
        let path = part.path(&self.set);
        let got = self.keep_trying(lease, || {
            Box::pin(async { self.vault.get_opts(&path, GetOptions::default()).await?.bytes().await })
        });
        let bytes = match got.await? {
            Ok(bytes) => bytes,
            Err(Error::NotFound { .. }) => return Err(Stop::Failed(self.unusable(part, "it is not there"))),
            Err(error) => return Err(Stop::Failed(self.unusable(part, error))),
        };
        self.unsealed(part, &bytes).map_err(|why| Stop::Failed(self.unusable(part, why)))
    }

    /// The manifest.
    ///
    /// # Errors
    /// When the lease is over, or there is none that can be used.
    pub async fn manifest(&self, lease: &mut impl Keeper) -> Result<Manifest, Stop<Unusable>> {
        Ok(self.get(lease, Part::Manifest).await?.body)
    }

    /// One chunk of a table's rows, with its seal.
    ///
    /// # Errors
    /// When the lease is over, or the chunk is of no use.
    pub async fn rows(
        &self,
        lease: &mut impl Keeper,
        manifest: &Manifest,
        table: usize,
        chunk: u64,
    ) -> Result<Read<Vec<Row>>, Stop<Unusable>> {
        let part = Part::Rows { table, chunk };
        self.of_epoch(part, manifest, self.get(lease, part).await?)
    }

    /// One part of the tail.
    ///
    /// # Errors
    /// When the lease is over, or the part is of no use.
    pub async fn tail(
        &self,
        lease: &mut impl Keeper,
        manifest: &Manifest,
        number: u64,
    ) -> Result<Vec<Change>, Stop<Unusable>> {
        let part = Part::Tail { number };
        Ok(self.of_epoch(part, manifest, self.get(lease, part).await?)?.body)
    }

    fn of_epoch<B>(&self, part: Part, manifest: &Manifest, read: Read<B>) -> Result<Read<B>, Stop<Unusable>> {
        if read.epoch == manifest.epoch {
            return Ok(read);
        }
        Err(Stop::Failed(self.unusable(part, "it was left by another attempt at the backup")))
    }

    fn sealed<B: Serialize>(&self, epoch: u64, part: Part, body: B) -> Result<Vec<u8>, Unusable> {
        let head = Head { set: self.set.clone(), part, epoch };
        let content = serde_json::to_vec(&Sealed { head, body }).map_err(|error| self.unusable(part, error))?;
        // Without its opening brace, which comes first of all.
        let rest = content.get(1..).unwrap_or_default();
        let mut bytes = Vec::with_capacity(MARK.len() + SEAL_LENGTH + 2 + rest.len());
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(hex(&Sha256::digest(rest)).as_bytes());
        bytes.extend_from_slice(b"\",");
        bytes.extend_from_slice(rest);
        Ok(bytes)
    }

    fn unsealed<B: DeserializeOwned>(&self, part: Part, bytes: &[u8]) -> Result<Read<B>, String> {
        let seal = seal(bytes).ok_or("it is cut off or of another kind")?;
        let rest = bytes.get(MARK.len() + SEAL_LENGTH + 2..).unwrap_or_default();
        if hex(&Sha256::digest(rest)) != seal {
            return Err("its bytes are not those that were written".to_owned());
        }
        let Sealed { head, body } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.set != self.set || head.part != part {
            return Err(format!("it is {} of set {}", head.part.path(&head.set), head.set));
        }
        Ok(Read { body, epoch: head.epoch, bytes: bytes.len() as u64, seal })
    }

    /// Tries something with the vault again while it answers with a passing error.
    async fn keep_trying<'a, T: Send>(
        &self,
        lease: &mut impl Keeper,
        act: impl Fn() -> BoxFuture<'a, object_store::Result<T>>,
    ) -> Result<object_store::Result<T>, LetGo> {
        let (mut pause_s, mut tries) = (AGAIN_S.0, 1);
        loop {
            let limit = SignedDuration::from_secs(CALL_TIMEOUT_S);
            let answer = lease.keep(self.clock.timeout(limit, act())).await?;
            let answer = answer.unwrap_or_else(|| {
                let source = format!("no answer within {CALL_TIMEOUT_S} seconds").into();
                Err(Error::Generic { store: "vault", source })
            });
            if tries == TRIES || !matches!(answer, Err(Error::Generic { .. })) {
                return Ok(answer);
            }
            lease.wait(SignedDuration::from_secs(pause_s)).await?;
            (pause_s, tries) = ((pause_s * 2).min(AGAIN_S.1), tries + 1);
        }
    }
}

fn written(bytes: &[u8]) -> Written {
    Written { bytes: bytes.len() as u64, seal: seal(bytes).unwrap_or_default() }
}

fn seal(bytes: &[u8]) -> Option<String> {
    let after = bytes.strip_prefix(MARK)?;
    let (seal, rest) = after.split_at_checked(SEAL_LENGTH)?;
    rest.starts_with(b"\",").then(|| String::from_utf8_lossy(seal).into_owned())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(SEAL_LENGTH), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
