//! Whether this viewer earns where a video's link names a fund: the choice, and what it tells.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::components::upload::Switch;
use crate::later::{self, Draw, patiently};
use crate::session::Session;

/// The card; nothing where the link names no fund.
#[component]
pub(crate) fn Earning() -> impl IntoView {
    let session = Session::get();
    let pays = move || {
        let host = session.fund.get().map(|fund| browser::host_of(&fund)).unwrap_or_default();
        format!("Its link says that {host} pays who passes it on, on a ledger.")
    };
    view! {
        <Show when=move || session.fund.read().is_some()>
            <section class="card" aria-labelledby="earning-title" id="earning">
                <h2 id="earning-title">"Viewers are paid"</h2>
                <p class="quiet">{pays}</p>
                <EarnSwitch />
                <Show when=move || session.funded.read().is_some()>
                    <Figures />
                </Show>
            </section>
        </Show>
    }
}

/// The choice.
#[component]
pub(crate) fn EarnSwitch() -> impl IntoView {
    let session = Session::get();
    view! {
        <Switch
            label="Earn where a video pays"
            help="Tells who pays your network address, a key made for this visit, the account of your wallet, and how much you got from which viewers. If there is no wallet in this browser, one is made. Off, they are told nothing, and what you pass on is a gift."
            on=Signal::derive(move || session.settings.read().earn)
            choose=move |on| session.choose(|settings| settings.earn = on)
        />
    }
}

/// What was earned, as soon as the code of it is here.
#[component]
fn Figures() -> impl IntoView {
    let drawn = RwSignal::new(None::<Draw>);
    spawn_local(async move {
        if let Ok(draw) = patiently(later::earned).await {
            // Nobody waits any more where the person left the page meanwhile.
            drawn.try_set(Some(draw));
        }
    });
    move || drawn.get().map(|draw| draw())
}
