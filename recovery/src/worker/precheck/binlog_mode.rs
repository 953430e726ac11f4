//! Precheck item: the binary log of the source holds rows, not statements.

use super::bench::Bench;
use super::binlog::{Wanted, look};
use super::item::{About, Item};
use super::server_id;
use crate::model::precheck::PrecheckItem;

const WANTED: Wanted =
    Wanted { parameter: "binlog_format", values: &["ROW"], statement: "SET GLOBAL binlog_format = 'ROW'" };

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::BinlogMode,
        english: "Binary log mode",
        chinese: "源库binlog模式检查",
        looks_at: "Reads binlog_format of the source.",
        finds: &["the binary log holds statements, or rows only sometimes"],
        remedy: "Set binlog_format to ROW and connect anew.",
        shieldable: false,
        source: "prechecks.md 2.1 item 12",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench, &WANTED)),
    ..server_id::ITEM
};
