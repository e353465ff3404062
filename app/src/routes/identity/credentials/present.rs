//! A request, looked at before anything is shown.

use std::collections::BTreeMap;

use identity::credentials::{
    Asking, Choice, Claim, Command, Facts, Part, Pick, Show as Shown, Told,
};
use leptos::prelude::*;

use crate::browser;

use super::super::desk::Said;
use super::super::sure::Sure;
use super::book::Book;
use super::fact::{Fact, signed};
use super::hand_on::{HandOn, TakeIn};
use super::kinds;

/// Which card is chosen for each part, by its place.
type Chosen = RwSignal<BTreeMap<String, usize>>;

/// The page.
#[component]
pub(super) fn Present() -> impl IntoView {
    let book = Book::get();
    let request = RwSignal::new(String::new());
    let asking = RwSignal::new(None::<Asking>);
    let answer = RwSignal::new(String::new());
    let take = Callback::new(move |text: String| {
        if book.desk.busy.get_untracked() {
            return;
        }
        asking.set(None);
        answer.set(String::new());
        let (read, facts) = (text.clone(), Facts::default());
        book.run("ask", Command::Read { request: text, facts }, move |reply| {
            // Together: what is answered is what is shown.
            request.set(read);
            asking.set(reply.asking);
        });
    });
    view! {
        <section class="card" aria-labelledby="asked-title">
            <h2 id="asked-title">"Who asks"</h2>
            <TakeIn
                place="ask"
                label="What you were asked: a link or a text"
                action="Look at it"
                busy=book.desk.busy
                take
            />
        </section>
        {move || {
            asking.get().map(|asking| view! { <Asked asking request answer /> })
        }}
        <History />
    }
}

