//! What a build was made from, as one digest: the same digest, the same output, nothing to do.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Lower-case hexadecimal SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of all files under these paths (relative to `root`), of their names, and of `extra`.
pub(crate) fn of(root: &Path, inputs: &[&str], extra: &str) -> Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(extra.as_bytes());
    for input in inputs {
        for file in files(&root.join(input))? {
            let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
            hasher.update(name.as_bytes());
            hasher.update([0]);
            hasher.update(Sha256::digest(&bytes));
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// All files under a path, in order of name; the path itself if it is a file; none if it is missing.
/// Hidden folders, build output and installed packages are not sources.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(path, &mut found).with_context(|| format!("listing {}", path.display()))?;
    found.sort();
    Ok(found)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        found.push(path.to_path_buf());
    }
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let skipped = name.starts_with('.') || matches!(&*name, "node_modules" | "target" | "dist");
        if !skipped || entry.is_file() {
            collect(&entry, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_a_new_name_or_another_extra_changes_the_digest() {
        let root = std::env::temp_dir().join(format!("xtask-fingerprint-{}", std::process::id()));
        fs::create_dir_all(root.join("in")).unwrap();
        fs::write(root.join("in/a"), "1").unwrap();
        let first = of(&root, &["in"], "x").unwrap();
        assert_eq!(of(&root, &["in"], "x").unwrap(), first);
        assert_ne!(of(&root, &["in"], "y").unwrap(), first);
        fs::write(root.join("in/a"), "2").unwrap();
        assert_ne!(of(&root, &["in"], "x").unwrap(), first);
        fs::write(root.join("in/a"), "1").unwrap();
        fs::rename(root.join("in/a"), root.join("in/b")).unwrap();
        assert_ne!(of(&root, &["in"], "x").unwrap(), first);
        fs::remove_dir_all(root).unwrap();
    }
}
