//! Whether more than two thirds of the validators signed a header.
//!
//! A certificate is one BLS12-381 signature (RFC 9380 hashing to G1, key in G2) over what the engine
//! signs: the length and bytes of a namespace, then the proposal that names the header.

use bls12_381::{
    G1Affine, G1Projective, G2Affine, G2Prepared, Gt,
    hash_to_curve::{ExpandMessageState, HashToCurve, InitExpandMessage},
};
use primitives::{Hash, Hasher};

use crate::{RootError, reader::Reader};

/// The ciphersuite's tag (draft-irtf-cfrg-bls-signature, proof of possession).
const TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
/// What the namespace of a finalization ends with.
const FINALIZE: &[u8] = b"_FINALIZE";
/// Two field elements of 64 bytes are drawn for each message.
const EXPANDED_BYTES: usize = 128;

/// The group's key, made ready for pairings.
#[derive(Clone)]
pub(crate) struct Key {
    namespace: Vec<u8>,
    key: G2Prepared,
    generator: G2Prepared,
}

/// Takes a certificate apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Certificate<'a> {
    /// Of which validators it is.
    pub(crate) epoch: u64,
    /// Name of the header that it makes final.
    pub(crate) names: Hash,
    /// What was signed.
    proposal: &'a [u8],
    signature: [u8; 48],
}

impl<'a> Certificate<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (proposal, signature) = bytes.split_at_checked(bytes.len().checked_sub(48)?)?;
        let mut reader = Reader::new(proposal);
        let epoch = reader.varint()?;
        let _view = reader.varint()?;
        let _parent_view = reader.varint()?;
        let names = Hash::new(reader.array()?);
        reader.end(Self { epoch, names, proposal, signature: signature.try_into().ok()? })
    }
}

impl Key {
    pub(crate) fn new(chain: &Hash, group_key: &[u8; 96]) -> Result<Self, RootError> {
        let point = Option::<G2Affine>::from(G2Affine::from_compressed(group_key));
        let key = point.filter(|point| !bool::from(point.is_identity())).ok_or(RootError::Key)?;
        let namespace = [b"starling/ledger/1", chain.as_bytes().as_slice(), FINALIZE].concat();
        Ok(Self { namespace, key: key.into(), generator: (-G2Affine::generator()).into() })
    }

    /// Whether the group signed this.
    pub(crate) fn holds(&self, certificate: &Certificate<'_>) -> bool {
        let point = Option::<G1Affine>::from(G1Affine::from_compressed(&certificate.signature));
        let Some(signature) = point.filter(|point| !bool::from(point.is_identity())) else {
            return false;
        };
        let hashed = G1Affine::from(hash_to_group(&message(&self.namespace, certificate.proposal)));
        let terms = [(&hashed, &self.key), (&signature, &self.generator)];
        bls12_381::multi_miller_loop(&terms).final_exponentiation() == Gt::identity()
    }
}

/// What is signed: length of the namespace (one byte, it is short) ‖ namespace ‖ proposal.
pub(crate) fn message(namespace: &[u8], proposal: &[u8]) -> Vec<u8> {
    let length = u8::try_from(namespace.len()).unwrap_or(u8::MAX);
    [&[length], namespace, proposal].concat()
}

/// A message as a point of G1.
pub(crate) fn hash_to_group(message: &[u8]) -> G1Projective {
    <G1Projective as HashToCurve<Xmd>>::hash_to_curve(message, TAG)
}

/// `expand_message_xmd` with SHA-256 (RFC 9380, 5.3.1), by the hash we have already.
struct Xmd;

struct Expanded {
    bytes: [u8; EXPANDED_BYTES],
    read: usize,
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    *hasher.finish().as_bytes()
}

impl<'x> InitExpandMessage<'x> for Xmd {
    type Expander = Expanded;

    fn init_expand(message: &[u8], tag: &'x [u8], length: usize) -> Expanded {
        debug_assert_eq!(length, EXPANDED_BYTES, "two elements of Fp");
        let length = u16::try_from(length).unwrap_or_default().to_be_bytes();
        let ending = [tag, &[u8::try_from(tag.len()).unwrap_or_default()]].concat();
        let first = hash(&[&[0; 64], message, &length, &[0], &ending]);
        let mut block = [0; 32];
        let mut bytes = [0; EXPANDED_BYTES];
        for (number, out) in (1..).zip(bytes.chunks_exact_mut(32)) {
            let mut mixed = first;
            mixed.iter_mut().zip(block).for_each(|(byte, before)| *byte ^= before);
            block = hash(&[&mixed, &[number], &ending]);
            out.copy_from_slice(&block);
        }
        Expanded { bytes, read: 0 }
    }
}

impl ExpandMessageState<'_> for Expanded {
    fn read_into(&mut self, output: &mut [u8]) -> usize {
        let count = output.len().min(self.remain());
        output[..count].copy_from_slice(&self.bytes[self.read..self.read + count]);
        self.read += count;
        count
    }

    fn remain(&self) -> usize {
        EXPANDED_BYTES - self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9380, appendix J.9.1: hashing "abc" to G1 with the suite's test tag.
    #[test]
    fn hashing_to_the_group_is_the_standards() {
        let tag = b"QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";
        let point = <G1Projective as HashToCurve<Xmd>>::hash_to_curve(b"abc", tag);
        let found = G1Affine::from(point).to_uncompressed();
        let hex: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        let (x, y) = hex.split_at(96);
        assert_eq!(
            x,
            "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903"
        );
        assert_eq!(
            y,
            "0b9c15f3fe6e5cf4211f346271d7b01c8f3b28be689c8429c85b67af215533311f0b8dfaaa154fa6b88176c229f2885d"
        );
    }
}
