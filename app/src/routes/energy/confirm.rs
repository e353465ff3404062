//! The dialog before something is signed: what it is, what comes of it, what it costs.

use leptos::prelude::*;
use wallet::energy::{self, Wish};

use crate::components::modal::{modal, once};
use crate::money;

use super::desk::{Desk, Doing};
use super::words::refusal;

/// The dialog; open while something is about to be signed.
#[component]
pub(super) fn Confirm() -> impl IntoView {
    modal(Desk::get().doing, "dialog dialog--small", "sure-title", |doing, close| {
        view! { <Sure doing close /> }
    })
}

#[component]
fn Sure(doing: Doing, close: Callback<()>) -> impl IntoView {
    let desk = Desk::get();
    let Doing { title, lines, warning, community, wishes } = doing;
    let wishes = StoredValue::new(wishes);
    let each = move |of: fn(&energy::Scene<'_>, u32, &Wish) -> Option<u128>| {
        desk.look(|scene| {
            wishes.with_value(|all| {
                all.iter().map(|wish| of(scene, community, wish)).sum::<Option<u128>>()
            })
        })
    };
    let fee = Memo::new(move |_| each(energy::fee));
    let refused = Memo::new(move |_| {
        desk.look(|scene| {
            wishes.with_value(|all| {
                all.iter().find_map(|wish| energy::refusal(scene, community, wish).err())
            })
        })
    });
    let ready = move || desk.fresh.get() && fee.read().is_some() && refused.read().is_none();
    let first = once();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if untrack(ready) && first() {
            sign(desk, community, &wishes.get_value());
            close.run(());
        }
    };
    let problem = move || match (desk.fresh.get(), refused.get()) {
        (false, _) => "Nothing is sent while the newest block is not known.".to_owned(),
        (true, Some(number)) => format!("{} (refusal {number})", refusal(number)),
        (true, None) if fee.read().is_none() => "What it costs is not proved yet.".to_owned(),
        (true, None) => String::new(),
    };
    let row = |(name, value): (&'static str, String)| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <div class="dialog-head">
                <h2 id="sure-title">{title}</h2>
            </div>
            <dl class="bill num" id="sure-told">
                {lines.into_iter().map(row).collect_view()}
                <div class="bill-total">
                    <dt>"Fee, at most"</dt>
                    <dd>{move || fee.get().map_or_else(|| "\u{2026}".to_owned(), money::named)}</dd>
                </div>
            </dl>
            <p class="quiet">{warning}</p>
            <p id="sure-problem" class="quiet quiet--warn" role="alert">
                {problem}
            </p>
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close.run(())>
                    "Back"
                </button>
                <button
                    id="sure-sign"
                    class="button button--strong"
                    type="submit"
                    disabled=move || !ready()
                >
                    "Sign and send"
                </button>
            </div>
        </form>
    }
}

fn sign(desk: Desk, community: u32, wishes: &[Wish]) {
    desk.signed.set(true);
    for wish in wishes {
        let command = untrack(|| desk.look(|scene| energy::ask(scene, community, wish)));
        if let Some(command) = command {
            desk.ledger.command(&command);
        }
    }
}
