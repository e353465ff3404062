//! Asking for a proof, and what is to be thought of the answer.

use identity::credentials::{Command, Facts, Question, Verdict, Wait};
use leptos::prelude::*;

use crate::browser;

use super::super::desk::Said;
use super::book::{Book, sentence};
use super::hand_on::{HandOn, TakeIn};
use super::kinds::{self, KINDS};

/// For how many seconds a question may be answered.
const LASTS_S: u64 = 3_600;

/// The page.
#[component]
pub(super) fn Verify() -> impl IntoView {
    let book = Book::get();
    let verdict = RwSignal::new(None::<Verdict>);
    let take = Callback::new(move |answer: String| {
        verdict.set(None);
        let command = Command::Check { answer, facts: Facts::default() };
        book.run("check", command, move |reply| verdict.set(reply.verdict));
    });
    view! {
        <Ask />
        <section class="card" aria-labelledby="check-title">
            <h2 id="check-title">"Check an answer"</h2>
            <TakeIn place="check" label="What they gave you: a link or a text" action="Check" busy=book.desk.busy take />
        </section>
        <div id="verdict" role="status">
            {move || verdict.get().map(|verdict| view! { <Judged verdict /> })}
        </div>
        <Open />
    }
}

#[component]
fn Judged(verdict: Verdict) -> impl IntoView {
    let Verdict { good, holds, refused, claims, issuers } = verdict;
    let title = if good { "Good" } else { "Refused" };
    let has_claims = !claims.is_empty();
    view! {
        <section class="card seen" class:problem--warn=!good aria-labelledby="verdict-title">
            <h2 id="verdict-title">{title}</h2>
            <p id="refused" hidden=good>{(!good).then(|| sentence(&refused))}</p>
            <dl hidden=!has_claims>
                {super::hold::claims(&claims)}
                {issuers
                    .into_iter()
                    .map(|issuer| {
                        view! {
                            <div>
                                <dt>"Says"</dt>
                                <dd class="mono wrap">{issuer}</dd>
                            </div>
                        }
                    })
                    .collect_view()}
            </dl>
            <h3 hidden=holds.is_empty()>"What was checked and holds"</h3>
            <ul id="holds">
                {holds.into_iter().map(|line| view! { <li class="wrap">{line}</li> }).collect_view()}
            </ul>
            <p class="quiet" hidden=!good>
                "Whether you believe this issuer is for you to say. It was not asked, and does not know."
            </p>
        </section>
    }
}

/// A question.
#[component]
fn Ask() -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let kind = RwSignal::new(0_usize);
    let own = RwSignal::new(String::new());
    let claims = RwSignal::new(KINDS.first().map_or("", |kind| kind.asked).to_owned());
    let (name, purpose) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let link = RwSignal::new(String::new());
    let is_own = move || KINDS.get(kind.get()).is_none_or(|kind| kind.vct.is_empty());
    let choose = move |event: leptos::ev::Event| {
        let at = event_target_value(&event).parse().unwrap_or(0);
        kind.set(at);
        claims.set(KINDS.get(at).map_or("", |kind| kind.asked).to_owned());
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let known = KINDS.get(kind.get_untracked()).map_or("", |kind| kind.vct);
        let origin = browser::origin();
        let question = Question {
            kind: if known.is_empty() { own.get_untracked() } else { known.to_owned() },
            claims: kinds::wanted(&claims.read_untracked()),
            name: name.get_untracked(),
            purpose: purpose.get_untracked(),
            return_to: if may_return(&origin) {
                format!("{origin}/identity/verify")
            } else {
                String::new()
            },
            lasts_s: LASTS_S,
            head: desk.head(),
        };
        book.run("question", Command::Ask(question), move |reply| {
            link.set(format!("{}/identity/present#request={}", browser::origin(), reply.text));
        });
    };
    view! {
        <section class="card" aria-labelledby="question-title">
            <h2 id="question-title">"Ask"</h2>
            <form class="send" on:submit=submit novalidate>
                <label for="question-kind">"What for"</label>
                <select id="question-kind" class="text-field" on:change=choose>
                    {KINDS
                        .iter()
                        .enumerate()
                        .map(|(at, kind)| view! { <option value=at.to_string()>{kind.title}</option> })
                        .collect_view()}
                </select>
                <div class="send" hidden=move || !is_own()>
                    <label for="question-own">"Its type, as the issuer writes it"</label>
                    <input
                        id="question-own"
                        class="text-field mono"
                        type="text"
                        autocomplete="off"
                        spellcheck="false"
                        on:input=move |event| own.set(event_target_value(&event))
                    />
                </div>
                <label for="question-claims">"What must be shown, a line each: name, or name = the value that will do"</label>
                <textarea
                    id="question-claims"
                    class="text-field mono"
                    rows="2"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || claims.get()
                    on:input=move |event| claims.set(event_target_value(&event))
                ></textarea>
                <p class="quiet">"Ask for what you need and no more: they see it before they agree."</p>
                <label for="question-name">"What you call yourself"</label>
                <input
                    id="question-name"
                    class="text-field"
                    type="text"
                    autocomplete="organization"
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <label for="question-purpose">"Why you ask"</label>
                <input
                    id="question-purpose"
                    class="text-field"
                    type="text"
                    autocomplete="off"
                    on:input=move |event| purpose.set(event_target_value(&event))
                />
                <Said place="question" />
                <div class="dialog-actions">
                    <button id="question-go" class="button button--strong" type="submit" disabled=move || desk.busy.get()>
                        "Make the question"
                    </button>
                </div>
            </form>
            <div id="question-link" hidden=move || link.read().is_empty()>
                <p class="quiet">"For one person: it is answered once, within an hour."</p>
                <HandOn label="your question" text=link />
            </div>
        </section>
    }
}

/// Whether an answer may come back to a page there: plain HTTP only on this machine.
fn may_return(origin: &str) -> bool {
    let hosts = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let local = |host: &&str| {
        origin.strip_prefix(*host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    origin.starts_with("https://") || hosts.iter().any(local)
}

/// Questions that were asked.
#[component]
fn Open() -> impl IntoView {
    let book = Book::get();
    let asked = Memo::new(move |_| book.view.read().asked.clone());
    let line = move |wait: Wait| {
        let Wait { state, until_s, kind, answered, .. } = wait;
        let words = match answered {
            true => "answered".to_owned(),
            false if until_s <= browser::now_s() => "not answered in time".to_owned(),
            false => format!("open until {}", browser::moment(until_s)),
        };
        let forget = move |_| book.run("asked", Command::Forget(state.clone()), |_| ());
        view! {
            <li class="line">
                <span>
                    <strong class="wrap">{kinds::title(&kind).to_owned()}</strong>
                    <span class="quiet num">" \u{b7} " {words}</span>
                </span>
                <button class="button" type="button" disabled=move || book.desk.busy.get() on:click=forget>
                    "Forget"
                </button>
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="open-title" hidden=move || asked.read().is_empty()>
            <h2 id="open-title">"Your questions"</h2>
            <Said place="asked" />
            <ul id="asked" class="lines">{move || asked.get().into_iter().map(line).collect_view()}</ul>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_over_tls_or_within_this_machine() {
        for good in ["https://a.example", "http://localhost:8787", "http://127.0.0.1"] {
            assert!(may_return(good), "{good}");
        }
        for bad in ["http://a.example", "http://localhost.example", "ftp://a.example"] {
            assert!(!may_return(bad), "{bad}");
        }
    }
}
