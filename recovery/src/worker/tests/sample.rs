//! Objects, selections and work to try the worker with.

use crate::model::content::{Column, Object, ObjectKind, Value};
use crate::model::task::{MigrationType, SameNameMode, Selection, Work};
use crate::model::work::{Access, MigrationJob};
use crate::model::{Engine, Product, Secret};
use crate::ports::database::Login;
use std::collections::{BTreeMap, BTreeSet};

/// A product by its words.
pub fn product(words: &str) -> Product {
    words.parse().expect("a product")
}

/// A product of each engine.
pub fn product_of(engine: Engine) -> Product {
    product(match engine {
        Engine::MySql => "mysql 5.7",
        Engine::SqlServer => "sqlserver 2012 web",
        Engine::PostgreSql => "postgresql 9.4",
        Engine::Ppas => "ppas 9.3",
        Engine::Redis => "redis 5.0",
    })
}

/// An object without much to it.
pub fn object(kind: ObjectKind, name: &str, definition: &str) -> Object {
    Object {
        kind,
        name: name.to_owned(),
        table: None,
        definition: definition.to_owned(),
        columns: Vec::new(),
        key: Vec::new(),
        needs: Vec::new(),
        definer: None,
        security: None,
        revision: 1,
        rows: 0,
    }
}

/// A table with an integer key `id` and text columns.
pub fn table(name: &str, columns: &[&str]) -> Object {
    let column =
        |name: &str, declared: &str, nullable| Column { name: name.into(), declared: declared.into(), nullable };
    let mut all = vec![column("id", "int", false)];
    all.extend(columns.iter().map(|name| column(name, "varchar(40)", true)));
    let text: String = columns.iter().map(|name| format!(", {name} varchar(40)")).collect();
    let definition = format!("create table {name} (id int not null{text}, primary key (id))");
    Object { columns: all, key: vec!["id".into()], ..object(ObjectKind::Table, name, &definition) }
}

/// An object that belongs to a table.
pub fn of_table(kind: ObjectKind, name: &str, table: &str, definition: &str) -> Object {
    Object { table: Some(table.to_owned()), ..object(kind, name, definition) }
}

/// A foreign key.
pub fn foreign_key(name: &str, child: &str, column: &str, parent: &str) -> Object {
    let text = format!("alter table {child} add constraint {name} foreign key ({column}) references {parent} (id)");
    Object { needs: vec![parent.to_owned()], ..of_table(ObjectKind::ForeignKey, name, child, &text) }
}

/// A view.
pub fn view(name: &str, needs: &[&str], query: &str) -> Object {
    let needs = needs.iter().map(|name| (*name).to_owned()).collect();
    Object { needs, ..object(ObjectKind::View, name, &format!("create view {name} as {query}")) }
}

/// A shop: orders with items of goods, a view and a trigger.
pub fn shop() -> Vec<Object> {
    vec![
        table("orders", &["item", "note"]),
        table("goods", &["name"]),
        foreign_key("fk_item", "orders", "item", "goods"),
        of_table(ObjectKind::Index, "by_note", "orders", "create index by_note on orders (note)"),
        view("open_orders", &["orders"], "select id from orders"),
        of_table(
            ObjectKind::Trigger,
            "audit",
            "orders",
            "create trigger audit after insert on orders begin select 1; end",
        ),
    ]
}

/// A row of a table made by [`table`].
pub fn row(id: i64, columns: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let mut row = BTreeMap::from([("id".to_owned(), Value::Integer(id))]);
    row.extend(columns.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))));
    row
}

/// A whole database.
pub fn whole(database: &str) -> Selection {
    Selection {
        database: database.to_owned(),
        table: None,
        columns: None,
        database_as: None,
        table_as: None,
        columns_as: BTreeMap::new(),
    }
}

/// One table.
pub fn only(database: &str, table: &str) -> Selection {
    Selection { table: Some(table.to_owned()), ..whole(database) }
}

/// Migration types by their first letters: `s`, `f`, `i`.
pub fn types(letters: &str) -> BTreeSet<MigrationType> {
    let all = [('s', MigrationType::Structure), ('f', MigrationType::Full), ('i', MigrationType::Incremental)];
    all.into_iter().filter(|(letter, _)| letters.contains(*letter)).map(|(_, kind)| kind).collect()
}

/// One side, at the endpoint that bears its name.
pub fn access(side: &str, engine: Engine) -> Access {
    Access {
        instance: format!("rm-{side}"),
        endpoint: Some(side.to_owned()),
        product: product_of(engine),
        login: Login { account: "app".into(), password: Secret::new("s3cret"), ssl: false },
        replica_of: None,
        expires_at: None,
    }
}

/// Work from `source` to `target`.
pub fn work(work: Work, engine: Engine, letters: &str, objects: Vec<Selection>) -> MigrationJob {
    MigrationJob {
        work,
        source: access("source", engine),
        target: access("target", engine),
        types: types(letters),
        objects,
        same_name: SameNameMode::Stop,
        without_advice: BTreeSet::new(),
        way_back: Vec::new(),
        progress: Vec::new(),
        planned: Vec::new(),
        loaded: false,
        log_position: None,
        chunk_rows: 2,
        connection_retry_s: 43_200,
    }
}
