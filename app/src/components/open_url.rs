//! The field that takes any playlist's address and goes to watch it.

use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::browser;
use crate::components::header::watch_path;

/// The field.
#[component]
pub(crate) fn OpenUrl() -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let refused = RwSignal::new(false);
    let navigate = use_navigate();
    let open = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let pasted = input.get().map(|input| input.value()).unwrap_or_default();
        match browser::playlist_url(&pasted) {
            Some(url) => {
                let path = watch_path(Some(&url), browser::fund_of(&pasted).as_deref());
                navigate(&path, leptos_router::NavigateOptions::default())
            }
            None => refused.set(true),
        }
    };
    view! {
        <form class="open-url" on:submit=open novalidate>
            <label for="open-url">"Watch any HLS stream together"</label>
            <div class="field">
                <input
                    id="open-url"
                    node_ref=input
                    type="url"
                    inputmode="url"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder="https://…/master.m3u8"
                    aria-describedby="open-url-help"
                    aria-invalid=move || refused.get().to_string()
                    on:input=move |_| refused.set(false)
                />
                <button class="button button--strong" type="submit">
                    "Watch"
                </button>
            </div>
            <p id="open-url-help" class="quiet" class:quiet--warn=refused aria-live="polite">
                {move || {
                    if refused.get() {
                        "That is not a web address. It should start with https:// and usually ends in .m3u8."
                    } else {
                        "Paste the address of a playlist, or a link someone sent you."
                    }
                }}
            </p>
        </form>
    }
}
