//! What I have on the ledger, proved; sending and receiving; assets of my own.

mod away;
mod funds;
mod held;
mod issue;
mod keys;
mod receive;
mod review;
mod unkept;
pub(crate) mod words;

use leptos::prelude::*;
use leptos_router::components::A;
use wallet::view::{Command, Faucet};

use crate::assets::Assets;
use crate::browser;
use crate::components::heading::Heading;
use crate::components::icon::{Glyph, Icon};
use crate::components::payments::Payments;
use crate::components::proof_badge::ProofBadge;
use crate::components::send::SendForm;
use crate::components::transfers::Transfers;
use crate::ledger::{Ledger, Stage};
use crate::money;

use away::Away;
use funds::{Funds, Pools};
use held::Held;
use issue::Issue;
use keys::SeveralKeys;
use receive::Receive;
use review::Review;
use unkept::Unkept;

/// The wallet page.
#[component]
pub(crate) fn WalletPage() -> impl IntoView {
    browser::set_title("Wallet");
    let ledger = Ledger::get();
    Assets::provide(ledger, Pools::provide(ledger).wanted);
    let open = move || *ledger.stage.read() == Stage::Open;
    view! {
        <div class="route">
            <Heading title="Wallet" about="An account in this browser. What it shows, it has checked.">
                <div class="heading-ways">
                    <A href="/identity" attr:class="button">
                        <Icon glyph=Glyph::Key />
                        "Identity"
                    </A>
                    <A href="/energy" attr:class="button">
                        <Icon glyph=Glyph::Sun />
                        "Energy"
                    </A>
                    <A href="/lend" attr:class="button">
                        <Icon glyph=Glyph::Lend />
                        "Lend"
                    </A>
                    <A href="/ledger" attr:class="button">
                        <Icon glyph=Glyph::Blocks />
                        "The ledger"
                    </A>
                </div>
            </Heading>
            <NotOpen />
            <OtherLedger />
            <Away />
            <Show when=open>
                <SeveralKeys />
                <Balance />
                <div class="pair">
                    <SendForm />
                    <Show when=move || ledger.kept.get() == Some(true) fallback=|| view! { <Unkept /> }>
                        <Receive />
                    </Show>
                </div>
                <Held />
                <Payments />
                <Funds />
                <Transfers />
                <Issue />
                <Review />
                <Loss />
            </Show>
        </div>
    }
}

/// A page below the wallet: its heading, the way back, and what it holds once the wallet is open.
#[component]
pub(crate) fn BelowWallet(
    /// What it is called.
    title: &'static str,
    /// What it is, in a line.
    about: &'static str,
    /// What it holds.
    children: ChildrenFn,
) -> impl IntoView {
    browser::set_title(title);
    let ledger = Ledger::get();
    let open = move || *ledger.stage.read() == Stage::Open;
    let children = StoredValue::new(children);
    view! {
        <div class="route">
            <Heading title about>
                <A href="/wallet" attr:class="button">
                    <Icon glyph=Glyph::Wallet />
                    "Wallet"
                </A>
            </Heading>
            <NotOpen />
            <OtherLedger />
            <Away />
            <Show when=open>{children.with_value(|children| children())}</Show>
        </div>
    }
}

/// What is said while there is no wallet.
#[component]
fn NotOpen() -> impl IntoView {
    let ledger = Ledger::get();
    let words = move || match &*ledger.stage.read() {
        Stage::Open => None,
        Stage::Starting => Some(("Looking for the ledger", "The wallet starts in a moment.")),
        Stage::Elsewhere => Some((
            "The wallet is open in another tab",
            "One tab at a time signs for an account. Close the other one and it opens here.",
        )),
        Stage::Failed(why) => Some(match why.as_str() {
            "off" => {
                ("This host runs no ledger", "Its owner switched it off. Watching works as ever.")
            }
            "starting" => ("The ledger is starting", "It opens by itself, in a few seconds."),
            "stopped" => (
                "The ledger stopped",
                "The host\u{2019}s log says why. This page tries again by itself.",
            ),
            "other-ledger" => (
                "This host\u{2019}s sources serve another ledger",
                "Its owner named which one it must be, and they say another. The host\u{2019}s log says which.",
            ),
            "no-worker" => (
                "This browser can\u{2019}t run the wallet",
                "It needs workers that load modules: a newer browser has them.",
            ),
            "no-code" => (
                "The wallet did not load",
                "The site was updated since this page was opened, or the network failed. Load the page anew.",
            ),
            _ => ("The ledger does not answer", "This page tries again by itself."),
        }),
    };
    view! {
        <div class="empty" role="status" hidden=move || words().is_none()>
            <p class="empty-title">{move || words().map(|(title, _)| title)}</p>
            <p class="quiet">{move || words().map(|(_, more)| more)}</p>
        </div>
    }
}

