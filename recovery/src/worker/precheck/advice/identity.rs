//! Advice: columns that count by themselves go on from other numbers in the target.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::sql::{self, Kind, Token};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseIdentity,
        english: "Generated and identity columns",
        chinese: "自增列与生成列检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Rows,
        looks_at: "Looks for columns of selected tables that count by themselves or are computed from others.",
        finds: &["a column counts by itself", "a column is computed from others"],
        remedy: "Set the counter of the target after the migration, or go on.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Words of a column that counts by itself.
const COUNTS: [&str; 5] = ["auto_increment", "autoincrement", "identity", "serial", "bigserial"];

async fn look(bench: &Bench) -> Looked {
    let engine = bench.work().source.product.engine;
    let mut findings = Vec::new();
    for (database, table) in bench.source_tables().await? {
        for (column, counts) in special(engine, &table.definition) {
            let named = format!("{database}.{}.{column}", table.name);
            let (cause, remedy) = if counts {
                (
                    format!(
                        "column {named} counts by itself: in the target it goes on after the highest row that came over"
                    ),
                    format!(
                        "Set the counter of {named} in the target to that of the source after the migration, or go on."
                    ),
                )
            } else {
                (
                    format!("column {named} is computed: the target computes it anew, by its own rules"),
                    format!("Compare {named} on both sides after the migration, or go on."),
                )
            };
            findings.push(Finding::new(cause, remedy));
        }
    }
    Ok(findings)
}

/// The columns in the text of a table that count (true) or are computed (false).
fn special(engine: Engine, definition: &str) -> Vec<(String, bool)> {
    let tokens = sql::tokens(engine, definition).into_iter().filter(|token| token.kind != Kind::Space);
    let (mut depth, mut parts) = (0_i32, vec![Vec::new()]);
    for token in tokens {
        depth += i32::from(token.is_sign("(")) - i32::from(token.is_sign(")"));
        match depth {
            1 if token.is_sign(",") => parts.push(Vec::new()),
            1.. => parts.last_mut().into_iter().for_each(|part| part.push(token.clone())),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for part in parts {
        let words = part.strip_prefix(&[Token { kind: Kind::Sign, text: "(".into() }]).unwrap_or(part.as_slice());
        let Some((column, rest)) = words.split_first() else { continue };
        let Some(name) = column.name() else { continue };
        let counts = rest.iter().any(|token| COUNTS.iter().any(|word| token.is_word(word)));
        let computed =
            rest.windows(3).any(|three| three[0].is_word("always") && three[1].is_word("as") && three[2].is_sign("("));
        if counts || computed {
            found.push((name, counts));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_count_or_are_computed_are_told_from_others() {
        let text = "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, `identity` varchar(9) DEFAULT 'serial', \
                    `total` decimal(9,2) GENERATED ALWAYS AS (`a` * 2) STORED, PRIMARY KEY (`id`)) ENGINE=InnoDB";
        assert_eq!(special(Engine::MySql, text), [("id".to_owned(), true), ("total".to_owned(), false)]);
        let text = "create table t (id int generated always as identity, n int identity(1,1), name text)";
        assert_eq!(special(Engine::SqlServer, text), [("id".to_owned(), true), ("n".to_owned(), true)]);
    }
}
