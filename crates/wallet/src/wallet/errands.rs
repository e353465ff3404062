//! What servers are asked beside proofs: to take transactions, what became of them, whether somebody paid.

use light_client::{Input as Seen, RequestId};

use super::{
    ASK_EVERY_MS, Errand, Fate, Faucet, Output, REQUESTS_MAX, Receipt, Received, Sent, Wallet,
};

/// Transactions that a server took and that neighbours are told again, at a time; the oldest, on whose numbers the
/// others wait.
const TOLD_AGAIN: usize = 2;
/// Kinds of events that bring units: accounts from and to, an asset and an amount.
const TRANSFERRED: u16 = 0x0100;
/// See [`TRANSFERRED`].
const ISSUED: u16 = 0x0201;

impl Wallet {
    /// Tells a transfer to every server that is up, and to neighbours where they are asked.
    pub(super) fn submit(&mut self, sent: &Sent, out: &mut Vec<Output>) {
        self.submit_up(sent, out);
        self.submit_near(&sent.bytes, out);
    }

    fn submit_up(&mut self, sent: &Sent, out: &mut Vec<Output>) {
        let urls: Vec<String> = self.servers.up().map(|server| server.url.clone()).collect();
        for url in urls {
            let url = format!("{url}/ledger/transactions");
            self.errand(Errand::Submit(sent.id), url, Some(sent.bytes.clone()), out);
        }
    }

    pub(super) fn errand(
        &mut self,
        errand: Errand,
        url: String,
        body: Option<Vec<u8>>,
        out: &mut Vec<Output>,
    ) {
        if self.errands.len() >= REQUESTS_MAX {
            return;
        }
        let request = RequestId(self.next);
        self.next -= 1;
        self.errands.insert(request, errand);
        out.push(Output::Ask { request, url, body });
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
            Errand::Submit(id) => self.on_submitted(id, good || code == "duplicate", out),
            Errand::Receipt if good => {
                let receipt = minicbor::decode::<Receipt>(bytes).ok();
                receipt.iter().for_each(|receipt| self.purse.on_receipt(receipt));
                if receipt.is_some_and(|receipt| self.transfers.on_receipt(&receipt)) {
                    self.save(out);
                }
            }
            Errand::Events if good => self.on_events(bytes),
            Errand::Receipt | Errand::Events | Errand::Pass => {}
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

    fn on_submitted(&mut self, id: ledger::TransactionId, taken: bool, out: &mut Vec<Output>) {
        let found = self.transfers.get_mut(&id).filter(|sent| sent.fate == Fate::Sending);
        if let Some(sent) = found.filter(|_| taken) {
            sent.fate = Fate::Waiting;
            self.save(out);
        }
    }

    /// Transfers to this account, of what a server tells.
    fn on_events(&mut self, bytes: &[u8]) {
        let Ok(receipts) = minicbor::decode::<Vec<Receipt>>(bytes) else { return };
        let mine = |receipt: &Receipt| {
            let event = receipt.events.iter().find(|event| {
                let comes = matches!(event.kind, TRANSFERRED | ISSUED);
                // What an issuer makes for itself is among what was sent.
                comes
                    && event.accounts.get(1) == Some(&self.account)
                    && event.accounts.first() != Some(&self.account)
            })?;
            let asset = u32::try_from(*event.numbers.first()?).ok()?;
            Some(Received {
                id: receipt.transaction.to_string(),
                from: event.accounts.first()?.to_string(),
                units: *event.numbers.get(1)?,
                height: receipt.height,
                asset,
                issued: event.kind == ISSUED,
            })
        };
        self.received = receipts.iter().filter_map(mine).collect();
    }

    pub(super) fn has_questions(&self) -> bool {
        let is_up = self.servers.up().next().is_some();
        let near = self.near.is_asked();
        let open = |sent: &Sent| match sent.fate {
            Fate::Sending | Fate::Waiting => is_up || near,
            Fate::Final => is_up,
            Fate::Done | Fate::Refused | Fate::Expired => false,
        };
        (is_up && self.curious) || self.transfers.list.iter().any(open)
    }

    /// What became of transfers, and whether somebody sent one: when the balance changed, and while
    /// something is open.
    pub(super) fn ask_now_and_then(&mut self, out: &mut Vec<Output>) {
        let due = self.now_ms.saturating_sub(self.asked_ms) >= ASK_EVERY_MS;
        if !due || !self.has_questions() {
            return;
        }
        // A server that died after it took a transfer: the others are asked by turns.
        let up: Vec<String> = self.servers.up().map(|server| server.url.clone()).collect();
        let turn = usize::try_from(self.now_ms / ASK_EVERY_MS).unwrap_or_default();
        self.asked_ms = self.now_ms;
        let all: Vec<Sent> = self.transfers.list.clone();
        if let Some(url) = up.get(turn % up.len().max(1)) {
            self.curious = false;
            let events = format!("{url}/ledger/accounts/{}/events", self.account);
            self.errand(Errand::Events, events, None, out);
            for sent in all.iter().rev().filter(|sent| sent.fate == Fate::Final) {
                let receipt = format!("{url}/ledger/receipts/{}", sent.id);
                self.errand(Errand::Receipt, receipt, None, out);
            }
        }
        for sent in all.iter().filter(|sent| sent.fate == Fate::Sending) {
            self.submit(sent, out);
        }
        let taken = || all.iter().filter(|sent| sent.fate == Fate::Waiting);
        if self.servers.take_lost() {
            taken().for_each(|sent| self.submit_up(sent, out));
        }
        // Its servers may be gone with it: those of neighbours are told, where these are asked.
        taken().take(TOLD_AGAIN).for_each(|sent| self.submit_near(&sent.bytes, out));
    }
}
