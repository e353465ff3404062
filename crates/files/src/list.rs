//! The place of every block of a share.
//!
//! Entries in the order of the manifest; of a file its levels from the root down to the leaves, each level
//! from left to right; of a symlink its one block; of a folder nothing, for the manifest has its names. All
//! follows from sizes and the profile, before any block of the content is here, so peers can say what
//! they hold by runs of numbers.

use content::{
    Profile,
    share::{EntryKind, ShareManifest},
};
use core::ops::Range;
use wire::limits::SHARE_BLOCKS_MAX;

/// The places of all entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    spans: Vec<Span>,
    count: u32,
}

/// The places of one entry.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// Number of the entry in the manifest.
    pub(crate) entry: u32,
    /// Bytes of its plain content.
    pub(crate) size_bytes: u64,
    /// First place of each level, the root's first, and one past the last place.
    levels: Vec<u32>,
    /// Plain bytes of every leaf but the last.
    pub(crate) chunk_bytes: u64,
    links: u32,
}

impl List {
    /// The list of a manifest; `None` where it has too many blocks or a profile that is not known.
    pub(crate) fn of(manifest: &ShareManifest) -> Option<Self> {
        let profile = Profile::by_name(&manifest.profile)?;
        let chunk_bytes = u64::try_from(profile.chunk_bytes()).ok()?;
        let links = u32::try_from(profile.links_max()).ok()?;
        let mut list = Self::default();
        for (entry, found) in (0..).zip(&manifest.entries) {
            let leaves = match found.kind {
                EntryKind::Folder => continue,
                EntryKind::Symlink => 1,
                EntryKind::File => found.size_bytes.div_ceil(chunk_bytes).max(1),
            };
            let counts = counts(u32::try_from(leaves).ok()?, links)?;
            let mut levels = vec![list.count];
            for count in counts.iter().rev() {
                list.count = list.count.checked_add(*count)?;
                levels.push(list.count);
            }
            if list.count > SHARE_BLOCKS_MAX {
                return None;
            }
            let size_bytes = found.size_bytes;
            list.spans.push(Span { entry, size_bytes, levels, chunk_bytes, links });
        }
        Some(list)
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Which span a place is in.
    pub(crate) fn span_of(&self, place: u32) -> usize {
        self.spans.partition_point(|span| span.places().end <= place)
    }

    /// The span of an entry, if it has one.
    pub(crate) fn span_of_entry(&self, entry: u32) -> Option<usize> {
        self.spans.binary_search_by_key(&entry, |span| span.entry).ok()
    }
}

/// Blocks of each level, the leaves' first.
fn counts(leaves: u32, links: u32) -> Option<Vec<u32>> {
    if leaves > SHARE_BLOCKS_MAX {
        return None;
    }
    let mut counts = vec![leaves];
    let mut above = leaves;
    while above > 1 {
        above = above.div_ceil(links);
        counts.push(above);
    }
    Some(counts)
}

impl Span {
    pub(crate) fn places(&self) -> Range<u32> {
        self.root()..self.levels.last().copied().unwrap_or_default()
    }

    pub(crate) fn root(&self) -> u32 {
        self.levels.first().copied().unwrap_or_default()
    }

    /// Whether a place of this span is a leaf.
    pub(crate) fn is_leaf(&self, place: u32) -> bool {
        let first = self.levels.len().checked_sub(2).map(|level| self.levels[level]);
        first.is_some_and(|first| first <= place)
    }

    /// The places below a link node.
    pub(crate) fn children(&self, place: u32) -> Range<u32> {
        let level = self.levels.partition_point(|first| *first <= place);
        // `level` is one past the place's own, and so the children's.
        let (Some(own), Some(below), Some(end)) = (
            level.checked_sub(1).and_then(|own| self.levels.get(own)),
            self.levels.get(level),
            self.levels.get(level + 1),
        ) else {
            return 0..0;
        };
        let first = below + (place - own) * self.links;
        first..first.saturating_add(self.links).min(*end)
    }

    /// The leaf that holds a byte; of bytes past the end, the last one.
    pub(crate) fn leaf_at(&self, offset: u64) -> u32 {
        let first = self.levels.len().checked_sub(2).map_or(0, |level| self.levels[level]);
        let last = self.places().end.saturating_sub(1);
        let number = u32::try_from(offset / self.chunk_bytes.max(1)).unwrap_or(u32::MAX);
        first.saturating_add(number).min(last)
    }

