//! Times as scenario files write them: `47h 59m 59s`, `250ms`, `-1s`.

use crate::error::quoted;
use jiff::SignedDuration;
use std::time::Duration;

/// Units from the longest to the shortest, in milliseconds, with what people write instead.
const UNITS: [(&str, u64, &[&str]); 5] = [
    ("d", 86_400_000, &["day", "days"]),
    ("h", 3_600_000, &["hr", "hrs", "hour", "hours"]),
    ("m", 60_000, &["min", "mins", "minute", "minutes"]),
    ("s", 1_000, &["sec", "secs", "second", "seconds"]),
    ("ms", 1, &["msec", "millis", "millisecond", "milliseconds"]),
];

/// Longest time a scenario may name.
const LONGEST_MS: u64 = 3_650 * 86_400_000;

/// What is accepted, for help lines.
pub(crate) const TIME_HELP: &str =
    "write whole numbers with units d, h, m, s or ms, the longest first, for example `48h`, `47h 59m 59s` or `250ms`";

/// What is accepted for a shift, for help lines.
pub(crate) const SHIFT_HELP: &str =
    "write a sign and a time with units d, h, m, s or ms, for example `-1s`, `+0s` or `+1h 30m`";

/// Reads a time like `48h` or `47h 59m 59s`.
///
/// # Errors
/// What was found instead, in words.
pub fn time(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("this time is empty".into());
    }
    if trimmed.starts_with('-') {
        return Err(format!("{} is negative, and time only goes forward", quoted(text)));
    }
    let mut total_ms: u64 = 0;
    let mut rest = trimmed;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(format!("{} has {} where a whole number should stand", quoted(text), quoted(rest)));
        }
        if after.starts_with('.') {
            return Err(format!("{} has a fraction; use a smaller unit, `1h 30m` for `1.5h`", quoted(text)));
        }
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit_ms = match units.find(|(name, ..)| *name == unit) {
            Some((_, unit_ms, _)) => *unit_ms,
            None => return Err(wrong_unit(text, number, unit)),
        };
        let part_ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms));
        total_ms = part_ms
            .and_then(|part_ms| total_ms.checked_add(part_ms))
            .filter(|total_ms| *total_ms <= LONGEST_MS)
            .ok_or_else(|| format!("{} is longer than the longest time, 3650d", quoted(text)))?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(total_ms))
}

fn wrong_unit(text: &str, number: &str, unit: &str) -> String {
    if unit.is_empty() {
        return format!("{} has no unit after {}", quoted(text), quoted(number));
    }
    if UNITS.iter().any(|(name, ..)| *name == unit) {
        return format!("{} has the unit {} twice or after a shorter one", quoted(text), quoted(unit));
    }
    let meant = UNITS.iter().find(|(name, _, also)| also.contains(&unit) || name.eq_ignore_ascii_case(unit));
    let meant = meant.map(|(name, ..)| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("{} has an unknown unit {}{meant}", quoted(text), quoted(unit))
}

/// Reads a time with a sign before it; no sign is `+`.
pub(crate) fn shift(text: &str) -> Result<SignedDuration, String> {
    let trimmed = text.trim();
    let (negative, unsigned) = match (trimmed.strip_prefix('-'), trimmed.strip_prefix('+')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        (None, None) => (false, trimmed),
    };
    let length =
        SignedDuration::try_from(time(unsigned.trim())?).map_err(|_| format!("{} is too long", quoted(text)))?;
    Ok(if negative { -length } else { length })
}

/// A time as people write it, in whole milliseconds: hours up to four days, days beyond.
pub(crate) fn written(time: Duration) -> String {
    let mut rest = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    let units = if rest < 4 * 86_400_000 { &UNITS[1..] } else { &UNITS[..] };
    for (unit, unit_ms, _) in units {
        if rest >= *unit_ms {
            parts.push(format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// A shift as people write it: `- 1s`, with the sign apart; `apart` stands between.
pub(crate) fn written_shift(shift: SignedDuration, apart: &str) -> String {
    let sign = if shift.is_negative() { '-' } else { '+' };
    format!("{sign}{apart}{}", written(shift.unsigned_abs()))
}

/// Splits `NAME - 1s` or `NAME + 30m` into the name and the shift; a text without a shift is a name alone. The last
/// sign that a time follows counts, so that names may hold hyphens.
pub(crate) fn name_and_shift(text: &str) -> (&str, SignedDuration) {
    for (at, _) in text.rmatch_indices(['-', '+']) {
        let (name, signed) = text.split_at(at);
        if let (false, Ok(offset)) = (name.trim().is_empty(), shift(signed)) {
            return (name.trim(), offset);
        }
    }
    (text.trim(), SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sums_of_units() {
        assert_eq!(time("48h"), Ok(Duration::from_secs(172_800)));
        assert_eq!(time("47h 59m 59s"), Ok(Duration::from_secs(172_799)));
        assert_eq!(time("1m250ms"), Ok(Duration::from_millis(60_250)));
        assert_eq!(time(" 0s "), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_time_is_said_in_words() {
        for (text, words) in [
            ("", "empty"),
            ("48", "no unit"),
            ("48hours", "did you mean `h`"),
            ("5S", "did you mean `s`"),
            ("1.5h", "fraction"),
            ("-1h", "negative"),
            ("1s 1h", "after a shorter one"),
            ("99999999999999999999d", "longer than"),
            ("18446744073709551615ms", "longer than"),
            ("h", "whole number"),
            ("5µs", "unknown unit"),
        ] {
            let said = time(text).map_err(|said| said.contains(words).then_some(()).ok_or(said));
            assert_eq!(said, Err(Ok(())), "{text}");
        }
    }

    #[test]
    fn a_shift_follows_the_last_sign_that_a_time_follows() {
        assert_eq!(name_and_shift("before the drop - 1s"), ("before the drop", SignedDuration::from_secs(-1)));
        assert_eq!(name_and_shift("mark-1s"), ("mark", SignedDuration::from_secs(-1)));
        assert_eq!(name_and_shift("put-back+1h 30m"), ("put-back", SignedDuration::from_secs(5_400)));
        assert_eq!(name_and_shift("put-back"), ("put-back", SignedDuration::ZERO));
        assert_eq!(name_and_shift("-1s"), ("-1s", SignedDuration::ZERO));
    }
}
