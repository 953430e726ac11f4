//! The JSON Schema and the reader come from the same tables.

use crate::keys::{SCENARIO, Shape, Takes};
use crate::schema;
use serde_json::Value;
use std::collections::BTreeSet;

fn keys_of(shape: &'static Shape, path: &str, keys: &mut BTreeSet<String>) {
    for (form, key) in shape.every_key() {
        let path = match form {
            Some(form) => format!("{path}[{}].{}", form.chosen_by(), key.name),
            None => format!("{path}.{}", key.name),
        };
        below(key.takes, &path, keys);
        keys.insert(path);
    }
}

fn below(takes: Takes, path: &str, keys: &mut BTreeSet<String>) {
    match takes {
        Takes::Table(shape) | Takes::Open(shape) => keys_of(shape, path, keys),
        Takes::List { of, .. } | Takes::Map(of) => below(*of, path, keys),
        Takes::Either(kinds) => kinds.iter().for_each(|kind| below(*kind, path, keys)),
        _ => {}
    }
}

fn names(schema: &Value, names_found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                if let ("properties", Some(properties)) = (key.as_str(), value.as_object()) {
                    names_found.extend(properties.keys().cloned());
                }
                names(value, names_found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, names_found)),
        _ => {}
    }
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
    keys_of(&SCENARIO, "", &mut read);
    names(&schema(), &mut written);
    for of_cells in ["null", "hex"] {
        assert!(written.remove(of_cells));
    }
    let last = |path: &String| path.rsplit('.').next().unwrap_or_default().to_owned();
    assert_eq!(read.iter().map(last).collect::<BTreeSet<_>>(), written);
}

#[test]
fn every_key_says_what_it_is_for() {
    fn check(shape: &'static Shape) {
        for (_, key) in shape.every_key() {
            assert!(key.says.ends_with('.'), "{} of {}", key.name, shape.name);
            if let Takes::Table(below) | Takes::Open(below) = key.takes {
                check(below);
            }
        }
    }
    check(&SCENARIO);
}

#[test]
fn words_of_the_model_are_found() {
    use recovery::model::{instance::InstanceState, precheck::PrecheckItem, task::TaskStatus};
    assert!(crate::keys::words_of::<InstanceState>().contains(&"INS_CLONING".to_owned()));
    assert_eq!(crate::keys::words_of::<PrecheckItem>().len(), PrecheckItem::ALL.len());
    assert_eq!(crate::keys::words_of::<TaskStatus>().len(), 8);
}

#[test]
fn every_word_a_key_takes_is_a_word_of_its_type() {
    fn check(takes: Takes) {
        match takes {
            Takes::Word(words) => assert!(!words.all().is_empty()),
            Takes::Table(shape) | Takes::Open(shape) => shape.every_key().for_each(|(_, key)| check(key.takes)),
            Takes::List { of, .. } | Takes::Map(of) => check(*of),
            Takes::Either(kinds) => kinds.iter().for_each(|kind| check(*kind)),
            _ => {}
        }
    }
    check(Takes::Table(&SCENARIO));
}
