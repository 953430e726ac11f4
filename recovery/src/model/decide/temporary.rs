//! The decision to make a temporary instance.

use super::backups::{self, Window};
use super::{Context, Decided, Decision, instances, refuse};
use crate::model::InstanceId;
use crate::model::backup::BackupKind;
use crate::model::instance::{Billing, Instance, InstanceState, NetworkType, Origin, Restored};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::views::RestoreChoice;
use crate::ports::cloud::RestoreOrder;

/// Asks for a temporary instance of a master: free (SQL-16), on the classic network whatever the master's is (TMP-07,
/// C-02), in the master's region (TMP-24), with the master's settings of now so that it is reached from the same places.
/// Nothing of the master changes (TMP-02).
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`, `OperationDenied.DBInstanceType`, `…DBInstanceStatus`, `…MigrationInProgress`,
/// `…TempDBInstanceExists`, `…BackupJobExists`, and those of [`backups::choose`].
pub fn create(ctx: &Context<'_>, master: &InstanceId, choice: &RestoreChoice) -> Decided<InstanceId> {
    check_product(ctx, instances::there(ctx, master)?)?;
    let master = instances::settled(ctx, master)?;
    instances::without_migration(ctx, &master.id)?;
    check_number(ctx, &master.id)?;
    backups::none_running(ctx.state, &master.id, BackupKind::Data)?;
    let order = backups::choose(ctx.state, ctx.policy, &master.id, choice, ctx.now, Window::Temporary)?;
    let id = InstanceId(format!("{}_{}", (ctx.new_id)("sub"), master.id));
    let instance = Instance {
        id: id.clone(),
        product: master.product,
        origin: Origin::Temporary { master: master.id.clone(), restored: restored(order) },
        region: master.region.clone(),
        network: NetworkType::Classic,
        state: InstanceState::Creating,
        endpoint: None,
        configuration: master.configuration.clone(),
        billing: Billing::Free,
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
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], id))
}

/// What an order asks for, as the instance keeps it.
pub(super) fn restored(order: RestoreOrder) -> Restored {
    match order.until {
        None => Restored::BackupSet { backup_set_id: order.data },
        Some(point_in_time) => Restored::PointInTime { point_in_time, backup_set_id: order.data },
    }
}

fn check_product(ctx: &Context<'_>, master: &Instance) -> Result<(), Refusal> {
    let id = &master.id;
    if master.origin != Origin::Primary {
        let detail = format!("instance {id} is not a primary instance; only those may have a temporary instance");
        return refuse(RefusalCode::ProductNotSupported, detail);
    }
    if ctx.policy.may_have_temporary(&master.product) {
        return Ok(());
    }
    let instead = if ctx.policy.may_be_cloned(&master.product) { "; recover through a clone instead" } else { "" };
    let detail = format!("instance {id} is {}, which may not have a temporary instance{instead}", master.product);
    refuse(RefusalCode::ProductNotSupported, detail)
}

fn check_number(ctx: &Context<'_>, master: &InstanceId) -> Result<(), Refusal> {
    let is_of_master = |instance: &&Instance| {
        instance.is_temporary() && instance.master() == Some(master) && instance.is_there(ctx.now)
    };
    let there: Vec<&Instance> = ctx.state.instances.values().filter(is_of_master).collect();
    match there.first() {
        Some(first) if there.len() >= ctx.policy.temporary_per_master => refuse(
            RefusalCode::TempDbInstanceExists,
            format!("master {master} has the temporary instance {}; delete it before another one is made", first.id),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backup::BackupMode;
    use crate::model::decide::testing::{Bench, MYSQL, SQL_SERVER_HA, SQL_SERVER_WEB, code};
    use crate::model::decide::{backups as decide_backups, clones};
    use crate::model::task::TaskStatus;
    use crate::model::views::NewClone;
    use crate::ports::clock::later_s;

    #[test]
    fn a_temporary_instance_is_free_classic_and_in_the_region_of_its_master() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        bench.edit(&master, |instance| instance.network = NetworkType::Vpc);
        let before = bench.state.instances[&master].clone();
        let choice = bench.last_set(&master);
        let id = bench.decide(|ctx| create(ctx, &master, &choice)).unwrap();
        let made = &bench.state.instances[&id];
        assert!(id.as_str().starts_with("sub") && id.as_str().ends_with(&format!("_{master}")));
        assert_eq!((made.network, made.billing, made.region.as_str()), (NetworkType::Classic, Billing::Free, "east"));
        assert_eq!(bench.state.instances[&master], before);
        bench.make(&id);
        assert!(bench.state.charges.values().all(|charge| charge.subject != id.as_str()));
    }

    #[test]
    fn a_second_temporary_instance_of_a_master_is_refused_until_the_first_is_deleted() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        let choice = bench.last_set(&master);
        let first = bench.decide(|ctx| create(ctx, &master, &choice)).unwrap();
        let second = bench.decide(|ctx| create(ctx, &master, &choice));
        assert_eq!(code(second), RefusalCode::TempDbInstanceExists);
        bench.make(&first);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &choice))), RefusalCode::TempDbInstanceExists);
        bench.decide(|ctx| instances::release(ctx, &first)).unwrap();
        assert!(bench.decide(|ctx| create(ctx, &master, &choice)).is_ok());
    }

    #[test]
    fn the_place_is_free_at_48_hours_and_not_a_second_earlier() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        let choice = bench.last_set(&master);
        bench.temporary(&master);
        let made_at = bench.now;
        bench.now = later_s(made_at, 48 * 3_600 - 1);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &choice))), RefusalCode::TempDbInstanceExists);
        bench.now = later_s(made_at, 48 * 3_600);
        assert!(bench.decide(|ctx| create(ctx, &master, &choice)).is_ok());
    }

    #[test]
    fn a_failed_one_does_not_take_the_place() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        let choice = bench.last_set(&master);
        let first = bench.decide(|ctx| create(ctx, &master, &choice)).unwrap();
        bench.decide(|ctx| instances::making_failed(ctx, &first, "no machine")).unwrap();
        assert!(bench.decide(|ctx| create(ctx, &master, &choice)).is_ok());
    }

    #[test]
    fn two_masters_may_have_one_each() {
        let mut bench = Bench::new();
        for _ in 0..2 {
            let master = bench.restorable_primary(SQL_SERVER_WEB);
            let choice = bench.last_set(&master);
            assert!(bench.decide(|ctx| create(ctx, &master, &choice)).is_ok());
        }
    }

    #[test]
    fn the_closed_list_decides_who_may_have_one() {
        let allowed = [
            "sqlserver 2012 enterprise basic",
            "sqlserver 2012 web",
            "sqlserver 2016 web",
            "sqlserver 2008r2",
            "sqlserver 2008r2 basic",
            "postgresql 9.4",
            "ppas 10",
        ];
        let refused = [
            "sqlserver 2012 enterprise",
            "sqlserver 2012 standard",
            "sqlserver 2012 standard basic",
            "sqlserver 2016 standard",
            "sqlserver 2016 enterprise",
            "sqlserver 2016 enterprise basic",
            "mysql 5.6",
            "mysql 5.7 basic",
            "mysql 8.0",
        ];
        for (products, is_allowed) in [(&allowed[..], true), (&refused[..], false)] {
            for product in products {
                let mut bench = Bench::new();
                let master = bench.restorable_primary(product);
                let choice = bench.last_set(&master);
                let decided = bench.decide(|ctx| create(ctx, &master, &choice));
                if is_allowed {
                    assert!(decided.is_ok(), "{product}: {decided:?}");
                } else {
                    assert_eq!(code(decided), RefusalCode::ProductNotSupported, "{product}");
                }
            }
        }
    }

    #[test]
    fn a_refused_kind_that_may_be_cloned_is_told_so() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(MYSQL);
        let choice = bench.last_set(&master);
        let refusal = bench.decide(|ctx| create(ctx, &master, &choice)).unwrap_err();
        assert!(refusal.detail.contains("clone"), "{refusal}");
    }

    #[test]
    fn causes_are_named_in_their_order() {
        let mut bench = Bench::new();
        let nobody = InstanceId::from("rm-nobody");
        let choice = RestoreChoice::default();
        assert_eq!(code(bench.decide(|ctx| create(ctx, &nobody, &choice))), RefusalCode::InstanceNotFound);
        let creating = bench.creating(SQL_SERVER_WEB);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &creating, &choice))), RefusalCode::InstanceStatus);
        let master = bench.primary(SQL_SERVER_WEB);
        let set = RestoreChoice { backup_set_id: Some("bk-1".into()), point_in_time: None };
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &set))), RefusalCode::NotFoundBackup);
        bench.decide(|ctx| decide_backups::request(ctx, &master, BackupKind::Data, BackupMode::Manual)).unwrap();
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &set))), RefusalCode::BackupJobExists);
        let task = bench.task(&master, &master);
        bench.edit_task(&task, |task| task.status = TaskStatus::Suspending);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &master, &set))), RefusalCode::MigrationInProgress);
    }

    #[test]
    fn neither_a_clone_nor_a_temporary_instance_has_temporary_instances() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        let temporary = bench.temporary(&master);
        let choice = bench.last_set(&master);
        assert_eq!(code(bench.decide(|ctx| create(ctx, &temporary, &choice))), RefusalCode::ProductNotSupported);
        let master = bench.restorable_primary(SQL_SERVER_HA);
        let order = NewClone {
            restore: bench.last_set(&master),
            billing: Billing::PayAsYouGo,
            network: None,
            count: None,
            terms_accepted: true,
            entry: None,
        };
        let clones = bench.decide(|ctx| clones::create(ctx, &master, &order)).unwrap();
        assert_eq!(code(bench.decide(|ctx| create(ctx, &clones[0], &choice))), RefusalCode::ProductNotSupported);
    }
}
