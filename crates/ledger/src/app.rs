//! The list of domains, and what is asked of all of them.

use minicbor::{Decode, Encode};

use crate::{
    AccountId, BlockContext, Code, Key, Overlay, Scan, block,
    domains::{Broken, Domain, accounts, assets, energy, identity, lending, oracle, paypool},
};

/// Lists the domains once, in the order in which blocks end and laws are asked.
macro_rules! domains {
    ($( $(#[$doc:meta])* $number:literal $name:ident($domain:ty), )*) => {
        /// What a transaction does: one action of one domain.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub enum Action {
            $( $(#[$doc])* #[n($number)] $name(#[n(0)] <$domain as Domain>::Action), )*
        }

        /// What is wrong with an action in any state: the refusal's number.
        pub fn check(action: &Action) -> Result<(), u16> {
            match action {
                $( Action::$name(inner) => {
                    <$domain as Domain>::check(inner).map_err(|refused| refused.code())
                } )*
            }
        }

        /// Bound of what an action costs, in records read and written.
        pub fn work(action: &Action) -> u32 {
            match action {
                $( Action::$name(inner) => <$domain as Domain>::work(inner), )*
            }
        }

        /// Does an action for `signer`. On refusal the caller drops the overlay: what was written
        /// before the refusal is in it.
        pub fn execute(
            context: &BlockContext,
            signer: AccountId,
            action: &Action,
            state: &mut Overlay<'_>,
        ) -> Result<(), u16> {
            match action {
                $( Action::$name(inner) => {
                    <$domain as Domain>::execute(context, signer, inner, state)
                        .map_err(|refused| refused.code())
                } )*
            }
        }

        /// Ends a block in every domain.
        pub(crate) fn end_block(context: &BlockContext, state: &mut Overlay<'_>) {
            $( <$domain as Domain>::end_block(context, state); )*
        }

        /// What a refusal of an action is called, by its number, for people; none: it is of no domain.
        pub fn refusal_name(code: u16) -> Option<&'static str> {
            let all = [$( <<$domain as Domain>::Error>::ALL, )*];
            all.into_iter().flatten().find(|(number, _)| *number == code).map(|(_, name)| *name)
        }

        /// Whether this version reads a record of the state, at which its code stops otherwise; none: its
        /// key is of no table.
        pub fn reads(key: &Key, record: &[u8]) -> Option<bool> {
            block::reads(key, record)
                $( .or_else(|| <$domain as Domain>::reads(key, record)) )*
        }

        /// Every law of every domain.
        pub fn laws(state: &dyn Scan) -> Result<(), Broken> {
            $( <$domain as Domain>::laws(state)?; )*
            Ok(())
        }
    };
}

// The numbers are the domains' prefixes. Accounts first: what others lock is part of what they count.
domains! {
    /// Send, or change keys.
    1 Accounts(accounts::Accounts),
    /// Issue, burn, freeze.
    2 Assets(assets::Assets),
    /// Lock a deposit, set lanes aside, claim vouchers.
    3 Paypool(paypool::Paypool),
    /// Report prices.
    4 Oracle(oracle::Oracle),
    /// Supply, borrow, liquidate.
    5 Lending(lending::Lending),
    /// Make, change, recover, stop a DID.
    6 Identity(identity::Identity),
    /// Share energy: communities, meters, readings, settlement.
    7 Energy(energy::Energy),
}
