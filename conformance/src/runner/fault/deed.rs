//! What somebody does at the worst moment: ordinary requests and statements.

use super::super::operator::{Operator, StepFailed, Stepped};
use super::super::requests;
use scenarios::{ActKind, Deed};

/// Does it.
///
/// # Errors
/// When it is refused: it did not happen then.
pub async fn perform(operator: &Operator, deed: &Deed) -> Stepped {
    match deed {
        Deed::Sql(step) => {
            let outcome = operator.run_sql(&step.on, &step.database, &step.login, &step.run).await?;
            outcome.map(drop).map_err(|error| StepFailed::new("the statements", error.to_string()))
        }
        Deed::Account(step) => requests::account(operator, step).await,
        Deed::Configure(step) => requests::configure(operator, step).await,
        Deed::Release(step) => requests::release(operator, step).await,
    }
}

/// It in words, without passwords.
pub fn described(kind: ActKind, deed: &Deed) -> String {
    let on = deed.on();
    match (kind, deed) {
        (_, Deed::Sql(step)) => {
            let line = step.run.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("somebody runs on {on}: {line}")
        }
        (ActKind::Rights, _) => format!("somebody gives an account of {on} other rights"),
        (ActKind::Password, _) => format!("somebody changes a password of {on}"),
        (ActKind::DropAccount, _) => format!("somebody drops an account of {on}"),
        (ActKind::Ssl, _) => format!("somebody switches SSL of {on}"),
        (ActKind::Whitelist, _) => format!("somebody changes the whitelist of {on}"),
        _ => format!("somebody releases {on}"),
    }
}
