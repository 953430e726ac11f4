//! Between the vault and programs in containers, in streams: nothing is held in memory as a whole.

use super::{Command, Container, DockerError};
use futures_util::StreamExt;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use recovery::ports::Vault;
use sha2::{Digest, Sha256};
use std::fmt::Display;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// Something that was put into the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

fn refused(error: impl Display) -> DockerError {
    DockerError::Vault(error.to_string())
}

/// Puts what a program writes into the vault; nothing stays there of a program that ends badly.
///
/// # Errors
/// When the program ends badly, or the vault does not take it.
pub async fn take(container: &Container, command: Command, vault: &Vault, place: &Path) -> Result<Stored, DockerError> {
    let mut process = container.spawn(command).await?;
    process.end_input().await;
    let mut writer = BufWriter::new(Arc::clone(vault), place.clone());
    let (mut hash, mut size_bytes) = (Sha256::new(), 0_u64);
    let outcome = async {
        while let Some(part) = process.read().await? {
            hash.update(&part);
            size_bytes += part.len() as u64;
            writer.write_all(&part).await.map_err(refused)?;
        }
        process.end().await?.well()
    };
    match outcome.await {
        Ok(_) => {
            writer.shutdown().await.map_err(refused)?;
            let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Stored { size_bytes, sha256 })
        }
        Err(error) => {
            // What was written so far is no object yet.
            let _ = writer.abort().await;
            Err(error)
        }
    }
}

/// Has a program read what lies in the vault.
///
/// # Errors
/// When the vault does not have it, or the program ends badly.
pub async fn give(vault: &Vault, place: &Path, container: &Container, command: Command) -> Result<(), DockerError> {
    let mut bytes = vault.get(place).await.map_err(refused)?.into_stream();
    let mut process = container.spawn(command).await?;
    let mut broken = None;
    while let Some(part) = bytes.next().await {
        let part = part.map_err(refused)?;
        if let Err(error) = process.write(&part).await {
            broken = Some(error);
            break;
        }
    }
    process.end_input().await;
    while process.read().await?.is_some() {}
    process.end().await?.well()?;
    broken.map_or(Ok(()), Err)
}
