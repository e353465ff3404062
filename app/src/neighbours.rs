//! What neighbours of shares say to the wallet of the ledger, and it to them; what they keep for it when the page goes.
//!
//! The connections are this page's, the light client stands in the wallet's worker. Nothing here decides or reads.

use std::rc::Rc;

use peer_wasm::files::Files;
use wallet::view::{Carry, Command};

use crate::ledger::Ledger;
use crate::paying::carried;

/// Carries from now on, whenever the wallet is awake. It is not woken for this.
pub(crate) fn begin(files: &Files, ledger: Ledger) {
    let met = files.clone();
    ledger.near_by(Rc::new(move |carry| match carry {
        Carry::Tell { to, frame } => met.tell(*to, frame.into()),
        Carry::Greet => met.greet(),
        Carry::Parting(said) => {
            met.part(said.into_iter().map(|one| (*one.to, one.frame.into())).collect());
        }
        Carry::Say { .. } | Carry::Hold { .. } => {}
    }));
    files.beside(Rc::new(move |told| ledger.command(&Command::Near(carried(told)))));
}
