//! Running a community: members, meters, purses, and slots that are to be settled.

use leptos::prelude::*;
use wallet::energy::{Community, Meter, Purse, State, Trust, Wish};

use crate::browser;
use crate::format::{counted, short_key};

use super::chart::day_name;
use super::clock;
use super::desk::{Desk, Doing};
use super::group::GroupLink;
use super::members::Members;
use super::meters::Row;
use super::purse::Move;
use super::rules::Announce;
use super::slot::{SETTLE, SlotCard};
use super::street::{Days, SlotTable, told_slots};
use super::words::{energy as wh, named, trust};

/// Digits of an account's name.
const ACCOUNT_DIGITS: usize = 64;
/// Most slots settled by one press: each is a transaction with its fee.
const SETTLED_AT_ONCE: usize = 8;

/// What there is to do in the community that is looked at.
#[component]
pub(super) fn Running() -> impl IntoView {
    let desk = Desk::get();
    let who = Memo::new(move |_| {
        let community = desk.community.read();
        community.as_ref().map(|one| (one.is_operator, one.is_grid, one.is_network))
    });
    move || {
        who.get().map(|(is_operator, is_grid, is_network)| {
            let note = (!is_operator).then_some(
                "Somebody else operates this community. You can look at it, and settle what is due.",
            );
            view! {
                <p class="quiet" hidden=note.is_none()>
                    {note}
                </p>
                <Settling />
                <SlotCard />
                {is_operator.then(|| view! { <Admit /> })}
                {is_operator.then(|| view! { <Announce /> })}
                <Members is_operator />
                <AllMeters is_operator />
                {is_operator.then(|| view! { <GroupLink /> })}
                <Funds is_operator is_grid is_network />
            }
        })
    }
}

/// How far each slot of the day is, and settling.
#[component]
fn Settling() -> impl IntoView {
    let desk = Desk::get();
    let slots = Memo::new(move |_| told_slots(desk));
    let due = Memo::new(move |_| {
        let slots = slots.read();
        let due = slots.iter().rev().filter(|one| one.state == State::Due);
        due.map(|one| one.slot).collect::<Vec<u64>>()
    });
    let begin = move |_| {
        let some: Vec<u64> = due.read_untracked().iter().copied().take(SETTLED_AT_ONCE).collect();
        let (Some(first), Some(last)) = (some.first(), some.last()) else { return };
        desk.doing.set(Some(Doing {
            title: "Settle slots".to_owned(),
            lines: vec![
                ("Slots", some.len().to_string()),
                ("From", clock::slot(*first)),
                ("To", clock::slot(*last)),
            ],
            warning: SETTLE,
            community: desk.chosen.get_untracked().unwrap_or_default(),
            wishes: some.into_iter().map(Wish::Settle).collect(),
        }));
    };
    let counts = move || {
        let slots = slots.read();
        let of = |is: fn(&State) -> bool| slots.iter().filter(|one| is(&one.state)).count();
        format!(
            "{} settled, {} to be settled, {} open",
            of(|state| matches!(state, State::Settled(_))),
            of(|state| matches!(state, State::Due)),
            of(|state| matches!(state, State::Open { .. }))
        )
    };
    view! {
        <section class="card" aria-labelledby="settling-title" id="settling">
            <h2 id="settling-title" class="num">
                {move || format!("Settlement: {}", day_name(desk))}
            </h2>
            <p class="quiet num" role="status">{counts}</p>
            <Days />
            <div class="ways">
                <button
                    class="button button--strong"
                    type="button"
                    data-do="settle-due"
                    disabled=move || due.read().is_empty()
                    on:click=begin
                >
                    "Settle what is due"
                </button>
            </div>
            <SlotTable />
        </section>
    }
}

/// Taking somebody in.
#[component]
fn Admit() -> impl IntoView {
    let desk = Desk::get();
    let typed = RwSignal::new(browser::query("admit").unwrap_or_default());
    let account = move || {
        let name = typed.read().trim().to_lowercase();
        let is_name =
            name.len() == ACCOUNT_DIGITS && name.bytes().all(|one| one.is_ascii_hexdigit());
        is_name.then_some(name)
    };
    let begin = move |_| {
        if let Some(account) = untrack(account) {
            let lines = vec![("Account", short_key(&account))];
            let warning = "It costs them nothing and binds them to nothing. Compare the first digits with what they read to you.";
            desk.begin("Take somebody in", lines, warning, Wish::Admit(account));
        }
    };
    view! {
        <section class="card" aria-labelledby="admit-title" id="admit">
            <h2 id="admit-title">"Take somebody in"</h2>
            <div class="move">
                <label for="admit-account">"Account"</label>
                <input
                    id="admit-account"
                    class="text-field mono"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || typed.get()
                    on:input=move |event| typed.set(event_target_value(&event))
                />
                <button
                    class="button"
                    type="button"
                    data-do="admit"
                    disabled=move || account().is_none()
                    on:click=begin
                >
                    "Take in"
                </button>
            </div>
            <p class="quiet">
                "64 hexadecimal digits. A link that a neighbour sends you from their page fills this in."
            </p>
        </section>
    }
}

