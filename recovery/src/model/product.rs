//! What an instance is an instance of: engine, version, edition and series, written `sqlserver 2012 web`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// The database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// MySQL.
    MySql,
    /// Microsoft SQL Server.
    SqlServer,
    /// PostgreSQL.
    PostgreSql,
    /// Postgres Plus Advanced Server.
    Ppas,
    /// Redis (document 004).
    Redis,
}

/// The version within the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub enum Version {
    /// MySQL 5.5.
    #[serde(rename = "5.5")]
    V5_5,
    /// MySQL 5.6.
    #[serde(rename = "5.6")]
    V5_6,
    /// MySQL 5.7.
    #[serde(rename = "5.7")]
    V5_7,
    /// MySQL 8.0.
    #[serde(rename = "8.0")]
    V8_0,
    /// SQL Server 2008 R2.
    #[serde(rename = "2008r2")]
    V2008R2,
    /// SQL Server 2012.
    #[serde(rename = "2012")]
    V2012,
    /// SQL Server 2016.
    #[serde(rename = "2016")]
    V2016,
    /// PPAS 9.3.
    #[serde(rename = "9.3")]
    V9_3,
    /// PostgreSQL 9.4.
    #[serde(rename = "9.4")]
    V9_4,
    /// PostgreSQL 10 and PPAS 10.
    #[serde(rename = "10")]
    V10,
    /// PostgreSQL 11.
    #[serde(rename = "11")]
    V11,
    /// PostgreSQL 12; the documents know none this late.
    #[serde(rename = "12")]
    V12,
    /// PostgreSQL 13; the documents know none this late.
    #[serde(rename = "13")]
    V13,
    /// PostgreSQL 14; the documents know none this late.
    #[serde(rename = "14")]
    V14,
    /// PostgreSQL 15; the documents know none this late.
    #[serde(rename = "15")]
    V15,
    /// PostgreSQL 16; the documents know none this late.
    #[serde(rename = "16")]
    V16,
    /// PostgreSQL 17; the documents know none this late.
    #[serde(rename = "17")]
    V17,
    /// PostgreSQL 18; the documents know none this late.
    #[serde(rename = "18")]
    V18,
    /// Redis 2.8.
    #[serde(rename = "2.8")]
    V2_8,
    /// Redis 4.0.
    #[serde(rename = "4.0")]
    V4_0,
    /// Redis 5.0.
    #[serde(rename = "5.0")]
    V5_0,
    /// Redis 6.0.
    #[serde(rename = "6.0")]
    V6_0,
    /// Redis 7.0.
    #[serde(rename = "7.0")]
    V7_0,
}

/// The edition of the engine's software; only SQL Server and Redis have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// The engine has one edition.
    Only,
    /// SQL Server Web.
    Web,
    /// SQL Server Standard.
    Standard,
    /// SQL Server Enterprise.
    Enterprise,
    /// Redis in several shards.
    Cluster,
}

/// How the instance is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    /// One node.
    Basic,
    /// A node and a standby.
    HighAvailability,
}

/// Engine, version, edition and series of an instance.
///
/// Written as words: `mysql 5.7`, `mysql 5.7 basic`, `sqlserver 2012 web`, `sqlserver 2012 enterprise basic`,
/// `sqlserver 2016 standard`, `sqlserver 2008r2`, `postgresql 9.4`, `ppas 9.3`, `redis 5.0`, `redis 7.0 cluster`. The series is high-availability unless
/// `basic` is said; a Web edition is always basic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Product {
    /// Engine.
    pub engine: Engine,
    /// Version.
    pub version: Version,
    /// Edition.
    pub edition: Edition,
    /// Series.
    pub series: Series,
}

const ENGINES: [(Engine, &str); 5] = [
    (Engine::MySql, "mysql"),
    (Engine::SqlServer, "sqlserver"),
    (Engine::PostgreSql, "postgresql"),
    (Engine::Ppas, "ppas"),
    (Engine::Redis, "redis"),
];

const VERSIONS: [(Version, &str, &[Engine]); 23] = [
    (Version::V5_5, "5.5", &[Engine::MySql]),
    (Version::V5_6, "5.6", &[Engine::MySql]),
    (Version::V5_7, "5.7", &[Engine::MySql]),
    (Version::V8_0, "8.0", &[Engine::MySql]),
    (Version::V2008R2, "2008r2", &[Engine::SqlServer]),
    (Version::V2012, "2012", &[Engine::SqlServer]),
    (Version::V2016, "2016", &[Engine::SqlServer]),
    (Version::V9_3, "9.3", &[Engine::Ppas]),
    (Version::V9_4, "9.4", &[Engine::PostgreSql]),
    (Version::V10, "10", &[Engine::PostgreSql, Engine::Ppas]),
    (Version::V11, "11", &[Engine::PostgreSql]),
    (Version::V12, "12", &[Engine::PostgreSql]),
    (Version::V13, "13", &[Engine::PostgreSql]),
    (Version::V14, "14", &[Engine::PostgreSql]),
    (Version::V15, "15", &[Engine::PostgreSql]),
    (Version::V16, "16", &[Engine::PostgreSql]),
    (Version::V17, "17", &[Engine::PostgreSql]),
    (Version::V18, "18", &[Engine::PostgreSql]),
    (Version::V2_8, "2.8", &[Engine::Redis]),
    (Version::V4_0, "4.0", &[Engine::Redis]),
    (Version::V5_0, "5.0", &[Engine::Redis]),
    (Version::V6_0, "6.0", &[Engine::Redis]),
    (Version::V7_0, "7.0", &[Engine::Redis]),
];

