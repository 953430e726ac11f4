//! Which family's programs play which engine of the documents in a run.

use crate::engine::Engine;
use crate::images::{Choice, Family, Image};
use crate::mysql::MySqlServers;
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

/// The players of a run, one for each engine at most. Clones are the same players.
#[derive(Clone, Default)]
pub struct Programs(Arc<BTreeMap<model::Engine, Player>>);

impl Programs {
    /// The players that were chosen; of two for one engine the later one plays.
    #[must_use]
    pub fn new(choices: &[Choice]) -> Self {
        let player = |choice: &Choice| {
            let Choice { family, image } = choice.clone();
            Some((family.engine(), Player { family, image, engine: engine_of(family)? }))
        };
        Self(Arc::new(choices.iter().filter_map(player).collect()))
    }

    /// What plays a product's engine.
    #[must_use]
    pub fn of(&self, product: &Product) -> Option<&Player> {
        self.0.get(&product.engine)
    }
}

/// The programs of a family; none where this target has none for it.
#[must_use]
pub fn engine_of(family: Family) -> Option<Arc<dyn Engine>> {
    match family {
        Family::MySql | Family::MariaDb => Some(Arc::new(MySqlServers::new(family))),
        Family::Redis | Family::Valkey => Some(Arc::new(RedisServers::new(family))),
        Family::Postgres => None,
    }
}
