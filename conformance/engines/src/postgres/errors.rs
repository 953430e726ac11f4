//! What PostgreSQL's refusals mean, by their SQLSTATE.

use recovery::ports::database::DatabaseError;
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// What was under way, for the message.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// Logged-in account.
    pub account: &'a str,
    /// Database; empty for the server as a whole.
    pub database: &'a str,
}

impl At<'_> {
    /// What an error means here.
    #[must_use]
    pub fn means(&self, error: &Error) -> DatabaseError {
        match error.as_db_error() {
            Some(refusal) => self.refused(refusal),
            None => DatabaseError::Unreachable(chain(error)),
        }
    }

    /// What an error means while logging in.
    #[must_use]
    pub fn logging_in(&self, error: &Error, ssl: bool) -> DatabaseError {
        let text = chain(error);
        if ssl && text.contains("server does not support TLS") {
            return DatabaseError::SslDisabled;
        }
        if text.contains("authentication error") || text.contains("password missing") {
            return DatabaseError::AccessDenied(self.account.to_owned());
        }
        self.means(error)
    }

    fn refused(&self, refusal: &DbError) -> DatabaseError {
        let (code, message) = (refusal.code().code(), refusal.message());
        match code {
            "28000" if message.contains("pg_hba.conf") => DatabaseError::NotWhitelisted(address(message)),
            "28000" | "28P01" => DatabaseError::AccessDenied(self.account.to_owned()),
            "3D000" => DatabaseError::NoSuchDatabase(self.database.to_owned()),
            "42501" => DatabaseError::NotPermitted { account: self.account.to_owned(), what: permitted(message) },
            "42P01" | "42883" | "42704" | "3F000" => DatabaseError::NoSuchObject(message.to_owned()),
            "42P07" | "42710" | "42723" | "42P06" | "42P04" => DatabaseError::ObjectExists(message.to_owned()),
            "53100" => DatabaseError::DiskFull,
            // The server is ending, starting or full, or has ended this session.
            "57P01" | "57P02" | "57P03" | "57P05" | "53300" => DatabaseError::Unreachable(message.to_owned()),
            _ if code.starts_with("08") => DatabaseError::Unreachable(message.to_owned()),
            _ if code.starts_with("23") => DatabaseError::Constraint(with_detail(refusal)),
            _ => DatabaseError::Statement(with_detail(refusal)),
        }
    }
}

fn with_detail(refusal: &DbError) -> String {
    match refusal.detail() {
        Some(detail) => format!("{} ({detail})", refusal.message()),
        None => refusal.message().to_owned(),
    }
}

/// `permission denied for table orders` says what is missing after its first words.
fn permitted(message: &str) -> String {
    message.strip_prefix("permission denied for ").map_or_else(|| message.to_owned(), |what| format!("use {what}"))
}

/// `no pg_hba.conf entry for host "10.0.0.1", user …` names the address first in quotes.
fn address(message: &str) -> String {
    message.split('"').nth(1).unwrap_or(message).to_owned()
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// A statement that cannot be made sense of here.
#[must_use]
pub fn statement(why: impl ToString) -> DatabaseError {
    DatabaseError::Statement(why.to_string())
}
