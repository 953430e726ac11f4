//! What the engines' clients complain of while they read a script: what a dump says of another server is let pass and
//! noted, the first other error refuses the script.

use super::script::Notes;
use engines::images::Family;

/// The codes of what is not there, where it is to be dropped.
const NOT_THERE: [&str; 6] = ["42P01", "42704", "42883", "3F000", "3D000", "42703"];

/// Listens.
pub struct Complaints {
    family: Family,
    rest: Vec<u8>,
    /// An error of which its statement is to come.
    open: Option<Complaint>,
    first: Option<Complaint>,
    /// What was let pass.
    pub notes: Notes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Complaint {
    line: String,
    code: String,
    message: String,
}

impl Complaints {
    /// Of a family's client.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self { family, rest: Vec::new(), open: None, first: None, notes: Notes::new() }
    }

    /// Hears more.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.line(String::from_utf8_lossy(&line).trim_end());
        }
    }

    fn line(&mut self, line: &str) {
        if self.family == Family::Postgres {
            return self.of_psql(line);
        }
        // ERROR 1064 (42000) at line 12: message
        if let Some((head, message)) = line.strip_prefix("ERROR ").and_then(|rest| rest.split_once(": ")) {
            let (code, at) = head.split_once(" at line ").unwrap_or((head, ""));
            self.refuse(Complaint { line: at.into(), code: code.into(), message: message.into() });
        }
    }

    fn of_psql(&mut self, line: &str) {
        let Some((at, said)) = line.strip_prefix("psql:<stdin>:").and_then(|rest| rest.split_once(": ")) else {
            if let Some(message) = line.strip_prefix("psql: error: ") {
                self.refuse(Complaint { line: String::new(), code: String::new(), message: message.into() });
            }
            return;
        };
        if let Some(statement) = said.strip_prefix("STATEMENT:") {
            self.judge(statement.trim_start());
            return;
        }
        let error = said.strip_prefix("ERROR:").or_else(|| said.strip_prefix("FATAL:"));
        let own = || said.strip_prefix("error: ").map(|said| ("", said));
        let coded =
            |error: &'_ str| error.trim_start().split_once(": ").map(|(code, text)| (code.to_owned(), text.to_owned()));
        let found = error.and_then(coded).or_else(|| own().map(|(code, text)| (code.to_owned(), text.to_owned())));
        let Some((code, message)) = found else { return };
        self.judge("");
        self.open = Some(Complaint { line: at.into(), code, message });
    }

    /// Says what the open complaint means, now that its statement is known.
    fn judge(&mut self, statement: &str) {
        let Some(complaint) = self.open.take() else { return };
        let message = &complaint.message;
        let drops = statement.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("drop "))
            || statement.to_ascii_uppercase().contains(" DROP CONSTRAINT ");
        let note = if message.starts_with("unrecognized configuration parameter") {
            format!("a setting that this server does not know, left out: {message}")
        } else if message.starts_with("role \"")
            && (message.ends_with("does not exist") || message.ends_with("already exists"))
        {
            format!("a role of the dump's server, left out: {message}")
        } else if message == "schema \"public\" already exists" {
            format!("left out: {message}")
        } else if drops && NOT_THERE.contains(&complaint.code.as_str()) {
            "what was to be dropped was not there".to_owned()
        } else {
            return self.refuse(complaint);
        };
        *self.notes.entry(note).or_default() += 1;
    }

    fn refuse(&mut self, complaint: Complaint) {
        self.first.get_or_insert(complaint);
    }

    /// What was let pass.
    ///
    /// # Errors
    /// The first error that was not.
    pub fn end(mut self, code: i64) -> Result<Notes, String> {
        self.judge("");
        match self.first {
            Some(Complaint { line, code, message }) => {
                let at = if line.is_empty() { String::new() } else { format!("line {line}: ") };
                let code = if code.is_empty() { code } else { format!(" ({code})") };
                Err(format!("{at}{}{code}", without_secrets(&message)))
            }
            None if code != 0 => {
                let rest = String::from_utf8_lossy(&self.rest).trim().to_owned();
                Err(format!("the client ended with {code}: {}", without_secrets(&rest)))
            }
            None => Ok(self.notes),
        }
    }
}

/// A text in which a password may stand, without it.
pub fn without_secrets(text: &str) -> String {
    let lower = text.to_lowercase();
    match ["password", "identified"].iter().filter_map(|word| lower.find(word)).min() {
        Some(_) => "(not shown: it speaks of a password)".to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(family: Family, said: &str, code: i64) -> Result<Notes, String> {
        let mut complaints = Complaints::new(family);
        // It comes in pieces.
        said.as_bytes().chunks(7).for_each(|piece| complaints.hear(piece));
        complaints.end(code)
    }

    #[test]
    fn what_a_dump_says_of_another_server_is_let_pass() {
        let said = "psql:<stdin>:8: ERROR:  42704: unrecognized configuration parameter \"transaction_timeout\"\nLOCATION:  x\n\
            psql:<stdin>:8: STATEMENT:  SET transaction_timeout = 0;\n\
            psql:<stdin>:30: ERROR:  42704: role \"shop_owner\" does not exist\npsql:<stdin>:30: STATEMENT:  ALTER TABLE t OWNER TO shop_owner;\n\
            psql:<stdin>:31: ERROR:  42704: role \"shop_owner\" does not exist\npsql:<stdin>:31: STATEMENT:  ALTER TABLE u OWNER TO shop_owner;\n\
            psql:<stdin>:40: ERROR:  42P01: table \"x\" does not exist\npsql:<stdin>:40: STATEMENT:  DROP TABLE x;\n";
        let notes = heard(Family::Postgres, said, 0).expect("let pass");
        assert_eq!(notes.values().copied().collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn the_first_other_error_is_told_with_its_line() {
        let said = "psql:<stdin>:3: NOTICE:  00000: nothing\npsql:<stdin>:4: ERROR:  42P01: relation \"x\" does not exist\nLINE 1: x\n\
            psql:<stdin>:4: STATEMENT:  SELECT * FROM x;\npsql:<stdin>:9: ERROR:  42601: syntax error\n";
        assert_eq!(heard(Family::Postgres, said, 0), Err("line 4: relation \"x\" does not exist (42P01)".into()));
        let said = "ERROR 1273 (HY000) at line 25: Unknown collation: 'utf8mb4_0900_ai_ci'\n";
        let told = heard(Family::MariaDb, said, 1);
        assert_eq!(told, Err("line 25: Unknown collation: 'utf8mb4_0900_ai_ci' (1273 (HY000))".into()));
        assert!(heard(Family::MySql, "", 1).is_err());
    }

    #[test]
    fn a_password_in_an_error_is_not_shown() {
        let said = "ERROR 1064 (42000) at line 1: You have an error near 'IDENTIFIED BY 's3cret''\n";
        let told = heard(Family::MySql, said, 1).expect_err("refused");
        assert!(!told.contains("s3cret"), "{told}");
    }
}
