//! Which validators' key holds for which blocks: the trust root's at first, then each that the validators
//! before named in their last block.

use primitives::Hash;
use wire::ledger::{Finality, StateProof};

use crate::{
    Fault, Header, RootError, TrustRoot, Verifier,
    certificate::{Certificate, Key},
    verifier::linked,
};

/// Most successions that are followed. More: the ledger's newest blocks are not believed.
pub const SUCCESSIONS_MAX: usize = 255;
/// Table of the record that names the next validators; their epoch follows, 4 bytes.
const TABLE: [u8; 2] = [0, 2];

/// A set of validators: its shared key, and its first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The first block that it makes; 0 for the trust root's.
    pub height: u64,
    /// Its shared key, compressed.
    pub group_key: [u8; 96],
    /// Name of the block before that one: the last of the validators before. None for the trust root's, and where
    /// it was not kept.
    pub last: Option<Hash>,
}

/// The record's key that names the validators of an epoch.
pub fn succession_key(epoch: u64) -> Option<Vec<u8>> {
    let epoch = u32::try_from(epoch).ok()?;
    Some([TABLE.as_slice(), &epoch.to_be_bytes()].concat())
}

impl Identity {
    /// Reads the record that names it.
    fn read(record: &[u8]) -> Option<Self> {
        let mut decoder = minicbor::Decoder::new(record);
        let two = decoder.array().ok()? == Some(2);
        let height = decoder.u64().ok()?;
        let group_key = decoder.bytes().ok()?.try_into().ok()?;
        let whole = decoder.position() == record.len();
        (two && whole).then_some(Self { height, group_key, last: None })
    }

    /// Height and name of the last block of the validators before, if it is known.
    pub(crate) fn last_block(&self) -> Option<(u64, Hash)> {
        Some((self.height.checked_sub(1)?, self.last?))
    }
}

/// Identities by epoch, as far as they are known. Only the newest key is at hand; older ones are seldom asked.
#[derive(Clone)]
pub(crate) struct Chain {
    name: Hash,
    /// At least the root's.
    identities: Vec<Identity>,
    newest: Key,
}

impl Chain {
    pub(crate) fn new(root: &TrustRoot) -> Result<Self, RootError> {
        let first = Identity { height: 0, group_key: root.group_key, last: None };
        let newest = Key::new(&root.chain, &first.group_key)?;
        Ok(Self { name: root.chain, identities: vec![first], newest })
    }

    pub(crate) fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// The epoch of the newest one known.
    pub(crate) fn epoch(&self) -> u64 {
        u64::try_from(self.identities.len()).unwrap_or(u64::MAX).saturating_sub(1)
    }

    fn at(&self, epoch: u64) -> Option<&Identity> {
        self.identities.get(usize::try_from(epoch).ok()?)
    }

    /// Whether a header is the last one of those who were replaced.
    fn ends_with(&self, header: &Header) -> bool {
        let block = Some((header.height, header.name));
        self.identities.iter().any(|one| one.last_block() == block)
    }

    /// Adds the next one. A key that was used before is none: whoever has its shares signs on. But those who are
    /// replaced may have dealt theirs anew (a resharing): it is they who say so, and each epoch keeps its heights.
    pub(crate) fn add(&mut self, next: Identity) -> Result<(), Fault> {
        let same = |one: &Identity| one.group_key == next.group_key;
        let rises = self.identities.last().is_some_and(|last| last.height < next.height);
        let first = next.height < 2;
        let reshared = self.identities.last().is_some_and(same);
        if !rises || first || (!reshared && self.identities.iter().any(same)) {
            return Err(Fault::BrokenChain);
        }
        if self.identities.len() > SUCCESSIONS_MAX {
            return Err(Fault::Malformed);
        }
        self.newest = Key::new(&self.name, &next.group_key).map_err(|_| Fault::Malformed)?;
        self.identities.push(next);
        Ok(())
    }

