//! What a validator reads of strangers: blocks, votes, certificates and transactions of other validators, and the file
//! of a snapshot. One function that takes any bytes and must not panic, for tests and for `fuzz/`.

use std::sync::LazyLock;

use commonware_codec::{Copying, Decode, DecodeExt as _, Encode};
use commonware_consensus::{
    BoundedBlock as _,
    simplex::types::{Certificate, Vote},
    types::Height,
};
use ledger::{
    AccountId, Action, AssetId, BlockRun, Body, Checked, Genesis, MemoryStore, Params, Transaction,
    domains::accounts,
};
use minicbor::bytes::ByteVec;
use primitives::{KeyPair, Seed};
use wire::ledger::Finality;

use crate::block::{Block, body_root};
use crate::header::{Digest, Header, Scheme};
use crate::mempool::{Mempool, PER_ACCOUNT_MAX};
use crate::snapshot::skim::skim;
use crate::transactions::{Transactions, parts};

/// Transactions of a script.
const TRANSACTIONS_MAX: usize = 8;
/// Longest transaction of a script, in bytes.
const TRANSACTION_BYTES_MAX: u16 = 1_024;
/// Keys of ours.
const KEYS: u64 = 3;
/// A point that a signature can be: the generator of the group.
const POINT: [u8; 48] = [
    0x97, 0xf1, 0xd3, 0xa7, 0x31, 0x97, 0xd7, 0x94, 0x26, 0x95, 0x63, 0x8c, 0x4f, 0xa9, 0xac, 0x0f,
    0xc3, 0x68, 0x8c, 0x4f, 0x97, 0x74, 0xb9, 0x05, 0xa1, 0x4e, 0x3a, 0x3f, 0x17, 0x1b, 0xac, 0x58,
    0x6c, 0x55, 0xe8, 0x3f, 0xf9, 0x7a, 0x1a, 0xef, 0xfb, 0x3a, 0xf0, 0x0a, 0xdb, 0x22, 0xc6, 0xbb,
];

static GENESIS: LazyLock<Genesis> = LazyLock::new(|| Genesis {
    name: "fuzz".to_owned(),
    time_ms: 0,
    params: Params::default(),
    symbol: "STAR".to_owned(),
    decimals: 6,
    allocations: (0..KEYS).map(|number| (account(number), 1 << 60)).collect(),
});

/// Reads it as everything that it could be. What was read is written and read again as the same. Besides, the bytes are a
/// script of transactions, for a block names the hash of its own: they come in a block, and one by one as others tell
/// them, each also signed by a key of ours.
pub fn run(bytes: &[u8]) {
    survives::<Block>(bytes);
    survives::<Header>(bytes);
    survives::<Vote<Scheme, Digest>>(bytes);
    survives::<Certificate<Scheme, Digest>>(bytes);
    drop(skim(bytes));
    let told: usize = parts(bytes).map(<[u8]>::len).sum();
    assert!(told <= bytes.len(), "a message holds no more than it is long");
    let transactions = script(bytes);
    let block = block_of(1, transactions.iter().collect());
    let read = Block::decode(Copying(&block.encode()[..]));
    assert_eq!(read.ok(), Some(block), "a block of a leader is read");
    hear(&transactions);
}

fn survives<T: Decode<Cfg = ()> + Encode>(bytes: &[u8]) {
    let Ok(read) = T::decode(Copying(bytes)) else { return };
    let written = read.encode();
    assert!(written.len() <= Block::max_encode_size(&()));
    let again = T::decode(Copying(&written[..])).map(|again| again.encode());
    assert_eq!(again.ok(), Some(written), "it survives being written");
}

/// A block of these transactions, whatever they are, as a leader sends it.
fn block_of(height: u64, transactions: Transactions) -> Block {
    let mut header = Header::genesis(&[7; 32], 5, (Digest::from([1; 32]), 0, 1));
    header.height = Height::new(height);
    header.body_root = body_root(&transactions);
    Block { header, transactions }
}

/// Each begins with its length, in two bytes.
fn script(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut transactions = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<2>()
        && transactions.len() < TRANSACTIONS_MAX
    {
        let length = usize::from(u16::from_be_bytes(*length) % TRANSACTION_BYTES_MAX);
        let (transaction, tail) = tail.split_at(length.min(tail.len()));
        transactions.push(transaction.to_vec());
        rest = tail;
    }
    transactions
}

