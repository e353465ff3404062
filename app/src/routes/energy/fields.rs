//! Fields of the forms here.

use leptos::prelude::*;

/// A number that is typed.
#[component]
pub(super) fn Field(
    #[prop(into)] id: String,
    name: &'static str,
    value: RwSignal<String>,
) -> impl IntoView {
    view! {
        <div class="labelled">
            <label for=id.clone()>{name}</label>
            <input
                id=id
                class="text-field num"
                inputmode="decimal"
                autocomplete="off"
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
        </div>
    }
}

/// One of some, by its place among them.
#[component]
pub(super) fn Choice(
    #[prop(into)] id: String,
    name: &'static str,
    value: RwSignal<usize>,
    /// What there is to choose from.
    #[prop(into)]
    all: Vec<&'static str>,
) -> impl IntoView {
    let option = |(at, one): (usize, &'static str)| {
        view! { <option value=at.to_string()>{one}</option> }
    };
    let select_id = id.clone();
    Effect::new(move |_| {
        let found = document().get_element_by_id(&select_id);
        let select =
            found.and_then(|one| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(one).ok());
        if let Some(select) = select {
            let at = value.get_untracked().to_string();
            // A plain property of a select.
            drop(js_sys::Reflect::set(&select, &"value".into(), &at.into()));
        }
    });
    view! {
        <div class="labelled">
            <label for=id.clone()>{name}</label>
            <select
                id=id
                class="text-field"
                on:change=move |event| value.set(event_target_value(&event).parse().unwrap_or_default())
            >
                {all.into_iter().enumerate().map(option).collect_view()}
            </select>
        </div>
    }
}
