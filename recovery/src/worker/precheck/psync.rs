//! Precheck item: the source account of a Redis migration may run SYNC and PSYNC, for full as for incremental.

use super::bench::Bench;
use super::item::{About, Item, Needs};
use super::superuser;
use crate::model::Engine;
use crate::model::precheck::PrecheckItem;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::Psync,
        english: "SYNC and PSYNC on the source",
        chinese: "源库sync/psync权限检查",
        engines: &[Engine::Redis],
        needs: Needs::Anything,
        looks_at: "Looks whether the source account may run SYNC and PSYNC.",
        finds: &["the source account may not run SYNC and PSYNC"],
        remedy: "Let the account run them, or use the password of the instance.",
        source: "prechecks.md 2.3, 5.3",
        ..superuser::ITEM.about
    },
    ..superuser::ITEM
};
