//! The mistake: the user's own, or the largest table dropped.

use super::beats;
use engines::images::Family;
use engines::postgres::ident;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::{Photograph, PhotographedObject, Rows};

/// A mistake to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The database it is made in.
    pub database: String,
    /// Statements.
    pub sql: String,
    /// Whether it was chosen here.
    pub chosen: bool,
}

fn count(object: &PhotographedObject) -> u64 {
    object.rows.as_ref().map_or(0, Rows::count)
}

/// The largest table: its database and it.
fn largest(photograph: &Photograph) -> Option<(&String, &PhotographedObject)> {
    let databases = photograph.databases.iter().filter(|(name, _)| *name != beats::DATABASE);
    let tables = databases.flat_map(|(database, content)| {
        let tables = content.objects.values().filter(|object| object.kind == ObjectKind::Table);
        tables.map(move |table| (database, table))
    });
    // Of tables with as many rows, the first.
    tables.fold(None, |best: Option<(&String, &PhotographedObject)>, next| match best {
        Some(best) if count(best.1) >= count(next.1) => Some(best),
        _ => Some(next),
    })
}

/// The mistake: made where the largest table is, unless it says where itself.
///
/// # Errors
/// When there is no table.
pub fn mistake(family: Family, given: Option<&str>, before: &Photograph) -> Result<Mistake, String> {
    let (database, table) = largest(before).ok_or("the schema has no table, so that nothing could be lost")?;
    let sql = match given {
        Some(given) => given.to_owned(),
        None => drop_table(family, table),
    };
    Ok(Mistake { database: database.clone(), sql, chosen: given.is_none() })
}

/// The statement that drops a table, whatever needs it.
pub fn drop_table(family: Family, table: &PhotographedObject) -> String {
    if family == Family::Postgres {
        return format!("DROP TABLE {} CASCADE", place(table));
    }
    format!("SET FOREIGN_KEY_CHECKS = 0; DROP TABLE `{}`; SET FOREIGN_KEY_CHECKS = 1", table.name.replace('`', "``"))
}

/// A PostgreSQL table's name with its schema, quoted as its definition has it.
fn place(table: &PhotographedObject) -> String {
    let after = table.definition.split_once("TABLE ").map(|(_, after)| after);
    let quoted = after.map(|after| {
        let mut inside = false;
        let end = after.find(|letter: char| {
            inside ^= letter == '"';
            !inside && (letter.is_whitespace() || letter == '(')
        });
        after[..end.unwrap_or(after.len())].to_owned()
    });
    quoted.filter(|name| !name.is_empty()).unwrap_or_else(|| ident(&table.name))
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::{object, photograph};
    use super::*;

    #[test]
    fn without_a_mistake_the_largest_table_is_dropped() {
        let before = photograph([object(ObjectKind::Table, "a", 3), object(ObjectKind::Table, "b", 7)]);
        let mistake = mistake(Family::Postgres, None, &before).expect("one");
        assert_eq!((mistake.database.as_str(), mistake.sql.as_str()), ("app", "DROP TABLE b CASCADE"));
        assert!(mistake.chosen);
        assert!(super::mistake(Family::MySql, None, &photograph([])).is_err());
    }

    #[test]
    fn a_name_with_blanks_and_quotes_stays_whole() {
        let (_, mut table) = object(ObjectKind::Table, "x", 1);
        table.definition = "CREATE UNLOGGED TABLE public.\"my \"\"big\"\" (table)\" (id int)".into();
        assert_eq!(drop_table(Family::Postgres, &table), "DROP TABLE public.\"my \"\"big\"\" (table)\" CASCADE");
        table.name = "a`b".into();
        assert!(drop_table(Family::MariaDb, &table).contains("`a``b`"));
    }
}
