//! Advice: a database of the target that cannot hold every letter of the source, or sorts otherwise.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::scope::Scope;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseCharset,
        english: "Character set and collation",
        chinese: "字符集与排序规则检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Rows,
        looks_at: "Compares the character sets of the databases that are there on both sides, and collation_server.",
        finds: &["the character set of the target cannot hold all letters of the source's", "the collations differ"],
        remedy: "Give the target the character set and collation of the source.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Character sets, and those whose every letter they hold.
const HOLDS: [(&str, &[&str]); 4] = [
    ("utf8mb4", &["utf8", "gbk", "latin1", "ascii"]),
    ("utf8", &["gbk", "latin1", "ascii"]),
    ("gbk", &["ascii"]),
    ("latin1", &["ascii"]),
];

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    let mut findings = Vec::new();
    for (target, source) in Scope::new(&work.objects).target_databases() {
        let (from, into) = (bench.database(Side::Source, source).await?, bench.database(Side::Target, target).await?);
        let Some((from, into)) = from.zip(into).map(|(from, into)| (from.charset, into.charset)) else { continue };
        if !holds(&into, &from) {
            let cause = format!(
                "database {target} of the target has the character set {into}, which lacks letters of {from}, that of \
                 database {source} of the source"
            );
            let remedy = format!(
                "Give {target} the character set {from}, or map {source} to another database, then check \
                                  again, or go on where no such letter is used."
            );
            findings.push(Finding::new(cause, remedy));
        }
    }
    let collation = "collation_server";
    let (from, into) =
        (bench.parameter(Side::Source, collation).await?, bench.parameter(Side::Target, collation).await?);
    if let Some((from, into)) = from.zip(into).filter(|(from, into)| !from.eq_ignore_ascii_case(into)) {
        let cause = format!(
            "{collation} is {from} in the source and {into} in the target: texts may sort and compare otherwise"
        );
        let remedy = format!("Set {collation} of {} to {from}, then check again, or go on.", work.target.instance);
        let finding = Finding::new(cause, remedy);
        findings.push(match work.target.product.engine {
            Engine::MySql => finding.by(format!("SET GLOBAL {collation} = '{from}'")),
            _ => finding,
        });
    }
    Ok(findings)
}

fn holds(into: &str, from: &str) -> bool {
    let (into, from) = (into.to_lowercase(), from.to_lowercase());
    into == from || HOLDS.iter().any(|(wide, narrow)| *wide == into && narrow.contains(&from.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_character_set_holds_a_narrower_one_and_not_the_other_way_round() {
        assert!(holds("utf8mb4", "UTF8") && holds("utf8", "gbk") && holds("big5", "big5"));
        assert!(!holds("utf8", "utf8mb4") && !holds("latin1", "gbk") && !holds("big5", "latin1"));
    }
}
