//! What the wallet does for pages beside money: proves records they watch, signs what they ask of
//! markets, of names, of assets and of funds' pools.

use ledger::{
    AccountId, Action, AssetId, Prefix,
    domains::{accounts, assets, identity, lending, paypool},
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
        let Some(records) = self.watch.finished() else { return };
        // A page that looks at other assets than the ledger's own: who sent some is asked with each round, since the
        // balance that the wallet itself proves does not tell.
        let native = accounts::balance_key(self.account, AssetId::NATIVE);
        let balances = accounts::balances_prefix(self.account);
        let is_other =
            |key: &[u8]| key.starts_with(balances.as_bytes()) && key != native.as_bytes();
        self.curious |= records.list.iter().any(|one| is_other(&one.key));
        out.push(Output::Records(Box::new(records)));
    }

    /// Sends units of another asset than the ledger's own. Whether the account has them, and whether they are
    /// frozen, the page looked up before (`crate::assets`).
    pub(super) fn send_other(
        &mut self,
        transfer: accounts::Action,
        to: AccountId,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let act = act(view::to_bytes(&transfer), Some(Prefix::Accounts));
        self.sign_act(Action::Accounts(transfer), act, to, 0, out)
    }

    /// Signs and sends what is asked of an asset.
    pub(super) fn act_on_asset(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let action: assets::Action = minicbor::decode(bytes).map_err(|_| "action")?;
        let to = match &action {
            assets::Action::Issue { to, .. } => *to,
            assets::Action::Freeze { account, .. } => *account,
            _ => self.account,
        };
        let act = act(bytes.to_vec(), Some(Prefix::Assets));
        self.sign_act(Action::Assets(action), act, to, 0, out)
    }

    /// Signs and sends what is asked of a pool that no till of this wallet pays from.
    pub(super) fn act_on_pool(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let action: paypool::Action = minicbor::decode(bytes).map_err(|_| "action")?;
        let units = match &action {
            paypool::Action::Open { asset: AssetId::NATIVE, deposit, .. } => *deposit,
            paypool::Action::Reserve { .. }
            | paypool::Action::Extend { .. }
            | paypool::Action::CloseStart { .. }
            | paypool::Action::CloseFinish { .. } => 0,
            _ => return Err("action"),
        };
        let act = act(bytes.to_vec(), Some(Prefix::Paypool));
        self.sign_act(Action::Paypool(action), act, self.account, units, out)
    }

    /// Signs and sends an action that is remembered as such.
    pub(super) fn sign_act(
        &mut self,
        action: Action,
        act: view::Act,
        to: AccountId,
        units: u128,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        ledger::check(&action).map_err(|_| "action")?;
        let mut order = self.order(action, to, units)?;
        order.act = Some(act);
        self.dispatch_for_least(&order, out)
    }

    /// Signs and sends for what it costs.
    fn dispatch_for_least(
        &mut self,
        order: &Order,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let params = self.holdings.params.as_ref().ok_or("not-fresh")?;
        let fee = transfers::fee(&self.key, self.chain, params, order).ok_or("not-fresh")?;
        self.dispatch(order, fee, out)
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
        let act = act(bytes.to_vec(), None);
        self.sign_act(Action::Lending(action), act, self.account, units, out)
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
        self.dispatch_for_least(&order, out)
    }

    /// An action with the account's next number.
    pub(super) fn order(
        &self,
        action: Action,
        to: AccountId,
        units: u128,
    ) -> Result<Order, &'static str> {
        let account = self.holdings.account.as_ref().ok_or("not-fresh")?;
        Ok(Order {
            action,
            to,
            units,
            act: None,
            pool: None,
            note: None,
            nonce: self.transfers.nonce(account.value.nonce),
            height: self.client.head().map_or(0, |head| head.header.height),
            now_ms: self.now_ms,
        })
    }
}

/// What is remembered of an action. Without a domain it is a market's.
pub(super) fn act(action: Vec<u8>, domain: Option<Prefix>) -> view::Act {
    let domain = domain.map(Prefix::byte);
    view::Act { action, code: 0, amount: None, seized: None, domain }
}
