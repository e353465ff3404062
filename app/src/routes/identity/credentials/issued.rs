//! What was issued here, and whether it still holds.

use identity::credentials::{Command, Issued as One, Mark};
use leptos::prelude::*;

use crate::browser;
use crate::format::counted;

use super::super::desk::Said;
use super::super::words::GONE;
use super::book::Book;
use super::kinds;
use super::own_list::{OwnList, head_of};

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
                "Nothing yet. What you issue is remembered in this browser only, and sealed: without it nothing can be revoked, so make a backup below."
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
        "{}, {}; holds {}",
        counted(copies.into(), "copy", "copies"),
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
