//! The `firedrill` command as a user meets it: exit codes, machine output, and bad input that never panics.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn firedrill(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a scenario of this text in a folder of its own.
fn run_text(text: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("a-scenario.toml");
    std::fs::write(&file, text).unwrap_or_else(|error| panic!("{error}"));
    firedrill(&["run", &file.to_string_lossy(), "--seeds", "1"])
}

const SHOP: &str =
    "[instances.shop]\nengine = \"mysql 5.7\"\naccount = { name = \"app\", password = \"s3cret-one\" }\n";

#[test]
fn bad_scenario_files_end_with_64_and_never_with_a_panic() {
    let step = "[[step]]\nbackup = \"shop\"\n";
    let bad: [(&str, Vec<u8>); 8] = [
        ("unknown key", format!("title = \"t\"\ncovers = []\ncolour = 1\n{SHOP}{step}").into_bytes()),
        ("wrong type", format!("title = 3\ncovers = []\n{SHOP}{step}").into_bytes()),
        ("unknown rule", format!("title = \"t\"\ncovers = [\"TMP-99\"]\n{SHOP}{step}").into_bytes()),
        ("unknown instance", format!("title = \"t\"\ncovers = []\n{SHOP}[[step]]\nbackup = \"depot\"\n").into_bytes()),
        (
            "unset mark",
            format!(
                "title = \"t\"\ncovers = []\n{SHOP}[[step]]\ntemporary = {{ of = \"shop\", to = \"m\", as = \"r\" }}\n"
            )
            .into_bytes(),
        ),
        ("not UTF-8", vec![0xff, 0xfe, 0x00, 0x41]),
        ("empty", vec![]),
        ("50 MB", vec![b'#'; 50 << 20]),
    ];
    for (what, text) in bad {
        let output = run_text(&text);
        assert_eq!(code(&output), 64, "{what}: {}", err(&output));
        assert!(!err(&output).contains("panicked") && !err(&output).is_empty(), "{what}: {}", err(&output));
    }
}

