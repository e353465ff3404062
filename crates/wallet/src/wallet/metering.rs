//! What the wallet does for pages of energy: its meters sign, then its account.

use ledger::{Action, Prefix, domains::energy};

use super::{Output, Wallet};
use crate::{transfers, view};

impl Wallet {
    /// Signs and sends what is asked of a community. `units` of the ledger's own asset go into it; what a
    /// meter says in it is signed by the key of this number. Whether the community would refuse, the page
    /// looked up before (`crate::energy`).
    pub(super) fn act_in_community(
        &mut self,
        bytes: &[u8],
        units: u128,
        device: Option<u8>,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let action: energy::Action = minicbor::decode(bytes).map_err(|_| "action")?;
        let action = self.signed_by_meter(action, device).ok_or("action")?;
        let brief = view::to_bytes(&brief(&action));
        let action = Action::Energy(action);
        ledger::check(&action).map_err(|_| "action")?;
        let domain = Some(Prefix::Energy.byte());
        let act = view::Act { action: brief, code: 0, amount: None, seized: None, domain };
        let mut order = self.order(action, self.account, units)?;
        order.act = Some(act);
        let params = self.holdings.params.as_ref().ok_or("not-fresh")?;
        let fee = transfers::fee(&self.key, self.chain, params, &order).ok_or("not-fresh")?;
        self.dispatch(&order, fee, out)
    }

    /// With the signatures of a meter, where it takes any; none: there is no such key.
    fn signed_by_meter(
        &self,
        action: energy::Action,
        device: Option<u8>,
    ) -> Option<energy::Action> {
        let Some(device) = device else { return Some(action) };
        Some(match action {
            energy::Action::AddMeter { community, source, connection_w, .. } => {
                let (key, proof) =
                    self.devices.bring(device, self.chain, community, self.account)?;
                energy::Action::AddMeter { community, key, source, connection_w, proof }
            }
            energy::Action::Read { readings } => {
                let sign = |said| self.devices.sign(device, self.chain, said);
                energy::Action::Read { readings: readings.iter().map(sign).collect::<Option<_>>()? }
            }
            other => other,
        })
    }
}

/// What is remembered of an action: of readings the first and the last.
fn brief(action: &energy::Action) -> energy::Action {
    let energy::Action::Read { readings } = action else { return action.clone() };
    let ends = [readings.first(), readings.get(1..).and_then(<[_]>::last)];
    energy::Action::Read { readings: ends.into_iter().flatten().cloned().collect() }
}
