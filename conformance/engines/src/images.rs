//! Which images servers are made of: what the user names, else what is here, else the official names.

use crate::docker::{Docker, DockerError};
use recovery::model::Engine;
use std::fmt;
use std::str::FromStr;

/// A family of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// Redis.
    Redis,
    /// Valkey.
    Valkey,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 5] = [Self::Postgres, Self::MySql, Self::MariaDb, Self::Redis, Self::Valkey];

    /// Its word, as `--image` takes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// The engine of the documents in whose place it stands.
    #[must_use]
    pub fn engine(self) -> Engine {
        match self {
            Self::Postgres => Engine::PostgreSql,
            Self::MySql | Self::MariaDb => Engine::MySql,
            Self::Redis | Self::Valkey => Engine::Redis,
        }
    }

    /// The official image.
    #[must_use]
    pub fn official(self) -> Image {
        let (name, tag) = match self {
            Self::Postgres => ("postgres", "17"),
            Self::MySql => ("mysql", "8.4"),
            Self::MariaDb => ("mariadb", "11.8"),
            Self::Redis => ("redis", "8"),
            Self::Valkey => ("valkey/valkey", "8"),
        };
        Image { name: name.into(), tag: tag.into() }
    }

    /// The environment variable that names an image of it.
    #[must_use]
    pub fn variable(self) -> String {
        format!("FIREDRILL_IMAGE_{}", self.word().to_uppercase())
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An image, `NAME:TAG`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    name: String,
    tag: String,
}

impl Image {
    /// Name without tag.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The numbers its tag begins with, for the newest of several.
    pub(crate) fn version(&self) -> Vec<u32> {
        self.tag.split('.').map_while(|part| part.parse().ok()).collect()
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

impl FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A colon before the last slash belongs to a registry's port.
        let tagged = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        let (name, tag) = tagged.unwrap_or((text, "latest"));
        if name.is_empty() || tag.is_empty() || text.chars().any(char::is_whitespace) {
            return Err(format!("'{text}' is no image; write for example 'postgres:17'"));
        }
        Ok(Self { name: name.into(), tag: tag.into() })
    }
}

/// An image as the user chooses it: `postgres=NAME:TAG`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    /// Family.
    pub family: Family,
    /// Image.
    pub image: Image,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.family, self.image)
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = Family::ALL.map(Family::word).join(", ");
        let wrong =
            || format!("'{text}' chooses no image; write for example 'postgres=postgres:17', with one of {words}");
        let (word, image) = text.split_once('=').ok_or_else(wrong)?;
        let family = Family::ALL.into_iter().find(|family| family.word() == word).ok_or_else(wrong)?;
        Ok(Self { family, image: image.parse()? })
    }
}

/// The images of the families that an engine of the documents can be played by, each family with all that were named
/// for it, else with one.
#[derive(Debug, Clone, Default)]
pub struct Images {
    named: Vec<Choice>,
    here: Vec<Image>,
}

impl Images {
    /// What was named, by argument or else by environment; `here` are the images on this machine.
    ///
    /// # Errors
    /// When a variable names no image, or the container engine refuses.
    pub async fn new(named: &[Choice], docker: &Docker) -> Result<Self, DockerError> {
        let mut all = named.to_vec();
        for family in Family::ALL {
            let by_argument = named.iter().any(|choice| choice.family == family);
            if let (false, Ok(text)) = (by_argument, std::env::var(family.variable())) {
                let wrong = |why: String| DockerError::Container(format!("{}: {why}", family.variable()));
                all.push(Choice { family, image: text.parse().map_err(wrong)? });
            }
        }
        let here = docker.images().await?.iter().filter_map(|name| name.parse().ok()).collect();
        Ok(Self { named: all, here })
    }

    /// What was named and nothing else, on a machine without images.
    #[must_use]
    pub fn named(named: &[Choice]) -> Self {
        Self { named: named.to_vec(), here: Vec::new() }
    }

