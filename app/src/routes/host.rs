//! For whoever runs the server: nodes, swarms, the relay's load, and what was refused.

mod figures;

use std::time::Duration;

use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::components::heading::Heading;
use crate::components::icon::{Glyph, Icon};
use crate::host::{self, Answer, Status};

use figures::Figures;

/// How often the server is asked.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// How far the page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No token was given, or the one that was is not the host's.
    Locked,
    /// The first answer is under way.
    Loading,
    /// Figures are there.
    Open,
    /// This server has no host.
    Off,
}

/// What the page knows.
#[derive(Debug, Clone, Copy)]
struct Desk {
    stage: RwSignal<Stage>,
    status: RwSignal<Option<Status>>,
    /// What is wrong, in a sentence.
    problem: RwSignal<Option<&'static str>>,
}

impl Desk {
    fn new() -> Self {
        let stage = if host::token().is_some() { Stage::Loading } else { Stage::Locked };
        Self {
            stage: RwSignal::new(stage),
            status: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    /// Tries a token a person gave.
    fn unlock(self, token: &str) {
        host::keep_token(token);
        self.problem.set(None);
        self.stage.set(Stage::Loading);
        self.ask();
    }

    fn lock(self, problem: Option<&'static str>) {
        host::forget_token();
        self.status.set(None);
        self.problem.set(problem);
        self.stage.set(Stage::Locked);
    }

    fn ask(self) {
        let Some(token) = host::token() else { return };
        spawn_local(async move {
            let answer = host::ask(&token).await;
            // A page that was left, or a token that was forgotten meanwhile, takes no answer.
            if host::token().as_deref() == Some(&*token) && !self.stage.is_disposed() {
                self.take(answer);
            }
        });
    }

    fn take(self, answer: Answer) {
        match answer {
            Answer::Status(status) => {
                self.status.set(Some(*status));
                self.problem.set(None);
                self.stage.set(Stage::Open);
            }
            Answer::WrongToken => self.lock(Some("That is not this server's token.")),
            Answer::Off => {
                host::forget_token();
                self.stage.set(Stage::Off);
            }
            Answer::TooMany => {
                self.problem.set(Some("Too many tries from here. It asks again by itself."))
            }
            Answer::Nothing => self
                .problem
                .set(Some("The server does not answer. It is asked again every two seconds.")),
        }
    }
}

/// The host's page.
#[component]
pub(crate) fn Host() -> impl IntoView {
    browser::set_title("Host");
    let desk = Desk::new();
    desk.ask();
    if let Ok(asking) = set_interval_with_handle(move || desk.ask(), ASK_EVERY) {
        on_cleanup(move || asking.clear());
    }
    let is_open = move || desk.stage.get() == Stage::Open;
    view! {
        <div class="route">
            <Heading title="Host" about="How it is with the servers, for whoever runs them.">
                <Show when=is_open>
                    <button class="button" type="button" on:click=move |_| desk.lock(None)>
                        "Forget the token"
                    </button>
                </Show>
            </Heading>
            <Trouble desk />
            {move || match desk.stage.get() {
                Stage::Locked => view! { <Door desk /> }.into_any(),
                Stage::Loading => view! { <Loading /> }.into_any(),
                Stage::Off => view! { <Off /> }.into_any(),
                Stage::Open => {
                    let status = Memo::new(move |_| desk.status.get().unwrap_or_default());
                    view! { <Figures status /> }.into_any()
                }
            }}
        </div>
    }
}

/// What is wrong while figures are shown, or the first ones are waited for.
#[component]
fn Trouble(desk: Desk) -> impl IntoView {
    let shown = move || desk.problem.get().filter(|_| desk.stage.get() != Stage::Locked);
    view! {
        <ul class="problems" aria-live="polite" aria-label="Notices">
            {move || {
                shown()
                    .map(|problem| {
                        view! {
                            <li class="problem">
                                <Icon glyph=Glyph::Note />
                                <p>{problem}</p>
                            </li>
                        }
                    })
            }}
        </ul>
    }
}

/// The field for the token.
#[component]
fn Door(desk: Desk) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let token = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        match token.trim() {
            "" => desk.problem.set(Some("Paste the token first.")),
            token => desk.unlock(token),
        }
    };
    let problem = move || desk.problem.get();
    view! {
        <section class="card" aria-labelledby="token-title">
            <h2 id="token-title">"The host's token"</h2>
            <form class="open-url" on:submit=submit novalidate>
                <label class="visually-hidden" for="token">"Token"</label>
                <div class="field">
                    <input
                        id="token"
                        node_ref=input
                        type="password"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        aria-describedby="token-help"
                        aria-invalid=move || problem().is_some().to_string()
                        on:input=move |_| desk.problem.set(None)
                    />
                    <button class="button button--strong" type="submit">"Show"</button>
                </div>
                <p id="token-help" class="quiet" class:quiet--warn=move || problem().is_some() aria-live="polite">
                    {move || {
                        problem()
                            .unwrap_or(
                                "It stands in the server's settings, under [signaling.admin]. This tab keeps it until it is closed.",
                            )
                    }}
                </p>
            </form>
        </section>
    }
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="empty" role="status">
            <p class="empty-title">"Asking the server"</p>
            <p class="quiet">"One moment."</p>
        </div>
    }
}

#[component]
fn Off() -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">"This server shows nothing to anybody"</p>
            <p class="quiet">
                "Its settings have no token. Whoever runs it puts one under [signaling.admin] and starts it again."
            </p>
        </div>
    }
}
