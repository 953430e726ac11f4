//! Everything a MySQL or MariaDB server holds arrives as it left, and nobody writes whose lease is over.

use crate::named::{Server, Wanted, servers};
use crate::{Test, wait};
use engines::images::Family;
use engines::mysql::MySql;
use proptest::prelude::*;
use recovery::model::content::{Object, ObjectKind, Row, Security, Value};
use recovery::ports::database::{DatabaseError, OnConflict, ReadChunk, WriteChunk};
use recovery::ports::{Database, Session};

/// The tests.
pub const TESTS: &[Test] = &[
    ("every_type_arrives_as_it_left", every_type_arrives_as_it_left),
    ("a_blob_of_16_megabytes_arrives_and_a_chunk_stays_small", a_blob_of_16_megabytes_arrives_and_a_chunk_stays_small),
    ("rows_come_in_the_order_of_any_key_and_none_twice", rows_come_in_the_order_of_any_key_and_none_twice),
    ("programs_arrive_and_triggers_do_not_act_on_the_rows", programs_arrive_and_triggers_do_not_act_on_the_rows),
    ("an_earlier_lease_is_fenced_off", an_earlier_lease_is_fenced_off),
    ("every_change_of_a_definition_and_every_emptying_shows", every_change_of_a_definition_and_every_emptying_shows),
    ("what_is_there_already_stays_stops_or_is_replaced", what_is_there_already_stays_stops_or_is_replaced),
    ("errors_say_what_they_are", errors_say_what_they_are),
    ("any_row_of_any_table_arrives_as_it_left", any_row_of_any_table_arrives_as_it_left),
];

/// The servers.
pub const SERVERS: Wanted = Wanted {
    variable: "FIREDRILL_TEST_MYSQL",
    families: &[Family::MySql, Family::MariaDb],
    product: "mysql 8.0",
    root: "root",
};

async fn open(server: &Server) -> Box<dyn Session> {
    MySql.connect(&server.endpoint, &server.login).await.expect("a session")
}

fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Makes two empty databases and gives a session.
async fn fresh(server: &Server, source: &str, target: &str) -> Box<dyn Session> {
    let mut session = open(server).await;
    for database in [source, target] {
        let sql = format!("DROP DATABASE IF EXISTS {}", name(database));
        session.run("mysql", &sql).await.expect("dropped");
        session.create_database(database, "utf8mb4").await.expect("made");
    }
    session
}

