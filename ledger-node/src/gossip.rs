//! Transactions between validators: whoever is asked tells all, so that the next leader has them.
//!
//! They are told from among those that wait, so that none is forgotten where they come faster than they can be told:
//! the next leader, having nothing, would wait for a heartbeat. A message is one or more of them (`transactions.rs`).
//! What comes while a message rests goes together in the next one: a channel carries few messages and many bytes
//! ([`crate::engine::quota`]), and one that it does not carry would leave a gap in an account's numbers.

use std::time::Duration;

use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Spawner, reschedule};
use ledger::Checked;

use crate::application::Core;
use crate::header::PublicKey;
use crate::transactions::parts;

/// A message that has so many bytes takes no further transaction.
const FULL_BYTES: usize = 64 << 10;
/// From one message to the next: half of what the channel carries.
const REST: Duration = Duration::from_millis(2);
/// Signatures that are checked before other tasks have their turn.
const CHECKED_AT_ONCE: usize = 8;

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
    context.child("gossip_in").spawn(|_| async move {
        while let Ok((_, message)) = receiver.recv().await {
            let message: Vec<u8> = message.as_ref().to_vec();
            for (place, bytes) in parts(&message).enumerate() {
                if place % CHECKED_AT_ONCE == CHECKED_AT_ONCE - 1 {
                    reschedule().await;
                }
                // What a validator may not pass on is dropped; no validator can be asked for more.
                let Ok(checked) = Checked::open(bytes, core.chain) else { continue };
                // An error: it does not wait here. Nobody is told.
                let _ = core.take(checked);
            }
        }
    });
}
