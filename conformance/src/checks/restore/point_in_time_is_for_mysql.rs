//! Only MySQL is restored to a point in time from a logical backup (LOG-07, LOG-23).

use super::RestoreViolation;
use super::witness::{product, requests};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::Engine;

/// Judges requests by point in time of other engines.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let Some(product) = request.side("/source").and_then(|source| product(lens, &source)) else { continue };
        if product.engine == Engine::MySql || request.text("/recovery/method") != Some("point-in-time") {
            continue;
        }
        if request.made.is_some() {
            finding.judge(&request.call, Some(RestoreViolation::TimeWithoutLog { product }));
        } else if request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};

    fn tale(product: &str) -> Tale {
        let mut tale = Tale::of([product, product], &orders(), &nothing());
        tale.at_mark("now", &orders());
        tale
    }

    #[test]
    fn a_point_in_time_of_sql_server_that_is_accepted_is_found() {
        let mut tale = tale("sqlserver 2016 web");
        tale.save();
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::TimeWithoutLog { .. }]));
    }

    #[test]
    fn a_refusal_holds_and_mysql_exercises_nothing() {
        let mut other = tale("sqlserver 2016 web");
        let asked = body(&other.view);
        other.story.refused("POST /v1/restore-tasks", asked, 403, "OperationDenied.RestoreMethod");
        holds(&other.story, check, 1);
        let mut mysql = tale("mysql 5.7");
        mysql.save();
        holds(&mysql.story, check, 0);
    }
}
