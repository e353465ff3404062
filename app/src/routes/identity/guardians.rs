//! Guardians: shares of the secret, and the ledger's rule by which they give a name new keys.

use identity::did::starling::{AskText, Guardians as Rule, HandedApproval};
use identity::did::{Did, StarlingId};
use identity::session::{Command, Head, Next, Secret};
use leptos::prelude::*;
use wallet::dids::{self, Found, Name};

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::fields::{Line, Lines};
use crate::format::uptime;

use super::desk::{Desk, Said};

/// The card of guardians.
#[component]
pub(super) fn Guardians() -> impl IntoView {
    let desk = Desk::get();
    let name = Memo::new(move |_| desk.name());
    view! {
        <section class="card" aria-labelledby="guardians-title">
            <h2 id="guardians-title">"Guardians"</h2>
            <Pending name />
            <h3>"Shares of your secret"</h3>
            <Shares />
            <h3>"Guardians of your name on the ledger"</h3>
            <Named name />
            <details class="steps">
                <summary>"Somebody asked me, as their guardian"</summary>
                <AsGuardian />
            </details>
            <details class="steps">
                <summary>"I lost a name, or guardians gave me one"</summary>
                <Lost />
            </details>
        </section>
    }
}

/// That guardians ask for new keys of my name: the owner says no, or lets the time pass.
#[component]
fn Pending(name: Memo<Option<Name>>) -> impl IntoView {
    let desk = Desk::get();
    let pending = Memo::new(move |_| name.read().as_ref().and_then(|name| name.pending));
    let veto = move |_| {
        let (Some(head), Some((guard, _))) = (desk.head(), pending.get_untracked()) else { return };
        let did = head.did;
        desk.run("veto", Command::Veto { head, guard }, move |answer| {
            let order = dids::veto(did, &answer.bytes);
            desk.order("veto", order, "Sent. Nothing changes: it was refused by you.");
        });
    };
    let words = move || {
        pending.get().map(|(_, ready_s)| {
            let left_s = ready_s.saturating_sub(browser::now_s());
            format!(
                " In {} they take effect, unless you say no. If you did not ask your guardians, say no now.",
                uptime(left_s)
            )
        })
    };
    view! {
        <div class="problem" id="guardians-ask" role="alert" hidden=move || pending.read().is_none()>
            <span>
                <strong>"Guardians ask for new keys of your name."</strong>
                {words}
            </span>
            <button
                id="veto"
                class="button button--strong"
                type="button"
                disabled=move || desk.busy.get()
                on:click=veto
            >
                "Say no"
            </button>
        </div>
        <Said place="veto" />
    }
}

/// Shares, made and shown once.
#[component]
fn Shares() -> impl IntoView {
    let desk = Desk::get();
    let (enough, all) = (RwSignal::new("2".to_owned()), RwSignal::new("3".to_owned()));
    let shown = RwSignal::new(Vec::<Secret>::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let number =
            |field: RwSignal<String>| field.get_untracked().trim().parse().unwrap_or_default();
        let command = Command::Share { threshold: number(enough), count: number(all) };
        desk.run("share", command, move |answer| shown.set(answer.texts));
    };
    let handed = move |_| {
        desk.run("share", Command::HandedOut, move |_| {
            shown.set(Vec::new());
            desk.tell("share", "They count as a way to your identity from now on.");
        });
    };
    let list = move || {
        let line = |(at, share): (usize, &Secret)| {
            let text = Signal::stored(share.as_str().to_owned());
            view! {
                <li>
                    <p class="quiet">{format!("For guardian {}", at + 1)}</p>
                    <CopyText label="this share" text />
                </li>
            }
        };
        shown.get().iter().enumerate().map(line).collect_view()
    };
    view! {
        <p class="quiet">
            "Each guardian keeps one. Enough of them together are your identity, without asking you: choose people who do not know each other. New shares do not mix with older ones, but enough older ones still open it."
        </p>
        <form class="send" on:submit=submit novalidate>
            <Line
                id="share-enough".to_owned()
                label="How many are enough (2 to 9)"
                value=enough
                inputmode="numeric"
            />
            <Line id="share-all".to_owned() label="How many there are" value=all inputmode="numeric" />
            <Said place="share" />
            <div class="dialog-actions">
                <button id="share-make" class="button" type="submit" disabled=move || desk.busy.get()>
                    "Make shares"
                </button>
            </div>
        </form>
        <ul id="share-list" class="lines">{list}</ul>
        <div hidden=move || shown.read().is_empty()>
            <p class="quiet">
                "Send each to its guardian now, and ask them whether it came. Before that they bring nothing back, and are not counted."
            </p>
            <div class="dialog-actions">
                <button id="share-drop" class="button" type="button" on:click=move |_| shown.set(Vec::new())>
                    "Hide them, they don\u{2019}t count"
                </button>
                <button
                    id="share-handed"
                    class="button button--strong"
                    type="button"
                    disabled=move || desk.busy.get()
                    on:click=handed
                >
                    "Every guardian has theirs"
                </button>
            </div>
        </div>
    }
}

