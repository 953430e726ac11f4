//! What the items about the binary log of a MySQL source have in common: a parameter that has to have one of some values.

use super::bench::Bench;
use super::item::Looked;
use crate::model::precheck::Finding;
use crate::worker::servers::Side;

/// A parameter and the values it may have.
pub struct Wanted {
    /// Its name.
    pub parameter: &'static str,
    /// Values with which the log can be followed.
    pub values: &'static [&'static str],
    /// The statement or setting that gives it one of them.
    pub statement: &'static str,
}

/// Compares the parameter of the source with what is wanted. One that the server does not know is not looked at:
/// `binlog_row_image` came with MySQL 5.6, and before it the log always held whole rows.
pub async fn look(bench: &Bench, wanted: &Wanted) -> Looked {
    let Some(found) = bench.parameter(Side::Source, wanted.parameter).await? else {
        return Ok(Vec::new());
    };
    if wanted.values.iter().any(|value| value.eq_ignore_ascii_case(found.trim())) {
        return Ok(Vec::new());
    }
    let (instance, name) = (&bench.access(Side::Source).instance, wanted.parameter);
    let value = wanted.values.first().copied().unwrap_or_default();
    let cause = format!("{name} of the source {instance} is {found}, and incremental migration needs {value}");
    let remedy = format!("Set {name} of {instance} to {value}, then start again.");
    Ok(vec![Finding::new(cause, remedy).by(wanted.statement)])
}
