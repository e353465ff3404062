//! Another source: a gateway that gives blocks over HTTP when nobody who has them is online.

use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::session::Session;

/// What it is, the address, and taking it away.
#[component]
pub(crate) fn GatewayChoice() -> impl IntoView {
    let sharing = Session::get().sharing;
    let used = move || sharing.gateway.get();
    view! {
        <div class="gateway-choice">
            <p class="quiet">
                "When nobody who has the files is online, their blocks can come from an IPFS gateway. Each is checked as if a stranger sent it. The gateway sees your address and which blocks you ask for; what is in an encrypted share it can't read."
            </p>
            <Show when=move || used().is_some() fallback=Choosing>
                <div class="choice-row">
                    <p class="gateway-used">{move || used()}</p>
                    <button
                        class="button"
                        type="button"
                        data-do="no-gateway"
                        on:click=move |_| sharing.use_no_gateway()
                    >
                        "Don't use it"
                    </button>
                </div>
            </Show>
        </div>
    }
}

/// The address of any, or this site's own.
#[component]
fn Choosing() -> impl IntoView {
    let sharing = Session::get().sharing;
    let input = NodeRef::<Input>::new();
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let take = move |address: String| {
        busy.set(true);
        spawn_local(async move {
            let refused = sharing.use_gateway(&address).await.err();
            wrong.try_set(refused.map(|said| format!("{} {}", said.headline, said.detail)));
            busy.try_set(false);
        });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        take(input.get_untracked().map(|input| input.value()).unwrap_or_default());
    };
    view! {
        <form class="open-url" on:submit=submit novalidate>
            <label for="gateway">"Address of a gateway"</label>
            <div class="field">
                <input
                    id="gateway"
                    node_ref=input
                    type="url"
                    inputmode="url"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder="https://gateway.example"
                    aria-describedby="gateway-help"
                    aria-invalid=move || wrong.read().is_some().to_string()
                    on:input=move |_| wrong.set(None)
                />
                <button class="button button--strong" type="submit" disabled=busy>
                    {move || if busy.get() { "Asking…" } else { "Use it" }}
                </button>
            </div>
            <p id="gateway-help" class="quiet quiet--warn" aria-live="polite">
                {move || wrong.get()}
            </p>
        </form>
        <div class="transfer-actions">
            <button
                class="button"
                type="button"
                data-do="own-gateway"
                disabled=busy
                on:click=move |_| take(browser::origin())
            >
                "Use this site's own"
            </button>
        </div>
    }
}
