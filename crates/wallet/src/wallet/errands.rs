//! What servers are asked beside proofs: to take transactions, what became of them, whether somebody paid.

use ledger::TransactionId;
use light_client::{Input as Seen, RequestId};

use super::{ASK_EVERY_MS, Errand, Fate, Faucet, Output, REQUESTS_MAX, Receipt, Sent, Wallet};
use crate::{
    holdings::Record,
    past::Before,
    purse::About,
    transfers::{ASKED_LONGEST_MS, TOLD_LONGEST_MS},
    view::{self, Unwanted},
};

/// Transactions that a server took and that neighbours are told again, at a time; the oldest, on whose numbers the
/// others wait.
const TOLD_AGAIN: usize = 2;
/// Most receipts that are asked for at a time, the newest first.
const RECEIPTS_AT_ONCE: usize = 8;
/// Most pools that paid and of which it is not known what they hold that are proved after each page of what came.
const POOLS_PROVED: usize = 8;
/// Longest code of an error.
const CODE_BYTES_MAX: usize = 32;

impl Wallet {
    /// Tells a transfer to every server that is up, and to neighbours where they are asked.
    pub(super) fn submit(&mut self, sent: &Sent, out: &mut Vec<Output>) {
        self.submit_up(sent, out);
        let is_told = self.submit_near(&sent.bytes, out);
        if let Some(sent) = self.transfers.get_mut(&sent.id).filter(|_| is_told) {
            // Neighbours say nothing to it.
            sent.taken = Some(true);
        }
    }

    fn submit_up(&mut self, sent: &Sent, out: &mut Vec<Output>) {
        let urls: Vec<String> = self.servers.up().map(|server| server.url.clone()).collect();
        for url in urls {
            let url = format!("{url}/ledger/transactions");
            self.errand(Errand::Submit(sent.id), url, Some(sent.bytes.clone()), out);
        }
    }

    /// Asks, if there is room for one more request; whether there was.
    pub(super) fn errand(
        &mut self,
        errand: Errand,
        url: String,
        body: Option<Vec<u8>>,
        out: &mut Vec<Output>,
    ) -> bool {
        if self.errands.len() >= REQUESTS_MAX {
            return false;
        }
        let request = RequestId(self.next);
        self.next -= 1;
        self.errands.insert(request, errand);
        out.push(Output::Ask { request, url, body });
        true
    }

    pub(super) fn on_answer(
        &mut self,
        request: RequestId,
        status: u16,
        code: &str,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let good = (200..300).contains(&status);
        let Some(errand) = self.errands.remove(&request) else {
            let seen = if good { Seen::Answered { request, bytes } } else { Seen::Failed(request) };
            self.see(seen, out);
            return;
        };
        match errand {
            Errand::Submit(id) if good || code == "duplicate" => self.on_taken(id, out),
            Errand::Submit(id) => self.on_unwanted(id, (status, code), bytes, out),
            Errand::Receipt(..) if good => {
                let receipt = minicbor::decode::<Receipt>(bytes).ok();
                receipt.iter().for_each(|receipt| self.purse.on_receipt(receipt));
                if receipt.is_some_and(|receipt| self.transfers.on_receipt(&receipt)) {
                    self.save(out);
                }
            }
            Errand::Receipt(id, height) if status == 404 && code == "unknown" => {
                // Who keeps all names none.
                let since = named(bytes, "since").unwrap_or_default();
                if self.transfers.on_unknown(&id, height, since) {
                    self.save(out);
                }
            }
            Errand::Events if good => self.on_events(bytes, None),
            Errand::Older(before) if good => self.on_events(bytes, Some(before)),
            Errand::Receipt(..) | Errand::Events | Errand::Older(_) | Errand::Pass => {}
            Errand::Faucet => {
                self.faucet = match code {
                    _ if good => Faucet::Ready,
                    "enough" => Faucet::Enough,
                    "unknown" | "off" => Faucet::None,
                    _ => Faucet::Failed,
                };
            }
        }
    }

