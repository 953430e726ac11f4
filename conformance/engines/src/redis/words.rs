//! Cuts text into commands, one a line, and commands into words, quoted as in a shell.

/// The commands of a text: the words of every line that has any. A line that begins with `#` says nothing.
pub(super) fn commands(text: &str) -> Result<Vec<Vec<Vec<u8>>>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(words).collect()
}

/// The words of a line. Within double quotes a backslash gives `\n`, `\r`, `\t`, `\xHH` or what follows it; within
/// single quotes nothing but `\'` is special; a quote closes before a space or the end.
fn words(line: &str) -> Result<Vec<Vec<u8>>, String> {
    let unbalanced = || "Protocol error: unbalanced quotes in request".to_owned();
    let mut letters = line.chars().peekable();
    let mut found = Vec::new();
    let mut buffer = [0; 4];
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let Some(first) = letters.peek().copied() else { return Ok(found) };
        let mut word = Vec::new();
        if let quote @ ('"' | '\'') = first {
            letters.next();
            loop {
                match letters.next().ok_or_else(unbalanced)? {
                    letter if letter == quote => break,
                    '\\' if quote == '"' => match letters.next().ok_or_else(unbalanced)? {
                        'n' => word.push(b'\n'),
                        'r' => word.push(b'\r'),
                        't' => word.push(b'\t'),
                        'x' => {
                            let digits: Option<Vec<u32>> =
                                (0..2).map(|_| letters.next().and_then(|digit| digit.to_digit(16))).collect();
                            let digits = digits.ok_or_else(unbalanced)?;
                            word.push(u8::try_from(digits[0] * 16 + digits[1]).unwrap_or_default());
                        }
                        other => word.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes()),
                    },
                    '\\' if letters.next_if_eq(&'\'').is_some() => word.push(b'\''),
                    letter => word.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes()),
                }
            }
            if letters.peek().is_some_and(|next| !next.is_whitespace()) {
                return Err(unbalanced());
            }
        } else {
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                word.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
            }
        }
        found.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_in_a_shell() {
        let cut = commands("SET \"a b\" '\\'x'\n# nothing\n\nGET \"\\xff\\n\"");
        let word = |bytes: &[u8]| bytes.to_vec();
        let expected = vec![vec![word(b"SET"), word(b"a b"), word(b"'x")], vec![word(b"GET"), word(b"\xff\n")]];
        assert_eq!(cut, Ok(expected));
        assert!(commands("SET \"a").is_err());
    }
}
