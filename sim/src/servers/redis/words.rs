//! Cuts text into commands, one a line, and commands into words, quoted as in a shell.

/// The commands of a text: the words of every line that has any. A line that begins with `#` says nothing.
pub(super) fn commands(text: &str) -> Result<Vec<Vec<String>>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(words).collect()
}

/// The words of a line. Within double quotes a backslash gives `\n`, `\r`, `\t`, `\xHH` (ASCII) or what follows it;
/// within single quotes nothing but `\'` is special; a quote closes before a space or the end.
fn words(line: &str) -> Result<Vec<String>, String> {
    let unbalanced = || "ERR Protocol error: unbalanced quotes in request".to_owned();
    let mut letters = line.chars().peekable();
    let mut found = Vec::new();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let Some(first) = letters.peek().copied() else { return Ok(found) };
        let mut word = String::new();
        if let quote @ ('"' | '\'') = first {
            letters.next();
            loop {
                match letters.next().ok_or_else(unbalanced)? {
                    letter if letter == quote => break,
                    '\\' if quote == '"' => word.push(escaped(&mut letters).ok_or_else(unbalanced)?),
                    '\\' if letters.peek() == Some(&'\'') => word.extend(letters.next()),
                    letter => word.push(letter),
                }
            }
            if letters.peek().is_some_and(|next| !next.is_whitespace()) {
                return Err(unbalanced());
            }
        } else {
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                word.push(letter);
            }
        }
        found.push(word);
    }
}

fn escaped(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    Some(match letters.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'x' => {
            let code = letters.next()?.to_digit(16)? * 16 + letters.next()?.to_digit(16)?;
            char::from_u32(code).filter(char::is_ascii)?
        }
        other => other,
    })
}
