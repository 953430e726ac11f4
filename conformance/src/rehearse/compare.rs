//! What differs between two photographs of an instance, as far as its users' databases go.

use super::beats;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// How an object differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum How {
    /// It is gone.
    Missing,
    /// It was not there before.
    New,
    /// It is defined otherwise.
    Defined,
    /// It holds other rows.
    Rows {
        /// How many before.
        before: u64,
        /// How many now.
        now: u64,
    },
}

/// One object that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Database.
    pub database: String,
    /// Kind; none for the database itself.
    pub kind: Option<ObjectKind>,
    /// Kind and name, `table orders`.
    pub object: String,
    /// How it differs.
    #[serde(flatten)]
    pub how: How,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, object, .. } = self;
        match &self.how {
            How::Missing => write!(f, "{database}: {object} is gone"),
            How::New => write!(f, "{database}: {object} is new"),
            How::Defined => write!(f, "{database}: {object} is defined otherwise"),
            How::Rows { before, now } if before == now => {
                write!(f, "{database}: {object} holds other values in its {now} rows")
            }
            How::Rows { before, now } => write!(f, "{database}: {object} holds {now} rows instead of {before}"),
        }
    }
}

/// What differs; databases in `beside` are not looked at.
pub fn changes(before: &Photograph, now: &Photograph, beside: &BTreeSet<String>) -> Vec<Change> {
    let names: BTreeSet<&String> = before.databases.keys().chain(now.databases.keys()).collect();
    let looked_at = names.into_iter().filter(|name| *name != beats::DATABASE && !beside.contains(*name));
    let of_one = |name: &String| match (before.databases.get(name), now.databases.get(name)) {
        (Some(before), Some(now)) => of_database(name, before, now),
        (before, _) => {
            let how = if before.is_some() { How::Missing } else { How::New };
            vec![Change { database: name.clone(), kind: None, object: "the database".to_owned(), how }]
        }
    };
    looked_at.flat_map(of_one).collect()
}

fn of_database(name: &str, before: &PhotographedDatabase, now: &PhotographedDatabase) -> Vec<Change> {
    let entries: BTreeSet<&String> = before.objects.keys().chain(now.objects.keys()).collect();
    let change = |entry: &String| {
        let (one, other) = (before.objects.get(entry), now.objects.get(entry));
        let how = difference(one, other)?;
        let kind = one.or(other).map(|object| object.kind);
        Some(Change { database: name.to_owned(), kind, object: entry.clone(), how })
    };
    entries.into_iter().filter_map(change).collect()
}

fn difference(before: Option<&PhotographedObject>, now: Option<&PhotographedObject>) -> Option<How> {
    let (before, now) = match (before, now) {
        (Some(before), Some(now)) => (before, now),
        (Some(_), None) => return Some(How::Missing),
        (None, _) => return Some(How::New),
    };
    if before == now {
        return None;
    }
    let bare = |object: &PhotographedObject| PhotographedObject { rows: None, ..object.clone() };
    match (&before.rows, &now.rows) {
        (Some(then), Some(here)) if bare(before) == bare(now) => {
            Some(How::Rows { before: then.count(), now: here.count() })
        }
        _ => Some(How::Defined),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use recovery::model::content::Value;
    use recovery::model::photograph::Rows;
    use std::collections::BTreeMap;

    /// An object on a photograph; a table holds so many rows.
    pub fn object(kind: ObjectKind, name: &str, rows: usize) -> (String, PhotographedObject) {
        let word = serde_json::to_value(kind).expect("a word");
        let number = |number: usize| vec![Value::Integer(i64::try_from(number).unwrap_or(0))];
        let rows = (kind == ObjectKind::Table).then(|| Rows::Whole {
            columns: vec!["id".into()],
            key: vec!["id".into()],
            rows: (0..rows).map(number).collect(),
        });
        let object = PhotographedObject {
            kind,
            name: name.into(),
            definition: format!("CREATE TABLE {name} (id int)"),
            definer: None,
            security: None,
            enabled: true,
            needs: vec![],
            rows,
        };
        (format!("{} {name}", word.as_str().unwrap_or_default()), object)
    }

    /// A photograph with a database `app` of these.
    pub fn photograph(objects: impl IntoIterator<Item = (String, PhotographedObject)>) -> Photograph {
        let app = PhotographedDatabase { charset: "UTF8".into(), objects: objects.into_iter().collect() };
        Photograph {
            databases: BTreeMap::from([("app".to_owned(), app)]),
            accounts: BTreeMap::new(),
            settings: BTreeMap::new(),
            log_position: 0,
        }
    }

    #[test]
    fn a_gone_table_a_new_view_and_lost_rows_are_told_apart() {
        let before = photograph([object(ObjectKind::Table, "a", 1), object(ObjectKind::Table, "b", 3)]);
        let now = photograph([object(ObjectKind::View, "v", 0), object(ObjectKind::Table, "b", 2)]);
        let told: Vec<String> = changes(&before, &now, &BTreeSet::new()).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["app: table a is gone", "app: table b holds 2 rows instead of 3", "app: view v is new"]);
        assert!(changes(&before, &before, &BTreeSet::new()).is_empty());
        assert!(changes(&before, &now, &BTreeSet::from(["app".to_owned()])).is_empty());
    }
}
