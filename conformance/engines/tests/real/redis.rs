//! Every key of a Redis or Valkey server arrives as it left, and nobody writes whose lease is over. The servers need one
//! database more than sixteen.

use crate::named::{Server, Wanted, servers};
use crate::{Test, wait};
use engines::images::Family;
use engines::redis::Redis;
use proptest::prelude::*;
use recovery::model::content::{Row, Value};
use recovery::ports::database::{DatabaseError, OnConflict, ReadChunk, WriteChunk};
use recovery::ports::{Database, Session};

/// The tests.
pub const TESTS: &[Test] = &[
    ("every_type_arrives_with_the_time_it_goes_at", every_type_arrives_with_the_time_it_goes_at),
    (
        "a_value_of_16_megabytes_arrives_and_a_chunk_stays_small",
        a_value_of_16_megabytes_arrives_and_a_chunk_stays_small,
    ),
    ("a_copy_goes_on_where_it_was_on_another_session", a_copy_goes_on_where_it_was_on_another_session),
    ("an_earlier_lease_is_fenced_off", an_earlier_lease_is_fenced_off),
    ("what_is_there_already_stays_stops_or_is_replaced", what_is_there_already_stays_stops_or_is_replaced),
    ("errors_say_what_they_are", errors_say_what_they_are),
    ("any_key_arrives_as_it_left", any_key_arrives_as_it_left),
];

/// The servers.
pub const SERVERS: Wanted = Wanted {
    variable: "FIREDRILL_TEST_REDIS",
    families: &[Family::Redis, Family::Valkey],
    product: "redis 7.0",
    root: "default",
};
const COLUMNS: [&str; 4] = ["key", "type", "value", "expires_at"];

async fn open(server: &Server) -> Box<dyn Session> {
    Redis.connect(&server.endpoint, &server.login).await.expect("a session")
}

/// A session with two empty databases.
async fn fresh(server: &Server, databases: [&str; 2]) -> Box<dyn Session> {
    let mut session = open(server).await;
    for database in databases {
        session.run(database, "FLUSHDB").await.expect("emptied");
    }
    session
}

async fn rows(session: &mut dyn Session, database: &str, limit: usize) -> Vec<Row> {
    let columns = COLUMNS.map(str::to_owned).to_vec();
    let (database, table) = (database.to_owned(), "keys".to_owned());
    let mut read = ReadChunk { database, table, columns, after: None, limit };
    let mut rows = Vec::new();
    loop {
        let chunk = session.read(&read).await.expect("read");
        assert!(chunk.rows.len() <= limit);
        rows.extend(chunk.rows);
        if chunk.done {
            return rows;
        }
        read.after = chunk.last;
    }
}

/// The rows with the members of sets and hashes in the place of their dumps, in which they have no order.
async fn content(session: &mut dyn Session, database: &str) -> Vec<Row> {
    let mut content = rows(session, database, 100).await;
    for row in &mut content {
        let command = match &row[1] {
            Value::Text(kind) if kind == "set" => "SMEMBERS",
            Value::Text(kind) if kind == "hash" => "HGETALL",
            _ => continue,
        };
        let key = match &row[0] {
            Value::Text(key) => word(key.as_bytes()),
            Value::Bytes { hex } => {
                let digits: Vec<&str> =
                    hex.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok()).collect();
                format!("\"{}\"", digits.iter().map(|pair| format!("\\x{pair}")).collect::<String>())
            }
            other => panic!("{other:?}"),
        };
        let mut members = session.run(database, &format!("{command} {key}")).await.expect("members").rows;
        members.sort_by_key(|member| format!("{member:?}"));
        row[2] = Value::Text(format!("{members:?}"));
    }
    content
}

fn write(database: &str, rows: &[Row]) -> WriteChunk {
    WriteChunk {
        database: database.to_owned(),
        table: "keys".to_owned(),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        key: vec!["key".to_owned()],
        rows: rows.to_vec(),
        on_conflict: OnConflict::Keep,
    }
}

const EVERY_TYPE: &str = r#"
SET text "it's \\ a \"test\""
SET "" ""
SET "\xff\x00\x01" "\x00\xfe\xff"
SET number 12345678901234567890
SET soon x PXAT 4102444800123
APPEND text " ü 😀"
HSET hash f1 v1 "f \xff" "\x00" "" ""
RPUSH list a b a "\xff" ""
SADD numbers 3 1 2
SADD words x "\xfe" y
ZADD scores 1.5 a -inf b 1e300 c 0.1 "\xff"
XADD stream 1-1 f v g w
XGROUP CREATE stream readers 0
PFADD hyper a b c
SETBIT bits 1000000 1
GEOADD places 13.361389 38.115556 Palermo
"#;

