//! The account's name, and a link or a code that asks for something.

use leptos::html::Dialog;
use leptos::prelude::*;
use wallet::view::NOTE_BYTES_MAX;

use crate::assets::Assets;
use crate::browser;
use crate::components::asset_choice::AssetChoice;
use crate::components::copy::CopyText;
use crate::components::fields::Line;
use crate::components::icon::{Glyph, Icon};
use crate::components::link_card::LinkCard;
use crate::components::sure;
use crate::money;

/// The card.
#[component]
pub(super) fn Receive() -> impl IntoView {
    let desk = Assets::get();
    let dialog = NodeRef::<Dialog>::new();
    let account = Signal::derive(move || desk.ledger.view.read().account.clone());
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
            <button
                class="button"
                type="button"
                aria-haspopup="dialog"
                on:click=move |_| sure::open(dialog)
            >
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
                <Request desk />
            </dialog>
        </section>
    }
}

/// What is asked for, and the link.
#[component]
fn Request(desk: Assets) -> impl IntoView {
    let (asset, amount) = (RwSignal::new(0_u32), RwSignal::new(String::new()));
    let note = RwSignal::new(String::new());
    let offered = Signal::derive(move || {
        let all = desk.all.read();
        let mine = all.iter().flat_map(|all| all.held.iter().chain(&all.issued));
        let mut numbers: Vec<u32> = [0].into_iter().chain(mine.map(|one| one.asset.id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    });
    let units = move || {
        let decimals = desk.asset(asset.get())?.decimals;
        money::read(&amount.read(), decimals).filter(|units| *units > 0)
    };
    let link = Signal::derive(move || {
        let view = desk.ledger.view.read();
        let mut link =
            format!("{}/wallet?to={}&root={}", browser::origin(), view.account, view.root);
        if asset.get() != 0 {
            link.push_str(&format!("&asset={}", asset.get()));
        }
        if let Some(units) = units() {
            link.push_str(&format!("&units={units}"));
        }
        let note = note.read();
        if asset.get() == 0 && !note.trim().is_empty() && note.trim().len() <= NOTE_BYTES_MAX {
            link.push_str(&format!("&memo={}", browser::encoded(note.trim())));
        }
        link
    });
    let problem = move || {
        if note.read().trim().len() > NOTE_BYTES_MAX {
            return Some("That note is too long: the link has none.");
        }
        let is_wrong = !amount.read().trim().is_empty() && units().is_none();
        is_wrong.then_some("That is no amount: the link asks for none.")
    };
    view! {
        <div class="send">
            <AssetChoice id="ask-asset" label="Ask for" offered chosen=asset />
            <Line
                id="ask-units".to_owned()
                label="Amount, if you want to name one"
                value=amount
                inputmode="decimal"
                placeholder="0.00"
            />
            <Show when=move || asset.get() == 0>
                <Line
                    id="ask-note".to_owned()
                    label="What for, if you want to say it"
                    value=note
                />
            </Show>
            <p class="quiet quiet--warn" role="alert">
                {problem}
            </p>
        </div>
        <div id="ask-link">
            <LinkCard link title="Pay me" />
        </div>
    }
}
