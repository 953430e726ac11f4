//! The listed kinds of instances may have a temporary instance (SQL-05, SQL-06, SQL-07; C-09 adds PostgreSQL and PPAS).

use super::TemporaryViolation;
use super::witness::{KIND, TEMPORARIES, orders};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::instance::Origin;
use recovery::model::{Edition, Engine, Product, Series, Version};

/// The closed list of the documents.
pub fn admitted(product: &Product) -> bool {
    match (product.engine, product.version, product.edition) {
        (Engine::SqlServer, Version::V2012, Edition::Enterprise) => product.series == Series::Basic, // SQL-05
        (Engine::SqlServer, Version::V2012 | Version::V2016, Edition::Web) => true,                  // SQL-06
        (Engine::SqlServer, Version::V2008R2, _) => true,                                            // SQL-07
        (Engine::PostgreSql | Engine::Ppas, _, _) => true,                                           // C-09
        _ => false,
    }
}

/// Judges orders of masters of a listed kind: a refusal for the kind is wrong.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let (product, origin) = (order.master.first.product, &order.master.first.origin);
        if *origin != Origin::Primary || !admitted(&product) {
            continue;
        }
        if order.call.it.code() == Some(KIND) {
            let master = order.master.id.clone();
            finding.judge(&order.call, Some(TemporaryViolation::KindRefused { master, product }));
        } else if !order.made.is_empty() {
            finding.judge(&order.call, None::<TemporaryViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};

    #[test]
    fn a_listed_kind_that_is_refused_for_its_kind_is_found() {
        let shop = master("rm-1", "sqlserver 2012 enterprise basic");
        let mut story = Story::new();
        story.see(&shop).refused("POST /v1/instances/rm-1/temporary-instances", by_set(), 403, KIND);
        let product = shop.product;
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::KindRefused { master: "rm-1".into(), product }]);
    }

    #[test]
    fn every_listed_kind_that_is_accepted_holds() {
        let kinds = [
            "sqlserver 2012 enterprise basic",
            "sqlserver 2012 web",
            "sqlserver 2016 web",
            "sqlserver 2008r2",
            "ppas 9.3",
        ];
        for kind in kinds {
            let shop = master("rm-1", kind);
            let mut story = Story::new();
            story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
            holds(&story, check, 1);
        }
    }

    #[test]
    fn a_refusal_for_another_cause_and_another_kind_exercise_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "sqlserver 2012 web")).see(&master("rm-2", "mysql 5.7"));
        story.refused("POST /v1/instances/rm-1/temporary-instances", by_set(), 403, "OperationDenied.NotFoundBackup");
        story.refused("POST /v1/instances/rm-2/temporary-instances", by_set(), 403, KIND);
        holds(&story, check, 0);
    }
}
