//! Primaries of the listed kinds can be cloned (CLN-04, CLN-07, CLN-08; C-10).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{CLONES, KIND, orders};
use crate::history::lens::Lens;
use recovery::model::instance::Origin;
use recovery::model::{Edition, Engine, Product, Series, Version};

/// The closed list of the document.
pub fn admitted(product: &Product) -> bool {
    match (product.engine, product.version, product.edition) {
        (Engine::MySql, Version::V5_5 | Version::V5_6, _) => true, // CLN-04
        (Engine::MySql, Version::V5_7, _) => product.series != Series::Basic, // CLN-04, CLN-05
        (Engine::SqlServer, Version::V2016 | Version::V2012, Edition::Standard | Edition::Enterprise) => {
            product.series == Series::HighAvailability // CLN-07, CLN-08
        }
        _ => false,
    }
}

/// Judges orders of masters of a listed kind: a refusal for the kind is wrong.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, CLONES) {
        let product = order.master.first.product;
        if order.master.first.origin != Origin::Primary || !admitted(&product) {
            continue;
        }
        if order.call.it.code() == Some(KIND) {
            let master = order.master.id.clone();
            finding.judge(&order.call, Some(CloneViolation::CloneKindRefused { master, product }));
        } else if !order.made.is_empty() {
            finding.judge(&order.call, None::<CloneViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, clone_body, holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, start};

    #[test]
    fn a_listed_kind_that_is_refused_for_its_kind_is_found() {
        let shop = master("rm-1", "sqlserver 2016 standard");
        let mut story = Story::new();
        story.see(&shop).refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 403, KIND);
        let product = shop.product;
        assert_eq!(
            wrong_clone(&story, check),
            vec![CloneViolation::CloneKindRefused { master: "rm-1".into(), product }]
        );
    }

    #[test]
    fn every_listed_kind_that_is_accepted_holds() {
        for kind in ["mysql 5.5", "mysql 5.6", "mysql 5.7", "sqlserver 2012 enterprise", "sqlserver 2016 standard"] {
            let shop = master("rm-1", kind);
            let mut story = Story::new();
            story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&clone_of("rm-2", &shop, start())]);
            holds(&story, check, 1);
        }
    }

    #[test]
    fn another_kind_and_another_cause_exercise_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7 basic")).see(&master("rm-2", "mysql 5.6"));
        story.refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 403, KIND);
        story.refused("POST /v1/instances/rm-2/clones", clone_body(by_set()), 403, "OperationDenied.TermsNotAccepted");
        holds(&story, check, 0);
    }
}
