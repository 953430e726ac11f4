//! Tables and other objects that worlds hold, and the statements that make, fill and change them.

use serde::{Deserialize, Serialize};

/// Columns of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A number and an item.
    Orders,
    /// A number and a name.
    Customers,
    /// A number and a reference to an order.
    Lines,
    /// A number, a text and bytes.
    Words,
    /// No key.
    Keyless,
    /// A number that the server gives, and an item.
    Numbers,
    /// What the application writes.
    Journal,
    /// Keys of Redis.
    Keys,
}

impl Shape {
    /// The name of the table of this shape that a world begins with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Customers => "customers",
            Self::Lines => "lines",
            Self::Words => "words",
            Self::Keyless => "keyless",
            Self::Numbers => "numbers",
            Self::Journal => "journal",
            Self::Keys => "keys",
        }
    }

    /// The statement that makes a table of this shape.
    #[must_use]
    pub fn create(self, name: &str) -> String {
        let columns = match self {
            Self::Orders => "id int primary key, item varchar(40) not null".to_owned(),
            Self::Customers => "id int primary key, name varchar(40)".to_owned(),
            Self::Lines => {
                let key = format!("constraint {name}_ordered foreign key (ordered) references orders (id)");
                format!("id int primary key, ordered int, {key}")
            }
            Self::Words => "id int primary key, word text, raw blob".to_owned(),
            Self::Keyless => "a int, b varchar(10)".to_owned(),
            Self::Numbers => "id integer primary key autoincrement, item varchar(40)".to_owned(),
            Self::Journal => "id int primary key, note varchar(40)".to_owned(),
            Self::Keys => return String::new(),
        };
        format!("create table {name} ({columns})")
    }

    /// Column of the key.
    #[must_use]
    pub fn key(self) -> &'static str {
        if self == Self::Keyless { "a" } else { "id" }
    }

    /// Column of a text or number that changes; none where nothing but the key does.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::Orders | Self::Numbers => "item",
            Self::Customers => "name",
            Self::Lines => "ordered",
            Self::Words => "word",
            Self::Keyless => "b",
            Self::Journal | Self::Keys => "note",
        }
    }

    /// The changing column's value of a row, as SQL; `id` is the row's number, as SQL too.
    #[must_use]
    pub fn value(self, id: &str) -> String {
        match self {
            Self::Lines => "null".to_owned(),
            Self::Keyless => "'x'".to_owned(),
            Self::Orders | Self::Numbers => format!("'item ' || {id}"),
            Self::Customers => format!("'Ada ' || {id}"),
            Self::Words => format!("'Grüße 恢复 ' || {id}"),
            Self::Journal | Self::Keys => format!("'row ' || {id}"),
        }
    }

    /// The statement that fills a new table with rows 1 to `rows`; empty for none.
    #[must_use]
    pub fn fill(self, name: &str, rows: u64) -> String {
        if rows == 0 {
            return String::new();
        }
        let (key, column, value) = (self.key(), self.column(), self.value("i"));
        let numbers = format!("with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})");
        format!("insert into {name} ({key}, {column}) {numbers} select i, {value} from n")
    }
}

/// Objects of `app` that are no tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    /// A view of orders.
    View,
    /// An index on orders.
    Index,
    /// A trigger on orders that writes to a table without key.
    Trigger,
    /// A procedure.
    Procedure,
    /// A function.
    Function,
    /// An event of MySQL.
    Event,
}

impl Extra {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "lamps",
            Self::Index => "by_item",
            Self::Trigger => "remember",
            Self::Procedure => "tidy",
            Self::Function => "one",
            Self::Event => "tick",
        }
    }

    /// The statement that makes it.
    #[must_use]
    pub fn create(self, mysql: bool) -> &'static str {
        match self {
            Self::View => "create view lamps as select * from orders where item = 'lamp'",
            Self::Index => "create index by_item on orders (item)",
            Self::Trigger => {
                "create trigger remember after insert on orders begin insert into keyless values (new.id, 'seen'); end"
            }
            Self::Procedure if mysql => "create procedure tidy() begin delete from orders where id = 0; end",
            Self::Procedure => "create procedure tidy as delete from orders where id = 0",
            Self::Function => "create function one() returns int begin return 1; end",
            Self::Event => "create event tick on schedule every 1 day do delete from orders where id = 0",
        }
    }

    /// The statement that drops it.
    #[must_use]
    pub fn drop(self) -> String {
        let kind = match self {
            Self::View => "view",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::Procedure => "procedure",
            Self::Function => "function",
            Self::Event => "event",
        };
        format!("drop {kind} {}", self.name())
    }
}
