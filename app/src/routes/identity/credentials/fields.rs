//! Fields of the forms here that are about credentials; others are those of all pages.

use leptos::prelude::*;

pub(super) use crate::components::fields::{Choice, Line, Lines};

use super::kinds::KINDS;

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
