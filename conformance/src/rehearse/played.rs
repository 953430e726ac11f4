//! What a server of today is played as: the documents' lists end before it.

use engines::StageOptions;
use engines::images::{Choice, Family};
use recovery::model::policy::{Policy, ProductPattern};
use recovery::model::product::{Edition, Engine, Product, Series, Version};

/// Migration workers.
const WORKERS: usize = 2;
/// Rows copied at a time; of wide rows a server's session takes fewer.
const CHUNK_ROWS: usize = 10_000;

/// The product a server is played as: the last of its engine that the documents know. PostgreSQL 11 may be migrated from,
/// and MySQL 8.0.
pub fn product(choice: &Choice) -> Product {
    let (engine, version) = match choice.family {
        Family::Postgres => (Engine::PostgreSql, Version::V11),
        _ => (Engine::MySql, Version::V8_0),
    };
    Product { engine, version, edition: Edition::Only, series: Series::HighAvailability }
}

/// Whether the recovery goes through a temporary instance; through a clone otherwise (SQL-05 to SQL-08, CLN-03).
pub fn by_temporary(family: Family) -> bool {
    family == Family::Postgres
}

/// What of the documents' rules is widened for a server of today.
pub fn widened(choice: &Choice) -> String {
    let product = product(choice);
    let image = &choice.image;
    if by_temporary(choice.family) {
        format!("{image} is played as {product}, the last version that the documents know")
    } else {
        format!(
            "{image} is played as {product}; the documents' list of products that may be cloned ends at MySQL 5.7 and is \
             widened to it"
        )
    }
}

/// The documented numbers and choices, widened for a server of today.
fn policy() -> Policy {
    let mut policy = Policy {
        migration_addresses: (1..=WORKERS).map(|number| format!("worker-{number}")).collect(),
        chunk_rows: CHUNK_ROWS,
        ..Policy::default()
    };
    policy.clone_allowed.push(ProductPattern { engine: Engine::MySql, version: None, edition: None, series: None });
    policy
}

/// The system that a rehearsal runs on.
pub fn stage_options(choice: &Choice) -> StageOptions {
    StageOptions {
        products: Vec::new(),
        choices: vec![choice.clone()],
        machines: 2,
        workers: WORKERS,
        policy: policy(),
        guarded: false,
        disk_bytes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_today_is_admitted_in_its_ancestors_place() {
        let of = |choice: &str| product(&choice.parse().expect("a choice"));
        assert_eq!(of("postgres=postgres:17").to_string(), "postgresql 11");
        assert_eq!(of("mariadb=mariadb:10.5").to_string(), "mysql 8.0");
        assert!(
            policy().may_be_cloned(&of("mysql=mysql:9.7")) && !Policy::default().may_be_cloned(&of("mysql=mysql:9.7"))
        );
        assert!(policy().may_have_temporary(&of("postgres=postgres:17")));
    }
}
