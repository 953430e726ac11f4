//! A password or token: kept and compared, never shown.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A password or token. `Debug` and `Display` print stars; it serializes only where a field asks for [`exposed`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that has to send it to a database server or the store.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `#[serde(with = "secret::exposed")]`: writes the text itself. For the store and the channel to servers and workers.
pub mod exposed {
    use super::{Deserialize, Secret, Serialize};

    /// Writes the text itself.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: serde::Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        secret.expose().serialize(to)
    }

    /// Reads the text.
    ///
    /// # Errors
    /// The deserializer's own.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        Secret::deserialize(from)
    }
}
