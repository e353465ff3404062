//! Assets of one's own: made here, issued, frozen where that was declared; and burning what one holds.

use leptos::prelude::*;
use wallet::assets::{DECIMALS_MAX, Holding, SYMBOL_BYTES_MAX, Wish};

use crate::assets::Assets;
use crate::components::asset_choice::AssetChoice;
use crate::components::fields::Line;
use crate::components::send::{NO_ACCOUNT, account};
use crate::money;

/// Decimals with which the form begins.
const DECIMALS: &str = "2";

/// The card.
#[component]
pub(super) fn Issue() -> impl IntoView {
    let desk = Assets::get();
    let issued = Memo::new(move |_| {
        let all = desk.all.read();
        all.iter().flat_map(|all| all.issued.clone()).collect::<Vec<_>>()
    });
    let holds = Memo::new(move |_| {
        let all = desk.all.read();
        all.as_ref().is_some_and(|all| all.held.iter().any(|one| one.units > 0))
    });
    let has_issued = Memo::new(move |_| !issued.read().is_empty());
    view! {
        <section class="card" aria-labelledby="issue-title">
            <h2 id="issue-title">"Issue an asset"</h2>
            <p class="quiet">
                "A promise of yours, which others hold and pass on: hours, vouchers, shares of something. Everybody sees that it is yours."
            </p>
            <ul class="payments" id="issued" hidden=move || !has_issued.get()>
                {move || issued.get().into_iter().map(|one| row(desk, one)).collect_view()}
            </ul>
            <details class="steps">
                <summary>"Create one"</summary>
                <Create desk />
            </details>
            <Show when=move || has_issued.get()>
                <details class="steps">
                    <summary>"Issue, freeze, close"</summary>
                    <Manage desk issued />
                </details>
            </Show>
            <Show when=move || holds.get()>
                <details class="steps">
                    <summary>"Burn what you hold"</summary>
                    <Burn desk />
                </details>
            </Show>
        </section>
    }
}

/// An asset of mine: how much of it there is, and what I may do.
fn row(desk: Assets, holding: Holding) -> impl IntoView + use<> {
    let Holding { asset, supply, supply_max, freezable, closed, seen, .. } = holding;
    let supply = match supply {
        Some(units) => format!("{} issued", money::units_of(units, &asset)),
        None => "How much there is is being proved".to_owned(),
    };
    let cap = match supply_max {
        Some(units) => format!("at most {}", money::shown(units, asset.decimals)),
        None => "no cap".to_owned(),
    };
    let freezes = if freezable { "can be frozen" } else { "never frozen" };
    let open = if closed { "issuing given up" } else { "open" };
    let id = asset.id;
    let told = move || {
        let (proved, _) = desk.proved(seen);
        format!("Asset {id}, {cap}, {freezes}, {open}, {proved}")
    };
    view! {
        <li class="payment" data-issued=id.to_string()>
            <div class="row-words">
                <span>{money::symbol(&asset)}</span>
                <span class="quiet num">{told}</span>
            </div>
            <span class="payment-units num">{supply}</span>
        </li>
    }
}

/// What is wrong with a form.
#[component]
fn Trouble(id: &'static str, problem: RwSignal<String>) -> impl IntoView {
    view! {
        <p id=id class="quiet quiet--warn" role="alert">
            {problem}
        </p>
    }
}

/// Takes a wish to the last look, or says what is wrong with what was typed. Once it is signed, `fields` are empty.
fn review(
    desk: Assets,
    problem: RwSignal<String>,
    wish: Result<Wish, String>,
    fields: [RwSignal<String>; 2],
) {
    match wish {
        Ok(wish) => {
            problem.set(String::new());
            let empty = move |()| fields.into_iter().for_each(|field| field.set(String::new()));
            desk.begin(wish, Callback::new(empty));
        }
        Err(why) => problem.set(why),
    }
}

