//! Advice: what good migration tools check and the documents lack. Each is a warning and never a block, and a task can be
//! told to do without it.

mod charset;
mod circle;
mod clock;
mod definer;
mod empty;
mod event_trigger;
mod expiry;
mod extension;
mod identity;
mod key;
mod name_case;
mod orphans;
mod packet;
mod replica;
mod sequence;
mod space;
mod transaction;
mod types;

use super::bench::Bench;
use super::item::Item;

/// The advisory items of a migration, in the order they are begun.
pub const ITEMS: [Item<Bench>; 18] = [
    key::ITEM,
    orphans::ITEM,
    circle::ITEM,
    identity::ITEM,
    sequence::ITEM,
    definer::ITEM,
    name_case::ITEM,
    charset::ITEM,
    types::ITEM,
    space::ITEM,
    replica::ITEM,
    clock::ITEM,
    expiry::ITEM,
    empty::ITEM,
    transaction::ITEM,
    packet::ITEM,
    event_trigger::ITEM,
    extension::ITEM,
];
