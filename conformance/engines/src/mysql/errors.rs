//! What an error of MySQL or MariaDB means to the recovery system.

use mysql_async::{DriverError, Error, ServerError};
use recovery::ports::database::DatabaseError;

/// What an error means that came up in a session of an account.
pub(super) fn failed(account: &str, error: Error) -> DatabaseError {
    match error {
        Error::Server(error) => of_server(account, &error),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => DatabaseError::SslDisabled,
        // A server asks for any of its ways to log in where it does not know the account, so as not to tell.
        Error::Driver(DriverError::UnknownAuthPlugin { .. }) => DatabaseError::AccessDenied(account.to_owned()),
        Error::Driver(error @ (DriverError::PacketTooLarge | DriverError::StmtParamsMismatch { .. })) => {
            DatabaseError::Statement(error.to_string())
        }
        other => DatabaseError::Unreachable(other.to_string()),
    }
}

/// The first name in quotes of a message. The quote of "can't" follows a letter.
fn quoted(message: &str) -> &str {
    let begin = message
        .match_indices('\'')
        .map(|(at, _)| at)
        .find(|at| message[..*at].chars().next_back().is_none_or(|before| !before.is_alphabetic()));
    let name = begin.and_then(|begin| message.get(begin + 1..));
    name.and_then(|name| name.split('\'').next()).unwrap_or(message)
}

/// That name without the database in front of a table's.
fn named(message: &str) -> String {
    let quoted = quoted(message);
    quoted.rsplit_once('.').map_or(quoted, |(_, name)| name).to_owned()
}

fn of_server(account: &str, error: &ServerError) -> DatabaseError {
    let message = error.message.clone();
    match error.code {
        // No privilege on a host with that address, or too many failed attempts from there.
        1129 | 1130 => DatabaseError::NotWhitelisted(quoted(&message).to_owned()),
        1045 | 1698 | 1862 | 3118 | 3955 | 4151 => DatabaseError::AccessDenied(account.to_owned()),
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 | 1419 | 1095 => {
            DatabaseError::NotPermitted { account: account.to_owned(), what: message }
        }
        1049 | 1008 => DatabaseError::NoSuchDatabase(quoted(&message).to_owned()),
        1146 | 1051 | 1305 | 1360 | 1539 | 1091 | 1109 => DatabaseError::NoSuchObject(named(&message)),
        // The name of a database may have dots in it.
        1007 => DatabaseError::ObjectExists(quoted(&message).to_owned()),
        1050 | 1304 | 1359 | 1537 | 1061 | 1826 | 3822 => DatabaseError::ObjectExists(named(&message)),
        // Older servers say of a foreign key's name that is taken only this.
        1005 if message.contains("errno: 121") => DatabaseError::ObjectExists(named(&message)),
        1062 | 1586 | 1022 | 1216 | 1217 | 1451 | 1452 | 1048 | 3819 | 4025 | 1557 | 1761 | 1762 => {
            DatabaseError::Constraint(message)
        }
        1021 | 1114 => DatabaseError::DiskFull,
        3 | 1026 | 1030 if message.contains("28") => DatabaseError::DiskFull,
        // Too many connections, shutting down, killed, lock waits and deadlocks: gone or undone, and to be tried again.
        1040
        | 1053
        | 1077
        | 1079
        | 1152..=1161
        | 1184
        | 1203
        | 1205
        | 1213
        | 1226
        | 1317
        | 1927
        | 3024
        | 3168
        | 3169
        | 4031 => DatabaseError::Unreachable(message),
        _ => DatabaseError::Statement(format!("{message} ({})", error.code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(code: u16, message: &str) -> DatabaseError {
        let (message, state) = (message.to_owned(), "HY000".to_owned());
        of_server("app", &ServerError { code, message, state })
    }

    #[test]
    fn errors_are_told_apart_by_their_numbers() {
        let host = "Host '10.0.0.9' is not allowed to connect to this MariaDB server";
        assert_eq!(meaning(1130, host), DatabaseError::NotWhitelisted("10.0.0.9".to_owned()));
        assert_eq!(meaning(1045, "Access denied for user"), DatabaseError::AccessDenied("app".to_owned()));
        assert_eq!(meaning(1146, "Table 'shop.orders' doesn't exist"), DatabaseError::NoSuchObject("orders".into()));
        assert_eq!(meaning(1049, "Unknown database 'a.b'"), DatabaseError::NoSuchDatabase("a.b".into()));
        let exists = "Can't create database 'a.b'; database exists";
        assert_eq!(meaning(1007, exists), DatabaseError::ObjectExists("a.b".into()));
        assert!(matches!(meaning(1213, "Deadlock found"), DatabaseError::Unreachable(_)));
        assert!(matches!(meaning(1406, "Data too long"), DatabaseError::Statement(_)));
    }
}
