//! What a server tells prechecks beside what tasks need: storage engines, recovery models, accounts, room,
//! open transactions, event triggers, extensions.

use super::front::Front;
use super::server::Server;
use super::values::failed;
use recovery::model::Engine;
use recovery::ports::database::{Circumstances, DatabaseError, Recovery};

/// The recovery model of a database that nobody has set.
const RECOVERY_MODEL: &str = "full";
/// The storage engine of a table made without one.
const STORAGE_ENGINE: &str = "InnoDB";

impl Front {
    /// What a server of any engine tells.
    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            accounts: Some(self.accounts.keys().cloned().collect()),
            free_bytes: self.harm.disk_full.then_some(0),
            ..Circumstances::default()
        }
    }
}

impl Server {
    /// What an SQL server tells.
    pub fn told(&self) -> Result<Circumstances, DatabaseError> {
        let mut told = self.front.circumstances();
        let mut used = 0;
        for (name, db) in &self.databases {
            let size = "select page_count * page_size from pragma_page_count(), pragma_page_size()";
            let bytes: i64 = db.connection.query_row(size, [], |row| row.get(0)).map_err(failed)?;
            used += u64::try_from(bytes).unwrap_or(0);
            match self.product.engine {
                Engine::MySql => told.storage.extend(db.catalogue.tables.keys().map(|table| {
                    let engine = db.catalogue.storage.get(&table.to_ascii_lowercase());
                    (format!("{name}.{table}"), engine.map_or(STORAGE_ENGINE, String::as_str).to_owned())
                })),
                Engine::SqlServer => {
                    let model = db.catalogue.recovery_model.as_deref().unwrap_or(RECOVERY_MODEL).to_owned();
                    let backed_up = self.backed_up.contains(name);
                    told.recovery.insert(name.clone(), Recovery { model, backed_up });
                }
                Engine::PostgreSql | Engine::Ppas | Engine::Redis => {}
            }
        }
        self.told_extras(&mut told);
        let (transactions, lost_log_files) = (self.told_transactions(), self.log_files.lost());
        Ok(Circumstances { used_bytes: Some(used), transactions, lost_log_files, ..told })
    }
}
