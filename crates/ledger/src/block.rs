//! A block: its transactions one after the other, each whole or not at all.

use core::fmt;

use minicbor::{Decode, Encode};

use crate::{
    AccountId, AssetId, Changes, Checked, Code, Key, Overlay, Params, Prefix, Receipt, Refusal,
    Store, app, domains::accounts, id::ChainId, state::Table,
};

pub(crate) const TIP: Table<Tip> = Table::new(Prefix::Chain, 0);
pub(crate) const PARAMS: Table<Params> = Table::new(Prefix::Chain, 1);
const SUCCESSIONS: Table<Succession> = Table::new(Prefix::Chain, 2);

/// The last block of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Tip {
    /// For which ledger this is the state.
    #[n(0)]
    pub chain: ChainId,
    /// Blocks since genesis, which is 0.
    #[n(1)]
    pub height: u64,
    /// When, in milliseconds since 1970-01-01 UTC, by the agreement of the validators.
    #[n(2)]
    pub time_ms: u64,
}

/// Other validators from a block on. The last block of those before writes it, so that their certificate
/// names the key of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Succession {
    /// The first block of the next validators.
    #[n(0)]
    pub height: u64,
    /// Their shared key, 96 bytes: what their certificates are checked against.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 96],
}

/// The last block of this state; none before genesis.
pub fn tip(store: &dyn Store) -> Option<Tip> {
    TIP.get(store, &[])
}

/// What this chain has chosen; none before genesis.
pub fn params(store: &dyn Store) -> Option<Params> {
    PARAMS.get(store, &[])
}

/// Where the record of what this chain has chosen is.
pub fn params_key() -> Key {
    PARAMS.key(&[])
}

/// Where it is said which validators make the blocks of an epoch. Those of epoch 0 are in no record.
pub fn succession_key(epoch: u32) -> Key {
    SUCCESSIONS.key(&[&epoch.to_be_bytes()])
}

/// Whether this version reads a record; none: its key is of no table of the chain itself.
pub(crate) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    let tip = TIP.reads(key, record);
    tip.or_else(|| PARAMS.reads(key, record)).or_else(|| SUCCESSIONS.reads(key, record))
}

/// What domains know of the block they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockContext {
    /// The ledger.
    pub chain: ChainId,
    /// Blocks since genesis.
    pub height: u64,
    /// Milliseconds since 1970-01-01 UTC; never less than the block before.
    pub time_ms: u64,
}

impl BlockContext {
    /// Whole seconds since 1970-01-01 UTC: the resolution in which domains count time.
    pub fn now_s(&self) -> u64 {
        self.time_ms / 1000
    }
}

/// What was agreed on.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// One more than the block before.
    pub height: u64,
    /// Milliseconds since 1970-01-01 UTC, not before the block before.
    pub time_ms: u64,
    /// In this order.
    pub transactions: &'a [Checked],
}

/// What a block did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// One per transaction, in order.
    pub receipts: Vec<Receipt>,
    /// What to write.
    pub changes: Changes,
}

/// Why this is no block on this state, in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockError {
    /// The state has no genesis.
    NoGenesis,
    /// Not the next block.
    Height {
        /// The next block's height.
        expected: u64,
        /// The height found.
        found: u64,
    },
    /// Before the last block.
    Time {
        /// The last block's time in milliseconds.
        earliest_ms: u64,
        /// The time found.
        found_ms: u64,
    },
    /// It holds a transaction that no block may hold here.
    Refused {
        /// Its position.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGenesis => f.write_str("the state has no genesis"),
            Self::Height { expected, found } => {
                write!(f, "expected height {expected}, found {found}")
            }
            Self::Time { earliest_ms, found_ms } => {
                write!(f, "expected a time from {earliest_ms} ms, found {found_ms} ms")
            }
            Self::Refused { index, refusal } => {
                write!(f, "transaction {index} may not be here: refusal {}", refusal.code())
            }
        }
    }
}

impl core::error::Error for BlockError {}

/// Applies a block that others made. An error: it is no block on this state.
pub fn apply(store: &dyn Store, block: &Block<'_>) -> Result<Applied, BlockError> {
    let mut run = BlockRun::begin(store, block.height, block.time_ms)?;
    for (index, transaction) in block.transactions.iter().enumerate() {
        run.push(transaction).map_err(|refusal| BlockError::Refused { index, refusal })?;
    }
    Ok(run.finish())
}

/// A block in the making: whoever builds one pushes what waits, and leaves out what is refused.
#[derive(Debug)]
pub struct BlockRun<'a> {
    context: BlockContext,
    params: Params,
    state: Overlay<'a>,
    receipts: Vec<Receipt>,
    size_bytes: u64,
    work: u64,
}

