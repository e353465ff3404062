//! The manifest and link nodes: read as they come, checked against each other.
//!
//! What hashes to its name is what the sender made; that does not make it sane. The manifest is bounded
//! by `content`, and a file's tree must be the one that the manifest's size and profile say.

use std::collections::VecDeque;

use content::{
    Block, Candidate, Cid, Codec, Node, Opened, decode,
    limits::SHARE_MANIFEST_BYTES_MAX,
    read::FileReader,
    share::{Cipher, Purpose, Secret, ShareLink, ShareManifest},
};
use primitives::{Hash, PeerId, SortedMap, SortedSet};
use swarm::HangupReason;

use crate::{
    Event, Output, Share, config,
    list::List,
    places::{Places, State},
    plain::Plain,
    view::Failure,
};

/// What is being opened.
#[derive(Debug)]
pub(crate) struct Opening {
    /// Reads what is in the share, until that is known.
    reader: Option<Reader>,
    /// Blocks of the manifest: at most its bound by the chunk, and link nodes. Of a public share: folders,
    /// and the roots of files, as many as [`Plain`] takes.
    pub(crate) blocks: SortedMap<Cid, State>,
    /// Names the store is to be asked for.
    looks: Vec<Cid>,
    /// Held blocks that are to be read and opened.
    queue: VecDeque<Cid>,
    reading: SortedSet<Cid>,
    /// Roots of files of a public share, read as they came, that are opened once more for their links when
    /// the store has them.
    again: SortedSet<Cid>,
}

/// What is in a share, as far as it was read.
#[derive(Debug)]
enum Reader {
    /// By its manifest, whose bytes these are.
    Manifest(FileReader, Vec<u8>),
    /// By the blocks of the content.
    Plain(Plain),
}

impl Opening {
    pub(crate) fn new(link: &ShareLink) -> Self {
        let limit = u64::try_from(SHARE_MANIFEST_BYTES_MAX).unwrap_or(u64::MAX);
        let reader = match link.secret {
            Secret::Public => Reader::Plain(Plain::new(link)),
            Secret::Key(_) | Secret::Password(_) => {
                Reader::Manifest(FileReader::new(link.cid, limit), Vec::new())
            }
        };
        Self {
            reader: Some(reader),
            blocks: [(link.cid, State::Looking)].into_iter().collect(),
            looks: vec![link.cid],
            queue: VecDeque::new(),
            reading: SortedSet::new(),
            again: SortedSet::new(),
        }
    }

    /// Blocks of the manifest that are not here.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Cid> + '_ {
        self.blocks.iter().filter(|(_, state)| **state == State::Missing).map(|(cid, _)| *cid)
    }
}

impl Share {
    /// Asks the store for names that are new, and reads what is to be opened.
    pub(crate) fn look(&mut self, out: &mut Vec<Output>) {
        let looks = std::mem::take(&mut self.opening.looks);
        out.extend(looks.chunks(config::LOOK_MAX).map(|names| Output::Look(names.to_vec())));
        while self.opening.reading.len() < config::READING_MAX
            && let Some(cid) = self.opening.queue.pop_front()
        {
            self.opening.reading.insert(cid);
            out.push(Output::Load(cid));
        }
    }

    pub(crate) fn on_looked(&mut self, cid: &Cid, has: bool) {
        if self.state_of(cid) != Some(State::Looking) {
            return;
        }
        if !has {
            return self.set_state(cid, State::Missing);
        }
        self.hold(cid);
        if self.is_opened_here(cid) {
            self.opening.queue.push_back(*cid);
        }
    }

    /// A block that came is in the store.
    pub(crate) fn on_kept(&mut self, cid: &Cid) {
        if self.coming.remove(cid).is_some() {
            self.hold(cid);
            if self.opening.again.remove(cid) && self.is_opened_here(cid) {
                self.opening.queue.push_back(*cid);
            }
        }
    }

    /// The store has a block after all.
    pub(crate) fn on_found(&mut self, cid: &Cid) {
        if self.state_of(cid) == Some(State::Missing) {
            self.set_state(cid, State::Looking);
            self.on_looked(cid, true);
        }
    }

    /// The store gave a block, for opening or for neighbours.
    pub(crate) fn on_loaded(&mut self, cid: Cid, bytes: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let opens = self.opening.reading.remove(&cid);
        match &bytes {
            Some(bytes) if opens => {
                let candidate = Candidate { cid, bytes: bytes.clone() };
                // The driver has checked it; hashing a few link nodes twice costs nothing.
                if let Ok(block) = candidate.verify() {
                    self.open(block, out);
                }
            }
            Some(_) => {}
            None => {
                self.set_state(&cid, State::Held);
                self.lose(&cid, out);
            }
        }
        self.on_read(cid, bytes, out);
    }

    fn lose(&mut self, cid: &Cid, out: &mut Vec<Output>) {
        let place = self.places.as_mut().and_then(|places| places.place(cid));
        match (&mut self.places, place) {
            (Some(places), Some(place)) => {
                let lost = places.lose(place);
                self.tell_lost(&lost, out);
            }
            _ => self.set_state(cid, State::Missing),
        }
    }

