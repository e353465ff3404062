//! Leaving this device, and what to do when one is gone.

use identity::session::Command;
use leptos::prelude::*;
use wallet::view::Command as Order;

use super::account::Owed;
use super::desk::{Desk, Said};
use super::sure::Sure;

/// What to do when a device is gone.
#[component]
pub(super) fn Danger() -> impl IntoView {
    view! {
        <section class="card seen" aria-labelledby="stolen-title">
            <h2 id="stolen-title">"A device was stolen"</h2>
            <p>
                "Your identity on it is sealed: it opens with that device\u{2019}s password or passkey only. The wallet\u{2019}s account is not sealed. Do this, in this order:"
            </p>
            <ol>
                <li>"Move your balance to another account now: whoever has the device can spend it, even while your identity is locked."</li>
                <li>"Remove the stolen device\u{2019}s passkey above, and where it is kept (your system\u{2019}s password manager)."</li>
                <li>"Set another password above. The thief\u{2019}s copy keeps the old one: if that was weak, go on."</li>
                <li>
                    "If it was unlocked, or the password weak: make a new identity on another device, name it to your guardians, and move your balance. Changing keys is not enough then, for they follow from the same secret."
                </li>
            </ol>
            <p class="quiet">
                "Changing keys (above) is for a key that was used where it should not have been. It does not help against who has your words."
            </p>
        </section>
        <SignOut />
    }
}

/// Forget everything on this device.
#[component]
pub(super) fn SignOut() -> impl IntoView {
    let desk = Desk::get();
    let sign_out = move || {
        if *desk.ledger.stage.read_untracked() == crate::ledger::Stage::Elsewhere {
            desk.say("sign-out", "The wallet is open in another tab. Close that first.");
            return;
        }
        if desk.ledger.view.read_untracked().outgoing > 0 {
            desk.say(
                "sign-out",
                "Something is on its way to the ledger. Try again when it is done.",
            );
            return;
        }
        // The account of the identity goes with it; the one of this browser comes back.
        if desk.ledger.view.read_untracked().recoverable {
            desk.ledger.command(&Order::UseDevice);
        }
        desk.run("sign-out", Command::SignOut, |_| ());
    };
    view! {
        <section class="card" aria-labelledby="out-title">
            <h2 id="out-title">"Sign out of this device"</h2>
            <p class="quiet">
                "Forgets the identity here. It stays yours: 24 words, shares of guardians or a backup bring it back. The account before stays in this browser, and so do credentials you hold, sealed: they open when this identity is back here."
            </p>
            <div class="dialog-actions">
                <Sure
                    id="sign-out"
                    label="Sign out"
                    title="Have you tried your words?"
                    deed="Forget it here"
                    run=sign_out
                >
                    <p>
                        "Without your 24 words, shares or a backup, what follows from this identity is gone for good, its account and everything in it as well."
                    </p>
                    <Owed />
                </Sure>
            </div>
            <Said place="sign-out" />
        </section>
    }
}
