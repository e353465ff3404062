//! What was issued here, and whether it still holds.

use identity::credentials::{Command, Issued as One, List, Mark};
use identity::session::Head;
use leptos::prelude::*;
use wallet::dids;

use crate::browser;

use super::super::desk::{Desk, Said};
use super::super::words::GONE;
use super::book::Book;
use super::hand_on::HandOn;
use super::kinds;

/// The list, and the status lists behind it.
#[component]
pub(super) fn Issued() -> impl IntoView {
    let book = Book::get();
    Effect::new(move |_| {
        let lists = book
            .view
            .read()
            .lists
            .iter()
            .map(|list| (list.issuer.clone(), list.uri.clone()))
            .collect::<Vec<_>>();
        if *book.shown.read_untracked() != lists {
            book.shown.set(lists);
        }
    });
    let issued = Memo::new(move |_| book.view.read().issued.clone());
    let lists = Memo::new(move |_| book.view.read().lists.clone());
    view! {
        <section class="card" aria-labelledby="issued-title">
            <h2 id="issued-title">"Issued here"</h2>
            <p class="quiet" hidden=move || !issued.read().is_empty()>
                "Nothing yet. This list is in this browser only, and sealed: without it nothing can be revoked."
            </p>
            <Said place="issued" />
            <ul id="issued" class="lines">
                {move || issued.get().into_iter().map(|one| view! { <Line one /> }).collect_view()}
            </ul>
        </section>
        {move || lists.get().into_iter().map(|list| view! { <OwnList list /> }).collect_view()}
    }
}

#[component]
fn Line(one: One) -> impl IntoView {
    let book = Book::get();
    let sure = RwSignal::new(false);
    let One { entry, label, kind, issuer, at_s, until_s, copies, revocable, mark } = one;
    let title = match label.as_str() {
        "" => kinds::title(&kind).to_owned(),
        label => format!("{label} \u{b7} {}", kinds::title(&kind)),
    };
    let about = format!(
        "{copies} copies, {}; holds {}",
        browser::moment(at_s),
        super::hold::until(until_s)
    );
    let state = match (revocable, mark) {
        (false, _) => "Can\u{2019}t be revoked",
        (true, Mark::Valid) => "Holds",
        (true, Mark::Revoked) => "Revoked",
        (true, Mark::Suspended) => "Suspended",
    };
    let set = move |mark: Mark| {
        sure.set(false);
        let Some(head) = head_of(book.desk, &issuer) else {
            book.desk.say("issued", GONE);
            return;
        };
        book.run("issued", Command::Mark { entry, mark, head }, move |_| {
            book.desk.tell("issued", "Your status list has changed. Put it on the ledger below: until then, nobody knows.");
        });
    };
    let set = StoredValue::new(set);
    let act = move |mark: Mark| move |_: leptos::ev::MouseEvent| set.with_value(|set| set(mark));
    let busy = book.desk.busy;
    let (can_suspend, can_hold) = (revocable && mark == Mark::Valid, mark == Mark::Suspended);
    let can_revoke = revocable && mark != Mark::Revoked;
    view! {
        <li class="line issued" data-state=state>
            <span>
                <strong class="wrap">{title}</strong>
                <span class="quiet num">" \u{b7} " {state} " \u{b7} " {about}</span>
            </span>
            <span class="heading-ways">
                <button class="button issued-suspend" type="button" hidden=!can_suspend disabled=move || busy.get() on:click=act(Mark::Suspended)>
                    "Suspend"
                </button>
                <button class="button issued-hold" type="button" hidden=!can_hold disabled=move || busy.get() on:click=act(Mark::Valid)>
                    "Let it hold again"
                </button>
                <button
                    class="button issued-revoke"
                    type="button"
                    hidden=move || !can_revoke || sure.get()
                    on:click=move |_| sure.set(true)
                >
                    "Revoke"
                </button>
                <button
                    class="button button--strong issued-revoke-sure"
                    type="button"
                    hidden=move || !sure.get()
                    disabled=move || busy.get()
                    on:click=act(Mark::Revoked)
                >
                    "Revoke for good"
                </button>
            </span>
        </li>
    }
}