    /// Bytes from a neighbour, hashed by the driver.
    pub(crate) fn on_checked(
        &mut self,
        cid: Cid,
        from: PeerId,
        digest: Hash,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        if !self.coming.contains_key(&cid) {
            return;
        }
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let Ok(block) = (Candidate { cid, bytes }).verify_digest(digest) else {
            self.coming.remove(&cid);
            self.set_missing(&cid);
            self.liars = self.liars.saturating_add(1);
            out.push(Output::Event(Event::Liar(from)));
            return self.cut(from, HangupReason::WrongBytes, out);
        };
        self.received.add(self.now, size);
        if let Some(neighbour) = self.neighbours.get_mut(&from) {
            neighbour.received_bytes += u64::from(size);
        }
        self.on_verified(block, out);
    }

    /// A block of this share came, from whomever.
    pub(crate) fn on_verified(&mut self, block: Block, out: &mut Vec<Output>) {
        let cid = block.cid();
        let bytes = if self.is_opened_here(&cid) {
            let bytes = block.bytes().to_vec();
            self.open(block, out);
            bytes
        } else {
            block.into_bytes()
        };
        if self.failure.is_none() {
            out.push(Output::Keep { cid, bytes });
        }
    }

    /// Whether the block is part of the manifest or links to others.
    fn is_opened_here(&self, cid: &Cid) -> bool {
        let places = self.places.as_ref();
        let place = places.and_then(|places| places.place(cid).map(|at| !places.is_leaf(at)));
        place.unwrap_or_else(|| self.opening.blocks.contains_key(cid))
    }

    fn open(&mut self, block: Block, out: &mut Vec<Output>) {
        let cid = block.cid();
        let place = self.places.as_ref().and_then(|places| places.place(&cid));
        let opened = match place {
            Some(place) => self.open_node(place, block),
            None => self.open_front(block, out),
        };
        if let Err(failure) = opened {
            self.fail(failure, out);
        }
    }

    /// A block that says what is in the share.
    fn open_front(&mut self, block: Block, out: &mut Vec<Output>) -> Result<(), Failure> {
        let key = &self.config.key;
        let (wanted, manifest) = match &mut self.opening.reader {
            None => return Ok(()),
            Some(Reader::Plain(plain)) => {
                plain.put(block.into_opened())?;
                (plain.wanted(), plain.manifest()?)
            }
            Some(Reader::Manifest(reader, bytes)) => {
                let opened = key.open(&block, Purpose::Manifest).map_err(|_| Failure::Key)?;
                reader.put(&opened).map_err(|_| Failure::Damaged)?;
                while let Some(part) = reader.next_part() {
                    bytes.extend_from_slice(&part.bytes);
                }
                let whole = reader.is_done().then(|| ShareManifest::decode(bytes));
                let manifest = whole.transpose().map_err(|_| Failure::Damaged)?;
                (reader.wanted(usize::MAX), manifest)
            }
        };
        for cid in wanted {
            if !self.opening.blocks.contains_key(&cid) {
                self.opening.blocks.insert(cid, State::Looking);
                self.opening.looks.push(cid);
            }
        }
        if let Some(manifest) = manifest {
            self.opening.reader = None;
            self.on_manifest(manifest)?;
            out.push(Output::Event(Event::Opened));
        }
        Ok(())
    }

    fn on_manifest(&mut self, manifest: ShareManifest) -> Result<(), Failure> {
        let mut places = Places::new(List::of(&manifest).ok_or(Failure::TooLarge)?);
        for cid in places.learn_roots(&manifest) {
            let is_coming = self.opening.blocks.get(&cid) == Some(&State::Coming);
            match places.place(&cid).filter(|_| is_coming) {
                // The store would be asked before it has it, or told to have it before it answers.
                Some(place) => {
                    places.set(place, State::Coming);
                    self.opening.again.insert(cid);
                }
                None => self.opening.looks.push(cid),
            }
        }
        self.end_by(manifest.expires_at_s);
        (self.places, self.manifest) = (Some(places), Some(manifest));
        Ok(())
    }

    fn open_node(&mut self, place: u32, block: Block) -> Result<(), Failure> {
        let (Some(places), Some(manifest)) = (&mut self.places, &self.manifest) else {
            return Ok(());
        };
        let opened: Opened = match manifest.cipher {
            Cipher::None => block.into_opened(),
            Cipher::XChaCha20Poly1305 => {
                self.config.key.open(&block, Purpose::Content).map_err(|_| Failure::Key)?
            }
        };
        let node = decode(opened.codec(), opened.bytes()).map_err(|_| Failure::Damaged)?;
        let Node::File { inline, children, .. } = node else { return Err(Failure::Damaged) };
        if opened.codec() != Codec::DagPb || !inline.is_empty() {
            return Err(Failure::Damaged);
        }
        let new = places.learn_children(place, &children).ok_or(Failure::Damaged)?;
        self.opening.looks.extend(new);
        Ok(())
    }
}
