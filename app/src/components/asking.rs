//! Asking whoever fetches a share for payment: off until a person turns it on.

use leptos::html::Input;
use leptos::prelude::*;
use wallet::view::{Part, Purse, Stage};

use crate::components::price::{NotReady, why};
use crate::ledger;
use crate::money;
use crate::paying;
use crate::session::Session;

/// What is asked at first, in whole units of the ledger's asset for a GiB.
const PRICE: &str = "0.10";
/// MiB of a GiB.
const MIB: u128 = 1 << 10;

/// The choice, below a share that was made here.
#[component]
pub(crate) fn Asking(
    /// The share.
    cid: String,
    /// What people call it.
    name: String,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let ledger = sharing.ledger;
    let share = Signal::stored(Some(cid));
    let deal = paying::deal_of(ledger, share);
    let on = Memo::new(move |_| deal.read().as_ref().is_some_and(|deal| deal.stage != Stage::Off));
    let words = move || match &*deal.read() {
        Some(deal) if deal.stage != Stage::Off => match deal.part {
            Part::Earn { per_mib, .. } => format!("You ask {} for a GiB", per_gib(per_mib)),
            Part::Pay { .. } => "Ask for payment".to_owned(),
        },
        _ => "Ask for payment".to_owned(),
    };
    let opened = move |_| paying::wake(sharing);
    let units = move || deal.read().as_ref().map_or(0, |deal| deal.units).to_string();
    view! {
        <details
            class="link-details asking"
            data-asks=move || on.get().to_string()
            data-units=units
            on:toggle=opened
        >
            <summary class="num">{words}</summary>
            <NotReady />
            <Show when=move || *ledger.stage.read() == ledger::Stage::Open>
                <Form share name=name.clone() on />
            </Show>
        </details>
    }
}

#[component]
fn Form(share: Signal<Option<String>>, name: String, on: Memo<bool>) -> impl IntoView {
    let ledger = Session::get().sharing.ledger;
    let deal = paying::deal_of(ledger, share);
    let (price, only) = (NodeRef::<Input>::new(), RwSignal::new(true));
    let problem = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(share) = share.get_untracked() else { return };
        if on.get_untracked() {
            return paying::end(ledger, share);
        }
        let typed = price.get_untracked().map(|input| input.value()).unwrap_or_default();
        match per_mib(&typed) {
            Some(per_mib) => {
                problem.set(String::new());
                let part = Part::Earn { per_mib, required: only.get_untracked() };
                paying::agree(ledger, share, name.clone(), part);
            }
            None => problem.set(
                "That is no price: expected digits, at most six after the point, and more than nothing."
                    .to_owned(),
            ),
        }
    };
    let told = move || match &*deal.read() {
        Some(deal) if deal.units > 0 => format!("Earned {}.", money::named(deal.units)),
        Some(deal) if deal.stage != Stage::Off => "Nothing earned yet.".to_owned(),
        _ => String::new(),
    };
    let trouble =
        move || deal.read().as_ref().map(|deal| earner(&deal.stopped)).unwrap_or_default();
    view! {
        <form class="send asking-form" on:submit=submit novalidate>
            <div class="asking-fields" hidden=on>
                <label>
                    <span>"Price for a GiB"</span>
                    <span class="with-unit">
                        <input
                            class="text-field num"
                            name="price"
                            node_ref=price
                            value=PRICE
                            inputmode="decimal"
                            autocomplete="off"
                            on:input=move |_| problem.set(String::new())
                        />
                        <span>{money::SYMBOL}</span>
                    </span>
                </label>
                <label class="lock-choice">
                    <input
                        class="switch"
                        type="checkbox"
                        role="switch"
                        name="required"
                        prop:checked=only
                        on:change=move |event| only.set(event_target_checked(&event))
                    />
                    <span>"Only for who pays"</span>
                </label>
                <p class="quiet">
                    {move || if only.get() {
                        "Everybody gets the first 2 MiB; who does not pay gets no more from you."
                    } else {
                        "Everybody gets all of it; who wants to pay does."
                    }}
                    " Paid from peer to peer while bytes come, and settled on the ledger. Handing in what you earned costs a fee."
                </p>
            </div>
            <p class="quiet quiet--warn num" role="status">{move || lacks(&ledger.purse.read())}</p>
            <p class="quiet num" aria-live="polite">{told}</p>
            <p class="quiet quiet--warn" role="alert">
                {move || if problem.read().is_empty() { trouble() } else { problem.get() }}
            </p>
            <div class="actions">
                <button class="button" type="submit" data-do="ask">
                    {move || if on.get() { "Stop asking" } else { "Ask for payment" }}
                </button>
            </div>
        </form>
    }
}

fn earner(stopped: &str) -> String {
    match stopped {
        "" | "person" => String::new(),
        "limit" | "funds" => {
            "Somebody\u{2019}s limit is reached: what comes after it is not paid.".to_owned()
        }
        other => why(other).to_owned(),
    }
}

/// What an account lacks to hand in what it is promised, in words; nothing where it lacks nothing.
pub(crate) fn lacks(purse: &Purse) -> String {
    let Some(cost) = purse.claim_cost.filter(|_| purse.claim_lacks > 0) else {
        return String::new();
    };
    format!(
        "Handing in what you earn costs {}: your account lacks {} of that. Get it on the Wallet page. Promises wait for it until the payer\u{2019}s deposit ends, a week or so; then they lapse.",
        money::named(cost),
        money::named(purse.claim_lacks)
    )
}

/// Units for a MiB that a typed price for a GiB comes to, rounded up; none: it is none, or nothing.
fn per_mib(typed: &str) -> Option<u64> {
    let units = money::units(typed).filter(|units| *units > 0)?;
    u64::try_from(units.div_ceil(MIB)).ok()
}

/// A price for a MiB as one for a GiB, in words.
pub(crate) fn per_gib(per_mib: u64) -> String {
    money::named(u128::from(per_mib).saturating_mul(MIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_hand_in_nothing_is_told_how_much_is_lacking() {
        let purse = Purse { claim_cost: Some(20_000), claim_lacks: 5_000, ..Purse::default() };
        let said = lacks(&purse);
        assert!(said.contains("costs 0.02\u{a0}STAR") && said.contains("lacks 0.005\u{a0}STAR"));
        assert_eq!(lacks(&Purse { claim_lacks: 0, ..purse }), "");
    }

    #[test]
    fn a_price_for_a_gib_is_rounded_up_to_units_for_a_mib() {
        assert_eq!(per_mib("0.10"), Some(98));
        assert_eq!(per_mib("20.48"), Some(20_000));
        assert_eq!(per_mib("0.000001"), Some(1));
        assert_eq!(per_mib("0"), None);
        assert_eq!(per_mib("a lot"), None);
        assert_eq!(per_gib(98), "0.100352\u{a0}STAR");
    }
}
