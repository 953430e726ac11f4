//! The event scheduler.

use super::super::server::Server;
use super::{at, mysql, numbers, ok};
use recovery::ports::clock::later_s;

fn with_events(definition: &str) -> Server {
    let mut server = mysql();
    server.configuration.parameters.insert("event_scheduler".into(), "on".into());
    ok(&mut server, 0, "create table ticks (id integer primary key, note text)");
    ok(&mut server, 0, definition);
    server
}

fn ticks(server: &mut Server) -> Vec<i64> {
    numbers(server, "select count(*) from ticks")
}

#[test]
fn an_event_runs_at_every_one_of_its_times_and_says_when_the_next_is() {
    let mut server =
        with_events("create event tick on schedule every 10 second do insert into ticks (note) values ('x')");
    let mut next = at(0);
    for _ in 0..4 {
        next = server.run_events(next).expect("another time");
    }
    assert_eq!(ticks(&mut server), [4]);
    assert_eq!(next, later_s(at(0), 40));
}

#[test]
fn times_missed_while_the_machine_was_down_are_left_out() {
    let mut server =
        with_events("create event tick on schedule every 10 second do insert into ticks (note) values ('x')");
    server.run_events(at(0));
    let next = server.run_events(later_s(at(0), 1_005));
    assert_eq!(ticks(&mut server), [2]);
    assert_eq!(next, Some(later_s(at(0), 1_010)));
}

#[test]
fn an_event_at_a_time_runs_once_and_is_gone() {
    let definition = "create event once on schedule at current_timestamp + interval 1 minute do begin \
                      insert into ticks (note) values ('a'); insert into ticks (note) values ('b'); end";
    let mut server = with_events(definition);
    assert_eq!(server.run_events(at(0)), Some(later_s(at(0), 60)));
    assert_eq!(ticks(&mut server), [0]);
    assert_eq!(server.run_events(later_s(at(0), 60)), None);
    assert_eq!(ticks(&mut server), [2]);
    let objects = server.describe("app", "app").expect("described");
    assert!(objects.iter().all(|object| object.name != "once"));
}

#[test]
fn nothing_runs_while_the_scheduler_is_off() {
    let mut server = with_events("create event tick on schedule every 1 day do insert into ticks (note) values ('x')");
    server.configuration.parameters.insert("event_scheduler".into(), "off".into());
    assert_eq!(server.run_events(at(0)), None);
    assert_eq!(ticks(&mut server), [0]);
}

#[test]
fn a_schedule_that_is_not_understood_is_refused() {
    let mut server = mysql();
    for schedule in ["every blue moon", "at", "every 0 second", "sometimes"] {
        let sql = format!("create event e on schedule {schedule} do delete from nothing");
        assert!(server.run("app", "app", &sql, at(0)).is_err(), "{schedule}");
    }
}
