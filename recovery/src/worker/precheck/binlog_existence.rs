//! Precheck item: no file of the source's binary log is missing.

use super::bench::Bench;
use super::item::{About, Item, Looked};
use super::server_id;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::BinlogExistence,
        english: "Existence of binary log files",
        chinese: "源库binlog存在性检查",
        looks_at: "Lists the files of the source's binary log and looks whether each is there.",
        finds: &["a file of the binary log is missing"],
        remedy: "Purge the binary log up to the file after the missing one.",
        shieldable: false,
        source: "prechecks.md 2.1 item 13",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench)),
    ..server_id::ITEM
};

async fn look(bench: &Bench) -> Looked {
    let told = bench.circumstances(Side::Source).await?;
    let instance = &bench.access(Side::Source).instance;
    let finding = |file: &String| {
        let cause = format!("file {file} of the binary log of the source {instance} is missing");
        let remedy = format!("Purge the binary log of {instance} up to the file after {file}, then start again.");
        let finding = Finding::new(cause, remedy);
        match next(file) {
            Some(next) => finding.by(format!("PURGE BINARY LOGS TO '{next}'")),
            None => finding,
        }
    };
    Ok(told.lost_log_files.iter().map(finding).collect())
}

/// The file after one, where its name ends with a number.
fn next(file: &str) -> Option<String> {
    let (name, number) = file.rsplit_once('.')?;
    let next = number.parse::<u64>().ok()?.checked_add(1)?;
    Some(format!("{name}.{next:0width$}", width = number.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_after_a_missing_one_has_the_next_number_in_as_many_digits() {
        assert_eq!(next("mysql-bin.000009").as_deref(), Some("mysql-bin.000010"));
        assert_eq!(next("mysql-bin.999999").as_deref(), Some("mysql-bin.1000000"));
        assert_eq!(next("mysql-bin"), None);
    }
}
