//! Making an identity, or bringing one back.

use identity::session::{Command, Secret, Way};
use leptos::html::{Input, Textarea};
use leptos::prelude::*;

use super::desk::{Desk, Said, empty, typed, written};
use super::passkey::AddPasskey;
use super::words_form::WordsForm;

/// What there is to do where nothing is.
#[component]
pub(super) fn Begin() -> impl IntoView {
    let desk = Desk::get();
    let make = move |_| desk.run("begin", Command::Create, |_| ());
    view! {
        <div class="pair">
            <section class="card" aria-labelledby="make-title">
                <h2 id="make-title">"Make an identity"</h2>
                <p>
                    "A secret is drawn in this browser, and everything of yours follows from it: your keys, an account that can be recovered, the credentials you will hold."
                </p>
                <p class="quiet">"It takes two minutes, a pen and paper. Nobody is asked, and nothing is sent."</p>
                <div class="dialog-actions">
                    <button
                        id="identity-create"
                        class="button button--strong"
                        type="button"
                        disabled=move || desk.busy.get()
                        on:click=make
                    >
                        "Make an identity"
                    </button>
                </div>
                <Said place="begin" />
            </section>
            <section class="card" aria-labelledby="back-title">
                <h2 id="back-title">"Bring yours back"</h2>
                <RecoverByWords />
                <RecoverByShares />
                <Restore />
            </section>
        </div>
    }
}

/// A form for the 24 words, on an empty device or a locked one.
#[component]
pub(super) fn RecoverByWords() -> impl IntoView {
    view! {
        <WordsForm
            name="recover"
            label="Your 24 words"
            button="Recover by words"
            command=|words: String| Command::Recover(Secret::text(&words))
            then=|desk: Desk, _| desk.retry()
        />
    }
}

#[component]
fn RecoverByShares() -> impl IntoView {
    let command = |text: String| {
        let shares = text.lines().filter(|line| !line.trim().is_empty()).map(Secret::text);
        Command::RecoverByShares(shares.collect())
    };
    view! {
        <details class="steps">
            <summary>"By shares of guardians"</summary>
            <WordsForm
                name="shares"
                field="lines"
                label="Shares, one in a line"
                button="Recover by shares"
                prose=false
                command
            />
        </details>
    }
}

#[component]
fn Restore() -> impl IntoView {
    let desk = Desk::get();
    let field = NodeRef::<Textarea>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match super::ways::backup_bytes(&written(field)) {
            Some(bytes) => desk.run("restore", Command::Restore(bytes.into()), |_| ()),
            None => desk.say("restore", "That is no backup of an identity. Paste all of it."),
        }
    };
    view! {
        <details class="steps">
            <summary>"By a backup, with its password"</summary>
            <form class="send" on:submit=submit novalidate>
                <label for="restore-text">"The backup"</label>
                <textarea id="restore-text" class="text-field mono" node_ref=field rows="3" autocomplete="off"></textarea>
                <Said place="restore" />
                <div class="dialog-actions">
                    <button id="restore-go" class="button" type="submit" disabled=move || desk.busy.get()>
                        "Restore"
                    </button>
                </div>
            </form>
        </details>
    }
}

/// What is left to do before an identity is kept.
#[component]
pub(super) fn Finish() -> impl IntoView {
    let desk = Desk::get();
    let away = move || {
        let view = desk.keys.view.read();
        view.slots.iter().any(|way| matches!(way, Way::Words | Way::Guardians { .. }))
    };
    let give_up = move |_| desk.run("finish", Command::GiveUp, |_| ());
    view! {
        <p class="problem" role="status">
            <span>
                <strong>"Nothing is kept yet."</strong>
                " Your identity is kept once there are two ways to it: one on paper or with guardians, one for every day. If you close this tab now, it is gone."
            </span>
        </p>
        <Show when=move || !away()>
            <section class="card" aria-labelledby="step-words">
                <h2 id="step-words">"1. Write down 24 words"</h2>
                <WriteWords />
            </section>
        </Show>
        <Show when=away>
            <section class="card" aria-labelledby="step-daily">
                <h2 id="step-daily">"2. A way for every day"</h2>
                <p class="quiet">"It opens your identity on this device. You can add the other one later."</p>
                <PasswordForm />
                <AddPasskey />
            </section>
        </Show>
        <div class="dialog-actions">
            <button id="identity-give-up" class="button" type="button" on:click=give_up>
                "Start over"
            </button>
        </div>
        <Said place="finish" />
    }
}

/// Shows the words, and takes them again.
#[component]
pub(super) fn WriteWords() -> impl IntoView {
    let desk = Desk::get();
    let shown = RwSignal::new(Vec::<Secret>::new());
    let show = move |_| {
        desk.run("words", Command::Words, move |answer| shown.set(answer.texts));
    };
    let list = move || {
        let words = shown.get();
        words.iter().map(|word| view! { <li>{word.as_str().to_owned()}</li> }).collect_view()
    };
    view! {
        <p>
            "Whoever has these words has your identity: on paper, not in a photo and not in a file. Lost paper and a lost device are the end of it, unless you have guardians."
        </p>
        <div class="dialog-actions">
            <button id="words-show" class="button" type="button" disabled=move || desk.busy.get() on:click=show>
                "Show the words"
            </button>
            <button
                id="words-hide"
                class="button"
                type="button"
                hidden=move || shown.read().is_empty()
                on:click=move |_| shown.set(Vec::new())
            >
                "I wrote them down: hide them"
            </button>
        </div>
        <ol id="words-list" class="phrase" hidden=move || shown.read().is_empty()>
            {list}
        </ol>
        <WordsForm
            name="words"
            field="again"
            act="confirm"
            label="Enter them from your paper"
            button="These are my words"
            strong=true
            disabled=Signal::derive(move || !shown.read().is_empty())
            command=|words: String| Command::Confirm(Secret::text(&words))
            then=|desk: Desk, _| {
                desk.tell("words", "These are your words. Keep the paper where you keep passports.");
            }
        />
    }
}

/// A new password, twice.
#[component]
pub(super) fn PasswordForm() -> impl IntoView {
    let desk = Desk::get();
    let (one, two) = (NodeRef::<Input>::new(), NodeRef::<Input>::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let password = Secret::text(&typed(one));
        if password != Secret::text(&typed(two)) {
            desk.say("password", "The two are not the same. Type it again.");
            return;
        }
        desk.run("password", Command::Password(password), move |_| {
            empty(one);
            empty(two);
            desk.tell("password", "The password is set.");
        });
    };
    let field = |id: &'static str, field: NodeRef<Input>| {
        view! {
            <input
                id=id
                class="text-field"
                type="password"
                node_ref=field
                autocomplete="new-password"
                aria-describedby="said-password"
            />
        }
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <label for="password-one">"A password, 8 characters or more"</label>
            {field("password-one", one)}
            <label for="password-two">"The same again"</label>
            {field("password-two", two)}
            <Said place="password" />
            <div class="dialog-actions">
                <button id="password-set" class="button button--strong" type="submit" disabled=move || desk.busy.get()>
                    {move || if desk.busy.get() { "Working" } else { "Set the password" }}
                </button>
            </div>
        </form>
    }
}
