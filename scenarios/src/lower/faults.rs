//! Faults.

use super::Lower;
use super::book::Kind;
use crate::error::quoted;
use crate::fault::{Damage, Damaged, Fault, FaultStep};
use crate::fields::{At, Fields, Read};
use crate::scenario::Host;
use recovery::model::Product;
use recovery::model::backup::BackupKind;
use std::time::Duration;

/// Keys that say what breaks.
const FAULT_KEYS: [&str; 31] = [
    "crash",
    "restart",
    "partition",
    "hold",
    "slow",
    "reorder",
    "reset",
    "pause",
    "disk_full",
    "skew",
    "jump",
    "twice",
    "answers_lost",
    "client_zone",
    "ddl",
    "sql",
    "rights",
    "password",
    "drop_account",
    "ssl",
    "whitelist",
    "delete",
    "damage",
    "log_gap",
    "log_file_lost",
    "failover",
    "version",
    "lag",
    "time_zone",
    "vanish",
    "heal",
];

impl Lower {
    pub(super) fn fault(&mut self, fields: &Fields) -> Option<FaultStep> {
        let fault = self.breaks(fields)?;
        if !fault.can_end() {
            self.refuse_keys(fields, &["for"], "a fault that has no end of its own", "leave `for` out");
        }
        let when = match fields.table("when") {
            Some(table) => Some(self.looking_ahead(table)?),
            None => None,
        };
        if when.is_some() && fields.flag("background") == Some(false) {
            let help = "leave `background` out, or `wait` in a step before this one and leave `when` out";
            self.refuse_keys(fields, &["background"], "`when`", help);
        }
        let after = self.after(fields);
        Some(FaultStep {
            fault,
            lasts: fields.time("for"),
            background: when.is_some() || fields.flag("background").unwrap_or(false),
            when,
            after,
        })
    }

    fn breaks(&mut self, fields: &Fields) -> Option<Fault> {
        let form = FAULT_KEYS.iter().find(|key| fields.has(key))?;
        Some(match *form {
            key @ ("partition" | "hold" | "slow" | "reorder" | "reset") => self.between(fields, key)?,
            key @ ("crash" | "restart" | "pause" | "disk_full" | "skew" | "jump") => self.at_host(fields, key)?,
            "twice" => {
                Fault::Twice { requests: fields.whole("twice")?, at_once: fields.flag("at_once").unwrap_or(false) }
            }
            "answers_lost" => Fault::AnswersLost { requests: fields.whole("answers_lost")? },
            "client_zone" => Fault::ClientZone { zone: self.zone(fields, "client_zone")? },
            key
            @ ("damage" | "log_gap" | "log_file_lost" | "failover" | "version" | "lag" | "time_zone" | "vanish") => {
                self.of_instance(fields, key)?
            }
            "heal" => {
                if fields.flag("heal") == Some(false) {
                    let place = fields.place("heal");
                    self.problems.add(&place, "`heal` is true or is left out", "not accepted", "write `heal = true`");
                }
                Fault::Heal
            }
            key => Fault::Act(Box::new(self.act(fields, key)?)),
        })
    }

    fn between(&mut self, fields: &Fields, key: &str) -> Option<Fault> {
        let (a, b) = self.pair(fields, key)?;
        Some(match key {
            "partition" => Fault::Partition { a, b, oneway: fields.flag("oneway").unwrap_or(false) },
            "hold" => Fault::Hold { a, b },
            "slow" => Fault::Slow { a, b, latency_ms: fields.whole("latency_ms")? },
            "reorder" => Fault::Reorder { a, b, latency_ms: fields.whole("latency_ms")? },
            _ => Fault::Reset { a, b },
        })
    }

    fn at_host(&mut self, fields: &Fields, key: &str) -> Option<Fault> {
        let at = fields.host(key)?;
        let place = at.span.clone();
        let host = self.faulty(at)?;
        if host == Host::Operator && matches!(key, "crash" | "restart" | "pause") {
            let help = "name another host; what the operator runs into can be `twice` and `answers_lost`";
            self.problems.add(&place, "the operator carries the run out and goes on", "not accepted", help);
        }
        Some(match key {
            "crash" => Fault::Crash { host, torn: fields.flag("torn").unwrap_or(false) },
            "restart" => Fault::Restart { host },
            "pause" => Fault::Pause { host },
            "disk_full" => {
                if !matches!(host, Host::Service | Host::Machine(_) | Host::MachineOf(_)) {
                    let message = format!("`{host}` has no disk");
                    let help = "the service and the machines have one: `service`, `machine-1`, `machine of INSTANCE`";
                    self.problems.add(&place, message, "no disk", help);
                }
                Fault::DiskFull { host }
            }
            "skew" => Fault::Skew { host, ms: fields.whole("ms")? },
            _ => Fault::Jump { host, ms: fields.whole("ms")? },
        })
    }

