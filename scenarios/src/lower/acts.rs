//! Ordinary steps that somebody takes in the middle of something else, as faults. What they change is put back when
//! everything heals, so the book of accounts does not learn of it: later steps log in as before.

use super::Lower;
use super::book::Kind;
use super::instances::exceptions;
use crate::action::{AccountStep, AccountStepChange, ConfigureStep, ReleaseStep};
use crate::error::quoted;
use crate::fault::{Act, ActKind, Deed};
use crate::fields::Fields;
use crate::scenario::AccountSpec;
use recovery::model::instance::Grants;
use std::collections::BTreeMap;

impl Lower {
    /// The act a key of a fault says.
    pub(super) fn act(&mut self, fields: &Fields, key: &str) -> Option<Act> {
        let kind = match key {
            "ddl" => ActKind::Ddl,
            "sql" => ActKind::Sql,
            "rights" => ActKind::Rights,
            "password" => ActKind::Password,
            "drop_account" => ActKind::DropAccount,
            "ssl" => ActKind::Ssl,
            "whitelist" => ActKind::Whitelist,
            _ => ActKind::Delete,
        };
        let Some(table) = fields.table(key) else {
            let instance = self.find(&fields.word(key)?, Kind::Instance)?;
            return Some(Act { kind, deed: Deed::Release(ReleaseStep { instance, refused: None }), undo: None });
        };
        let (deed, undo) = match kind {
            ActKind::Ddl | ActKind::Sql => (Deed::Sql(self.sql(table)?), None),
            ActKind::Rights | ActKind::Password | ActKind::DropAccount => {
                let (deed, undo) = self.account_act(table, kind)?;
                (Deed::Account(deed), Some(Deed::Account(undo)))
            }
            _ => {
                let (deed, undo) = self.setting(table, kind)?;
                (Deed::Configure(deed), Some(Deed::Configure(undo)))
            }
        };
        Some(Act { kind, deed, undo })
    }

    fn account_act(&mut self, fields: &Fields, kind: ActKind) -> Option<(AccountStep, AccountStep)> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let name = fields.word("name")?;
        self.own_accounts(fields, &on, "")?;
        let login = self.login(&on, &name.span, Some(name.clone()), None)?;
        let known = self.book.accounts(&on).iter().find(|known| known.name == login.account)?.clone();
        let AccountSpec { name, password, grants } = known.clone();
        let change = |password, grants| AccountStepChange::Change { name: name.clone(), password, grants };
        let (deed, undo) = match kind {
            ActKind::Rights => {
                let new = Grants { default: fields.model("rights")?, exceptions: exceptions(fields) };
                (change(None, Some(new)), change(None, Some(grants)))
            }
            ActKind::Password => (change(Some(fields.secret("password")?), None), change(Some(password), None)),
            _ => (AccountStepChange::Drop { name: name.clone() }, AccountStepChange::Create(known)),
        };
        let step = |change| AccountStep { on: on.clone(), change, refused: None };
        Some((step(deed), step(undo)))
    }

    fn setting(&mut self, fields: &Fields, kind: ActKind) -> Option<(ConfigureStep, ConfigureStep)> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let deed = ConfigureStep {
            on,
            whitelist: None,
            add_whitelist: fields.texts("add").unwrap_or_default(),
            remove_whitelist: fields.texts("remove").unwrap_or_default(),
            ssl: fields.flag("enabled"),
            parameters: BTreeMap::new(),
            backup_policy: None,
            alarm_thresholds: None,
            refused: None,
        };
        if kind == ActKind::Whitelist && deed.add_whitelist.is_empty() && deed.remove_whitelist.is_empty() {
            let help = "give `remove`, `add`, or both";
            self.problems.add(&fields.span, "this changes nothing about the whitelist", "incomplete", help);
            return None;
        }
        let undo = ConfigureStep {
            add_whitelist: deed.remove_whitelist.clone(),
            remove_whitelist: deed.add_whitelist.clone(),
            ssl: deed.ssl.map(|enabled| !enabled),
            ..deed.clone()
        };
        Some((deed, undo))
    }

    /// Adds a problem where the accounts of an instance are its master's.
    pub(super) fn own_accounts(&mut self, fields: &Fields, on: &str, otherwise: &str) -> Option<()> {
        let master = self.book.instances.get(on).filter(|known| known.follows).and_then(|known| known.master.clone());
        let Some(master) = master else { return Some(()) };
        let message = format!("the accounts of {} are those of its master", quoted(on));
        let help = format!("change them on {}{otherwise}", quoted(&master));
        self.problems.add(&fields.place("on"), message, "follows a master", help);
        None
    }
}
