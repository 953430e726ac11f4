//! Advice: rows of the source that violate its own foreign keys.

use crate::model::Engine;
use crate::model::content::{Object, ObjectKind, Value};
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::servers::Side;
use crate::worker::sql::{self, Kind, Token};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseOrphans,
        english: "Rows that violate foreign keys",
        chinese: "外键数据一致性检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Rows,
        looks_at: "Counts the rows of selected tables whose foreign key points to no row.",
        finds: &["rows point to no row of the parent table"],
        remedy: "Repair or delete these rows in the source, or leave the foreign key out.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    let engine = work.source.product.engine;
    let tables = bench.source_tables().await?;
    let mut findings = Vec::new();
    for (database, objects) in bench.source_objects().await? {
        for key in objects.iter().filter(|object| object.kind == ObjectKind::ForeignKey) {
            let chosen = tables.iter().any(|(own, table)| *own == database && Some(&table.name) == key.table.as_ref());
            let Some(link) = Link::of(engine, key, &objects).filter(|_| chosen) else { continue };
            let outcome = bench.query(Side::Source, &database, &link.count(engine)).await?;
            let Some(Value::Integer(rows @ 1..)) = outcome.rows.first().and_then(|row| row.first()).cloned() else {
                continue;
            };
            let (child, parent, key) = (&link.child, &link.parent, &key.name);
            let cause = format!(
                "{rows} rows of table {database}.{child} point to no row of {database}.{parent} by foreign key {key}"
            );
            let remedy = format!(
                "Repair or delete these rows in the source, then check again, or go on: where foreign keys are made after \
                 the rows, making {key} fails."
            );
            findings.push(Finding::new(cause, remedy).by(link.listing(engine)));
        }
    }
    Ok(findings)
}

/// A foreign key as its definition says it.
#[derive(Debug, PartialEq)]
struct Link {
    child: String,
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
}

impl Link {
    /// Reads `… FOREIGN KEY (columns) REFERENCES parent [(columns)] …`.
    fn of(engine: Engine, key: &Object, objects: &[Object]) -> Option<Self> {
        let (child, parent) = (key.table.clone()?, key.needs.first()?.clone());
        let tokens: Vec<Token> =
            sql::tokens(engine, &key.definition).into_iter().filter(|t| t.kind != Kind::Space).collect();
        let foreign = tokens.windows(2).position(|pair| pair[0].is_word("foreign") && pair[1].is_word("key"))?;
        let references = foreign + tokens[foreign..].iter().position(|token| token.is_word("references"))?;
        let columns = listed(&tokens[foreign..references])?;
        let after = tokens[references..].iter().position(|token| token.is_sign("(")).map(|at| references + at);
        let known = objects.iter().find(|object| object.kind == ObjectKind::Table && object.name == parent);
        let parent_columns = match after {
            Some(at) => listed(&tokens[at..])?,
            None => known?.key.clone(),
        };
        (columns.len() == parent_columns.len()).then_some(Self { child, columns, parent, parent_columns })
    }

    fn condition(&self, engine: Engine) -> String {
        let name = |name: &str| quoted(engine, name);
        let given: Vec<String> = self.columns.iter().map(|column| format!("c.{} IS NOT NULL", name(column))).collect();
        let pairs = self.columns.iter().zip(&self.parent_columns);
        let same: Vec<String> = pairs.map(|(own, other)| format!("p.{} = c.{}", name(other), name(own))).collect();
        format!(
            "FROM {} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
            table(engine, &self.child),
            given.join(" AND "),
            table(engine, &self.parent),
            same.join(" AND ")
        )
    }

    fn count(&self, engine: Engine) -> String {
        format!("SELECT count(*) {}", self.condition(engine))
    }

    fn listing(&self, engine: Engine) -> String {
        format!("SELECT c.* {}", self.condition(engine))
    }
}

/// The names between the first parenthesis and its end.
fn listed(tokens: &[Token]) -> Option<Vec<String>> {
    let open = tokens.iter().position(|token| token.is_sign("("))?;
    let inside = tokens[open + 1..].iter().take_while(|token| !token.is_sign(")"));
    let names: Option<Vec<String>> = inside.filter(|token| !token.is_sign(",")).map(Token::name).collect();
    names.filter(|names| !names.is_empty())
}

fn quoted(engine: Engine, name: &str) -> String {
    let quote = if engine == Engine::MySql { '`' } else { '"' };
    format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
}

/// A table's name; the schemas of PostgreSQL stand before it with a dot.
fn table(engine: Engine, name: &str) -> String {
    match name.split_once('.').filter(|_| matches!(engine, Engine::PostgreSql | Engine::Ppas)) {
        Some((schema, name)) => format!("{}.{}", quoted(engine, schema), quoted(engine, name)),
        None => quoted(engine, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::tests::sample::{object, of_table};

    fn key(definition: &str) -> Object {
        Object { needs: vec!["goods".into()], ..of_table(ObjectKind::ForeignKey, "fk", "orders", definition) }
    }

    #[test]
    fn a_foreign_key_is_read_out_of_its_definition_with_the_key_of_its_parent_where_it_names_none() {
        let text = "ALTER TABLE ONLY orders ADD CONSTRAINT fk FOREIGN KEY (a, \"b c\") REFERENCES goods(x, y) ON DELETE CASCADE";
        let link = Link::of(Engine::PostgreSql, &key(text), &[]).expect("a foreign key");
        assert_eq!((link.columns, link.parent_columns), (vec!["a".into(), "b c".into()], vec!["x".into(), "y".into()]));
        let goods = Object { key: vec!["id".into()], ..object(ObjectKind::Table, "goods", "") };
        let text = "alter table orders add constraint fk foreign key (item) references goods on delete cascade";
        let link = Link::of(Engine::MySql, &key(text), &[goods]).expect("a foreign key");
        assert_eq!(
            link.count(Engine::MySql),
            "SELECT count(*) FROM `orders` c WHERE c.`item` IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `goods` p WHERE p.`id` = c.`item`)"
        );
        assert_eq!(Link::of(Engine::MySql, &key(text), &[]), None);
        assert_eq!(table(Engine::PostgreSql, "crm.goods"), "\"crm\".\"goods\"");
    }
}
