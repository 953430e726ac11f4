//! Where scenarios come from: a file, a folder, or the suites that are built in.

use crate::error::quoted;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Largest scenario file, in bytes; a larger one is refused before it is read.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// Folders in folders that are looked into.
const DEPTH_MAX: usize = 32;

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// A scenario file's text, not read as a scenario yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, with `/` between folders.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Why scenario files could not be loaded.
#[derive(Debug, Error, miette::Diagnostic)]
pub enum LoadError {
    /// Nothing there.
    #[error("there is no file or folder {}", quoted(file))]
    #[diagnostic(help("give a scenario file (`.toml`) or a folder that holds some"))]
    Missing {
        /// Path.
        file: String,
    },
    /// There, but not readable.
    #[error("{} cannot be read: {why}", quoted(file))]
    Unreadable {
        /// Path.
        file: String,
        /// What the system said.
        why: io::Error,
    },
    /// Neither a folder nor a file whose name ends in `.toml`.
    #[error("{} is no scenario file", quoted(file))]
    #[diagnostic(help("a scenario is an ordinary file whose name ends in `.toml`"))]
    NotScenario {
        /// Path.
        file: String,
    },
    /// Larger than any scenario.
    #[error("{} has more than {FILE_BYTES_MAX} bytes, the most a scenario may have", quoted(file))]
    #[diagnostic(help("a scenario is a short text; let statements make many rows instead of listing them"))]
    TooLarge {
        /// Path.
        file: String,
    },
    /// Not text.
    #[error("{} is not UTF-8: byte {} of line {line} begins no character", quoted(file), byte)]
    #[diagnostic(help("save the file as UTF-8"))]
    NotUtf8 {
        /// Path.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Byte in the line, from 1.
        byte: usize,
    },
    /// A folder without scenarios.
    #[error("there is no scenario in the folder {}", quoted(file))]
    #[diagnostic(help("a scenario is a file whose name ends in `.toml`; folders in folders are looked into"))]
    NoScenarios {
        /// Path.
        file: String,
    },
    /// Folders in folders without end.
    #[error("the folders below {} are nested more than {DEPTH_MAX} deep", quoted(file))]
    TooDeep {
        /// Path.
        file: String,
    },
}

/// The suites that come with the program, in the order of their paths.
#[must_use]
pub fn builtin() -> Vec<Source> {
    BUILTIN.iter().map(|(file, text)| Source { file: (*file).to_owned(), text: (*text).to_owned() }).collect()
}

/// What lies beside a scenario's file in one of the same name that ends in `.real`: how real servers differ.
#[must_use]
pub fn beside(file: &str) -> Option<String> {
    let name = format!("{}.real", file.strip_suffix(".toml")?);
    let built_in = || BESIDE.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned());
    fs::read_to_string(&name).ok().or_else(built_in)
}

/// Loads one file, or every `.toml` file of a folder and the folders in it, in the order of their paths.
///
/// # Errors
/// What cannot be read, is too large, is not UTF-8, or holds no scenario.
pub fn load(path: &Path) -> Result<Vec<Source>, LoadError> {
    let about = fs::metadata(path).map_err(|why| unreadable(path, why))?;
    if !about.is_dir() {
        return Ok(vec![read(path)?]);
    }
    let mut files = Vec::new();
    collect(path, 0, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(LoadError::NoScenarios { file: shown(path) });
    }
    files.iter().map(|file| read(file)).collect()
}

/// Linked folders are left out, so that no link leads round in a circle.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    if depth > DEPTH_MAX {
        return Err(LoadError::TooDeep { file: shown(folder) });
    }
    for entry in fs::read_dir(folder).map_err(|why| unreadable(folder, why))? {
        let entry = entry.map_err(|why| unreadable(folder, why))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|why| unreadable(folder, why))?);
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if is_toml(&path) && fs::metadata(&path).is_ok_and(|about| about.is_file()) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn read(path: &Path) -> Result<Source, LoadError> {
    let file = shown(path);
    let about = fs::metadata(path).map_err(|why| unreadable(path, why))?;
    if !about.is_file() || !is_toml(path) {
        return Err(LoadError::NotScenario { file });
    }
    if about.len() > FILE_BYTES_MAX {
        return Err(LoadError::TooLarge { file });
    }
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(|why| unreadable(path, why))?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|why| unreadable(path, why))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(LoadError::TooLarge { file });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { file, text }),
        Err(wrong) => {
            let before = &wrong.as_bytes()[..wrong.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let byte = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            Err(LoadError::NotUtf8 { file, line, byte })
        }
    }
}

fn unreadable(path: &Path, why: io::Error) -> LoadError {
    match why.kind() {
        io::ErrorKind::NotFound => LoadError::Missing { file: shown(path) },
        _ => LoadError::Unreadable { file: shown(path), why },
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
