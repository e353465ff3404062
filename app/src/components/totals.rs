//! What came from where since the stream was opened, and what was passed on.

use leptos::prelude::*;
use peer_wasm::view::Totals;

use crate::format::{bytes, percent, share};
use crate::session::Session;
use crate::story::{needed_bytes, offload};

/// The totals of the stream on screen.
#[component]
pub(crate) fn TotalsCard() -> impl IntoView {
    let session = Session::get();
    let totals = Memo::new(move |_| session.stream.read().totals);
    let part = move |of: fn(&Totals) -> u64| {
        let totals = totals.read();
        share(of(&totals), needed_bytes(&totals))
    };
    let number = move || match totals.read() {
        totals if needed_bytes(&totals) == 0 => "\u{2013}".to_owned(),
        totals => percent(offload(&totals)),
    };
    let row = move |class, name, of: fn(&Totals) -> u64| {
        view! {
            <div class="sum">
                <dt class=format!("key {class}")>{name}</dt>
                <dd class="num">{move || bytes(of(&totals.read()))}</dd>
            </div>
        }
    };
    let bar = move |class, of: fn(&Totals) -> u64| {
        view! {
            <span
                class=format!("bar-part {class}")
                style:flex-grow=move || format!("{:.4}", part(of))
            ></span>
        }
    };
    view! {
        <section class="card totals" aria-labelledby="totals-title">
            <h2 id="totals-title" class="figure">
                <span class="figure-number num">{number}</span>
                <span class="figure-words">"did not have to come from the site"</span>
            </h2>
            <div class="bar" aria-hidden="true">
                {bar("bar-part--peers", |totals| totals.peer_bytes)}
                {bar("bar-part--cache", |totals| totals.cache_bytes)}
                {bar("bar-part--origin", |totals| totals.origin_bytes)}
            </div>
            <dl class="sums">
                {row("key--peers", "From viewers", |totals| totals.peer_bytes)}
                {row("key--cache", "Kept here", |totals| totals.cache_bytes)}
                {row("key--origin", "From the site", |totals| totals.origin_bytes)}
                {row("key--upload", "You passed on", |totals| totals.upload_bytes)}
            </dl>
            <p class="quiet" hidden=move || totals.read().liars == 0>
                {move || {
                    let count = u64::from(totals.read().liars);
                    let who = crate::format::counted(count, "viewer", "viewers");
                    format!("{who} sent wrong data. It was thrown away and they were cut off.")
                }}
            </p>
        </section>
    }
}
