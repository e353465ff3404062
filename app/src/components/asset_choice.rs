//! A choice among assets: each with whose promise it is, since anybody may give theirs any name.

use leptos::prelude::*;

use crate::assets::Assets;

/// The choice, with its label.
#[component]
pub(crate) fn AssetChoice(
    id: &'static str,
    label: &'static str,
    /// Numbers that are offered. What is chosen is offered as well.
    offered: Signal<Vec<u32>>,
    chosen: RwSignal<u32>,
) -> impl IntoView {
    let desk = Assets::get();
    let numbers = Memo::new(move |_| {
        let mut numbers = offered.get();
        if !numbers.contains(&chosen.get()) {
            numbers.push(chosen.get());
        }
        numbers
    });
    let words = move |number: u32| match desk.asset(number) {
        Some(asset) => desk.titled(&asset),
        None => format!("Asset {number}, not proved yet"),
    };
    let option = move |number: u32| {
        view! {
            <option value=number.to_string() prop:selected=move || chosen.get() == number>
                {move || words(number)}
            </option>
        }
    };
    let choose = move |event| {
        if let Ok(number) = event_target_value(&event).parse() {
            chosen.set(number);
        }
    };
    view! {
        <label for=id>{label}</label>
        <select id=id class="text-field" on:change=choose>
            {move || numbers.get().into_iter().map(option).collect_view()}
        </select>
    }
}
