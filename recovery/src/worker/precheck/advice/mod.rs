//! Advice: what good migration tools check and the documents lack. Each is a warning and never a block, and a task can be
//! told to do without it.

mod charset;
mod circle;
mod clock;
mod definer;
mod empty;
mod expiry;
mod identity;
mod key;
mod name_case;
mod orphans;
mod replica;
mod sequence;
mod space;
mod types;

use super::bench::Bench;
use super::item::Item;

/// The advisory items of a migration, in the order they are begun.
pub const ITEMS: [Item<Bench>; 14] = [
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
];
