//! The connection under a session, and what its errors mean.

use recovery::ports::database::{DatabaseError, Login};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, Pipeline, ProtocolVersion, RedisConnectionInfo,
    RedisError, ServerError, Value, aio::MultiplexedConnection,
};
use std::time::Duration;

/// How long an answer may take; the worker takes a server for silent a little later.
const ANSWER: Duration = Duration::from_secs(55);

/// A connection.
pub(super) struct Line {
    conn: MultiplexedConnection,
    /// The account logged in.
    pub account: String,
    /// What the server says of itself, by name.
    info: Vec<(String, String)>,
}

impl Line {
    /// Logs in.
    pub async fn open(endpoint: &str, login: &Login) -> Result<Self, DatabaseError> {
        // Servers here speak in the clear on their one port.
        if login.ssl {
            return Err(DatabaseError::SslDisabled);
        }
        let bad = || DatabaseError::Unreachable(format!("{endpoint} is no address"));
        let (host, port) = endpoint.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let account = RedisConnectionInfo::default()
            .set_username(&login.account)
            .set_password(login.password.expose())
            .set_protocol(ProtocolVersion::RESP2)
            .set_skip_set_lib_name();
        let failed = |error: RedisError| failed(&login.account, &error);
        let address = ConnectionAddr::Tcp(host.trim_matches(['[', ']']).to_owned(), port);
        let info = address.into_connection_info().map_err(failed)?.set_redis_settings(account);
        let client = Client::open(info).map_err(failed)?;
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER));
        let conn = client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?;
        let mut line = Self { conn, account: login.account.clone(), info: Vec::new() };
        line.look().await?;
        Ok(line)
    }

    /// Reads what the server says of itself anew.
    pub async fn look(&mut self) -> Result<(), DatabaseError> {
        let mut pipe = redis::pipe();
        pipe.cmd("INFO");
        let text = match self.ask(&mut pipe).await?.pop() {
            // Not every account may ask.
            Some(Value::ServerError(error)) if error.code() == "NOPERM" => String::new(),
            Some(Value::ServerError(error)) => return Err(of_server(&self.account, &error)),
            Some(value) => text(&value),
            None => String::new(),
        };
        let pair = |line: &str| line.trim().split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.info = text.lines().filter_map(pair).collect();
        Ok(())
    }

    /// One thing the server says of itself.
    pub fn said(&self, name: &str) -> Option<&str> {
        self.info.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The server's version: major and minor.
    pub fn version(&self) -> (u32, u32) {
        let text = self.said("redis_version").unwrap_or_default();
        let mut numbers = text.split('.').map_while(|number| number.parse().ok());
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// The answers to commands that are sent together; an error of one is among them.
    pub async fn ask(&mut self, pipe: &mut Pipeline) -> Result<Vec<Value>, DatabaseError> {
        pipe.ignore_errors();
        let count = pipe.len();
        let answers = self.conn.send_packed_commands(pipe, 0, count).await;
        answers.map_err(|error| failed(&self.account, &error))
    }

    /// The answers to commands that are sent together, where none may fail.
    pub async fn all(&mut self, pipe: &mut Pipeline) -> Result<Vec<Value>, DatabaseError> {
        let answers = self.ask(pipe).await?;
        match answers.iter().find_map(|answer| if let Value::ServerError(error) = answer { Some(error) } else { None })
        {
            Some(error) => Err(of_server(&self.account, error)),
            None => Ok(answers),
        }
    }

    /// The answer to one command.
    pub async fn one(&mut self, words: &[&[u8]]) -> Result<Value, DatabaseError> {
        let mut pipe = redis::pipe();
        let mut words = words.iter();
        let mut command = redis::cmd(&String::from_utf8_lossy(words.next().copied().unwrap_or_default()));
        words.for_each(|word| {
            command.arg(*word);
        });
        pipe.add_command(command);
        Ok(self.all(&mut pipe).await?.pop().unwrap_or_default())
    }
}

/// The text of an answer.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Okay => "OK".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::VerbatimString { text, .. } => text.clone(),
        _ => String::new(),
    }
}

/// The bytes of an answer.
pub(super) fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        other => text(&other).into_bytes(),
    }
}

/// The number of an answer.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        other => text(other).parse().ok(),
    }
}

/// The elements of an answer.
pub(super) fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) | Value::Set(elements) => elements,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(one, other)| [one, other]).collect(),
        _ => Vec::new(),
    }
}

fn failed(account: &str, error: &RedisError) -> DatabaseError {
    match (error.code(), error.kind()) {
        (Some(code), _) => by_code(account, code, error.detail().unwrap_or_default()),
        (None, redis::ErrorKind::AuthenticationFailed) => DatabaseError::AccessDenied(account.to_owned()),
        _ => DatabaseError::Unreachable(error.to_string()),
    }
}

/// What an error of the server means.
pub(super) fn of_server(account: &str, error: &ServerError) -> DatabaseError {
    by_code(account, error.code(), error.details().unwrap_or_default())
}

fn by_code(account: &str, code: &str, detail: &str) -> DatabaseError {
    let said = if code == "ERR" { detail.to_owned() } else { format!("{code} {detail}") };
    match code {
        "WRONGPASS" | "NOAUTH" => DatabaseError::AccessDenied(account.to_owned()),
        "NOPERM" => DatabaseError::NotPermitted { account: account.to_owned(), what: detail.to_owned() },
        // It loads its data, has lost its master, cannot write now, or runs something long.
        "LOADING" | "MASTERDOWN" | "TRYAGAIN" | "BUSY" | "UNBLOCKED" | "CLUSTERDOWN" => {
            DatabaseError::Unreachable(said)
        }
        "MISCONF" if detail.contains("disk") => DatabaseError::DiskFull,
        "ERR" if detail.contains("DB index is out of range") => DatabaseError::NoSuchDatabase(said),
        "ERR" if detail.contains("max number of clients") => DatabaseError::Unreachable(said),
        _ => DatabaseError::Statement(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_their_codes() {
        assert_eq!(by_code("app", "WRONGPASS", "no"), DatabaseError::AccessDenied("app".into()));
        assert!(matches!(by_code("app", "NOPERM", "no"), DatabaseError::NotPermitted { .. }));
        assert!(matches!(by_code("app", "LOADING", "no"), DatabaseError::Unreachable(_)));
        assert_eq!(by_code("app", "WRONGTYPE", "no"), DatabaseError::Statement("WRONGTYPE no".into()));
    }
}
