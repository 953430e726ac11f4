//! The time zones a server can be set to, by their rules of today: no list of the system is read, so that every run sees
//! the same ones.

use jiff::tz::{Offset, TimeZone};

/// Names and rules, as POSIX writes them.
const ZONES: [(&str, &str); 8] = [
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("America/Santiago", "<-04>4<-03>,M9.1.6/24,M4.1.6/24"),
    ("Asia/Kolkata", "IST-5:30"),
    ("Asia/Shanghai", "CST-8"),
    ("Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3"),
    ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
    ("UTC", "UTC0"),
];

/// The zone of that name; `SYSTEM` is UTC, as the machines are, and `+08:00` is an offset that never changes.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("system") {
        return Some(TimeZone::UTC);
    }
    let rule = ZONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, rule)| rule);
    match rule {
        Some(rule) => TimeZone::posix(rule).ok(),
        None => offset(name).map(TimeZone::fixed),
    }
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let is_offset = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    is_offset.then(|| Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok())?
}

/// The names, for a person to read.
pub(crate) fn known() -> String {
    let names: Vec<&str> = ZONES.iter().map(|(name, _)| *name).collect();
    format!("{}, SYSTEM, or an offset such as +08:00", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn local(name: &str, time: &str) -> String {
        let time: Timestamp = time.parse().expect("a time");
        zone(name).expect("a zone").to_datetime(time).to_string()
    }

    #[test]
    fn every_zone_can_be_read_and_knows_its_summer_time() {
        assert!(ZONES.iter().all(|(name, _)| zone(name).is_some()));
        assert_eq!(local("Europe/Berlin", "2026-03-29T00:59:59Z"), "2026-03-29T01:59:59");
        assert_eq!(local("Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-29T03:00:00");
        assert_eq!(local("Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-25T02:30:00");
        assert_eq!(local("Europe/Berlin", "2026-10-25T01:30:00Z"), "2026-10-25T02:30:00");
        assert_eq!(local("Australia/Sydney", "2026-01-05T00:00:00Z"), "2026-01-05T11:00:00");
    }

    #[test]
    fn an_offset_is_a_zone_and_anything_else_is_none() {
        assert_eq!(local("+08:00", "2026-01-05T00:00:00Z"), "2026-01-05T08:00:00");
        assert_eq!(local("-05:30", "2026-01-05T00:00:00Z"), "2026-01-04T18:30:00");
        assert_eq!(local("SYSTEM", "2026-07-05T00:00:00Z"), "2026-07-05T00:00:00");
        for name in ["", "+", "+8", "+15:00", "+08:60", "Mars/Olympus", "+08:-1", "é"] {
            assert!(zone(name).is_none(), "{name}");
        }
    }
}
