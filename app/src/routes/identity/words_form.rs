//! A form for what is kept on paper or by others: typed in several lines, and gone from the screen when it was taken.

use identity::session::{Answer, Command};
use leptos::html::Textarea;
use leptos::prelude::*;

use super::desk::{Desk, Said, empty_lines, written};

/// The form. The field's id is what `name` and `field` say, with a hyphen between; the button's ends with `act`.
#[component]
pub(super) fn WordsForm(
    /// Where its refusals are said, and what its ids begin with.
    name: &'static str,
    /// The end of the field's id.
    #[prop(default = "words")]
    field: &'static str,
    /// The end of the button's id.
    #[prop(default = "go")]
    act: &'static str,
    /// What is to be typed.
    label: &'static str,
    /// What the button says.
    button: &'static str,
    /// Whether it is what the card is about.
    #[prop(default = false)]
    strong: bool,
    /// Whether what is typed reads as words, and not as letters one by one.
    #[prop(default = true)]
    prose: bool,
    /// Whether it can't be sent now.
    #[prop(optional, into)]
    disabled: Option<Signal<bool>>,
    /// What is asked of the session with the text.
    command: impl Fn(String) -> Command + 'static,
    /// What follows when it was taken.
    #[prop(optional)]
    then: Option<fn(Desk, Answer)>,
) -> impl IntoView {
    let desk = Desk::get();
    let lines = NodeRef::<Textarea>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        desk.run(name, command(written(lines)), move |answer| {
            empty_lines(lines);
            if let Some(then) = then {
                then(desk, answer);
            }
        });
    };
    let off = move || desk.busy.get() || disabled.is_some_and(|disabled| disabled.get());
    let id = format!("{name}-{field}");
    view! {
        <form class="send" on:submit=submit novalidate>
            <label for=id.clone()>{label}</label>
            <textarea
                id=id
                class="text-field"
                class:mono={!prose}
                node_ref=lines
                rows="3"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby=format!("said-{name}")
            ></textarea>
            <Said place=name />
            <div class="dialog-actions">
                <button
                    id=format!("{name}-{act}")
                    class="button"
                    class:button--strong=strong
                    type="submit"
                    disabled=off
                >
                    {button}
                </button>
            </div>
        </form>
    }
}