async fn rows(session: &mut dyn Session, database: &str, table: &Object, limit: usize) -> Vec<Row> {
    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
    let (database, name) = (database.to_owned(), table.name.clone());
    let mut read = ReadChunk { database, table: name, columns, after: None, limit };
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

/// Copies a database as a migration does; gives the tables with their rows.
async fn copy(session: &mut dyn Session, source: &str, target: &str, limit: usize) -> Vec<(Object, Vec<Row>)> {
    let described = session.describe(source).await.expect("described");
    use ObjectKind as K;
    for kind in [K::Table, K::Index, K::ForeignKey, K::View, K::Function, K::Procedure, K::Trigger] {
        for object in described.iter().filter(|object| object.kind == kind) {
            session.create(target, object).await.unwrap_or_else(|error| panic!("{error}: {}", object.definition));
        }
    }
    let mut copied = Vec::new();
    for table in described.into_iter().filter(|object| object.kind == K::Table) {
        let found = rows(session, source, &table, limit).await;
        for some in found.chunks(limit) {
            let write = WriteChunk {
                database: target.to_owned(),
                table: table.name.clone(),
                columns: table.columns.iter().map(|column| column.name.clone()).collect(),
                key: table.key.clone(),
                rows: some.to_vec(),
                on_conflict: OnConflict::Keep,
            };
            assert_eq!(session.write(&write).await.expect("written"), some.len() as u64);
        }
        copied.push((table, found));
    }
    copied
}

/// The server's own sums of two tables.
async fn sums(session: &mut dyn Session, one: (&str, &str), other: (&str, &str)) -> (Value, Value) {
    let table = |(database, table): (&str, &str)| format!("{}.{}", name(database), name(table));
    let sql = format!("CHECKSUM TABLE {}, {} EXTENDED", table(one), table(other));
    let found = session.run("mysql", &sql).await.expect("summed").rows;
    (found[0][1].clone(), found[1][1].clone())
}

const EVERY_TYPE: &str = r#"
create table `every type` (
  id int primary key, t tinyint, tu tinyint unsigned, s smallint, m mediumint, b bigint, bu bigint unsigned,
  z int(6) zerofill, d decimal(65,30), f float, g double, n bit(1), nn bit(64), y year,
  da date, ti time(6), dt datetime(6), ts timestamp(6) null, dz datetime, tsz timestamp null,
  c char(30), v varchar(200), l varchar(50) character set latin1, u varchar(50) character set utf16,
  bi binary(8), vb varbinary(200), tt text, mt mediumtext, lt longtext, bl blob, lb longblob,
  e enum('', 'a''b', 'c,d', 'naïve'), st set('x', 'y', 'it''s'), j json, p point, geo geometry,
  ge int generated always as (id * 2) virtual, gs varchar(20) generated always as (concat('no ', id)) stored,
  key by_v (v(10)), unique key by_b (b, bu), fulltext key words (tt)
) default charset = utf8mb4;
insert into `every type` (id, t, tu, s, m, b, bu, z, d, f, g, n, nn, y, da, ti, dt, ts, dz, tsz, c, v, l, u, bi, vb, tt, mt, lt,
  bl, lb, e, st, j, p, geo) values
 (1, -128, 255, -32768, -8388608, -9223372036854775808, 18446744073709551615, 42,
  '-12345678901234567890123456789012345.123456789012345678901234567891', 16777217.25, 2.2250738585072014e-308, b'1',
  x'ffffffffffffffff', 2155, '9999-12-31', '-838:59:59', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999',
  '2024-02-29 12:00:00', '2024-03-31 01:30:00', 'it''s \\ a "test"', '  spaces  ', 'é€ß', '😀 \0 end', x'00ff00ff', x'',
  'line\nbreak\ttab\r', repeat('é', 70000), '', x'00', repeat(x'00ff27', 1000), 'a''b', 'x,it''s',
  '{"a": [1, 2.5, "é😀\\n", null, true], "": {}}', st_geomfromtext('POINT(1.5 -2)'),
  st_geomfromtext('POLYGON((0 0, 1 0, 1 1, 0 0))')),
 (2, null, null, null, null, 5, 6, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
  null, null, null, null, null, null, null, null, null, null, null, null, null),
 (0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1, -0.0, b'0', b'0', 1901, '1000-01-01', '00:00:00', '1000-01-01 00:00:00', '1970-01-01 00:00:01', now(),
  now(), '', '', '', '', '', '', '', '', '', '', '', '', '', '[]', st_geomfromtext('POINT(0 0)'), st_geomfromtext('LINESTRING(0 0, 9 9)'));
"#;

fn every_type_arrives_as_it_left() {
    for server in servers(SERVERS) {
        wait(async {
            let (source, target) = ("every source", "every_target");
            let mut session = fresh(&server, source, target).await;
            session.run(source, EVERY_TYPE).await.expect("made");
            let copied = copy(session.as_mut(), source, target, 2).await;
            let (table, left) = &copied[0];
            assert_eq!((table.rows, left.len(), table.key.as_slice()), (3, 3, &["id".to_owned()][..]));
            let arrived = rows(session.as_mut(), target, table, 100).await;
            assert_eq!(*left, arrived);
            let (one, other) = sums(session.as_mut(), (source, "every type"), (target, "every type")).await;
            assert_eq!(one, other);
            let of = |column: &str, row: usize| {
                let place = table.columns.iter().position(|own| own.name == column).expect("a column");
                left[row][place].clone()
            };
            assert_eq!(of("bu", 1), Value::Text("18446744073709551615".into()));
            let decimal = "-12345678901234567890123456789012345.123456789012345678901234567891";
            assert_eq!(of("d", 1), Value::Text(decimal.into()));
            assert_eq!(of("g", 1), Value::Real(f64::MIN_POSITIVE));
            assert_eq!(of("f", 0), Value::Real(f64::from(0.1_f32)));
            assert_eq!(of("nn", 1), Value::Bytes { hex: "ff".repeat(8) });
            assert_eq!(of("ts", 1), Value::Text("2038-01-19 03:14:07.999999".into()));
            assert_eq!(of("vb", 1), Value::Bytes { hex: String::new() });
            assert_eq!(of("u", 1), Value::Text("😀 \0 end".into()));
            assert_eq!(of("v", 2), Value::Null);
        });
    }
}

fn a_blob_of_16_megabytes_arrives_and_a_chunk_stays_small() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, "big_source", "big_target").await;
            let sql = "create table big (id int primary key, body longblob, said longtext);
                insert into big select n, repeat(unhex('00ff2722'), 4194304), repeat('it''s ', 100) from
                (select 1 n union select 2 union select 3) three";
            session.run("big_source", sql).await.expect("made");
            let copied = copy(session.as_mut(), "big_source", "big_target", 100).await;
            assert_eq!(copied[0].1.len(), 3);
            let columns = vec!["id".to_owned(), "body".to_owned()];
            let (database, table) = ("big_source".to_owned(), "big".to_owned());
            let read = ReadChunk { database, table, columns, after: None, limit: 100 };
            let chunk = session.read(&read).await.expect("read");
            assert_eq!((chunk.rows.len(), chunk.done), (1, false), "one such row at a time");
            let (one, other) = sums(session.as_mut(), ("big_source", "big"), ("big_target", "big")).await;
            assert_eq!(one, other);
        });
    }
}

