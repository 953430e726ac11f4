//! Rehearsals of recovery on real servers, with dumps as the engines' own programs wrote them: of a schema with foreign keys,
//! triggers, sequences, views, routines, events, enumerations, JSON, bytes, generated columns and names with quotes.

use conformance::rehearse::{Order, Phase, Report, Trouble, rehearse};
use engines::images::{Choice, Family, Images};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A rehearsal, by what it shows.
pub type Case = (&'static str, fn(&Images) -> Result<(), String>);

/// Every case.
pub const CASES: [Case; 6] = [
    ("rehearsal: a dump of a later PostgreSQL loads as it is, and a dropped table comes back", a_dropped_table),
    ("rehearsal: a PostgreSQL database that its dump makes comes back whole where a type is gone", a_whole_database),
    ("rehearsal: a dump of MariaDB loads with its definers, and a dropped table comes back with its trigger", mariadb),
    ("rehearsal: rows overwritten in MySQL are as before", overwritten_rows),
    ("rehearsal: a script that the server refuses is told with its line", a_refused_script),
    ("rehearsal: one that is stopped says so", a_stopped_one),
];

fn dump(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rehearsals").join(name)
}

/// An image with one of these tags, else the one that is taken by itself.
fn image(images: &Images, family: Family, tags: &[&str]) -> Result<Choice, String> {
    let tagged = tags.iter().find_map(|tag| images.tagged(family, tag));
    let image = tagged.or_else(|| images.of(family).into_iter().next());
    Ok(Choice { family, image: image.ok_or("there is no image")? })
}

fn order(choice: Choice, schema: PathBuf, mistake: Option<&str>) -> Order {
    Order { choice, schema, data: None, mistake: mistake.map(str::to_owned), measure: false }
}

/// Rehearses; gives the report where everything is as it was, with what was damaged before.
fn whole(order: &Order) -> Result<Report, String> {
    let (report, ended) = rehearse(order, &AtomicBool::new(false), &|_| {});
    let text = report.text(&ended);
    ended.map_err(|trouble| format!("{trouble}\n{text}"))?;
    let told = report.is_whole() && !report.damage.is_empty() && report.recovery_time.is_some();
    let heartbeats = report.lost.is_some_and(|lost| 0 < lost.recovered && lost.recovered <= lost.acknowledged);
    let passed = !report.prechecks.is_empty() && report.prechecks.iter().all(|checked| checked.run.passed());
    if told && heartbeats && passed { Ok(report) } else { Err(text) }
}

fn noted(report: &Report, words: &str) -> Result<(), String> {
    let mut notes = report.notes.values().flat_map(|notes| notes.keys());
    if notes.any(|note| note.contains(words)) {
        Ok(())
    } else {
        Err(format!("'{words}' is not noted: {:?}", report.notes))
    }
}

fn a_dropped_table(images: &Images) -> Result<(), String> {
    let choice = image(images, Family::Postgres, &["15", "13"])?;
    let report = whole(&order(choice, dump("pg_dump-18.sql"), None))?;
    noted(&report, "\\restrict")?;
    noted(&report, "transaction_timeout")?;
    noted(&report, "shop_owner")
}

fn a_whole_database(images: &Images) -> Result<(), String> {
    let choice = image(images, Family::Postgres, &["17"])?;
    let report = whole(&order(choice, dump("pg_dump-15-create.sql"), Some("drop type status cascade")))?;
    noted(&report, "locale")?;
    let ways = serde_json::to_value(&report.ways).map_err(|error| error.to_string())?;
    if ways["shop"]["way"] == "whole" { Ok(()) } else { Err(ways.to_string()) }
}

fn mariadb(images: &Images) -> Result<(), String> {
    let choice = image(images, Family::MariaDb, &["11.8"])?;
    let mistake = "set foreign_key_checks = 0; drop table orders";
    let report = whole(&order(choice, dump("mariadb-dump-11.8-databases.sql"), Some(mistake)))?;
    noted(&report, "sandbox")?;
    noted(&report, "`shop`@`localhost`")?;
    let damage: Vec<&str> = report.damage.iter().map(|change| change.object.as_str()).collect();
    if damage.contains(&"trigger orders_log") { Ok(()) } else { Err(format!("{damage:?}")) }
}

fn overwritten_rows(images: &Images) -> Result<(), String> {
    let choice = image(images, Family::MySql, &[])?;
    let mistake = "update orders set note = 'all alike'";
    let report = whole(&order(choice, dump("mysqldump-9.7.sql"), Some(mistake)))?;
    // Its trigger wrote what it did.
    let damage: Vec<&str> = report.damage.iter().map(|change| change.object.as_str()).collect();
    if damage == ["table log", "table orders"] { Ok(()) } else { Err(format!("{damage:?}")) }
}

fn a_refused_script(images: &Images) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let script = folder.path().join("wrong.sql");
    std::fs::write(&script, "create table t (id int);\nselect * from nowhere;\n").map_err(|error| error.to_string())?;
    let choice = image(images, Family::Postgres, &[])?;
    let (_, ended) = rehearse(&order(choice, script, None), &AtomicBool::new(false), &|_| {});
    match ended {
        Err(Trouble::Input(why)) if why.contains("line 2: relation \"nowhere\" does not exist") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn a_stopped_one(images: &Images) -> Result<(), String> {
    let choice = image(images, Family::Postgres, &[])?;
    let stop = AtomicBool::new(false);
    // Once told to stop it stays so: it is looked at only now and then.
    let tell = |phase: &Phase| {
        stop.fetch_or(phase.name == "schema loaded", Ordering::Relaxed);
    };
    let (report, ended) = rehearse(&order(choice, dump("pg_dump-18.sql"), None), &stop, &tell);
    if ended == Err(Trouble::Stopped) && report.left.is_none() { Ok(()) } else { Err(format!("{ended:?}")) }
}
