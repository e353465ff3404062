//! What a public share holds: read from the blocks of its content, for it has no manifest.
//!
//! Folders, and the root of every file, say names and sizes; how files are cut follows from their roots.
//! What comes of it is a manifest as a sender would write one, so that all else goes as in a sealed share,
//! and the same one at every peer: the list of places is the same.

use std::collections::BTreeMap;

use content::{
    Cid, Codec, Node, NodeError, Opened, Profile, decode,
    limits::{FILE_BYTES_MAX, SHARE_ENTRIES_MAX, SHARE_MANIFEST_BYTES_MAX},
    read::{Found, ReadError, TreeEntry, TreeReader},
    share::{Cipher, EntryKind, ManifestError, ShareEntry, ShareLink, ShareManifest},
};

use crate::{
    list::{List, Span},
    view::Failure,
};

/// How content may be cut, most usual first: a small file fits several.
const PROFILES: [Profile; 2] = [Profile::V1_2025, Profile::KUBO];

/// Reads a public share.
#[derive(Debug)]
pub(crate) struct Plain {
    root: Cid,
    name: String,
    reader: TreeReader,
    found: Vec<TreeEntry>,
    /// The blocks read; at most [`SHARE_MANIFEST_BYTES_MAX`] bytes, as much as a manifest has. Kept, since one
    /// block may stand at several paths.
    blocks: BTreeMap<Cid, Opened>,
    bytes: usize,
}