    /// The images of a family: those named; else the official one where it is here; else the newest that `.ci/engines`
    /// built; else the official one, which is pulled.
    #[must_use]
    pub fn of(&self, family: Family) -> Vec<Image> {
        let named: Vec<Image> =
            self.named.iter().filter(|choice| choice.family == family).map(|choice| choice.image.clone()).collect();
        if !named.is_empty() {
            return named;
        }
        let official = family.official();
        if self.here.contains(&official) {
            return vec![official];
        }
        let built = format!("firedrill/{family}");
        let newest = self.here.iter().filter(|image| image.name == built).max_by_key(|image| image.version());
        vec![newest.cloned().unwrap_or(official)]
    }

    /// So many images of a family that differ in their version, the oldest first, in each way that they stand next to each
    /// other among those named; without any named, the newest that are here. None where there are too few.
    #[must_use]
    pub fn successive(&self, family: Family, count: usize) -> Vec<Vec<Image>> {
        let (official, built) = (family.official().name, format!("firedrill/{family}"));
        let known = self.here.iter().filter(|image| image.name == official || image.name == built);
        let mut all: Vec<&Image> = if self.names(family) {
            self.named.iter().filter(|choice| choice.family == family).map(|choice| &choice.image).collect()
        } else {
            known.collect()
        };
        all.retain(|image| !image.version().is_empty());
        all.sort_by_key(|image| image.version());
        all.dedup_by_key(|image| image.version());
        let skipped = if self.names(family) { 0 } else { all.len().saturating_sub(count) };
        let rows = all[skipped..].windows(count.max(1));
        rows.map(|row| row.iter().map(|image| (*image).clone()).collect()).collect()
    }

    /// The image of a family with exactly that tag, of those that were named or are here.
    #[must_use]
    pub fn tagged(&self, family: Family, tag: &str) -> Option<Image> {
        let named = self.named.iter().filter(|choice| choice.family == family).map(|choice| &choice.image);
        let (official, built) = (family.official().name, format!("firedrill/{family}"));
        let here = self.here.iter().filter(|image| image.name == official || image.name == built);
        named.chain(here).find(|image| image.tag == tag).cloned()
    }

    /// Whether anything was named for a family.
    #[must_use]
    pub fn names(&self, family: Family) -> bool {
        self.named.iter().any(|choice| choice.family == family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_an_image_reads_back_as_it_was_written() {
        for text in ["postgres=postgres:17", "valkey=valkey/valkey:8", "mysql=registry:5000/team/mysql:8.4"] {
            assert_eq!(text.parse::<Choice>().map(|choice| choice.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn an_image_without_a_tag_is_the_latest() {
        assert_eq!("a:5000/b".parse::<Image>().map(|image| image.to_string()).as_deref(), Ok("a:5000/b:latest"));
    }

    #[test]
    fn what_chooses_no_image_is_refused_with_an_example() {
        for text in ["postgres", "oracle=a:1", "postgres=", "postgres=a b"] {
            assert!(text.parse::<Choice>().is_err_and(|why| why.contains("write for example")), "{text}");
        }
    }

    #[test]
    fn without_a_choice_the_newest_image_here_is_taken() {
        let here = ["firedrill/postgres:9", "firedrill/postgres:17", "firedrill/redis:7"];
        let here = here.iter().filter_map(|name| name.parse().ok()).collect();
        let images = Images { named: vec![], here };
        let of = |family| images.of(family).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(Family::Postgres), ["firedrill/postgres:17"]);
        assert_eq!(of(Family::MySql), ["mysql:8.4"]);
        assert_eq!(images.successive(Family::Redis, 2), Vec::<Vec<Image>>::new());
        let newest: Vec<_> = images.successive(Family::Postgres, 2).concat().iter().map(ToString::to_string).collect();
        assert_eq!(newest, ["firedrill/postgres:9", "firedrill/postgres:17"]);
        let tagged = |tag| images.tagged(Family::Postgres, tag).map(|image| image.to_string());
        assert_eq!(tagged("9").as_deref(), Some("firedrill/postgres:9"));
        assert_eq!(tagged("10"), None);
    }
}
