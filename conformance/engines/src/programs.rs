//! Which family's programs play which engine of the documents in a run.

use crate::engine::Engine;
use crate::images::{Choice, Family, Image};
use crate::mysql::MySqlServers;
use crate::postgres::PostgresEngine;
use crate::redis::RedisServers;
use recovery::model::{self, Product};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What plays an engine.
#[derive(Clone)]
pub struct Player {
    /// Family.
    pub family: Family,
    /// Image.
    pub image: Image,
    /// Its programs.
    pub engine: Arc<dyn Engine>,
}

/// The players of a run. Clones are the same players.
#[derive(Clone, Default)]
pub struct Programs(Arc<BTreeMap<model::Engine, Vec<Player>>>);

impl Programs {
    /// The players that were chosen.
    #[must_use]
    pub fn new(choices: &[Choice]) -> Self {
        let mut players: BTreeMap<_, Vec<Player>> = BTreeMap::new();
        for Choice { family, image } in choices.iter().cloned() {
            if let Some(engine) = engine_of(family) {
                players.entry(family.engine()).or_default().push(Player { family, image, engine });
            }
        }
        Self(Arc::new(players))
    }

    /// What plays a product: of several, the one whose image has its version as its tag, else the first.
    #[must_use]
    pub fn of(&self, product: &Product) -> Option<&Player> {
        let players = self.0.get(&product.engine)?;
        let exact = players.iter().find(|player| player.image.tag() == product.version.word());
        exact.or(players.first())
    }
}

/// The programs of a family; none where this target has none for it.
#[must_use]
pub fn engine_of(family: Family) -> Option<Arc<dyn Engine>> {
    match family {
        Family::Postgres => Some(Arc::new(PostgresEngine)),
        Family::MySql | Family::MariaDb => Some(Arc::new(MySqlServers::new(family))),
        Family::Redis | Family::Valkey => Some(Arc::new(RedisServers::new(family))),
    }
}
