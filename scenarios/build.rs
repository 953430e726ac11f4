//! Embeds every scenario file of this folder and what lies beside it, so that the suites come with the program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Vec::new();
    println!("cargo::rerun-if-changed={}", root.display());
    for entry in fs::read_dir(&root)? {
        let path = entry?.path();
        if path.is_dir() && !["src", "tests", "target"].iter().any(|name| path.ends_with(name)) {
            collect(&path, &mut files)?;
        }
    }
    files.sort();
    let (beside, files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.extension() == Some("real".as_ref()));
    let mut code = String::from("/// File and text of every scenario that comes with the program.\n");
    embed(&mut code, "BUILTIN", &root, &files);
    code.push_str("/// The same of what lies beside scenarios: how real servers differ.\n");
    embed(&mut code, "BESIDE", &root, &beside);
    fs::write(out.join("builtin.rs"), code)
}

fn embed(code: &mut String, table: &str, root: &Path, files: &[PathBuf]) {
    let _ = writeln!(code, "const {table}: &[(&str, &str)] = &[");
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let _ = writeln!(code, "    ({:?}, include_str!({:?})),", format!("scenarios/{name}"), file.to_string_lossy());
    }
    code.push_str("];\n");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml" || extension == "real") {
            files.push(path);
        }
    }
    Ok(())
}
