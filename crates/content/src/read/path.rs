//! What stands at a path below a root, from the blocks on the way only.

use std::collections::VecDeque;

use super::ReadError;
use crate::{
    Cid, Node, Opened, decode,
    limits::{PATH_BYTES_MAX, PATH_DEPTH_MAX, SHARD_DEPTH_MAX},
    murmur,
};

/// Follows a path from folder to folder, through shards of large ones. Symlinks are not followed.
#[derive(Debug)]
pub struct PathReader {
    /// The block that is here now: a folder, a shard of one, or the end of the path.
    at: Cid,
    /// Names that are left.
    names: VecDeque<String>,
    /// Shards of this folder above `at`.
    level: usize,
    missing: bool,
}

/// How a path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathEnd {
    /// At this block.
    Found(Cid),
    /// There is no such name, or something on the way is no folder.
    Missing,
}

impl PathReader {
    /// A reader of `names` below `root`.
    ///
    /// # Errors
    /// The path is deeper than [`PATH_DEPTH_MAX`] or longer than [`PATH_BYTES_MAX`].
    pub fn new<'a>(root: Cid, names: impl IntoIterator<Item = &'a str>) -> Result<Self, ReadError> {
        let names: VecDeque<String> = names.into_iter().map(str::to_owned).collect();
        if names.len() > PATH_DEPTH_MAX {
            return Err(ReadError::Path(crate::NameError::TooDeep));
        }
        if names.iter().map(|name| name.len() + 1).sum::<usize>() > PATH_BYTES_MAX {
            return Err(ReadError::Path(crate::NameError::PathTooLong));
        }
        Ok(Self { at: root, names, level: 0, missing: false })
    }

    /// The block needed next. None: the path has ended.
    pub fn wanted(&self) -> Option<Cid> {
        (!self.missing && !self.names.is_empty()).then_some(self.at)
    }

    /// How it ended; none while a block is wanted.
    pub fn end(&self) -> Option<PathEnd> {
        match (self.missing, self.names.is_empty()) {
            (true, _) => Some(PathEnd::Missing),
            (false, true) => Some(PathEnd::Found(self.at)),
            (false, false) => None,
        }
    }

    /// Takes the block that is wanted.
    ///
    /// # Errors
    /// It is another ([`ReadError::NotWanted`]; nothing changed) or can't be read.
    pub fn put(&mut self, block: &Opened) -> Result<(), ReadError> {
        let cid = block.cid;
        if self.wanted() != Some(cid) {
            return Err(ReadError::NotWanted(cid));
        }
        let node =
            decode(block.codec, &block.bytes).map_err(|error| ReadError::Node { cid, error })?;
        let Some(name) = self.names.front() else { return Ok(()) };
        match node {
            Node::Folder(links) if self.level == 0 => {
                let link = links.into_iter().find(|link| link.name == *name);
                self.enter(link.map(|link| link.cid));
            }
            Node::Shard(links) => {
                let place = murmur::places(name).get(self.level).copied();
                match links.into_iter().find(|link| Some(link.place) == place) {
                    Some(link) if link.name.is_none() && self.level + 1 < SHARD_DEPTH_MAX => {
                        self.at = link.cid;
                        self.level += 1;
                    }
                    Some(link) if link.name.as_ref() == Some(name) => self.enter(Some(link.cid)),
                    _ => self.missing = true,
                }
            }
            Node::Folder(_) => return Err(ReadError::Misplaced(cid)),
            Node::File { .. } | Node::Symlink(_) => self.missing = true,
        }
        Ok(())
    }

    fn enter(&mut self, next: Option<Cid>) {
        self.level = 0;
        match next {
            Some(cid) => {
                self.at = cid;
                self.names.pop_front();
            }
            None => self.missing = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Codec, Draft, Profile,
        build::{Build as _, Entry, TreeBuilder},
        read::FolderReader,
        store::{BlockStore as _, MemoryStore},
    };

    fn tree(count: usize) -> (Cid, Cid, MemoryStore) {
        let mut store = MemoryStore::new();
        let leaf = Draft { codec: Codec::Raw, bytes: b"leaf".to_vec() }.hash();
        let entry = Entry { cid: leaf.cid(), content_bytes: 4, tree_bytes: 4 };
        let mut tree = TreeBuilder::new(Profile::SWEEP);
        for number in 0..count {
            tree.insert(&format!("box/file {number}"), entry).unwrap();
        }
        let mut drafts = tree.finish();
        drafts.drain(|block| store.put(&block)).unwrap();
        (drafts.entry().unwrap().cid, leaf.cid(), store)
    }

    fn opened(store: &MemoryStore, cid: Cid) -> Opened {
        store.get(&cid).unwrap().unwrap().verify().unwrap().into_opened()
    }

    fn end(root: Cid, path: &str, store: &MemoryStore) -> (PathEnd, usize) {
        let mut reader = PathReader::new(root, path.split('/')).unwrap();
        let mut blocks = 0;
        while let Some(cid) = reader.wanted() {
            reader.put(&opened(store, cid)).unwrap();
            blocks += 1;
        }
        (reader.end().unwrap(), blocks)
    }

    #[test]
    fn a_path_is_followed_through_plain_and_sharded_folders() {
        for (count, blocks) in [(20, 2), (12_000, 4)] {
            let (root, leaf, store) = tree(count);
            let (found, read) = end(root, "box/file 7", &store);
            assert_eq!(found, PathEnd::Found(leaf));
            // The root, the folder or its first shard, and no more than two below that.
            assert!(read <= blocks, "{read} blocks");
            assert_eq!(end(root, "box/file x", &store).0, PathEnd::Missing);
            assert_eq!(end(root, "fox/file 7", &store).0, PathEnd::Missing);
            let PathEnd::Found(folder) = end(root, "box", &store).0 else { panic!("no folder") };
            let mut reader = FolderReader::new(folder);
            while let Some(cid) = reader.wanted(1).first() {
                reader.put(&opened(&store, *cid)).unwrap();
            }
            assert!(reader.is_done() && reader.links().len() == count);
            assert!(reader.links().iter().all(|link| link.cid == leaf));
        }
    }

    #[test]
    fn a_path_is_bounded_and_takes_only_what_it_asked_for() {
        let (root, leaf, store) = tree(3);
        let deep = vec!["a"; PATH_DEPTH_MAX + 1];
        assert!(PathReader::new(root, deep).is_err());
        assert!(PathReader::new(root, ["a".repeat(PATH_BYTES_MAX).as_str()]).is_err());
        let mut reader = PathReader::new(root, ["box"]).unwrap();
        let other = Draft { codec: Codec::Raw, bytes: b"leaf".to_vec() }.hash().into_opened();
        assert_eq!(reader.put(&other), Err(ReadError::NotWanted(leaf)));
        reader.put(&opened(&store, root)).unwrap();
        assert!(matches!(reader.end(), Some(PathEnd::Found(_))));
        // Nothing stands below a file; the root itself needs no block.
        let mut reader = PathReader::new(leaf, ["x"]).unwrap();
        reader.put(&other).unwrap();
        assert_eq!(reader.end(), Some(PathEnd::Missing));
        assert_eq!(PathReader::new(leaf, []).unwrap().end(), Some(PathEnd::Found(leaf)));
        assert!(FolderReader::new(leaf).put(&other).is_err());
    }
}
