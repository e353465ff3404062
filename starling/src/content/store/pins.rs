//! What eviction never touches.
//!
//! `pins/<CID>` is JSON: what kind of pin it is and what a person calls it. Blocks of a sealed share do
//! not tell which they link to, so a pin of one lists them: `pins/<CID>.blocks`, 36 bytes each.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ::content::{Cid, Node, decode};
use serde::{Deserialize, Serialize};

use super::disk::{Guard, StoreError, at, list, read, sync_folder, write_whole};
use super::{FileStore, place};

/// Most pins of a store.
pub const PINS_MAX: usize = 100_000;
/// Bytes of a CID in a list.
const CID_BYTES: usize = 36;

/// What a pin keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinKind {
    /// Every block below the root.
    Below,
    /// The blocks that were listed: a sealed share.
    Listed,
    /// Every block below the root, until `get` has all of them.
    Getting,
    /// The blocks that were listed, until `get` has all of a share that it gets from peers.
    GettingListed,
}

impl PinKind {
    /// Whether blocks are listed beside the pin.
    const fn is_listed(self) -> bool {
        matches!(self, Self::Listed | Self::GettingListed)
    }
}

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its root.
    pub root: Cid,
    /// What is kept.
    pub kind: PinKind,
    /// What a person calls it.
    pub name: Option<String>,
}

/// A pin as a file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    kind: PinKind,
    name: Option<String>,
}

impl FileStore {
    /// Every pin, by the text of its root.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn pins(&self) -> Result<Vec<Pin>, StoreError> {
        let _guard = Guard::shared(&self.root)?;
        all(&self.root)
    }

    /// Keeps everything below `root`, whether it is here already or not; with `listed`, also these.
    /// A pin that is there is replaced, but never by that of somebody who gets it.
    ///
    /// # Errors
    /// The store can't be written, or has [`PINS_MAX`] pins.
    pub fn pin(&self, pin: &Pin, listed: &[Cid]) -> Result<(), StoreError> {
        let _guard = Guard::alone(&self.root)?;
        let folder = self.root.join("pins");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        sync_folder(&self.root)?;
        let path = folder.join(pin.root.to_string());
        let passing = matches!(pin.kind, PinKind::Getting | PinKind::GettingListed);
        if passing && of(&self.root, pin.root)?.is_some_and(|there| there.kind != pin.kind) {
            return Ok(());
        }
        let count = list(&folder)?.len();
        if count >= PINS_MAX && !path.exists() {
            return Err(StoreError::TooManyPins(count));
        }
        if pin.kind.is_listed() {
            let bytes: Vec<u8> = listed.iter().flat_map(|cid| cid.to_bytes()).collect();
            write_whole(&blocks_of(&path), &bytes)?;
        }
        let kept = Kept { kind: pin.kind, name: pin.name.clone() };
        write_whole(&path, &serde_json::to_vec(&kept).expect("a pin is JSON"))
    }

    /// Takes a pin back; says whether there was one. Blocks stay until they are evicted.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn unpin(&self, root: &Cid) -> Result<bool, StoreError> {
        let _guard = Guard::alone(&self.root)?;
        let path = self.root.join("pins").join(root.to_string());
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at(&path)(error)),
        }
        // A list without its pin is litter that keeps nothing.
        let _ = fs::remove_file(blocks_of(&path));
        sync_folder(&self.root.join("pins"))?;
        Ok(true)
    }

    /// The pin of a root, if there is one.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn pinned(&self, root: &Cid) -> Result<Option<Pin>, StoreError> {
        let _guard = Guard::shared(&self.root)?;
        of(&self.root, *root)
    }
}

fn blocks_of(path: &Path) -> PathBuf {
    path.with_extension("blocks")
}

/// The pin of a root. Call it with the lock held.
pub(super) fn of(root: &Path, cid: Cid) -> Result<Option<Pin>, StoreError> {
    let path = root.join("pins").join(cid.to_string());
    let Some(bytes) = read(&path)? else { return Ok(None) };
    let kept: Option<Kept> = serde_json::from_slice(&bytes).ok();
    let Kept { kind, name } = kept.ok_or(StoreError::Form { path, expected: "a pin" })?;
    Ok(Some(Pin { root: cid, kind, name }))
}

fn all(root: &Path) -> Result<Vec<Pin>, StoreError> {
    let mut pins = Vec::new();
    let mut paths = list(&root.join("pins"))?;
    paths.sort();
    for path in paths {
        // Lists and files being written have other names.
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Ok(cid) = name.parse() {
            pins.extend(of(root, cid)?);
        }
    }
    Ok(pins)
}

/// Every block that a pin keeps. Call it with the lock held.
///
/// # Errors
/// A pin can't be read: then nothing may be removed.
pub(super) fn kept(root: &Path) -> Result<BTreeSet<Cid>, StoreError> {
    let mut kept = BTreeSet::new();
    for pin in all(root)? {
        if pin.kind.is_listed() {
            let path = blocks_of(&root.join("pins").join(pin.root.to_string()));
            let form = || StoreError::Form { path: path.clone(), expected: "a list of blocks" };
            let bytes = read(&path)?.ok_or_else(form)?;
            for cid in bytes.chunks(CID_BYTES) {
                kept.insert(Cid::from_bytes(cid).map_err(|_| form())?);
            }
        }
        below(root, pin.root, &mut kept)?;
    }
    Ok(kept)
}

/// Adds every block below `top` that links of blocks in the store lead to.
pub(super) fn below(root: &Path, top: Cid, found: &mut BTreeSet<Cid>) -> Result<(), StoreError> {
    let mut todo = vec![top];
    while let Some(cid) = todo.pop() {
        if !found.insert(cid) || cid.codec() == ::content::Codec::Raw {
            continue;
        }
        let bytes = read(&place(root, &cid))?.unwrap_or_default();
        // What is missing or damaged leads nowhere.
        match decode(cid.codec(), &bytes) {
            Ok(Node::File { children, .. }) => todo.extend(children.iter().map(|child| child.cid)),
            Ok(Node::Folder(links)) => todo.extend(links.iter().map(|link| link.cid)),
            Ok(Node::Shard(links)) => todo.extend(links.iter().map(|link| link.cid)),
            Ok(Node::Symlink(_)) | Err(_) => {}
        }
    }
    Ok(())
}
