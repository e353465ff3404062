//! Which page is served, and what it is called: the one in this program, or one whose blocks another host handed on.
//!
//! A page is a folder of files, so it has the CID that `starling add` and `ipfs add` give that folder. Two hosts that
//! show the same CID serve the same page, to the byte.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use ::content::{Block, Cid, share::ShareLink, store::BlockStore as _};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, http::StatusCode};
use primitives::{Hash, sha256};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::json;

use super::assets::INDEX;
use crate::content::{ContentError, FileStore, Pin, PinKind, StoreError, files_below, folder_of};
use crate::waiting::waiting;

#[derive(RustEmbed)]
#[folder = "../dist/web"]
// A debug build does not look whether it is there (`build.rs`).
#[allow_missing = true]
struct Bundle;

/// Most bytes of a page that another host handed on, with the compressed forms of its files. It lies in memory.
pub const PAGE_BYTES_MAX: u64 = 64 << 20;
/// What the pin of a kept page is called.
const PINNED: &str = "the page of starling";
/// What a visitor's device keeps of it, and its version (`xtask/src/web/kept.rs`).
const LIST: &str = "kept.json";

/// Why a page can't be served or kept.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It is named by something else.
    #[error("{0}")]
    Name(String),
    /// Its blocks can't be read or written.
    #[error("{0}")]
    Content(#[from] ContentError),
    /// A folder of something else, or a program that was built without its page.
    #[error("there is no index.html in it")]
    NoDocument,
}

/// A file of a page.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) bytes: Bytes,
    pub(super) hash: Hash,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    files: Files,
    /// What it is called, once somebody asked; none: it has no name.
    cid: OnceLock<Option<Cid>>,
}

#[derive(Deserialize)]
struct List {
    version: String,
}

#[derive(Debug)]
enum Files {
    BuiltIn,
    Given(BTreeMap<String, File>),
}

impl Page {
    /// The page of this program.
    pub const fn built_in() -> Self {
        Self { files: Files::BuiltIn, cid: OnceLock::new() }
    }

    /// A page whose blocks are in the store, by its CID or by a link to it. Each block is checked.
    ///
    /// # Errors
    /// It is no CID, a block is missing or damaged, it is larger than [`PAGE_BYTES_MAX`], or it is no page.
    pub fn given(name: &str, store: &FileStore) -> Result<Self, PageError> {
        let cid = if name.contains("/get/") {
            name.parse::<ShareLink>().map_err(|error| unnamed(&error))?.cid
        } else {
            name.parse::<Cid>().map_err(|error| unnamed(&error))?
        };
        let page = Self::of(files_below(cid, PAGE_BYTES_MAX, store)?);
        if page.get(INDEX).is_none() {
            return Err(PageError::NoDocument);
        }
        Ok(Self { cid: OnceLock::from(Some(cid)), ..page })
    }

    /// A page of these files.
    pub(super) fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        let file = |(path, bytes): (String, Vec<u8>)| {
            let hash = sha256(&bytes);
            (path, File { bytes: bytes.into(), hash })
        };
        let files = Files::Given(files.into_iter().map(file).collect());
        Self { files, cid: OnceLock::new() }
    }

    /// A file, by its path without the first slash.
    pub(super) fn get(&self, path: &str) -> Option<File> {
        match &self.files {
            Files::Given(files) => files.get(path).cloned(),
            Files::BuiltIn => {
                let file = Bundle::get(path)?;
                let hash = Hash::new(file.metadata.sha256_hash());
                let bytes = match file.data {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => bytes.into(),
                };
                Some(File { bytes, hash })
            }
        }
    }

    /// The version that its document says; none: a page that was built to be worked on has none.
    pub(super) fn version(&self) -> Option<String> {
        let list = self.get(LIST)?;
        serde_json::from_slice::<List>(&list.bytes).ok().map(|list| list.version)
    }

    /// What it is called, computed at the first question: the whole page is hashed.
    ///
    /// # Errors
    /// There is no page.
    pub fn name(&self) -> Result<Cid, PageError> {
        let name = || self.folder(&mut |_| Ok(())).ok();
        self.cid.get_or_init(name).ok_or(PageError::NoDocument)
    }

    /// Keeps its blocks in the store, for gateway and peers, in place of those of the page kept before.
    ///
    /// # Errors
    /// There is no page, or the store can't be written.
    pub fn keep(&self, store: &mut FileStore) -> Result<Cid, PageError> {
        let cid = self.folder(&mut |block: Block| Ok(store.put(&block)?))?;
        pin(cid, store).map_err(ContentError::from)?;
        Ok(cid)
    }

    fn folder(
        &self,
        keep: &mut dyn FnMut(Block) -> Result<(), ContentError>,
    ) -> Result<Cid, PageError> {
        if self.get(INDEX).is_none() {
            return Err(PageError::NoDocument);
        }
        let names: Vec<String> = match &self.files {
            Files::BuiltIn => Bundle::iter().map(Cow::into_owned).collect(),
            Files::Given(files) => files.keys().cloned().collect(),
        };
        let files = names.into_iter().filter_map(|name| {
            let file = self.get(&name)?;
            Some((name, file.bytes))
        });
        Ok(folder_of(files, keep)?)
    }
}

