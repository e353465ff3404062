//! A fund for a share: naming one, where it was made; earning from one, wherever it is.

use leptos::prelude::*;

use crate::browser;
use crate::components::earning::EarnSwitch;
use crate::components::fields::Line;
use crate::money;
use crate::reporting;
use crate::session::{Earned, Session};

/// Names the fund that pays those who give a share that was made here.
#[component]
pub(crate) fn Funding(
    /// The share.
    cid: String,
    /// Its fund, by its address.
    fund: RwSignal<Option<String>>,
) -> impl IntoView {
    let typed = RwSignal::new(fund.get_untracked().unwrap_or_default());
    let problem = RwSignal::new("");
    let share = StoredValue::new(cid.clone());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked();
        let named = browser::web_address(&text);
        if named.is_none() && !text.trim().is_empty() {
            problem.set("That is not a web address. It should be what the fund\u{2019}s process prints, behind https://.");
            return;
        }
        problem.set("");
        reporting::name(&share.get_value(), named.as_deref());
        fund.set(named);
    };
    let words = move || match fund.read().as_ref() {
        Some(fund) => format!("Paid by the fund at {}", browser::host_of(fund)),
        None => "Let a fund pay who passes it on".to_owned(),
    };
    view! {
        <details class="link-details funding" data-fund=move || fund.get()>
            <summary>{words}</summary>
            <form class="send" on:submit=submit novalidate>
                <p class="quiet">
                    "Where starling fund takes reports of this share. It becomes part of the link: who opens it and chose to earn tells the fund from whom they got how much."
                </p>
                <Line
                    id=format!("share-fund-{cid}")
                    label="The fund\u{2019}s address; nothing: no fund"
                    value=typed
                    mono=true
                    placeholder="https://pay.example/fund"
                />
                <p class="quiet quiet--warn" role="alert">
                    {problem}
                </p>
                <div class="dialog-actions">
                    <button class="button" type="submit">
                        "Name it"
                    </button>
                </div>
            </form>
            <Show when=move || fund.read().is_some()>
                <EarnedOf cid=share.get_value() />
            </Show>
        </details>
    }
}

/// The card on the page of a link; nothing where it names no fund.
#[component]
pub(crate) fn FundedShare(
    /// The share.
    cid: Signal<Option<String>>,
) -> impl IntoView {
    let fund = Memo::new(move |_| cid.get().and_then(|cid| reporting::fund_of(&cid)));
    let pays = move || {
        let host = fund.get().map(|fund| browser::host_of(&fund)).unwrap_or_default();
        format!("Its link says that {host} pays who passes it on, on a ledger.")
    };
    view! {
        <Show when=move || fund.read().is_some()>
            <section class="card" aria-labelledby="earning-title" id="earning">
                <h2 id="earning-title">"Who gives is paid"</h2>
                <p class="quiet">{pays}</p>
                {move || cid.get().map(|cid| view! { <EarnedOf cid /> })}
            </section>
        </Show>
    }
}

/// The choice, and what was earned.
#[component]
fn EarnedOf(cid: String) -> impl IntoView {
    let session = Session::get();
    let told = Memo::new(move |_| session.sharing.earned.read().get(&cid).cloned());
    let on = move || session.settings.read().earn;
    view! {
        <EarnSwitch />
        <p
            class="quiet num"
            role="status"
            data-earned=move || told.read().as_ref().map(|told| told.units.to_string())
            data-paid=move || told.read().as_ref().map(|told| told.paid.to_string())
            hidden=move || !on()
        >
            {move || words(&told.read().clone().unwrap_or_default())}
        </p>
    }
}

/// What the fund says, in words.
fn words(earned: &Earned) -> String {
    match earned.state.as_str() {
        "off" => "They do not pay for this share: what you give is a gift.".to_owned(),
        "unreachable" => "They do not answer. They are asked again soon.".to_owned(),
        "on" => format!(
            "{} earned, {} paid, by their word. What was paid is in your wallet, proved.",
            money::named(earned.units.into()),
            money::named(earned.paid.into())
        ),
        _ => "They are being asked.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gift_is_called_a_gift() {
        let told = |state: &str| Earned {
            units: 2_500_000,
            paid: 500_000,
            state: state.to_owned(),
            pool: None,
        };
        assert!(words(&told("off")).contains("is a gift"));
        assert!(words(&told("unreachable")).contains("asked again"));
        let on = words(&told("on")).replace('\u{a0}', " ");
        assert!(on.starts_with("2.50 STAR earned, 0.50 STAR paid, by their word."), "{on}");
        assert_eq!(words(&Earned::default()), "They are being asked.");
    }
}
