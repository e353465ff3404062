//! What is kept between visits: how much, how much is allowed, and the way to clear it.

use std::time::Duration;

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::icon::{Glyph, Icon};
use crate::format::{bytes, counted, share, trimmed};
use crate::session::{Cache, Session};
use crate::settings::CACHE_SIZES_BYTES;

/// How often the use is asked.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Use, size and clearing.
#[component]
pub(crate) fn CachePanel() -> impl IntoView {
    let session = Session::get();
    let cache = RwSignal::new(None::<Cache>);
    let ask = move || spawn_local(async move { cache.set(session.cache().await) });
    // Asked when the peer comes up, when the size is chosen anew, and now and then.
    Effect::new(move || {
        let _ = (session.is_settled(), session.settings.read().cache_bytes);
        ask();
    });
    if let Ok(asking) = set_interval_with_handle(ask, ASK_EVERY) {
        on_cleanup(move || asking.clear());
    }
    let words = move || match cache.get() {
        None => "Not available in this browser".to_owned(),
        Some(cache) => {
            format!("{} of {}", bytes(cache.used_bytes), trimmed(&bytes(cache.limit_bytes)))
        }
    };
    let kept = move || match cache.get().map_or(0, |cache| cache.segments) {
        0 => "Nothing is kept.".to_owned(),
        count => {
            format!("{}, for your next visit.", counted(count, "segment", "segments"))
        }
    };
    let used = move || cache.get().map_or(0.0, |cache| share(cache.used_bytes, cache.limit_bytes));
    view! {
        <div class="choice choice--slider">
            <div class="choice-head">
                <span class="choice-name">"Kept between visits"</span>
                <span class="num">{words}</span>
            </div>
            <div class="bar" aria-hidden="true">
                <span class="bar-part bar-part--cache" style:flex-grow=move || format!("{:.4}", used())></span>
                <span
                    class="bar-part bar-part--empty"
                    style:flex-grow=move || format!("{:.4}", (1.0 - used()).max(0.0))
                ></span>
            </div>
            <p class="quiet num">{kept}</p>
            <div class="choice-row">
                <SizeChoice />
                <ClearButton cleared=ask disabled=move || cache.get().is_none_or(|cache| cache.used_bytes == 0) />
            </div>
        </div>
    }
}

#[component]
fn SizeChoice() -> impl IntoView {
    let session = Session::get();
    let chosen = move || session.settings.read().cache_bytes;
    let pick = move |event| {
        if let Ok(size_bytes) = event_target_value(&event).parse() {
            session.choose(|settings| settings.cache_bytes = size_bytes);
        }
    };
    let offer = |size_bytes: u64| match size_bytes {
        0 => "Keep nothing".to_owned(),
        size_bytes => format!("Up to {}", trimmed(&bytes(size_bytes))),
    };
    view! {
        <label class="select">
            <span class="visually-hidden">"Room for segments between visits"</span>
            <select on:change=pick>
                {CACHE_SIZES_BYTES
                    .map(|size_bytes| {
                        view! {
                            <option
                                value=size_bytes.to_string()
                                prop:selected=move || chosen() == size_bytes
                            >
                                {offer(size_bytes)}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
        </label>
    }
}

#[component]
fn ClearButton(
    cleared: impl Fn() + Copy + 'static,
    disabled: impl Fn() -> bool + Send + Sync + 'static,
) -> impl IntoView {
    let session = Session::get();
    let dialog = NodeRef::<Dialog>::new();
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let open = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            // Refused only if it is open already.
            drop(dialog.show_modal());
        }
    };
    let clear = move |_| {
        spawn_local(async move {
            session.clear_cache().await;
            cleared();
            close();
        });
    };
    view! {
        <button class="button" type="button" aria-haspopup="dialog" disabled=disabled on:click=open>
            "Clear"
        </button>
        <dialog class="dialog dialog--small" node_ref=dialog aria-labelledby="clear-title">
            <div class="dialog-head">
                <h2 id="clear-title">"Clear what is kept?"</h2>
                <button
                    class="button button--icon"
                    type="button"
                    aria-label="Close"
                    on:click=move |_| close()
                >
                    <Icon glyph=Glyph::Close />
                </button>
            </div>
            <p class="quiet">
                "Segments of earlier visits are deleted from this device. Your next visit starts from the site and other viewers again."
            </p>
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close()>
                    "Keep"
                </button>
                <button class="button button--strong" type="button" on:click=clear>
                    "Clear"
                </button>
            </div>
        </dialog>
    }
}
