//! What was asked of the ledger beside transfers, and what became of it.

use leptos::prelude::*;
use wallet::view::Sent;

use super::transfers::fate;
use super::unwanted::NotTaken;

/// The card with the list, the newest first. `problem`: why the wallet did not sign; `words` says what was asked,
/// `refusal` why the ledger refused it, `told` how far that is proved.
pub(crate) fn deeds<V: IntoView + 'static>(
    sent: Memo<Vec<Sent>>,
    problem: impl Fn() -> Option<&'static str> + Send + 'static,
    words: impl Fn(&Sent) -> V + Send + 'static,
    refusal: fn(u16) -> &'static str,
    told: &'static str,
) -> impl IntoView {
    let rows = move || {
        let row = |one: &Sent| row(one, words(one), refusal);
        sent.read().iter().map(row).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="deeds-title">
            <h2 id="deeds-title">"What I did here"</h2>
            <p class="quiet quiet--warn" role="alert">
                {problem}
            </p>
            <p class="quiet" hidden=move || !sent.read().is_empty()>
                "Nothing yet, from this device."
            </p>
            <ul class="payments" id="deeds" aria-live="polite">
                {rows}
            </ul>
            <p class="quiet" hidden=move || sent.read().is_empty()>
                {told}
            </p>
        </section>
    }
}

fn row<V: IntoView + 'static>(
    sent: &Sent,
    what: V,
    refusal: fn(u16) -> &'static str,
) -> impl IntoView + use<V> {
    let (state, warn) = fate(sent);
    let why = sent.act.as_ref().map_or(0, |act| act.code);
    let why = (why != 0).then(|| format!("{} (refusal {why})", refusal(why)));
    view! {
        <li class="payment">
            <div class="row-words">
                <span class="num">{what}</span>
                <span class="quiet num" class:quiet--warn=warn>
                    {state}
                </span>
                {why.map(|why| view! { <span class="quiet quiet--warn">{why}</span> })}
                <NotTaken id=sent.id.clone() />
            </div>
        </li>
    }
}
