//! Draws from a seed: proptest's strategies under one deterministic generator.

use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest, Sha256};
use std::ops::RangeInclusive;

/// What is drawn from: the same seed and stream give the same draws in the same order.
pub struct Draw {
    runner: TestRunner,
}

impl Draw {
    /// Draws of a seed; each stream of a seed is its own.
    #[must_use]
    pub fn new(seed: u64, stream: &str) -> Self {
        let bytes = Sha256::digest(format!("{stream} {seed}"));
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config { failure_persistence: None, ..Config::default() };
        Self { runner: TestRunner::new_with_rng(config, rng) }
    }

    /// A value of a strategy; the other one where the strategy gives none.
    pub fn of<S: Strategy>(&mut self, strategy: &S, otherwise: S::Value) -> S::Value {
        strategy.new_tree(&mut self.runner).map_or(otherwise, |tree| proptest::strategy::ValueTree::current(&tree))
    }

    /// A whole number.
    pub fn whole(&mut self, range: RangeInclusive<u64>) -> u64 {
        let otherwise = *range.start();
        self.of(&range, otherwise)
    }

    /// A whole number, as an index or a count.
    pub fn count(&mut self, range: RangeInclusive<usize>) -> usize {
        let otherwise = *range.start();
        self.of(&range, otherwise)
    }

    /// A whole number that may be negative.
    pub fn signed(&mut self, range: RangeInclusive<i64>) -> i64 {
        let otherwise = *range.start();
        self.of(&range, otherwise)
    }

    /// True so many times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.whole(1..=100) <= percent
    }

    /// One of some values; none where there are none.
    pub fn pick<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        let last = values.len().checked_sub(1)?;
        values.get(self.count(0..=last))
    }

    /// One of some values, copied; there is at least the first.
    pub fn one<T: Copy, const N: usize>(&mut self, first: T, more: [T; N]) -> T {
        let at = self.count(0..=N);
        if at == 0 { first } else { more.get(at - 1).copied().unwrap_or(first) }
    }

    /// One of some values by their weights; none where all weights are zero.
    pub fn weighted<T>(&mut self, values: impl IntoIterator<Item = (T, u32)>) -> Option<T> {
        let values: Vec<(T, u32)> = values.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let all: u64 = values.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = self.whole(0..=all.checked_sub(1)?);
        for (value, weight) in values {
            match left.checked_sub(u64::from(weight)) {
                Some(rest) => left = rest,
                None => return Some(value),
            }
        }
        None
    }

    /// Some of some values, in their order.
    pub fn some<T: Clone + std::fmt::Debug + 'static>(&mut self, values: Vec<T>, least: usize, most: usize) -> Vec<T> {
        let most = most.min(values.len());
        let otherwise = values.clone();
        self.of(&subsequence(values, least.min(most)..=most), otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_draws_and_a_stream_its_own() {
        let drawn = |seed, stream: &str| {
            let mut draw = Draw::new(seed, stream);
            (0..20).map(|_| draw.whole(0..=1_000)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7, "plan"), drawn(7, "plan"));
        assert_ne!(drawn(7, "plan"), drawn(8, "plan"));
        assert_ne!(drawn(7, "plan"), drawn(7, "options"));
    }

    #[test]
    fn weights_are_kept_and_nothing_is_drawn_from_nothing() {
        let mut draw = Draw::new(1, "weights");
        let mut ones = 0;
        for _ in 0..1_000 {
            ones += usize::from(draw.weighted([(1, 1), (2, 9), (3, 0)]) == Some(1));
        }
        assert!((50..200).contains(&ones), "{ones}");
        assert_eq!(draw.weighted([(1, 0)]), None);
        assert_eq!(draw.pick::<u8>(&[]), None);
    }

    #[test]
    fn some_of_a_list_keep_its_order() {
        let mut draw = Draw::new(1, "some");
        for _ in 0..100 {
            let some = draw.some(vec![1, 2, 3, 4, 5], 2, 3);
            assert!((2..=3).contains(&some.len()) && some.is_sorted(), "{some:?}");
        }
    }
}