#[component]
fn Create(desk: Assets) -> impl IntoView {
    let (symbol, cap) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (decimals, freezable) = (RwSignal::new(DECIMALS.to_owned()), RwSignal::new(false));
    let problem = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let wish = created(
            &symbol.get_untracked(),
            &decimals.get_untracked(),
            &cap.get_untracked(),
            freezable.get_untracked(),
        );
        review(desk, problem, wish, [symbol, cap]);
    };
    view! {
        <form class="send" id="create-asset" on:submit=submit novalidate>
            <Line id="create-symbol".to_owned() label="Symbol" value=symbol mono=true placeholder="HOURS" />
            <Line
                id="create-decimals".to_owned()
                label="Digits after the point"
                value=decimals
                inputmode="numeric"
            />
            <Line
                id="create-cap".to_owned()
                label="Most there may ever be; nothing: no cap"
                value=cap
                inputmode="decimal"
            />
            <label class="check" for="create-freezable">
                <input
                    id="create-freezable"
                    type="checkbox"
                    prop:checked=freezable
                    on:change=move |event| freezable.set(event_target_checked(&event))
                />
                " I may freeze what others hold of it. It can\u{2019}t be said later."
            </label>
            <Trouble id="create-problem" problem />
            <div class="dialog-actions">
                <button id="create-review" class="button" type="submit">
                    "Review"
                </button>
            </div>
        </form>
    }
}

/// The asset that was typed, or what is wrong with it.
fn created(symbol: &str, decimals: &str, cap: &str, freezable: bool) -> Result<Wish, String> {
    let symbol = symbol.trim().to_ascii_uppercase();
    let fits = (1..=SYMBOL_BYTES_MAX).contains(&symbol.len());
    if !fits || !symbol.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!(
            "A symbol is 1 to {SYMBOL_BYTES_MAX} letters and digits, without spaces."
        ));
    }
    let decimals = decimals.trim().parse().ok().filter(|decimals| *decimals <= DECIMALS_MAX);
    let decimals =
        decimals.ok_or_else(|| format!("Digits after the point: 0 to {DECIMALS_MAX}."))?;
    let supply_max = match cap.trim() {
        "" => None,
        cap => Some(
            money::read(cap, decimals)
                .ok_or("The cap is no amount with that many digits after the point.")?,
        ),
    };
    Ok(Wish::Create { symbol, decimals, supply_max, freezable })
}

/// What an issuer does with an asset that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Issue,
    Freeze,
    Thaw,
    Renounce,
}

#[component]
fn Manage(desk: Assets, issued: Memo<Vec<Holding>>) -> impl IntoView {
    let newest = issued.read_untracked().first().map_or(0, |one| one.asset.id);
    let chosen = RwSignal::new(newest);
    let (who, amount) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let problem = RwSignal::new(String::new());
    let offered =
        Signal::derive(move || issued.read().iter().map(|one| one.asset.id).collect::<Vec<_>>());
    let now =
        Memo::new(move |_| issued.read().iter().find(|one| one.asset.id == chosen.get()).cloned());
    let freezes = move || now.read().as_ref().is_some_and(|one| one.freezable);
    let closed = move || now.read().as_ref().is_none_or(|one| one.closed);
    let act = move |deed: Deed| {
        let Some(holding) = now.get_untracked() else { return };
        let wish = managed(deed, &holding, &who.get_untracked(), &amount.get_untracked());
        review(desk, problem, wish, [who, amount]);
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        act(Deed::Issue);
    };
    view! {
        <form class="send" id="manage-asset" on:submit=submit novalidate>
            <AssetChoice id="manage-which" label="Which" offered chosen />
            <Line
                id="manage-who".to_owned()
                label="Account"
                value=who
                mono=true
                placeholder="An account, or a link to one"
            />
            <Line
                id="manage-units".to_owned()
                label="Amount to issue"
                value=amount
                inputmode="decimal"
                placeholder="0.00"
            />
            <Trouble id="manage-problem" problem />
            <div class="dialog-actions">
                <button
                    id="manage-renounce"
                    class="button"
                    type="button"
                    disabled=closed
                    on:click=move |_| act(Deed::Renounce)
                >
                    "Give up issuing"
                </button>
                <button
                    id="manage-freeze"
                    class="button"
                    type="button"
                    hidden=move || !freezes()
                    on:click=move |_| act(Deed::Freeze)
                >
                    "Freeze"
                </button>
                <button
                    id="manage-thaw"
                    class="button"
                    type="button"
                    hidden=move || !freezes()
                    on:click=move |_| act(Deed::Thaw)
                >
                    "Thaw"
                </button>
                <button id="manage-issue" class="button" type="submit" disabled=closed>
                    "Issue"
                </button>
            </div>
        </form>
    }
}