    /// The places from the root down to a leaf.
    pub(crate) fn path(&self, leaf: u32) -> impl Iterator<Item = u32> + '_ {
        let depth = self.levels.len().saturating_sub(1);
        let starts = self.levels.get(..depth).unwrap_or_default();
        let number = leaf.saturating_sub(starts.last().copied().unwrap_or_default());
        let below = (0..starts.len()).rev();
        starts.iter().zip(below).map(move |(first, below)| {
            let leaves = self.links.saturating_pow(u32::try_from(below).unwrap_or(u32::MAX));
            first + number / leaves.max(1)
        })
    }

    /// Plain bytes below a place.
    pub(crate) fn bytes_below(&self, place: u32) -> u64 {
        let mut range = place..place + 1;
        while !self.is_leaf(range.start) {
            range = self.children(range.start).start..self.children(range.end - 1).end;
        }
        let first = self.levels.len().checked_sub(2).map_or(0, |level| self.levels[level]);
        let from = u64::from(range.start - first) * self.chunk_bytes;
        let to = u64::from(range.end - first) * self.chunk_bytes;
        to.min(self.size_bytes).saturating_sub(from)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use content::{
        Cid, Codec, Node,
        build::{Build as _, FileBuilder},
        decode,
        share::{Cipher, ShareEntry},
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;

    pub(crate) fn manifest(sizes: &[u64], roots: &[Cid]) -> ShareManifest {
        let root = Cid::of(Codec::Raw, b"root");
        let profile = Profile::SWEEP.name().to_owned();
        let mut manifest = ShareManifest::new("x".to_owned(), root, Cipher::None, profile);
        let entry = |(number, size): (usize, &u64)| ShareEntry {
            path: format!("f{number:04}"),
            kind: EntryKind::File,
            cid: roots.get(number).copied().unwrap_or(root),
            size_bytes: *size,
            media_type: None,
        };
        manifest.entries = sizes.iter().enumerate().map(entry).collect();
        manifest
    }

    proptest! {
        /// The list is the tree that the builder makes, place by place.
        #[test]
        fn places_are_those_of_the_tree(size in 0_usize..3000) {
            let mut builder = FileBuilder::new(Profile::SWEEP);
            let mut nodes = BTreeMap::new();
            let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n / 16 % 251).unwrap()).collect();
            let mut rest = &bytes[..];
            while builder.entry().is_none() {
                rest = &rest[builder.push(rest)..];
                if rest.is_empty() {
                    builder.finish();
                }
                builder.drain(|block| {
                    nodes.insert(block.cid(), block.into_opened());
                    Ok::<_, ()>(())
                }).unwrap();
            }
            let root = builder.entry().unwrap().cid;
            let list = List::of(&manifest(&[7, u64::try_from(size).unwrap()], &[])).unwrap();
            let span = &list.spans()[1];
            prop_assert_eq!(list.span_of(span.root()), 1);
            prop_assert_eq!(list.span_of(0), 0);
            let (mut todo, mut seen) = (vec![(span.root(), root)], 0);
            while let Some((place, cid)) = todo.pop() {
                seen += 1;
                let node = &nodes[&cid];
                let Ok(Node::File { children, size_bytes, .. }) = decode(node.codec(), node.bytes())
                else { panic!("not a file") };
                prop_assert_eq!(span.bytes_below(place), size_bytes);
                prop_assert_eq!(span.is_leaf(place), children.is_empty());
                let places = span.children(place);
                prop_assert_eq!(places.len(), children.len());
                todo.extend(places.zip(children.iter().map(|child| child.cid)));
            }
            prop_assert_eq!(seen, span.places().len());
            prop_assert_eq!(list.count(), span.places().end);
            for leaf in span.places().filter(|place| span.is_leaf(*place)) {
                let path: Vec<u32> = span.path(leaf).collect();
                prop_assert_eq!((path[0], path[path.len() - 1]), (span.root(), leaf));
                prop_assert!(path.windows(2).all(|two| span.children(two[0]).contains(&two[1])));
            }
        }
    }

    #[test]
    fn a_share_of_too_many_blocks_has_no_list() {
        let most = u64::from(SHARE_BLOCKS_MAX) * 16;
        assert!(List::of(&manifest(&[most], &[])).is_none());
        assert!(List::of(&manifest(&[u64::MAX / 2], &[])).is_none());
        let mut odd = manifest(&[1], &[]);
        odd.profile = "own".to_owned();
        assert!(List::of(&odd).is_none());
        assert_eq!(List::of(&manifest(&[0, 16, 17], &[])).unwrap().count(), 1 + 1 + 3);
    }
}
