//! Fields of forms: a name, what is typed or chosen, and what to know of it.

use leptos::prelude::*;

/// A line of text.
#[component]
pub(crate) fn Line(
    id: String,
    label: &'static str,
    value: RwSignal<String>,
    /// What a browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// A name for machines.
    #[prop(default = false)]
    mono: bool,
    /// The keys that a phone shows; a number, where they are not those of text.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// What it may look like.
    #[prop(default = "")]
    placeholder: &'static str,
) -> impl IntoView {
    let named = id.clone();
    let number = inputmode != "text";
    view! {
        <label for=named>{label}</label>
        <input
            id=id
            class="text-field"
            class:mono=mono
            class:num=number
            type="text"
            inputmode=inputmode
            placeholder=placeholder
            autocomplete=autocomplete
            spellcheck={if mono || number { "false" } else { "true" }}
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
        />
    }
}

/// Several lines, for machines and people.
#[component]
pub(crate) fn Lines(
    id: &'static str,
    label: &'static str,
    rows: &'static str,
    value: RwSignal<String>,
    /// What to know of it.
    #[prop(default = "")]
    help: &'static str,
    /// What says more of it, or what is wrong with it, by its id.
    #[prop(optional)]
    described: Option<&'static str>,
) -> impl IntoView {
    view! {
        <label for=id>{label}</label>
        <textarea
            id=id
            aria-describedby=described
            class="text-field mono"
            rows=rows
            autocomplete="off"
            spellcheck="false"
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
        ></textarea>
        <p class="quiet" hidden=help.is_empty()>
            {help}
        </p>
    }
}

/// One of some values, each with its words.
#[component]
pub(crate) fn Choice<T: Copy + PartialEq + Send + Sync + 'static>(
    id: String,
    label: &'static str,
    all: Vec<(T, String)>,
    chosen: RwSignal<T>,
    /// Told what is chosen now.
    #[prop(optional, into)]
    then: Option<Callback<T>>,
) -> impl IntoView {
    let named = id.clone();
    let options = all
        .iter()
        .enumerate()
        .map(|(at, (value, words))| {
            let (value, words) = (*value, words.clone());
            view! {
                <option value=at.to_string() selected=move || chosen.get() == value>
                    {words}
                </option>
            }
        })
        .collect_view();
    let choose = move |event: leptos::ev::Event| {
        let at: Option<usize> = event_target_value(&event).parse().ok();
        if let Some((value, _)) = at.and_then(|at| all.get(at)) {
            chosen.set(*value);
            if let Some(then) = then {
                then.run(*value);
            }
        }
    };
    view! {
        <label for=named>{label}</label>
        <select id=id class="text-field" on:change=choose>
            {options}
        </select>
    }
}
