//! Which family's programs play which engine of the documents in a run.

use crate::engine::Engine;
use crate::images::{Choice, Family, Image};
use crate::mysql::MySqlServers;
use crate::postgres::PostgresEngine;
use crate::redis::RedisServers;
use recovery::model::{self, Product, Version};
use std::collections::{BTreeMap, BTreeSet};
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
pub struct Programs(Arc<BTreeMap<model::Engine, Cast>>);

/// What plays one engine.
#[derive(Default)]
struct Cast {
    /// The players, the oldest first.
    players: Vec<Player>,
    /// The versions that are asked for, the earliest first.
    versions: BTreeSet<Version>,
}

impl Programs {
    /// The players that were chosen, and the products they are to play.
    #[must_use]
    pub fn new(choices: &[Choice], products: &[Product]) -> Self {
        let mut casts: BTreeMap<_, Cast> = BTreeMap::new();
        for Choice { family, image } in choices.iter().cloned() {
            if let Some(engine) = engine_of(family) {
                casts.entry(family.engine()).or_default().players.push(Player { family, image, engine });
            }
        }
        for (engine, cast) in &mut casts {
            cast.players.sort_by_key(|player| player.image.version());
            cast.versions = products.iter().filter(|it| it.engine == *engine).map(|it| it.version).collect();
        }
        Self(Arc::new(casts))
    }

    /// What plays a product: of several, the one whose image has its version as its tag, else the one as old among the
    /// players as its version is among those asked for, else the oldest.
    #[must_use]
    pub fn of(&self, product: &Product) -> Option<&Player> {
        let Cast { players, versions } = self.0.get(&product.engine)?;
        let exact = players.iter().find(|player| player.image.tag() == product.version.word());
        let rank = versions.iter().position(|version| *version == product.version);
        exact.or_else(|| players.get(rank?)).or(players.first())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_players_the_older_one_plays_the_earlier_version() -> Result<(), Box<dyn std::error::Error>> {
        let choices = ["mariadb=mariadb:11.8", "mariadb=mariadb:10.11"].map(str::parse).into_iter();
        let choices = choices.collect::<Result<Vec<Choice>, _>>()?;
        let (earlier, later): (Product, Product) = ("mysql 5.7".parse()?, "mysql 8.0".parse()?);
        let tag = |programs: &Programs, product| programs.of(product).map(|player| player.image.tag().to_owned());
        let both = Programs::new(&choices, &[later, earlier]);
        assert_eq!(tag(&both, &earlier).as_deref(), Some("10.11"));
        assert_eq!(tag(&both, &later).as_deref(), Some("11.8"));
        let alone = Programs::new(&choices[..1], &[later, earlier]);
        assert_eq!(tag(&alone, &later).as_deref(), Some("11.8"));
        assert_eq!(tag(&alone, &"postgresql 11".parse()?), None);
        Ok(())
    }

    #[test]
    fn a_version_that_is_a_tag_is_played_by_what_it_is() -> Result<(), Box<dyn std::error::Error>> {
        let choices = ["postgres=postgres:17", "postgres=postgres:11"].map(str::parse).into_iter();
        let programs = Programs::new(&choices.collect::<Result<Vec<Choice>, _>>()?, &["postgresql 11".parse()?]);
        let player = programs.of(&"postgresql 11".parse()?);
        assert_eq!(player.map(|player| player.image.tag()), Some("11"));
        Ok(())
    }
}
