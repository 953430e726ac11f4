//! Faults: their kinds, conditions and what puts them back.

use super::accepted::everything;
use super::{last, parse};
use crate::*;
use recovery::model::instance::Rights;
use std::collections::BTreeSet;

fn fault(steps: &str) -> FaultStep {
    match last(steps) {
        Ok(Action::Fault(step)) => step,
        other => panic!("{other:?}"),
    }
}

fn act(step: FaultStep) -> Act {
    match step.fault {
        Fault::Act(act) => *act,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_fault_is_used_and_listed_once() {
    let scenario = parse(&everything()).unwrap_or_else(|error| panic!("{}", error.render()));
    let used: BTreeSet<&str> = scenario
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Fault(step) => Some(step.fault.kind()),
            _ => None,
        })
        .collect();
    let plain = ["crash", "partition"];
    let listed: BTreeSet<&str> = Fault::ALL_KINDS.iter().copied().filter(|kind| !plain.contains(kind)).collect();
    assert_eq!(used, listed);
    assert_eq!(listed.len() + plain.len(), Fault::ALL_KINDS.len());
    assert_eq!(fault("fault = { crash = \"service\" }").fault.kind(), "crash");
    assert_eq!(fault("fault = { partition = [\"service\", \"worker-1\"] }").fault.kind(), "partition");
}

#[test]
fn a_fault_with_a_condition_is_in_the_background() {
    let step = fault(
        "fault = { crash = \"service\", when = { task = \"later\", rows = 10 } }\n\
         migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], as = \"later\" }\n\
         fault = { pause = \"service\", for = \"1s\", when = { task = \"later\", rows = 10 } }",
    );
    assert_eq!(step.when, Some(WaitUntil::TaskRows { task: "later".into(), rows: 10 }));
    assert!(step.background);
    assert!(!fault("fault = { heal = true }").background);
}

#[test]
fn what_an_act_changes_can_be_put_back() {
    let password = act(fault("fault = { password = { on = \"shop\", name = \"app\", password = \"new\" } }"));
    let is_password = |deed: Option<&Deed>, wanted: &str| match deed {
        Some(Deed::Account(AccountStep {
            change: AccountStepChange::Change { password: Some(password), .. }, ..
        })) => password.expose() == wanted,
        _ => false,
    };
    assert!(is_password(Some(&password.deed), "new") && is_password(password.undo.as_ref(), "s3cret"));

    let rights = act(fault("fault = { rights = { on = \"shop\", name = \"app\", rights = \"none\" } }"));
    let given = |deed: Option<Deed>| match deed {
        Some(Deed::Account(AccountStep { change: AccountStepChange::Change { grants, .. }, .. })) => {
            grants.map(|grants| grants.default)
        }
        _ => None,
    };
    assert_eq!((given(Some(rights.deed)), given(rights.undo)), (Some(Rights::None), Some(Rights::ReadWrite)));

    let whitelist = act(fault("fault = { whitelist = { on = \"shop\", remove = [\"worker-1\"] } }"));
    match whitelist.undo {
        Some(Deed::Configure(undo)) => assert!(undo.add_whitelist.contains("worker-1") && undo.ssl.is_none()),
        other => panic!("{other:?}"),
    }
    let dropped = act(fault("fault = { drop_account = { on = \"shop\", name = \"app\" } }"));
    match dropped.undo {
        Some(Deed::Account(AccountStep { change: AccountStepChange::Create(account), .. })) => {
            assert_eq!((account.name.as_str(), account.password.expose()), ("app", "s3cret"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(act(fault("fault = { delete = \"shop\" }")).undo, None);
}

#[test]
fn steps_after_an_act_log_in_as_before() {
    let steps = "fault = { password = { on = \"shop\", name = \"app\", password = \"new\" }, for = \"1s\" }\n\
                 sql = { on = \"shop\", run = \"select 1\" }";
    match last(steps) {
        Ok(Action::Sql(step)) => assert_eq!(step.login.password.expose(), "s3cret"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn machines_that_faults_name_are_there() {
    let scenario = super::with_steps("fault = { disk_full = \"machine-4\" }").map_err(|error| error.render());
    assert_eq!(scenario.map(|scenario| scenario.world.machines), Ok(4));
}
