//! Precheck item: the target can be reached with the data source's account and connection mode.

use super::RestoreBench;
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::precheck::source_connectivity::{Advice, connection};
use crate::worker::servers::Side;

const IN_DATA_SOURCE: Advice =
    Advice { place: "in the data source", another: "in another data source", then: "then check again" };

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreTargetConnection,
        english: "Destination data source connection",
        chinese: "目标数据源连接检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Logs in to the target with the data source's account.",
        finds: &[
            "the address is not on the whitelist",
            "no such account, or a wrong password",
            "SSL was chosen and is not offered",
            "the host cannot be reached, or the instance is gone",
        ],
        remedy: "Put right what the finding names: whitelist, account, password, SSL, or the network.",
        shieldable: false,
        source: "prechecks.md 6.1",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let connected = bench.bench.connect(Side::Target).await;
    Ok(connection(Side::Target, &bench.job().target, connected, &IN_DATA_SOURCE).into_iter().collect())
}
