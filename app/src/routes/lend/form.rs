//! The dialog in which an action is tried before it is signed.

use leptos::html::Input;
use leptos::prelude::*;
use wallet::lending::{self, Factor, Kind, Most, ONE, Preview, State, Wish};

use crate::components::modal::{modal, once};
use crate::money;

use super::desk::{Desk, Doing, What};
use super::words::{STILL, exact, factor, named, percent, refusal, symbol, value, verb};

/// Health after an action below which it is said that little is left: 1.1.
const CLOSE: u128 = ONE + ONE / 10;
/// What stopping does.
const STOPS: &str = "Nobody supplies or borrows it from then on, until you allow it again. Repaying, withdrawing and liquidating go on.";

/// What covering does.
const GIVES: &str = "It burns what you supplied, for all who supplied: less is owed to you, by as much as the deficit falls. You get nothing back.";

/// The dialog; open while something is being done.
#[component]
pub(super) fn ActDialog() -> impl IntoView {
    modal(Desk::get().doing, "dialog dialog--small", "act-title", |doing, close| {
        view! { <Form doing close /> }
    })
}

/// What the parts of the form share.
#[derive(Debug, Clone, Copy)]
struct Draft {
    desk: Desk,
    doing: Doing,
    field: NodeRef<Input>,
    typed: RwSignal<String>,
    /// Everything is wanted, not what is typed.
    is_all: RwSignal<bool>,
}

impl Draft {
    fn decimals(self) -> u8 {
        self.desk.reserve(self.doing.place).map_or(0, |reserve| reserve.asset.decimals)
    }

    /// What is wanted, where it is something.
    fn wish(self) -> Option<Wish> {
        let kind = match self.doing.what {
            What::Pledge(on) => return Some(Wish::Pledge(on)),
            What::Stop(on) => return Some(Wish::Stop(on)),
            What::Collect => return Some(Wish::Collect),
            What::Amount(kind) => kind,
        };
        match (self.is_all.get(), kind) {
            (true, Kind::Withdraw) => return Some(Wish::Withdraw(None)),
            (true, Kind::Repay) => return Some(Wish::Repay(None)),
            _ => {}
        }
        let units = money::read(&self.typed.read(), self.decimals())?;
        (units > 0).then(|| kind.wish(units))
    }

    fn preview(self) -> Option<Preview> {
        let wish = self.wish()?;
        self.desk.look(|scene| lending::preview(scene, self.doing.place, wish))
    }

    fn take(self, most: Most) {
        let text = exact(most.amount, untrack(|| self.decimals()));
        if let Some(field) = self.field.get_untracked() {
            field.set_value(&text);
        }
        self.typed.set(text);
        self.is_all.set(most.is_all);
    }

    fn sign(self) {
        let wish = untrack(|| self.wish());
        let place = self.doing.place;
        let command = wish.and_then(|wish| {
            untrack(|| self.desk.look(|scene| Some(lending::ask(scene, place, wish))))
        });
        if let Some(command) = command {
            self.desk.signed.set(true);
            self.desk.ledger.command(&command);
        }
    }
}

#[component]
fn Form(doing: Doing, close: Callback<()>) -> impl IntoView {
    let desk = Desk::get();
    let (typed, is_all) = (RwSignal::new(String::new()), RwSignal::new(false));
    let draft = Draft { desk, doing, field: NodeRef::new(), typed, is_all };
    let preview = Memo::new(move |_| draft.preview());
    // The wallet refuses what it can't judge by a new block.
    let ready = move || {
        desk.fresh.get() && preview.read().as_ref().is_some_and(|told| told.refusal.is_none())
    };
    let first = once();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if untrack(ready) && first() {
            draft.sign();
            close.run(());
        }
    };
    let title = move || {
        let name = desk.reserve(doing.place).map(|reserve| symbol(&reserve.asset));
        let what = match doing.what {
            What::Amount(Kind::Cover) => "Cover the deficit of",
            What::Amount(kind) => verb(kind),
            What::Pledge(true) => "Pledge",
            What::Pledge(false) => "Stop pledging",
            What::Stop(true) => "Stop new business in",
            What::Stop(false) => "Allow new business in",
            What::Collect => "Collect",
        };
        format!("{what} {}", name.unwrap_or_default())
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <div class="dialog-head">
                <h2 id="act-title">{title}</h2>
            </div>
            {match doing.what {
                What::Amount(kind) => {
                    let gives = (kind == Kind::Cover).then_some(GIVES);
                    view! {
                        <p class="quiet quiet--warn" id="act-gives" hidden=gives.is_none()>
                            {gives}
                        </p>
                        <Amount draft kind />
                    }
                        .into_any()
                }
                What::Stop(true) => view! { <p class="quiet">{STOPS}</p> }.into_any(),
                What::Stop(false) | What::Collect | What::Pledge(_) => ().into_any(),
            }}
            <Told draft preview />
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close.run(())>
                    "Back"
                </button>
                <button id="act-sign" class="button button--strong" type="submit" disabled=move || !ready()>
                    "Sign and send"
                </button>
            </div>
        </form>
    }
}