fn rows_come_in_the_order_of_any_key_and_none_twice() {
    let keys = [
        ("k enum('z', 'b', 'a')", "('z'), ('b'), ('a')"),
        (
            "k decimal(40,20)",
            "(0.00000000000000000001), (12345678901234567890.00000000000000000002), (12345678901234567890.00000000000000000001), (-1)",
        ),
        ("k bit(64)", "(b'1'), (x'ffffffffffffffff'), (x'fffffffffffffffe')"),
        ("k float", "(0.1), (0.2), (-1e30), (3)"),
        ("k varchar(20) character set latin1", "('a'), ('é'), ('z'), (''), ('b c')"),
        ("k varbinary(20)", "(''), (x'00'), (x'0000'), (x'ff'), ('a')"),
        ("k datetime(6)", "('2024-01-01 00:00:00.000001'), ('2024-01-01'), ('1000-01-01')"),
        ("k bigint unsigned", "(18446744073709551615), (18446744073709551614), (0)"),
        ("k set('p', 'q', 'r')", "('p'), ('r'), ('p,q'), ('')"),
        ("a int, k time(3)", "(1, '-01:00:00.001'), (1, '00:00:00'), (2, '-01:00:00.001'), (0, '23:00:00')"),
    ];
    for server in servers(SERVERS) {
        wait(async {
            for (column, values) in keys {
                let mut session = fresh(&server, "keys_source", "keys_target").await;
                let key = if column.starts_with("a int") { "a, k" } else { "k" };
                let sql = format!("create table t ({column}, primary key ({key})); insert into t values {values}");
                session.run("keys_source", &sql).await.expect("made");
                copy(session.as_mut(), "keys_source", "keys_target", 1).await;
                let (one, other) = sums(session.as_mut(), ("keys_source", "t"), ("keys_target", "t")).await;
                assert_eq!(one, other, "{column}");
                let count = session.run("keys_target", "select count(*) from t").await.expect("counted").rows;
                assert_eq!(count, [[Value::Integer(values.matches('(').count() as i64)]], "{column}");
            }
        });
    }
}

const PROGRAMS: &str = "
create table people (id int auto_increment primary key, name varchar(40));
create table `or``ders` (id int primary key, person int, n int default 0, constraint fk foreign key (person) references people (id));
create table counted (id int primary key, n int);
insert into people (id, name) values (7, 'ann'), (9, 'bob');
insert into counted values (1, 0);
create view `a view` as select o.id, p.name from `or``ders` o join people p on p.id = o.person;
create function twice(a int) returns int deterministic return a * 2;
create procedure `add one`(in k int) sql security invoker begin declare s varchar(9) default ';'; update counted set n = n + k; end;
create trigger counting after insert on `or``ders` for each row begin update counted set n = n + 1; set @last = new.id; end;
create trigger counting2 before insert on `or``ders` for each row set new.n = twice(new.id);
create event nightly on schedule every 1 day starts '2099-01-01' do update counted set n = 0;
insert into `or``ders` (id, person) values (1, 7), (2, 9);
";

