//! Tables of cases.

use super::parse_all;
use crate::*;
use recovery::model::content::Value;
use recovery::model::product::Edition;
use std::time::Duration;

/// A file with two cases.
pub(super) const TABLE: &str = r#"
title = "A ${engine} lets ${who} in"
covers = ["TMP-11"]

[[case]]
name = "web"
engine = "sqlserver 2012 web"
who = "the owner"
wait = true
count = 2
rows = [[1, "lamp"]]
pause = "2h"

[[case]]
name = "a big one"
engine = "sqlserver 2012 enterprise"
who = "everybody"
wait = false
count = 3
rows = []
pause = "90m"
covers = ["SQL-14"]
title = "Enterprise lets everybody in"

[instances.shop]
engine = "${engine}"
account = { name = "app", password = "s3cret" }

[[step]]
backup = { of = "shop", wait = "${wait}" }
[[step]]
sql = { on = "shop", run = "insert into t values (${count}, '$${who}', '${who}')" }
[[step]]
only = ["web"]
expect = { on = "shop", query = "select * from t", rows = "${rows}" }
[[step]]
except = ["web"]
mark = "end of ${who}"
[[step]]
advance = "${pause}"
"#;

fn read(text: &str) -> Vec<Scenario> {
    parse_all(text).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// What is wrong with the table where one text in it is another.
fn wrong(old: &str, new: &str) -> String {
    assert!(TABLE.contains(old), "{old}");
    match parse_all(&TABLE.replacen(old, new, 1)) {
        Ok(_) => panic!("accepted: {new}"),
        Err(error) => error.lines(),
    }
}

/// Line of the table that begins so.
fn line(beginning: &str) -> usize {
    1 + TABLE.lines().position(|line| line.starts_with(beginning)).unwrap_or_else(|| panic!("no line {beginning}"))
}

#[test]
fn each_row_is_a_scenario_of_its_own() {
    let all = read(TABLE);
    let shown: Vec<String> = all.iter().map(Scenario::shown).collect();
    assert_eq!(shown, ["a-fact [web]", "a-fact [a big one]"]);
    assert_eq!(all[0].place(), "some/folder/a-fact.toml [web]");
    let titles: Vec<&str> = all.iter().map(|scenario| scenario.title.as_str()).collect();
    assert_eq!(titles, ["A sqlserver 2012 web lets the owner in", "Enterprise lets everybody in"]);
    let covers: Vec<Vec<&str>> =
        all.iter().map(|scenario| scenario.covers.iter().map(|rule| rule.0.as_str()).collect()).collect();
    assert_eq!(covers, [vec!["TMP-11"], vec!["TMP-11", "SQL-14"]]);
    let editions: Vec<Edition> = all.iter().map(|scenario| scenario.instances[0].product.edition).collect();
    assert_eq!(editions, [Edition::Web, Edition::Enterprise]);
}

#[test]
fn a_text_that_is_one_placeholder_takes_the_value_with_its_type() {
    let all = read(TABLE);
    let waits = |scenario: &Scenario| match &scenario.steps[0].action {
        Action::Backup(step) => step.wait,
        other => panic!("{other:?}"),
    };
    assert_eq!((waits(&all[0]), waits(&all[1])), (true, false));
    match &all[0].steps[2].action {
        Action::Expect(Expectation::Rows { rows, .. }) => {
            assert_eq!(*rows, [vec![Value::Integer(1), Value::Text("lamp".into())]]);
        }
        other => panic!("{other:?}"),
    }
    let last: Vec<&Action> = all.iter().filter_map(|scenario| scenario.steps.last()).map(|step| &step.action).collect();
    let minutes = |minutes: u64| Action::Advance(AdvanceStep::By(Duration::from_secs(minutes * 60)));
    assert_eq!(last, [&minutes(120), &minutes(90)]);
}

#[test]
fn a_placeholder_within_a_text_is_put_in_as_text() {
    match &read(TABLE)[1].steps[1].action {
        Action::Sql(step) => assert_eq!(step.run, "insert into t values (3, '${who}', 'everybody')"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_is_for_the_cases_it_names() {
    let all = read(TABLE);
    let texts = |scenario: &Scenario| scenario.steps.iter().map(|step| step.text.clone()).collect::<Vec<_>>();
    assert_eq!((all[0].steps.len(), all[1].steps.len()), (4, 4));
    assert!(texts(&all[0])[2].starts_with("expect = "), "{:?}", texts(&all[0]));
    assert_eq!(texts(&all[1])[2], "mark = \"end of everybody\"");
    assert_eq!(all[1].steps[2].line, line("except") - 1);
}

#[test]
fn a_parameter_may_be_a_whole_table_or_all_steps() {
    let text = "title = \"a fact\"\nstep = \"${steps}\"\n[[case]]\nname = \"one\"\nsteps = [{ mark = \"a\" }, { only = [\"two\"], mark = \"b\" }]\n\
                [[case]]\nname = \"two\"\nsteps = [{ mark = \"a\" }, { only = [\"two\"], mark = \"b\" }]\n";
    let steps: Vec<usize> = read(text).iter().map(|scenario| scenario.steps.len()).collect();
    assert_eq!(steps, [1, 2]);
    let text = "title = \"a fact\"\n[[case]]\nname = \"one\"\ncheck = { path = \"/v1/a\", status = 404 }\n[[step]]\ncall = \"${check}\"\n";
    assert!(matches!(&read(text)[0].steps[0].action, Action::Call(call) if call.status == Some(404)));
}

#[test]
fn a_file_without_cases_is_one_scenario_without_a_case() {
    let all = read("title = \"a fact\"\n[[step]]\nmark = \"$${here}$\"\n".replace("{here}", "[here]").as_str());
    assert_eq!((all.len(), all[0].case.clone(), all[0].shown().as_str()), (1, None, "a-fact"));
}

#[test]
fn wrong_rows_are_said_on_their_line() {
    let said = |old: &str, new: &str, at: &str, words: &str| {
        let lines = wrong(old, new);
        let place = format!("a-fact.toml:{}: ", line(at));
        let found = lines.lines().any(|line| line.contains(&place) && line.contains(words));
        assert!(found, "{place}{words}\n{lines}");
    };
    said("${who} in\"", "${whom} in\"", "title", "there is no parameter `whom`");
    said("${who}')\"", "${who')\"", "sql", "`${` is not closed");
    said("name = \"web\"\n", "", "[[case]]", "this case has no `name`");
    said("name = \"a big one\"", "name = \"web\"", "name = \"a big one\"", "there are two cases `web`");
    said("count = 2\n", "", "[[case]]", "the case `web` gives no `count`");
    said("only = [\"web\"]", "only = [\"wed\"]", "only", "there is no case `wed`");
    said("only = [\"web\"]", "except = [\"web\"]\nonly = [\"web\"]", "only", "both `only` and `except`");
    said("covers = [\"SQL-14\"]", "covers = [\"SQL-99\"]", "covers = [\"SQL-14\"]", "no rule `SQL-99`");
}

#[test]
fn a_wrong_value_is_said_at_its_row_and_for_its_case_alone() {
    let lines = wrong("wait = false", "wait = \"no\"");
    let place = format!("a-fact.toml:{}: ", line("wait = false"));
    assert!(lines.contains(&place) && lines.contains("takes true or false"), "{lines}");
    assert!(lines.ends_with(", in the case `a big one`\n"), "{lines}");
    let lines = wrong("who = \"everybody\"", "who = [\"a\"]");
    assert!(lines.contains(&format!(":{}: `who` is a list", line("who = \"everybody\""))), "{lines}");
    let lines = wrong("backup = { of = \"shop\"", "backup = { of = \"shp\"");
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.ends_with("there is no instance `shp`\n"), "{lines}");
}

#[test]
fn a_parameter_that_stands_nowhere_is_unused() {
    let text =
        TABLE.replace("wait = true", "wait = true\nextra = 1").replace("wait = false", "wait = false\nextra = 2");
    let lines = parse_all(&text).map_err(|error| error.lines());
    assert!(lines.is_err_and(|lines| lines.contains("the parameter `extra` is used nowhere")));
}

#[test]
fn a_placeholder_or_case_in_a_file_without_cases_is_refused() {
    let of = |step: &str| parse_all(&format!("title = \"a fact\"\n[[step]]\n{step}\n")).map_err(|error| error.lines());
    assert!(of("mark = \"${here}\"").is_err_and(|lines| lines.contains(":3: there is no parameter `here`")));
    assert!(of("only = [\"one\"]\nmark = \"a\"").is_err_and(|lines| lines.contains(":3: there is no case `one`")));
}
