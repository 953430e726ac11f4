//! What goes over the wire to a machine: frames of a length and JSON, orders of the cloud, requests of sessions.

use recovery::model::backup::{BackupKind, Held};
use recovery::model::content::{Change, DatabaseFacts, Object};
use recovery::model::instance::Configuration;
use recovery::model::views::AccountView;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::{AccountOrder, CloudError, InstanceOrder, Made};
use recovery::ports::database::{
    Apply, Chunk, Circumstances, DatabaseError, Login, Outcome, ReadChunk, ServerFacts, SnapshotFacts, WriteChunk,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of a frame at most.
const FRAME_BYTES_MAX: u32 = 32 << 20;

/// An order of the cloud.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    Create(InstanceOrder),
    Destroy(InstanceId),
    Configure(InstanceId, Configuration),
    Overwrite(InstanceId, BackupId, u64),
    Account(InstanceId, AccountOrder),
    Accounts(InstanceId),
    BackUp { instance: InstanceId, backup: BackupId, kind: BackupKind, after_position: u64 },
}

/// What a machine answers to an order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Done,
    Made(Made),
    Accounts(Vec<AccountView>),
    Held(Held),
}

/// A machine's answer, or why not.
pub(super) type Ordered = Result<Answer, CloudError>;

/// A request of a session. The first is always the login.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Login { instance: Option<InstanceId>, login: Login },
    Claim { task: String, epoch: u64 },
    Facts,
    Circumstances,
    Snapshot,
    Databases,
    CreateDatabase { name: String, charset: String },
    Describe { database: String },
    Create { database: String, object: Box<Object> },
    Run { database: String, sql: String },
    Read(ReadChunk),
    Write(WriteChunk),
    Changes { after: u64, limit: usize },
    Apply(Vec<Apply>),
}

/// What a server answers to a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    Done,
    Facts(Box<ServerFacts>),
    Circumstances(Box<Circumstances>),
    Snapshot(SnapshotFacts),
    Databases(Vec<DatabaseFacts>),
    Objects(Vec<Object>),
    Outcome(Outcome),
    Chunk(Chunk),
    Count(u64),
    Changes(Vec<Change>),
}

/// A server's answer, or why not.
pub(super) type Replied = Result<Said, DatabaseError>;

fn bad(why: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}

/// Writes one frame.
pub(super) async fn send<S>(stream: &mut S, message: &impl Serialize) -> io::Result<()>
where
    S: AsyncWrite + Unpin + ?Sized,
{
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message).map_err(bad)?;
    let length = u32::try_from(frame.len() - 4).ok().filter(|length| *length <= FRAME_BYTES_MAX);
    let length = length.ok_or_else(|| bad("the message is too long"))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// Reads one frame.
pub(super) async fn receive<T, S>(stream: &mut S) -> io::Result<T>
where
    T: DeserializeOwned,
    S: AsyncRead + Unpin + ?Sized,
{
    let length = stream.read_u32().await?;
    if length > FRAME_BYTES_MAX {
        return Err(bad("the frame is too long"));
    }
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await?;
    serde_json::from_slice(&frame).map_err(bad)
}