fn every_type_arrives_with_the_time_it_goes_at() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, ["3", "4"]).await;
            let sql = if old(session.as_mut()).await {
                EVERY_TYPE.replace("SET soon x PXAT 4102444800123", "SET soon x\nPEXPIREAT soon 4102444800123")
            } else {
                EVERY_TYPE.to_owned()
            };
            session.run("3", &sql).await.expect("made");
            session.claim("dts-types", 1).await.expect("claimed");
            let left = rows(session.as_mut(), "3", 3).await;
            assert_eq!(left.len(), 14);
            for some in left.chunks(4) {
                assert_eq!(session.write(&write("4", some)).await, Ok(some.len() as u64));
                assert_eq!(session.write(&write("4", some)).await, Ok(0), "again nothing is written");
            }
            let (one, other) = (content(session.as_mut(), "3").await, content(session.as_mut(), "4").await);
            assert_eq!(one, other);
            let soon = left.iter().find(|row| row[0] == Value::Text("soon".into())).expect("there");
            assert_eq!(soon[3], Value::Integer(4_102_444_800_123));
            let binary = left.iter().find(|row| row[0] == Value::Bytes { hex: "ff0001".into() }).expect("there");
            assert_eq!(binary[1], Value::Text("string".into()));
            for (command, expected) in [
                ("GET text", "it's \\ a \"test\" ü 😀"),
                ("LINDEX list 2", "a"),
                ("ZSCORE scores a", "1.5"),
                ("XLEN stream", "1"),
                ("GETRANGE number 0 -1", "12345678901234567890"),
            ] {
                let found = session.run("4", command).await.expect("found").rows[0][0].clone();
                let found = if let Value::Integer(number) = found { Value::Text(number.to_string()) } else { found };
                assert_eq!(found, Value::Text(expected.into()), "{command}");
            }
            let databases = session.databases().await.expect("listed");
            assert!(databases.iter().all(|database| database.name.parse::<usize>().is_ok_and(|one| one < 16)));
            assert_eq!(session.describe("4").await.expect("described")[0].rows, 14);
        });
    }
}

async fn old(session: &mut dyn Session) -> bool {
    let said = session.run("0", "INFO server").await.expect("said").rows[0][0].clone();
    matches!(said, Value::Text(text) if text.contains("redis_version:6.0"))
}

fn a_value_of_16_megabytes_arrives_and_a_chunk_stays_small() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, ["5", "6"]).await;
            let big = "SETRANGE a 16777215 x\nSETRANGE b 16777215 y\nSET c z";
            session.run("5", big).await.expect("made");
            let (database, table) = ("5".to_owned(), "keys".to_owned());
            let columns = COLUMNS.map(str::to_owned).to_vec();
            let left = rows(session.as_mut(), "5", 1).await;
            session.write(&write("6", &left)).await.expect("written");
            let length = session.run("6", "STRLEN b").await.expect("found").rows;
            assert_eq!(length, [[Value::Integer(16_777_216)]]);
            let read = ReadChunk { database, table, columns, after: Some(hex("b")), limit: 1 };
            assert_eq!(session.read(&read).await.expect("read").rows[0][0], Value::Text("c".into()));
        });
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn a_copy_goes_on_where_it_was_on_another_session() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, ["7", "8"]).await;
            let many: String = (0..3000).map(|number| format!("SET key:{number} {number}\n")).collect();
            session.run("7", &many).await.expect("made");
            let columns = COLUMNS.map(str::to_owned).to_vec();
            let mut read = ReadChunk { database: "7".into(), table: "keys".into(), columns, after: None, limit: 700 };
            let mut seen = 0;
            loop {
                let mut next = open(&server).await;
                let chunk = next.read(&read).await.expect("read");
                seen += chunk.rows.len();
                next.write(&write("8", &chunk.rows)).await.expect("written");
                if chunk.done {
                    break;
                }
                read.after = chunk.last;
            }
            assert_eq!(seen, 3000);
            assert_eq!(rows(session.as_mut(), "8", 500).await, rows(session.as_mut(), "7", 400).await);
        });
    }
}

fn an_earlier_lease_is_fenced_off() {
    for server in servers(SERVERS) {
        wait(async {
            let mut first = fresh(&server, ["9", "10"]).await;
            first.run("9", "SET a 1").await.expect("made");
            let left = rows(first.as_mut(), "9", 10).await;
            let task = format!("dts-{}-{}", std::process::id(), server.endpoint);
            first.claim(&task, 3).await.expect("claimed");
            first.write(&write("10", &left)).await.expect("written");
            let mut second = open(&server).await;
            second.claim(&task, 4).await.expect("claimed by a later lease");
            assert_eq!(first.write(&write("10", &left)).await, Err(DatabaseError::Fenced(4)));
            assert_eq!(first.claim(&task, 3).await, Err(DatabaseError::Fenced(4)));
            assert_eq!(first.run("10", "SET b 1").await, Err(DatabaseError::Fenced(4)));
            assert_eq!(second.write(&write("10", &left)).await, Ok(0));
        });
    }
}

