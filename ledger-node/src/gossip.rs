//! Transactions between validators: whoever is asked tells all, so that the next leader has them.
//!
//! They are told from among those that wait, so that none is forgotten where they come faster than they can be told:
//! the next leader, having nothing, would wait for a heartbeat. A message is one or more of them (`transactions.rs`).
//! What comes while a message rests goes together in the next one: a channel carries few messages and many bytes
//! ([`crate::engine::quota`]), and one that it does not carry would leave a gap in an account's numbers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Spawner, reschedule};
use ledger::Checked;

use crate::application::Core;
use crate::header::PublicKey;
use crate::mempool::Unwanted;
use crate::transactions::parts;

/// A message that has so many bytes takes no further transaction.
const FULL_BYTES: usize = 64 << 10;
/// From one message to the next: half of what the channel carries.
const REST: Duration = Duration::from_millis(2);
/// Transactions that are checked at once, before other tasks have their turn: half a millisecond, and two where one
/// of them is none.
const CHECKED_AT_ONCE: usize = 64;

/// Signatures a second that one validator has others check in vain, a seventh of what a core can; what else it tells in
/// that second is not read, but for the rest of [`CHECKED_AT_ONCE`]. An honest one tells in vain what a block held
/// meanwhile.
const VAIN_PER_S_MAX: u32 = 4096;

/// Tells what came to this validator first, and takes what others tell.
pub(crate) fn start<E: Spawner + Clock>(
    context: &E,
    core: Core,
    mut sender: impl Sender<PublicKey = PublicKey>,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) {
    let mine = core.clone();
    context.child("gossip_out").spawn(|context| async move {
        loop {
            let message = mine.mempool().untold(FULL_BYTES);
            if message.is_empty() {
                mine.untold.notified().await;
                continue;
            }
            sender.send(Recipients::All, message, false);
            context.sleep(REST).await;
        }
    });
    context.child("gossip_in").spawn(|context| async move {
        let mut vain = Vain::default();
        while let Ok((peer, message)) = receiver.recv().await {
            let message: Vec<u8> = message.as_ref().to_vec();
            let mut parts = parts(&message);
            loop {
                let some: Vec<&[u8]> = parts.by_ref().take(CHECKED_AT_ONCE).collect();
                if some.is_empty() || vain.is_over(&peer, context.current()) {
                    break;
                }
                vain.count(&peer, take(&core, &some));
                reschedule().await;
            }
        }
    });
}

/// Takes what another validator told, and says how much of it was in vain: an error is none, or does not wait here.
/// Nobody is told.
fn take(core: &Core, told: &[&[u8]]) -> u32 {
    // What somebody else told before is here already.
    let is_new = |bytes: &&[u8]| core.mempool().checked(bytes).is_none();
    let new = told.iter().copied().filter(is_new);
    let taken = Checked::open_all(new, core.chain).into_iter().map(|opened| {
        let checked = opened.map_err(Unwanted::from)?;
        core.take(checked)
    });
    taken.map(|taken| u32::from(taken.is_err())).sum()
}

/// What other validators told in vain in the last second: as many as there are of them.
#[derive(Debug, Default)]
struct Vain(BTreeMap<PublicKey, (Option<SystemTime>, u32)>);

impl Vain {
    /// Whether one told so much in vain that the rest of this second's is left unread.
    fn is_over(&mut self, peer: &PublicKey, now: SystemTime) -> bool {
        let (since, count) = self.0.entry(peer.clone()).or_default();
        let is_same = |since: SystemTime| {
            now.duration_since(since).is_ok_and(|age| age < Duration::from_secs(1))
        };
        if !since.is_some_and(is_same) {
            (*since, *count) = (Some(now), 0);
        }
        *count >= VAIN_PER_S_MAX
    }

    fn count(&mut self, peer: &PublicKey, more: u32) {
        if let Some((_, count)) = self.0.get_mut(peer) {
            *count = count.saturating_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    use super::*;

    #[test]
    fn one_validator_costs_others_so_many_checks_in_vain_a_second_and_no_other_pays_for_it() {
        let [liar, other] = [1, 2].map(|seed| PrivateKey::from_seed(seed).public_key());
        let (mut vain, now) = (Vain::default(), SystemTime::UNIX_EPOCH);
        for _ in 0..VAIN_PER_S_MAX {
            assert!(!vain.is_over(&liar, now));
            vain.count(&liar, 1);
        }
        assert!(vain.is_over(&liar, now + Duration::from_millis(999)));
        assert!(!vain.is_over(&other, now));
        assert!(!vain.is_over(&liar, now + Duration::from_secs(1)));
    }
}
