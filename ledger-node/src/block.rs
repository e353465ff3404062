//! A header with its transactions, as validators send and keep it.

use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize as _, Read, ReadExt as _, Write};
use commonware_consensus::{
    Block as ConsensusBlock, BoundedBlock, CertifiableBlock, Heightable, types::Height,
};
use commonware_cryptography::{Digestible, Hasher as _, Sha256};
use ledger::limits::BLOCK_BYTES_MAX;

use crate::header::{Context, Digest, Header};
use crate::transactions::Transactions;

/// Least bytes of a transaction: a body with its chain, signer, key and signature. It bounds how
/// many a block can hold before any is read.
const TRANSACTION_BYTES_MIN: usize = 128;

/// A header with its transactions. The bytes of each are as their signers sent them: whether they
/// are transactions at all is for who executes the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) transactions: Transactions,
}

/// SHA-256 over length ‖ bytes of each transaction; lengths are 4 bytes, big-endian.
pub(crate) fn body_root(transactions: &Transactions) -> Digest {
    Sha256::hash(&[transactions.as_bytes()])
}

/// Most bytes of transactions in a block, and most transactions.
fn bounds() -> (usize, usize) {
    let bytes = usize::try_from(BLOCK_BYTES_MAX).expect("a few MiB fit");
    (bytes, bytes / TRANSACTION_BYTES_MIN)
}

impl Write for Block {
    fn write(&self, buffer: &mut impl BufMut) {
        self.header.write(buffer);
        self.transactions.count().write(buffer);
        buffer.put_slice(self.transactions.as_bytes());
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        self.header.encode_size() + u32::SIZE + self.transactions.as_bytes().len()
    }
}

impl Read for Block {
    type Cfg = ();

    fn read_cfg(buffer: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let (bytes_max, count_max) = bounds();
        let invalid = |what| Error::Invalid("block", what);
        let header = Header::read(buffer)?;
        let count = u32::read(buffer)?;
        if usize::try_from(count).map_or(true, |count| count > count_max) {
            return Err(invalid("too many transactions"));
        }
        let transactions = Transactions::read(count, bytes_max, buffer)?;
        if body_root(&transactions) != header.body_root {
            return Err(invalid("other transactions than the header's"));
        }
        Ok(Self { header, transactions })
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        self.header.digest()
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        self.header.height
    }
}

impl ConsensusBlock for Block {
    fn parent(&self) -> Digest {
        self.header.parent
    }
}

impl CertifiableBlock for Block {
    type Context = Context;

    fn context(&self) -> Context {
        self.header.context.clone()
    }
}

impl BoundedBlock for Block {
    fn max_encode_size((): &()) -> usize {
        let (bytes, count) = bounds();
        Header::bytes_max() + u32::SIZE + bytes + count * u32::SIZE
    }
}

#[cfg(test)]
mod tests {
    use commonware_codec::{Copying, Decode as _, Encode as _};

    use super::*;

    fn block(transactions: Vec<Vec<u8>>) -> Block {
        let transactions: Transactions = transactions.iter().collect();
        let mut header = Header::genesis(&[7; 32], 5, (Digest::from([1; 32]), 0, 1));
        header.body_root = body_root(&transactions);
        Block { header, transactions }
    }

    fn read(bytes: &[u8]) -> Result<Block, Error> {
        Block::decode_cfg(Copying(bytes), &())
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        for transactions in [vec![], vec![vec![1; 200], vec![], vec![2; 300]]] {
            let block = block(transactions);
            let bytes = block.encode();
            assert!(bytes.len() <= Block::max_encode_size(&()));
            assert_eq!(read(&bytes).unwrap(), block);
        }
    }

    #[test]
    fn every_flipped_bit_is_refused_or_names_another_block() {
        let block = block(vec![vec![1; 20], vec![2; 30]]);
        let bytes = block.encode();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.to_vec();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(found) = read(&other) {
                assert_ne!(found.digest(), block.digest(), "bit {bit}");
            }
        }
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_claimed_size_reserves_no_memory() {
        let mut bytes = block(vec![]).header.encode().to_vec();
        bytes.extend_from_slice(&u32::MAX.to_be_bytes());
        assert!(read(&bytes).is_err());
    }
}