/// What waits is within its bounds, and what a leader takes of it is of this ledger.
fn hear(transactions: &[Vec<u8>]) {
    let mut state = MemoryStore::new();
    state.commit(GENESIS.changes().expect("a ledger begins so"));
    let mut pool = Mempool::default();
    let mut take = |bytes: &[u8]| {
        let checked = Checked::open(bytes, GENESIS.chain());
        checked.is_ok_and(|checked| pool.insert(&state, checked).is_ok())
    };
    let mut taken = 0;
    for (number, bytes) in (0..).zip(transactions) {
        taken += usize::from(take(bytes));
        if let Ok(transaction) = minicbor::decode::<Transaction>(bytes) {
            let mut body = transaction.body;
            let from = number % KEYS;
            (body.version, body.chain, body.signer) = (1, GENESIS.chain(), account(from));
            let is_ahead = body.nonce >= PER_ACCOUNT_MAX;
            let is_taken = take(&body.sign(&key(from)).to_bytes());
            assert!(!(is_ahead && is_taken), "it is too far ahead");
            taken += usize::from(is_taken);
        }
    }
    let (count, bytes) = pool.size();
    assert!(count <= taken && (count > 0) == (bytes > 0), "{count} of {taken}, {bytes} bytes");
    let mut run = BlockRun::begin(&state, 1, 1).expect("the next block of this ledger");
    let next = pool.fill(&mut run).transactions;
    assert!(next.count() <= u32::try_from(count).expect("bounded"));
    for bytes in next.iter() {
        assert!(Checked::open(bytes, GENESIS.chain()).is_ok(), "a leader proposes what is none");
    }
}

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn account(number: u64) -> AccountId {
    AccountId::of_key(key(number).id())
}

/// One of everything.
pub fn seeds() -> Vec<Vec<u8>> {
    let transfer = |nonce, fee| {
        let (asset, to) = (AssetId::NATIVE, AccountId::of_domain("somebody"));
        let action = Action::Accounts(accounts::Action::Transfer { asset, to, amount: 5 });
        let mut body = Body::new(GENESIS.chain(), account(0), nonce, action);
        (body.fee, body.expiry_height) = (fee, 9);
        body.sign(&key(0)).to_bytes()
    };
    let transactions = vec![transfer(0, 1 << 30), transfer(0, 1 << 31), transfer(1, 1 << 30)];
    let mut script = Vec::new();
    for transaction in &transactions {
        let length = u16::try_from(transaction.len()).expect("a transfer is short");
        script.extend(length.to_be_bytes());
        script.extend(transaction);
    }
    let block = block_of(3, transactions.iter().collect());
    let header = block.header.encode().to_vec();
    let block = block.encode().to_vec();
    let proposal = [&[0, 5, 4][..], &[7; 32]].concat();
    let certificate = [&proposal[..], &POINT].concat();
    let mut seeds = vec![script, snapshot(&header, &block, &certificate), header, block];
    for tag in 0..3_u8 {
        // None is voted for in a round alone.
        let about = if tag == 1 { &proposal[..2] } else { &proposal[..] };
        seeds.push([&[tag][..], about, &[1], &POINT].concat());
        seeds.push([&[tag][..], about, &POINT].concat());
    }
    seeds
}

/// A file of that form, with an update of the log and a record.
fn snapshot(header: &[u8], block: &[u8], certificate: &[u8]) -> Vec<u8> {
    let finality = Finality::new(vec![header.to_vec()], certificate.to_vec());
    let bytes = |bytes: &[u8]| ByteVec::from(bytes.to_vec());
    let head = minicbor::to_vec((finality, bytes(block))).expect("into memory");
    let page = vec![(bytes(b"key"), bytes(b"record"))];
    let page = minicbor::to_vec(page).expect("into memory");
    let mut file = b"starling-ledger-snapshot-1".to_vec();
    // A log's answer: operations, of a proof of one leaf and no digests, none of them.
    for part in [&head[..], &[0, 1, 0, 0, 0], &[], &page, &[]] {
        let length = u32::try_from(part.len()).expect("short");
        file.extend(length.to_be_bytes());
        file.extend(part);
    }
    file
}

#[cfg(test)]
mod tests;
