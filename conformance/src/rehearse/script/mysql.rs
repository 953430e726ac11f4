//! Dumps of mysqldump and mariadb-dump: definers that only their server has, its place in replication, and MariaDB's
//! sandbox mode, which MySQL's client takes for a command.

use super::{ACCOUNT, Line, without};

/// Where a line is.
#[derive(Debug, Default)]
pub struct Dialect {
    /// Within a statement that is left out.
    leaving_out: bool,
}

/// Statements about the server the dump is of.
const ITS_OWN: [(&str, &str); 4] = [
    ("SET @@GLOBAL.GTID_PURGED", "the transactions the dump's server had seen (GTID_PURGED) left out"),
    ("CHANGE MASTER TO", "the dump's place in replication left out"),
    ("CHANGE REPLICATION SOURCE TO", "the dump's place in replication left out"),
    ("SET GLOBAL GTID_SLAVE_POS", "the dump's place in replication left out"),
];

/// Databases of a server itself.
const OF_SERVER: [&str; 4] = ["`mysql`", "`sys`", "`performance_schema`", "`information_schema`"];

impl Dialect {
    /// What is done to a line.
    pub fn line(&mut self, line: &[u8]) -> Line {
        // Rows, which mysqldump writes without any line break in them.
        if [b"INSERT".as_slice(), b"REPLACE", b"("].iter().any(|begin| line.starts_with(begin)) {
            return Line::Same;
        }
        let ends = line.trim_ascii_end().ends_with(b";");
        if self.leaving_out {
            self.leaving_out = !ends;
            return Line::Other(without(), "the rest of what was left out".into());
        }
        let Ok(text) = std::str::from_utf8(line) else { return Line::Same };
        if text.starts_with("/*M!999999\\-") || text.starts_with("/*!999999\\-") {
            return Line::Other(without(), "MariaDB's sandbox mode, which only its client knows, left out".into());
        }
        if let Some((_, note)) = ITS_OWN.iter().find(|(begin, _)| text.starts_with(begin)) {
            self.leaving_out = !ends;
            return Line::Other(without(), (*note).to_owned());
        }
        if text.starts_with("USE `") && OF_SERVER.iter().any(|own| text[4..].starts_with(own)) {
            return Line::Refused(format!(
                "the dump holds the server's own database {}; dump those of the application: --databases NAME …",
                text[4..].trim_end().trim_end_matches(';')
            ));
        }
        if text.starts_with("/*!") || text.starts_with("CREATE ") {
            return with_definer(text);
        }
        Line::Same
    }
}

/// A statement's head with the rehearsal's account as its definer.
fn with_definer(text: &str) -> Line {
    let Some(at) = text.find("DEFINER=`") else { return Line::Same };
    let rest = &text[at + "DEFINER=".len()..];
    let Some(mut length) = name(rest) else { return Line::Same };
    if let Some(host) = rest[length..].strip_prefix('@').and_then(name) {
        length += 1 + host;
    }
    let (definer, after) = rest.split_at(length);
    let other = format!("{}DEFINER=`{ACCOUNT}`@`%`{after}", &text[..at]);
    Line::Other(other.into_bytes(), format!("definer {definer} of the dump's server became the rehearsal's account"))
}

/// How long the name in backticks is that a text begins with.
fn name(text: &str) -> Option<usize> {
    let mut letters = text.strip_prefix('`')?.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '`' && letters.next_if(|(_, next)| *next == '`').is_none() {
            return Some(at + 2);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> String {
        let mut dialect = Dialect::default();
        let other = |line: &str| match dialect.line(line.as_bytes()) {
            Line::Same => line.to_owned(),
            Line::Other(other, _) => String::from_utf8(other).expect("text"),
            Line::Refused(why) => panic!("{why}"),
        };
        text.split_inclusive('\n').map(other).collect()
    }

    #[test]
    fn definers_become_the_rehearsals_account_and_rows_stay() {
        let rows = "INSERT INTO t VALUES ('CREATE DEFINER=`a`@`b` VIEW');\n('/*!50017 DEFINER=`a`@`b`*/');\n";
        assert_eq!(lines(rows), rows);
        assert_eq!(
            lines("/*!50003 CREATE*/ /*!50017 DEFINER=`shop``x`@`local%`*/ /*!50003 TRIGGER t BEFORE\n"),
            "/*!50003 CREATE*/ /*!50017 DEFINER=`rehearsal`@`%`*/ /*!50003 TRIGGER t BEFORE\n"
        );
        assert_eq!(
            lines("CREATE DEFINER=`root`@`localhost` PROCEDURE p()\n"),
            "CREATE DEFINER=`rehearsal`@`%` PROCEDURE p()\n"
        );
        assert_eq!(lines("CREATE DEFINER=`team` FUNCTION f()\n"), "CREATE DEFINER=`rehearsal`@`%` FUNCTION f()\n");
    }

    #[test]
    fn what_speaks_of_the_dumps_server_is_left_out() {
        let dump = "/*M!999999\\- enable the sandbox mode */ \nSET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1-5,\nb:1-7';\nSELECT 1;\n";
        assert_eq!(lines(dump), "\n\n\nSELECT 1;\n");
        assert_eq!(lines("CHANGE MASTER TO MASTER_LOG_FILE='x', MASTER_LOG_POS=4;\n"), "\n");
    }

    #[test]
    fn the_servers_own_database_is_refused() {
        let refused = Dialect::default().line(b"USE `mysql`;\n");
        assert!(matches!(refused, Line::Refused(why) if why.contains("--databases")));
    }
}
