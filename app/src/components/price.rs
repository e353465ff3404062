//! What those who have a share ask for its bytes, and paying them: nothing before a person set a limit.

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos_router::components::A;
use peer_wasm::files::ShareStatus;
use wallet::view::{self, Deal, Hour, Part, Stage};

use crate::browser;
use crate::components::asking::per_gib;
use crate::components::sure::{self, Sure};
use crate::ledger;
use crate::money;
use crate::paying;
use crate::session::Session;

const NOT_PROVED: &str =
    "What you have and what a step on the ledger costs are being proved. It takes a moment.";

/// What is asked, by the dearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    per_mib: u64,
    /// Who does not pay gets a first credit and no more, of all.
    required: bool,
    /// How many ask.
    count: usize,
}

/// What the form and its last look share.
#[derive(Debug, Clone, Copy)]
struct Desk {
    share: Signal<Option<String>>,
    name: Memo<String>,
    asked: Memo<Option<Asked>>,
    deal: Memo<Option<Deal>>,
    /// Units that what is missing costs, and whether anything is.
    cost: Memo<u128>,
    missing: Memo<bool>,
    limit: NodeRef<Input>,
    dialog: NodeRef<Dialog>,
    /// The limit that is looked at once more.
    draft: RwSignal<Option<(u128, u64)>>,
    problem: RwSignal<String>,
}

/// The part of a link's page about payment; nothing where nobody asks and nothing was paid.
#[component]
pub(crate) fn Price(
    /// The share.
    cid: Signal<Option<String>>,
    /// As it is now.
    status: RwSignal<Option<ShareStatus>>,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let deal = paying::deal_of(sharing.ledger, cid);
    let asked = Memo::new(move |_| status.read().as_ref().and_then(asked));
    let cost = Memo::new(move |_| {
        let missing = status.read().as_ref().map_or(0, |status| {
            let share = &status.share;
            // Before something is chosen, all of it is.
            let wanted =
                if share.chosen_bytes == 0 { share.total_bytes } else { share.chosen_bytes };
            wanted.saturating_sub(share.chosen_held_bytes)
        });
        let per_mib = asked.get().map_or(0, |asked| asked.per_mib);
        (u128::from(missing) * u128::from(per_mib)).div_ceil(1 << 20)
    });
    let missing = Memo::new(move |_| cost.get() != 0);
    let name = Memo::new(move |_| {
        status.read().as_ref().map(|status| status.share.name.clone()).unwrap_or_default()
    });
    let desk = Desk {
        share: cid,
        name,
        asked,
        deal,
        cost,
        missing,
        limit: NodeRef::new(),
        dialog: NodeRef::new(),
        draft: RwSignal::new(None),
        problem: RwSignal::new(String::new()),
    };
    let there = Memo::new(move |_| asked.read().is_some() || deal.read().is_some());
    view! {
        <Show when=move || there.get()>
            <Panel desk />
        </Show>
    }
}

#[component]
fn Panel(desk: Desk) -> impl IntoView {
    let session = Session::get();
    let sharing = session.sharing;
    let nothing = Memo::new(move |_| session.settings.read().pay_hour_units == 0);
    let pays =
        Memo::new(move |_| desk.deal.read().as_ref().is_some_and(|deal| deal.stage != Stage::Off));
    let agreed = RwSignal::new(false);
    let look = move |_| {
        agreed.set(true);
        paying::wake(sharing);
    };
    let stage = move || match desk.deal.read().as_ref().map(|deal| deal.stage) {
        None => "none",
        Some(Stage::Opening) => "opening",
        Some(Stage::On) => "on",
        Some(Stage::Off) => "off",
    };
    let units = move || desk.deal.read().as_ref().map_or(0, |deal| deal.units).to_string();
    let stopped = move || desk.deal.read().as_ref().map(|deal| deal.stopped.clone());
    view! {
        <section
            class="card asks"
            aria-labelledby="asks-title"
            data-pays=stage
            data-units=units
            data-stopped=stopped
        >
            <h2 id="asks-title">
                {move || title(desk.deal.read().as_ref())}
            </h2>
            <p class="num">
                {move || {
                    let asked = desk.asked.get().filter(|_| desk.missing.get());
                    asked.map(|asked| told(asked, desk.cost.get()))
                }}
            </p>
            <p class="num" aria-live="polite">{move || paid(desk.deal.read().as_ref())}</p>
            <p class="quiet quiet--warn" role="alert">
                {move || trouble(desk.deal.read().as_ref(), &sharing.ledger.purse.read().hour)}
            </p>
            <Show when=move || nothing.get() && !pays.get() && desk.missing.get()>
                <p class="quiet">
                    "You chose to pay nothing: " <A href="/settings">"Settings"</A> ". What is free comes as ever."
                </p>
            </Show>
            <Show when=move || !nothing.get() && !pays.get() && !agreed.get() && desk.missing.get()>
                <div class="actions">
                    <button class="button button--strong" type="button" data-do="pay" on:click=look>
                        "Pay for it"
                    </button>
                </div>
            </Show>
            <Show when=move || (agreed.get() && !nothing.get()) || pays.get()>
                <NotReady />
                <Show when=move || *sharing.ledger.stage.read() == ledger::Stage::Open>
                    <Form desk pays />
                </Show>
            </Show>
        </section>
    }
}