fn programs_arrive_and_triggers_do_not_act_on_the_rows() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, "programs", "programs_copy").await;
            session.run("programs", PROGRAMS).await.expect("made");
            session.claim("dts-triggers", 1).await.expect("claimed");
            copy(session.as_mut(), "programs", "programs_copy", 1).await;
            let describe = async |session: &mut dyn Session, database: &str| {
                let objects = session.describe(database).await.expect("described");
                objects.into_iter().filter(|object| object.kind != ObjectKind::Event).collect::<Vec<_>>()
            };
            let (left, arrived) =
                (describe(session.as_mut(), "programs").await, describe(session.as_mut(), "programs_copy").await);
            assert_eq!(left.len(), 10);
            for (left, arrived) in left.iter().zip(&arrived) {
                let essence = |object: &Object| Object { revision: 0, ..object.clone() };
                assert_eq!(essence(left), essence(arrived));
                assert!(left.definer.is_none() || left.definer.as_deref() == Some(&server.login.account));
                assert!(!left.definition.contains("DEFINER"), "{}", left.definition);
            }
            let procedure = left.iter().find(|object| object.kind == ObjectKind::Procedure).expect("one");
            assert_eq!((procedure.security, procedure.name.as_str()), (Some(Security::Invoker), "add one"));
            let view = left.iter().find(|object| object.kind == ObjectKind::View).expect("one");
            assert_eq!(view.needs, ["or`ders", "people"]);
            let said = session.run("programs_copy", "select n from counted; select id, n from `or``ders`").await;
            assert_eq!(said.expect("said").rows[1], [Value::Integer(2), Value::Integer(4)]);
            let counted = session.run("programs_copy", "select n from counted").await.expect("counted").rows;
            assert_eq!(counted, [[Value::Integer(2)]], "the two rows were counted once, in the source");
            session.run("programs_copy", "insert into `or``ders` (id, person) values (5, 7)").await.expect("written");
            let counted = session.run("programs_copy", "select n from counted").await.expect("counted").rows;
            assert_eq!(counted, [[Value::Integer(3)]], "afterwards it counts");
        });
    }
}

fn an_earlier_lease_is_fenced_off() {
    for server in servers(SERVERS) {
        wait(async {
            let mut first = fresh(&server, "fenced", "fenced_too").await;
            first.run("fenced", "create table t (id int primary key)").await.expect("made");
            let task = format!("dts-{}", std::process::id());
            let write = |id: i64| WriteChunk {
                database: "fenced".into(),
                table: "t".into(),
                columns: vec!["id".into()],
                key: vec!["id".into()],
                rows: vec![vec![Value::Integer(id)]],
                on_conflict: OnConflict::Keep,
            };
            first.claim(&task, 3).await.expect("claimed");
            let mut brother = open(&server).await;
            brother.claim(&task, 3).await.expect("claimed by the same lease");
            first.write(&write(1)).await.expect("written");
            brother.write(&write(2)).await.expect("written");
            let mut second = open(&server).await;
            second.claim(&task, 4).await.expect("claimed by a later lease");
            for earlier in [&mut first, &mut brother] {
                assert!(matches!(earlier.write(&write(3)).await, Err(DatabaseError::Unreachable(_))));
            }
            let mut again = open(&server).await;
            assert_eq!(again.claim(&task, 3).await, Err(DatabaseError::Fenced(4)));
            drop(second);
            assert_eq!(again.claim(&task, 3).await, Err(DatabaseError::Fenced(4)), "also when the later one is gone");
            let databases = again.databases().await.expect("listed");
            assert!(databases.iter().all(|database| database.name != "firedrill"), "nothing of it shows");
            let found = again.run("fenced", "select count(*) from t").await.expect("counted").rows;
            assert_eq!(found, [[Value::Integer(2)]]);
        });
    }
}

fn every_change_of_a_definition_and_every_emptying_shows() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, "changing ü", "changed").await;
            let made = "create table `t é.x` (id int primary key, v int) ; insert into `t é.x` values (1, 1);
                create table parts (id int primary key, v int) partition by hash (id) partitions 3";
            session.run("changing ü", made).await.expect("made");
            for table in ["t é.x", "parts"] {
                let read = ReadChunk {
                    database: "changing ü".into(),
                    table: table.into(),
                    columns: vec!["id".into()],
                    after: None,
                    limit: 10,
                };
                let mut seen = vec![session.read(&read).await.expect("read").revision];
                assert_eq!(session.read(&read).await.expect("read").revision, seen[0]);
                let quoted = name(table);
                for sql in [
                    format!("truncate table {quoted}"),
                    format!("truncate table {quoted}"),
                    format!("alter table {quoted} add w int"),
                    format!("create index iw on {quoted} (w)"),
                    format!("alter table {quoted} modify v bigint, drop index iw"),
                ] {
                    session.run("changing ü", &sql).await.expect("done");
                    let revision = session.read(&read).await.expect("read").revision;
                    assert!(!seen.contains(&revision), "{sql}");
                    seen.push(revision);
                    let described = session.describe("changing ü").await.expect("described");
                    let own = described.iter().find(|object| object.name == table).expect("there");
                    assert_eq!(own.revision, revision, "both say the same");
                }
            }
        });
    }
}

