//! SQL functions that would see the real time or real randomness, replaced by the server's clock and seeded numbers.

use super::zones;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Result, params_from_iter};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What SQL sees of the world.
pub(super) struct Ambient {
    /// The server's time.
    now: Timestamp,
    /// Its time zone, with the name it goes by.
    zone: (String, TimeZone),
    random: ChaCha8Rng,
    /// A database with SQLite's own functions, which do the reckoning with times.
    reckoner: Option<Connection>,
}

/// The world as all databases of one server see it.
pub(super) type SharedAmbient = Arc<Mutex<Ambient>>;

/// Locks, whoever panicked before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The world of one server: the same for the same seed and name.
pub(super) fn ambient(seed: u64, name: &str, now: Timestamp) -> SharedAmbient {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(name.as_bytes());
    let random = ChaCha8Rng::from_seed(hash.finalize().into());
    Arc::new(Mutex::new(Ambient { now, zone: (String::new(), TimeZone::UTC), random, reckoner: None }))
}

impl Ambient {
    /// Sets the time, and the time zone by its name; one that is not known is UTC.
    pub fn set(&mut self, now: Timestamp, zone: &str) {
        self.now = now;
        if self.zone.0 != zone {
            self.zone = (zone.to_owned(), zones::zone(zone).unwrap_or(TimeZone::UTC));
        }
    }

    /// The time in UTC, as SQLite's own functions have it.
    fn text(&self, format: &str) -> String {
        self.now.strftime(format).to_string()
    }

    /// The time in the server's time zone.
    fn local_text(&self, format: &str) -> String {
        self.zone.1.to_datetime(self.now).strftime(format).to_string()
    }

    fn reckon(&mut self, function: &str, arguments: Vec<Sql>) -> Result<Sql> {
        let reckoner = match self.reckoner.take() {
            Some(open) => open,
            None => Connection::open_in_memory()?,
        };
        let marks = vec!["?"; arguments.len()].join(", ");
        let result = reckoner
            .prepare_cached(&format!("select {function}({marks})"))
            .and_then(|mut statement| statement.query_row(params_from_iter(arguments), |row| row.get(0)));
        self.reckoner = Some(reckoner);
        result
    }
}

/// Functions over a time, and which argument of each is the (first) time.
const TIME_FUNCTIONS: [(&str, usize); 7] =
    [("date", 0), ("time", 0), ("datetime", 0), ("julianday", 0), ("unixepoch", 0), ("strftime", 1), ("timediff", 0)];

/// Functions without an argument that give the time in the server's time zone, and its format.
const NOW_FUNCTIONS: [(&str, &str); 8] = [
    ("current_timestamp", "%Y-%m-%d %H:%M:%S"),
    ("now", "%Y-%m-%d %H:%M:%S"),
    ("getdate", "%Y-%m-%d %H:%M:%S"),
    ("sysdate", "%Y-%m-%d %H:%M:%S"),
    ("current_date", "%Y-%m-%d"),
    ("curdate", "%Y-%m-%d"),
    ("current_time", "%H:%M:%S"),
    ("curtime", "%H:%M:%S"),
];

/// Puts the functions in the place of SQLite's own.
pub(super) fn install(connection: &Connection, ambient: &SharedAmbient) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, format) in NOW_FUNCTIONS {
        let ambient = Arc::clone(ambient);
        connection.create_scalar_function(name, 0, flags, move |_| Ok(lock(&ambient).local_text(format)))?;
    }
    for (name, time) in TIME_FUNCTIONS {
        let ambient = Arc::clone(ambient);
        connection.create_scalar_function(name, -1, flags, move |context| {
            let mut ambient = lock(&ambient);
            let now = Sql::Text(ambient.text("%Y-%m-%d %H:%M:%S%.3f"));
            let arguments = with_time(arguments(context)?, time, &now);
            ambient.reckon(name, arguments)
        })?;
    }
    let random = Arc::clone(ambient);
    connection.create_scalar_function("random", 0, flags, move |_| {
        Ok(i64::from_be_bytes(lock(&random).random.next_u64().to_be_bytes()))
    })?;
    let random = Arc::clone(ambient);
    connection.create_scalar_function("randomblob", 1, flags, move |context| {
        let length = context.get::<i64>(0)?.clamp(1, 1 << 20);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(1)];
        lock(&random).random.fill_bytes(&mut bytes);
        Ok(bytes)
    })
}

fn arguments(context: &Context<'_>) -> Result<Vec<Sql>> {
    (0..context.len()).map(|index| context.get(index)).collect()
}

/// Writes the server's time in the place of "now", also where it is only meant; it is UTC here, as in SQLite.
fn with_time(mut arguments: Vec<Sql>, time: usize, now: &Sql) -> Vec<Sql> {
    let is = |value: &Sql, words: &[&str]| match value {
        Sql::Text(text) => words.iter().any(|word| text.trim().eq_ignore_ascii_case(word)),
        _ => false,
    };
    arguments.retain(|argument| !is(argument, &["localtime", "utc"]));
    if arguments.len() == time {
        arguments.push(now.clone());
    }
    for argument in arguments.iter_mut().skip(time) {
        if is(argument, &["now"]) {
            *argument = now.clone();
        }
    }
    arguments
}