#[component]
fn Form(desk: Desk, pays: Memo<bool>) -> impl IntoView {
    let ledger = Session::get().sharing.ledger;
    let ran_out = move || {
        desk.deal
            .read()
            .as_ref()
            .is_some_and(|deal| matches!(deal.stopped.as_str(), "limit" | "funds"))
    };
    let asks = Memo::new(move |_| {
        (!pays.get() || ran_out()) && desk.missing.get() && desk.asked.read().is_some()
    });
    // What a person looks at once more must say what it costs.
    let ready = Memo::new(move |_| {
        ledger.view.read().balance.is_some() && ledger.purse.read().open_cost.is_some()
    });
    let review = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let typed = desk.limit.get_untracked().map(|input| input.value()).unwrap_or_default();
        match understood(&typed, means(ledger)) {
            Ok(units) => {
                desk.problem.set(String::new());
                // What is agreed to is what is looked at: a neighbour that comes meanwhile may ask for more.
                desk.draft.set(desk.asked.get_untracked().map(|asked| (units, asked.per_mib)));
                sure::open(desk.dialog);
            }
            Err(why) => desk.problem.set(why),
        }
    };
    let stop = move |_| {
        if let Some(share) = desk.share.get_untracked() {
            paying::end(ledger, share);
        }
    };
    // A quarter more than it costs: some blocks come twice.
    let first = money::amount(desk.cost.get_untracked() * 5 / 4 + 1).replace(',', "");
    view! {
        <form class="send" on:submit=review novalidate>
            <Show when=move || asks.get()>
                <label for="pay-limit">
                    {move || if pays.get() { "Pay so much more, at most" } else { "Pay at most" }}
                </label>
                <div class="with-unit">
                    <input
                        id="pay-limit"
                        class="text-field num"
                        node_ref=desk.limit
                        value=first.clone()
                        inputmode="decimal"
                        autocomplete="off"
                        aria-describedby="pay-problem"
                        on:input=move |_| desk.problem.set(String::new())
                    />
                    <span>{money::SYMBOL}</span>
                </div>
            </Show>
            <p class="quiet" role="status">
                {move || if asks.get() && !ready.get() { NOT_PROVED } else { "" }}
            </p>
            <p id="pay-problem" class="quiet quiet--warn" role="alert">{desk.problem}</p>
            <div class="actions">
                <Show when=move || asks.get()>
                    <button
                        class="button button--strong"
                        type="submit"
                        data-do="pay-review"
                        disabled=move || !ready.get()
                    >
                        "Review"
                    </button>
                </Show>
                <Show when=move || pays.get()>
                    <button class="button" type="button" data-do="pay-stop" on:click=stop>"Stop paying"</button>
                </Show>
            </div>
        </form>
        <LastLook desk />
    }
}

