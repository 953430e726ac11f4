//! Precheck item: the binary log of the source holds whole rows.

use super::bench::Bench;
use super::binlog::{Wanted, look};
use super::item::{About, Item};
use super::server_id;
use crate::model::precheck::PrecheckItem;

const WANTED: Wanted =
    Wanted { parameter: "binlog_row_image", values: &["FULL"], statement: "SET GLOBAL binlog_row_image = 'FULL'" };

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::BinlogRowImage,
        english: "binlog_row_image is FULL",
        chinese: "Mysql源库binlog_row_image是否为FULL",
        looks_at: "Reads binlog_row_image of the source.",
        finds: &["the binary log holds parts of rows"],
        remedy: "Set binlog_row_image to FULL.",
        shieldable: false,
        source: "prechecks.md 2.1 item 14",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench, &WANTED)),
    ..server_id::ITEM
};
