//! Statements and logins on database servers.

use super::operator::{Operator, StepFailed, Stepped};
use crate::history::{Login as LoginEvent, What};
use futures_util::future::LocalBoxFuture;
use recovery::model::photograph::password_mark;
use recovery::ports::Ports;
use recovery::ports::database::{DatabaseError, Login};
use scenarios::{LoginFrom, LoginStep, SqlStep};
use std::cell::RefCell;
use std::rc::Rc;

/// Runs statements.
pub async fn sql(operator: &Operator, step: &SqlStep) -> Stepped {
    let outcome = operator.run_sql(&step.on, &step.database, &step.login, &step.run).await?;
    let want = format!("the statements on {}", step.on);
    match (&step.error, outcome) {
        (None, Ok(_)) => Ok(()),
        (None, Err(error)) => Err(StepFailed::new(format!("{want} to succeed"), error.to_string())),
        (Some(text), Err(error)) if error.to_string().contains(text.as_str()) => {
            operator.recorder.expectation(operator.now(), true, format!("{want} refused"), error.to_string());
            Ok(())
        }
        (Some(text), Err(error)) => Err(StepFailed::new(format!("{want} refused with '{text}'"), error.to_string())),
        (Some(text), Ok(_)) => Err(StepFailed::new(format!("{want} refused with '{text}'"), "they succeeded")),
    }
}

/// Tries to log in.
pub async fn login(operator: &Operator, step: &LoginStep) -> Stepped {
    let id = operator.instance(&step.on)?;
    let endpoint = operator.endpoint(&id).await?;
    let login = Login { account: step.login.account.clone(), password: step.login.password.clone(), ssl: step.ssl };
    let outcome = match (endpoint, step.from) {
        (None, _) => Err(DatabaseError::Unreachable(format!("{} has no endpoint", step.on))),
        (Some(endpoint), LoginFrom::Operator) => operator.log_in(&id, &endpoint, &login).await.map(drop),
        (Some(endpoint), from) => {
            let host = if from == LoginFrom::Application { "application" } else { "stranger" };
            let sent_at = operator.now();
            let outcome = log_in_from(operator, host, endpoint, login.clone()).await;
            let event = LoginEvent {
                sent_at,
                instance: id,
                account: login.account.clone(),
                password_mark: password_mark(&login.password),
                ssl: login.ssl,
                from: host.into(),
                outcome: outcome.clone(),
            };
            operator.recorder.record(operator.now(), What::Login(event));
            outcome
        }
    };
    let want = format!("the login of {} on {}", login.account, step.on);
    let (met, want, got) = match (&step.refused, outcome) {
        (None, Ok(())) => (true, want, "logged in".to_owned()),
        (None, Err(error)) => (false, want, error.to_string()),
        (Some(text), Err(error)) => {
            (error.to_string().contains(text), format!("{want} refused with '{text}'"), error.to_string())
        }
        (Some(text), Ok(())) => (false, format!("{want} refused with '{text}'"), "logged in".to_owned()),
    };
    operator.recorder.expectation(operator.now(), met, want, got);
    Ok(())
}

async fn log_in_from(operator: &Operator, host: &str, endpoint: String, login: Login) -> Result<(), DatabaseError> {
    let answer: Rc<RefCell<Option<Result<(), DatabaseError>>>> = Rc::default();
    let slot = Rc::clone(&answer);
    let guest = move |ports: Ports| -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            let outcome = ports.database.connect(&endpoint, &login).await.map(drop);
            *slot.borrow_mut() = Some(outcome);
        })
    };
    if let Err(error) = operator.stage.control.spawn_on(host, Box::new(guest)) {
        return Err(DatabaseError::Unreachable(error.to_string()));
    }
    for _ in 0..600 {
        if let Some(outcome) = answer.borrow_mut().take() {
            return outcome;
        }
        operator.sleep(jiff::SignedDuration::from_millis(50)).await;
    }
    Err(DatabaseError::Unreachable(format!("no word from {host}")))
}
