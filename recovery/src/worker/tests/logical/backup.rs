//! Taking sets and collecting logs.

use super::*;
use crate::model::logical::backup::SetObject;
use crate::ports::database::DatabaseError;
use crate::worker::logical::layout::Part;
use object_store::ObjectStoreExt;

fn failed(shared: &Shared) -> String {
    match last(shared) {
        Report::SetFailed { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_set_says_what_it_holds_and_is_read_chunk_by_chunk() {
    let shared = world();
    dump(&shared);
    let Report::SetCompleted { objects, size_bytes, .. } = last(&shared) else { panic!("no set") };
    let rows = |name: &str| {
        let is_it = |object: &&SetObject| object.kind == K::Table && object.name == name;
        objects.iter().find(is_it).map(|object| object.rows)
    };
    assert_eq!((rows("orders"), rows("goods"), rows("notes")), (Some(5), Some(1), Some(5)));
    assert!(objects.iter().any(|object| object.kind == K::Event) && size_bytes > 500);
    assert!(objects.iter().all(|object| object.kind != K::ForeignKey));
    let world = shared.lock();
    assert_eq!((world.servers["source"].largest_read, world.servers["source"].writes), (2, 0));
}

#[test]
fn a_set_counts_what_came_and_went_while_it_was_taken() {
    let shared = world();
    shared.before("read", 2, |world| {
        let now = world.now;
        let source = world.servers.get_mut("source").expect("a server");
        change_in(source, now, "orders", Some(order(1)), None);
        change_in(source, now, "orders", None, Some(order(9)));
        change_in(source, now, "goods", None, Some(row(7, &[("name", "new")])));
    });
    let to = dump(&shared);
    let Report::SetCompleted { objects, .. } = last(&shared) else { panic!("no set") };
    let goods = objects.iter().find(|object| object.name == "goods").expect("it is there");
    assert_eq!((to.position, goods.rows), (3, 2));
}

#[test]
fn an_account_that_may_not_read_the_log_takes_no_set() {
    let shared = world();
    shared.server("source", |server| server.grants = Grants::all(Rights::ReadWrite));
    shared.order(Job::Dump(Box::new(job())));
    run(&shared);
    assert!(failed(&shared).contains("account app may not read the log of rm-source"), "{}", failed(&shared));
}

#[test]
fn a_table_hidden_from_the_account_fails_the_set() {
    let shared = world();
    shared.server("source", |server| {
        server.grants.exceptions.insert("shop.goods".into(), Rights::None);
    });
    shared.order(Job::Dump(Box::new(job())));
    run(&shared);
    assert!(failed(&shared).contains("may not read shop.goods"), "{}", failed(&shared));
}

#[test]
fn a_source_that_goes_away_ends_the_attempt_and_nothing_is_read_without_the_snapshot() {
    for call in ["describe", "read", "changes"] {
        let shared = world();
        if call == "changes" {
            shared.before("read", 1, |world| {
                let now = world.now;
                change_in(world.servers.get_mut("source").expect("a server"), now, "orders", Some(order(1)), None);
            });
        }
        shared.order(Job::Dump(Box::new(job())));
        shared.before(call, 1, |world| {
            let away = Some(DatabaseError::Unreachable("no route".into()));
            world.servers.get_mut("source").expect("a server").refuses = away;
        });
        run(&shared);
        assert!(matches!(last(&shared), Report::SourceAway { why } if why == "no route"), "{call}");
        let connects = shared.lock().calls.iter().filter(|name| **name == "connect").count();
        assert_eq!(connects, 1, "{call}");
    }
}

#[test]
fn a_statement_that_cannot_be_carried_begins_the_set_anew() {
    let shared = world();
    shared.before("read", 1, |world| {
        let now = world.now;
        let sql = "alter table orders modify note text".to_owned();
        let kind = ChangeKind::Ddl { object: "orders".into(), sql };
        world.servers.get_mut("source").expect("a server").log_at(now, "shop", kind);
    });
    dump(&shared);
    let snapshots = shared.lock().calls.iter().filter(|name| **name == "snapshot").count();
    assert_eq!(snapshots, 2);
}

#[test]
fn only_chosen_databases_are_backed_up() {
    let shared = world();
    shared.server("source", |server| server.put_empty("other"));
    let databases = BTreeSet::from(["other".to_owned()]);
    shared.order(Job::Dump(Box::new(DumpJob { databases: databases.clone(), ..job() })));
    run(&shared);
    assert!(matches!(last(&shared), Report::SetCompleted { objects, .. } if objects.is_empty()));
    shared.order(Job::Dump(Box::new(DumpJob { databases: BTreeSet::from(["none".to_owned()]), ..job() })));
    run(&shared);
    assert!(failed(&shared).contains("no database none"));
}

#[test]
fn a_set_of_structure_holds_no_row() {
    let shared = world();
    shared.server("source", |server| server.grants = Grants::all(Rights::ReadOnly));
    shared.order(Job::Dump(Box::new(DumpJob { backup_type: LogicalType::Structure, ..job() })));
    run(&shared);
    assert!(matches!(last(&shared), Report::SetCompleted { objects, .. } if objects.iter().all(|one| one.rows == 0)));
    assert!(!shared.lock().calls.contains(&"read"));
}

#[test]
fn a_segment_holds_what_is_new_and_its_end_is_before_whatever_comes() {
    let shared = world();
    let to = dump(&shared);
    assert_eq!(collect(&shared, 0, to), (Instant { position: 0, at: to.at }, false));
    wait_until(&shared, 10);
    change(&shared, "orders", None, Some(order(6)));
    let (to, some) = collect(&shared, 0, to);
    let end = crate::ports::clock::later(at(10), jiff::SignedDuration::from_millis(-1));
    assert_eq!((to, some), (Instant { position: 1, at: end }, true));
}

#[test]
fn a_segment_that_was_written_but_not_reported_stays_as_it_is() {
    let shared = world();
    let begin = dump(&shared);
    wait_until(&shared, 10);
    change(&shared, "orders", None, Some(order(6)));
    let (first, _) = collect(&shared, 0, begin);
    wait_until(&shared, 20);
    change(&shared, "orders", None, Some(order(7)));
    assert_eq!(collect(&shared, 0, begin), (first, true));
    let (second, some) = collect(&shared, 1, first);
    assert!(some && second.position == 2 && second.at > first.at);
}

#[test]
fn a_damaged_segment_is_written_anew() {
    let shared = world();
    let begin = dump(&shared);
    wait_until(&shared, 10);
    change(&shared, "orders", None, Some(order(6)));
    let path = Part::Log { segment: 0 }.path(&SetId::from("bkx-2"));
    let put = shared.1.put(&path, "half".into());
    assert!(matches!(shared.drive(1, put), End::Done(Ok(_))));
    assert!(collect(&shared, 0, begin).1);
    wait_until(&shared, 20);
    let job = RestoreJob { logs: log(1, 0), until: Some(at(10)), ..restore_job() };
    assert_eq!(restore(&shared, job), None);
    assert!(equal(&shared, "orders"));
}

#[test]
fn a_log_that_no_longer_reaches_back_fails_the_set() {
    let shared = world();
    let begin = dump(&shared);
    change(&shared, "orders", None, Some(order(6)));
    shared.before("changes", 1, |world| {
        world.servers.get_mut("source").expect("a server").refuses = Some(DatabaseError::LogGone(5));
    });
    let (set, source) = (SetId::from("bkx-2"), access("source", Engine::MySql));
    let job = LogJob { set, segment: 0, after: begin, source, databases: BTreeSet::new() };
    shared.order(Job::CollectLog(Box::new(job)));
    run(&shared);
    assert!(failed(&shared).contains("the log begins after position 5"));
}