#[component]
fn LastLook(desk: Desk) -> impl IntoView {
    let ledger = Session::get().sharing.ledger;
    let agree = move || {
        let draft = desk.draft.get_untracked();
        if let Some(((units, per_mib_max), share)) = draft.zip(desk.share.get_untracked()) {
            // With a deal that goes on, the limit is of both together.
            let before = match desk.deal.get_untracked() {
                Some(Deal { stage: Stage::On, part: Part::Pay { limit, .. }, .. }) => limit,
                _ => 0,
            };
            let limit = before.saturating_add(units);
            let part = Part::Pay { per_mib_max, limit };
            paying::agree(ledger, share, desk.name.get_untracked(), part);
        }
    };
    let amount = move || desk.draft.get().map(|(units, _)| money::named(units)).unwrap_or_default();
    let fee = move || ledger.purse.read().open_cost.map(money::named).unwrap_or_default();
    let price = move || desk.draft.get().map(|(_, each)| per_gib(each)).unwrap_or_default();
    let hour = move || money::named(ledger.purse.read().hour.cap);
    view! {
        <Sure
            dialog=desk.dialog
            name="pay"
            title="Set this aside and pay?"
            agree="Set aside and pay"
            on_agree=agree
        >
            <dl class="bill num">
                <div>
                    <dt>"For a GiB, at most"</dt>
                    <dd>{price}</dd>
                </div>
                <div>
                    <dt>"In all, at most"</dt>
                    <dd>{amount}</dd>
                </div>
                <div>
                    <dt>"In an hour, for all files, at most"</dt>
                    <dd>{hour}</dd>
                </div>
                <div class="bill-total">
                    <dt>"Fee of each step on the ledger, about"</dt>
                    <dd>{fee}</dd>
                </div>
            </dl>
            <p class="quiet">
                "The amount is set aside on the ledger and paid as bytes come and are checked, after them. You can stop at any time. What is not paid comes back when you close the deposit on the Wallet page."
            </p>
        </Sure>
    }
}

/// Why there is no wallet yet, where one is needed.
#[component]
pub(crate) fn NotReady() -> impl IntoView {
    let ledger = Session::get().sharing.ledger;
    let words = move || match &*ledger.stage.read() {
        ledger::Stage::Open => "",
        ledger::Stage::Starting => "Your wallet starts in a moment.",
        ledger::Stage::Elsewhere => {
            "Your wallet is open in another tab. Close that one: then this one can pay and be paid."
        }
        ledger::Stage::Failed(why) if why == "off" => {
            "This host runs no ledger, so nobody can be paid here. What is free comes as ever."
        }
        ledger::Stage::Failed(why) if why == "no-code" => {
            "Your wallet did not load: the site was updated, or the network failed. Load the page anew; what is free comes as ever."
        }
        ledger::Stage::Failed(_) => {
            "The ledger does not answer. This page tries again by itself; what is free comes as ever."
        }
    };
    view! { <p class="quiet" role="status" hidden=move || words().is_empty()>{words}</p> }
}

/// What neighbours ask, as they said it; those of other assets ask for nothing that could be paid here.
fn asked(status: &ShareStatus) -> Option<Asked> {
    let terms = status.terms.iter().filter_map(|frame| view::terms(frame));
    let terms: Vec<_> = terms.filter(|terms| terms.native && terms.per_mib > 0).collect();
    let dearest = terms.iter().map(|terms| terms.per_mib).max()?;
    let required = terms.iter().all(|terms| terms.required);
    Some(Asked { per_mib: dearest, required, count: terms.len() })
}

fn told(asked: Asked, cost: u128) -> String {
    let who = match asked.count {
        1 => "Whoever has it asks".to_owned(),
        count => format!("{count} who have it ask up to"),
    };
    let rule = if asked.required {
        "Who does not pay gets the first 2\u{a0}MiB of each, and whatever others give for nothing."
    } else {
        "It comes without paying as well."
    };
    format!(
        "{who} {} for a GiB: about {} for what is missing. {rule}",
        per_gib(asked.per_mib),
        money::named(cost)
    )
}

fn paid(deal: Option<&Deal>) -> String {
    let Some(Deal { part: Part::Pay { limit, .. }, stage, units, .. }) = deal else {
        return String::new();
    };
    let sum = format!("Paid {} of {} at most", money::named(*units), money::named(*limit));
    match stage {
        _ if is_whole(deal) => format!("All of it is here. {sum}."),
        Stage::Opening => "Setting it aside on the ledger. It takes a few seconds.".to_owned(),
        Stage::On => format!("{sum}."),
        Stage::Off => format!("{sum}. Nothing more is paid."),
    }
}

/// Whether a deal ended because everything came.
fn is_whole(deal: Option<&Deal>) -> bool {
    deal.is_some_and(|deal| deal.stage == Stage::Off && deal.stopped == "whole")
}

fn title(deal: Option<&Deal>) -> &'static str {
    match deal {
        Some(deal) if deal.stage != Stage::Off => "You pay for this",
        Some(_) if is_whole(deal) => "You paid for this",
        _ => "Payment is asked for this",
    }
}

