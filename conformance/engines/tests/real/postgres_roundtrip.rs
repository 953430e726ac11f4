//! Names and values of every kind arrive in another database as they left.

use crate::Test;
use crate::postgres::{login, server};
use engines::postgres::{ident, literal};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, TestRunner};
use recovery::model::content::{Object, ObjectKind, Row};
use recovery::ports::Session;
use recovery::ports::database::{OnConflict, ReadChunk, WriteChunk};

/// The tests.
pub const TESTS: &[Test] =
    &[("every_name_and_every_value_arrives_as_it_left", every_name_and_every_value_arrives_as_it_left)];

/// Names nobody should choose, and everybody may.
const NAMES: &[&str] = &[
    "select",
    "Table",
    "a b",
    "a.b",
    "a\"b",
    "it's",
    "back\\slash",
    "$1",
    "naïve",
    "😀🦀",
    "--",
    ";",
    "\t",
    "%s",
    "a\nb",
];

fn name() -> BoxedStrategy<String> {
    let long = "[a-z]{63}";
    let any = "[ -~]{1,40}|\\PC{1,10}";
    prop_oneof![4 => proptest::sample::select(NAMES).prop_map(str::to_owned), 1 => long, 2 => any].boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        "\\PC{0,30}",
        "[\\\\\t\r\n'\"\u{1}\u{7f}N.,{}()]{0,20}",
        Just("\\N".to_owned()),
        Just("\\.".to_owned()),
        Just("NULL".to_owned())
    ]
    .boxed()
}

fn number() -> BoxedStrategy<String> {
    prop_oneof!["-?[1-9][0-9]{0,60}", "-?[0-9]{1,30}\\.[0-9]{1,40}", Just("NaN".to_owned())].boxed()
}

fn json() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "[^\u{0}]{0,10}".prop_map(serde_json::Value::from)
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-z\"\\\\ ]{0,4}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    tree.prop_map(|value| value.to_string()).boxed()
}

fn words(of: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::sample::select(of).prop_map(str::to_owned).boxed()
}

/// Elements between braces, each in quotes.
fn array(of: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let element = prop_oneof![
        5 => of.prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        1 => Just("NULL".to_owned())
    ];
    proptest::collection::vec(element, 0..4).prop_map(|all| format!("{{{}}}", all.join(","))).boxed()
}

