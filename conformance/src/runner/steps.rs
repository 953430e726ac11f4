//! Takes one step, whatever it is.

use super::application::Application;
use super::operator::{Operator, StepFailed, Stepped};
use super::{content, expect, fault, logical, migrate, rebuild, redis, requests, restore, wait};
use jiff::{SignedDuration, Timestamp};
use recovery::ports::clock::later;
use scenarios::{Action, AdvanceStep, ApplicationStep};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Takes a step.
///
/// # Errors
/// When it cannot be taken, or comes out otherwise than the scenario says.
pub async fn take(operator: &Rc<Operator>, application: &Application, action: &Action) -> Stepped {
    match action {
        Action::Backup(step) => restore::back_up(operator, step).await,
        Action::Sql(step) => content::sql(operator, step).await,
        Action::Mark(name) => mark(operator, application, name).await,
        Action::Temporary(step) => restore::temporary(operator, step).await,
        Action::Clone(step) => restore::clone(operator, step).await,
        Action::Migrate(step) => migrate::migrate(operator, step).await,
        Action::Task(step) => requests::task(operator, step).await,
        Action::Wait(step) => wait::wait(operator, step).await,
        Action::DataSource(step) => logical::data_source(operator, step).await,
        Action::RemoveDataSource(step) => logical::remove_data_source(operator, step).await,
        Action::LogicalBackup(step) => logical::back_up(operator, step).await,
        Action::LogicalTask(step) => logical::task(operator, step).await,
        Action::Restore(step) => rebuild::restore(operator, step).await,
        Action::RestoreTask(step) => rebuild::task(operator, step).await,
        Action::Recover(step) => redis::recover(operator, step).await,
        Action::Download(step) => redis::download(operator, step).await,
        Action::Release(step) => requests::release(operator, step).await,
        Action::Account(step) => requests::account(operator, step).await,
        Action::Configure(step) => requests::configure(operator, step).await,
        Action::Login(step) => content::login(operator, step).await,
        Action::Advance(step) => advance(operator, step).await,
        Action::Application(step) => {
            match step {
                ApplicationStep::Start => application.resume(),
                ApplicationStep::Pause => application.pause().await,
                ApplicationStep::Stop => application.stop().await,
            }
            Ok(())
        }
        Action::Fault(step) => fault::fault(operator, step).await,
        Action::Call(step) => requests::call(operator, step).await,
        Action::Expect(expectation) => expect::expect(operator, expectation).await,
    }
}

/// Names this moment. The application holds its breath; everything before is at or before the mark's second on each
/// server's clock, everything after is later. A clock that was set back has to show again what it showed before: until
/// then, times on it name two moments.
async fn mark(operator: &Operator, application: &Application, name: &str) -> Stepped {
    application.hold().await;
    let mut times: BTreeMap<_, Timestamp> = BTreeMap::new();
    let mut longest = SignedDuration::ZERO;
    let known: Vec<_> = operator.instances.borrow().values().cloned().collect();
    for id in known {
        let Some(machine) = operator.stage.control.machine_of(&id) else { continue };
        let now = operator.host_now(&machine);
        let latest = operator.shown_before.borrow().get(&machine).map_or(now, |shown| now.max(*shown));
        let second = ceil_to_second(latest);
        longest = longest.max(second.duration_since(now));
        times.insert(id, second);
    }
    operator.marks.borrow_mut().insert(name.to_owned(), times.clone());
    operator.recorder.record(operator.now(), crate::history::What::Mark { name: name.to_owned(), times });
    operator.photograph_all(Some(name)).await;
    operator.sleep(longest + SignedDuration::from_millis(1)).await;
    application.release();
    Ok(())
}

fn ceil_to_second(time: Timestamp) -> Timestamp {
    let ms = time.as_millisecond();
    Timestamp::from_millisecond(ms.div_euclid(1000) * 1000 + if ms.rem_euclid(1000) == 0 { 0 } else { 1000 })
        .unwrap_or(time)
}

async fn advance(operator: &Operator, step: &AdvanceStep) -> Stepped {
    let until = match step {
        AdvanceStep::By(span) => later(operator.now(), SignedDuration::try_from(*span).unwrap_or(SignedDuration::MAX)),
        AdvanceStep::ToExpiry { instance, offset } => {
            let id = operator.instance(instance)?;
            let expires = operator.see(&id).await?.and_then(|view| view.expires_at);
            later(expires.ok_or_else(|| StepFailed::new(format!("when {instance} expires"), "it never does"))?, *offset)
        }
        AdvanceStep::ToMark { mark, offset } => {
            let marks = operator.marks.borrow();
            let second = marks.get(mark).and_then(|times| times.values().max().copied());
            later(second.ok_or_else(|| StepFailed::new(format!("mark '{mark}'"), "it has no instance"))?, *offset)
        }
    };
    let now = operator.now();
    if until < now {
        let late = now.duration_since(until);
        return Err(StepFailed::new(format!("to advance to {until}"), format!("that was {late:#} ago")));
    }
    operator.sleep(until.duration_since(now)).await;
    Ok(())
}
