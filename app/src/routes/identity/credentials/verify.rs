//! Asking for a proof, and what is to be thought of the answer.

use identity::credentials::{Command, Facts, Question, Verdict, Wait};
use leptos::prelude::*;

use crate::browser;
use crate::components::copy::CopyText;
use crate::format::sentence;

use super::super::desk::Said;
use super::book::Book;
use super::fact::Fact;
use super::fields::{ChooseKind, Chosen, Line, Lines};
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
    let Verdict { good, holds, refused, claims, issuers, unproved, was_asked } = verdict;
    let title = match (good, unproved) {
        (true, false) => "Good",
        (true, true) => "Good, by the word of a web server",
        (false, _) => "Refused",
    };
    let has_claims = !claims.is_empty();
    view! {
        <section class="card seen" class:problem--warn={!good || unproved} aria-labelledby="verdict-title">
            <h2 id="verdict-title">{title}</h2>
            <p id="refused" hidden=good>{(!good).then(|| sentence(&refused))}</p>
            <dl hidden=!has_claims>
                {super::hold::claims(&claims)}
                {issuers
                    .into_iter()
                    .map(|issuer| {
                        view! {
                            <Fact what="Issuer" looks="mono wrap">{issuer}</Fact>
                        }
                    })
                    .collect_view()}
            </dl>
            <h3 hidden=holds.is_empty()>"What was checked and holds"</h3>
            <ul id="holds">
                {holds.into_iter().map(|line| view! { <li class="wrap">{line}</li> }).collect_view()}
            </ul>
            <p class="quiet" hidden=!good>
                {believe(was_asked)}
            </p>
        </section>
    }
}

/// What stays for the person to say, and what the issuer learned.
const fn believe(was_asked: bool) -> &'static str {
    if was_asked {
        "Whether you believe this issuer is for you to say. Its web server was asked for its key, as you agreed: it saw that somebody looks, and not at whom."
    } else {
        "Whether you believe this issuer is for you to say. It was not asked, and does not know."
    }
}

/// A question.
#[component]
fn Ask() -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let kind = Chosen::new();
    let claims = RwSignal::new(KINDS.first().map_or("", |kind| kind.asked).to_owned());
    let (name, purpose) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (link, other) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let then = Callback::new(move |at: usize| {
        claims.set(KINDS.get(at).map_or("", |kind| kind.asked).to_owned());
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let origin = browser::origin();
        let question = Question {
            kind: kind.vct(),
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
        let comes_back = !question.return_to.is_empty();
        let client = format!("decentralized_identifier:{}", desk.signer(question.head.as_ref()));
        book.run("question", Command::Ask(question), move |reply| {
            let wallets = || {
                let client = browser::encoded(&client);
                format!("openid4vp://?client_id={client}&request={}", reply.text)
            };
            other.set(if comes_back { wallets() } else { String::new() });
            link.set(format!("{}/identity/present#request={}", browser::origin(), reply.text));
        });
    };
    view! {
        <section class="card" aria-labelledby="question-title">
            <h2 id="question-title">"Ask"</h2>
            <form class="send" on:submit=submit novalidate>
                <ChooseKind name="question" label="What for" own="Its type, as the issuer writes it" kind then />
                <Lines
                    id="question-claims"
                    label="What must be shown, a line each: name, or name = the value that will do"
                    rows="2"
                    value=claims
                    help="Ask for what you need and no more: they see it before they agree."
                />
                <Line id="question-name".to_owned() label="What you call yourself" value=name autocomplete="organization" />
                <Line id="question-purpose".to_owned() label="Why you ask" value=purpose />
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
                <details class="steps" hidden=move || other.read().is_empty()>
                    <summary>"For the wallet of another maker"</summary>
                    <p class="quiet">
                        "A wallet that knows OpenID4VP opens this link, on the device on which this page is open, and brings its answer back to it. No server sees it."
                    </p>
                    <CopyText label="the question for another wallet" text=other />
                </details>
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