impl Plain {
    pub(crate) fn new(link: &ShareLink) -> Self {
        Self {
            root: link.cid,
            name: link.name.clone().unwrap_or_else(|| link.cid.to_string()),
            reader: TreeReader::new(link.cid, SHARE_ENTRIES_MAX, FILE_BYTES_MAX),
            found: Vec::new(),
            blocks: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// The blocks needed next.
    pub(crate) fn wanted(&self) -> Vec<Cid> {
        self.reader.wanted(usize::MAX)
    }

    /// Takes a block, in any order.
    pub(crate) fn put(&mut self, opened: Opened) -> Result<(), Failure> {
        self.bytes += opened.bytes().len();
        if self.bytes > SHARE_MANIFEST_BYTES_MAX {
            return Err(Failure::TooLarge);
        }
        self.blocks.insert(opened.cid(), opened);
        loop {
            let wanted = self.wanted();
            let Some(next) = wanted.iter().find_map(|cid| self.blocks.get(cid)) else { break };
            self.reader.put(next).map_err(|error| match error {
                ReadError::TooLarge { .. } | ReadError::TooManyEntries => Failure::TooLarge,
                ReadError::Path(_) | ReadError::Node { error: NodeError::Name(_), .. } => {
                    Failure::Layout
                }
                _ => Failure::Damaged,
            })?;
            while let Some(entry) = self.reader.next_entry() {
                self.found.push(entry);
            }
        }
        Ok(())
    }

    /// What is in the share, once all of it is known.
    pub(crate) fn manifest(&mut self) -> Result<Option<ShareManifest>, Failure> {
        if !self.reader.is_done() {
            return Ok(None);
        }
        let mut entries: Vec<ShareEntry> =
            std::mem::take(&mut self.found).into_iter().filter_map(|one| self.entry(one)).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut is_too_large = true;
        for profile in PROFILES {
            let (name, profile) = (self.name.clone(), profile.name().to_owned());
            let mut manifest = ShareManifest::new(name, self.root, Cipher::None, profile);
            manifest.entries.clone_from(&entries);
            // Names that some system can't hold are refused here as everywhere.
            manifest.check().map_err(|error| match error {
                ManifestError::TooManyEntries { .. } => Failure::TooLarge,
                _ => Failure::Layout,
            })?;
            let Some(list) = List::of(&manifest) else { continue };
            is_too_large = false;
            let fits = |span: &Span| {
                let entry = usize::try_from(span.entry).ok().and_then(|at| entries.get(at));
                entry.is_some_and(|entry| self.is_cut_so(span, entry.cid))
            };
            if list.spans().iter().all(fits) {
                return Ok(Some(manifest));
            }
        }
        Err(if is_too_large { Failure::TooLarge } else { Failure::Layout })
    }

    /// An entry as a manifest has it. Of a single file or symlink the root is the entry; of a folder it is
    /// the whole.
    fn entry(&self, one: TreeEntry) -> Option<ShareEntry> {
        let (kind, size_bytes) = match one.found {
            Found::File { size_bytes } => (EntryKind::File, size_bytes),
            Found::Folder => (EntryKind::Folder, 0),
            Found::Symlink { .. } => (EntryKind::Symlink, 0),
        };
        let path = match (one.path.is_empty(), kind) {
            (true, EntryKind::Folder) => return None,
            (true, _) => self.name.clone(),
            (false, _) => one.path,
        };
        Some(ShareEntry { path, kind, cid: one.cid, size_bytes, media_type: None })
    }

    /// Whether the root of a file has the parts that its places say.
    fn is_cut_so(&self, span: &Span, cid: Cid) -> bool {
        let places = span.children(span.root());
        if cid.codec() == Codec::Raw {
            return places.is_empty();
        }
        let block = self.blocks.get(&cid);
        match block.map(|block| decode(block.codec(), block.bytes())) {
            Some(Ok(Node::File { inline, children, .. })) => {
                (inline.is_empty() || children.is_empty())
                    && places.len() == children.len()
                    && places.zip(&children).all(|(at, c)| span.bytes_below(at) == c.size_bytes)
            }
            Some(Ok(Node::Symlink(_))) => places.is_empty(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use content::{
        Block,
        build::{Build as _, Entry, FileBuilder, FolderBuilder},
    };

    use super::*;

    fn file(profile: Profile, size: usize, blocks: &mut Vec<Block>) -> Entry {
        let mut builder = FileBuilder::new(profile);
        let bytes = vec![7; size];
        let mut rest = &bytes[..];
        while builder.entry().is_none() {
            rest = &rest[builder.push(rest)..];
            if rest.is_empty() {
                builder.finish();
            }
            builder
                .drain(|block| {
                    blocks.push(block);
                    Ok::<_, ()>(())
                })
                .unwrap();
        }
        builder.entry().unwrap()
    }

    fn folder(entries: &[(&str, Entry)], blocks: &mut Vec<Block>) -> Entry {
        let mut builder = FolderBuilder::new(Profile::V1_2025);
        for (name, entry) in entries {
            builder.insert((*name).to_owned(), *entry).unwrap();
        }
        builder.finish().unwrap();
        builder
            .drain(|block| {
                blocks.push(block);
                Ok::<_, ()>(())
            })
            .unwrap();
        builder.entry().unwrap()
    }

    fn read(root: Cid, name: Option<&str>, blocks: &[Block]) -> Result<ShareManifest, Failure> {
        let mut link = ShareLink::public(root);
        link.name = name.map(str::to_owned);
        let mut plain = Plain::new(&link);
        loop {
            if let Some(manifest) = plain.manifest()? {
                return Ok(manifest);
            }
            let next = plain.wanted()[0];
            let block = blocks.iter().find(|block| block.cid() == next).unwrap();
            plain.put(block.clone().into_opened())?;
        }
    }

    #[test]
    fn how_a_file_is_cut_is_seen_from_its_root() {
        for profile in [Profile::V1_2025, Profile::KUBO] {
            for size in [0, 5, 600_000, 3 << 20] {
                let mut blocks = Vec::new();
                let entry = file(profile, size, &mut blocks);
                let manifest = read(entry.cid, Some("a.bin"), &blocks).unwrap();
                assert_eq!(manifest.entries.len(), 1);
                assert_eq!(manifest.entries[0].path, "a.bin");
                assert_eq!(manifest.entries[0].size_bytes, u64::try_from(size).unwrap());
                // What is one leaf in both is the same in both.
                let is_kubo = size > 256 << 10 && profile == Profile::KUBO;
                let expected = if is_kubo { Profile::KUBO } else { Profile::V1_2025 };
                assert_eq!(manifest.profile, expected.name(), "{size} bytes");
            }
        }
    }

    #[test]
    fn a_folder_has_its_names_and_the_same_file_twice() {
        let mut blocks = Vec::new();
        let (small, large) = (
            file(Profile::V1_2025, 10, &mut blocks),
            file(Profile::V1_2025, (1 << 20) + 1, &mut blocks),
        );
        let inner = folder(&[("x", large), ("y", large)], &mut blocks);
        let root = folder(&[("b", inner), ("a", small), ("c", large)], &mut blocks);
        let manifest = read(root.cid, None, &blocks).unwrap();
        let paths: Vec<&str> = manifest.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(paths, ["a", "b", "b/x", "b/y", "c"]);
        assert_eq!(manifest.name, root.cid.to_string());
        assert_eq!(manifest.total_bytes(), 10 + 3 * ((1 << 20) + 1));
    }

    #[test]
    fn what_is_cut_in_another_way_is_said() {
        let mut blocks = Vec::new();
        let odd = file(Profile::SWEEP, 17, &mut blocks);
        assert_eq!(read(odd.cid, None, &blocks), Err(Failure::Layout));
        // Each is known, and no one way cuts both.
        let new = file(Profile::V1_2025, (1 << 20) + 1, &mut blocks);
        let old = file(Profile::KUBO, 600_000, &mut blocks);
        assert!(read(new.cid, None, &blocks).is_ok() && read(old.cid, None, &blocks).is_ok());
        let root = folder(&[("n", new), ("o", old)], &mut blocks);
        assert_eq!(read(root.cid, None, &blocks), Err(Failure::Layout));
    }
}