fn trouble(deal: Option<&Deal>, hour: &Hour) -> String {
    match deal.map_or("", |deal| deal.stopped.as_str()) {
        "hour" => waits(hour, |again_ms| browser::moment(again_ms / 1_000)),
        code => why(code).to_owned(),
    }
}

/// That nobody is paid for now, and when it goes on. `moment`: date and time of some milliseconds.
fn waits(hour: &Hour, moment: impl Fn(u64) -> String) -> String {
    if hour.cap == 0 {
        return "You chose in Settings to pay nothing, so nobody is paid. What is free still comes."
            .to_owned();
    }
    let cap = money::named(hour.cap);
    let again = hour.again_ms.map(moment);
    // Within an hour: the time of day says it.
    let at = again.as_deref().and_then(|text| text.split_once(' '));
    let at = at.map_or(String::new(), |(_, time)| format!(" at {time}"));
    format!(
        "You paid {cap} within an hour, the most that you allow in Settings. It goes on by itself{at}; what is free still comes."
    )
}

/// Why one side stopped, in words, and what to do.
pub(crate) fn why(code: &str) -> &'static str {
    match code {
        "" | "person" | "whole" => "",
        "gone" => {
            "Nobody whom you pay was there for an hour, so paying ended. When somebody is, pay for the rest."
        }
        "terms" => {
            "Somebody asks more than you agreed to, or on another ledger: they are not paid."
        }
        "limit" => "Your limit is reached. What is free still comes; for the rest, pay more.",
        "hour" => {
            "As much was paid within an hour as you allow in Settings. It goes on by itself; what is free still comes."
        }
        "keys" => {
            "It takes several keys to sign for your account, and this page has one. Nothing was signed."
        }
        "funds" => {
            "What you set aside is used up, or could not be set aside for this person. What is free still comes; for the rest, pay more."
        }
        "lane" => {
            "The other side counts no more: it stopped asking, or can\u{2019}t see what was set aside."
        }
        "promise" => "The other side could not check what it was promised.",
        "too-much" => {
            "Your account does not hold that much with the fees. Pay less, or get more on the Wallet page. What is free still comes."
        }
        "deposit" => "The ledger did not take the deposit: only a fee is gone. Try again.",
        "fee" => "The ledger asks an unusual fee. Nothing was signed.",
        _ => "It did not work. Nothing more is paid; try again.",
    }
}

/// Units that are there, and what a step on the ledger costs; none: not both are proved yet.
fn means(ledger: ledger::Ledger) -> Option<(u128, u128)> {
    let view = ledger.view.read_untracked();
    let held = view.balance?.units.saturating_sub(view.outgoing);
    Some((held, ledger.purse.read_untracked().open_cost?))
}

/// The units in what was typed, or what is wrong with it.
fn understood(typed: &str, means: Option<(u128, u128)>) -> Result<u128, String> {
    let units = money::units(typed)
        .filter(|units| *units > 0)
        .ok_or("That is no amount: expected digits, at most six after the point.")?;
    let (held, fee) = means.ok_or(NOT_PROVED)?;
    // The deposit, and then each time that units are set aside for somebody.
    let fees = fee.saturating_mul(2);
    if units.saturating_add(fees) > held {
        let most = money::named(held.saturating_sub(fees));
        return Err(format!("That is more than there is: {most} can be set aside after the fees."));
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_an_hour_is_told_until_when() {
        let moment = |at_ms| format!("2026-06-21 14:{}", at_ms / 60_000);
        let mut hour = Hour { cap: 1_000_000, spent: 1_000_000, again_ms: Some(900_000) };
        let told = waits(&hour, moment);
        assert!(told.contains("You paid 1.00\u{a0}STAR within an hour"), "{told}");
        assert!(told.contains("goes on by itself at 14:15;"), "{told}");
        hour.again_ms = None;
        assert!(waits(&hour, moment).contains("goes on by itself;"));
        hour.cap = 0;
        assert!(waits(&hour, moment).contains("to pay nothing"));
    }

    #[test]
    fn nothing_is_looked_at_once_more_before_its_fees_are_proved() {
        assert_eq!(understood("1", None), Err(NOT_PROVED.to_owned()));
        assert_eq!(understood("1", Some((3_000_000, 10_000))), Ok(1_000_000));
        let most = understood("3", Some((3_000_000, 10_000)));
        assert!(most.is_err_and(|why| why.contains("2.98\u{a0}STAR")), "two steps are paid");
        assert!(understood("nothing", None).is_err_and(|why| why != NOT_PROVED));
    }
}
