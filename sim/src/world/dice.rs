//! Seeded randomness: every start of every host has dice of its own.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recovery::ports::Dice;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

/// Dice whose numbers are a function of the seed, the host's name and the number of its start, so that a host that
/// was started again never repeats an id.
pub struct SeededDice(Mutex<ChaCha8Rng>);

impl SeededDice {
    /// The dice of one start of a host.
    #[must_use]
    pub fn new(seed: u64, host: &str, start: u64) -> Self {
        Self(Mutex::new(generator(seed, host, start)))
    }
}

/// A generator for one purpose of a run.
pub(crate) fn generator(seed: u64, purpose: &str, number: u64) -> ChaCha8Rng {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(number.to_le_bytes())
        .chain_update(purpose.as_bytes())
        .finalize();
    ChaCha8Rng::from_seed(digest.into())
}

impl Dice for SeededDice {
    fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}
