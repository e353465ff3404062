//! What came to the account, as servers tell it, a page at a time. Nothing of it is proved.

use ledger::{AccountId, Receipt};

use crate::view::{FromPool, Received};

/// Most that is remembered of what came, in a visit: eight pages.
pub(crate) const RECEIVED_MAX: usize = 400;
/// Receipts on a full page (`docs/spec/ledger.md`, "HTTP").
const PAGE_MAX: usize = 50;
/// Kinds of events that bring units: accounts from and to, an asset and an amount.
const TRANSFERRED: u16 = 0x0100;
/// See [`TRANSFERRED`].
const ISSUED: u16 = 0x0201;
/// A pool paid what was promised: payer and payee, the pool and an amount.
const CLAIMED: u16 = 0x0304;
/// A pool is over: payer, the pool and what was left.
const CLOSED: u16 = 0x0307;

/// Where a page begins: behind the transaction of this block that has this place in it. A host that does not know of
/// places tells what is below that block.
pub(crate) type Before = (u64, u32);

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Newest first.
    list: Vec<Received>,
    /// The highest block of what was told.
    newest: u64,
    /// Older ones are before this; none: there are none, or none that is remembered.
    before: Option<Before>,
    is_wanted: bool,
}

impl Past {
    pub(crate) fn list(&self) -> &[Received] {
        &self.list
    }

    /// Whether older ones can be asked for.
    pub(crate) const fn has_older(&self) -> bool {
        self.before.is_some()
    }

    pub(crate) const fn want_older(&mut self) {
        self.is_wanted = self.has_older();
    }

    /// Before what to ask, if older ones are wanted; once.
    pub(crate) fn take_wanted(&mut self) -> Option<Before> {
        core::mem::take(&mut self.is_wanted).then_some(self.before).flatten()
    }