/// That this host serves another ledger than the one pinned here.
#[component]
fn OtherLedger() -> impl IntoView {
    let ledger = Ledger::get();
    let differs = move || {
        let served = ledger.served.get();
        let root = ledger.view.read().root.clone();
        !root.is_empty() && served.is_some_and(|served| served != root)
    };
    view! {
        <p class="problem" role="status" hidden=move || !differs()>
            <Icon glyph=Glyph::Note />
            <span>
                <strong>"This host serves another ledger."</strong>
                " Your account is on the one pinned here, whose key did not sign what this host shows. Ask whoever runs it what happened."
            </span>
        </p>
    }
}

#[component]
fn Balance() -> impl IntoView {
    let ledger = Ledger::get();
    let balance = Memo::new(move |_| ledger.view.read().balance);
    let faucet = Memo::new(move |_| ledger.view.read().faucet);
    let outgoing = Memo::new(move |_| ledger.view.read().outgoing);
    let amount =
        move || balance.get().map_or_else(|| "\u{2013}".to_owned(), |one| money::amount(one.units));
    let below = move || match (outgoing.get(), balance.get()) {
        (_, Some(one)) if one.frozen => "The issuer froze it: nothing can be sent.".to_owned(),
        (0, _) => String::new(),
        (units, _) => format!("{} on the way out", money::named(units)),
    };
    let faucet_words = move || match faucet.get() {
        Faucet::None | Faucet::Ready => "",
        Faucet::Asked => "Asked. It comes with the next block.",
        Faucet::Enough => "The faucet gives to accounts that hold less.",
        Faucet::Failed => "The faucet gave nothing. Try again in a minute.",
    };
    view! {
        <section class="card balance" aria-labelledby="balance-title">
            <div class="balance-head">
                <h2 id="balance-title">"Balance"</h2>
                <ProofBadge />
            </div>
            <p class="balance-units num" id="balance" aria-live="polite">
                {amount}
                <span class="balance-symbol">{money::SYMBOL}</span>
            </p>
            <p class="quiet num" hidden=move || below().is_empty()>
                {below}
            </p>
            <div class="balance-foot" hidden=move || faucet.get() == Faucet::None>
                <button
                    class="button"
                    class:button--strong=move || balance.get().is_some_and(|one| one.units == 0)
                    id="faucet"
                    type="button"
                    disabled=move || faucet.get() == Faucet::Asked
                    on:click=move |_| ledger.command(&Command::Faucet)
                >
                    "Get 10 STAR"
                </button>
                <p class="quiet" aria-live="polite">
                    {move || if faucet_words().is_empty() { "A demo network: its units are worth nothing." } else { faucet_words() }}
                </p>
            </div>
        </section>
    }
}

/// What can be lost, said before it is.
#[component]
fn Loss() -> impl IntoView {
    let ledger = Ledger::get();
    let key = move || {
        if ledger.view.read().recoverable {
            "It follows from the 24 words of your identity: who enters them on another device has this account there. It also lies in this browser\u{2019}s storage, so whoever can use this browser can spend from it."
        } else {
            "It was made in this browser and lies in its storage only. Clearing the data of this site, a private window that closes, or a lost device lose the account and everything in it. An identity has an account that can be recovered: make one, and move what is here."
        }
    };
    view! {
        <section class="card seen" aria-labelledby="loss-title">
            <h2 id="loss-title">"What can be lost"</h2>
            <dl>
                <div>
                    <dt>"Your key"</dt>
                    <dd>{key} " " <A href="/identity">"Identity"</A></dd>
                </div>
                <div>
                    <dt>"Your privacy"</dt>
                    <dd>
                        "Balances and transfers are public: whoever knows the account sees them. Servers you ask see your address."
                    </dd>
                </div>
                <div>
                    <dt>"Not by a server"</dt>
                    <dd>
                        "A server can\u{2019}t spend, and can\u{2019}t show you a balance that is not so. It can keep silent: then another one is asked."
                    </dd>
                </div>
            </dl>
        </section>
    }
}
