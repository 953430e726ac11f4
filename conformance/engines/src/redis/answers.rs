//! What a command answered, as rows.

use super::line::{of_server, text};
use super::table::of_bytes;
use recovery::model::content::{Row, Value};
use recovery::ports::database::{DatabaseError, Outcome};
use redis::Value as Given;

/// Commands whose answers are pairs, and the names of their parts.
const PAIRS: [(&str, [&str; 2]); 2] = [("hgetall", ["field", "value"]), ("config", ["name", "value"])];
/// Commands whose answers are members with scores where they are asked for `WITHSCORES`.
const SCORES: [&str; 5] = ["zrange", "zrangebyscore", "zrevrange", "zrevrangebyscore", "zpopmin"];

/// The answer to a command as rows: one for each element, or for each pair.
pub(super) fn outcome(account: &str, words: &[Vec<u8>], answer: Given) -> Result<Outcome, DatabaseError> {
    let command = words.first().map(|word| String::from_utf8_lossy(word).to_lowercase()).unwrap_or_default();
    let with_scores = words.iter().any(|word| word.eq_ignore_ascii_case(b"withscores"));
    let pairs = PAIRS.iter().find(|(own, _)| *own == command).map(|(_, names)| *names);
    let pairs = pairs.or_else(|| (SCORES.contains(&command.as_str()) && with_scores).then_some(["member", "score"]));
    let (columns, rows): (Vec<&str>, Vec<Row>) = match (answer, pairs) {
        (Given::ServerError(error), _) => return Err(of_server(account, &error)),
        (Given::Array(elements), Some(names)) => {
            let values: Vec<Value> = elements.into_iter().map(value).collect();
            (names.to_vec(), values.chunks(2).map(<[Value]>::to_vec).collect())
        }
        (Given::Array(elements) | Given::Set(elements), None) => {
            (vec!["value"], elements.into_iter().map(|element| vec![value(element)]).collect())
        }
        (one, _) => (vec!["value"], vec![vec![value(one)]]),
    };
    let columns = columns.into_iter().map(str::to_owned).collect();
    Ok(Outcome { columns, rows, affected: 0 })
}

fn value(given: Given) -> Value {
    match given {
        Given::Nil => Value::Null,
        Given::Int(number) => Value::Integer(number),
        Given::BulkString(bytes) => of_bytes(bytes),
        Given::Array(elements) => Value::Text(elements.iter().map(text).collect::<Vec<_>>().join(" ")),
        other => Value::Text(text(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_elements_become_rows() {
        let answer = |words: &[&str], answer| {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            outcome("app", &words, answer).map(|outcome| (outcome.columns, outcome.rows))
        };
        let bulk = |text: &str| Given::BulkString(text.into());
        let text = |text: &str| Value::Text(text.into());
        let hash = answer(&["HGETALL", "h"], Given::Array(vec![bulk("f"), bulk("v")]));
        assert_eq!(hash, Ok((vec!["field".into(), "value".into()], vec![vec![text("f"), text("v")]])));
        let list = answer(&["LRANGE", "l"], Given::Array(vec![bulk("a"), Given::Nil]));
        assert_eq!(list, Ok((vec!["value".into()], vec![vec![text("a")], vec![Value::Null]])));
    }
}
