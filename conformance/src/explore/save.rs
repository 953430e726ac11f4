//! Keeps a scenario that was made small as a file.

use super::shrink::{CAUSE, Shrunk};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Writes the file into a folder, which is made where it is not there: `NAME.toml`, or `NAME-2.toml` and so on where
/// that is the file of another cause.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn save(shrunk: &Shrunk, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut path = folder.join(format!("{}.toml", shrunk.name));
    let mut number = 1;
    while path.exists() && !is_of(&path, shrunk) {
        number += 1;
        path = folder.join(format!("{}-{number}.toml", shrunk.name));
    }
    fs::write(&path, &shrunk.text)?;
    Ok(path)
}

/// Whether a file was saved for the same cause.
fn is_of(path: &Path, shrunk: &Shrunk) -> bool {
    let line = format!("# {CAUSE}{}", shrunk.cause);
    fs::read_to_string(path).is_ok_and(|text| text.lines().take_while(|it| it.starts_with('#')).any(|it| it == line))
}