fn what_is_there_already_stays_stops_or_is_replaced() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, ["11", "12"]).await;
            session.run("11", "SET a new\nSET b new").await.expect("made");
            session.run("12", "SET a old").await.expect("made");
            let left = rows(session.as_mut(), "11", 10).await;
            let mut chunk = write("12", &left);
            chunk.on_conflict = OnConflict::Stop;
            assert!(matches!(session.write(&chunk).await, Err(DatabaseError::Constraint(_))));
            assert_eq!(rows(session.as_mut(), "12", 10).await.len(), 1, "nothing of it was written");
            chunk.on_conflict = OnConflict::Keep;
            assert_eq!(session.write(&chunk).await, Ok(1));
            assert_eq!(session.run("12", "GET a").await.expect("got").rows, [[Value::Text("old".into())]]);
            chunk.on_conflict = OnConflict::Replace;
            assert_eq!(session.write(&chunk).await, Ok(2));
            assert_eq!(rows(session.as_mut(), "12", 10).await, left);
        });
    }
}

fn errors_say_what_they_are() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, ["13", "14"]).await;
            let mut wrong = server.clone();
            wrong.login.account = "nobody".into();
            let refused = Redis.connect(&wrong.endpoint, &wrong.login).await.err();
            assert_eq!(refused, Some(DatabaseError::AccessDenied("nobody".into())));
            wrong.login.ssl = true;
            assert_eq!(Redis.connect(&wrong.endpoint, &wrong.login).await.err(), Some(DatabaseError::SslDisabled));
            let nowhere = Redis.connect("127.0.0.1:1", &server.login).await.err();
            assert!(matches!(nowhere, Some(DatabaseError::Unreachable(_))), "{nowhere:?}");
            assert!(matches!(session.describe("16").await, Err(DatabaseError::NoSuchDatabase(_))));
            let broken = session.run("13", "SET a 1\nNONSENSE").await;
            assert!(matches!(broken, Err(DatabaseError::Statement(_))), "{broken:?}");
            assert_eq!(session.run("13", "EXISTS a").await.expect("said").rows, [[Value::Integer(0)]]);
            let wrong = session.run("13", "SET a 1\nLPUSH a 1").await;
            assert!(matches!(wrong, Err(DatabaseError::Statement(why)) if why.contains("WRONGTYPE")));
            let facts = session.facts().await.expect("facts");
            assert!((facts.now.as_second() - jiff::Timestamp::now().as_second()).abs() < 5);
        });
    }
}

/// A quoted word of a command.
fn word(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escaped}\"")
}

fn letters() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..40)
}

/// Commands that make a key.
fn key() -> impl Strategy<Value = (Vec<u8>, Vec<String>)> {
    let many = || proptest::collection::vec(letters(), 1..6);
    let content = prop_oneof![
        letters().prop_map(|value| vec![format!("SET {{}} {}", word(&value))]),
        many().prop_map(|all| all.iter().map(|one| format!("RPUSH {{}} {}", word(one))).collect()),
        many().prop_map(|all| all.iter().map(|one| format!("SADD {{}} {}", word(one))).collect()),
        many().prop_map(|all| all.iter().map(|one| format!("HSET {{}} {} {}", word(one), word(one))).collect()),
        (many(), any::<i32>())
            .prop_map(|(all, score)| all.iter().map(|one| format!("ZADD {{}} {score}.5 {}", word(one))).collect()),
    ];
    let expiry = proptest::option::of(4_000_000_000_000_i64..5_000_000_000_000);
    (letters(), content, expiry).prop_map(|(key, mut commands, expiry)| {
        commands.extend(expiry.map(|at| format!("PEXPIREAT {{}} {at}")));
        (key, commands)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    fn any_key_arrives_as_it_left(keys in proptest::collection::btree_map(letters(), key(), 1..20), limit in 1_usize..7) {
        for server in servers(SERVERS) {
            wait(async {
                let mut session = fresh(&server, ["1", "2"]).await;
                let commands: Vec<String> = keys
                    .iter()
                    .flat_map(|(key, (_, commands))| commands.iter().map(move |one| one.replace("{}", &word(key))))
                    .collect();
                session.run("1", &commands.join("\n")).await.expect("made");
                let left = rows(session.as_mut(), "1", limit).await;
                prop_assert_eq!(left.len(), keys.len());
                for some in left.chunks(limit) {
                    prop_assert_eq!(session.write(&write("2", some)).await, Ok(some.len() as u64));
                }
                prop_assert_eq!(content(session.as_mut(), "2").await, content(session.as_mut(), "1").await);
                Ok(())
            })?;
        }
    }
}
