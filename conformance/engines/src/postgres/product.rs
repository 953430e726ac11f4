//! Which product a server is.

use super::connection::Connection;
use super::errors::statement;
use recovery::model::product::{Edition, Engine, Product, Series, Version};
use recovery::ports::database::DatabaseError;

/// The versions that are known, by their first number.
const VERSIONS: [(i32, Version); 8] = [
    (11, Version::V11),
    (12, Version::V12),
    (13, Version::V13),
    (14, Version::V14),
    (15, Version::V15),
    (16, Version::V16),
    (17, Version::V17),
    (18, Version::V18),
];

/// What the server of a connection says it is; of which series, it does not know.
///
/// # Errors
/// When it is of a version that is not known here.
pub async fn of(connection: &Connection) -> Result<Product, DatabaseError> {
    let number: i32 = connection.one("SELECT current_setting('server_version_num')::int4", &[]).await?.get(0);
    let version = VERSIONS.iter().find(|(own, _)| *own == number / 10_000).map(|(_, version)| *version);
    let version = version.ok_or_else(|| statement(format!("PostgreSQL {} is not known here", number / 10_000)))?;
    Ok(Product { engine: Engine::PostgreSql, version, edition: Edition::Only, series: Series::HighAvailability })
}
