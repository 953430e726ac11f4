//! What of a scenario real servers cannot do, said before anything is started.

use recovery::model::logical::backup::LogicalType;
use recovery::model::task::MigrationType;
use recovery::model::{Edition, Engine, Product};
use scenarios::{Action, Damaged, Fault, Host, InstanceRole, MigrateStep, MigrateUntil, Scenario, Step, TaskRequest};

/// Why a scenario cannot run on real servers; none where it can.
#[must_use]
pub fn unsuitable(scenario: &Scenario) -> Option<String> {
    let products = scenario.instances.iter().find_map(|instance| no_product(&instance.product));
    let roles = scenario.instances.iter().find(|instance| instance.role != InstanceRole::Primary);
    let roles =
        roles.map(|instance| format!("{}: read-only and disaster recovery instances are not made", instance.name));
    let clocks = scenario.world.skew_ms.keys().find_map(no_clock);
    products.or(roles).or(clocks).or_else(|| both(scenario)).or_else(|| {
        scenario.steps.iter().find_map(|step| match &step.action {
            Action::Migrate(it) if it.types.contains(&MigrationType::Incremental) && runs(scenario, it) => {
                Some(INCREMENTAL.to_owned())
            }
            Action::Task(it) => match &it.request {
                TaskRequest::Select { types, .. } if types.contains(&MigrationType::Incremental) => {
                    Some(INCREMENTAL.to_owned())
                }
                _ => None,
            },
            Action::LogicalBackup(it) if it.backup_type == LogicalType::StructureFullLog => {
                Some("logical backups of a source's log are not taken from real servers yet".to_owned())
            }
            Action::Fault(it) => no_fault(&it.fault),
            _ => None,
        })
    })
}

/// Whether a migration gets beyond its precheck: by itself, or by a later step.
fn runs(scenario: &Scenario, migration: &MigrateStep) -> bool {
    let begins = |step: &Step| match &step.action {
        Action::Task(it) => {
            let begun = matches!(it.request, TaskRequest::Confirm | TaskRequest::Purchase { .. } | TaskRequest::Start);
            begun && migration.name.as_ref() == Some(&it.of)
        }
        _ => false,
    };
    migration.until > MigrateUntil::Prechecked || scenario.steps.iter().any(begins)
}

const INCREMENTAL: &str = "incremental migration does not run on real servers yet";

/// Why a product is not played.
fn no_product(product: &Product) -> Option<String> {
    match (product.engine, product.edition) {
        (Engine::SqlServer, _) => Some("SQL Server does not run as a real server".into()),
        (Engine::Ppas, _) => Some("PPAS does not run as a real server".into()),
        (Engine::Redis, Edition::Cluster) => Some("a Redis cluster does not run as real servers".into()),
        _ => None,
    }
}

/// Why a host's clock cannot be set off.
fn no_clock(host: &Host) -> Option<String> {
    match host {
        Host::Service | Host::Worker(_) | Host::Operator => None,
        Host::Machine(_) | Host::MachineOf(_) | Host::Application => {
            Some(format!("{host} has the clock of this machine, which cannot be set off"))
        }
    }
}

/// Why a fault cannot be made.
fn no_fault(fault: &Fault) -> Option<String> {
    let no = |why: &str| Some(why.to_owned());
    match fault {
        Fault::Crash { torn: true, .. } => no("the disk of this machine does not tear writes"),
        Fault::Pause { host: Host::Machine(_) | Host::MachineOf(_) } => None,
        Fault::Pause { host } => Some(format!("{host} is a task of this process and cannot stand still")),
        Fault::DiskFull { host: Host::Service } => no("the service's disk is this machine's"),
        Fault::Skew { host, .. } | Fault::Jump { host, .. } => no_clock(host),
        Fault::Version { .. } => no("a server's version does not change while it runs"),
        Fault::Lag { .. } => no("how far a real replica is behind cannot be set"),
        Fault::Damage { backup: Damaged::Newest { .. } | Damaged::Named(_) | Damaged::Set(_), .. } => None,
        _ => None,
    }
}

fn faults(scenario: &Scenario) -> impl Iterator<Item = &Fault> {
    scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Fault(it) => Some(&it.fault),
        _ => None,
    })
}

/// Whether a server's disk is to fill up, so that servers need small ones.
pub fn fills_disks(scenario: &Scenario) -> bool {
    faults(scenario).any(|fault| matches!(fault, Fault::DiskFull { host } if *host != Host::Service))
}

/// Whether something befalls the ways to servers.
pub fn meddles_with_ways(scenario: &Scenario) -> bool {
    faults(scenario).any(|fault| {
        matches!(
            fault,
            Fault::Partition { .. }
                | Fault::Hold { .. }
                | Fault::Slow { .. }
                | Fault::Reorder { .. }
                | Fault::Reset { .. }
        )
    })
}

/// A small disk is memory, which a crash loses.
fn both(scenario: &Scenario) -> Option<String> {
    let loses = |fault: &Fault| match fault {
        Fault::Crash { host, .. } | Fault::Restart { host } => matches!(host, Host::Machine(_) | Host::MachineOf(_)),
        Fault::Failover { .. } => true,
        _ => false,
    };
    let both = fills_disks(scenario) && faults(scenario).any(loses);
    both.then(|| "a server whose disk is small loses it in a crash".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(engine: &str, step: &str) -> Option<String> {
        let text = format!(
            "title = \"a fact\"\n[instances.shop]\nengine = \"{engine}\"\n\
             account = {{ name = \"app\", password = \"s3cret\", rights = \"owner\" }}\n[[step]]\n{step}\n"
        );
        let parsed = Scenario::parse("a-fact.toml", &text, &Default::default());
        unsuitable(&parsed.unwrap_or_else(|error| panic!("{}", error.render()))[0])
    }

    #[test]
    fn what_real_servers_cannot_do_is_said_with_its_reason() {
        let mark = "mark = \"now\"";
        assert_eq!(why("postgresql 10", mark), None);
        assert_eq!(why("mysql 5.7", "fault = { pause = \"machine of shop\", for = \"1s\" }"), None);
        let followed = "from = \"shop\", into = \"shop\", objects = [\"orders\"], types = [\"incremental\"]";
        let prechecked = format!("migrate = {{ {followed}, until = \"prechecked\", as = \"move\" }}");
        assert_eq!(why("mysql 5.7", &prechecked), None);
        let run = format!("migrate = {{ {followed} }}");
        let begun = format!("{prechecked}\n[[step]]\ntask = {{ of = \"move\", do = \"start\" }}");
        for (engine, step, reason) in [
            ("mysql 5.7", run.as_str(), "incremental"),
            ("mysql 5.7", begun.as_str(), "incremental"),
            ("sqlserver 2012 web", mark, "SQL Server"),
            ("ppas 9.3", mark, "PPAS"),
            ("redis 7.0 cluster", mark, "cluster"),
            ("mysql 5.7", "fault = { pause = \"service\", for = \"1s\" }", "cannot stand still"),
            ("mysql 5.7", "fault = { version = { of = \"shop\", engine = \"mysql 8.0\" } }", "version"),
        ] {
            let why = why(engine, step).unwrap_or_default();
            assert!(why.contains(reason), "{engine} {step}: {why}");
        }
    }
}
