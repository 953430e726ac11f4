//! Tests on real servers, each under its own name. What a test needs and is not there it says, and is not run; where
//! FIREDRILL_REQUIRE_ENGINES is set, it fails.
// Here time and sockets are the machine's own, as in the crate itself.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod containers;
mod ground;
mod mysql;
mod mysql_servers;
mod mysql_told;
mod named;
mod postgres;
mod postgres_engine;
mod postgres_objects;
mod postgres_roundtrip;
mod postgres_session;
mod redis;
mod redis_servers;

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// A test by its name; it panics where it fails.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("FIREDRILL_REQUIRE_ENGINES").is_some();
    let absent = engines::absent();
    let [no_mysql, no_redis] = [mysql::SERVERS, redis::SERVERS].map(|wanted| named::missing(wanted, absent.as_deref()));
    let no_postgres = postgres::missing(absent.as_deref());
    let groups = [
        ("containers", containers::TESTS, &absent),
        ("mysql", mysql::TESTS, &no_mysql),
        ("mysql_servers", mysql_servers::TESTS, &absent),
        ("mysql_told", mysql_told::TESTS, &no_mysql),
        ("postgres_engine", postgres_engine::TESTS, &absent),
        ("postgres_objects", postgres_objects::TESTS, &no_postgres),
        ("postgres_roundtrip", postgres_roundtrip::TESTS, &no_postgres),
        ("postgres_session", postgres_session::TESTS, &no_postgres),
        ("redis", redis::TESTS, &no_redis),
        ("redis_servers", redis_servers::TESTS, &absent),
    ];
    let trials = groups.into_iter().flat_map(|(group, tests, missing)| {
        tests.iter().map(move |(name, test)| trial(format!("{group}::{name}"), *test, missing.as_deref(), required))
    });
    let concluded = libtest_mimic::run(&arguments, trials.collect());
    named::close();
    concluded.exit_code()
}

fn trial(name: String, test: fn(), missing: Option<&str>, required: bool) -> Trial {
    match missing {
        None => Trial::test(name, move || {
            test();
            Ok(())
        }),
        Some(why) if required => {
            let why = Failed::from(why);
            Trial::test(name, move || Err(why))
        }
        Some(why) => Trial::test(name, || Ok(())).with_kind(format!("not run: {why}")).with_ignored_flag(true),
    }
}

/// Runs a test to its end.
fn wait<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test)
}
