//! Opening what is locked.

use identity::session::{Command, Secret, Way};
use leptos::html::Input;
use leptos::prelude::*;

use super::begin::RecoverByWords;
use super::danger::SignOut;
use super::desk::{Desk, Said, empty, typed};
use super::passkey::OpenByPasskey;

/// What is locked, and the ways in.
#[component]
pub(super) fn Unlock() -> impl IntoView {
    let desk = Desk::get();
    let did = move || desk.keys.view.read().did.clone();
    view! {
        <section class="card" aria-labelledby="unlock-title">
            <h2 id="unlock-title">"Locked"</h2>
            <p class="quiet mono wrap">{did}</p>
            <WaysIn />
        </section>
        <SignOut />
    }
}

/// The ways in that this device has, and the words.
#[component]
pub(super) fn WaysIn() -> impl IntoView {
    let desk = Desk::get();
    let password = Memo::new(move |_| place(desk, |way| *way == Way::Password));
    let passkey =
        Memo::new(move |_| place(desk, |way| matches!(way, Way::Passkey { .. })).is_some());
    view! {
        {move || password.get().map(|slot| view! { <ByPassword way=slot /> })}
        <Show when=move || passkey.get()>
            <OpenByPasskey />
        </Show>
        <details class="steps">
            <summary>"I can\u{2019}t: use my 24 words"</summary>
            <RecoverByWords />
        </details>
    }
}

/// The place of a way.
fn place(desk: Desk, is_wanted: impl Fn(&Way) -> bool) -> Option<u8> {
    let view = desk.keys.view.read();
    view.slots.iter().position(is_wanted).and_then(|place| u8::try_from(place).ok())
}

#[component]
fn ByPassword(way: u8) -> impl IntoView {
    let desk = Desk::get();
    let field = NodeRef::<Input>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let with = Secret::text(&typed(field));
        empty(field);
        desk.run("unlock", Command::Unlock { slot: way, with }, move |_| desk.retry());
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <label for="unlock-password">"Password"</label>
            <input
                id="unlock-password"
                class="text-field"
                type="password"
                node_ref=field
                autocomplete="current-password"
                aria-describedby="said-unlock"
            />
            <Said place="unlock" />
            <div class="dialog-actions">
                <button id="unlock-go" class="button button--strong" type="submit" disabled=move || desk.busy.get()>
                    {move || if desk.busy.get() { "Opening" } else { "Unlock" }}
                </button>
            </div>
        </form>
    }
}