impl<'a> BlockRun<'a> {
    /// The next block on a state.
    pub fn begin(store: &'a dyn Store, height: u64, time_ms: u64) -> Result<Self, BlockError> {
        let last = tip(store).ok_or(BlockError::NoGenesis)?;
        let params = params(store).ok_or(BlockError::NoGenesis)?;
        let expected = last.height.checked_add(1).ok_or(BlockError::NoGenesis)?;
        if height != expected {
            return Err(BlockError::Height { expected, found: height });
        }
        if time_ms < last.time_ms {
            return Err(BlockError::Time { earliest_ms: last.time_ms, found_ms: time_ms });
        }
        let context = BlockContext { chain: last.chain, height, time_ms };
        let state = Overlay::new(store);
        Ok(Self { context, params, state, receipts: Vec::new(), size_bytes: 0, work: 0 })
    }

    /// What the chain has chosen.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// From this block on the chain has other choices, as all its validators know from elsewhere: before
    /// any transaction. `None`: blocks would be larger than the code bounds, and nothing is changed.
    pub fn choose(&mut self, params: Params) -> Option<()> {
        if !params.fits() {
            return None;
        }
        PARAMS.put(&mut self.state, &[], &params);
        self.params = params;
        Some(())
    }

    /// This is the last block of its validators, as all of them know from elsewhere: it names the next.
    pub fn succeed(&mut self, epoch: u32, succession: &Succession) {
        SUCCESSIONS.put(&mut self.state, &[&epoch.to_be_bytes()], succession);
    }

    /// Runs the next transaction. A refusal leaves the block as it was.
    pub fn push(&mut self, checked: &Checked) -> Result<&Receipt, Refusal> {
        self.admit(checked)?;
        let body = &checked.transaction().body;
        let mut paid = Overlay::new(&self.state);
        accounts::count(&mut paid, body.signer);
        match self.params.fee_account {
            Some(to) => accounts::send(&mut paid, AssetId::NATIVE, body.signer, to, body.fee),
            None => accounts::burn(&mut paid, AssetId::NATIVE, body.signer, body.fee),
        }
        .map_err(|_| Refusal::CannotPayFee)?;
        let mut done = Overlay::new(&paid);
        let outcome = app::execute(&self.context, body.signer, &body.action, &mut done);
        let (changes, events) = done.into_parts();
        let (mut kept, _) = paid.into_parts();
        let (code, events) = match outcome {
            Ok(()) => {
                kept.extend(changes);
                (0, events)
            }
            Err(code) => (code, Vec::new()),
        };
        self.state.absorb(kept);
        self.size_bytes += checked.size_bytes();
        self.work += u64::from(checked.work());
        let index = u32::try_from(self.receipts.len()).expect("a block's bytes bound its count");
        Ok(self.receipts.push_mut(Receipt {
            transaction: checked.id(),
            height: self.context.height,
            index,
            code,
            fee: body.fee,
            events,
        }))
    }

    /// Whether this transaction may be next; nothing is changed.
    pub fn admit(&self, checked: &Checked) -> Result<(), Refusal> {
        let (transaction, body) = (checked.transaction(), &checked.transaction().body);
        if body.expiry_height < self.context.height {
            return Err(Refusal::Expired);
        }
        if !accounts::has_policy(&self.state, body.signer, &transaction.policy) {
            return Err(Refusal::OtherKeys);
        }
        if accounts::nonce(&self.state, body.signer) != body.nonce {
            return Err(Refusal::Nonce);
        }
        if body.fee < self.params.fee(checked.size_bytes(), checked.work()) {
            return Err(Refusal::FeeTooLow);
        }
        if accounts::spendable(&self.state, body.signer, AssetId::NATIVE) < body.fee {
            return Err(Refusal::CannotPayFee);
        }
        let size_bytes = self.size_bytes + checked.size_bytes();
        let work = self.work + u64::from(checked.work());
        if size_bytes > self.params.block_bytes_max || work > self.params.block_work_max {
            return Err(Refusal::BlockFull);
        }
        Ok(())
    }

    /// Ends the block.
    pub fn finish(mut self) -> Applied {
        app::end_block(&self.context, &mut self.state);
        let BlockContext { chain, height, time_ms } = self.context;
        TIP.put(&mut self.state, &[], &Tip { chain, height, time_ms });
        let (changes, _) = self.state.into_parts();
        Applied { receipts: self.receipts, changes }
    }

    /// What the transactions so far changed; what the end of a block does comes behind them.
    pub fn changes(&self) -> &Changes {
        self.state.changes()
    }

    /// Receipts so far.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The next number of an account, transactions of this block counted.
    pub fn nonce(&self, account: AccountId) -> u64 {
        accounts::nonce(&self.state, account)
    }
}
