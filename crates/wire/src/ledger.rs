//! What a server of the ledger gives a light client: CBOR (RFC 8949), the same bytes over HTTP, a
//! WebSocket or a data channel. CDDL and what is inside the byte strings: `docs/spec/ledger.md`.

use minicbor::{Decode, Encode, bytes::ByteVec};

/// That a header is final: a certificate of it or of a block built on it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Finality {
    /// At most [`limits::LEDGER_HEADERS_MAX`](crate::limits::LEDGER_HEADERS_MAX), from the one meant
    /// to the one that the certificate names, each the parent of the next.
    #[n(0)]
    pub headers: Vec<ByteVec>,
    /// Of the last header.
    #[n(1)]
    pub certificate: ByteVec,
}

/// What is under a key after the first header's block, or that nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StateProof {
    /// The record; none: it is absent.
    #[n(0)]
    pub record: Option<ByteVec>,
    /// Of the key, or of its absence, against the first header's state root.
    #[n(1)]
    pub proof: ByteVec,
    /// That the block is final.
    #[n(2)]
    pub finality: Finality,
}

impl Finality {
    /// From bytes as a server has them.
    pub fn new(headers: Vec<Vec<u8>>, certificate: Vec<u8>) -> Self {
        Self {
            headers: headers.into_iter().map(ByteVec::from).collect(),
            certificate: certificate.into(),
        }
    }

    /// The bytes that are sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what a stranger sent. `None`: it is something else, or longer than
    /// [`limits::LEDGER_ANSWER_BYTES_MAX`](crate::limits::LEDGER_ANSWER_BYTES_MAX).
    pub fn read(bytes: &[u8]) -> Option<Self> {
        read(bytes).filter(Self::is_bounded)
    }

    fn is_bounded(&self) -> bool {
        (1..=crate::limits::LEDGER_HEADERS_MAX).contains(&self.headers.len())
    }
}

impl StateProof {
    /// The bytes that are sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what a stranger sent; see [`Finality::read`].
    pub fn read(bytes: &[u8]) -> Option<Self> {
        read(bytes).filter(|proof: &Self| proof.finality.is_bounded())
    }
}

fn encode(value: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}

fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    if bytes.len() > crate::limits::LEDGER_ANSWER_BYTES_MAX {
        return None;
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().ok()?;
    (decoder.position() == bytes.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_behind_it() {
        let finality = Finality::new(vec![vec![1; 3], vec![2; 4]], vec![3; 83]);
        let proof =
            StateProof { record: None, proof: vec![9; 5].into(), finality: finality.clone() };
        assert_eq!(StateProof::read(&proof.to_bytes()), Some(proof.clone()));
        let mut bytes = finality.to_bytes();
        assert_eq!(Finality::read(&bytes), Some(finality));
        for end in 0..bytes.len() {
            assert_eq!(Finality::read(&bytes[..end]), None, "cut at {end}");
        }
        bytes.push(0);
        assert_eq!(Finality::read(&bytes), None);
        assert_eq!(Finality::read(&Finality::new(vec![], vec![]).to_bytes()), None);
    }
}