fn unnamed(error: &impl ToString) -> PageError {
    PageError::Name(error.to_string())
}

/// Keeps what was put, and lets go of the page kept before.
fn pin(root: Cid, store: &mut FileStore) -> Result<(), StoreError> {
    store.commit()?;
    let pin = Pin { root, kind: PinKind::Below, name: Some(PINNED.to_owned()) };
    let before = store.pins()?;
    store.pin(&pin, &[])?;
    for old in before.into_iter().filter(|old| old.name == pin.name && old.root != root) {
        store.unpin(&old.root)?;
    }
    Ok(())
}

/// `/v1/page`: what the page is called that is served here.
pub(super) async fn about(State(page): State<Arc<Page>>) -> Response {
    match waiting(move || page.name()).await {
        Ok(cid) => Json(json!({ "cid": cid.to_string() })).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Options, name_only};

    const PART: &str = "pages/lend-0123456789abcdef.wasm";

    fn page(document: &str) -> Page {
        let files = [("index.html", document), ("kept.json", "{}"), (PART, "wasm")];
        Page::of(files.into_iter().map(|(path, text)| (path.into(), text.into())).collect())
    }

    fn store() -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn a_page_that_was_kept_is_had_by_its_cid_or_a_link_to_the_byte() {
        let (_folder, mut store) = store();
        let cid = page("one").keep(&mut store).unwrap();
        assert_eq!(page("one").name().unwrap(), cid);
        for name in [cid.to_string(), format!("https://host.example/#/get/{cid}")] {
            let given = Page::given(&name, &store).unwrap();
            assert_eq!(given.name().unwrap(), cid);
            assert_eq!(given.get("index.html").unwrap().bytes, "one");
            let part = given.get(PART).unwrap();
            assert_eq!((part.bytes.as_ref(), part.hash), (b"wasm".as_slice(), sha256(b"wasm")));
            assert!(given.get("pages").is_none() && given.get("").is_none());
        }
    }

    #[test]
    fn a_page_has_the_cid_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pages")).unwrap();
        for (path, text) in [("index.html", "one"), ("kept.json", "{}"), (PART, "wasm")] {
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        let added = name_only(folder.path(), Options::default(), &mut |_, _| {}).unwrap();
        assert_eq!(page("one").name().unwrap(), added.cid);
        assert_ne!(page("two").name().unwrap(), added.cid);
    }

    #[test]
    fn what_is_no_page_or_not_here_is_refused() {
        let (_folder, mut store) = store();
        let missing = page("one").name().unwrap();
        let refused = |name: &str, store: &FileStore| Page::given(name, store).unwrap_err();
        assert!(matches!(refused("dist/web", &store), PageError::Name(_)));
        assert!(matches!(refused(&missing.to_string(), &store), PageError::Content(_)));
        let other = BTreeMap::from([("a.txt".to_owned(), b"a".to_vec())]);
        let mut keep = |block: Block| Ok(store.put(&block)?);
        let files = other.into_iter().map(|(path, bytes)| (path, bytes.into()));
        let cid = folder_of(files, &mut keep).unwrap();
        store.commit().unwrap();
        assert!(matches!(refused(&cid.to_string(), &store), PageError::NoDocument));
        let none = Page::of(BTreeMap::new());
        assert!(matches!(none.name(), Err(PageError::NoDocument)));
    }

    #[test]
    fn a_page_that_is_kept_takes_the_place_of_the_one_before() {
        let (_folder, mut store) = store();
        for document in ["one", "two", "two"] {
            let cid = page(document).keep(&mut store).unwrap();
            let pins: Vec<Cid> = store.pins().unwrap().into_iter().map(|pin| pin.root).collect();
            assert_eq!(pins, [cid]);
        }
    }
}
