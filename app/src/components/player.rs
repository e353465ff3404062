//! The stage: a box of fixed shape with `<starling-player>` in it.
//!
//! The element is made by hand, because order matters: it gets the page's peer before its source.
//! When the source changes, a new element is made; when only the page changes, it plays on.

use js_sys::Reflect;
use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::components::A;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::components::icon::{Glyph, Icon};
use crate::session::{Funded, PlayerReport, Session};

/// Events after which the player's report is read anew.
const EVENTS: [&str; 3] = ["starling-stats", "starling-error", "starling-mode"];

/// Where the stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the page, in full.
    Stage,
    /// In a corner, beside another page.
    Corner,
}

/// The stage with the player, or nothing where there is nothing to play.
#[component]
pub(crate) fn Player(
    /// Where it stands.
    place: Signal<Place>,
) -> impl IntoView {
    let session = Session::get();
    let closed = RwSignal::new(None::<String>);
    let holder = NodeRef::<Div>::new();
    let source = Memo::new(move |_| {
        let source = session.source.get()?;
        let away = place.get() == Place::Corner && *closed.read() == Some(source.clone());
        (!away).then_some(source)
    });
    let shown = StoredValue::new_local(None::<Shown>);
    Effect::new(move || {
        let Some(holder) = holder.get() else { return };
        let ready = session.is_settled();
        // Dropping the one before takes it off the page.
        shown.set_value(None);
        if let Some(source) = source.get().filter(|_| ready) {
            shown.set_value(Shown::new(session, &holder, &source).ok());
        }
    });
    Effect::new(move || {
        let funded = session.funded.get();
        shown.with_value(|shown| {
            if let Some(Shown { element, .. }) = shown {
                name_fund(element, funded.as_ref());
            }
        });
    });
    view! {
        <section
            class="stage"
            aria-label="Player"
            hidden=move || source.read().is_none()
            data-place=move || if place.get() == Place::Stage { "stage" } else { "corner" }
        >
            <div class="screen" node_ref=holder></div>
            <SoundButton holder />
            <div class="corner-controls">
                <A href=move || session.watch_path() attr:class="button">
                    "Back to watching"
                </A>
                <button
                    class="button button--icon"
                    type="button"
                    aria-label="Stop and close the player"
                    on:click=move |_| closed.set(session.source.get_untracked())
                >
                    <Icon glyph=Glyph::Close />
                </button>
            </div>
        </section>
    }
}

/// Browsers let a page start only without sound; this is the way to it.
#[component]
fn SoundButton(holder: NodeRef<Div>) -> impl IntoView {
    let session = Session::get();
    let offered = Memo::new(move |_| session.player.read().muted);
    let turn_on = move |_| {
        let player = holder.get().and_then(|holder| holder.first_element_child());
        let Some(video) = player.as_ref().and_then(video_of) else { return };
        // A missing or frozen property would only leave the sound as it is.
        drop(Reflect::set(&video, &"muted".into(), &false.into()));
        session.player.update(|report| report.muted = false);
    };
    view! {
        <button
            class="button sound"
            type="button"
            hidden=move || !offered.get()
            on:click=turn_on
        >
            <Icon glyph=Glyph::Muted />
            "Turn sound on"
        </button>
    }
}

/// A player on the page, taken off when dropped.
struct Shown {
    element: web_sys::Element,
    _listener: Closure<dyn Fn()>,
}

impl Shown {
    fn new(session: Session, holder: &web_sys::Element, source: &str) -> Result<Self, JsValue> {
        session.player.set(PlayerReport::default());
        let element = document().create_element("starling-player")?;
        if let Some(peer) = session.handle() {
            Reflect::set(&element, &"peer".into(), &peer)?;
        }
        for name in ["controls", "autoplay", "muted", "playsinline"] {
            element.set_attribute(name, "")?;
        }
        let speaker = element.clone();
        let listener = Closure::<dyn Fn()>::new(move || {
            let stats = Reflect::get(&speaker, &"stats".into()).unwrap_or_default();
            session.report(&stats, is_muted(&speaker));
        });
        for event in EVENTS {
            element.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref())?;
        }
        name_fund(&element, session.funded.get_untracked().as_ref());
        element.set_attribute("src", source)?;
        holder.append_child(&element)?;
        Ok(Self { element, _listener: listener })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.element.remove();
    }
}

/// Names the fund that is told who sent what, and the account to pay; or neither.
fn name_fund(player: &web_sys::Element, funded: Option<&Funded>) {
    let account = funded.and_then(|funded| funded.account.as_deref());
    // The account first: a fund is asked as soon as it is named.
    for (name, value) in [("account", account), ("fund", funded.map(|funded| funded.url.as_str()))]
    {
        let done = match value {
            Some(value) => player.set_attribute(name, value),
            None => player.remove_attribute(name),
        };
        // Fails only for names that are no names; ours are literals.
        drop(done);
    }
}

fn video_of(player: &web_sys::Element) -> Option<JsValue> {
    Reflect::get(player, &"video".into()).ok().filter(JsValue::is_object)
}

/// The sound is off though the video plays.
fn is_muted(player: &web_sys::Element) -> bool {
    let Some(video) = video_of(player) else { return false };
    let flag = |name: &str| Reflect::get(&video, &name.into()).is_ok_and(|value| value.is_truthy());
    flag("muted") && !flag("paused")
}
