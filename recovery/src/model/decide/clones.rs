//! The decision to make clones.

use super::backups::{self, Window};
use super::temporary::restored;
use super::{Context, Decided, Decision, instances, recoveries, refuse};
use crate::model::instance::{Billing, Instance, InstanceState, Origin};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::views::{CloneEntry, NewClone};
use crate::model::{Engine, InstanceId};

/// Orders clones of a primary instance (CLN-02 to CLN-13): new instances that are billed like any other, with the
/// master's settings of now and the data and accounts of the chosen backup or time (C-11).
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`, `OperationDenied.DBInstanceType`, `…DBInstanceStatus`, `…MigrationInProgress`,
/// `…TermsNotAccepted`, `…RestoreMethod`, `…Billing`, `InvalidParameter`, and those of [`backups::choose`].
pub fn create(ctx: &Context<'_>, master: &InstanceId, new: &NewClone) -> Decided<Vec<InstanceId>> {
    check_product(ctx, instances::there(ctx, master)?)?;
    let master = instances::settled(ctx, master)?;
    instances::without_migration(ctx, &master.id)?;
    let count = check_order(ctx, new)?;
    check_redis_order(master, new)?;
    let order = backups::choose(ctx.state, ctx.policy, &master.id, &new.restore, ctx.now, Window::Clone)?;
    let restored = restored(order);
    let ids: Vec<InstanceId> = (0..count).map(|_| InstanceId((ctx.new_id)("rm-"))).collect();
    let clone = |id: &InstanceId| Instance {
        id: id.clone(),
        product: master.product,
        origin: Origin::Clone { source: master.id.clone(), restored: restored.clone() },
        region: master.region.clone(),
        network: new.network.unwrap_or(master.network),
        state: InstanceState::Creating,
        endpoint: None,
        configuration: master.configuration.clone(),
        billing: new.billing,
        requested_at: ctx.now,
        created_at: None,
        expires_at: None,
        released_at: None,
        recovered_to: None,
        recovering: None,
        recoveries: 0,
        scheduled_at: None,
        failure: None,
        first_account: None,
    };
    let changes = ids.iter().map(|id| StateChange::Instance(Box::new(clone(id)))).collect();
    Ok(Decision::new(changes, ids))
}

fn check_product(ctx: &Context<'_>, master: &Instance) -> Result<(), Refusal> {
    let id = &master.id;
    if master.origin != Origin::Primary {
        let detail = format!("instance {id} is not a primary instance; only those may be cloned");
        return refuse(RefusalCode::ProductNotSupported, detail);
    }
    recoveries::check_cluster(ctx, master)?;
    if ctx.policy.may_be_cloned(&master.product) {
        return Ok(());
    }
    let may = ctx.policy.may_have_temporary(&master.product);
    let instead = if may { "; recover through a temporary instance instead" } else { "" };
    let detail = format!("instance {id} is {}, which may not be cloned{instead}", master.product);
    refuse(RefusalCode::ProductNotSupported, detail)
}

/// Redis: from a backup set only (RED-20, RED-29), and from the page of recovery pay-as-you-go only (RED-25, C-26).
fn check_redis_order(master: &Instance, new: &NewClone) -> Result<(), Refusal> {
    let id = &master.id;
    if master.product.engine != Engine::Redis {
        return match new.entry {
            None => Ok(()),
            Some(_) => {
                let detail = format!("entry is for Redis; instance {id} is {}, leave it out", master.product);
                refuse(RefusalCode::InvalidParameter, detail)
            }
        };
    }
    if new.restore.point_in_time.is_some() && new.restore.backup_set_id.is_none() {
        let detail = format!("instance {id} is {}, which is recovered from a backup set only", master.product);
        return refuse(RefusalCode::RestoreMethodNotSupported, detail);
    }
    if new.entry == Some(CloneEntry::RecoverData) && new.billing != Billing::PayAsYouGo {
        let detail =
            "a clone made where data is recovered is billed pay-as-you-go; choose that, or order it as a clone";
        return refuse(RefusalCode::BillingNotSupported, detail);
    }
    Ok(())
}

fn check_order(ctx: &Context<'_>, new: &NewClone) -> Result<u8, Refusal> {
    if !new.terms_accepted {
        return refuse(
            RefusalCode::TermsNotAccepted,
            "the terms of service have to be accepted: terms_accepted is false",
        );
    }
    let count = new.count.unwrap_or(1);
    let most = ctx.policy.clones_per_order;
    if !(1..=most).contains(&count) {
        let detail = format!("count is {count}; one order makes 1 to {most} clones");
        return refuse(RefusalCode::InvalidParameter, detail);
    }
    if new.billing == Billing::Free {
        let detail = "a clone is billed like any instance; choose pay-as-you-go or subscription";
        return refuse(RefusalCode::InvalidParameter, detail);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decide::testing::{Bench, MYSQL, REDIS, SQL_SERVER_WEB, code};
    use crate::model::decide::views::state_shown;
    use crate::model::instance::NetworkType;
    use crate::model::views::RestoreChoice;

    fn order(restore: RestoreChoice) -> NewClone {
        NewClone {
            restore,
            billing: Billing::PayAsYouGo,
            network: None,
            count: None,
            terms_accepted: true,
            entry: None,
        }
    }

    #[test]
    fn the_closed_list_decides_who_may_be_cloned() {
        let allowed = [
            "mysql 5.5",
            "mysql 5.6",
            "mysql 5.7",
            "sqlserver 2012 standard",
            "sqlserver 2012 enterprise",
            "sqlserver 2016 standard",
            "sqlserver 2016 enterprise",
        ];
        let refused = [
            "mysql 5.7 basic",
            "mysql 8.0",
            "sqlserver 2012 standard basic",
            "sqlserver 2012 enterprise basic",
            "sqlserver 2012 web",
            "sqlserver 2016 web",
            "sqlserver 2008r2",
            "postgresql 9.4",
            "ppas 10",
        ];
        for (products, is_allowed) in [(&allowed[..], true), (&refused[..], false)] {
            for product in products {
                let mut bench = Bench::new();
                let master = bench.restorable_primary(product);
                let order = order(bench.last_set(&master));
                let decided = bench.decide(|ctx| create(ctx, &master, &order));
                if is_allowed {
                    assert!(decided.is_ok(), "{product}: {decided:?}");
                } else {
                    assert_eq!(code(decided), RefusalCode::ProductNotSupported, "{product}");
                }
            }
        }
    }

    #[test]
    fn a_refused_kind_that_may_have_a_temporary_instance_is_told_so() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        let order = order(bench.last_set(&master));
        let refusal = bench.decide(|ctx| create(ctx, &master, &order)).unwrap_err();
        assert!(refusal.detail.contains("temporary"), "{refusal}");
    }

    #[test]
    fn one_order_makes_one_to_five_clones() {
        for (count, is_allowed) in [(0, false), (1, true), (5, true), (6, false)] {
            let mut bench = Bench::new();
            let master = bench.restorable_primary(MYSQL);
            let order = NewClone { count: Some(count), ..order(bench.last_set(&master)) };
            let decided = bench.decide(|ctx| create(ctx, &master, &order));
            if is_allowed {
                assert_eq!(decided.unwrap().len(), usize::from(count));
            } else {
                assert_eq!(code(decided), RefusalCode::InvalidParameter);
            }
        }
    }

    #[test]
    fn terms_and_a_price_are_needed() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(MYSQL);
        let unticked = NewClone { terms_accepted: false, ..order(bench.last_set(&master)) };
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &unticked))), RefusalCode::TermsNotAccepted);
        let free = NewClone { billing: Billing::Free, ..order(bench.last_set(&master)) };
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &free))), RefusalCode::InvalidParameter);
    }

    #[test]
    fn a_clone_takes_the_settings_of_now_and_the_network_that_was_asked_for() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(MYSQL);
        let restore = bench.last_set(&master);
        bench.edit(&master, |instance| {
            instance.network = NetworkType::Vpc;
            instance.configuration.parameters.insert("wait_timeout".into(), "60".into());
        });
        let copy = bench.decide(|ctx| create(ctx, &master, &order(restore.clone()))).unwrap().remove(0);
        assert_eq!(bench.state.instances[&copy].configuration, bench.state.instances[&master].configuration);
        assert_eq!(bench.state.instances[&copy].network, NetworkType::Vpc);
        bench.make(&copy);
        assert!(bench.state.instances[&copy].expires_at.is_none());
        assert!(bench.state.charges.values().any(|charge| charge.subject == copy.as_str()));
        let classic = NewClone { network: Some(NetworkType::Classic), ..order(restore) };
        let other = bench.decide(|ctx| create(ctx, &master, &classic)).unwrap().remove(0);
        assert_eq!(bench.state.instances[&other].network, NetworkType::Classic);
    }

    #[test]
    fn a_master_shows_that_it_is_being_cloned_and_takes_no_other_order_meanwhile() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(MYSQL);
        let order = order(bench.last_set(&master));
        let copy = bench.decide(|ctx| create(ctx, &master, &order)).unwrap().remove(0);
        let shown = |bench: &Bench| state_shown(&bench.state.instances[&master], &bench.state, bench.now);
        assert_eq!(shown(&bench), InstanceState::InsCloning);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &order))), RefusalCode::InstanceStatus);
        bench.make(&copy);
        assert_eq!(shown(&bench), InstanceState::Running);
        assert!(bench.decide(|ctx| create(ctx, &master, &order)).is_ok());
    }

    #[test]
    fn a_clone_is_not_cloned_again() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(MYSQL);
        let order = order(bench.last_set(&master));
        let copy = bench.decide(|ctx| create(ctx, &master, &order)).unwrap().remove(0);
        bench.make(&copy);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &copy, &order))), RefusalCode::ProductNotSupported);
    }

    #[test]
    fn a_redis_instance_is_cloned_from_a_backup_set_only() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(REDIS);
        let time = RestoreChoice { backup_set_id: None, point_in_time: Some(bench.now) };
        let decided = bench.decide(|ctx| create(ctx, &master, &order(time)));
        assert_eq!(code(decided), RefusalCode::RestoreMethodNotSupported);
        let set = bench.last_set(&master);
        let both = RestoreChoice { point_in_time: Some(bench.now), ..set.clone() };
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &order(both)))), RefusalCode::InvalidParameter);
        let before = bench.state.instances[&master].clone();
        assert!(bench.decide(|ctx| create(ctx, &master, &order(set))).is_ok());
        assert_eq!(bench.state.instances[&master], before);
    }

    #[test]
    fn the_page_of_recovery_makes_pay_as_you_go_clones_and_that_of_clones_either() {
        use CloneEntry::{CloneInstance, RecoverData};
        for (entry, billing, is_allowed) in [
            (Some(RecoverData), Billing::PayAsYouGo, true),
            (Some(RecoverData), Billing::Subscription, false),
            (Some(CloneInstance), Billing::PayAsYouGo, true),
            (Some(CloneInstance), Billing::Subscription, true),
            (None, Billing::Subscription, true),
        ] {
            let mut bench = Bench::new();
            let master = bench.restorable_primary(REDIS);
            let order = NewClone { entry, billing, ..order(bench.last_set(&master)) };
            match bench.decide(|ctx| create(ctx, &master, &order)) {
                Ok(copies) => assert!(is_allowed && bench.state.instances[&copies[0]].billing == billing),
                Err(refusal) => {
                    assert_eq!((is_allowed, refusal.code), (false, RefusalCode::BillingNotSupported));
                }
            }
        }
    }

    #[test]
    fn a_page_is_named_for_redis_only() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(MYSQL);
        let order = NewClone { entry: Some(CloneEntry::RecoverData), ..order(bench.last_set(&master)) };
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &order))), RefusalCode::InvalidParameter);
    }

    #[test]
    fn a_redis_cluster_is_cloned_as_the_policy_says() {
        for is_allowed in [true, false] {
            let mut bench = Bench::new();
            bench.policy.redis_cluster_recoverable = is_allowed;
            let master = bench.restorable_primary("redis 7.0 cluster");
            let order = order(bench.last_set(&master));
            let refused = bench.decide(|ctx| create(ctx, &master, &order)).err().map(|refusal| refusal.code);
            assert_eq!(refused, (!is_allowed).then_some(RefusalCode::ProductNotSupported));
        }
    }
}