    /// Whether a certificate makes this header final: the expensive part, two pairings.
    pub(crate) fn check(&self, certificate: &Certificate<'_>, last: &Header) -> Result<(), Fault> {
        let identity = self.at(certificate.epoch).ok_or(Fault::Forged)?;
        let signed = match certificate.epoch == self.epoch() {
            true => self.newest.holds(certificate),
            false => {
                Key::new(&self.name, &identity.group_key).is_ok_and(|key| key.holds(certificate))
            }
        };
        if !signed || last.height < identity.height {
            return Err(Fault::Forged);
        }
        let next = certificate.epoch.checked_add(1).and_then(|epoch| self.at(epoch));
        match next {
            Some(next) if last.height >= next.height => Err(Fault::Replaced),
            _ => Ok(()),
        }
    }
}

impl Verifier {
    /// Follows the next succession: `proof` shows, in the last block of the newest validators known here, who
    /// makes the blocks after it; and that block.
    ///
    /// # Errors
    /// [`Fault::Malformed`], [`Fault::BrokenChain`], [`Fault::Forged`] or [`Fault::FalseProof`], in no
    /// promised order. Nothing is followed then.
    pub fn succeed(&mut self, proof: &StateProof) -> Result<(Identity, Header), Fault> {
        let headers = linked(&proof.finality)?;
        let certificate = Certificate::read(&proof.finality.certificate).ok_or(Fault::Malformed)?;
        let [last] = headers.as_slice() else { return Err(Fault::BrokenChain) };
        // It is named by those whom it replaces, and by nobody before them.
        if certificate.epoch != self.epoch() {
            return Err(Fault::BrokenChain);
        }
        let key = self.epoch().checked_add(1).and_then(succession_key).ok_or(Fault::Malformed)?;
        let record = Self::record(last, &key, proof)?.ok_or(Fault::Malformed)?;
        let next = Identity::read(record).ok_or(Fault::Malformed)?;
        let next = Identity { last: Some(last.name), ..next };
        if last.height.checked_add(1) != Some(next.height) {
            return Err(Fault::BrokenChain);
        }
        self.chain.check(&certificate, last)?;
        self.chain.add(next)?;
        Ok((next, last.clone()))
    }

    /// The epoch of the newest validators known here: how many successions were followed.
    pub fn epoch(&self) -> u64 {
        self.chain.epoch()
    }

    /// All validators known here, by epoch; the first are the trust root's.
    pub fn identities(&self) -> &[Identity] {
        self.chain.identities()
    }

    /// The headers that a certificate makes final, if they may be the newest: those who were replaced can sign
    /// for any of their heights still, so nothing of theirs counts but the last block that is known of them.
    ///
    /// # Errors
    /// As [`Self::finality`]; [`Fault::Lags`] for what was the newest once, or never was.
    pub fn newest(&self, finality: &Finality) -> Result<Vec<Header>, Fault> {
        let headers = self.finality(finality)?;
        let ends = headers.last().is_some_and(|last| self.ends_with(last));
        if ends || self.is_of_now(finality) { Ok(headers) } else { Err(Fault::Lags) }
    }

    /// Whether a certificate is of the newest validators known here.
    pub(crate) fn is_of_now(&self, finality: &Finality) -> bool {
        let epoch = Certificate::read(&finality.certificate).map(|one| one.epoch);
        epoch.is_some_and(|epoch| epoch >= self.epoch())
    }

    /// Whether a block is known as the last one of validators who were replaced.
    pub(crate) fn ends_with(&self, header: &Header) -> bool {
        self.chain.ends_with(header)
    }

    /// Whether what is shown is of validators known here. If not, successions are to be asked for first. What
    /// can't be read is of nobody else.
    pub fn knows(&self, finality: &Finality) -> bool {
        let epoch = Certificate::read(&finality.certificate).map(|one| one.epoch);
        epoch.is_none_or(|epoch| epoch <= self.epoch())
    }
}
