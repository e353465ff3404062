//! What I have on the ledger, proved; sending and receiving.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos_router::components::A;
use wallet::view::{Command, Faucet};

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::icon::{Glyph, Icon};
use crate::components::payments::Payments;
use crate::components::proof_badge::ProofBadge;
use crate::components::send::SendForm;
use crate::components::share::Code;
use crate::components::transfers::Transfers;
use crate::ledger::{Ledger, Stage};
use crate::money;

/// The wallet page.
#[component]
pub(crate) fn WalletPage() -> impl IntoView {
    browser::set_title("Wallet");
    let ledger = Ledger::get();
    let open = move || *ledger.stage.read() == Stage::Open;
    view! {
        <div class="route">
            <div class="heading">
                <div>
                    <h1>"Wallet"</h1>
                    <p class="quiet">"An account in this browser. What it shows, it has checked."</p>
                </div>
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
            </div>
            <NotOpen />
            <OtherLedger />
            <Show when=open>
                <Balance />
                <div class="pair">
                    <SendForm />
                    <Receive />
                </div>
                <Payments />
                <Transfers />
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
            <div class="heading">
                <div>
                    <h1>{title}</h1>
                    <p class="quiet">{about}</p>
                </div>
                <A href="/wallet" attr:class="button">
                    <Icon glyph=Glyph::Wallet />
                    "Wallet"
                </A>
            </div>
            <NotOpen />
            <OtherLedger />
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
            "no-worker" => (
                "This browser can\u{2019}t run the wallet",
                "It needs workers that load modules: a newer browser has them.",
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

#[component]
fn Receive() -> impl IntoView {
    let ledger = Ledger::get();
    let dialog = NodeRef::<Dialog>::new();
    let account = Signal::derive(move || ledger.view.read().account.clone());
    let link = Signal::derive(move || {
        let view = ledger.view.read();
        format!("{}/wallet?to={}&root={}", browser::origin(), view.account, view.root)
    });
    let open = move |_| {
        if let Some(dialog) = dialog.get() {
            // Refused only if it is open already.
            drop(dialog.show_modal());
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get() {
            dialog.close();
        }
    };
    view! {
        <section class="card receive" aria-labelledby="receive-title">
            <h2 id="receive-title">"Receive"</h2>
            <p class="quiet">"Give this name to whoever wants to send you something."</p>
            <CopyText label="your account" text=account />
            <button class="button" type="button" aria-haspopup="dialog" on:click=open>
                <Icon glyph=Glyph::Share />
                "Link and code"
            </button>
            <dialog class="dialog" node_ref=dialog aria-labelledby="link-title">
                <div class="dialog-head">
                    <h2 id="link-title">"A link to pay you"</h2>
                    <button class="button button--icon" type="button" aria-label="Close" on:click=close>
                        <Icon glyph=Glyph::Close />
                    </button>
                </div>
                <p class="quiet">
                    "It opens a wallet with your account filled in, on the same ledger: the ledger\u{2019}s key is part of it."
                </p>
                <div class="share-link">
                    <Code text=link />
                    <div class="share-ways">
                        <CopyText label="the link" text=link />
                    </div>
                </div>
            </dialog>
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
