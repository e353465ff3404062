//! Validators that break the rules, without an engine: they hold a real key and a real share.

use std::collections::BTreeMap;

use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::{
    simplex::{
        elector::{self, Elector as _, RoundRobin},
        types::{Certificate, Finalize, Notarize, Nullify, Proposal, Vote},
    },
    types::{Epoch, Height, Participant, Round, View},
};
use commonware_cryptography::{Digestible as _, Hasher as _, Sha256};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Handle as Task, IoBuf, Spawner as _, deterministic::Context};
use commonware_utils::ordered::Set;
use primitives::Rng;

use super::wires::Channel;
use crate::block::{Block, body_root};
use crate::engine::CHANNELS;
use crate::header::{Context as Place, Digest, Header, PublicKey, Scheme};
use crate::transactions::Transactions;

/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;

/// For each block that anybody votes for: votes for it, for one that nobody has, and for none.
pub(super) fn vote_twice(
    context: Context,
    scheme: Scheme,
    channels: [Channel; CHANNELS],
) -> Task<()> {
    context.spawn(move |_| async move {
        let [(mut sender, mut receiver), _rest @ ..] = channels;
        while let Ok((_, message)) = receiver.recv().await {
            let Ok(Vote::Notarize(heard)) = Vote::<Scheme, Digest>::decode(message) else {
                continue;
            };
            let (round, parent) = (heard.proposal.round, heard.proposal.parent);
            let made_up = Sha256::hash(&[heard.proposal.payload.as_ref()]);
            for proposal in [Proposal::new(round, parent, made_up), heard.proposal] {
                let notarize = Notarize::sign(&scheme, proposal.clone()).unwrap();
                let finalize = Finalize::sign(&scheme, proposal).unwrap();
                for vote in [Vote::Notarize(notarize), Vote::Finalize(finalize)] {
                    let vote: Vote<Scheme, Digest> = vote;
                    sender.send(Recipients::All, vote.encode(), true);
                }
            }
            let nullify = Nullify::sign::<Digest>(&scheme, round).unwrap();
            let vote: Vote<Scheme, Digest> = Vote::Nullify(nullify);
            sender.send(Recipients::All, vote.encode(), true);
        }
    })
}

/// Whoever proposes, each time it leads, something that no validator may vote for.
pub(super) struct Liar {
    pub(super) scheme: Scheme,
    pub(super) keys: Set<PublicKey>,
    pub(super) me: PublicKey,
    pub(super) rng: Rng,
    /// The block that agreement begins with.
    pub(super) genesis: Block,
}

/// What a [`Liar`] has heard.
struct Heard {
    /// The newest block that is notarized or final.
    last: (View, Digest),
    blocks: BTreeMap<Digest, Block>,
}

impl Liar {
    pub(super) fn start(mut self, context: Context, channels: [Channel; CHANNELS]) -> Task<()> {
        context.spawn(move |_| async move {
            let [mut votes, mut certificates, _, _, mut blocks, _, mut told] = channels;
            let first = self.genesis.digest();
            let known = BTreeMap::from([(first, self.genesis.clone())]);
            let mut heard = Heard { last: (View::zero(), first), blocks: known };
            loop {
                tokio::select! {
                    biased;
                    message = blocks.1.recv() => {
                        let Ok((_, message)) = message else { return };
                        if let Ok(block) = Block::decode_cfg(message, &()) {
                            heard.blocks.insert(block.digest(), block);
                        }
                    }
                    message = certificates.1.recv() => {
                        let Ok((_, message)) = message else { return };
                        let Some(view) = Self::next_view(message, &mut heard) else { continue };
                        let Some((block, vote)) = self.lie(view, &heard) else { continue };
                        blocks.0.send(Recipients::All, block, true);
                        votes.0.send(Recipients::All, vote, true);
                        told.0.send(Recipients::All, self.noise(), true);
                    }
                }
            }
        })
    }

    /// The view after what a certificate ends.
    fn next_view(message: IoBuf, heard: &mut Heard) -> Option<View> {
        let ended = match Certificate::<Scheme, Digest>::decode(message).ok()? {
            Certificate::Notarization(one) => {
                heard.last = (one.proposal.round.view(), one.proposal.payload);
                one.proposal.round.view()
            }
            Certificate::Finalization(one) => {
                heard.last = (one.proposal.round.view(), one.proposal.payload);
                one.proposal.round.view()
            }
            Certificate::Nullification(one) => one.round.view(),
        };
        Some(ended.next())
    }

    /// A block and the vote that proposes it, if it is this one's turn.
    fn lie(&mut self, view: View, heard: &Heard) -> Option<(Vec<u8>, Vec<u8>)> {
        let round = Round::new(Epoch::zero(), view);
        let elector =
            <RoundRobin as elector::Config<Scheme>>::build(RoundRobin::default(), &self.keys);
        let mine = Participant::from_usize(self.keys.position(&self.me)?);
        if elector.elect(round, ()) != mine {
            return None;
        }
        let (parent_view, name) = heard.last;
        let parent = heard.blocks.get(&name)?;
        let block = self.block(round, parent_view, parent, heard);
        let proposal = Proposal::new(round, parent_view, block.digest());
        let vote: Vote<Scheme, Digest> =
            Vote::Notarize(Notarize::sign(&self.scheme, proposal).unwrap());
        Some((block.encode().to_vec(), vote.encode().to_vec()))
    }

    fn block(&mut self, round: Round, parent_view: View, parent: &Block, heard: &Heard) -> Block {
        let name = parent.digest();
        let context = Place { round, leader: self.me.clone(), parent: (parent_view, name) };
        let height = Height::new(parent.header.height.get() + 1);
        let header = Header { context, parent: name, height, ..parent.header.clone() };
        let mut block = Block { header, transactions: Transactions::default() };
        match self.rng.u8(..5) {
            // The state is that of the parent.
            0 => {}
            // Transactions that were in a block already.
            1 => block.transactions = parent.transactions.clone(),
            // One that nobody signed so.
            2 => block.transactions = self.forged(heard).into_iter().collect(),
            3 => block.header.time_ms += HOUR_MS,
            _ => block.header.height = height.next(),
        }
        block.header.body_root = body_root(&block.transactions);
        block
    }

    /// A transaction of somebody with another bit.
    fn forged(&mut self, heard: &Heard) -> Option<Vec<u8>> {
        let mut known = heard.blocks.values().flat_map(|block| block.transactions.iter());
        let mut bytes = known.next()?.to_vec();
        let place = self.rng.usize(..bytes.len());
        bytes[place] ^= 1 << self.rng.u8(..8);
        Some(bytes)
    }

    fn noise(&mut self) -> Vec<u8> {
        let length = self.rng.usize(..400);
        (0..length).map(|_| self.rng.u8(..)).collect()
    }
}
