//! What the newest final block is, and what each server showed of it.

use std::collections::VecDeque;

use primitives::Hash;
use wire::ledger::Finality;

use crate::{Fault, Head, Header, Identity, ServerId, Verifier, clock::Clock, verifier::linked};

/// Final headers whose names are remembered: competing ones among them are a fork.
const NAMES_KEPT: usize = 256;

/// The chain of final headers as far as it was seen.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    head: Option<Head>,
    /// Height and name, ascending, gaps where blocks were not seen.
    names: VecDeque<(u64, Hash)>,
    /// How many pairings were computed.
    pub(crate) verified: u64,
    /// Whether this device's clock agrees with them.
    pub(crate) clock: Clock,
}

/// What a certificate was good for.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The header meant.
    pub(crate) first: Header,
    /// Height of the header signed.
    pub(crate) height: u64,
    /// Nothing higher was known before.
    pub(crate) is_newer: bool,
}

impl Heads {
    /// Nothing was seen but the last blocks of validators who were replaced.
    pub(crate) fn resume(identities: &[Identity]) -> Self {
        let names = identities.iter().filter_map(Identity::last_block).collect();
        let mut heads = Self { names, ..Self::default() };
        heads.forget_oldest();
        heads
    }

    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    fn name(&self, height: u64) -> Option<Hash> {
        let at = self.names.binary_search_by_key(&height, |(height, _)| *height).ok()?;
        self.names.get(at).map(|(_, name)| *name)
    }

    /// Takes what a server says is final.
    ///
    /// A signature is not looked at where the block signed is known to be final already and is no newer one, which
    /// would be handed on with it. Of validators who were replaced nothing is taken but blocks that are known: they
    /// can sign for any of their heights still, which is no fork of those who make blocks now. `None`: it is such a
    /// block. One of the future is taken: validators say so, and it is this device's clock that is off.
    pub(crate) fn take(
        &mut self,
        verifier: &Verifier,
        finality: &Finality,
        from: ServerId,
        now_ms: u64,
    ) -> Result<Option<Taken>, Fault> {
        let headers = linked(finality)?;
        let (first, last) = match (headers.first(), headers.last()) {
            (Some(first), Some(last)) => (first.clone(), last.clone()),
            _ => return Err(Fault::Malformed),
        };
        let is_named = self.name(last.height) == Some(last.name) || verifier.ends_with(&last);
        let reached = self.head.as_ref().is_some_and(|head| head.header.height >= last.height);
        if !is_named || !reached {
            self.verified += 1;
            verifier.check(finality, &last)?;
        }
        if !is_named && !verifier.is_of_now(finality) {
            return Ok(None);
        }
        if headers.iter().any(|header| self.competes(header)) {
            return Err(Fault::Fork);
        }
        headers.iter().for_each(|header| self.remember(header));
        let is_newer = self.head.as_ref().is_none_or(|head| head.header.height < last.height);
        let height = last.height;
        if is_newer {
            self.clock.hear(last.time_ms, now_ms);
            let signed = finality.headers.last().map(|bytes| bytes.to_vec());
            let certificate = finality.certificate.to_vec();
            let bytes = Finality::new(signed.into_iter().collect(), certificate).to_bytes();
            self.head = Some(Head { header: last, from, heard_ms: now_ms, bytes });
        }
        Ok(Some(Taken { first, height, is_newer }))
    }

    /// Others make the blocks from this one on, as `last`, the one before it, names them. What was seen of later
    /// blocks is dropped, and whoever showed the newest of them is named.
    pub(crate) fn succeed(
        &mut self,
        height: u64,
        last: &Header,
    ) -> Result<Option<ServerId>, Fault> {
        if self.competes(last) {
            return Err(Fault::Fork);
        }
        self.remember(last);
        self.names.retain(|(at, _)| *at < height);
        let late = self.head.take_if(|head| head.header.height >= height);
        Ok(late.map(|head| head.from))
    }

    /// This device's clock was set back: the newest block was not heard of later than now.
    pub(crate) fn set_back(&mut self, now_ms: u64) {
        if let Some(head) = &mut self.head {
            head.heard_ms = head.heard_ms.min(now_ms);
        }
    }

    /// Whether a header that is final under the key excludes another that is.
    fn competes(&self, header: &Header) -> bool {
        let other = |height: u64, name: Hash| self.name(height).is_some_and(|known| known != name);
        let parent =
            header.height.checked_sub(1).is_some_and(|before| other(before, header.parent));
        other(header.height, header.name) || parent
    }

    fn remember(&mut self, header: &Header) {
        for (height, name) in
            [(header.height.saturating_sub(1), header.parent), (header.height, header.name)]
        {
            if let Err(at) = self.names.binary_search_by_key(&height, |(height, _)| *height) {
                self.names.insert(at, (height, name));
            }
        }
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        while self.names.len() > NAMES_KEPT {
            self.names.pop_front();
        }
    }
}
