//! Advice: rows larger than a statement to the target may be.

use crate::model::Engine;
use crate::model::content::{Object, Value};
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use crate::worker::sql::quote;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdvisePacket,
        english: "Size of rows",
        chinese: "数据包大小检查",
        weight: Weight::Advice,
        engines: &[Engine::MySql],
        needs: Needs::Full,
        looks_at: "Compares the largest row of each selected table whose columns can hold that much with \
                   max_allowed_packet of the target.",
        finds: &["a row of the source is larger than a statement to the target may be"],
        remedy: "Raise max_allowed_packet of the target.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// The parameter.
const NAME: &str = "max_allowed_packet";
/// The parameter is a multiple of this, and not above that.
const STEP: u64 = 1_024;
const MOST: u64 = 1 << 30;
/// Bytes of a letter at most.
const LETTER: u64 = 4;

async fn look(bench: &Bench) -> Looked {
    let Some(limit) = bench.parameter(Side::Target, NAME).await?.and_then(|value| value.trim().parse().ok()) else {
        return Ok(Vec::new());
    };
    let work = bench.work();
    let (scope, target) = (Scope::new(&work.objects), &work.target.instance);
    let mut findings = Vec::new();
    for (database, table) in bench.source_tables().await? {
        let Some(placing) = scope.place(&database, &table.name) else { continue };
        let columns: Vec<_> =
            table.columns.iter().filter(|column| placing.column(&column.name).is_some()).cloned().collect();
        let chosen = Object { columns, ..table };
        if most(&chosen) <= limit {
            continue;
        }
        let outcome = bench.query(Side::Source, &database, &largest(&chosen)).await?;
        let Some(Value::Integer(bytes)) = outcome.rows.first().and_then(|row| row.first()) else { continue };
        let bytes = u64::try_from(*bytes).unwrap_or(0);
        if bytes > limit {
            let cause = format!(
                "the largest row of table {database}.{} has {bytes} bytes, and {NAME} of the target {target} is {limit}",
                chosen.name
            );
            let remedy = format!("Raise {NAME} of {target}, then check again, or go on.");
            findings.push(Finding::new(cause, remedy).by(format!("SET GLOBAL {NAME} = {}", enough(bytes))));
        }
    }
    Ok(findings)
}

/// Bytes a row of a table can have at most.
fn most(table: &Object) -> u64 {
    table.columns.iter().map(|column| widest(&column.declared)).fold(0, u64::saturating_add)
}

/// Bytes a value of a type can have at most.
fn widest(declared: &str) -> u64 {
    let lower = declared.to_lowercase();
    let (kind, rest) = lower.split_once('(').unwrap_or((&lower, ""));
    let length = rest.split(')').next().and_then(|length| length.trim().parse::<u64>().ok());
    match kind.split_whitespace().next().unwrap_or_default() {
        "tinyblob" | "tinytext" => 255,
        "blob" | "text" => 65_535,
        "mediumblob" | "mediumtext" => (1 << 24) - 1,
        "longblob" | "longtext" | "json" => u64::from(u32::MAX),
        "char" | "varchar" | "nchar" | "nvarchar" => length.unwrap_or(1).saturating_mul(LETTER),
        "binary" | "varbinary" => length.unwrap_or(1),
        // Numbers and times, written out.
        _ => 64,
    }
}

/// Asks for the bytes of the largest row.
fn largest(table: &Object) -> String {
    let quoted = |name: &str| quote(Engine::MySql, name);
    let bytes = table.columns.iter().map(|column| format!("COALESCE(OCTET_LENGTH({}), 0)", quoted(&column.name)));
    format!("SELECT MAX({}) FROM {}", bytes.collect::<Vec<_>>().join(" + "), quoted(&table.name))
}

/// What the parameter is set to for a row of so many bytes: letters that are written with a backslash take twice the room.
fn enough(bytes: u64) -> u64 {
    bytes.saturating_mul(2).div_ceil(STEP).saturating_mul(STEP).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_holds_what_it_is_declared_to() {
        assert_eq!(widest("varchar(40)"), 160);
        assert_eq!(widest("VARBINARY(16)"), 16);
        assert_eq!(widest("text"), 65_535);
        assert_eq!(widest("longtext character set utf8"), u64::from(u32::MAX));
        assert_eq!(widest("decimal(10,2)"), 64);
    }

    #[test]
    fn the_parameter_is_raised_to_a_multiple_of_1024_and_never_beyond_what_it_may_be() {
        assert_eq!(enough(1), 1_024);
        assert_eq!(enough(5_000), 10_240);
        assert_eq!(enough(u64::MAX), MOST);
    }
}
