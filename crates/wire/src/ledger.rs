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

/// A page of records whose keys begin alike, as they are after the last final block. Nothing proves it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Records {
    /// Blocks since genesis.
    #[n(0)]
    pub height: u64,
    /// When that block was made, in milliseconds since 1970-01-01 UTC.
    #[n(1)]
    pub time_ms: u64,
    /// At most [`limits::LEDGER_RECORDS_MAX`](crate::limits::LEDGER_RECORDS_MAX), keys in ascending order.
    #[n(2)]
    pub records: Vec<(ByteVec, ByteVec)>,
    /// Whether there are others behind the last one.
    #[n(3)]
    pub more: bool,
}

/// Which validators took over from which, one after the other: each is the proof of the record that names
/// the next ones' key, after the last block of those before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Successions(
    /// At most [`limits::LEDGER_SUCCESSIONS_MAX`](crate::limits::LEDGER_SUCCESSIONS_MAX).
    #[n(0)]
    pub Vec<StateProof>,
);

impl Successions {
    /// The bytes that are sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what a stranger sent; see [`Finality::read`].
    pub fn read(bytes: &[u8]) -> Option<Self> {
        read(bytes).filter(|Self(all)| {
            all.len() <= crate::limits::LEDGER_SUCCESSIONS_MAX
                && all.iter().all(|proof| proof.finality.is_bounded())
        })
    }
}

impl Records {
    /// The bytes that are sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what a stranger sent; see [`Finality::read`]. Keys out of order are something else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        read(bytes).filter(|page: &Self| {
            page.records.len() <= crate::limits::LEDGER_RECORDS_MAX
                && page.records.is_sorted_by(|(one, _), (next, _)| one.as_slice() < next.as_slice())
        })
    }
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

    #[test]
    fn a_list_of_successions_is_bounded() {
        let finality = Finality::new(vec![vec![1; 3]], vec![3; 83]);
        let proof = StateProof { record: None, proof: vec![9; 5].into(), finality };
        let list = |count: usize| Successions(vec![proof.clone(); count]);
        for count in [0, 1, crate::limits::LEDGER_SUCCESSIONS_MAX] {
            assert_eq!(Successions::read(&list(count).to_bytes()), Some(list(count)));
        }
        let many = list(crate::limits::LEDGER_SUCCESSIONS_MAX + 1);
        assert_eq!(Successions::read(&many.to_bytes()), None);
        let mut unbounded = list(2);
        unbounded.0[1].finality.headers.clear();
        assert_eq!(Successions::read(&unbounded.to_bytes()), None);
        assert_eq!(list(1).to_bytes()[1..], proof.to_bytes(), "an array of proofs");
    }

    #[test]
    fn a_page_has_its_keys_in_order_and_no_more_than_it_may() {
        let key = |number: usize| number.to_be_bytes().to_vec().into();
        let page = |numbers: &[usize]| {
            let records = numbers.iter().map(|number| (key(*number), vec![7_u8].into())).collect();
            Records { height: 5, time_ms: 6, records, more: true }
        };
        assert_eq!(Records::read(&page(&[1, 2]).to_bytes()), Some(page(&[1, 2])));
        for wrong in [[2, 1], [1, 1]] {
            assert_eq!(Records::read(&page(&wrong).to_bytes()), None);
        }
        let many: Vec<usize> = (0..=crate::limits::LEDGER_RECORDS_MAX).collect();
        assert_eq!(Records::read(&page(&many).to_bytes()), None);
        assert!(Records::read(&page(&many[1..]).to_bytes()).is_some());
    }
}