fn what_is_there_already_stays_stops_or_is_replaced() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, "conflicts", "conflicts_too").await;
            let sql =
                "create table t (id int primary key, u int unique, v varchar(3)); insert into t values (1, 10, 'old')";
            session.run("conflicts", sql).await.expect("made");
            let row = |id: i64, u: i64, v: &str| vec![Value::Integer(id), Value::Integer(u), Value::Text(v.into())];
            let mut write = WriteChunk {
                database: "conflicts".into(),
                table: "t".into(),
                columns: ["id", "u", "v"].map(str::to_owned).into(),
                key: vec!["id".into()],
                rows: vec![row(2, 20, "new"), row(1, 11, "new"), row(3, 10, "new")],
                on_conflict: OnConflict::Keep,
            };
            assert_eq!(session.write(&write).await, Ok(1), "one is new, two have a key that is there");
            write.on_conflict = OnConflict::Stop;
            write.rows = vec![row(4, 40, "new"), row(1, 50, "new")];
            assert!(matches!(session.write(&write).await, Err(DatabaseError::Constraint(_))));
            write.on_conflict = OnConflict::Replace;
            write.rows = vec![row(1, 20, "rep")];
            assert_eq!(session.write(&write).await, Ok(1));
            write.rows = vec![row(9, 90, "too long")];
            write.on_conflict = OnConflict::Keep;
            assert!(matches!(session.write(&write).await, Err(DatabaseError::Statement(_))), "nothing is cut off");
            let found = session.run("conflicts", "select * from t").await.expect("found").rows;
            assert_eq!(found, [row(1, 20, "rep")]);
        });
    }
}

fn errors_say_what_they_are() {
    for server in servers(SERVERS) {
        wait(async {
            let mut session = fresh(&server, "errors", "errors_too").await;
            let mut wrong = server.clone();
            wrong.login.account = "nobody else".into();
            let refused = MySql.connect(&wrong.endpoint, &wrong.login).await.err();
            assert_eq!(refused, Some(DatabaseError::AccessDenied("nobody else".into())));
            let nowhere = MySql.connect("127.0.0.1:1", &server.login).await.err();
            assert!(matches!(nowhere, Some(DatabaseError::Unreachable(_))), "{nowhere:?}");
            let missing = session.describe("not there").await.err();
            assert_eq!(missing, Some(DatabaseError::NoSuchDatabase("not there".into())));
            let read = ReadChunk {
                database: "errors".into(),
                table: "gone".into(),
                columns: vec!["id".into()],
                after: None,
                limit: 1,
            };
            assert_eq!(session.read(&read).await, Err(DatabaseError::NoSuchObject("gone".into())));
            assert_eq!(
                session.create_database("errors", "utf8").await,
                Err(DatabaseError::ObjectExists("errors".into()))
            );
            let run =
                session.run("errors", "create table t (id int primary key); insert into t values (1); select").await;
            assert!(matches!(run, Err(DatabaseError::Statement(_))), "{run:?}");
            assert!(session.changes(0, 1).await.is_err());
            let facts = session.facts().await.expect("facts");
            assert!((facts.now.as_second() - jiff::Timestamp::now().as_second()).abs() < 5);
        });
    }
}

/// Names as they may be: none beyond the basic plane, no space at the end; 64 characters only where few of them have to be
/// written with more letters in the name of a file.
fn names() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        Just('a'),
        Just('Z'),
        Just('`'),
        Just('"'),
        Just('\''),
        Just('\\'),
        Just(' '),
        Just('.'),
        Just('/'),
        Just('#'),
        Just('%'),
        Just('_'),
        Just('é'),
        Just('名'),
        Just('☃'),
        Just('-'),
        Just(';'),
        Just('\t'),
        Just('$'),
        Just('@')
    ];
    let free = proptest::collection::vec(letters, 1..=20).prop_map(|letters| {
        let name: String = letters.into_iter().collect();
        let name = name.trim_end().to_owned();
        if name.is_empty() { "x".to_owned() } else { name }
    });
    prop_oneof![4 => free, 1 => Just("select".to_owned()), 1 => Just("Order".to_owned()), 1 => Just("n".repeat(64))]
}

