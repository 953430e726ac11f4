//! Identifiers of the things the service keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id! {
    /// An instance: `rm-…` for masters, clones, read-only and disaster recovery instances, `sub…_rm-…` for temporary ones.
    InstanceId
}
id! {
    /// A data or log backup: `bk-…`.
    BackupId
}
id! {
    /// A task that workers lease: a migration task `dts-…`, a logical backup task `bk-…`, a restore task `rst-…`.
    TaskId
}
id! {
    /// A registered data source: `ds-…`.
    DataSourceId
}
id! {
    /// A set of a logical backup task: `bkx-…`.
    SetId
}
