//! What the wallet does for pages beside money: proves records they watch, signs what they ask of
//! markets.

use ledger::{
    Action,
    domains::{identity, lending},
};
use light_client::Input as Seen;

use super::{Output, Wallet};
use crate::{
    transfers::{self, Order},
    view,
};

impl Wallet {
    /// Asks for records that are watched, and hands them over when all are there.
    pub(super) fn ask_watched(&mut self, out: &mut Vec<Output>) {
        while let Some((query, key)) = self.watch.next(self.now_ms) {
            self.see(Seen::Prove { query, key: &key }, out);
        }
        out.extend(self.watch.finished().map(|records| Output::Records(Box::new(records))));
    }

    /// Signs and sends what is asked of a market. `units` of the ledger's own asset go into it. Whether
    /// the market would refuse, the page looked up before (`crate::lending`): this part has no markets.
    pub(super) fn act(
        &mut self,
        bytes: &[u8],
        units: u128,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let action: lending::Action = minicbor::decode(bytes).map_err(|_| "action")?;
        let action = Action::Lending(action);
        ledger::check(&action).map_err(|_| "action")?;
        let act =
            view::Act { action: bytes.to_vec(), code: 0, amount: None, seized: None, domain: None };
        let mut order = self.order(action, self.account, units)?;
        order.act = Some(act);
        let params = self.holdings.params.as_ref().ok_or("not-fresh")?;
        let fee = transfers::fee(&self.key, self.chain, params, &order).ok_or("not-fresh")?;
        self.dispatch(&order, fee, out)
    }

    /// Signs and sends what is asked of a DID. Who may change it, the DID's own keys have signed.
    pub(super) fn act_on_did(
        &mut self,
        bytes: &[u8],
        units: u128,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let action: identity::Action = minicbor::decode(bytes).map_err(|_| "action")?;
        let action = Action::Identity(action);
        ledger::check(&action).map_err(|_| "action")?;
        let order = self.order(action, self.account, units)?;
        let params = self.holdings.params.as_ref().ok_or("not-fresh")?;
        let fee = transfers::fee(&self.key, self.chain, params, &order).ok_or("not-fresh")?;
        self.dispatch(&order, fee, out)
    }

    /// An action with the account's next number.
    pub(super) fn order(
        &self,
        action: Action,
        to: ledger::AccountId,
        units: u128,
    ) -> Result<Order, &'static str> {
        let account = self.holdings.account.as_ref().ok_or("not-fresh")?;
        Ok(Order {
            action,
            to,
            units,
            act: None,
            pool: None,
            nonce: self.transfers.nonce(account.value.nonce),
            height: self.client.head().map_or(0, |head| head.header.height),
            now_ms: self.now_ms,
        })
    }
}
