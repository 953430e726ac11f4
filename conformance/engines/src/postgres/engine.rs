//! What PostgreSQL's programs do for the cloud.

use super::machine::{control, failed};
use super::{Postgres, accounts, archive, machine, photograph};
use crate::docker::Command;
use crate::engine::{Birth, Engine, Ground, Kept, OwnCopy, Restore, Server};
use crate::images::Image;
use async_trait::async_trait;
use jiff::Timestamp;
use object_store::path::Path;
use recovery::model::backup::{BackupKind, Held, Node};
use recovery::model::instance::{Configuration, FirstAccount};
use recovery::model::photograph::Photograph;
use recovery::model::views::AccountView;
use recovery::ports::Database;
use recovery::ports::cloud::{AccountOrder, CloudError};
use std::sync::Arc;

/// PostgreSQL.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresEngine;

#[async_trait]
impl Engine for PostgresEngine {
    fn database(&self) -> Arc<dyn Database> {
        Arc::new(Postgres::default())
    }

    async fn begin(
        &self,
        ground: &Ground,
        birth: &Birth,
        account: Option<&FirstAccount>,
    ) -> Result<Server, CloudError> {
        let server = machine::start(ground, birth, false).await?;
        let made = async {
            machine::wait(&server).await?;
            machine::lay_out(&server).await.map_err(failed)?;
            machine::configure(&server, &birth.configuration).await?;
            if let Some(account) = account {
                accounts::create(&server, &control(&server).await.map_err(failed)?, account).await?;
                ground.passwords.note(&account.name, &account.password);
            }
            Ok(())
        };
        match made.await {
            Ok(()) => Ok(server),
            Err(error) => {
                server.container.remove().await?;
                Err(error)
            }
        }
    }

    async fn restore(
        &self,
        ground: &Ground,
        birth: &Birth,
        restore: &Restore,
    ) -> Result<(Server, Option<Timestamp>), CloudError> {
        archive::restore(ground, birth, restore).await
    }

    async fn wait(&self, server: &Server) -> Result<(), CloudError> {
        machine::wait(server).await
    }

    async fn back_up(
        &self,
        ground: &Ground,
        server: &Server,
        place: &Path,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError> {
        archive::back_up(ground, server, place, kind, after_position).await
    }

    async fn overwrite(&self, _: &Ground, _: &Server, _: &Kept) -> Result<(), CloudError> {
        Err(CloudError::Failed(
            "a PostgreSQL instance is never overwritten: only Redis recovers in place (RED-21)".into(),
        ))
    }

    async fn configure(&self, server: &Server, configuration: &Configuration) -> Result<(), CloudError> {
        machine::configure(server, configuration).await
    }

    async fn account(&self, server: &Server, order: &AccountOrder) -> Result<(), CloudError> {
        accounts::change(server, order).await
    }

    async fn accounts(&self, server: &Server) -> Result<Vec<AccountView>, CloudError> {
        accounts::all(&control(server).await.map_err(failed)?).await.map_err(failed)
    }

    async fn photograph(&self, ground: &Ground, server: &Server, _: Option<Node>) -> Result<Photograph, CloudError> {
        photograph::take(ground, server).await.map_err(failed)
    }

    async fn time_zone(&self, server: &Server, zone: &str) -> Result<(), CloudError> {
        machine::time_zone(server, zone).await.map_err(failed)
    }

    fn script_reader(&self, _: &Server, database: &str) -> Option<Command> {
        // Errors are told with their code and their statement, and the script goes on.
        let words =
            ["psql", "-X", "-q", "-b", "-o", "/dev/null", "-v", "VERBOSITY=verbose", "-U", machine::ROOT, "-f", "-"];
        let command = Command::new(words).account("postgres").variable("PGDATABASE", database);
        Some(command.variable("LC_ALL", "C.UTF-8"))
    }

    fn own_copy(&self, copy: &OwnCopy<'_>) -> Option<Command> {
        // Restoring in parallel takes a file.
        let line = "rm -f /tmp/firedrill.dump; createdb -U postgres -T template0 \"$INTO\"; \
                    pg_dump -h \"$ADDRESS\" -U postgres -Fc -Z0 -f /tmp/firedrill.dump \"$SOURCE\"; \
                    pg_restore -j2 --no-owner -U postgres -d \"$INTO\" /tmp/firedrill.dump; rm -f /tmp/firedrill.dump";
        let command = machine::shell(line).variable("PGPASSWORD", copy.source.root.expose());
        Some(command.variable("ADDRESS", copy.address).variable("SOURCE", copy.database).variable("INTO", copy.into))
    }

    fn data_folder(&self, image: &Image) -> String {
        machine::data_folder(image)
    }
}
