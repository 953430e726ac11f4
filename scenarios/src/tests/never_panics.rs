//! Whatever stands in a file, reading it gives a scenario or an error that can be shown.

use super::{parse, parse_all, text_with_steps};
use crate::{builtin, time};
use proptest::prelude::*;

fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> = builtin().into_iter().map(|source| source.text).collect();
    seeds.push(text_with_steps(super::accepted::EVERYTHING));
    seeds.push(super::cases::TABLE.to_owned());
    seeds
}

fn survives(text: &str) {
    if let Err(error) = parse_all(text) {
        assert!(!error.problems.is_empty());
        assert!(!error.render().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_time_is_read_or_refused(text in "[-+]?[0-9]{0,22}( ?[a-zµ]{0,3}[0-9. ]{0,4}){0,3}") {
        let _ = (time::time(&text), time::shift(&text), time::name_and_shift(&text));
    }

    #[test]
    fn a_mutated_scenario_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(vec![
                "", "\"", "{", "}", "[", "]", "=", "\n", "\n[[step]]\n", "é", "\t", "-1", "0", "true", ".", ",", "'",
                "shop", "rescue", " expires", "{ null = true }", "2026-01-05", "\u{0}", "\r\n", "#", "=\"=\"", "日本", "${", "${engine}", "$$",
                "\n[[case]]\n", "only = [\"web\"]\n",
            ])),
            1..6,
        ),
    ) {
        let seeds = seeds();
        let mut text: Vec<char> = which.get(&seeds).chars().collect();
        for (at, cut, put) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, put.chars());
        }
        survives(&text.into_iter().collect::<String>());
    }
}

#[test]
fn deeply_nested_values_are_refused() {
    survives(&format!("title = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    survives(&format!("title = {}", "{a=".repeat(50_000)));
    survives(&format!("{}title = 1", "a.".repeat(50_000)));
}

#[test]
fn a_file_of_a_million_problems_is_answered_with_a_few() {
    let text = (0..40_000).fold(String::from("title = \"x\"\n"), |text, number| text + &format!("k{number} = 1\n"));
    let found = parse(&text).map_err(|error| error.problems.len());
    assert_eq!(found.err(), Some(20));
}

#[test]
fn the_largest_file_of_unknown_names_is_answered() {
    let steps: String =
        (0..500).map(|number| format!("mark = \"mark {number}\"\nrelease = \"mork {number}\"\n")).collect();
    let found = parse(&text_with_steps(&steps)).map_err(|error| error.problems.len());
    assert_eq!(found.err(), Some(20));
}

#[test]
fn parameters_that_grow_the_file_without_end_are_refused() {
    let big = "x".repeat(100_000);
    let steps: String =
        (0..900).map(|_| "[[step]]\ncall = { path = \"/v1\", raw = \"${big}\" }\n".to_owned()).collect();
    let text = format!("title = \"x\"\n[[case]]\nname = \"one\"\nbig = \"{big}\"\n{steps}");
    let found = parse_all(&text).map_err(|error| error.lines());
    assert!(found.is_err_and(|lines| lines.contains("larger than the most a scenario may have")));
}

#[test]
fn too_many_instances_are_refused() {
    let instances: String = (0..65).map(|number| format!("[instances.i{number}]\nengine = \"mysql 5.7\"\n")).collect();
    let found = parse(&format!("title = \"x\"\n{instances}[[step]]\nmark = \"here\"\n"));
    assert!(found.is_err_and(|error| error.lines().contains("there are 65 instances")));
}