/// Where the DID stands that a credential was issued by; the outer none: it can't sign now.
fn head_of(desk: Desk, issuer: &str) -> Option<Option<Head>> {
    if issuer.starts_with("did:key:") {
        return Some(None);
    }
    let head = desk.head()?;
    (format!("did:starling:{}", head.did) == issuer).then_some(Some(head))
}

/// A status list of one's own, and whether the ledger names it.
#[component]
fn OwnList(list: List) -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let (issuer, uri, token) = (list.issuer.clone(), list.uri.clone(), list.token);
    let text = RwSignal::new(String::new());
    let proved =
        Memo::new(move |_| dids::look_list(&desk.ledger.records.read(), &list.issuer, &list.uri));
    let newest = move || proved.get().and_then(|proved| proved.newest);
    let is_newest = move || newest().is_some_and(|newest| Some(newest.token) == token);
    let state = move || match proved.get() {
        None => "The ledger is being asked.".to_owned(),
        Some(proved) => match proved.newest {
            Some(newest) if Some(newest.token) == token => format!(
                "The ledger names it: version {}, proved at block {}.",
                newest.number, proved.height
            ),
            Some(newest) => format!(
                "The ledger names an older one, version {} (proved at block {}). Verifiers go by that.",
                newest.number, proved.height
            ),
            None => format!(
                "Not on the ledger (proved at block {}). Verifiers refuse what is in it.",
                proved.height
            ),
        },
    };
    let fee = move || desk.ledger.view.read().fee.unwrap_or_default();
    let poor = move || desk.ledger.view.read().balance.map_or(0, |held| held.units) < fee();
    let shown_by = StoredValue::new(issuer.clone());
    let anchor = move |_| {
        let head = shown_by.with_value(|issuer| head_of(desk, issuer));
        let (Some(head), Some(chain)) = (head, desk.chain.get_untracked()) else {
            desk.say("list", GONE);
            return;
        };
        let number = untrack(newest).map_or(0, |newest| newest.number) + 1;
        let command = Command::Anchor { network: chain, number, head };
        book.run("list", command, move |reply| {
            let order = dids::anchor(&reply.bytes);
            desk.order("list", order, "Sent. It is there with the next block.");
        });
    };
    let show = move |_| {
        let head = shown_by.with_value(|issuer| head_of(desk, issuer));
        let Some(head) = head else {
            desk.say("list", GONE);
            return;
        };
        book.run("list", Command::List(head), move |reply| {
            text.set(format!("{}/identity/credentials#list={}", browser::origin(), reply.text));
        });
    };
    view! {
        <section class="card own-list" aria-label="Your status list">
            <h2>"Your status list"</h2>
            <p class="quiet mono wrap">{uri}</p>
            <p class="list-state num" role="status">{state}</p>
            <p class="quiet" hidden=move || !poor()>
                "The wallet pays a fee for it, and does not hold that much."
            </p>
            <Said place="list" />
            <div class="dialog-actions">
                <button class="button" type="button" disabled=move || desk.busy.get() on:click=show>
                    "Hand it on"
                </button>
                <button
                    class="button button--strong list-anchor"
                    type="button"
                    hidden=is_newest
                    disabled=move || desk.busy.get() || poor() || proved.read().is_none()
                    on:click=anchor
                >
                    "Put it on the ledger"
                </button>
            </div>
            <div hidden=move || text.read().is_empty()>
                <p class="quiet">
                    "Holders bring it along, verifiers keep it: whoever has it need not ask you. It names nobody."
                </p>
                <HandOn label="your status list" text />
            </div>
        </section>
    }
}
