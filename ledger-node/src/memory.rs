//! What a validator knows of its own votes, and how one that forgot them comes to vote again.
//!
//! Whoever voted in a view and forgot it might vote there for something else. The others take it for a
//! liar and shut it out for an hour, and agreement counts it among the faulty. So it is silent, but
//! hears the others, executes what they make final, and votes where it can't have voted before:
//!
//! - In the last view it voted in, it had a certificate of the view before, W. More than two thirds had
//!   voted in W by then. At most f - 1 of the others break the rules, as it counts itself among f:
//!   of any 2f others, one that keeps the rules had voted in W.
//! - Who keeps the rules votes for a block, or for none, only in the view it is in, and views rise. So what
//!   that one sends afterwards, over a connection made since, is of W or later.
//! - When 2f others were heard so, and a later view than each of theirs is final, it is later than W.

use std::collections::BTreeMap;

use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_consensus::{
    Reporter,
    simplex::{
        config::Floor,
        types::{Activity, Certificate, Vote},
    },
    types::View,
};
use commonware_p2p::Receiver;
use commonware_parallel::Strategy;
use commonware_storage::{
    Context as Storage,
    metadata::{Config, Metadata},
};
use commonware_utils::sequence::U64;
use rand_core::CryptoRng;

use crate::header::{Digest, Finalization, PublicKey, Scheme};

/// Where an engine begins.
pub(crate) type Start = Floor<Scheme, Digest>;
/// Called when it is on disk that a validator votes which never did.
pub(crate) type Begun = Box<dyn FnOnce() + Send>;

/// Where it is kept which block this disk begins with: its height and what makes it final. None: genesis.
const FIRST: u64 = 1;
/// Longest certificate that is kept.
const CERTIFICATE_BYTES_MAX: usize = 1024;
/// Views between what others were heard in and a final one: more than the engine votes ahead.
const VIEWS_BETWEEN: u64 = 2;
/// Why a validator can't go on.
const LOST: &str = "a validator whose disk fails can't run";

/// Where it is kept since when this disk remembers votes of an epoch.
fn since(epoch: u64) -> U64 {
    U64::new(epoch.saturating_mul(2))
}

/// Since when this disk has all votes of its validator in an epoch: from the beginning, or from a final view
/// on.
pub(crate) struct Memory<E: Storage>(Metadata<E, U64, Vec<u8>>);

impl<E: Storage> Memory<E> {
    pub(crate) async fn open(context: E, partition: String) -> Self {
        let codec_config = ((..=CERTIFICATE_BYTES_MAX).into(), ());
        let config = Config { partition, codec_config };
        Self(Metadata::init(context, config).await.expect(LOST))
    }

    /// Where votes of an epoch begin that this disk remembers. `None`: there may be votes that it does not.
    pub(crate) fn start(&self, epoch: u64, genesis: Digest) -> Option<Start> {
        let bytes = self.0.get(&since(epoch))?;
        if bytes.is_empty() {
            return Some(Floor::Genesis(genesis));
        }
        // A later epoch's begins after a block of the one before, which may be forgotten since.
        if let Ok(before) = Digest::decode(Copying(&bytes[..])) {
            return Some(Floor::Genesis(before));
        }
        let last = Finalization::decode(Copying(&bytes[..])).expect("as it was kept");
        Some(Floor::Finalized(last))
    }

    /// From now on there are votes, and none before this.
    pub(crate) async fn begin(self, epoch: u64, start: &Start) -> Self {
        let bytes = match start {
            Floor::Genesis(_) if epoch == 0 => Vec::new(),
            Floor::Genesis(before) => before.encode().to_vec(),
            Floor::Finalized(last) => last.encode().to_vec(),
        };
        Self(self.0.put_sync(since(epoch), bytes).await.expect(LOST))
    }

    /// The block that this disk begins with, where it was made from a snapshot.
    pub(crate) fn first(&self) -> Option<(u64, Finalization)> {
        let bytes = self.0.get(&U64::new(FIRST))?;
        let (height, rest) = bytes.split_first_chunk::<8>().expect("as it was kept");
        let found = Finalization::decode(Copying(rest)).expect("as it was kept");
        Some((u64::from_be_bytes(*height), found))
    }

