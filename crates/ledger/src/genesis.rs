//! What a ledger begins with.

use core::fmt;

use minicbor::{Decode, Encode};

use crate::{
    AccountId, AssetId, ChainId, Changes, MemoryStore, Overlay, Params,
    block::{PARAMS, TIP, Tip},
    domains::accounts,
    limits::{DECIMALS_MAX, SYMBOL_BYTES_MAX},
    state::encode,
};

/// What a ledger begins with. Its hash is the ledger's name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Genesis {
    /// What people call the network.
    #[n(0)]
    pub name: String,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    #[n(1)]
    pub time_ms: u64,
    /// Fees and bounds.
    #[n(2)]
    pub params: Params,
    /// Symbol of the ledger's own asset.
    #[n(3)]
    pub symbol: String,
    /// Decimals by which its units are shown.
    #[n(4)]
    pub decimals: u8,
    /// Who holds how many units at the start.
    #[n(5)]
    pub allocations: Vec<(AccountId, u128)>,
}

/// Why this is no genesis, in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenesisError {
    /// Blocks beyond what the code bounds.
    Params,
    /// A symbol or decimals that no asset may have.
    Asset,
    /// More units than fit.
    Supply,
}

impl fmt::Display for GenesisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Params => "the parameters allow larger blocks than the code",
            Self::Asset => "no asset may have this symbol or these decimals",
            Self::Supply => "the allocations are more than 128 bits hold",
        })
    }
}

impl core::error::Error for GenesisError {}

impl Genesis {
    /// The ledger's name.
    pub fn chain(&self) -> ChainId {
        ChainId::of_bytes(b"starling/genesis/1", &encode(self))
    }

    /// The records of block 0.
    pub fn changes(&self) -> Result<Changes, GenesisError> {
        if !self.params.fits() {
            return Err(GenesisError::Params);
        }
        let symbol = 1..=SYMBOL_BYTES_MAX;
        if !symbol.contains(&self.symbol.len()) || self.decimals > DECIMALS_MAX {
            return Err(GenesisError::Asset);
        }
        let empty = MemoryStore::new();
        let mut state = Overlay::new(&empty);
        let tip = Tip { chain: self.chain(), height: 0, time_ms: self.time_ms };
        TIP.put(&mut state, &[], &tip);
        PARAMS.put(&mut state, &[], &self.params);
        for (account, amount) in &self.allocations {
            accounts::mint(&mut state, AssetId::NATIVE, *account, *amount)
                .map_err(|_| GenesisError::Supply)?;
        }
        Ok(state.into_parts().0)
    }
}