    /// Faults of an instance and of what was kept of it.
    fn of_instance(&mut self, fields: &Fields, key: &str) -> Option<Fault> {
        let Some(table) = fields.table(key) else {
            let of = self.find(&fields.word(key)?, Kind::Instance)?;
            return Some(match key {
                "log_gap" => Fault::LogGap { of },
                "log_file_lost" => Fault::LogFileLost { of },
                "failover" => Fault::Failover { of },
                _ => Fault::Vanish { of },
            });
        };
        if key == "damage" {
            return self.damage(table);
        }
        let of = self.find(&table.word("of")?, Kind::Instance)?;
        Some(match key {
            "version" => Fault::Version { engine: self.other_version(table, &of)?, of },
            "lag" => Fault::Lag { of, ms: table.whole("ms")? },
            _ => Fault::TimeZone { zone: self.zone(table, "zone")?, of },
        })
    }

    fn damage(&mut self, table: &Fields) -> Option<Fault> {
        let backup = match (table.word("backup"), table.table("newest")) {
            (Some(backup), _) => match self.book.kind(backup.value) {
                Some(Kind::Set | Kind::LogicalTask) => Damaged::Set(backup.value.to_owned()),
                _ => Damaged::Named(self.find(&backup, Kind::Backup)?),
            },
            (None, newest) => {
                let newest = newest?;
                let kind = newest.model("kind").unwrap_or(BackupKind::Data);
                Damaged::Newest { of: self.find(&newest.word("of")?, Kind::Instance)?, kind }
            }
        };
        let how = match table.word("how")?.value {
            "corrupt" => Damage::Corrupt,
            "missing" => Damage::Missing,
            _ => Damage::Half,
        };
        Some(Fault::Damage { backup, how })
    }

    /// A product an instance can be upgraded or downgraded to: of the same engine.
    fn other_version(&mut self, table: &Fields, of: &str) -> Option<Product> {
        let at = table.get("engine")?;
        let Read::Product(product) = &at.value else { return None };
        if let Some(engine) = self.book.engine(of).filter(|engine| *engine != product.engine) {
            let message = format!("{} is no other version of {}", quoted(&product.to_string()), quoted(of));
            let help = format!("an engine stays what it is: name another version of {engine}");
            self.problems.add(&at.span, message, "another engine", help);
            return None;
        }
        Some(*product)
    }

    fn zone(&mut self, table: &Fields, key: &str) -> Option<String> {
        let zone = table.word(key)?;
        if !is_zone(zone.value) {
            let message = format!("{} is no time zone", quoted(zone.value));
            let help = "write `UTC`, an offset like `+02:00`, or a name like `Europe/Berlin`";
            self.problems.add(&zone.span, message, "not accepted", help);
            return None;
        }
        Some(zone.value.to_owned())
    }

    fn pair(&mut self, fields: &Fields, key: &str) -> Option<(Host, Host)> {
        let host = |at: &At<Read>| match &at.value {
            Read::Host(host) => Some(At { span: at.span.clone(), value: host.clone() }),
            _ => None,
        };
        let mut hosts = Vec::new();
        for at in fields.list(key).iter().filter_map(host) {
            hosts.push(self.faulty(at)?);
        }
        let [a, b] = <[Host; 2]>::try_from(hosts).ok()?;
        if a == b {
            let message = format!("`{a}` is named twice");
            self.problems.add(&fields.place(key), message, "one host", "name two different hosts");
        }
        Some((a, b))
    }

    fn faulty(&mut self, host: At<Host>) -> Option<Host> {
        if host.value == Host::Application && self.application.is_none() {
            let help = "declare one: `[application]` with `on`, `table` and `every`";
            self.problems.add(&host.span, "there is no application", "no such host", help);
            return None;
        }
        self.host(host)
    }

    fn after(&mut self, fields: &Fields) -> Option<(Duration, Duration)> {
        let time = |at: &At<Read>| match at.value {
            Read::Time(time) => Some(time),
            _ => None,
        };
        let times: Vec<Duration> = fields.list("after").iter().filter_map(time).collect();
        let [first, last] = <[Duration; 2]>::try_from(times).ok()?;
        if first > last {
            let help = "write the shorter delay first";
            self.problems.add(&fields.place("after"), "the first delay is longer than the second", "swapped", help);
        }
        Some((first, last))
    }
}

/// `UTC`, `+02:00` or `Area/City`. Whether a server knows the name is its own affair.
fn is_zone(text: &str) -> bool {
    let offset = |text: &str| match text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':')) {
        Some((hours, minutes)) => {
            let number =
                |text: &str, most: u8| text.len() == 2 && text.parse::<u8>().is_ok_and(|number| number <= most);
            number(hours, 14) && number(minutes, 59)
        }
        None => false,
    };
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
    };
    let named = || text.contains('/') && text.split('/').all(word);
    text == "UTC" || offset(text) || named()
}