    fn on_taken(&mut self, id: TransactionId, out: &mut Vec<Output>) {
        let found = self.transfers.get_mut(&id).filter(|sent| sent.fate == Fate::Sending);
        if let Some(sent) = found {
            sent.fate = Fate::Waiting;
            sent.tries = Default::default();
            self.save(out);
        }
    }

    /// A server did not take one, and says why: it is told again less and less often, until the person gives it up.
    fn on_unwanted(
        &mut self,
        id: TransactionId,
        (status, code): (u16, &str),
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let found = self.transfers.get_mut(&id).filter(|sent| sent.fate == Fate::Sending);
        let Some(sent) = found.filter(|_| status >= 400 && code.len() <= CODE_BYTES_MAX) else {
            return;
        };
        let number = named(bytes, "refusal").and_then(|number| u16::try_from(number).ok());
        sent.tries.unwanted = Some((code.to_owned(), number.unwrap_or_default()));
        sent.tries.note(self.now_ms, TOLD_LONGEST_MS);
        if code == "refused" {
            self.doubt_prices(out);
        }
    }

    /// Tells one to nobody any more that servers did not take.
    pub(super) fn give_up(&mut self, id: &str, out: &mut Vec<Output>) -> Result<(), &'static str> {
        if !self.transfers.give_up(id) {
            return Err("taken");
        }
        self.save(out);
        Ok(())
    }

    /// What no server takes, to be shown.
    pub(super) fn unwanted(&self) -> Vec<Unwanted> {
        let unwanted = |sent: &Sent| {
            let (code, number) = sent.tries.unwanted.clone()?;
            (sent.fate == Fate::Sending).then(|| Unwanted { id: sent.id.to_string(), code, number })
        };
        self.transfers.list.iter().filter_map(unwanted).collect()
    }

    /// What came to this account, of what a server tells: the newest page, or one before a transaction.
    fn on_events(&mut self, bytes: &[u8], before: Option<Before>) {
        let Ok(page) = minicbor::decode::<Vec<Receipt>>(bytes) else { return };
        match before {
            None => self.past.on_newest(self.account, &page),
            Some(before) => self.past.on_older(self.account, before, &page),
        }
        let unknown = self.past.pools().into_iter();
        let unknown = unknown.filter(|pool| self.purse.facts.known_pool(*pool).is_none());
        for pool in unknown.take(POOLS_PROVED).collect::<Vec<_>>() {
            self.purse.facts.want(About::Pool(pool), 1);
        }
    }

    /// What came, to be shown: of which asset a pool was, as proved.
    pub(super) fn received(&self) -> Vec<view::Received> {
        let mut list = self.past.list().to_vec();
        for one in &mut list {
            let Some(pool) = one.pool.as_mut().filter(|pool| !pool.rest) else { continue };
            let known = self.purse.facts.known_pool(pool.number);
            if let Some(known) = known.and_then(|known| known.value.as_ref()) {
                one.asset = known.asset.0;
                pool.is_known = true;
            }
        }
        list
    }

    /// When servers are to be asked or told something, or neighbours told; none: there is nothing.
    pub(super) fn asking_ms(&self) -> Option<u64> {
        let is_up = self.servers.up().next().is_some();
        let near = self.near.is_asked();
        let due = |sent: &Sent| {
            let is_taken = sent.fate == Fate::Waiting;
            let told = if is_taken { Some(0) } else { sent.told_ms(self.now_ms) };
            let asked = sent.asked_ms(self.now_ms).filter(|_| is_up);
            told.filter(|_| is_up || near).or(asked)
        };
        let curious = (is_up && self.curious).then_some(0);
        let due = self.transfers.list.iter().filter_map(due).chain(curious).min();
        Some(due?.max(self.asked_ms.saturating_add(ASK_EVERY_MS)))
    }

    /// Tells what no server took, and asks what became of the others, and whether somebody sent something: when the
    /// balance changed, and while something is open.
    pub(super) fn ask_now_and_then(&mut self, out: &mut Vec<Output>) {
        self.ask_older(out);
        if self.asking_ms().is_none_or(|asking_ms| asking_ms > self.now_ms) {
            return;
        }
        self.asked_ms = self.now_ms;
        let all: Vec<Sent> = self.transfers.list.clone();
        // First what is to be told: there may be no room for all questions.
        let now_ms = self.now_ms;
        let is_due = |sent: &&Sent| sent.told_ms(now_ms).is_some_and(|told_ms| told_ms <= now_ms);
        for sent in all.iter().filter(is_due).collect::<Vec<_>>() {
            self.submit(sent, out);
        }
        let taken = || all.iter().filter(|sent| sent.fate == Fate::Waiting);
        if self.servers.take_lost() {
            taken().for_each(|sent| self.submit_up(sent, out));
        }
        // Its servers may be gone with it: those of neighbours are told, where these are asked.
        taken().take(TOLD_AGAIN).for_each(|sent| {
            self.submit_near(&sent.bytes, out);
        });
        self.ask_what_became(&all, out);
    }

    /// A server that died after it took a transfer: the others are asked by turns.
    fn ask_what_became(&mut self, all: &[Sent], out: &mut Vec<Output>) {
        let up: Vec<(String, u64)> =
            self.servers.up().map(|server| (server.url.clone(), server.height)).collect();
        let turn = usize::try_from(self.now_ms / ASK_EVERY_MS).unwrap_or_default();
        // Who is behind the balance does not know yet what changed it.
        let known = self.holdings.height(Record::Balance).unwrap_or_default();
        let abreast: Vec<&(String, u64)> =
            up.iter().filter(|(_, height)| *height >= known).collect();
        if let Some((url, _)) = by_turns(&abreast, turn) {
            let events = format!("{url}/ledger/accounts/{}/events", self.account);
            if self.errand(Errand::Events, events, None, out) {
                self.curious = false;
            }
        }
        let now_ms = self.now_ms;
        let is_due = |sent: &&Sent| sent.asked_ms(now_ms).is_some_and(|due_ms| due_ms <= now_ms);
        for sent in all.iter().rev().filter(is_due).take(RECEIPTS_AT_ONCE) {
            let tries = usize::try_from(sent.tries.count).unwrap_or_default();
            let Some((url, height)) = by_turns(&up, turn.wrapping_add(tries)) else { return };
            let receipt = format!("{url}/ledger/receipts/{}", sent.id);
            let is_asked = self.errand(Errand::Receipt(sent.id, *height), receipt, None, out);
            if let Some(sent) = self.transfers.get_mut(&sent.id).filter(|_| is_asked) {
                sent.tries.note(now_ms, ASKED_LONGEST_MS);
            }
        }
    }

    /// Older ones of what came, for a person who waits.
    fn ask_older(&mut self, out: &mut Vec<Output>) {
        if self.errands.len() >= REQUESTS_MAX {
            // Once there is room.
            return;
        }
        // Who is behind would leave out what lies between.
        let furthest = self.servers.up().min_by_key(|server| core::cmp::Reverse(server.height));
        let Some(url) = furthest.map(|server| server.url.clone()) else { return };
        if let Some(before) = self.past.take_wanted() {
            let (below, index) = before;
            let events = format!("{url}/ledger/accounts/{}/events", self.account);
            let url = format!("{events}?below={below}&index={index}");
            self.errand(Errand::Older(before), url, None, out);
        }
    }
}

/// Whose turn it is.
fn by_turns<T>(list: &[T], turn: usize) -> Option<&T> {
    list.get(turn.checked_rem(list.len())?)
}

/// A number of an error's JSON; none: it does not have that.
fn named(bytes: &[u8], name: &str) -> Option<u64> {
    let text = core::str::from_utf8(bytes).ok()?;
    let (_, after) = text.split_once(&format!("\"{name}\":"))?;
    let digits = after.trim_start().split(|one: char| !one.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_from_an_error() {
        let error = br#"{"error":{"code":"refused","refusal":12,"since": 340}}"#;
        assert_eq!(named(error, "refusal"), Some(12));
        assert_eq!(named(error, "since"), Some(340));
        for other in [&b"{\"since\":\"x\"}"[..], b"\"since\":", b"\xff", b""] {
            assert_eq!(named(other, "since"), None);
        }
    }
}