/// A type and texts of its values.
fn typed() -> BoxedStrategy<(String, BoxedStrategy<String>)> {
    let all: Vec<(&str, BoxedStrategy<String>)> = vec![
        ("smallint", any::<i16>().prop_map(|n| n.to_string()).boxed()),
        ("integer", any::<i32>().prop_map(|n| n.to_string()).boxed()),
        ("bigint", any::<i64>().prop_map(|n| n.to_string()).boxed()),
        ("numeric", number()),
        ("numeric(40,17)", "-?[0-9]{1,20}\\.[0-9]{1,17}".boxed()),
        ("real", any::<f32>().prop_map(|n| format!("{n:e}").replace("inf", "Infinity")).boxed()),
        ("double precision", any::<f64>().prop_map(|n| format!("{n:e}").replace("inf", "Infinity")).boxed()),
        ("text", text()),
        ("character varying(60)", text()),
        ("character(44)", text()),
        (
            "bytea",
            proptest::collection::vec(any::<u8>(), 0..60)
                .prop_map(|bytes| format!("\\x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
                .boxed(),
        ),
        ("boolean", words(&["true", "false"])),
        ("date", words(&["2026-02-28", "0044-03-15 BC", "infinity", "9999-12-31"])),
        ("time without time zone", words(&["00:00", "23:59:59.999999", "24:00"])),
        ("time with time zone", words(&["12:00+05:30", "23:59:59.999999-08"])),
        ("timestamp without time zone", words(&["2026-03-29 02:30:00.000001", "-infinity", "4713-01-01 BC"])),
        ("timestamp with time zone", words(&["2026-03-29 02:30:00.000001+02", "1900-01-01 00:00:00-08", "infinity"])),
        ("timestamp(3) with time zone", words(&["2026-10-25 01:30:00.123+00"])),
        ("interval", words(&["1 year 2 mons -3 days 04:05:06.789", "-00:00:00.000001", "0"])),
        ("json", json().prop_map(|text| format!(" {text} ")).boxed()),
        ("jsonb", json().prop_filter("no zero letters", |text| !text.contains("\\u0000")).boxed()),
        ("uuid", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}".boxed()),
        ("inet", words(&["10.0.0.1/8", "::1", "fe80::1/64"])),
        ("macaddr", words(&["08:00:2b:01:02:03"])),
        ("bit(5)", "[01]{5}".boxed()),
        ("bit varying", "[01]{0,40}".boxed()),
        ("point", words(&["(0.1,1e300)", "(-0,0)"])),
        ("polygon", words(&["((0,0),(0.3,1),(1,0))"])),
        ("int4range", words(&["[1,10)", "empty", "(,5)"])),
        ("numrange", words(&["[1.50,2.500]", "(,)"])),
        ("tsvector", words(&["'it''s':1A 'fat':2"])),
        ("money", words(&["12.34", "-0.01"])),
        ("xml", words(&["<a b=\"c\">d &amp; \\ e</a>"])),
        ("pg_lsn", words(&["16/B374D848"])),
        ("text[]", array(text())),
        ("integer[]", words(&["{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={5,6}"])),
        ("numeric[]", array(number())),
        ("\"odd mood\"", words(&["sad", "it's \"so\"", "", "a,b"])),
        ("\"odd mood\"[]", array(words(&["sad", "it's \"so\"", "a,b"]))),
        ("pair", words(&["(1,\"a \"\"b\\\\\")", "(,)", "(5,)"])),
        ("short_text", text().prop_filter("short", |text| text.chars().count() < 60).boxed()),
    ];
    proptest::sample::select((0..all.len()).collect::<Vec<_>>())
        .prop_map(move |at| (all[at].0.to_owned(), all[at].1.clone()))
        .boxed()
}

const TYPES: &str = "create type \"odd mood\" as enum ('sad', 'it''s \"so\"', '', 'a,b'); \
    create type pair as (n int, \"t t\" text); create domain short_text as text check (length(value) < 60)";

#[derive(Debug, Clone)]
struct Sample {
    table: String,
    columns: Vec<(String, String)>,
    keyed: u8,
    rows: Vec<Vec<Option<String>>>,
}

fn cut(name: &str) -> String {
    let mut name: String = name.chars().filter(|letter| *letter != '\0').collect();
    while name.len() > 63 {
        name.pop();
    }
    if name.is_empty() { "x".to_owned() } else { name }
}

fn sample() -> impl Strategy<Value = Sample> {
    let columns = proptest::collection::vec((name(), typed()), 1..7);
    (name(), columns, 0_u8..3).prop_flat_map(|(table, columns, keyed)| {
        let mut taken = vec!["key".to_owned(), "worked out".to_owned()];
        let columns: Vec<_> = columns
            .into_iter()
            .filter_map(|(name, (declared, values))| {
                let name = cut(&name);
                (!taken.contains(&name)).then(|| taken.push(name.clone()))?;
                Some((name, declared, values))
            })
            .collect();
        let row: Vec<_> =
            columns.iter().map(|(_, _, values)| proptest::option::weighted(0.85, values.clone())).collect();
        let columns: Vec<_> = columns.into_iter().map(|(name, declared, _)| (name, declared)).collect();
        let table = cut(&table);
        proptest::collection::vec(row, 0..9).prop_map(move |rows| Sample {
            table: table.clone(),
            columns: columns.clone(),
            keyed,
            rows,
        })
    })
}

impl Sample {
    fn make(&self) -> String {
        let mut entries: Vec<String> =
            self.columns.iter().map(|(name, declared)| format!("{} {declared}", ident(name))).collect();
        match self.keyed {
            0 => {}
            1 => entries.insert(0, "key serial primary key".to_owned()),
            _ => entries.push("key bigint generated by default as identity (start 5 increment 3) unique".to_owned()),
        }
        entries.push("\"worked out\" text generated always as ('it''s \\' || 'x') stored".to_owned());
        format!("create table {} ({})", ident(&self.table), entries.join(", "))
    }

    fn fill(&self) -> Option<String> {
        let row = |row: &Vec<Option<String>>| {
            let values = row.iter().zip(&self.columns).map(|(value, (_, declared))| match value {
                Some(text) => format!("cast({} as {declared})", literal(text)),
                None => "null".to_owned(),
            });
            format!("({})", values.collect::<Vec<_>>().join(", "))
        };
        let names: Vec<String> = self.columns.iter().map(|(name, _)| ident(name)).collect();
        let rows: Vec<String> = self.rows.iter().map(row).collect();
        (!rows.is_empty())
            .then(|| format!("insert into {} ({}) values {}", ident(&self.table), names.join(", "), rows.join(", ")))
    }

    /// All of it in the server's own text.
    fn show(&self) -> String {
        format!("select t::text from {} t order by 1", ident(&self.table))
    }
}

async fn sql(session: &mut dyn Session, database: &str, sql: &str) -> Result<Vec<Row>, TestCaseError> {
    session.run(database, sql).await.map(|outcome| outcome.rows).map_err(|error| failed(sql, error))
}

fn failed(what: &str, why: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(format!("{what}: {why}"))
}

/// Copies the table of a sample as a migration does, two rows at a time, and compares.
async fn copy(from: &mut dyn Session, to: &mut dyn Session, sample: &Sample) -> Result<(), TestCaseError> {
    let quoted = ident(&sample.table);
    sql(from, "left", &format!("drop table if exists {quoted} cascade")).await?;
    sql(to, "arrived", &format!("drop table if exists {quoted} cascade")).await?;
    sql(from, "left", &sample.make()).await?;
    if let Some(fill) = sample.fill() {
        sql(from, "left", &fill).await?;
    }
    let table = table(from, "left", sample).await?;
    to.create("arrived", &table).await.map_err(|error| failed(&table.definition, error))?;
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut after = None;
    loop {
        let read = ReadChunk {
            database: "left".into(),
            table: sample.table.clone(),
            columns: columns.clone(),
            after: after.clone(),
            limit: 2,
        };
        let chunk = from.read(&read).await.map_err(|error| failed("read", error))?;
        let rows = chunk.rows.len() as u64;
        let mut write = WriteChunk {
            database: "arrived".into(),
            table: sample.table.clone(),
            columns: columns.clone(),
            key: table.key.clone(),
            rows: chunk.rows,
            on_conflict: OnConflict::Keep,
        };
        prop_assert_eq!(to.write(&write).await.map_err(|error| failed("write", error))?, rows);
        if !table.key.is_empty() {
            prop_assert_eq!(to.write(&write).await.map_err(|error| failed("write again", error))?, 0);
            write.on_conflict = OnConflict::Replace;
            prop_assert_eq!(to.write(&write).await.map_err(|error| failed("replace", error))?, rows);
        }
        after = chunk.last.or(after);
        if chunk.done {
            break;
        }
    }
    prop_assert_eq!(sql(from, "left", &sample.show()).await?, sql(to, "arrived", &sample.show()).await?);
    let made = self::table(to, "arrived", sample).await?;
    prop_assert_eq!((&made.columns, &made.key, made.rows), (&table.columns, &table.key, table.rows));
    prop_assert_eq!(&made.definition, &table.definition);
    Ok(())
}

async fn table(session: &mut dyn Session, database: &str, sample: &Sample) -> Result<Object, TestCaseError> {
    let all = session.describe(database).await.map_err(|error| failed("describe", error))?;
    let table = all.into_iter().find(|object| object.kind == ObjectKind::Table && object.name == sample.table);
    table.ok_or_else(|| failed("describe", "the table is not there"))
}

fn every_name_and_every_value_arrives_as_it_left() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(server());
    let (mut from, mut to) =
        runtime.block_on(async { (login(&server, "postgres").await, login(&server, "postgres").await) });
    runtime.block_on(async {
        for (session, name) in [(&mut from, "left"), (&mut to, "arrived")] {
            sql(&mut **session, "postgres", &format!("drop database if exists \"{name}\"")).await.expect("none");
            session.create_database(name, "UTF8").await.expect("a database");
            sql(&mut **session, name, TYPES).await.expect("types");
        }
    });
    let mut runner = TestRunner::new(Config { cases: 120, failure_persistence: None, ..Config::default() });
    let (from, to) = (std::cell::RefCell::new(from), std::cell::RefCell::new(to));
    let outcome = runner.run(&sample(), |sample| {
        let (mut from, mut to) = (from.borrow_mut(), to.borrow_mut());
        runtime.block_on(copy(&mut **from, &mut **to, &sample))
    });
    drop((from, to));
    runtime.block_on(async {
        let mut admin = login(&server, "postgres").await;
        sql(&mut *admin, "postgres", "drop database \"left\" with (force)").await.expect("dropped");
        sql(&mut *admin, "postgres", "drop database arrived with (force)").await.expect("dropped");
    });
    assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
}
