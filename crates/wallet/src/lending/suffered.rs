//! What others did to an account's positions, as a server tells it. Receipts are in no root: nothing of it is
//! proved. That something is gone shows in the position, which is.

use ledger::{AccountId, Event, Receipt, domains::lending::LIQUIDATED};

use super::{Part, Place};

/// Most liquidations that are told.
pub const SUFFERED_MAX: usize = 20;

/// A liquidation of the account by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suffered {
    /// The transaction's name, hexadecimal.
    pub id: String,
    /// In which block.
    pub height: u64,
    /// Who repaid.
    pub by: AccountId,
    /// What was repaid.
    pub repaid: Part,
    /// What was taken for it, with the market's share.
    pub taken: Part,
}

/// Those that a server's list of the account's receipts tells of (CBOR), newest first. None: it is no such list.
pub fn suffered(receipts: &[u8], account: AccountId) -> Option<Vec<Suffered>> {
    let receipts = minicbor::decode::<Vec<Receipt>>(receipts).ok()?;
    let told = receipts.iter().filter_map(|receipt| of(receipt, account));
    Some(told.take(SUFFERED_MAX).collect())
}

fn of(receipt: &Receipt, account: AccountId) -> Option<Suffered> {
    let tells =
        |event: &&Event| event.kind == LIQUIDATED && event.accounts.get(1) == Some(&account);
    let event = receipt.events.iter().find(tells)?;
    let &[market, collateral, debt, repaid, seized, fee] = event.numbers.as_slice() else {
        return None;
    };
    let market = u32::try_from(market).ok()?;
    let part = |reserve: u128, amount| {
        let reserve = u8::try_from(reserve).ok()?;
        Some(Part { place: Place { market, reserve }, amount })
    };
    Some(Suffered {
        id: receipt.transaction.to_string(),
        height: receipt.height,
        by: *event.accounts.first()?,
        repaid: part(debt, repaid)?,
        taken: part(collateral, seized.saturating_add(fee))?,
    })
}

#[cfg(test)]
mod tests {
    use ledger::TransactionId;

    use super::*;

    const MINE: AccountId = AccountId::new([1; 32]);
    const OTHER: AccountId = AccountId::new([2; 32]);

    fn receipt(accounts: [AccountId; 2], numbers: Vec<u128>) -> Receipt {
        let event = Event { kind: LIQUIDATED, accounts: accounts.to_vec(), numbers };
        let transaction = TransactionId::new([7; 32]);
        Receipt { transaction, height: 9, index: 0, code: 0, fee: 1, events: vec![event] }
    }

    fn told(receipts: Vec<Receipt>) -> Vec<Suffered> {
        suffered(&minicbor::to_vec(receipts).unwrap(), MINE).unwrap()
    }

    #[test]
    fn only_what_others_did_to_this_account_is_told_with_all_that_was_taken() {
        let numbers = vec![3, 1, 0, 500, 40, 2];
        let list = told(vec![
            receipt([MINE, OTHER], numbers.clone()),
            receipt([OTHER, MINE], numbers.clone()),
            // Of another form: a market that can't be one, and a number too few.
            receipt([OTHER, MINE], vec![u128::MAX, 1, 0, 500, 40, 2]),
            receipt([OTHER, MINE], vec![3, 1, 0, 500, 40]),
        ]);
        let [only] = list.as_slice() else { panic!("{list:?}") };
        let part = |reserve, amount| Part { place: Place { market: 3, reserve }, amount };
        assert_eq!((only.by, only.height), (OTHER, 9));
        assert_eq!((only.repaid, only.taken), (part(0, 500), part(1, 42)));
        let many = (0..SUFFERED_MAX + 1).map(|_| receipt([OTHER, MINE], numbers.clone()));
        assert_eq!(told(many.collect()).len(), SUFFERED_MAX);
    }

    #[test]
    fn what_is_no_list_is_none() {
        assert_eq!(suffered(b"<html>", MINE), None);
        assert_eq!(suffered(&[], MINE), None);
    }
}
