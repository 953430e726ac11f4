//! Data sources: database servers that were registered for logical backup and restore (LOG-03).

use crate::model::task::ConnectionMode;
use crate::model::{DataSourceId, InstanceId, Product, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A registered data source: a server with the account that backs it up or restores into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSource {
    /// Its id, never used again.
    pub id: DataSourceId,
    /// Its name.
    pub name: String,
    /// The server.
    pub instance: InstanceId,
    /// What the server was when it was registered.
    pub product: Product,
    /// Account.
    pub account: String,
    /// The account's password.
    #[serde(with = "crate::model::secret::exposed")]
    pub password: Secret,
    /// Connection mode.
    pub connection: ConnectionMode,
    /// When it was registered.
    pub created_at: Timestamp,
}
