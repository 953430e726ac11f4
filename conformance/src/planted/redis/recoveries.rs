//! Planted bugs about what a recovery or a clone of Redis brings, and what else it touches.

use super::files::File;
use crate::planted::Planted;
use crate::planted::tools::cloud::{Done, Inner};
use crate::planted::tools::meddling::cloud;
use crate::planted::tools::{At, CloudHooks, ports};
use recovery::model::backup::{BackupKind, Held};
use recovery::model::{BackupId, Engine, InstanceId};
use recovery::ports::cloud::{CloudError, Content, InstanceOrder, Made, RestoreOrder};
use serde_json::Value;
use sim::Meddler;
use std::sync::Arc;

/// Far above the number of any recovery that was asked for.
const FAR: u64 = 1_000_000;

/// What is done in the place of a recovery.
type Overwrite = for<'a> fn(&'a Inner, &'a InstanceId, &'a BackupId, u64, &'a At) -> Done<'a, ()>;
/// What is done in the place of making an instance.
type Create = for<'a> fn(&'a Inner, &'a InstanceOrder, &'a At) -> Done<'a, Made>;

fn overwriting(overwrite: Overwrite) -> Arc<dyn Meddler> {
    cloud(CloudHooks { overwrite: Some(overwrite), ..CloudHooks::default() })
}

fn creating(create: Create) -> Arc<dyn Meddler> {
    cloud(CloudHooks { create: Some(create), ..CloudHooks::default() })
}

/// What a clone of Redis is restored from.
fn restored(order: &InstanceOrder) -> Option<&RestoreOrder> {
    match &order.content {
        Content::Restored(restore) if order.product.engine == Engine::Redis => Some(restore),
        _ => None,
    }
}

/// Takes a backup and changes its keys in the vault.
fn edited<'a>(
    inner: &'a Inner,
    (instance, backup): (&'a InstanceId, &'a BackupId),
    (kind, after): (BackupKind, u64),
    at: &'a At,
    change: fn(&mut Vec<Value>),
) -> Done<'a, Held> {
    Box::pin(async move {
        let held = inner.back_up(instance, backup, kind, after).await?;
        let Some(mut file) = File::read(at, instance, backup).await else { return Ok(held) };
        change(&mut file.keys);
        let size_bytes = file.write(at, instance, backup).await.unwrap_or(held.size_bytes);
        Ok(Held { size_bytes, ..held })
    })
}

/// Recovers a backup together with the keys that are there now and not in it.
fn merge<'a>(
    inner: &'a Inner,
    instance: &'a InstanceId,
    backup: &'a BackupId,
    recovery: u64,
    at: &'a At,
) -> Done<'a, ()> {
    Box::pin(async move {
        let now = BackupId(format!("{backup}-now-{recovery}"));
        inner.back_up(instance, &now, BackupKind::Data, 0).await?;
        let (set, there) = (File::read(at, instance, backup).await, File::read(at, instance, &now).await);
        let (Some(mut set), Some(there)) = (set, there) else {
            return Err(CloudError::Failed("there is nothing to merge".into()));
        };
        let place = |key: &Value| (key[0].clone(), key[1].clone());
        let newer = there.keys.into_iter().filter(|key| !set.keys.iter().any(|own| place(own) == place(key)));
        let newer: Vec<Value> = newer.collect();
        set.keys.extend(newer);
        set.write(at, instance, &now).await;
        inner.overwrite(instance, &now, recovery).await
    })
}

/// Recovers a backup into its instance, and into every other instance of Redis.
fn everywhere<'a>(
    inner: &'a Inner,
    instance: &'a InstanceId,
    backup: &'a BackupId,
    recovery: u64,
    at: &'a At,
) -> Done<'a, ()> {
    Box::pin(async move {
        inner.overwrite(instance, backup, recovery).await?;
        let known = at.memory(|memory| memory.get("all").and_then(Value::as_array).cloned()).unwrap_or_default();
        for other in known.iter().filter_map(Value::as_str).map(InstanceId::from).filter(|other| other != instance) {
            if let Some(file) = File::read(at, instance, backup).await {
                file.write(at, &other, backup).await;
                inner.overwrite(&other, backup, FAR + recovery).await?;
            }
        }
        Ok(())
    })
}

