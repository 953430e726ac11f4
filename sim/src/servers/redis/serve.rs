//! Answers the requests of sessions.

use super::Redis;
use super::view::View;
use crate::servers::protocol::{Ask, Replied, Said};
use jiff::Timestamp;
use recovery::ports::database::{DatabaseError, SnapshotFacts};

impl Redis {
    /// Answers a request of a session that is in order; `frozen` is what the session reads as of an instant.
    pub fn serve(&mut self, account: &str, frozen: &mut Option<View>, ask: Ask, now: Timestamp) -> Replied {
        self.settle(now);
        let view = |redis: &Self| frozen.clone().unwrap_or_else(|| redis.view());
        match ask {
            Ask::Login { .. } | Ask::Claim { .. } => {
                Err(DatabaseError::Statement("the session is logged in already".into()))
            }
            Ask::Facts => {
                let facts = self.facts_at(account, now, self.log.position());
                facts.map(|facts| Said::Facts(Box::new(facts)))
            }
            Ask::Circumstances => Ok(Said::Circumstances(Box::new(self.circumstances()))),
            Ask::Snapshot => {
                *frozen = Some(self.view());
                let at = self.log.close(self.seen);
                Ok(Said::Snapshot(SnapshotFacts { position: self.log.position(), at }))
            }
            Ask::Databases => self.visible_databases(account, &view(self)).map(Said::Databases),
            Ask::CreateDatabase { name, .. } => self.make_database(account, &name).map(|()| Said::Done),
            Ask::Describe { database } => self.describe(account, &database, &view(self)).map(Said::Objects),
            Ask::Create { database, object } => self.create(account, &database, &object).map(|()| Said::Done),
            Ask::Run { database, sql } => self.run(account, &database, &sql).map(Said::Outcome),
            Ask::Read(read) => self.read(account, &read, &view(self)).map(Said::Chunk),
            Ask::Write(write) => self.write(account, &write).map(Said::Count),
            Ask::Changes { after, limit } => self.changes(account, after, limit).map(Said::Changes),
            Ask::Apply(changes) => self.apply(account, &changes).map(|()| Said::Done),
        }
    }
}
