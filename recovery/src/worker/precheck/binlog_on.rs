//! Precheck item: the source writes a binary log.

use super::bench::Bench;
use super::binlog::{Wanted, look};
use super::item::{About, Item};
use super::server_id;
use crate::model::precheck::PrecheckItem;

const WANTED: Wanted = Wanted { parameter: "log_bin", values: &["ON", "1"], statement: "log_bin = mysql-bin" };

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::BinlogOn,
        english: "Whether binary logging is enabled",
        chinese: "源库binlog是否开启检查",
        looks_at: "Reads log_bin of the source.",
        finds: &["the source writes no binary log"],
        remedy: "Switch the binary log on and restart the source.",
        shieldable: false,
        source: "prechecks.md 2.1 item 11",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench, &WANTED)),
    ..server_id::ITEM
};
