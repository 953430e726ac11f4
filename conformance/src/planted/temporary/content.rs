//! What temporary instances hold, who gets in, and what becomes of the master meanwhile.

use super::super::Planted;
use super::super::goods::{
    self, Goods, a_second_further, master_gets_an_account, master_is_tuned, of_now, restored_otherwise,
    up_to_the_second, with_accounts_of_now, without_logs,
};
use super::super::tools::meddling::cloud;
use super::super::tools::{CloudHooks, ports};
use recovery::model::Secret;
use recovery::model::instance::{Configuration, Grants, Rights};
use recovery::ports::cloud::AccountOrder;

const CHANGES_NOTHING: &str = "creating_a_temporary_changes_nothing_on_the_master";
const ACCOUNTS: &str = "accounts_are_those_of_the_backup";
const LOGS: &str = "temporary_needs_covering_logs";
const READ: &str = "temporary_can_be_read";
const SERVES: &str = "recovery_never_stops_the_master";

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-parameter-of-the-master-is-changed-while-a-temporary-instance-is-made",
        says: "Making a temporary instance leaves the master with another max_connections.",
        check: CHANGES_NOTHING,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(master_is_tuned(cloud, order, Goods::Temporary))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-service-leaves-an-account-on-the-master-of-a-temporary-instance",
        says: "To make a temporary instance the service makes itself an account on the master and leaves it there.",
        check: CHANGES_NOTHING,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(master_gets_an_account(cloud, order, Goods::Temporary))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-master-lets-nobody-in-while-a-temporary-instance-is-made",
        says: "The master's whitelist is emptied while a temporary instance is made, and filled again afterwards.",
        check: SERVES,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let Some(master) = Goods::Temporary.master(order) else { return cloud.create(order).await };
                        let closed = Configuration { whitelist: [].into(), ..order.configuration.clone() };
                        cloud.configure(&master, &closed).await?;
                        let made = cloud.create(order).await;
                        cloud.configure(&master, &order.configuration).await?;
                        made
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-lets-nobody-in",
        says: "A temporary instance is made with an empty whitelist though it shows its master's.",
        check: READ,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let mut order = order.clone();
                        if order.life_s.is_some() {
                            order.configuration.whitelist.clear();
                        }
                        cloud.create(&order).await
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "accounts-of-a-temporary-instance-have-no-rights",
        says: "The accounts of a temporary instance are let in and may not read.",
        check: READ,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let made = cloud.create(order).await?;
                        let accounts =
                            if order.life_s.is_some() { cloud.accounts(&order.instance).await? } else { vec![] };
                        for account in accounts {
                            let grants = Grants::all(Rights::None);
                            let order_of = AccountOrder::Grants { name: account.name, grants };
                            cloud.account(&order.instance, &order_of).await?;
                        }
                        Ok(made)
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-has-the-accounts-and-passwords-of-now",
        says: "A temporary instance gets the accounts its master has now instead of those of the backup.",
        check: ACCOUNTS,
        variant: ports(|| {
            cloud(CloudHooks {
                account: Some(|cloud, instance, order, at| Box::pin(goods::noted(cloud, instance, order, at))),
                create: Some(|cloud, order, at| Box::pin(with_accounts_of_now(cloud, order, Goods::Temporary, at))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-has-an-account-of-the-service",
        says: "Beside the accounts of the backup a temporary instance has one the service made for itself.",
        check: ACCOUNTS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let made = cloud.create(order).await?;
                        if order.life_s.is_some() {
                            cloud.account(&order.instance, &goods::service_account()).await?;
                        }
                        Ok(made)
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-name-of-a-temporary-instance-is-its-password",
        says: "The accounts of a temporary instance get its id as their password.",
        check: ACCOUNTS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let made = cloud.create(order).await?;
                        let accounts =
                            if order.life_s.is_some() { cloud.accounts(&order.instance).await? } else { vec![] };
                        for account in accounts {
                            let password = Secret::new(order.instance.as_str());
                            let order_of = AccountOrder::Password { name: account.name, password };
                            cloud.account(&order.instance, &order_of).await?;
                        }
                        Ok(made)
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-transactions-of-the-chosen-second-are-dropped",
        says: "The logs are replayed up to the chosen second and not through it.",
        check: LOGS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(restored_otherwise(cloud, order, Goods::Temporary, up_to_the_second))
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-holds-a-second-too-much",
        says: "The logs are replayed a second further than the chosen time.",
        check: LOGS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(restored_otherwise(cloud, order, Goods::Temporary, a_second_further))
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-chosen-time-is-silently-moved-to-the-last-backup",
        says: "For a chosen time the data backup before it is restored, and no log replayed.",
        check: LOGS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(restored_otherwise(cloud, order, Goods::Temporary, without_logs))
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-temporary-instance-holds-what-its-master-holds-now",
        says: "Whatever is chosen, a temporary instance is made from a backup taken at that moment.",
        check: LOGS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(of_now(cloud, order, Goods::Temporary))),
                ..CloudHooks::default()
            })
        }),
    },
];
