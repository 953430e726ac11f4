//! Precheck item: definitions and statements read alike on both sides.
//!
//! The documents give the code alone. Modes that decide how text is read are compared; those that decide which rows are
//! let in are not, because rows are copied as they are.

use super::bench::Bench;
use super::item::{About, Item, Looked, Needs};
use super::server_id;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::servers::Side;
use std::collections::BTreeSet;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::SqlMode,
        english: "SQL_MODE",
        chinese: "SQL_MODE检查",
        needs: Needs::Anything,
        looks_at: "Compares the modes of both servers under which a statement reads otherwise.",
        finds: &["a mode that decides how statements are read is set on one side only"],
        remedy: "Give the target the sql_mode of the source.",
        shieldable: false,
        source: "prechecks.md 2.1 item 16 (code only)",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench)),
    ..server_id::ITEM
};

/// Modes under which the same text means something else.
const READ_OTHERWISE: [&str; 6] =
    ["ANSI_QUOTES", "HIGH_NOT_PRECEDENCE", "IGNORE_SPACE", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT", "REAL_AS_FLOAT"];

/// What the mode ANSI stands for.
const ANSI: [&str; 4] = ["ANSI_QUOTES", "IGNORE_SPACE", "PIPES_AS_CONCAT", "REAL_AS_FLOAT"];

async fn look(bench: &Bench) -> Looked {
    let source = bench.parameter(Side::Source, "sql_mode").await?.unwrap_or_default();
    let target = bench.parameter(Side::Target, "sql_mode").await?.unwrap_or_default();
    let (has, gets) = (modes(&source), modes(&target));
    let instance = &bench.access(Side::Target).instance;
    let finding = |mode: &&'static str| {
        let (with, without) = if has.contains(*mode) { ("source", "target") } else { ("target", "source") };
        let cause = format!(
            "{mode} is among the sql_mode of the {with} and not of the {without}, so that statements read otherwise there"
        );
        let remedy = format!("Set sql_mode of the target {instance} to that of the source, then start again.");
        Finding::new(cause, remedy).by(format!("SET GLOBAL sql_mode = '{source}'"))
    };
    Ok(has.symmetric_difference(&gets).map(finding).collect())
}

fn modes(value: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for word in value.split(',').map(|word| word.trim().to_uppercase()) {
        found.extend(READ_OTHERWISE.iter().filter(|mode| **mode == word));
        found.extend(ANSI.iter().filter(|_| word == "ANSI"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_modes_that_decide_how_text_is_read_count_and_ansi_stands_for_four() {
        assert_eq!(modes("STRICT_TRANS_TABLES, ansi_quotes"), BTreeSet::from(["ANSI_QUOTES"]));
        assert_eq!(modes("ANSI"), BTreeSet::from(ANSI));
        assert_eq!(modes(""), BTreeSet::new());
    }
}
