//! Randomness: ids and jitter.

/// Where random numbers come from.
pub trait Dice: Send + Sync {
    /// The next random number.
    fn next(&self) -> u64;
}

impl dyn Dice {
    /// A new id with a prefix: `rm-` and 13 letters and digits.
    #[must_use]
    pub fn id(&self, prefix: &str) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut number = self.next();
        let mut id = String::from(prefix);
        for _ in 0..12 {
            id.push(char::from(LETTERS[usize::try_from(number % 32).unwrap_or(0)]));
            number /= 32;
        }
        id
    }
}
