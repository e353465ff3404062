//! Fields of the forms here.

use leptos::prelude::*;

use super::kinds::KINDS;

/// A line of text.
#[component]
pub(super) fn Line(
    id: String,
    label: &'static str,
    value: RwSignal<String>,
    /// What a browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// A name for machines.
    #[prop(default = false)]
    mono: bool,
) -> impl IntoView {
    let named = id.clone();
    view! {
        <label for=named>{label}</label>
        <input
            id=id
            class="text-field"
            class:mono=mono
            type="text"
            autocomplete=autocomplete
            spellcheck=if mono { "false" } else { "true" }
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
        />
    }
}

/// Several lines, for machines and people.
#[component]
pub(super) fn Lines(
    id: &'static str,
    label: &'static str,
    rows: &'static str,
    value: RwSignal<String>,
    /// What to know of it.
    help: &'static str,
) -> impl IntoView {
    view! {
        <label for=id>{label}</label>
        <textarea
            id=id
            class="text-field mono"
            rows=rows
            autocomplete="off"
            spellcheck="false"
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
        ></textarea>
        <p class="quiet">{help}</p>
    }
}

/// One of some values, each with its words.
#[component]
pub(super) fn Choice<T: Copy + PartialEq + Send + Sync + 'static>(
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

/// Which type of credential: one that is known here, or a name of the person's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    /// Place in [`KINDS`].
    at: RwSignal<usize>,
    own: RwSignal<String>,
}

impl Chosen {
    /// The first one.
    pub(super) fn new() -> Self {
        Self { at: RwSignal::new(0), own: RwSignal::new(String::new()) }
    }

    /// The type (`vct`).
    pub(super) fn vct(self) -> String {
        let known = KINDS.get(self.at.get_untracked()).map_or("", |kind| kind.vct);
        match known {
            "" => self.own.get_untracked().trim().to_owned(),
            known => known.to_owned(),
        }
    }
}

/// Chooses it; a name of one's own is typed below.
#[component]
pub(super) fn ChooseKind(
    /// What the ids of its fields begin with.
    name: &'static str,
    label: &'static str,
    /// What a name of one's own is for.
    own: &'static str,
    kind: Chosen,
    /// Told the place in [`KINDS`].
    #[prop(optional, into)]
    then: Option<Callback<usize>>,
) -> impl IntoView {
    let all = KINDS.iter().enumerate().map(|(at, kind)| (at, kind.title.to_owned())).collect();
    let is_own = move || KINDS.get(kind.at.get()).is_none_or(|kind| kind.vct.is_empty());
    let told = Callback::new(move |at| {
        if let Some(then) = then {
            then.run(at);
        }
    });
    view! {
        <Choice id=format!("{name}-kind") label all chosen=kind.at then=told />
        <div class="send" hidden=move || !is_own()>
            <Line id=format!("{name}-own") label=own value=kind.own mono=true />
        </div>
    }
}
