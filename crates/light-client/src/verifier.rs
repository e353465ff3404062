//! One trust root's eyes.

use primitives::sha256;
use wire::ledger::{Finality, StateProof};

use crate::{
    Fault, Header, Identity, RootError, TrustRoot, certificate::Certificate, proof,
    succession::Chain,
};

/// Checks what servers say against one trust root. It remembers nothing but which validators followed on
/// which.
#[derive(Clone)]
pub struct Verifier {
    pub(crate) chain: Chain,
}

impl core::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier for one ledger.
    ///
    /// # Errors
    /// The root's key is no key.
    pub fn new(root: &TrustRoot) -> Result<Self, RootError> {
        Chain::new(root).map(|chain| Self { chain })
    }

    /// The same, with all the validators that it knew before: [`Self::identities`] as they were kept.
    ///
    /// # Errors
    /// The root's key is no key, or they are not what follows on it.
    pub fn resume(root: &TrustRoot, identities: &[Identity]) -> Result<Self, RootError> {
        let mut verifier = Self::new(root)?;
        for identity in identities.iter().skip(1) {
            verifier.chain.add(*identity).map_err(|_| RootError::Key)?;
        }
        Ok(verifier)
    }

    /// The headers that a certificate makes final: first the one meant, last the one signed. Those who were
    /// replaced can sign for their heights still: what is to be true now is [`Self::newest`].
    ///
    /// # Errors
    /// In order: [`Fault::Malformed`], [`Fault::BrokenChain`], [`Fault::Forged`], [`Fault::Replaced`].
    pub fn finality(&self, finality: &Finality) -> Result<Vec<Header>, Fault> {
        let headers = linked(finality)?;
        let last = headers.last().ok_or(Fault::Malformed)?;
        self.check(finality, last)?;
        Ok(headers)
    }

    /// What is under the record's key, by a server's whole answer, and the header of the block in whose state it is;
    /// none: nothing is.
    ///
    /// # Errors
    /// [`Fault::Malformed`], as [`Self::finality`], [`Fault::FalseProof`].
    pub fn answer(&self, key: &[u8], answer: &[u8]) -> Result<(Header, Option<Vec<u8>>), Fault> {
        let proof = StateProof::read(answer).ok_or(Fault::Malformed)?;
        let header = self.finality(&proof.finality)?.into_iter().next().ok_or(Fault::Malformed)?;
        let record = Self::record(&header, key, &proof)?.map(<[u8]>::to_vec);
        Ok((header, record))
    }

    /// Whether the certificate holds for the last header.
    pub(crate) fn check(&self, finality: &Finality, last: &Header) -> Result<(), Fault> {
        let certificate = Certificate::read(&finality.certificate).ok_or(Fault::Malformed)?;
        self.chain.check(&certificate, last)
    }

    /// What is under the record's key in the state of a header that is final; none: nothing is.
    ///
    /// # Errors
    /// [`Fault::FalseProof`].
    pub fn record<'p>(
        header: &Header,
        key: &[u8],
        proof: &'p StateProof,
    ) -> Result<Option<&'p [u8]>, Fault> {
        let name = *sha256(key).as_bytes();
        let holds = match &proof.record {
            Some(record) => {
                let value = *sha256(record).as_bytes();
                proof::is_held(&proof.proof, name, value, &header.state_root)
            }
            None => proof::is_absent(&proof.proof, &name, &header.state_root),
        };
        let record = proof.record.as_ref().map(|record| record.as_slice());
        if holds { Ok(record) } else { Err(Fault::FalseProof) }
    }
}

/// The headers, each the parent of the next, the last named by the certificate, whose signature is
/// not looked at.
pub(crate) fn linked(finality: &Finality) -> Result<Vec<Header>, Fault> {
    let read = |bytes: &minicbor::bytes::ByteVec| Header::read(bytes);
    let headers: Option<Vec<Header>> = finality.headers.iter().map(read).collect();
    let headers = headers.ok_or(Fault::Malformed)?;
    let certificate = Certificate::read(&finality.certificate).ok_or(Fault::Malformed)?;
    let follows = |pair: &[Header]| match pair {
        [one, next] => next.parent == one.name && one.height.checked_add(1) == Some(next.height),
        _ => true,
    };
    let last = headers.last().ok_or(Fault::Malformed)?;
    // Nobody signs block 0.
    let signed = last.name == certificate.names && headers.iter().all(|header| header.height > 0);
    if signed && headers.windows(2).all(follows) { Ok(headers) } else { Err(Fault::BrokenChain) }
}
