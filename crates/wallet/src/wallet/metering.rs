//! What the wallet does for pages of energy: its meters sign, then its account.

use identity::{letter, limits::READERS_MAX};
use ledger::{Action, Prefix, Transaction, domains::energy};

use super::{Output, Wallet, watching::act};
use crate::{devices::Sealed, transfers::Sent, view};

impl Wallet {
    /// Signs and sends what is asked of a community. `units` of the ledger's own asset go into it; what a
    /// meter says in it is signed by the key of this number, and what it commits to sealed for `readers`, if
    /// there are any. Whether the community would refuse, the page looked up before (`crate::energy`).
    pub(super) fn act_in_community(
        &mut self,
        bytes: &[u8],
        units: u128,
        device: Option<u8>,
        readers: &[String],
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let action: energy::Action = minicbor::decode(bytes).map_err(|_| "action")?;
        let action = self.signed_by_meter(action, device).ok_or("action")?;
        if self.contradicts(&action) {
            return Err("contradicts");
        }
        let letters = match (&action, device) {
            (energy::Action::Read { readings }, Some(device)) if !readers.is_empty() => {
                self.letters(readings, device, &keys(readers)?)
            }
            _ => view::Letters::default(),
        };
        let brief = view::to_bytes(&brief(&action));
        let action = Action::Energy(action);
        let act = act(brief, Some(Prefix::Energy));
        self.sign_act(action, act, self.account, units, out)?;
        // Not before: a letter is of what was said, and a reading that was not sent may be said otherwise.
        hand_over(letters, out);
        Ok(())
    }

    /// Whether a meter would say something else of a slot than was said from here: two pages of one account may
    /// have read different files. Both words in one hand cut the meter, whatever became of the first.
    fn contradicts(&self, action: &energy::Action) -> bool {
        let energy::Action::Read { readings } = action else { return false };
        self.transfers.list.iter().any(|sent| {
            let is_said: fn(&[energy::Reading], &energy::Reading) -> bool =
                if sent.is_open() { differs } else { is_used };
            let before = said_in(sent);
            !before.is_empty() && readings.iter().any(|one| is_said(&before, one))
        })
    }

    /// Seals again what readings on the ledger commit to, for people named by their DIDs; without readings,
    /// only looks at the names. Nothing is sent: the page has the letters, to be carried.
    pub(super) fn seal_again(
        &self,
        bytes: &[u8],
        device: u8,
        readers: &[String],
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let readings: Vec<energy::Reading> = minicbor::decode(bytes).map_err(|_| "action")?;
        if readings.len() > energy::READINGS_MAX {
            return Err("action");
        }
        hand_over(self.letters(&readings, device, &keys(readers)?), out);
        Ok(())
    }

    fn letters(
        &self,
        readings: &[energy::Reading],
        device: u8,
        readers: &[[u8; 32]],
    ) -> view::Letters {
        let seal = |said| self.devices.seal(device, self.chain, said, readers);
        let letter = |sealed: Sealed| view::Letter { name: sealed.name, file: sealed.bytes };
        view::Letters { list: readings.iter().filter_map(seal).map(letter).collect() }
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

/// Whom to seal for, of their DIDs.
fn keys(readers: &[String]) -> Result<Vec<[u8; 32]>, &'static str> {
    let keys: Option<Vec<[u8; 32]>> = readers.iter().map(|did| letter::reader(did)).collect();
    let named = 1..=READERS_MAX;
    keys.filter(|keys| named.contains(&keys.len())).ok_or("readers")
}

fn hand_over(letters: view::Letters, out: &mut Vec<Output>) {
    if !letters.list.is_empty() {
        out.push(Output::Letters(letters));
    }
}

/// What meters said in a transaction: all of it while it is on its way, then its first and last, as of the highest
/// revision in it.
fn said_in(sent: &Sent) -> Vec<energy::Reading> {
    let action = if sent.is_open() {
        let transaction = minicbor::decode::<Transaction>(&sent.bytes).ok();
        transaction.and_then(|transaction| match transaction.body.action {
            Action::Energy(action) => Some(action),
            _ => None,
        })
    } else {
        let is_ours = |act: &&view::Act| act.domain == Some(Prefix::Energy.byte());
        let act = sent.act.as_ref().filter(is_ours);
        act.and_then(|act| minicbor::decode(&act.action).ok())
    };
    match action {
        Some(energy::Action::Read { readings }) => readings,
        _ => Vec::new(),
    }
}

/// Whether something else is on its way.
fn differs(before: &[energy::Reading], one: &energy::Reading) -> bool {
    before.iter().any(|said| energy::contradict(said, one))
}

/// Whether its number was used for slots around it, whatever was said of them.
fn is_used(before: &[energy::Reading], one: &energy::Reading) -> bool {
    let (Some(first), Some(last)) = (before.first(), before.last()) else { return false };
    (first.community, first.meter) == (one.community, one.meter)
        && (first.slot..=last.slot).contains(&one.slot)
        && one.revision <= first.revision
}

/// What is remembered of an action: of readings the first and the last, as of the highest revision among them, so
/// that none is said twice ([`crate::energy::Spoken`]).
fn brief(action: &energy::Action) -> energy::Action {
    let energy::Action::Read { readings } = action else { return action.clone() };
    let highest = readings.iter().map(|one| one.revision).max().unwrap_or_default();
    let ends = [readings.first(), readings.get(1..).and_then(<[_]>::last)];
    let end = |one: &energy::Reading| energy::Reading { revision: highest, ..one.clone() };
    energy::Action::Read { readings: ends.into_iter().flatten().map(end).collect() }
}
