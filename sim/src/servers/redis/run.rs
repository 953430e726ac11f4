//! Runs the commands of an application, one a line: all of them or none.

use super::call::{About, Call};
use super::commands::Command;
use super::data::ms;
use super::space::DATABASES;
use super::{Redis, words};
use crate::servers::profile::Profile;
use recovery::model::backup::Node;
use recovery::model::content::Change;
use recovery::model::instance::Rights;
use recovery::ports::database::{DatabaseError, Outcome};

impl Redis {
    /// Runs commands; gives the last one's answer. SELECT holds for the lines after it.
    pub fn run(&mut self, account: &str, database: &str, text: &str) -> Result<Outcome, DatabaseError> {
        let mut selected = self.index(database)?;
        let lines = words::commands(text).map_err(DatabaseError::Statement)?;
        let about = self.about();
        let (now_ms, version, cluster) = (ms(self.seen), self.version(), self.is_cluster());
        let grants = self.grants(account)?.clone();
        let permit = |command: &Command, selected: usize| {
            let databases = if command.everywhere { 0..DATABASES } else { selected..selected + 1 };
            let rights = databases.map(|database| grants.on(&database.to_string(), super::table::NAME)).min();
            if rights.is_some_and(|rights| rights >= command.needs) {
                return Ok(());
            }
            let what = format!("run {} on database {selected}", command.name);
            Err(DatabaseError::NotPermitted { account: account.to_owned(), what })
        };
        self.unit(|unit| {
            let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 };
            for line in &lines {
                let Some((first, words)) = line.split_first() else { continue };
                let command = Command::of(version, first, words).map_err(DatabaseError::Statement)?;
                permit(command, selected)?;
                if cluster {
                    command.check_slots(words).map_err(DatabaseError::Statement)?;
                }
                let name = command.name;
                let mut call = Call { unit, database: selected, now_ms, version, cluster, about: &about, name, words };
                let answer = (command.run)(&mut call).map_err(DatabaseError::Statement)?;
                selected = call.database;
                outcome = answer.outcome(unit.changed() as u64);
            }
            Ok(outcome)
        })
    }

    /// The changes after a position of the replication stream, for an account that may synchronize.
    pub fn changes(&self, account: &str, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError> {
        if self.rights(account)? < Rights::Owner {
            let what = "run psync".to_owned();
            return Err(DatabaseError::NotPermitted { account: account.to_owned(), what });
        }
        self.log.changes(after, limit)
    }

    /// The character set its databases are said to have.
    pub(super) fn charset(&self) -> &'static str {
        Profile::of(self.product).charset
    }

    fn about(&self) -> About {
        let word = self.version().word();
        let (position, applied) = (self.log.position(), self.replica.applied);
        let lag_s = self.lag().as_secs();
        let saving = u8::from(self.saves.on(Node::Master).under_way(self.seen));
        let mode = if self.is_cluster() { "cluster" } else { "standalone" };
        vec![
            ("Server", vec![format!("redis_version:{word}.0"), format!("redis_mode:{mode}")]),
            (
                "Persistence",
                vec![
                    format!("loading:{}", u8::from(self.loading)),
                    format!("rdb_bgsave_in_progress:{saving}"),
                    format!("rdb_saves_master:{}", self.saves.on(Node::Master).count),
                    format!("rdb_saves_replica:{}", self.saves.on(Node::Replica).count),
                ],
            ),
            (
                "Replication",
                vec![
                    "role:master".to_owned(),
                    "connected_slaves:1".to_owned(),
                    format!("slave0:ip=replica,port=6379,state=online,offset={applied},lag={lag_s}"),
                    format!("master_repl_offset:{position}"),
                ],
            ),
            ("Cluster", vec![format!("cluster_enabled:{}", u8::from(self.is_cluster()))]),
        ]
    }
}