/// Who guards my name, and a form for others.
#[component]
fn Named(name: Memo<Option<Name>>) -> impl IntoView {
    let desk = Desk::get();
    let (dids, enough) = (RwSignal::new(String::new()), RwSignal::new("2".to_owned()));
    let now = move || {
        let Some(name) = name.get() else {
            return "Register your name first: guardians are part of it.".to_owned();
        };
        match name.head.guardians {
            None => format!("No guardians, proved at block {}.", name.height),
            Some(rule) => {
                let count = rule.members.len();
                format!(
                    "{} of {count} guardians are enough, proved at block {}.",
                    rule.threshold, name.height
                )
            }
        }
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let threshold = enough.get_untracked().trim().parse().unwrap_or_default();
        let Some(rule) = rule(&dids.get_untracked(), threshold) else {
            desk.say("named", "One of these is no did:key. A guardian copies theirs from the top of their Identity page.");
            return;
        };
        let Some(head) = desk.head() else { return };
        let did = head.did;
        desk.run("named", Command::Next { head, change: Next::Guardians(rule) }, move |answer| {
            let order = dids::apply(did, &answer.bytes);
            desk.order("named", order, "Sent. They guard your name from the next block on.");
        });
    };
    view! {
        <p class="quiet">
            "They learn no secret. If you lose everything, enough of them can give your name new keys, after seven days in which you can say no. Everybody can see who they are."
        </p>
        <p id="guardians-state" class="num">{now}</p>
        <form class="send" on:submit=submit novalidate>
            <Lines
                id="guardian-dids"
                label="DIDs of your guardians (did:key), one in a line; none: nobody guards it"
                rows="3"
                value=dids
                described="said-named"
            />
            <Line
                id="guardian-enough".to_owned()
                label="How many are enough"
                value=enough
                inputmode="numeric"
            />
            <Said place="named" />
            <div class="dialog-actions">
                <button
                    id="guardian-set"
                    class="button"
                    type="submit"
                    disabled=move || {
                        desk.busy.get() || name.read().is_none() || desk.waits()
                    }
                >
                    "Name them"
                </button>
            </div>
        </form>
    }
}

/// The rule that was typed; `None`: one of them is no key. Nobody: no rule.
fn rule(text: &str, threshold: u8) -> Option<Option<Rule>> {
    let mut members = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.parse() {
            Ok(did @ Did::Key(_)) => members.push(did),
            _ => return None,
        }
    }
    members.sort();
    members.dedup();
    Some((!members.is_empty()).then_some(Rule { threshold, members }))
}

/// A name of the ledger, as a person pastes it.
fn starling(text: &str) -> Option<StarlingId> {
    match text.trim().parse() {
        Ok(Did::Starling(id)) => Some(id),
        _ => None,
    }
}

/// Where a name that is looked up stands, once it is proved.
fn other_head(desk: Desk) -> Option<Head> {
    let id = desk.other.get()?;
    match desk.look(id) {
        Found::Here(name) => Some(name.head),
        Found::Unproved | Found::Absent { .. } => None,
    }
}

/// What the ledger says of the name that is looked up.
fn other_words(desk: Desk) -> String {
    match desk.other.get().map(|id| desk.look(id)) {
        None => String::new(),
        Some(Found::Unproved) => "The ledger is being asked.".to_owned(),
        Some(Found::Absent { height }) => {
            format!("There is no such name, proved at block {height}.")
        }
        Some(Found::Here(name)) => {
            let guarded = match &name.head.guardians {
                None => "It has no guardians: nobody can give it new keys.".to_owned(),
                Some(rule) => {
                    format!("{} of {} guardians are enough.", rule.threshold, rule.members.len())
                }
            };
            format!("Version {}, proved at block {}. {guarded}", name.head.seq, name.height)
        }
    }
}

/// A guardian's side.
#[component]
fn AsGuardian() -> impl IntoView {
    let desk = Desk::get();
    let request = RwSignal::new(String::new());
    let asked = RwSignal::new(None::<AskText>);
    let approval = RwSignal::new(String::new());
    let read = move |_| {
        approval.set(String::new());
        match AskText::parse(&request.get_untracked()) {
            Ok(ask) => {
                desk.other.set(Some(ask.did));
                asked.set(Some(ask));
            }
            Err(_) => desk.say("approve", "That is no request of somebody. Paste all of it."),
        }
    };
    let approve = move |_| {
        let (Some(head), Some(ask)) = (untrack(|| other_head(desk)), asked.get_untracked()) else {
            return;
        };
        let command = Command::Approve { head, asked: ask.to_text() };
        desk.run("approve", command, move |answer| {
            let text = answer.texts.first().map(|text| text.as_str().to_owned());
            approval.set(text.unwrap_or_default());
        });
    };
    let ready = move || asked.read().is_some() && other_head(desk).is_some();
    view! {
        <p class="quiet">
            "Talk to them first, by voice: a thief asks as well. You only sign; their name has new keys after seven days, unless its owner says no."
        </p>
        <Lines id="asked" label="What they sent you" rows="3" value=request />
        <p class="num">{move || asked.read().as_ref().map(|ask| format!("did:starling:{} ", ask.did))} {move || other_words(desk)}</p>
        <Said place="approve" />
        <div class="dialog-actions">
            <button id="asked-read" class="button" type="button" on:click=read>
                "Look at it"
            </button>
            <button
                id="asked-approve"
                class="button button--strong"
                type="button"
                disabled=move || desk.busy.get() || !ready()
                on:click=approve
            >
                "I talked to them: approve"
            </button>
        </div>
        <div id="approval" hidden=move || approval.read().is_empty()>
            <p class="quiet">"Send them this:"</p>
            <CopyText label="your approval" text=approval />
        </div>
    }
}

