//! What objects need of each other: as the server keeps it in `pg_depend`, and for the texts of routines, which it does
//! not look into, the names that stand in them.

use super::super::connection::Connection;
use super::{Catalog, Described};
use recovery::model::Engine;
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;
use recovery::worker::sql::tokens;
use std::collections::{BTreeMap, BTreeSet};

/// Dependences between rows of users, each side as catalog and number. What belongs to a relation (its row type, defaults,
/// checks, keys and rules, a view's query) stands for it, and the array of a type for the type.
const DEPENDS: &str = "WITH side AS (SELECT DISTINCT classid AS c, objid AS o FROM pg_depend WHERE objid >= 16384 \
      UNION SELECT DISTINCT refclassid, refobjid FROM pg_depend WHERE refobjid >= 16384), \
    stands AS (SELECT s.c, s.o, \
      CASE WHEN w.ev_class IS NOT NULL AND (w.rulename = '_RETURN') THEN 'pg_class' \
           WHEN f.adrelid IS NOT NULL OR (k.conrelid <> 0 AND k.contype <> 'f') THEN 'pg_class' \
           WHEN k.contypid <> 0 OR e.oid IS NOT NULL THEN 'pg_type' \
           WHEN t.typrelid <> 0 AND tc.relkind <> 'c' THEN 'pg_class' \
           WHEN cc.reltype IS NOT NULL THEN 'pg_type' \
           ELSE s.c::regclass::text END AS catalog, \
      CASE WHEN w.rulename = '_RETURN' THEN w.ev_class \
           WHEN f.adrelid IS NOT NULL THEN f.adrelid WHEN k.conrelid <> 0 AND k.contype <> 'f' THEN k.conrelid \
           WHEN k.contypid <> 0 THEN k.contypid WHEN e.oid IS NOT NULL THEN e.oid \
           WHEN t.typrelid <> 0 AND tc.relkind <> 'c' THEN t.typrelid \
           WHEN cc.reltype IS NOT NULL THEN cc.reltype ELSE s.o END AS number \
      FROM side s \
      LEFT JOIN pg_rewrite w ON s.c = 'pg_catalog.pg_rewrite'::regclass AND w.oid = s.o \
      LEFT JOIN pg_attrdef f ON s.c = 'pg_catalog.pg_attrdef'::regclass AND f.oid = s.o \
      LEFT JOIN pg_constraint k ON s.c = 'pg_catalog.pg_constraint'::regclass AND k.oid = s.o \
      LEFT JOIN pg_type t ON s.c = 'pg_catalog.pg_type'::regclass AND t.oid = s.o \
      LEFT JOIN pg_class tc ON tc.oid = t.typrelid \
      LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.typarray = t.oid AND e.oid >= 16384 \
      LEFT JOIN pg_class cc ON s.c = 'pg_catalog.pg_class'::regclass AND cc.oid = s.o AND cc.relkind = 'c') \
    SELECT DISTINCT a.catalog, a.number, b.catalog, b.number FROM pg_depend d \
    JOIN stands a ON a.c = d.classid AND a.o = d.objid JOIN stands b ON b.c = d.refclassid AND b.o = d.refobjid \
    WHERE (a.catalog, a.number) <> (b.catalog, b.number)";

/// Says of each object what it needs.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn find(connection: &Connection, found: &mut [Described]) -> Result<(), DatabaseError> {
    let places: BTreeMap<(Catalog, u32), usize> = found.iter().enumerate().map(|(at, one)| (one.at, at)).collect();
    let mut needs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); found.len()];
    for row in connection.query(DEPENDS, &[]).await? {
        let one = catalog(row.get(0)).and_then(|catalog| places.get(&(catalog, row.get(1))));
        let other = catalog(row.get(2)).and_then(|catalog| places.get(&(catalog, row.get(3))));
        if let (Some(one), Some(other)) = (one, other) {
            needs[*one].insert(*other);
        }
    }
    named(found, &mut needs);
    let kinds: Vec<(ObjectKind, String)> = found.iter().map(|one| (one.object.kind, one.object.name.clone())).collect();
    for (one, needs) in found.iter_mut().zip(needs) {
        let object = &mut one.object;
        let needed = needs.into_iter().map(|need| &kinds[need]);
        let needed =
            needed.filter(|(kind, name)| !of_its_own(object.kind, *kind) && Some(name) != object.table.as_ref());
        let needed: BTreeSet<String> = needed.map(|(_, name)| name.clone()).chain(object.needs.clone()).collect();
        object.needs = needed.into_iter().collect();
    }
    Ok(())
}

/// A foreign key's parent is known from its own row, where it is the first; what indexes stand on does not count.
fn of_its_own(kind: ObjectKind, need: ObjectKind) -> bool {
    let belongs = [ObjectKind::Index, ObjectKind::ForeignKey, ObjectKind::Trigger, ObjectKind::Rule];
    kind == ObjectKind::ForeignKey || belongs.contains(&need)
}

fn catalog(name: &str) -> Option<Catalog> {
    let known = [("pg_class", Catalog::Class), ("pg_proc", Catalog::Proc), ("pg_type", Catalog::Type)];
    let more =
        [("pg_constraint", Catalog::Constraint), ("pg_trigger", Catalog::Trigger), ("pg_rewrite", Catalog::Rewrite)];
    known.into_iter().chain(more).find(|(own, _)| *own == name).map(|(_, catalog)| catalog)
}

/// Adds the relations whose names stand in the texts of routines.
fn named(found: &[Described], needs: &mut [BTreeSet<usize>]) {
    let relations = [ObjectKind::Table, ObjectKind::View, ObjectKind::Sequence];
    let known = found.iter().enumerate().filter(|(_, one)| relations.contains(&one.object.kind));
    let known: BTreeMap<&str, usize> = known.map(|(at, one)| (one.object.name.as_str(), at)).collect();
    let routines = [ObjectKind::Function, ObjectKind::Procedure];
    for (at, routine) in found.iter().enumerate().filter(|(_, one)| routines.contains(&one.object.kind)) {
        for name in words(&routine.object.definition) {
            needs[at].extend(known.get(name.as_str()));
        }
    }
}

/// The names in a routine's text, its body among them, which is a literal between dollars.
fn words(definition: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for token in tokens(Engine::PostgreSql, definition) {
        match token.name() {
            Some(name) => drop(names.insert(name)),
            None if token.text.starts_with('$') => {
                let body = token.text[1..].split_once('$').map_or("", |(_, body)| body);
                names.extend(tokens(Engine::PostgreSql, body).iter().filter_map(recovery::worker::sql::Token::name));
            }
            None => {}
        }
    }
    names
}
