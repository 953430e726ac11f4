//! Precheck item: the target can be reached with the given account and connection mode.

use super::bench::Bench;
use super::item::{ASKS_S, About, Item};
use super::source_connectivity::{self, connectivity};
use crate::model::precheck::PrecheckItem;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::TargetConnectivity,
        english: "Destination database connectivity",
        chinese: "目标数据库连接性检查",
        looks_at: "Logs in to the target with the account, password and connection mode of the task.",
        source: "prechecks.md 2.1 item 2",
        ..source_connectivity::ITEM.about
    },
    look: |bench| Box::pin(connectivity(bench, Side::Target)),
    limit_s: ASKS_S,
};
