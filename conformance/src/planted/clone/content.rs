//! What clones hold, how they are set, and what becomes of their master.

use super::super::Planted;
use super::super::goods::{
    self, Goods, a_second_further, master_gets_an_account, master_is_tuned, of_now, restored_otherwise,
    up_to_the_second, with_accounts_of_now, without_logs,
};
use super::super::tools::meddling::cloud;
use super::super::tools::{At, CloudHooks, ports};
use recovery::model::InstanceId;
use recovery::model::instance::Configuration;
use recovery::ports::Cloud;
use recovery::ports::cloud::{CloudError, InstanceOrder, Made};
use serde::Deserialize;

const CONTENT: &str = "clone_content_is_of_the_chosen_time";
const SETTINGS: &str = "clone_settings_are_of_now";
const NEW: &str = "clone_is_a_new_instance";
const STAYS: &str = "clone_is_billed_and_stays";

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-clone-lacks-the-transactions-of-the-chosen-second",
        says: "The logs are replayed onto a clone up to the chosen second and not through it.",
        check: CONTENT,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(restored_otherwise(cloud, order, Goods::Clone, up_to_the_second))
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-holds-a-second-too-much",
        says: "The logs are replayed onto a clone a second further than the chosen time.",
        check: CONTENT,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(restored_otherwise(cloud, order, Goods::Clone, a_second_further))
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-of-a-chosen-time-is-of-the-last-backup",
        says: "For a chosen time a clone is made of the data backup before it, and no log is replayed.",
        check: CONTENT,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(restored_otherwise(cloud, order, Goods::Clone, without_logs))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-holds-what-its-master-holds-now",
        says: "Whatever is chosen, a clone is made from a backup taken at that moment.",
        check: CONTENT,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(of_now(cloud, order, Goods::Clone))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-has-the-accounts-and-passwords-of-now",
        says: "A clone gets the accounts its master has now instead of those of the chosen time.",
        check: SETTINGS,
        variant: ports(|| {
            cloud(CloudHooks {
                account: Some(|cloud, instance, order, at| Box::pin(goods::noted(cloud, instance, order, at))),
                create: Some(|cloud, order, at| Box::pin(with_accounts_of_now(cloud, order, Goods::Clone, at))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-has-the-settings-of-then",
        says: "A clone is set as its master was when the backup was taken.",
        check: SETTINGS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, at| Box::pin(set_as_then(cloud, order, at))),
                configure: Some(|cloud, instance, settings, at| {
                    Box::pin(async move {
                        note_settings(instance, settings, at);
                        cloud.configure(instance, settings).await
                    })
                }),
                back_up: Some(|cloud, instance, backup, kind, after, at| {
                    Box::pin(async move {
                        at.memory(|memory| {
                            let settings = memory.get(&format!("settings of {instance}")).cloned();
                            memory.put(format!("settings at {backup}"), settings);
                        });
                        cloud.back_up(instance, backup, kind, after).await
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-lets-in-only-the-service",
        says: "A clone is made with the whitelist of a new instance instead of its master's.",
        check: SETTINGS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let mut order = order.clone();
                        if Goods::Clone.master(&order).is_some() {
                            order.configuration.whitelist = ["127.0.0.1".to_owned()].into();
                        }
                        cloud.create(&order).await
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-is-reached-where-its-master-is",
        says: "A clone has its master's endpoint.",
        check: NEW,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, at| {
                    Box::pin(async move {
                        let mut made = cloud.create(order).await?;
                        at.memory(|memory| {
                            memory.put(format!("endpoint of {}", order.instance), made.endpoint.clone());
                            let master = Goods::Clone.master(order);
                            let masters = master.and_then(|master| memory.text(&format!("endpoint of {master}")));
                            made.endpoint = masters.unwrap_or(made.endpoint.clone());
                        });
                        Ok(made)
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-parameter-of-the-master-is-changed-while-a-clone-is-made",
        says: "Making a clone leaves the master with another max_connections.",
        check: NEW,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(master_is_tuned(cloud, order, Goods::Clone))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-service-leaves-an-account-on-the-master-of-a-clone",
        says: "To make a clone the service makes itself an account on the master and leaves it there.",
        check: NEW,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| Box::pin(master_gets_an_account(cloud, order, Goods::Clone))),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "the-machine-of-a-clone-lets-nobody-in-after-48-hours",
        says: "The machine of a clone is given the life of a temporary instance, though the interface shows it running.",
        check: STAYS,
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|cloud, order, _| {
                    Box::pin(async move {
                        let mut order = order.clone();
                        if Goods::Clone.master(&order).is_some() {
                            order.life_s = Some(48 * 3_600);
                        }
                        cloud.create(&order).await
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
];

fn note_settings(instance: &InstanceId, settings: &Configuration, at: &At) {
    if let Ok(settings) = serde_json::to_value(settings) {
        at.memory(|memory| memory.put(format!("settings of {instance}"), settings));
    }
}

async fn set_as_then(cloud: &dyn Cloud, order: &InstanceOrder, at: &At) -> Result<Made, CloudError> {
    let mut order = order.clone();
    note_settings(&order.instance, &order.configuration, at);
    if let Some(restore) = Goods::Clone.restored(&mut order) {
        let then = at.memory(|memory| memory.get(&format!("settings at {}", restore.data)).cloned());
        if let Some(then) = then.and_then(|then| Configuration::deserialize(then).ok()) {
            order.configuration = then;
        }
    }
    cloud.create(&order).await
}