/// All meters, how they are, and how far they are trusted.
#[component]
fn AllMeters(is_operator: bool) -> impl IntoView {
    let desk = Desk::get();
    let all = Memo::new(move |_| desk.meters.get().unwrap_or_default());
    let cut = move || all.read().iter().filter(|meter| meter.health.is_cut).count();
    let row = move |meter: Meter| {
        let ways = is_operator.then(|| view! { <Ways meter=meter.clone() /> });
        view! { <Row meter>{ways}</Row> }
    };
    let words = move || {
        let cut = u64::try_from(cut()).unwrap_or_default();
        match cut {
            0 => "No disputes: no meter was shown to contradict itself.".to_owned(),
            many => format!(
                "{} cut: evidence was handed in that it contradicted itself or lied. Its readings that wait are left out.",
                counted(many, "meter was", "meters were")
            ),
        }
    };
    view! {
        <section class="card" aria-labelledby="all-meters-title" id="all-meters">
            <h2 id="all-meters-title">"Meters and disputes"</h2>
            <p class="quiet" class:quiet--warn=move || cut() != 0 role="status">
                {words}
            </p>
            <ul class="payments">{move || all.get().into_iter().map(row).collect_view()}</ul>
        </section>
    }
}

/// What an operator may do with a meter.
#[component]
fn Ways(meter: Meter) -> impl IntoView {
    let desk = Desk::get();
    let number = meter.number;
    let next = match meter.trust {
        Trust::SelfReported => Trust::Retailer,
        Trust::Retailer => Trust::Hardware,
        Trust::Hardware => Trust::SelfReported,
    };
    let say = move |_| {
        let lines = vec![("Meter", number.to_string()), ("Trust", trust(next).to_owned())];
        let warning = "Neighbours rely on it: say only what you have seen.";
        desk.begin("Say how far a meter is trusted", lines, warning, Wish::Trust(number, next));
    };
    let remove = move |_| {
        let lines = vec![("Meter", number.to_string())];
        let warning = "Its key can be brought again then, also of one that was cut.";
        desk.begin("Take a meter away", lines, warning, Wish::RemoveMeter(number));
    };
    view! {
        <div class="ways">
            <button class="button button--quiet" type="button" on:click=say>
                {format!("Trust: {}", trust(next))}
            </button>
            <button class="button button--quiet" type="button" disabled={meter.open > 0} on:click=remove>
                "Take away"
            </button>
        </div>
    }
}

/// What the retailer, the network and the community have.
#[component]
fn Funds(is_operator: bool, is_grid: bool, is_network: bool) -> impl IntoView {
    let desk = Desk::get();
    let fact = move |name: &'static str, of: fn(&Community) -> String| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>
                    <span class="fact-value num">
                        {move || desk.community.read().as_ref().map(of)}
                    </span>
                </dd>
            </div>
        }
    };
    view! {
        <section class="card" aria-labelledby="funds-title" id="funds">
            <h2 id="funds-title">"Purses and certificates"</h2>
            <dl class="facts-row">
                {fact("Retailer, free", |one| named(one.grid_funds.0, &one.asset))}
                {fact("Retailer, for readings that wait", |one| named(one.grid_funds.1, &one.asset))}
                {fact("Grid fees", |one| named(one.fees, &one.asset))}
                {fact("Community", |one| named(one.fund, &one.asset))}
                {fact("Certificates minted", |one| wh(one.certificates.0))}
                {fact("Certificates used up", |one| wh(one.certificates.1))}
                {fact("Slots settled", |one| one.settled_slots.to_string())}
            </dl>
            {is_grid
                .then(|| {
                    view! {
                        <h3>"Retailer\u{2019}s purse"</h3>
                        <Move purse=Purse::Grid id="grid" />
                    }
                })}
            {is_network
                .then(|| {
                    view! {
                        <h3>"Grid fees"</h3>
                        <Move purse=Purse::Fees id="fees" />
                    }
                })}
            {is_operator
                .then(|| {
                    view! {
                        <h3>"Community\u{2019}s purse"</h3>
                        <Move purse=Purse::Fund id="fund" />
                    }
                })}
        </section>
    }
}
