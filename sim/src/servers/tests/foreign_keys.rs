//! Foreign keys: enforced on statements, not on bulk loads, and objects of their own.

use super::{at, mysql, numbers, ok, run, server_of};
use recovery::model::content::Value;
use recovery::ports::database::{DatabaseError, OnConflict, WriteChunk};

const TABLES: &str =
    "create table p (id int primary key); create table c (id int primary key, pid int references p(id));
    insert into p values (1), (2); insert into c values (1, 1)";

fn refused(result: &Result<recovery::ports::database::Outcome, DatabaseError>) -> bool {
    matches!(result, Err(DatabaseError::Constraint(_)))
}

#[test]
fn a_row_that_would_point_to_nothing_is_refused() {
    let mut server = mysql();
    ok(&mut server, 0, TABLES);
    for sql in [
        "insert into c values (2, 9)",
        "update c set pid = 9",
        "delete from p where id = 1",
        "update p set id = 7 where id = 1",
        "truncate table p",
        "drop table p",
        "delete from p",
    ] {
        let result = run(&mut server, 1, sql);
        assert!(refused(&result), "{sql}: {result:?}");
    }
    ok(
        &mut server,
        2,
        "insert into c values (2, null); delete from p where id = 2; insert into c values (3, 5); insert into p values (5)",
    );
    assert_eq!(numbers(&mut server, "select id from c order by id"), [1, 2, 3]);
    ok(&mut server, 3, "drop table c; drop table p");
}

#[test]
fn a_bulk_load_goes_past_foreign_keys_and_the_key_added_later_finds_what_it_left() {
    let mut server = mysql();
    ok(&mut server, 0, TABLES);
    let write = WriteChunk {
        database: "app".into(),
        table: "c".into(),
        columns: vec!["id".into(), "pid".into()],
        key: vec!["id".into()],
        rows: vec![vec![Value::Integer(8), Value::Integer(99)]],
        on_conflict: OnConflict::Keep,
    };
    assert_eq!(server.write("app", &write, at(1)), Ok(1));
    ok(&mut server, 2, "alter table c drop foreign key fk_c_1");
    let again = "alter table c add constraint again foreign key (pid) references p (id)";
    assert!(refused(&run(&mut server, 3, again)));
    ok(&mut server, 4, "delete from c where id = 8");
    ok(&mut server, 5, again);
    assert!(refused(&run(&mut server, 6, "insert into c values (9, 99)")));
    ok(&mut server, 7, "set foreign_key_checks = 0; insert into c values (9, 99)");
}

#[test]
fn rows_follow_or_let_go_as_the_foreign_key_says() {
    let mut server = mysql();
    ok(
        &mut server,
        0,
        "create table p (id int primary key); create table c (id int primary key, pid int,
        constraint down foreign key (pid) references p (id) on delete cascade on update cascade);
        create table n (id int, pid int references p (id) on delete set null);
        insert into p values (1), (2); insert into c values (1, 1), (2, 2); insert into n values (1, 1)",
    );
    let before = server.log.position();
    ok(&mut server, 1, "delete from p where id = 1; update p set id = 7 where id = 2");
    assert_eq!(numbers(&mut server, "select pid from c"), [7]);
    assert_eq!(numbers(&mut server, "select count(*) from n where pid is null"), [1]);
    assert_eq!(server.log.position() - before, 5, "what followed is in the log");
    ok(&mut server, 2, "drop table c; delete from p");
}

#[test]
fn a_switched_off_foreign_key_shows_on_the_photograph_and_lets_rows_in() {
    let mut server = mysql();
    ok(&mut server, 0, TABLES);
    ok(&mut server, 1, "alter table c nocheck constraint fk_c_1; insert into c values (5, 50)");
    let photograph = server.photograph().expect("a photograph");
    assert!(!photograph.databases["app"].objects["foreign-key fk_c_1"].enabled);
    assert!(refused(&run(&mut server, 2, "alter table c with check check constraint fk_c_1")));
}

#[test]
fn a_foreign_key_that_is_added_as_not_valid_looks_at_no_row_that_is_there() {
    let mut server = server_of("postgresql 10");
    ok(&mut server, 0, TABLES);
    let orphan = "alter table c drop constraint fk_c_1; insert into c values (5, 50)";
    ok(&mut server, 1, orphan);
    let key = "alter table c add constraint fk_c_1 foreign key (pid) references p (id)";
    assert!(refused(&run(&mut server, 2, key)));
    ok(&mut server, 3, &format!("{key} not valid"));
    assert!(refused(&run(&mut server, 4, "insert into c values (6, 60)")));
}