/// The side of who lost a name.
#[component]
fn Lost() -> impl IntoView {
    let desk = Desk::get();
    let (lost, approvals) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let asking = RwSignal::new(String::new());
    let look = move |_| match starling(&lost.get_untracked()) {
        Some(id) => {
            asking.set(String::new());
            desk.other.set(Some(id));
        }
        None => desk.say("lost", "That is no name of the ledger: it begins with did:starling:"),
    };
    let ask = move |_| {
        let Some(head) = untrack(|| other_head(desk)) else { return };
        desk.run("lost", Command::Ask(head), move |answer| {
            let text = answer.texts.first().map(|text| text.as_str().to_owned());
            asking.set(text.unwrap_or_default());
        });
    };
    let send =
        move |_| {
            let Ok(ask) = AskText::parse(&asking.get_untracked()) else { return };
            let text = approvals.get_untracked();
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let read: Result<Vec<_>, _> = lines.map(HandedApproval::parse).collect();
            let fits = |given: &HandedApproval| given.guard == ask.guard.hash();
            match read {
                Ok(list) if list.iter().all(fits) => {
                    let given = list.into_iter().map(|given| given.approval).collect();
                    let order = dids::guard(ask.did, ask.guard, given);
                    desk.order(
                        "lost",
                        Some(order),
                        "Sent. Seven days from the block on, take the keys below.",
                    );
                }
                Ok(_) => desk
                    .say("lost", "One of these approves something else. Ask that guardian again."),
                Err(_) => desk
                    .say("lost", "One of these is no approval. Paste each whole, one in a line."),
            }
        };
    let pending = move || {
        desk.other.get().and_then(|id| match desk.look(id) {
            Found::Here(name) => name.pending,
            Found::Unproved | Found::Absent { .. } => None,
        })
    };
    let waits = move || pending().is_some();
    let due = move || pending().is_some_and(|(_, ready_s)| ready_s <= browser::now_s());
    let take = move |_| {
        let Some(head) = untrack(|| other_head(desk)) else { return };
        let id = head.did;
        if !untrack(due) {
            // Nothing waits: it was taken before, by another device of this identity perhaps.
            let own = "It is yours: it stands at the top of this page now.";
            desk.run("lost", Command::Mine(head), move |_| desk.tell("lost", own));
            return;
        }
        desk.run("lost", Command::Adopt(Some(id)), move |_| {
            desk.order(
                "lost",
                Some(dids::finish(id)),
                "Sent. Once it is done, change its keys at the top.",
            );
        });
    };
    let ready = move || other_head(desk).is_some_and(|head| head.guardians.is_some());
    // Its keys can be taken, or it may be this identity's already.
    let takes = move || due() || other_head(desk).is_some_and(|_| !waits());
    view! {
        <Line
            id="lost-did".to_owned()
            label="The name you lost"
            value=lost
            mono=true
            placeholder="did:starling:"
        />
        <p id="lost-state" class="num">{move || other_words(desk)}</p>
        <div class="dialog-actions">
            <button id="lost-look" class="button" type="button" on:click=look>
                "Look it up"
            </button>
            <button id="lost-ask" class="button" type="button" disabled=move || desk.busy.get() || !ready() on:click=ask>
                "Ask for keys of this identity"
            </button>
        </div>
        <div hidden=move || asking.read().is_empty()>
            <p class="quiet">"Send this to each of them, and tell them by voice that it is you:"</p>
            <div id="lost-text">
                <CopyText label="what you ask" text=asking />
            </div>
            <Lines
                id="lost-approvals"
                label="What they sent back, one in a line"
                rows="3"
                value=approvals
            />
            <div class="dialog-actions">
                <button id="lost-send" class="button button--strong" type="button" on:click=send>
                    "Send to the ledger"
                </button>
            </div>
        </div>
        <div class="dialog-actions">
            <button id="lost-take" class="button" type="button" disabled=move || desk.busy.get() || !takes() on:click=take>
                {move || if due() { "Take the keys" } else { "Its keys are mine: use it" }}
            </button>
        </div>
        <Said place="lost" />
    }
}
