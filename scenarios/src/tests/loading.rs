//! Files and folders.

use crate::{FILE_BYTES_MAX, LoadError, Scenario, builtin, load};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"))
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{error}"));
    }
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_folder_gives_its_scenarios_in_the_order_of_their_paths() {
    let folder = folder();
    for name in ["b/two.toml", "a/one.toml", "three.toml", "a/notes.md"] {
        write(&folder.path().join(name), name);
    }
    let texts = load(folder.path()).map(|sources| sources.into_iter().map(|source| source.text).collect::<Vec<_>>());
    assert_eq!(texts.ok(), Some(vec!["a/one.toml".to_owned(), "b/two.toml".into(), "three.toml".into()]));
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    assert!(matches!(load(&folder().path().join("no.toml")), Err(LoadError::Missing { .. })));
}

#[test]
fn a_folder_without_scenarios_is_refused() {
    let folder = folder();
    write(&folder.path().join("notes.md"), "");
    assert!(matches!(load(folder.path()), Err(LoadError::NoScenarios { .. })));
}

#[test]
fn a_file_of_50_mb_is_refused_unread() {
    let folder = folder();
    let path = folder.path().join("large.toml");
    let made = fs::File::create(&path).and_then(|file| file.set_len(50 << 20));
    assert!(made.is_ok());
    assert!(matches!(load(&path), Err(LoadError::TooLarge { .. })));
    write(&path, vec![b' '; usize::try_from(FILE_BYTES_MAX).unwrap_or(0)]);
    assert!(load(&path).is_ok());
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_its_place() {
    let folder = folder();
    let path = folder.path().join("latin1.toml");
    write(&path, b"title = \"x\"\n# \xe9\n");
    let said = load(&path).map_err(|error| error.to_string());
    assert!(said.is_err_and(|said| said.contains("byte 3 of line 2")));
}

#[test]
fn a_file_that_is_no_toml_by_name_is_refused() {
    let folder = folder();
    let path = folder.path().join("scenario.yaml");
    write(&path, "title: x");
    assert!(matches!(load(&path), Err(LoadError::NotScenario { .. })));
}

#[cfg(unix)]
#[test]
fn a_folder_linked_into_itself_is_walked_once() {
    let folder = folder();
    write(&folder.path().join("one.toml"), "");
    assert!(std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).is_ok());
    assert_eq!(load(folder.path()).map(|sources| sources.len()).ok(), Some(1));
}

#[test]
fn every_built_in_scenario_reads_and_covers_a_rule() {
    let sources = builtin();
    assert!(!sources.is_empty());
    let mut wrong = String::new();
    for source in sources {
        let words = source.text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
        let rules: BTreeSet<String> = words.filter(|word| word.len() == 6).map(str::to_owned).collect();
        match Scenario::parse(&source.file, &source.text, &rules) {
            Ok(scenarios) => {
                assert!(scenarios.iter().all(|scenario| !scenario.covers.is_empty()), "{} covers nothing", source.file);
            }
            Err(error) => wrong.push_str(&error.render()),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
