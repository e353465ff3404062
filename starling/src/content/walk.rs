//! What is below a folder on disk.

use std::fs;
use std::path::{Path, PathBuf};

use ::content::{
    build::TreeError,
    check_name,
    limits::{PATH_DEPTH_MAX, TREE_ENTRIES_MAX},
};

use super::{ContentError, add::io_at};

/// Something below a folder.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Below the folder, joined by slashes.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Symlink,
}

/// Everything below a folder.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Folders before what is in them.
    pub(crate) found: Vec<Found>,
    /// Bytes of all files.
    pub(crate) content_bytes: u64,
}

/// Looks through a folder. Checks every name before any file is read.
pub(crate) fn walk(top: &Path) -> Result<Walked, ContentError> {
    let mut walked = Walked { found: Vec::new(), content_bytes: 0 };
    let mut todo = vec![(top.to_owned(), String::new())];
    while let Some((folder, above)) = todo.pop() {
        for entry in fs::read_dir(&folder).map_err(io_at(&folder))? {
            let entry = entry.map_err(io_at(&folder))?;
            let path = entry.path();
            let name = join(&above, &path)?;
            let metadata = entry.metadata().map_err(io_at(&path))?;
            let kind = if metadata.is_dir() {
                todo.push((path.clone(), name.clone()));
                Kind::Folder
            } else if metadata.is_file() {
                walked.content_bytes = walked.content_bytes.saturating_add(metadata.len());
                Kind::File
            } else if metadata.is_symlink() {
                Kind::Symlink
            } else {
                return Err(ContentError::Special { path });
            };
            walked.found.push(Found { path, name, kind });
            if walked.found.len() > TREE_ENTRIES_MAX {
                return Err(ContentError::Tree(TreeError::TooMany));
            }
        }
    }
    Ok(walked)
}

fn join(above: &str, path: &Path) -> Result<String, ContentError> {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_str().ok_or_else(|| ContentError::NotUtf8 { path: path.to_owned() })?;
    check_name(name).map_err(|error| ContentError::Name { path: path.to_owned(), error })?;
    if above.split('/').count() >= PATH_DEPTH_MAX {
        let error = ::content::NameError::TooDeep;
        return Err(ContentError::Name { path: path.to_owned(), error });
    }
    Ok(if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") })
}
