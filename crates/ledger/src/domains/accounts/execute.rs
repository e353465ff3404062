//! What accounts do.

use super::{
    Action, Error, funds, laws,
    state::{self, read_account, write},
};
use crate::{
    AccountId, BlockContext, Key, Overlay, Policy, Prefix, Scan,
    domains::{Broken, Domain},
};

/// The domain.
#[derive(Debug)]
pub struct Accounts;

impl Domain for Accounts {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        match action {
            Action::Transfer { amount: 0, .. } => Err(Error::NothingToSend),
            Action::Transfer { .. } => Ok(()),
            Action::SetPolicy { policy } => policy.check().map_err(|_| Error::BadPolicy),
        }
    }

    fn work(action: &Action) -> u32 {
        match action {
            Action::Transfer { .. } => 4,
            Action::SetPolicy { .. } => 2,
        }
    }

    fn execute(
        _: &BlockContext,
        signer: AccountId,
        action: &Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Error> {
        Self::check(action)?;
        match action {
            Action::Transfer { to, .. } if *to == signer => Err(Error::ToItself),
            Action::Transfer { asset, to, amount } => {
                funds::send(state, *asset, signer, *to, *amount)?;
                let numbers = [u128::from(asset.0), *amount];
                state.emit(Prefix::Accounts, 0, &[signer, *to], &numbers);
                Ok(())
            }
            Action::SetPolicy { policy } => {
                set_policy(state, signer, policy);
                Ok(())
            }
        }
    }

    /// Nothing waits for the end of a block here.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

fn set_policy(state: &mut Overlay<'_>, signer: AccountId, policy: &Policy) {
    let mut account = read_account(state, signer);
    account.policy = Some(policy.clone());
    write(state, signer, &account);
    let keys = u128::try_from(policy.keys.len()).unwrap_or_default();
    state.emit(Prefix::Accounts, 1, &[signer], &[policy.threshold.into(), keys]);
}
