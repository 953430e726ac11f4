//! What a task's selections cover and what it is called in the target (DTS-05, DTS-07).

use crate::model::content::Object;
use crate::model::task::Selection;
use std::collections::{BTreeMap, BTreeSet};

/// The selections of a task.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    selections: &'a [Selection],
}

/// Where a selected table goes.
#[derive(Debug, Clone, Copy)]
pub struct Placing<'a> {
    /// Database in the target.
    pub database: &'a str,
    /// Table in the target.
    pub table: &'a str,
    columns: Option<&'a [String]>,
    columns_as: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Scope<'a> {
    /// The scope of some selections.
    #[must_use]
    pub fn new(selections: &'a [Selection]) -> Self {
        Self { selections }
    }

    /// Databases of the source that something is selected of.
    #[must_use]
    pub fn databases(self) -> BTreeSet<&'a str> {
        self.selections.iter().map(|selection| selection.database.as_str()).collect()
    }

    /// Databases of the target that something goes to, with the source database each takes its character set from.
    #[must_use]
    pub fn target_databases(self) -> BTreeMap<&'a str, &'a str> {
        self.selections.iter().map(|selection| (selection.target_database(), selection.database.as_str())).collect()
    }

    /// The target database of a database selected as a whole.
    #[must_use]
    pub fn whole(self, database: &str) -> Option<&'a str> {
        let mut selections = self.selections.iter();
        let whole = selections.find(|selection| selection.database == database && selection.table.is_none());
        whole.map(Selection::target_database)
    }

    /// Where a table goes; a selection of the table itself comes before one of its whole database.
    #[must_use]
    pub fn table(self, database: &str, table: &str) -> Option<Placing<'a>> {
        let of_table = |selection: &&Selection| {
            selection.database == database && selection.table.as_deref().is_some_and(|own| own == table)
        };
        let selection = self.selections.iter().find(of_table)?;
        Some(Placing {
            database: selection.target_database(),
            table: selection.table_as.as_deref().or(selection.table.as_deref())?,
            columns: selection.columns.as_deref(),
            columns_as: Some(&selection.columns_as),
        })
    }

    /// Where a table goes that is selected by itself or with its whole database.
    #[must_use]
    pub fn place<'b>(self, database: &str, table: &'b str) -> Option<Placing<'b>>
    where
        'a: 'b,
    {
        if let Some(placing) = self.table(database, table) {
            return Some(placing);
        }
        let database = self.whole(database)?;
        Some(Placing { database, table, columns: None, columns_as: None })
    }

    /// Tables selected by themselves, as `(database, table)`.
    pub fn tables(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.selections.iter().filter_map(|selection| Some((selection.database.as_str(), selection.table.as_deref()?)))
    }

    /// Whether a table of the target is one that this task writes.
    #[must_use]
    pub fn is_target(self, database: &str, table: &str) -> bool {
        self.selections.iter().any(|selection| {
            let name = selection.table_as.as_ref().or(selection.table.as_ref());
            selection.target_database() == database && name.is_none_or(|name| name == table)
        })
    }
}

impl Placing<'_> {
    /// Name of a column in the target; nothing when the column is not selected.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<String> {
        if self.columns.is_some_and(|columns| !columns.iter().any(|column| column == name)) {
            return None;
        }
        let renamed = self.columns_as.and_then(|columns| columns.get(name));
        Some(renamed.map_or(name, String::as_str).to_owned())
    }

    /// Whether every column of the table goes along.
    #[must_use]
    pub fn takes_all_columns(&self) -> bool {
        self.columns.is_none()
    }

    /// Columns that are called otherwise in the target.
    #[must_use]
    pub fn new_columns(&self) -> Vec<(String, String)> {
        let columns = self.columns_as.into_iter().flatten().filter(|(from, to)| from != to);
        columns.map(|(from, to)| (from.clone(), to.clone())).collect()
    }

    /// The selected columns of a table: name in the source and in the target, in the table's order.
    #[must_use]
    pub fn columns_of(&self, table: &Object) -> Vec<(String, String)> {
        let columns = table.columns.iter();
        columns.filter_map(|column| Some((column.name.clone(), self.column(&column.name)?))).collect()
    }

    /// The key of a table by target names; empty when it has none or not all of it is selected.
    #[must_use]
    pub fn key_of(&self, table: &Object) -> Vec<String> {
        let key: Option<Vec<String>> = table.key.iter().map(|column| self.column(column)).collect();
        key.unwrap_or_default()
    }
}