/// What an issuer wants, or what is wrong with what was typed.
fn managed(deed: Deed, holding: &Holding, who: &str, amount: &str) -> Result<Wish, String> {
    let asset = holding.asset.id;
    let who = || account(who).ok_or_else(|| NO_ACCOUNT.to_owned());
    Ok(match deed {
        Deed::Issue => {
            Wish::Issue { asset, to: who()?, amount: amount_of(amount, &holding.asset)? }
        }
        Deed::Freeze => Wish::Freeze { asset, account: who()?, frozen: true },
        Deed::Thaw => Wish::Freeze { asset, account: who()?, frozen: false },
        Deed::Renounce => Wish::Renounce { asset },
    })
}

fn amount_of(typed: &str, asset: &wallet::assets::Asset) -> Result<u128, String> {
    let decimals = asset.decimals;
    money::read(typed, decimals).filter(|units| *units > 0).ok_or_else(|| {
        format!("That is no amount: expected digits, at most {decimals} after the point.")
    })
}

#[component]
fn Burn(desk: Assets) -> impl IntoView {
    let offered = Signal::derive(move || {
        let all = desk.all.read();
        let held = all.iter().flat_map(|all| &all.held).filter(|one| one.units > 0);
        held.map(|one| one.asset.id).collect::<Vec<u32>>()
    });
    let first = offered.read_untracked().first().copied().unwrap_or_default();
    let (chosen, amount) = (RwSignal::new(first), RwSignal::new(String::new()));
    let problem = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let held = untrack(|| desk.holding(chosen.get()));
        let held = held.ok_or_else(|| "What you have of it is not proved yet.".to_owned());
        let wish = held.and_then(|held| {
            let amount = amount_of(&amount.get_untracked(), &held.asset)?;
            Ok(Wish::Burn { asset: held.asset.id, amount })
        });
        review(desk, problem, wish, [amount, problem]);
    };
    view! {
        <form class="send" id="burn-asset" on:submit=submit novalidate>
            <AssetChoice id="burn-which" label="Which" offered chosen />
            <Line
                id="burn-units".to_owned()
                label="Amount"
                value=amount
                inputmode="decimal"
                placeholder="0.00"
            />
            <Trouble id="burn-problem" problem />
            <div class="dialog-actions">
                <button id="burn-review" class="button" type="submit">
                    "Review"
                </button>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_an_asset_or_words() {
        let of = |symbol: &str, decimals: &str, cap: &str| created(symbol, decimals, cap, true);
        let expected = |supply_max| {
            Ok(Wish::Create {
                symbol: "HOURS".to_owned(),
                decimals: 2,
                supply_max,
                freezable: true,
            })
        };
        assert_eq!(of(" hours ", "2", ""), expected(None));
        assert_eq!(of("HOURS", "2", "10.5"), expected(Some(1_050)));
        for (symbol, decimals, cap) in [
            ("", "2", ""),
            ("TWO WORDS", "2", ""),
            ("THIRTEENBYTES", "2", ""),
            ("H\u{d6}RS", "2", ""),
            ("HOURS", "25", ""),
            ("HOURS", "two", ""),
            ("HOURS", "2", "1.234"),
        ] {
            assert!(of(symbol, decimals, cap).is_err(), "{symbol} {decimals} {cap}");
        }
    }
}