#[component]
fn Amount(draft: Draft, kind: Kind) -> impl IntoView {
    let (desk, place) = (draft.desk, draft.doing.place);
    let most = Memo::new(move |_| desk.look(|scene| lending::most(scene, place, kind)));
    let asset = move || desk.reserve(place).map(|reserve| reserve.asset);
    let name = move || asset().map(|asset| symbol(&asset));
    let words = move || {
        let (most, asset) = (most.get()?, asset()?);
        Some(match most {
            Most { refusal: Some(number), .. } => refusal(number).to_owned(),
            Most { is_all: true, amount, .. } => format!("All of it: {}", named(amount, &asset)),
            Most { amount, .. } => format!("At most {}, with a margin", named(amount, &asset)),
        })
    };
    let take = move |_| {
        if let Some(most) = most.get_untracked() {
            draft.take(most);
        }
    };
    let input = move |event| {
        draft.is_all.set(false);
        draft.typed.set(event_target_value(&event));
    };
    view! {
        <label for="act-units">"Amount"</label>
        <div class="with-unit">
            <input
                id="act-units"
                class="text-field num"
                node_ref=draft.field
                inputmode="decimal"
                autocomplete="off"
                placeholder="0.00"
                aria-describedby="act-most act-told"
                on:input=input
            />
            <span>{name}</span>
        </div>
        <div class="send-foot">
            <p class="quiet num" id="act-most">
                {words}
            </p>
            <button
                class="button"
                id="act-max"
                type="button"
                disabled=move || most.read().is_none_or(|most| most.amount == 0)
                on:click=take
            >
                {move || if most.read().is_some_and(|most| most.is_all) { "All" } else { "Most" }}
            </button>
        </div>
    }
}

/// What would come of it.
#[component]
fn Told(draft: Draft, preview: Memo<Option<Preview>>) -> impl IntoView {
    let problem = move || {
        if !draft.desk.fresh.get() {
            return STILL.to_owned();
        }
        let told = preview.read();
        if let Some(number) = told.as_ref().and_then(|told| told.refusal) {
            return format!("{} (refusal {number})", refusal(number));
        }
        if told.is_none() && !draft.typed.read().is_empty() {
            return match draft.wish() {
                Some(_) => "What decides it is not proved yet.".to_owned(),
                None => format!(
                    "That is no amount: expected digits, at most {} after the point.",
                    draft.decimals()
                ),
            };
        }
        String::new()
    };
    let close = move || {
        let told = preview.read();
        let after = told.as_ref().and_then(|told| Some(told.after.as_ref()?.standing.factor));
        matches!(after, Some(Factor::Is(factor)) if factor < CLOSE)
    };
    view! {
        <div id="act-told" aria-live="polite">
            {move || preview.get().map(|told| view! { <Bill told /> })}
        </div>
        <p class="quiet quiet--warn">
            {move || close().then_some("A small move of a price is enough to be liquidated.")}
        </p>
        <p id="act-problem" class="quiet quiet--warn" role="alert">
            {problem}
        </p>
    }
}

/// One line of before and after.
type Line = (&'static str, fn(&State) -> String);

/// What changes with an action, and how it is told.
const LINES: [Line; 9] = [
    ("Health", |state| factor(state.standing.factor)),
    ("You supplied", |state| named(state.held.supplied, &state.reserve.asset)),
    ("Deficit", |state| named(state.reserve.deficit, &state.reserve.asset)),
    ("You owe", |state| named(state.held.owed, &state.reserve.asset)),
    ("You may borrow", |state| {
        state.standing.available.map_or_else(|| "no price".to_owned(), value)
    }),
    ("Supply APY", |state| percent(state.reserve.supply_apy_ppm)),
    ("Borrow APY", |state| percent(state.reserve.borrow_apy_ppm)),
    ("Left to supply", |state| left(state.reserve.supply_left, state.reserve.supply_cap, state)),
    ("Left to borrow", |state| left(state.reserve.borrow_left, state.reserve.borrow_cap, state)),
];

fn left(left: u128, cap: u128, state: &State) -> String {
    if cap == u128::MAX { "no cap".to_owned() } else { named(left, &state.reserve.asset) }
}

#[component]
fn Bill(told: Preview) -> impl IntoView {
    let Preview { before, after, fee, .. } = told;
    let line = |(name, of): Line| {
        let was = of(&before);
        let becomes = after.as_ref().map(of).filter(|becomes| *becomes != was);
        // Health is what one looks for, also where it stays.
        (becomes.is_some() || name == "Health").then(|| {
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd>
                        <span class:was=becomes.is_some()>{was}</span>
                        {becomes
                            .map(|becomes| {
                                view! {
                                    <span aria-hidden="true">" \u{2192} "</span>
                                    <strong>{becomes}</strong>
                                }
                            })}
                    </dd>
                </div>
            }
        })
    };
    view! {
        <dl class="bill num">
            {LINES.into_iter().filter_map(line).collect_view()}
            <div class="bill-total">
                <dt>"Fee, at most"</dt>
                <dd>{money::named(fee)}</dd>
            </div>
        </dl>
    }
}
