//! Fields of the forms here, side by side.

use leptos::prelude::*;

use crate::components::fields::{Choice, Line};

/// A number that is typed.
#[component]
pub(super) fn Field(
    #[prop(into)] id: String,
    name: &'static str,
    value: RwSignal<String>,
) -> impl IntoView {
    view! {
        <div class="labelled">
            <Line id label=name value inputmode="decimal" />
        </div>
    }
}

/// One of some values.
#[component]
pub(super) fn OneOf<T: Copy + PartialEq + Send + Sync + 'static>(
    #[prop(into)] id: String,
    name: &'static str,
    /// What there is to choose from, each with its words.
    all: Vec<(T, &'static str)>,
    chosen: RwSignal<T>,
) -> impl IntoView {
    let all: Vec<(T, String)> =
        all.into_iter().map(|(value, words)| (value, words.to_owned())).collect();
    view! {
        <div class="labelled">
            <Choice id label=name all chosen />
        </div>
    }
}
