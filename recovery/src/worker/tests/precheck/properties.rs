//! What holds of the precheck over random servers and selections: whatever the order its items are begun in, each finds the
//! same, and another privilege makes none find more.

use super::super::sample::{foreign_key, only, table, whole};
use super::super::servers::Server;
use super::super::world::{End, Shared};
use super::world;
use crate::model::Engine;
use crate::model::instance::{Grants, Rights};
use crate::model::precheck::{PrecheckItem, PrecheckOutcome};
use crate::model::task::{SameNameMode, Selection};
use crate::ports::database::{DatabaseError, OpenTransaction};
use crate::worker::lease::Lease;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::Item;
use crate::worker::precheck::{applying, look};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeMap;
use std::sync::Arc;

type Flaw = (&'static str, fn(&mut Server));

/// What can be wrong with a server, by its side.
const FLAWS: [Flaw; 14] = [
    ("source", |source| source.db("shop").map(|db| db.objects.push(table("Stock", &[]))).unwrap_or_default()),
    ("source", |source| source.db("shop").map(|db| db.rows.clear()).unwrap_or_default()),
    ("source", |source| source.db("shop").map(|db| db.charset = "big5".into()).unwrap_or_default()),
    ("source", |source| {
        let own = foreign_key("fk_own", "goods", "name", "orders");
        source.db("shop").map(|db| db.objects.push(own)).unwrap_or_default();
    }),
    ("source", |source| drop(source.parameters.insert("log_bin".into(), "OFF".into()))),
    ("source", |source| drop(source.parameters.insert("server_id".into(), "1".into()))),
    ("source", |source| source.told.lost_log_files = vec!["mysql-bin.000003".into()]),
    ("source", |source| source.told.used_bytes = Some(10)),
    ("source", |source| {
        let (id, prepared) = ("'late'".to_owned(), true);
        source.told.transactions = vec![OpenTransaction { id, prepared, account: None, database: None, since: None }];
    }),
    ("source", |source| source.refuses = Some(DatabaseError::AccessDenied("app".into()))),
    ("target", |target| target.told.free_bytes = Some(9)),
    ("target", |target| drop(target.parameters.insert("lower_case_table_names".into(), "1".into()))),
    ("target", |target| target.db("shop").map(|db| db.objects.push(table("goods", &[]))).unwrap_or_default()),
    ("target", |target| target.databases.clear()),
];

/// Servers and what is to be moved between them.
#[derive(Debug, Clone)]
struct Case {
    engine: Engine,
    letters: &'static str,
    objects: Vec<Selection>,
    ignores: bool,
    flaws: Vec<usize>,
    rights: (Rights, Rights),
}

const RIGHTS: [Rights; 4] = [Rights::None, Rights::ReadOnly, Rights::ReadWrite, Rights::Owner];

fn cases() -> impl Strategy<Value = Case> {
    let engine = select(&[Engine::MySql, Engine::SqlServer, Engine::PostgreSql, Engine::Ppas][..]);
    let letters = select(&["s", "f", "sf", "sfi"][..]);
    let objects = vec![whole("shop"), only("shop", "goods"), only("shop", "orders"), only("shop", "gone")];
    let objects = subsequence(objects, 1..=2);
    let flaws = subsequence((0..FLAWS.len()).collect::<Vec<_>>(), 0..=4);
    let rights = (select(&RIGHTS[..]), select(&RIGHTS[..]));
    let drawn = (engine, letters, objects, any::<bool>(), flaws, rights);
    drawn.prop_map(|(engine, letters, objects, ignores, flaws, rights)| Case {
        engine,
        letters,
        objects,
        ignores,
        flaws,
        rights,
    })
}

impl Case {
    fn world(&self) -> Shared {
        let shared = world(self.engine, self.letters, self.objects.clone());
        shared.server("source", |server| server.grants = Grants::all(self.rights.0));
        shared.server("target", |server| server.grants = Grants::all(self.rights.1));
        for flaw in &self.flaws {
            let (side, spoil) = FLAWS[*flaw];
            shared.server(side, spoil);
        }
        if self.ignores {
            shared.lock().service.work.same_name = SameNameMode::Ignore;
        }
        shared
    }
}

type Found = BTreeMap<PrecheckItem, PrecheckOutcome>;

/// Runs the precheck with its items begun in an order; what each found.
fn found(shared: &Shared, order: impl FnOnce(&mut Vec<&'static Item<Bench>>)) -> Found {
    let worker = shared.worker();
    let looking = async {
        let leased = worker.channel.lease().await.ok().flatten().expect("there is work");
        let work = shared.lock().service.work.clone();
        let mut items = applying(&work);
        order(&mut items);
        let now = worker.clock.now();
        let mut lease = Lease::take(Arc::clone(&worker.clock), Arc::clone(&worker.channel), &leased, now).await?;
        let bench = Bench::new(Arc::clone(&worker.clock), Arc::clone(&worker.database), &lease, work);
        look(&*worker.clock, &bench, &mut lease, &items).await
    };
    let end = shared.drive(10_000, looking);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
    let world = shared.lock();
    assert!(world.service.precheck_done);
    world.service.items.iter().map(|result| (result.item, result.outcome.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_items_are_begun_does_not_matter(
        case in cases(),
        order in Just((0..64_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let straight = found(&case.world(), |_| ());
        let shuffled = found(&case.world(), |items| {
            let begun = std::mem::take(items);
            items.extend(order.iter().filter_map(|at| begun.get(*at)));
        });
        prop_assert_eq!(shuffled, straight);
    }

    #[test]
    fn a_higher_right_makes_no_item_fail_that_did_not(case in cases(), source in any::<bool>()) {
        let own = if source { case.rights.0 } else { case.rights.1 };
        let Some(higher) = RIGHTS.iter().find(|right| **right > own).copied() else { return Ok(()) };
        let rights = if source { (higher, case.rights.1) } else { (case.rights.0, higher) };
        let (before, after) = (found(&case.world(), |_| ()), found(&Case { rights, ..case.clone() }.world(), |_| ()));
        for (item, outcome) in after {
            prop_assert!(!outcome.is_failure() || before[&item].is_failure(), "{}: {:?}", item, outcome);
        }
    }
}
