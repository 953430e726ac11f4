//! Tables of text for terminals: columns of given widths, cells that wrap, and letters that take two places.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Space between two columns.
const GAP: &str = "  ";

/// One row as lines, its cells wrapped at the widths of their columns. A cell may have lines of its own.
#[must_use]
pub fn row(cells: &[&str], widths: &[usize]) -> String {
    let wrapped: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for line in 0..height {
        let cells: Vec<String> = wrapped
            .iter()
            .zip(widths)
            .map(|(lines, width)| padded(lines.get(line).map_or("", String::as_str), *width))
            .collect();
        text.push_str(cells.join(GAP).trim_end());
        text.push('\n');
    }
    text
}

/// The places left of `total` for the last column after others of these widths.
#[must_use]
pub fn rest(total: usize, others: &[usize]) -> usize {
    total.saturating_sub(others.iter().map(|width| width + GAP.len()).sum())
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Lines of at most `width` places, broken between words; a word that is longer, and text without spaces, is broken
/// anywhere. What continues a line is as far in as the line.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut current = indent.to_owned();
        let mut is_blank = true;
        for piece in pieces(line.trim_start()) {
            let fits = current.width() + piece.trim_end().width() <= width;
            if !fits && !is_blank {
                lines.push(current.trim_end().to_owned());
                (current, is_blank) = (indent.to_owned(), true);
            }
            for letter in piece.chars() {
                if current.width() + letter.width().unwrap_or(0) > width && !is_blank && letter != ' ' {
                    lines.push(current.trim_end().to_owned());
                    current = indent.to_owned();
                }
                current.push(letter);
                is_blank = false;
            }
        }
        lines.push(current.trim_end().to_owned());
    }
    lines
}

/// Words with the spaces after them; a wide letter is a word of its own.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for letter in line.chars() {
        let is_wide = letter.width().unwrap_or(0) > 1;
        match pieces.last_mut() {
            Some(last) if letter == ' ' => last.push(letter),
            Some(last) if !is_wide && last.chars().all(|own| own != ' ' && own.width().unwrap_or(0) < 2) => {
                last.push(letter);
            }
            _ => pieces.push(letter.to_string()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_wrap_between_words_and_stay_in_their_column() {
        let text = row(&["Failed", "one two three"], &[8, 7]);
        assert_eq!(text, "Failed    one two\n          three\n");
    }

    #[test]
    fn wide_letters_take_two_places_and_align() {
        let text = row(&["源库权限", "x"], &[10, 1]);
        assert_eq!(text, "源库权限    x\n");
        assert_eq!(wrap("源库权限检查", 5), ["源库", "权限", "检查"]);
    }

    #[test]
    fn a_word_longer_than_its_column_is_broken_and_nothing_is_lost() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        let lines = wrap("  run: GRANT SELECT", 12);
        assert_eq!(lines, ["  run: GRANT", "  SELECT"]);
    }

    #[test]
    fn what_is_left_for_the_last_column_is_never_less_than_nothing() {
        assert_eq!(rest(80, &[8, 30]), 38);
        assert_eq!(rest(10, &[8, 30]), 0);
    }
}
