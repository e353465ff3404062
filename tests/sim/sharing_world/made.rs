//! What is shared: made as a sender makes it.

use std::collections::{BTreeMap, BTreeSet};

use content::{Cid, Profile, share::ShareKey};
use files::make::Maker;
use primitives::{Rng, sha256};

use super::STARTED_S;

/// A share as its sender made it.
pub(crate) struct Content {
    pub(super) blocks: BTreeMap<Cid, Vec<u8>>,
    /// Of these, what the list has.
    pub(super) listed: BTreeSet<Cid>,
    pub(super) plain: BTreeMap<String, Vec<u8>>,
    pub(super) cid: Cid,
    pub(super) key: ShareKey,
    pub(super) seed: u64,
    pub(super) ends_at_s: Option<u64>,
    pub(super) public: bool,
}

impl Content {
    pub(crate) fn file(seed: u64, size: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let bytes = std::iter::repeat_with(|| rng.u8(..)).take(size).collect();
        Self::make(seed, "film.mp4", BTreeMap::from([("film.mp4".to_owned(), bytes)]), None, false)
    }

    /// The same, without encryption and manifest.
    pub(crate) fn into_public(self) -> Self {
        let name = self.name();
        Self::make(self.seed, name, self.plain, None, true)
    }

    pub(crate) fn folder(seed: u64, files: usize, bytes_max: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let file = |number: usize| {
            let size = rng.usize(..bytes_max);
            let bytes = std::iter::repeat_with(|| rng.u8(..)).take(size).collect();
            (format!("{}/{number}.txt", number % 7), bytes)
        };
        let plain = (0..files).map(file).collect();
        Self::make(seed, "folder", plain, None, false)
    }

    /// The same, with an end so many seconds after the start.
    pub(crate) fn ending_in(self, seconds: u64) -> Self {
        Self::make(self.seed, "film.mp4", self.plain, Some(STARTED_S + seconds), false)
    }

    fn make(
        seed: u64,
        name: &str,
        plain: BTreeMap<String, Vec<u8>>,
        ends_at_s: Option<u64>,
        public: bool,
    ) -> Self {
        let key = ShareKey::new([7; 32]);
        let mut maker = if public {
            Maker::public(name, Profile::V1_2025).unwrap()
        } else {
            Maker::new(name, key.clone(), [9; 16], Profile::V1_2025).unwrap()
        };
        let (mut blocks, mut listed) = (BTreeMap::new(), BTreeSet::new());
        let mut drain = |maker: &mut Maker, lists: bool| {
            while let Some(made) = maker.next_block() {
                let digest = sha256(&made.draft.bytes);
                let (block, _) = maker.named(digest).unwrap();
                if lists {
                    listed.insert(block.cid());
                }
                blocks.insert(block.cid(), block.into_bytes());
            }
        };
        for (path, bytes) in &plain {
            maker.begin(path, Some("video/mp4")).unwrap();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                rest = &rest[maker.push(rest)..];
                drain(&mut maker, true);
            }
            maker.end_file();
            drain(&mut maker, true);
        }
        maker.seal(ends_at_s).unwrap();
        drain(&mut maker, false);
        let cid = maker.cid().unwrap();
        Self { blocks, listed, plain, cid, key, seed, ends_at_s, public }
    }

    pub(super) fn name(&self) -> &'static str {
        if self.plain.contains_key("film.mp4") { "film.mp4" } else { "folder" }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.listed.len()
    }
}