impl Engine {
    /// The engine's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        ENGINES.iter().find(|(engine, _)| *engine == self).map_or("", |(_, word)| word)
    }
}

impl Version {
    /// The version's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        VERSIONS.iter().find(|(version, ..)| *version == self).map_or("", |(_, word, _)| word)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.engine.word(), self.version.word())?;
        match self.edition {
            Edition::Only => {}
            Edition::Web => return f.write_str(" web"),
            Edition::Standard => f.write_str(" standard")?,
            Edition::Enterprise => f.write_str(" enterprise")?,
            Edition::Cluster => f.write_str(" cluster")?,
        }
        match self.series {
            Series::Basic => f.write_str(" basic"),
            Series::HighAvailability => Ok(()),
        }
    }
}

/// Why a text is not a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a product: {why}; write for example 'mysql 5.7', 'mysql 5.7 basic', 'sqlserver 2012 web', 'sqlserver 2012 enterprise basic', 'sqlserver 2008r2', 'postgresql 9.4', 'ppas 9.3', 'redis 5.0' or 'redis 7.0 cluster'"
)]
pub struct ProductError {
    /// What was found.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Product {
    type Err = ProductError;

    fn from_str(text: &str) -> Result<Self, ProductError> {
        let fail = |why: String| ProductError { text: text.to_owned(), why };
        let mut words = text.split_whitespace();
        let word = words.next().ok_or_else(|| fail("it is empty".into()))?;
        let engine = ENGINES.iter().find(|(_, known)| *known == word).map(|(engine, _)| *engine);
        let engine = engine.ok_or_else(|| fail(format!("unknown engine '{word}'")))?;
        let word = words.next().ok_or_else(|| fail("the version is missing".into()))?;
        let version = VERSIONS.iter().find(|(_, known, engines)| *known == word && engines.contains(&engine));
        let version = version.map(|(version, ..)| *version);
        let version = version.ok_or_else(|| fail(format!("{engine} has no version '{word}' here")))?;
        let (mut edition, mut series) = (None, None);
        for word in words {
            match word {
                "web" if edition.is_none() => edition = Some(Edition::Web),
                "standard" if edition.is_none() => edition = Some(Edition::Standard),
                "enterprise" if edition.is_none() => edition = Some(Edition::Enterprise),
                "cluster" if edition.is_none() => edition = Some(Edition::Cluster),
                "basic" if series.is_none() => series = Some(Series::Basic),
                "high-availability" if series.is_none() => series = Some(Series::HighAvailability),
                other => return Err(fail(format!("'{other}' is neither an edition nor a series"))),
            }
        }
        let edition = match (engine, version, edition) {
            (Engine::SqlServer, Version::V2012 | Version::V2016, None) => {
                return Err(fail("SQL Server 2012 and 2016 need an edition: web, standard or enterprise".into()));
            }
            (Engine::SqlServer, Version::V2012 | Version::V2016, Some(edition)) if edition != Edition::Cluster => {
                edition
            }
            (Engine::Redis, _, Some(Edition::Cluster)) => Edition::Cluster,
            (_, _, None) => Edition::Only,
            (_, _, Some(_)) => return Err(fail(format!("{engine} {} has one edition only", version.word()))),
        };
        let series = match (edition, series) {
            (Edition::Web, Some(Series::HighAvailability)) => {
                return Err(fail("the Web edition is always basic".into()));
            }
            (Edition::Web, _) => Series::Basic,
            (_, Some(Series::Basic)) if engine == Engine::Redis => {
                return Err(fail("a Redis instance always has a replica".into()));
            }
            (_, given) => given.unwrap_or(Series::HighAvailability),
        };
        Ok(Self { engine, version, edition, series })
    }
}

impl Serialize for Product {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Product {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Product {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Product".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["sqlserver 2012 web", "mysql 5.7", "postgresql 9.4"] })
    }
}

impl utoipa::PartialSchema for Product {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .examples(["sqlserver 2012 web", "mysql 5.7"])
            .into()
    }
}

impl ToSchema for Product {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_product_reads_back_as_itself() {
        for text in
            ["mysql 5.7", "mysql 5.7 basic", "sqlserver 2012 web", "sqlserver 2012 enterprise basic", "ppas 9.3"]
        {
            assert_eq!(text.parse::<Product>().map(|product| product.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_sql_server_2012_without_an_edition_is_no_product() {
        assert!("sqlserver 2012".parse::<Product>().is_err());
        assert!("mysql 5.7 web".parse::<Product>().is_err());
        assert!("mysql 4.0".parse::<Product>().is_err());
    }
}
