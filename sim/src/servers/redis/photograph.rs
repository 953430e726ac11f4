//! Photographs of a server and of its nodes.

use super::data::ms;
use super::view::View;
use super::{Redis, table};
use crate::servers::values::hex;
use recovery::model::backup::Node;
use recovery::model::content::{ObjectKind, Row};
use recovery::model::instance::Configuration;
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Databases up to this many keys are photographed key by key, as tables of the other engines are row by row.
const WHOLE_ROWS_MAX: usize = 1000;

/// The last photograph of the server, and what it was taken at.
pub(super) struct Kept {
    position: u64,
    configuration: Configuration,
    photograph: Arc<Photograph>,
}

impl Redis {
    /// The canonical content of the server, which is its master's. While neither log nor settings moved on it is the same
    /// photograph.
    pub fn photograph(&self) -> Arc<Photograph> {
        let (position, configuration) = (self.log.position(), &self.configuration);
        if let Some(kept) = &*self.kept.borrow()
            && kept.position == position
            && kept.configuration == *configuration
        {
            return Arc::clone(&kept.photograph);
        }
        let photograph = Arc::new(self.developed(&self.view(), position));
        let kept = Kept { position, configuration: configuration.clone(), photograph: Arc::clone(&photograph) };
        *self.kept.borrow_mut() = Some(kept);
        photograph
    }

    /// The content of one node. Its settings say, beside those of the server, which node it is, how many snapshots were
    /// taken on it (RED-03), and how much slower it answers now because of one (RED-04).
    pub fn photograph_node(&self, node: Node) -> Photograph {
        let position = if node == Node::Master { self.log.position() } else { self.replica.applied };
        let mut photograph = self.developed(&self.node(node), position);
        let saves = self.saves.on(node);
        let slower = if saves.under_way(self.seen) { crate::servers::timing::SNAPSHOT_SLOWS.as_millis() } else { 0 };
        let word = if node == Node::Master { "master" } else { "replica" };
        photograph.settings.extend([
            ("node".to_owned(), word.to_owned()),
            ("node.snapshots".to_owned(), saves.count.to_string()),
            ("node.slower_ms".to_owned(), slower.to_string()),
        ]);
        photograph
    }

    /// The keys of one node by logical database.
    pub fn node_keys(&self, node: Node) -> BTreeMap<String, Vec<String>> {
        let view = self.node(node);
        let keys = |database| view.after(database, None).map(|(key, _)| key.clone()).collect();
        view.databases().map(|database| (database.to_string(), keys(database))).collect()
    }

    fn node(&self, node: Node) -> View {
        let space = if node == Node::Master { &self.master } else { &self.replica.space };
        View::new(space, ms(self.seen))
    }

    fn developed(&self, view: &View, log_position: u64) -> Photograph {
        let databases = view.databases().map(|database| {
            let keys = PhotographedObject {
                kind: ObjectKind::Table,
                name: table::NAME.to_owned(),
                definition: crate::servers::tokens::folded(table::DEFINITION),
                definer: None,
                security: None,
                enabled: true,
                needs: Vec::new(),
                rows: Some(rows(view, database)),
            };
            let objects = BTreeMap::from([(format!("table {}", table::NAME), keys)]);
            (database.to_string(), PhotographedDatabase { charset: self.charset().to_owned(), objects })
        });
        Photograph {
            databases: databases.collect(),
            accounts: self.photographed_accounts(),
            settings: self.photographed_settings(),
            log_position,
        }
    }
}

fn rows(view: &View, database: usize) -> Rows {
    let rows: Vec<Row> = view.after(database, None).map(|(key, item)| table::row(key, item)).collect();
    if rows.len() <= WHOLE_ROWS_MAX {
        let columns = table::COLUMNS.map(str::to_owned).to_vec();
        return Rows::Whole { columns, key: vec![table::COLUMNS[0].to_owned()], rows };
    }
    let mut hash = Sha256::new();
    for row in &rows {
        hash.update(serde_json::to_vec(row).unwrap_or_default());
        hash.update(b"\n");
    }
    Rows::Digest { count: rows.len() as u64, sha256: hex(hash.finalize().as_slice()) }
}
