//! Transactions between validators: whoever is asked tells all, so that the next leader has them.

use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::Spawner;
use ledger::Checked;
use tokio::sync::mpsc;

use crate::application::Core;
use crate::header::PublicKey;

/// Transactions on their way to other validators. More are not told: they wait for their own
/// validator's turn.
pub(crate) const OUTGOING_MAX: usize = 1024;

/// Bytes of transactions that came to this validator first.
pub(crate) type Outgoing = mpsc::Receiver<Vec<u8>>;

/// Tells what comes from `outgoing`, and takes what others tell.
pub(crate) fn start(
    context: &impl Spawner,
    core: Core,
    mut outgoing: Outgoing,
    mut sender: impl Sender<PublicKey = PublicKey>,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) {
    context.child("gossip_out").spawn(|_| async move {
        while let Some(bytes) = outgoing.recv().await {
            sender.send(Recipients::All, bytes, false);
        }
    });
    context.child("gossip_in").spawn(|_| async move {
        while let Ok((_, bytes)) = receiver.recv().await {
            let bytes: Vec<u8> = bytes.as_ref().to_vec();
            // What a validator may not pass on is dropped; no validator can be asked for more.
            let Ok(checked) = Checked::open(&bytes, core.chain) else { continue };
            // An error: it does not wait here. Nobody is told.
            let _ = core.take(checked);
        }
    });
}