fn text() -> impl Strategy<Value = Value> {
    proptest::collection::vec(
        prop_oneof![Just('\''), Just('"'), Just('\\'), Just('\0'), Just('\n'), Just('%'), Just(' '), any::<char>()],
        0..40,
    )
    .prop_map(|letters| Value::Text(letters.into_iter().collect()))
}

fn bytes() -> impl Strategy<Value = Value> {
    proptest::collection::vec(any::<u8>(), 0..60)
        .prop_map(|bytes| Value::Bytes { hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect() })
}

/// A declared type and a value of it.
fn typed() -> impl Strategy<Value = (&'static str, Value)> {
    let with = |declared: &'static str| move |value: Value| (declared, value);
    let time = (1000_i32..=9999, 1_u32..=12, 1_u32..=28, 0_u32..24, 0_u32..60, 0_u32..60, 0_u32..1_000_000);
    prop_oneof![
        any::<i64>().prop_map(|number| ("bigint", Value::Integer(number))),
        any::<i32>().prop_map(|number| ("int", Value::Integer(number.into()))),
        any::<u64>().prop_map(|number| (
            "bigint unsigned",
            i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer)
        )),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| ("double", Value::Real(number))),
        any::<f32>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| ("float", Value::Real(number.into()))),
        ("-?[1-9][0-9]{0,34}", "[0-9]{30}")
            .prop_map(|(whole, part)| ("decimal(65,30)", Value::Text(format!("{whole}.{part}")))),
        text().prop_map(with("varchar(200)")),
        text().prop_map(with("longtext")),
        bytes().prop_map(with("varbinary(60)")),
        bytes().prop_map(with("blob")),
        any::<[u8; 8]>().prop_map(|bytes| (
            "bit(64)",
            Value::Bytes { hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
        )),
        time.prop_map(|(year, month, day, hour, minute, second, part)| (
            "datetime(6)",
            Value::Text(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{part:06}"))
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    fn any_row_of_any_table_arrives_as_it_left(
        database in names(),
        table in names(),
        columns in proptest::collection::btree_map(names().prop_map(|name| name.to_lowercase()), typed(), 1..8),
        nulls in any::<u8>(),
    ) {
        for server in servers(SERVERS) {
            wait(async {
                let source: String = database.chars().take(60).collect::<String>().trim_end().to_owned();
                let (source, target) = (format!("s{source}"), format!("t{source}"));
                let mut session = fresh(&server, &source, &target).await;
                let declared: Vec<String> =
                    columns.iter().map(|(column, (declared, _))| format!("{} {declared}", name(column))).collect();
                let sql = format!(
                    "create table {} (`the key` int primary key, {}) character set utf8mb4",
                    name(&table), declared.join(", ")
                );
                session.run(&source, &sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
                let mut names = vec!["the key".to_owned()];
                names.extend(columns.keys().cloned());
                let values = || columns.values().map(|(_, value)| value.clone());
                let some = values().enumerate().map(|(at, value)| {
                    if nulls >> (at % 8) & 1 == 1 { Value::Null } else { value }
                });
                let sent = vec![
                    std::iter::once(Value::Integer(0)).chain(values()).collect::<Row>(),
                    std::iter::once(Value::Integer(1)).chain(some).collect(),
                ];
                let write = WriteChunk {
                    database: source.clone(),
                    table: table.clone(),
                    columns: names,
                    key: vec!["the key".to_owned()],
                    rows: sent.clone(),
                    on_conflict: OnConflict::Stop,
                };
                assert_eq!(session.write(&write).await, Ok(2));
                let copied = copy(session.as_mut(), &source, &target, 1).await;
                assert_eq!(copied[0].1, sent);
                let arrived = rows(session.as_mut(), &target, &copied[0].0, 10).await;
                assert_eq!(arrived, sent);
                for database in [&source, &target] {
                    session.run("mysql", &format!("drop database {}", name(database))).await.expect("dropped");
                }
            });
        }
    }
}