/// Takes a backup anew under its id.
async fn anew(inner: &Inner, instance: &InstanceId, backup: &BackupId) -> Result<(), CloudError> {
    inner.discard_backup(instance, backup).await?;
    inner.back_up(instance, backup, BackupKind::Data, 0).await.map(drop)
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-direct-recovery-merges",
        says: "Keys that are newer than the backup stay beside those of it.",
        check: "recovery_overwrites_the_original",
        variant: ports(|| overwriting(merge)),
    },
    Planted {
        name: "a-direct-recovery-is-told-done-and-nothing-happens",
        says: "A recovery ends well and changes nothing.",
        check: "recovery_overwrites_the_original",
        variant: ports(|| overwriting(|_, _, _, _, _| Box::pin(async move { Ok(()) }))),
    },
    Planted {
        name: "a-direct-recovery-lands-in-other-instances-too",
        says: "A recovery overwrites every instance of Redis there is.",
        check: "recovery_overwrites_the_original",
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|inner, order, at| {
                    Box::pin(async move {
                        if order.product.engine == Engine::Redis {
                            at.memory(|memory| {
                                let all = memory.get("all").and_then(Value::as_array).cloned().unwrap_or_default();
                                let id = Value::from(order.instance.as_str());
                                memory.put("all", all.into_iter().chain([id]).collect::<Vec<_>>());
                            });
                        }
                        inner.create(order).await
                    })
                }),
                overwrite: Some(everywhere),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "expired-keys-come-back",
        says: "A backup forgets when its keys expire, so that those recovered from it live for ever.",
        check: "recovery_overwrites_the_original",
        variant: ports(|| {
            cloud(CloudHooks {
                back_up: Some(|inner, instance, backup, kind, after, at| {
                    edited(inner, (instance, backup), (kind, after), at, |keys| {
                        keys.iter_mut().for_each(|key| key[4] = Value::Null);
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-of-redis-holds-strings-alone",
        says: "Hashes, lists and sets are not in a backup.",
        check: "clone_content_and_billing",
        variant: ports(|| {
            cloud(CloudHooks {
                back_up: Some(|inner, instance, backup, kind, after, at| {
                    edited(inner, (instance, backup), (kind, after), at, |keys| {
                        keys.retain(|key| key[2] == "string");
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-set-is-taken-anew-when-it-is-read",
        says: "A clone or a recovery brings what the instance holds now and not what it held then.",
        check: "snapshot_is_of_one_instant",
        variant: ports(|| {
            cloud(CloudHooks {
                create: Some(|inner, order, _| {
                    Box::pin(async move {
                        if let Some(restore) = restored(order) {
                            anew(inner, &restore.of, &restore.data).await?;
                        }
                        inner.create(order).await
                    })
                }),
                overwrite: Some(|inner, instance, backup, recovery, _| {
                    Box::pin(async move {
                        anew(inner, instance, backup).await?;
                        inner.overwrite(instance, backup, recovery).await
                    })
                }),
                ..CloudHooks::default()
            })
        }),
    },
    Planted {
        name: "a-clone-of-redis-sets-its-original-back",
        says: "The backup that a clone is made of is recovered into the original, too.",
        check: "clone_leaves_the_original",
        variant: ports(|| {
            creating(|inner, order, _| {
                Box::pin(async move {
                    let made = inner.create(order).await?;
                    if let Some(restore) = restored(order) {
                        inner.overwrite(&restore.of, &restore.data, FAR).await?;
                    }
                    Ok(made)
                })
            })
        }),
    },
    Planted {
        name: "a-clone-of-redis-is-reached-at-its-original",
        says: "A clone shows the endpoint of the instance it was made of.",
        check: "clone_leaves_the_original",
        variant: ports(|| {
            creating(|inner, order, at| {
                Box::pin(async move {
                    let made = inner.create(order).await?;
                    at.memory(|memory| memory.put(order.instance.as_str(), made.endpoint.as_str()));
                    let of = restored(order).and_then(|restore| at.memory(|memory| memory.text(restore.of.as_str())));
                    Ok(Made { endpoint: of.unwrap_or_else(|| made.endpoint.clone()), ..made })
                })
            })
        }),
    },
    Planted {
        name: "a-recovery-fails-at-a-good-set",
        says: "A recovery finds its backup unreadable though it is whole.",
        check: "recovery_from_a_set",
        variant: ports(|| {
            overwriting(|_, _, backup, _, _| {
                Box::pin(async move {
                    Err(CloudError::BackupUnreadable { backup: backup.clone(), why: "it is of another format".into() })
                })
            })
        }),
    },
    Planted {
        name: "a-recovery-never-ends",
        says: "An instance stays in its recovery for ever.",
        check: "recovery_from_a_set",
        variant: ports(|| {
            overwriting(|_, instance, _, _, _| {
                Box::pin(async move { Err(CloudError::Unreachable(format!("{instance}: no answer in time"))) })
            })
        }),
    },
];