    /// This disk begins with a block.
    pub(crate) async fn begin_with(self, height: u64, found: &Finalization) -> Self {
        let bytes = [height.to_be_bytes().as_slice(), &found.encode()[..]].concat();
        Self(self.0.put_sync(U64::new(FIRST), bytes).await.expect(LOST))
    }
}

/// Who was heard, and what is final.
struct Listening {
    /// How many of the others must be heard.
    enough: usize,
    /// The view in which somebody was heard first.
    heard: BTreeMap<PublicKey, View>,
    last: Option<Finalization>,
}

impl Listening {
    /// A view that somebody is in now.
    fn hears(&mut self, from: PublicKey, view: View) {
        self.heard.entry(from).or_insert(view);
    }

    /// Whether that this is final is news.
    fn newer(&self, found: &Finalization) -> bool {
        self.last.as_ref().is_none_or(|last| last.proposal.round < found.proposal.round)
    }

    /// What is final and behind all that may have been voted for.
    fn end(&self) -> Option<&Finalization> {
        let last = self.last.as_ref()?;
        let final_view = last.proposal.round.view().get();
        let before = self
            .heard
            .values()
            .filter(|view| view.get().saturating_add(VIEWS_BETWEEN) <= final_view)
            .count();
        (before >= self.enough).then_some(last)
    }
}

/// Hears the others, and tells what is final, until it can't contradict itself. `None`: there are no
/// others any more.
pub(crate) async fn listen(
    rng: &mut impl CryptoRng,
    scheme: &Scheme,
    faulty_max: usize,
    strategy: &impl Strategy,
    (votes, certificates): (
        &mut impl Receiver<PublicKey = PublicKey>,
        &mut impl Receiver<PublicKey = PublicKey>,
    ),
    mut reporter: impl Reporter<Activity = Activity<Scheme, Digest>>,
) -> Option<Finalization> {
    let mut listening = Listening { enough: 2 * faulty_max, heard: BTreeMap::new(), last: None };
    loop {
        // In this order, so that a simulation of a seed is always the same one.
        tokio::select! {
            biased;
            message = certificates.recv() => {
                let found = Certificate::<Scheme, Digest>::decode(message.ok()?.1);
                let Ok(Certificate::Finalization(found)) = found else { continue };
                if !listening.newer(&found) || !found.verify(rng, scheme, strategy) {
                    continue;
                }
                // It is told as the engine tells it. Nothing to do for who does not take it.
                let _ = reporter.report(Activity::Finalization(found.clone()));
                listening.last = Some(found);
            }
            message = votes.recv() => {
                let (from, bytes) = message.ok()?;
                match Vote::<Scheme, Digest>::decode(bytes) {
                    Ok(Vote::Notarize(vote)) => listening.hears(from, vote.proposal.round.view()),
                    Ok(Vote::Nullify(vote)) => listening.hears(from, vote.round.view()),
                    // It may be of a view that its voter has left.
                    Ok(Vote::Finalize(_)) | Err(_) => {}
                }
            }
        }
        if let Some(last) = listening.end() {
            return Some(last.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    use super::*;

    /// A certificate of a view as one decodes it; nobody signed it.
    fn final_in(view: u8) -> Finalization {
        // Epoch, view, the parent's view, the header's name, a signature.
        let mut bytes = vec![0, view, view - 1];
        bytes.extend([7; 32]);
        bytes.extend([7; 48]);
        Finalization::decode(Copying(&bytes[..])).unwrap()
    }

    #[test]
    fn enough_others_are_heard_before_what_is_final() {
        let keys = [0, 1, 2].map(|seed| PrivateKey::from_seed(seed).public_key());
        let mut listening = Listening { enough: 2, heard: BTreeMap::new(), last: None };
        assert!(listening.end().is_none());
        listening.last = Some(final_in(9));
        listening.hears(keys[0].clone(), View::new(7));
        assert!(listening.end().is_none(), "one is not enough");
        // The same one again, and one that claims to be far ahead.
        listening.hears(keys[0].clone(), View::new(3));
        listening.hears(keys[1].clone(), View::new(u64::MAX));
        assert!(listening.end().is_none());
        listening.hears(keys[2].clone(), View::new(8));
        assert!(listening.end().is_none(), "it may have been in that view");
        assert!(listening.newer(&final_in(10)));
        assert!(!listening.newer(&final_in(9)));
        listening.last = Some(final_in(10));
        assert_eq!(listening.end().unwrap().proposal.round.view(), View::new(10));
    }
}
