//! Who may make triggers and functions on a MySQL server that writes a binary log: those who have SUPER, and nobody has it
//! on a server of the cloud, unless the server trusts all who may make them otherwise.

use super::server::{Actor, Server};
use super::statement::{Action, Statement};
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;

/// What the server says, with error 1419.
const REFUSAL: &str = "You do not have the SUPER privilege and binary logging is enabled (you *might* want to use the less \
                       safe log_bin_trust_function_creators variable)";

impl Server {
    /// Refuses to make a trigger or function where the server does not trust its maker.
    pub(super) fn trusts(&self, actor: &Actor, statement: &Statement) -> Result<(), DatabaseError> {
        let makes = match statement {
            Statement::Schema(change) => change.action == Action::Create && change.kind == ObjectKind::Trigger,
            Statement::Define(new) => new.kind == ObjectKind::Function,
            _ => false,
        };
        let is = |name, wanted| self.parameter(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted));
        let distrusts = is("log_bin", "ON") && is("log_bin_trust_function_creators", "OFF");
        if makes && distrusts && actor.checked {
            let (account, what) = (actor.account.clone(), REFUSAL.to_owned());
            return Err(DatabaseError::NotPermitted { account, what });
        }
        Ok(())
    }
}
