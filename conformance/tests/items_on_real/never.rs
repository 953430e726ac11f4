//! What no real server shows of the table of prechecks, each with its reason. Whatever is not here is run.

use super::super::table::Combination;
use super::super::worlds::Outcome as O;
use engines::images::Family;
use recovery::model::Engine;
use recovery::model::precheck::PrecheckItem as I;

/// Engines that no family of real servers plays.
pub const NOT_PLAYED: [(Engine, &str); 2] = [
    (Engine::SqlServer, "SQL Server does not run as a real server"),
    (Engine::Ppas, "PPAS does not run as a real server"),
];

/// Families of servers that something is not had on.
const ALL: &[Family] = &Family::ALL;
const MYSQLS: &[Family] = &[Family::MySql, Family::MariaDb];
const POSTGRES: &[Family] = &[Family::Postgres];

/// Items that do not come to an outcome on these families, and why.
pub const NEVER: &[(I, O, &[Family], &str)] = &[
    (I::AdviseReplica, O::Warned, ALL, "read-only instances are not made of real servers"),
    (I::AdviseClock, O::Warned, ALL, "servers have the clock of this machine, which cannot be set off"),
    (I::AdviseSpace, O::Warned, ALL, "no real server tells how much room its disk has left"),
    (
        I::RestoreVersion,
        O::Failed,
        ALL,
        "a server's version does not change while it runs, and an older target is refused before (LOG-05)",
    ),
    (I::BinlogOn, O::Failed, MYSQLS, "log_bin is told a server at its start, and backups need it"),
    (
        I::BinlogExistence,
        O::Failed,
        MYSQLS,
        "a lost file has another name than in the simulator; conformance/real has one",
    ),
    (
        I::Topology,
        O::Failed,
        ALL,
        "incremental migration does not run on real servers, and without it tasks make no circle",
    ),
    (
        I::Topology,
        O::Shielded,
        ALL,
        "incremental migration does not run on real servers, and without it tasks make no circle",
    ),
    (I::PasswordFormat, O::Failed, &[Family::MySql], "MySQL has had no old_passwords since 8.0"),
    (I::AdviseTransaction, O::Warned, POSTGRES, "max_prepared_transactions is told a server at its start"),
    (I::AdviseEventTrigger, O::Warned, POSTGRES, "only a superuser makes event triggers, and no account is one"),
    (I::AdviseNameCase, O::Warned, MYSQLS, "lower_case_table_names is told a server when its data is made"),
    (I::RestoreNameCase, O::Warned, MYSQLS, "lower_case_table_names is told a server when its data is made"),
    (I::AdviseCharset, O::Warned, POSTGRES, "PostgreSQL has no collation_server"),
    (I::RestoreCharset, O::Warned, POSTGRES, "PostgreSQL has no character_set_server"),
    (I::RestoreCollation, O::Warned, POSTGRES, "PostgreSQL has no collation_server"),
    (I::RestoreSqlMode, O::Warned, POSTGRES, "PostgreSQL has no sql_mode"),
];

/// Why a combination is not had on a family; none where it is.
pub fn never((item, _, outcome): Combination, family: Family) -> Option<&'static str> {
    let row =
        NEVER.iter().find(|(own, what, families, _)| *own == item && *what == outcome && families.contains(&family));
    row.map(|(.., why)| *why)
}
