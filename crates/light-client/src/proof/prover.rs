//! The other side, for tests: roots and proofs of a log, made slowly.

use super::{CHUNK_BITS, CHUNK_HEIGHT, Digest, RANGE, Tree, fold, hash, peaks};

/// Any hash does: the log's root stands beside the range's.
const LOG_ROOT: Digest = [5; 32];

/// A log, sealed.
pub(crate) struct Prover {
    /// Bytes of each update, and whether it holds.
    pub(crate) log: Vec<(Vec<u8>, bool)>,
    pub(crate) folded: usize,
}

impl Prover {
    fn updates(&self) -> u64 {
        u64::try_from(self.log.len()).unwrap_or_default()
    }

    fn chunk(&self, number: u64) -> [u8; 32] {
        let first = usize::try_from(number * CHUNK_BITS).unwrap_or_default();
        let mut chunk = [0; 32];
        for (at, (_, holds)) in self.log.iter().skip(first).take(256).enumerate() {
            chunk[at / 8] |= u8::from(*holds) << (at % 8);
        }
        chunk
    }

    fn digest(&self, tree: Tree) -> Digest {
        let position = tree.position().to_be_bytes();
        let Some((left, right)) = tree.halves() else {
            let at = usize::try_from(tree.first).unwrap_or_default();
            return hash(&[&position, &self.log[at].0]);
        };
        let digest = hash(&[&position, &self.digest(left), &self.digest(right)]);
        let chunk = self.chunk(tree.first / CHUNK_BITS);
        match tree.height == CHUNK_HEIGHT && chunk != [0; 32] {
            true => hash(&[&chunk, &digest]),
            false => digest,
        }
    }

    fn partial(&self) -> Option<Digest> {
        let updates = self.updates();
        (!updates.is_multiple_of(CHUNK_BITS)).then(|| hash(&[&self.chunk(updates / CHUNK_BITS)]))
    }

    /// The state's root.
    pub(crate) fn root(&self) -> Digest {
        let peaks: Vec<Digest> =
            peaks(self.updates()).into_iter().map(|one| self.digest(one)).collect();
        let updates = self.updates().to_be_bytes();
        let folded = u64::try_from(self.folded).unwrap_or_default().to_be_bytes();
        let all = fold(&peaks, self.folded).expect("not more are folded than there are");
        let mut parts: Vec<&[u8]> = vec![&RANGE, &updates];
        if self.folded > 0 {
            parts.push(&folded);
        }
        parts.push(&all);
        let range = hash(&parts);
        let next_bit = (self.updates() % CHUNK_BITS).to_be_bytes();
        match self.partial() {
            Some(partial) => hash(&[&LOG_ROOT, &range, &next_bit, &partial]),
            None => hash(&[&LOG_ROOT, &range]),
        }
    }

    /// What a proof says of the update at a place.
    pub(crate) fn place(&self, index: usize) -> Vec<u8> {
        let at = u64::try_from(index).unwrap_or_default();
        let trees = peaks(self.updates());
        let own = trees.iter().position(|tree| tree.covers(at)).expect("it is in the log");
        let list = |trees: &[Tree]| trees.iter().map(|one| self.digest(*one)).collect::<Vec<_>>();
        let folded_before = self.folded.min(own);
        let mut digests = Vec::new();
        if folded_before > 0 {
            digests.extend(fold(&list(&trees[..folded_before]), folded_before));
        }
        digests.extend(list(&trees[folded_before..own]));
        let after = &trees[own + 1..];
        let single = self.folded.saturating_sub(own + 1).min(after.len());
        digests.extend(list(&after[..single]));
        let behind = list(&after[single..]);
        digests.extend(behind.iter().rev().copied().reduce(|bag, one| hash(&[&one, &bag])));
        let mut tree = trees[own];
        let mut rights = Vec::new();
        while let Some((left, right)) = tree.halves() {
            if right.covers(at) {
                digests.push(self.digest(left));
                tree = right;
            } else {
                rights.push(self.digest(right));
                tree = left;
            }
        }
        digests.extend(rights.into_iter().rev());
        self.write(at, &digests)
    }

    fn write(&self, at: u64, digests: &[Digest]) -> Vec<u8> {
        let mut bytes = Vec::new();
        crate::testing::varint(at, &mut bytes);
        bytes.extend_from_slice(&self.chunk(at / CHUNK_BITS));
        crate::testing::varint(self.updates(), &mut bytes);
        for number in [self.folded, digests.len()] {
            crate::testing::varint(u64::try_from(number).unwrap_or_default(), &mut bytes);
        }
        digests.iter().for_each(|one| bytes.extend_from_slice(one));
        bytes.push(u8::from(self.partial().is_some()));
        self.partial().iter().for_each(|one| bytes.extend_from_slice(one));
        bytes.extend_from_slice(&LOG_ROOT);
        bytes
    }
}