    /// Takes the newest page in place of what was told of its blocks.
    pub(crate) fn on_newest(&mut self, account: AccountId, page: &[Receipt]) {
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return };
        let is_gap = page.len() >= PAGE_MAX && last.height > self.newest;
        if self.newest == 0 || is_gap {
            // What lies between is not known: older ones are asked for from here.
            self.list.clear();
            self.before = next(page);
        }
        self.newest = first.height;
        // A full page may end within a block.
        let mut list: Vec<Received> = page.iter().flat_map(|one| came(account, one)).collect();
        let is_older = |one: &Received| one.height <= last.height;
        let older = std::mem::take(&mut self.list).into_iter().filter(is_older);
        let older: Vec<Received> = older.filter(|one| !has(page, one)).collect();
        list.extend(older);
        self.list = list;
        self.trim();
    }

    /// Takes a page that was asked for before a transaction.
    pub(crate) fn on_older(&mut self, account: AccountId, before: Before, page: &[Receipt]) {
        if self.before != Some(before) {
            return;
        }
        // Nobody is asked the same again, whatever is told.
        self.before = next(page).filter(|next| *next < before);
        self.list.retain(|one| !has(page, one));
        self.list.extend(page.iter().flat_map(|one| came(account, one)));
        self.trim();
    }

    fn trim(&mut self) {
        if self.list.len() >= RECEIVED_MAX {
            self.list.truncate(RECEIVED_MAX);
            self.before = None;
        }
    }

    /// Pools that paid, each once.
    pub(crate) fn pools(&self) -> Vec<u64> {
        let paid = self.list.iter().filter_map(|one| one.pool.filter(|pool| !pool.rest));
        let mut numbers: Vec<u64> = paid.map(|pool| pool.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// Before what the page behind a full one is.
fn next(page: &[Receipt]) -> Option<Before> {
    let last = page.last().filter(|_| page.len() >= PAGE_MAX)?;
    Some((last.height, last.index))
}

fn has(page: &[Receipt], one: &Received) -> bool {
    page.iter()
        .any(|receipt| receipt.height == one.height && receipt.transaction.to_string() == one.id)
}

/// What a transaction brought.
fn came(account: AccountId, receipt: &Receipt) -> impl Iterator<Item = Received> {
    receipt.events.iter().filter_map(move |event| {
        let is = |at: usize| event.accounts.get(at) == Some(&account);
        let number = |at: usize| event.numbers.get(at).copied();
        let pool = |rest| {
            let number = u64::try_from(number(0)?).ok()?;
            Some(FromPool { number, rest, is_known: rest })
        };
        let (asset, pool) = match event.kind {
            // What an issuer makes for itself is among what was sent.
            TRANSFERRED | ISSUED if is(1) && !is(0) => (u32::try_from(number(0)?).ok()?, None),
            CLAIMED if is(1) => (0, Some(pool(false)?)),
            CLOSED if is(0) => (0, Some(pool(true)?)),
            _ => return None,
        };
        Some(Received {
            id: receipt.transaction.to_string(),
            from: event.accounts.first()?.to_string(),
            units: number(1).filter(|units| *units > 0)?,
            height: receipt.height,
            asset,
            issued: event.kind == ISSUED,
            pool,
        })
    })
}

#[cfg(test)]
mod tests {
    use ledger::{Event, TransactionId};

    use super::*;

    fn me() -> AccountId {
        AccountId::new([1; 32])
    }

    fn receipt(number: u8, height: u64, event: Event) -> Receipt {
        let transaction = TransactionId::new([number; 32]);
        Receipt { transaction, height, index: 0, code: 0, fee: 1, events: vec![event] }
    }

    fn event(kind: u16, accounts: &[u8], numbers: &[u128]) -> Event {
        let accounts = accounts.iter().map(|one| AccountId::new([*one; 32])).collect();
        Event { kind, accounts, numbers: numbers.to_vec() }
    }

    /// A transfer of as many units as its number, one in each block of that number.
    fn gift(number: u8) -> Receipt {
        receipt(number, number.into(), event(TRANSFERRED, &[9, 1], &[0, u128::from(number)]))
    }

    /// What a host tells: before that, or the newest up to a block.
    fn page(newest: u8, before: Option<Before>, history: &[Receipt]) -> Vec<Receipt> {
        let until = before.unwrap_or((u64::from(newest) + 1, 0));
        let is_older = |one: &&Receipt| (one.height, one.index) < until;
        history.iter().filter(is_older).take(PAGE_MAX).cloned().collect()
    }

    fn numbers(past: &Past) -> Vec<u128> {
        past.list().iter().map(|one| one.units).collect()
    }

    #[test]
    fn older_pages_are_added_and_what_is_new_does_not_push_them_out() {
        let history: Vec<Receipt> = (1..=120).rev().map(gift).collect();
        let mut past = Past::default();
        past.on_newest(me(), &page(118, None, &history[2..]));
        assert_eq!((numbers(&past).len(), past.has_older()), (50, true));
        past.want_older();
        let before = past.take_wanted().unwrap();
        assert_eq!(past.take_wanted(), None, "it is asked once");
        past.on_older(me(), before, &page(118, Some(before), &history));
        past.on_older(me(), before, &[]);
        assert_eq!(numbers(&past), (19..=118).rev().collect::<Vec<_>>());
        past.on_newest(me(), &page(120, None, &history));
        assert_eq!(numbers(&past), (19..=120).rev().collect::<Vec<_>>());
        past.want_older();
        let before = past.take_wanted().unwrap();
        past.on_older(me(), before, &page(120, Some(before), &history));
        assert_eq!(numbers(&past), (1..=120).rev().collect::<Vec<_>>());
        assert!(!past.has_older());
    }

    #[test]
    fn a_page_that_ends_within_a_block_leaves_nothing_out_however_much_is_in_that() {
        let in_block = |height| {
            move |(at, mut one): (u32, Receipt)| {
                (one.height, one.index) = (height, at);
                one
            }
        };
        let all = |numbers: core::ops::RangeInclusive<u8>| (0_u32..).zip(numbers.map(gift));
        let mut history: Vec<Receipt> = all(1..=140).map(in_block(4)).collect();
        history.extend(all(141..=150).map(in_block(9)));
        history.reverse();
        let mut past = Past::default();
        past.on_newest(me(), &page(9, None, &history));
        for told in [100, 150] {
            past.want_older();
            let before = past.take_wanted().unwrap();
            assert_eq!(before.0, 4);
            past.on_older(me(), before, &page(9, Some(before), &history));
            assert_eq!(numbers(&past).len(), told);
        }
        assert_eq!(numbers(&past), (1..=150).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_host_that_tells_the_same_again_is_asked_once() {
        let history: Vec<Receipt> = (1..=50).rev().map(gift).collect();
        let mut past = Past::default();
        past.on_newest(me(), &history);
        past.want_older();
        let before = past.take_wanted().unwrap();
        past.on_older(me(), before, &history);
        assert_eq!((numbers(&past).len(), past.has_older()), (50, false));
    }

    #[test]
    fn after_more_than_a_page_of_news_older_ones_are_asked_for_from_there() {
        let history: Vec<Receipt> = (1..=200).rev().map(gift).collect();
        let mut past = Past::default();
        past.on_newest(me(), &history[140..]);
        assert_eq!(numbers(&past).len(), 60);
        past.on_newest(me(), &page(200, None, &history));
        assert_eq!(numbers(&past), (151..=200).rev().collect::<Vec<_>>());
        past.want_older();
        assert_eq!(past.take_wanted(), Some((151, 0)));
    }

    #[test]
    fn what_a_pool_paid_and_what_was_left_of_ones_own_came_too() {
        let page = [
            receipt(4, 9, event(CLAIMED, &[7, 1], &[3, 500, 900, 1])),
            receipt(3, 8, event(CLOSED, &[1], &[2, 40])),
            receipt(2, 7, event(CLOSED, &[7], &[3, 40])),
            receipt(1, 6, event(CLAIMED, &[1, 7], &[2, 500, 900, 1])),
            receipt(0, 5, event(CLOSED, &[1], &[5, 0])),
        ];
        let mut past = Past::default();
        past.on_newest(me(), &page);
        let pool = |number, rest| Some(FromPool { number, rest, is_known: rest });
        let told: Vec<_> = past.list().iter().map(|one| (one.units, one.pool)).collect();
        assert_eq!(told, [(500, pool(3, false)), (40, pool(2, true))]);
        assert_eq!(past.pools(), [3]);
    }
}
