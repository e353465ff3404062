//! Payments for the bytes of shares: carries what shares tell to the wallet's tills, and back what those want.
//!
//! The bytes move in this page, the tills stand in the wallet's worker, beside key and light client. Nothing here
//! decides: which share is counted is in what the wallet shows.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use leptos::prelude::*;
use peer_wasm::files::{self, Files};
use wallet::view::{Carry, Command, Deal, Part, Purse, Stage, Told, Wish};

use crate::browser;
use crate::ledger::{self, Carrier, Ledger};
use crate::settings::Settings;
use crate::sharing::Sharing;

/// Kept once a person paid or asked for payment: the wallet is started with the shares then.
const KEY: &str = "starling.paying";

/// Carries from now on, if it was needed at an earlier visit.
pub(crate) fn resume(files: &Files, ledger: Ledger) {
    if browser::kept(KEY).is_some() {
        begin(files, ledger);
    }
}

/// Starts the wallet, and carries between it and these shares.
pub(crate) fn begin(files: &Files, ledger: Ledger) {
    if ledger.carries() {
        return;
    }
    let (carried, counted) = (files.clone(), files.clone());
    // Which till counts which share.
    let tills: RefCell<BTreeMap<String, u64>> = RefCell::default();
    ledger.carry_by(Carrier {
        carry: Rc::new(move |carry| perform(&carried, carry)),
        purse: Rc::new(move |purse| {
            cap(ledger, purse.hour.cap);
            count(&counted, ledger, &mut tills.borrow_mut(), purse);
        }),
    });
    ledger.wake();
}

/// Asks for payment, or pays; the person agreed.
pub(crate) fn agree(ledger: Ledger, share: String, name: String, part: Part) {
    browser::keep(KEY, "here");
    tell_cap(ledger);
    ledger.command(&Command::Purse(Wish::Deal { share, name, part }));
}

/// Tells the wallet what may be paid in an hour, if it is open.
pub(crate) fn tell_cap(ledger: Ledger) {
    if *ledger.stage.read_untracked() == ledger::Stage::Open {
        let units = Settings::load(browser::kept).pay_hour_units;
        ledger.command(&Command::Purse(Wish::Cap(units)));
    }
}

/// The same where it thinks otherwise: it was closed when the person chose, or another tab was chosen in.
fn cap(ledger: Ledger, known: u128) {
    if Settings::load(browser::kept).pay_hour_units != known {
        tell_cap(ledger);
    }
}

/// Neither any more.
pub(crate) fn end(ledger: Ledger, share: String) {
    ledger.command(&Command::Purse(Wish::End(share)));
}

/// The share is fetched no more, or `forgotten` altogether: nothing is paid for it, and of what is forgotten nothing
/// is asked.
pub(crate) fn let_go(ledger: Ledger, share: &str, forgotten: bool) {
    let is_over = |deal: &Deal| {
        let pays = matches!(deal.part, Part::Pay { .. });
        deal.share == share && deal.stage != Stage::Off && (pays || forgotten)
    };
    if ledger.purse.read_untracked().deals.iter().any(is_over) {
        end(ledger, share.to_owned());
    }
}

/// What is agreed for a share, as the wallet shows it.
pub(crate) fn deal_of(ledger: Ledger, cid: Signal<Option<String>>) -> Memo<Option<Deal>> {
    Memo::new(move |_| {
        let cid = cid.get()?;
        ledger.purse.read().deals.iter().find(|deal| deal.share == cid).cloned()
    })
}

/// The wallet of a page of shares, which starts it when it is needed.
pub(crate) fn wake(sharing: Sharing) {
    if let Some(files) = sharing.files() {
        begin(&files, sharing.ledger);
    }
}

fn count(files: &Files, ledger: Ledger, tills: &mut BTreeMap<String, u64>, purse: &Purse) {
    let counted = purse.deals.iter().filter(|deal| deal.till > 0);
    let now: BTreeMap<String, u64> = counted.map(|deal| (deal.share.clone(), deal.till)).collect();
    for (share, _) in tills.iter().filter(|(share, till)| now.get(*share) != Some(*till)) {
        files.count_no_more(share);
    }
    for (share, _) in now.iter().filter(|(share, till)| tills.get(*share) != Some(*till)) {
        let named = share.clone();
        let tell = move |told| {
            let (share, told) = (named.clone(), carried(told));
            ledger.command(&Command::Purse(Wish::Told { share, told }));
        };
        files.count(share, Rc::new(tell));
    }
    *tills = now;
}

/// What happened, as the wallet reads it.
pub(crate) fn carried(told: files::Told) -> Told {
    match told {
        files::Told::Up(peer) => Told::Up(peer.into()),
        files::Told::Down(peer) => Told::Down(peer.into()),
        files::Told::Frame(from, bytes) => Told::Frame(from.into(), bytes.into()),
        files::Told::Moved(peer, received, spared, sent) => {
            Told::Moved(peer.into(), received, spared, sent)
        }
        files::Told::Whole => Told::Whole,
    }
}

fn perform(files: &Files, carry: Carry) {
    match carry {
        Carry::Say { share, to, frame } => files.say(&share, *to, frame.into()),
        Carry::Hold { share, peer, on } => files.hold(&share, *peer, on),
        // About the ledger: `crate::neighbours`.
        Carry::Tell { .. } | Carry::Greet | Carry::Parting(_) => {}
    }
}
