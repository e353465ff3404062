//! Reading a QR code: a button, and the camera while it is pressed. What reads comes when it is needed
//! (`static/scan/element.js`).

use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::CustomEvent;

use crate::browser;

/// What defines the element.
const SCRIPT: &str = "/scan/element.js";

/// A button that opens the camera; `take` gets the text of the first code that is read.
#[component]
pub(crate) fn ScanCode(
    /// Gets the text.
    #[prop(into)]
    take: Callback<String>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let holder = NodeRef::<Div>::new();
    let shown = StoredValue::new_local(None::<Shown>);
    Effect::new(move || {
        let Some(holder) = holder.get() else { return };
        // Dropping the one before takes it off the page, and lets the camera go.
        shown.set_value(None);
        if open.get() {
            let found = move |text: String| {
                open.set(false);
                take.run(text);
            };
            shown.set_value(Shown::new(&holder, found).ok());
        }
    });
    view! {
        <div class="scan">
            <button
                class="button"
                type="button"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {move || if open.get() { "Close the camera" } else { "Scan a code" }}
            </button>
            <div class="scan-view" node_ref=holder hidden=move || !open.get()></div>
        </div>
    }
}

/// The element on the page, taken off when dropped.
struct Shown {
    element: web_sys::Element,
    _listener: Closure<dyn Fn(CustomEvent)>,
}

impl Shown {
    fn new(
        holder: &web_sys::Element,
        found: impl Fn(String) + Copy + 'static,
    ) -> Result<Self, JsValue> {
        load()?;
        let element = document().create_element("starling-scan")?;
        let listener = Closure::<dyn Fn(CustomEvent)>::new(move |event: CustomEvent| {
            let Some(text) = event.detail().as_string() else { return };
            // Not in here: what is found takes this listener away.
            leptos::task::spawn_local(async move { found(text) });
        });
        element.add_event_listener_with_callback("scan", listener.as_ref().unchecked_ref())?;
        holder.append_child(&element)?;
        Ok(Self { element, _listener: listener })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.element.remove();
    }
}

/// Loads what defines the element, once.
fn load() -> Result<(), JsValue> {
    let address = browser::of_this_version(SCRIPT);
    if document().query_selector(&format!("script[src='{address}']"))?.is_some() {
        return Ok(());
    }
    let script = document().create_element("script")?;
    script.set_attribute("type", "module")?;
    script.set_attribute("src", &address)?;
    document().document_element().ok_or(JsValue::NULL)?.append_child(&script)?;
    Ok(())
}
