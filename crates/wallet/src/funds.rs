//! Funds as a page shows them: what one of their pools paid to an account, out of records that are proved.
//!
//! A fund says what it paid (`docs/spec/payments.md`, "Funds"); the account's lane on the ledger says whether it did.
//! The page runs this, not the wallet, as it runs [`crate::lending`].

use ledger::{
    AccountId,
    domains::paypool::{Lane, lane_key},
};
use light_client::TrustRoot;

use crate::view::Records;

/// What a pool paid into an account, proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// Units, of the account's newest lane.
    pub units: u128,
    /// After which block.
    pub height: u64,
}

/// Whether a trust root is of the ledger that a fund names. Pools of two ledgers have the same numbers.
pub fn is_of(root: &str, chain: &str) -> bool {
    root.parse::<TrustRoot>().is_ok_and(|root| root.chain.to_string() == chain)
}

/// The key of the record that says what a pool paid into an account; `None`: it is no account.
pub fn lane(pool: u64, account: &str) -> Option<Vec<u8>> {
    let account: AccountId = account.parse().ok()?;
    Some(lane_key(pool, account).as_bytes().to_vec())
}

/// What it paid; `None`: it is not proved, or can't be read.
pub fn paid(records: &Records, pool: u64, account: &str) -> Option<Paid> {
    let key = lane(pool, account)?;
    let found = records.list.iter().find(|one| one.key.as_slice() == key)?;
    let units = match &found.record {
        Some(record) => minicbor::decode::<Lane>(record.as_slice()).ok()?.redeemed,
        None => 0,
    };
    Some(Paid { units, height: found.height })
}

#[cfg(test)]
mod tests {
    use primitives::Hash;

    use super::*;
    use crate::view::Record;

    const POOL: u64 = 7;

    fn records(pool: u64, account: &str, record: Option<Vec<u8>>) -> Records {
        let (key, record) = (lane(pool, account).unwrap().into(), record.map(Into::into));
        Records { list: vec![Record { key, record, height: 12, time_ms: 0 }] }
    }

    #[test]
    fn what_was_paid_is_what_the_lane_of_this_pool_and_account_says() {
        let (mine, other) = ("a1".repeat(32), "b2".repeat(32));
        let lane = Lane { reserve: 900, redeemed: 700, epoch: 1, open: true };
        let proved = records(POOL, &mine, Some(minicbor::to_vec(lane).unwrap()));
        assert_eq!(paid(&proved, POOL, &mine), Some(Paid { units: 700, height: 12 }));
        assert_eq!(paid(&proved, POOL + 1, &mine), None, "another pool");
        assert_eq!(paid(&proved, POOL, &other), None, "somebody else");
        assert_eq!(paid(&proved, POOL, "me"), None);
        let nothing = records(POOL, &mine, None);
        assert_eq!(paid(&nothing, POOL, &mine), Some(Paid { units: 0, height: 12 }));
        let unread = records(POOL, &mine, Some(vec![0xff]));
        assert_eq!(paid(&unread, POOL, &mine), None);
    }

    #[test]
    fn a_pool_of_another_ledger_is_not_looked_up_on_this_one() {
        let root = TrustRoot { chain: Hash::new([3; 32]), group_key: [0; 96] }.to_string();
        assert!(is_of(&root, &"03".repeat(32)));
        assert!(!is_of(&root, &"04".repeat(32)));
        assert!(!is_of("", "") && !is_of("no root", "no root"));
    }
}
