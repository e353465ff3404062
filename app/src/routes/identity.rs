//! Who I am here: one seed, the ways to it, and the name that the ledger knows.
//!
//! The worker signs (`crate::keys`); what the ledger says is proved by the wallet and read here
//! (`wallet::dids`).

mod account;
mod again;
mod begin;
mod card;
mod credentials;
mod danger;
mod desk;
mod guardians;
mod outside;
mod passkey;
mod statement;
mod sure;
mod unlock;
mod ways;
mod words;
mod words_form;

use identity::session::Stage as Session;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser;
use crate::components::heading::Heading;
use crate::components::icon::{Glyph, Icon};
use crate::keys::{Keys, Stage};

pub(crate) use credentials::{CredentialsPage, IssuePage, PresentPage, SharedPage, VerifyPage};

use account::Account;
use again::Again;
use begin::{Begin, Finish};
use card::Card;
use danger::Danger;
use desk::{Desk, Said};
use guardians::Guardians;
use statement::Statements;
use unlock::Unlock;
use ways::Ways;

/// The identity page.
#[component]
pub(crate) fn IdentityPage() -> impl IntoView {
    browser::set_title("Identity");
    let desk = Desk::provide();
    let keys = desk.keys;
    let is_at = move |stage| *keys.stage.read() == Stage::Open && keys.view.read().stage == stage;
    view! {
        <div class="route">
            <Heading
                title="Identity"
                about="Yours, in this browser. No account anywhere, and nobody who could take it away."
            >
                <div class="heading-ways">
                    <A href="/identity/credentials" attr:class="button">
                        <Icon glyph=Glyph::Shield />
                        "Credentials"
                    </A>
                    <A href="/identity/shared" attr:class="button">
                        <Icon glyph=Glyph::Eye />
                        "Shared with"
                    </A>
                    <A href="/wallet" attr:class="button">
                        <Icon glyph=Glyph::Wallet />
                        "Wallet"
                    </A>
                </div>
            </Heading>
            <NotOpen keys />
            <Said place="keys" />
            <Show when=move || is_at(Session::Empty)>
                <Begin />
            </Show>
            <Show when=move || is_at(Session::Draft)>
                <Finish />
            </Show>
            <Show when=move || is_at(Session::Locked)>
                <Unlock />
            </Show>
            <Show when=move || is_at(Session::Open)>
                <Card />
                <Ways />
                <Guardians />
                <Account />
                <Statements />
                <Danger />
                <Again />
            </Show>
        </div>
    }
}

/// What is said while there are no keys.
#[component]
fn NotOpen(keys: Keys) -> impl IntoView {
    let words = move || match keys.stage.get() {
        Stage::Open => None,
        Stage::Starting => Some(("Looking for your keys", "They are in this browser, or nowhere.")),
        Stage::Elsewhere => Some((
            "Your identity is open in another tab",
            "One tab at a time holds the keys. Close the other one and it opens here.",
        )),
        Stage::Failed => Some((
            "This browser can\u{2019}t keep keys",
            "A private window, full storage or an old browser may be why. Open this page in an ordinary window. If the site was updated, load it anew.",
        )),
    };
    view! {
        <div class="empty" role="status" hidden=move || words().is_none()>
            <p class="empty-title">{move || words().map(|(title, _)| title)}</p>
            <p class="quiet">{move || words().map(|(_, more)| more)}</p>
        </div>
    }
}
