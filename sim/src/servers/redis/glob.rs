//! The patterns of KEYS: `*`, `?`, `[a-z]`, `[^a]` and a backslash before what is meant as it is.

/// Whether a text is what a pattern says.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where to go on when what follows the last star does not fit.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&'*') {
            star = Some((at + 1, seen));
            at += 1;
            continue;
        }
        let fits = match text.get(seen) {
            Some(letter) => one(&pattern, at, *letter),
            None if at == pattern.len() => return true,
            None => return false,
        };
        match (fits, star) {
            (Some(next), _) => (at, seen) = (next, seen + 1),
            (None, Some((after, from))) => {
                star = Some((after, from + 1));
                (at, seen) = (after, from + 1);
            }
            (None, None) => return false,
        }
    }
}

/// Whether a letter fits the one sign of the pattern that begins at `at`; gives where the next begins.
fn one(pattern: &[char], at: usize, letter: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => class(pattern, at + 1, letter),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == letter).then_some(at + 2),
        other => (*other == letter).then_some(at + 1),
    }
}

fn class(pattern: &[char], mut at: usize, letter: char) -> Option<usize> {
    let inverted = pattern.get(at) == Some(&'^');
    at += usize::from(inverted);
    let mut fits = false;
    while let Some(first) = pattern.get(at).copied().filter(|first| *first != ']') {
        if first == '\\' && at + 1 < pattern.len() {
            fits |= pattern[at + 1] == letter;
            at += 2;
        } else if pattern.get(at + 1) == Some(&'-') && at + 2 < pattern.len() {
            let last = pattern[at + 2];
            fits |= (first.min(last)..=first.max(last)).contains(&letter);
            at += 3;
        } else {
            fits |= first == letter;
            at += 1;
        }
    }
    (fits != inverted).then_some((at + 1).min(pattern.len()))
}
