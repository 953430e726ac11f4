//! Numbers as Redis reads and writes them.

/// Reads a whole number: no plus sign, no leading zero, no space.
pub(super) fn integer(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Reads a score: any finite number, or an infinity; never "not a number".
pub(super) fn score(text: &str) -> Option<f64> {
    let known = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.' | 'i' | 'I'));
    let number: f64 = text.parse().ok().filter(|_| known)?;
    // Zero has no sign, so that equal scores are equal texts.
    (!number.is_nan()).then_some(number + 0.0)
}

/// The shortest text that reads back as the same score.
pub(super) fn shortest(number: f64) -> String {
    number.to_string()
}

/// A score as servers up to 7.0 answer it: seventeen significant digits, trailing zeros left out, as `%.17g` does.
pub(super) fn answered(number: f64) -> String {
    const DIGITS: i32 = 17;
    if !number.is_finite() {
        return shortest(number);
    }
    // Whole numbers that a double holds exactly are written as such.
    if number.fract() == 0.0 && number.abs() < 4_503_599_627_370_496.0 {
        return format!("{number:.0}");
    }
    let scientific = format!("{number:.16e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or_default();
        return trimmed(&format!("{number:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
}