#[test]
fn a_folder_without_scenarios_and_wrong_usage_end_with_64() {
    for arguments in [&["run", "."][..], &["run", "nowhere.toml"], &["run", "--seeds", "0"], &["fly"], &["replay"]] {
        let output = firedrill(arguments);
        assert_eq!(code(&output), 64, "{arguments:?}: {}", err(&output));
        assert!(!err(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_exit_code_tells_held_from_violated_from_incomplete() {
    let expect = |count: u8| {
        format!(
            "{SHOP}[[step]]\nsql = {{ on = \"shop\", run = \"create table t (id int)\" }}\n[[step]]\nexpect = {{ on = \"shop\", query = \"select count(*) from t\", rows = [[{count}]] }}\n"
        )
    };
    let held = run_text(format!("title = \"t\"\ncovers = []\n{}", expect(0)).as_bytes());
    assert_eq!(code(&held), 0, "{}{}", out(&held), err(&held));
    let violated = run_text(format!("title = \"t\"\ncovers = []\n{}", expect(7)).as_bytes());
    assert_eq!(code(&violated), 1, "{}", out(&violated));
    assert!(out(&violated).contains("replay  firedrill replay --scenario"), "{}", out(&violated));
    let incomplete = run_text(format!("title = \"t\"\ncovers = [\"TMP-11\"]\n{}", expect(0)).as_bytes());
    assert_eq!(code(&incomplete), 2, "{}", out(&incomplete));
}

#[test]
fn the_last_line_of_json_output_is_the_summary_and_the_suites_are_built_in() {
    let output = firedrill(&["run", "--filter", "a-second-temporary", "--seeds", "2", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let summary = &lines.last().unwrap_or_else(|| panic!("no line"))["summary"];
    for key in [
        "scenarios",
        "runs",
        "passed",
        "failed",
        "unavailable",
        "rules",
        "virtual_seconds",
        "wall_seconds",
        "fingerprint",
    ] {
        assert!(!summary[key].is_null(), "{key}: {summary}");
    }
    for key in ["held", "violated", "not_exercised", "not_observable"] {
        assert!(summary["rules"][key].is_u64(), "{key}: {summary}");
    }
    assert_eq!(summary["runs"], summary["passed"]);
    assert_eq!(lines.len(), 5, "two scenarios under two seeds and the summary");
}

#[test]
fn schema_and_openapi_are_json_documents() {
    for (command, key) in [("schema", "$schema"), ("openapi", "openapi")] {
        let output = firedrill(&[command]);
        assert_eq!(code(&output), 0);
        let document: Value = serde_json::from_str(&out(&output)).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(document[key].is_string(), "{command}");
    }
}

#[test]
fn a_replay_can_stop_before_a_step_and_show_the_world() {
    let output = firedrill(&[
        "replay",
        "--scenario",
        "a-second-temporary-instance-is-refused",
        "--seed",
        "3",
        "--trace",
        "--until",
        "4",
    ]);
    let text = out(&output);
    assert_eq!(code(&output), 0, "{}", err(&output));
    for part in ["instances", "rescue", "tables", "app.orders", "before step 4"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn rules_read_from_a_saved_run_are_those_that_were_saved() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("rules.jsonl");
    let line =
        r#"{"id":"TMP-11","level":"MUST","verdict":"held","exercised":3,"text":"48 hours","scenarios":["expiry"]}"#;
    std::fs::write(&file, format!("{line}\n")).unwrap_or_else(|error| panic!("{error}"));
    let from = file.to_string_lossy().into_owned();
    let table = firedrill(&["rules", "--from", &from]);
    assert!(out(&table).contains("TMP-11") && out(&table).contains("1 held"), "{}", out(&table));
    let matrix = firedrill(&["rules", "--matrix", "--from", &from]);
    assert!(out(&matrix).contains("expiry"), "{}", out(&matrix));
    assert_eq!(code(&firedrill(&["rules", "--from", &Path::new("nowhere").to_string_lossy()])), 64);
}

#[test]
fn a_case_of_a_scenario_is_chosen_by_its_name() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("counts.toml");
    let text = format!(
        "title = \"t\"\ncovers = []\n[[case]]\nname = \"right\"\ncount = 0\n[[case]]\nname = \"it's wrong\"\ncount = 7\n{SHOP}\
         [[step]]\nsql = {{ on = \"shop\", run = \"create table t (id int)\" }}\n\
         [[step]]\nexpect = {{ on = \"shop\", query = \"select count(*) from t\", rows = [[\"${{count}}\"]] }}\n"
    );
    std::fs::write(&file, text).unwrap_or_else(|error| panic!("{error}"));
    let file = file.to_string_lossy().into_owned();
    let run = firedrill(&["run", &file, "--seeds", "1"]);
    assert_eq!(code(&run), 1, "{}", out(&run));
    for part in ["counts.toml [right]", "counts.toml:14 [it's wrong]", r"--case 'it'\''s wrong'"] {
        assert!(out(&run).contains(part), "{part}: {}", out(&run));
    }
    let filtered = firedrill(&["run", &file, "--filter", "counts [right]", "--seeds", "1"]);
    assert_eq!(code(&filtered), 0, "{}", out(&filtered));
    let replay = |arguments: &[&str]| firedrill(&[&["replay", "--scenario", &file], arguments].concat());
    assert_eq!(code(&replay(&["--case", "right"])), 0);
    assert_eq!(code(&replay(&["--case", "it's wrong"])), 1);
    let unsaid = replay(&[]);
    assert!(err(&unsaid).contains("has 2 cases") && err(&unsaid).contains("--case 'right'"), "{}", err(&unsaid));
    let unknown = replay(&["--case", "left"]);
    assert!(code(&unknown) == 64 && err(&unknown).contains("has no case 'left'"), "{}", err(&unknown));
}

#[test]
fn a_failure_is_made_small_saved_and_fails_again_from_its_file_alone() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("a-scenario.toml");
    let passes = "[[step]]\nadvance = \"1h\"\n".repeat(5);
    let wrong = "[[step]]\nexpect = { backups = { of = \"shop\", count = 1 } }\n";
    let text = format!("title = \"t\"\nseed = 7\n{SHOP}[[step]]\nmark = \"m\"\n{passes}{wrong}{passes}");
    std::fs::write(&file, text).unwrap_or_else(|error| panic!("{error}"));
    let saved = folder.path().join("small");
    let (file, saved) = (file.to_string_lossy(), saved.to_string_lossy());
    let output = firedrill(&["run", &file, "--shrink", "--out", &saved]);
    assert_eq!(code(&output), 1, "{}{}", out(&output), err(&output));
    let told = out(&output);
    // The seed that the file says is the only one.
    assert!(told.contains("seed 0x7") && told.contains("1 runs"), "{told}");
    assert!(told.contains("  shrunk  12 -> 1 steps, saved as "), "{told}");
    let replay = told.lines().find_map(|line| line.strip_prefix("  replay  firedrill replay "));
    let small = replay.unwrap_or_default().trim_matches('\'').to_owned();
    let text = std::fs::read_to_string(&small).unwrap_or_default();
    assert!(text.contains("seed = \"0x7\"") && text.contains("# want "), "{small}: {text}");
    let again = firedrill(&["replay", &small]);
    assert_eq!(code(&again), 1, "{}{}", out(&again), err(&again));
    assert!(out(&again).contains("seed 0x7"), "{}", out(&again));
    let other = firedrill(&["replay", &small, "--seed", "0x9"]);
    assert!(out(&other).contains("seed 0x9"), "{}", out(&other));
    let json = firedrill(&["run", &file, "--shrink", "--out", &saved, "--format", "json"]);
    let shrunk = out(&json)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|event| event["event"] == "shrunk");
    assert_eq!(shrunk.map(|event| (event["to_steps"].clone(), event["file"].clone())), Some((1.into(), small.into())));
}