/// What was shown to whom.
#[component]
fn History() -> impl IntoView {
    let book = Book::get();
    let told = Memo::new(move |_| book.view.read().told.clone());
    let forget = move || {
        book.run("told", Command::ForgetTold, move |_| book.desk.tell("told", "Forgotten."));
    };
    let line = |told: Told| {
        let Told { at_s, verifier, name, purpose, kinds, claims } = told;
        let who = name.unwrap_or_else(|| "Somebody without a name".to_owned());
        let what =
            if claims.is_empty() { "only that you hold it".to_owned() } else { claims.join(", ") };
        let kinds: Vec<&str> = kinds.iter().map(|kind| kinds::title(kind)).collect();
        let shown = format!("{}: {what}", kinds.join(", "));
        let why = purpose.map(|why| format!(" \u{b7} \u{201c}{why}\u{201d}"));
        view! {
            <li class="line told">
                <span>
                    <strong class="wrap">{who}</strong>
                    <span class="quiet num">" \u{b7} " {browser::moment(at_s)}</span>
                    <span class="quiet wrap">{why}</span>
                    <br />
                    <span class="wrap">{shown}</span>
                    <br />
                    <span class="quiet mono wrap">{verifier}</span>
                </span>
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="told-title" hidden=move || told.read().is_empty()>
            <h2 id="told-title">"What you showed"</h2>
            <p class="quiet">
                "To whom, and which claims; not what they said. Kept in this browser only, and sealed."
            </p>
            <ul id="told" class="lines">
                {move || told.get().into_iter().map(line).collect_view()}
            </ul>
            <div class="dialog-actions">
                <Sure
                    id="told-forget"
                    label="Forget all of it"
                    title="Forget what you showed?"
                    deed="Forget it for good"
                    run=forget
                >
                    <p>"This browser says no more whom you showed what. They still know it."</p>
                </Sure>
            </div>
        </section>
        <Said place="told" />
    }
}

#[component]
fn Asked(asking: Asking, request: RwSignal<String>, answer: RwSignal<String>) -> impl IntoView {
    let book = Book::get();
    let (parts, lacking, read) = (asking.parts.clone(), asking.lacking.clone(), asking.read);
    let chosen: Chosen = RwSignal::new(BTreeMap::new());
    let again = RwSignal::new(false);
    let Asking { verifier, proved, shown, name, purpose, until_s, return_to, .. } = asking;
    let signed = shown.unwrap_or_else(|| signed(proved, "request"));
    let goes = match &return_to {
        Some(page) => format!("Back to {page}, when you open or send the link."),
        None => "To whoever you give it: by code, link or text.".to_owned(),
    };
    let can_share = lacking.is_none();
    let parts = StoredValue::new(parts);
    let share = move |_| {
        let pick = |part: &Part| {
            let at = chosen.with_untracked(|chosen| chosen.get(&part.id).copied().unwrap_or(0));
            Some(Pick { part: part.id.clone(), card: part.choices.get(at)?.card })
        };
        let picks = parts.with_value(|parts| parts.iter().filter_map(pick).collect());
        let request = request.get_untracked();
        let page = return_to.clone();
        let command = Command::Share { request, facts: Facts::default(), picks, read };
        book.run("share", command, move |reply| {
            let own = || format!("{}/identity/verify", browser::origin());
            answer.set(format!("{}#{}", page.unwrap_or_else(own), reply.text));
            again.set(reply.seen_before > 0);
        });
    };
    let is_shared = move || !answer.read().is_empty();
    view! {
        <section id="asking" class="card seen" aria-labelledby="asking-title">
            <h2 id="asking-title">{name.clone().unwrap_or_else(|| "Somebody without a name".to_owned())}</h2>
            <p class="quiet" hidden=name.is_none()>"They call themselves so: only the name below is proved."</p>
            <dl>
                <Fact what="To whom" looks="mono wrap">{verifier}</Fact>
                <Fact what="Proved">{signed}</Fact>
                <Fact what="Why, they say">{purpose.unwrap_or_else(|| "They give no reason.".to_owned())}</Fact>
                <Fact what="Where it goes" looks="wrap">{goes}</Fact>
                <Fact what="Open until" looks="num">{browser::moment(until_s)}</Fact>
            </dl>
        </section>
        {lacking
            .map(|why| {
                view! {
                    <div id="lacking" class="empty" role="status">
                        <p class="empty-title">"You can\u{2019}t answer this"</p>
                        <p class="quiet">{crate::format::sentence(&why)}</p>
                    </div>
                }
            })}
        {parts
            .get_value()
            .into_iter()
            .map(|part| view! { <OnePart part chosen /> })
            .collect_view()}
        <Show when=move || can_share>
            <section class="card" aria-labelledby="share-title">
                <h2 id="share-title">"Share it?"</h2>
                <p class="quiet">"Nothing has left this browser yet. The answer is good for them, once, for five minutes."</p>
                <Said place="share" />
                <div class="dialog-actions">
                    <button
                        id="share-go"
                        class="button button--strong"
                        type="button"
                        disabled=move || book.desk.busy.get() || is_shared()
                        on:click=share.clone()
                    >
                        "Share what is marked"
                    </button>
                </div>
                <div id="answer" hidden=move || !is_shared()>
                    <p class="quiet" hidden=move || !again.get()>
                        "Somebody has seen this copy before: they could know you again by it. Ask the issuer for more copies."
                    </p>
                    <HandOn label="your answer" text=answer />
                    <div class="dialog-actions">
                        <a class="button button--strong" href=answer>
                            "Give it to their page"
                        </a>
                    </div>
                </div>
            </section>
        </Show>
    }
}

/// One part of what is asked for: which card, and claim by claim.
#[component]
fn OnePart(part: Part, chosen: Chosen) -> impl IntoView {
    let Part { id, choices } = part;
    let group = id.clone();
    let many = choices.len() > 1;
    let at = Memo::new(move |_| chosen.with(|chosen| chosen.get(&id).copied().unwrap_or(0)));
    let radios = choices
        .iter()
        .enumerate()
        .map(|(place, choice)| {
            let part = group.clone();
            let pick = move |_| {
                chosen.update(|chosen| {
                    chosen.insert(part.clone(), place);
                });
            };
            view! {
                <label class="line">
                    <span class="wrap">{by(choice)}</span>
                    <input
                        type="radio"
                        name=format!("card-{group}")
                        prop:checked=move || at.get() == place
                        on:change=pick
                    />
                </label>
            }
        })
        .collect_view();
    let choices = StoredValue::new(choices);
    let claims = move || {
        let claims =
            choices.with_value(|choices| choices.get(at.get()).map(|one| one.claims.clone()));
        let claims = claims.unwrap_or_default();
        let (hidden, shown): (Vec<Claim>, Vec<Claim>) =
            claims.into_iter().partition(|claim| claim.show == Shown::Hidden);
        view! {
            <h3>"Will be shared"</h3>
            <dl class="will-show">{super::hold::claims(&shown)}</dl>
            <p class="quiet" hidden=!shown.is_empty()>"Only that you hold it."</p>
            <h3>"Stays hidden"</h3>
            <dl class="stays-hidden">{super::hold::claims(&hidden)}</dl>
            <p class="quiet" hidden=!hidden.is_empty()>"Nothing: it says no more than that."</p>
        }
    };
    let title = choices.with_value(|choices| choices.first().map(by)).unwrap_or_default();
    view! {
        <section class="card seen part" aria-label="What is asked for">
            <h2 class="wrap">{title}</h2>
            <fieldset class="lines" hidden=!many>
                <legend class="quiet">"Several of yours answer it. Which one?"</legend>
                {radios}
            </fieldset>
            {claims}
            <p class="quiet">"Its issuer, its type, until when it holds and where its status stands are always shown."</p>
        </section>
    }
}

/// A card in a line.
fn by(choice: &Choice) -> String {
    format!("{}, issued by {}", kinds::title(&choice.kind), choice.issuer)
}
