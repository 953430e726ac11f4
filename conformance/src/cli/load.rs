//! Finds and reads the scenarios a command is about.

use super::Failure;
use crate::catalogue::catalogue;
use scenarios::{Scenario, Source};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The scenarios of files and folders, or the built-in ones; every bad file is reported, not only the first.
pub fn scenarios(paths: &[PathBuf], filter: Option<&str>) -> Result<Vec<Scenario>, Failure> {
    let sources = if paths.is_empty() { scenarios::builtin() } else { sources(paths)? };
    let known = catalogue().ids();
    let (mut read, mut wrong) = (Vec::new(), String::new());
    for source in &sources {
        match Scenario::parse(&source.file, &source.text, &known) {
            Ok(cases) => read.extend(cases),
            Err(error) => wrong.push_str(&rendered(*error)),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::usage(wrong));
    }
    if let Some(word) = filter {
        read.retain(|scenario| {
            scenario.place().contains(word) || scenario.shown().contains(word) || scenario.title.contains(word)
        });
    }
    if read.is_empty() {
        let word = filter.map_or_else(String::new, |word| format!(" that contains '{word}'"));
        return Err(Failure::usage(format!(
            "there is no scenario{word}; `firedrill run` alone runs the built-in ones"
        )));
    }
    Ok(read)
}

/// One scenario: a file, or a built-in one by its file or name; the case of that name where the file has several.
pub fn scenario(which: &str, case: Option<&str>) -> Result<Scenario, Failure> {
    let mut cases = file(which)?;
    let names: Vec<String> = cases.iter().filter_map(|scenario| scenario.case.clone()).collect();
    match case {
        Some(case) => cases.retain(|scenario| scenario.case.as_deref() == Some(case)),
        None if cases.len() > 1 => {
            let named = names.iter().map(|name| format!("\n  --case '{name}'")).collect::<String>();
            return Err(Failure::usage(format!("'{which}' has {} cases; name one:{named}", cases.len())));
        }
        None => {}
    }
    cases.pop().ok_or_else(|| {
        let case = case.unwrap_or_default();
        let known = if names.is_empty() { "it has none".into() } else { format!("it has: {}", names.join(", ")) };
        Failure::usage(format!("'{which}' has no case '{case}'; {known}"))
    })
}

/// The cases of one file.
fn file(which: &str) -> Result<Vec<Scenario>, Failure> {
    let path = Path::new(which);
    if path.exists() {
        let read = scenarios(&[path.to_owned()], None)?;
        let files: BTreeSet<&str> = read.iter().map(|scenario| scenario.file.as_str()).collect();
        return match files.len() {
            1 => Ok(read),
            more => Err(Failure::usage(format!("'{which}' holds {more} scenario files; name one file"))),
        };
    }
    let wanted = which.trim_end_matches(".toml");
    let all = scenarios::builtin();
    let fits = |source: &&Source| {
        let file = source.file.trim_end_matches(".toml");
        file == wanted || file.ends_with(&format!("/{wanted}")) || wanted.ends_with(&format!("/{file}"))
    };
    let found: Vec<&Source> = all.iter().filter(fits).collect();
    match found[..] {
        [source] => Scenario::parse(&source.file, &source.text, &catalogue().ids())
            .map_err(|error| Failure::usage(rendered(*error))),
        [] => Err(Failure::usage(format!(
            "'{which}' is neither a file nor a built-in scenario; `firedrill run --format json` names them"
        ))),
        _ => Err(Failure::usage(format!("'{which}' names {} built-in scenarios; give more of the path", found.len()))),
    }
}

fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let (mut found, mut wrong) = (Vec::new(), String::new());
    for path in paths {
        match scenarios::load(path) {
            Ok(sources) => found.extend(sources),
            Err(error) => wrong.push_str(&rendered(error)),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Failure::usage(wrong)) }
}

/// An error with its lines and carets, without colours unless a person looks at it.
fn rendered(error: impl Into<miette::Report>) -> String {
    use miette::GraphicalReportHandler;
    use std::io::IsTerminal;
    let theme = if std::io::stderr().is_terminal() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let report: miette::Report = error.into();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(110);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => format!("{report}\n"),
    }
}
