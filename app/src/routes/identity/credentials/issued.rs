//! What was issued here, and whether it still holds.

use identity::credentials::{Command, Issued as One, Mark};
use identity::limits::{ISSUED_MAX, ISSUED_SHOWN_MAX};
use leptos::prelude::*;

use crate::browser;
use crate::components::fields::Line as TextLine;
use crate::format::counted;

use super::super::desk::Said;
use super::super::sure::Sure;
use super::super::words::GONE;
use super::book::Book;
use super::kinds;
use super::own_list::{OwnList, head_of};

/// More than these are looked through by a search.
const FEW: u32 = 20;

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
            <p class="quiet" hidden=move || { book.view.read().issued_count > 0 }>
                "Nothing yet. What you issue is remembered in this browser only, and sealed: without it nothing can be revoked, so make a backup below."
            </p>
            <Seek />
            <Said place="issued" />
            <p class="quiet" role="status" hidden=move || { !issued.read().is_empty() || book.view.read().issued_count == 0 }>
                "None of them has that in its note or its type. Empty the field and find again to see the newest."
            </p>
            <ul id="issued" class="lines">
                {move || issued.get().into_iter().map(|one| view! { <Line one /> }).collect_view()}
            </ul>
        </section>
        {move || lists.get().into_iter().map(|list| view! { <OwnList list /> }).collect_view()}
    }
}

/// Which of many are shown, and how much room there is for more.
#[component]
fn Seek() -> impl IntoView {
    let book = Book::get();
    let text = RwSignal::new(String::new());
    // What was looked for before this page was opened again stands in the field.
    let sought = Memo::new(move |_| book.view.read().sought.clone());
    Effect::new(move |_| {
        let sought = sought.get();
        if text.read_untracked().is_empty() {
            text.set(sought);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        book.run("issued", Command::Seek(text.get_untracked()), |_| ());
    };
    let let_go = move || {
        book.run("issued", Command::LetGo, move |reply| {
            let gone = counted(u64::from(reply.taken), "credential", "credentials");
            let told = format!("{gone} left this browser. Keep the backup that has them.");
            book.desk.tell("issued", told);
        });
    };
    let counts = Memo::new(move |_| {
        let view = book.view.read();
        (view.issued_count, view.issued_over, view.issued.len())
    });
    let words = move || {
        let (count, over, shown) = counts.get();
        room(count, over, shown)
    };
    let many = move || counts.get().0 > FEW || !sought.read().is_empty();
    let over = move || counts.get().1;
    let busy = book.desk.busy;
    view! {
        <p id="issued-room" class="quiet num" hidden=move || counts.get().0 == 0>
            {words}
        </p>
        <form class="send" hidden=move || !many() on:submit=submit novalidate>
            <TextLine id="issued-seek".to_owned() label="Find by your note, or by the type" value=text />
            <div class="dialog-actions">
                <button id="issued-seek-go" class="button" type="submit" disabled=move || busy.get()>
                    "Find"
                </button>
            </div>
        </form>
        <div id="issued-over" hidden=move || over() == 0>
            <div class="dialog-actions">
                <Sure
                    id="issued-let-go"
                    label="Make room"
                    title="Let go of what is over?"
                    deed="Let go of what is over"
                    run=let_go
                >
                    <p>
                        "They hold no more, by the end that you gave them. They leave this browser and are in your last backup only: later ones have them no more. Your status list stays as it is."
                    </p>
                </Sure>
            </div>
        </div>
    }
}

/// How many there are, and for how many more there is room.
fn room(count: u32, over: u32, shown: usize) -> String {
    let left = ISSUED_MAX.saturating_sub(usize::try_from(count).unwrap_or(ISSUED_MAX));
    let all = counted(u64::from(count), "credential", "credentials");
    let mut told = format!("{all} remembered here, with room for {left} more.");
    if over > 0 {
        told.push_str(&format!(" {over} of them are over."));
    }
    if shown == ISSUED_SHOWN_MAX {
        told.push_str(&format!(" The newest {shown} that you look for are below."));
    }
    told
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_much_room_there_is_is_told() {
        let told = room(1, 0, 1);
        assert!(told.contains("room for 4095 more") && !told.contains("over"), "{told}");
        let told = room(4096, 7, ISSUED_SHOWN_MAX);
        assert!(told.contains("room for 0 more. 7 of them are over."), "{told}");
        assert!(told.ends_with("The newest 100 that you look for are below."), "{told}");
    }
}
