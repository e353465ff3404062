//! Keys and devices: the ways to the seed, whether they are enough, and when they were last tried.

use identity::session::{Command, Secret, Way};
use leptos::prelude::*;

use crate::browser;
use crate::components::copy::CopyText;

use super::begin::{PasswordForm, WriteWords};
use super::desk::{Desk, Said};
use super::passkey::AddPasskey;
use super::words_form::WordsForm;

/// What a backup's text begins with.
const BACKUP: &str = "starling-backup-1.";
/// Choices of minutes until it locks.
const MINUTES: [u16; 4] = [5, 15, 60, 480];
/// Days after which the words should be tried again.
const DRILL_EVERY_MS: u64 = 180 * 24 * 3_600_000;

/// The ways, and what can be done with them.
#[component]
pub(super) fn Ways() -> impl IntoView {
    let desk = Desk::get();
    let has_words = move || desk.keys.view.read().slots.contains(&Way::Words);
    let list = move || {
        let slots = desk.keys.view.read().slots.clone();
        (0_u8..).zip(slots).map(|(slot, way)| view! { <Line number=slot way /> }).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="ways-title">
            <h2 id="ways-title">"Keys and devices"</h2>
            <Recovery />
            <ul id="ways" class="lines">{list}</ul>
            <Said place="ways" />
            <LockAfter />
            <Show when=move || !has_words()>
                <h3>"Your words are not confirmed here"</h3>
                <WriteWords />
            </Show>
            <details class="steps">
                <summary>"Set a password, or another one"</summary>
                <PasswordForm />
            </details>
            <AddPasskey />
            <Drill />
            <Backup />
        </section>
    }
}

#[component]
fn Line(number: u8, way: Way) -> impl IntoView {
    let desk = Desk::get();
    let (name, more) = match &way {
        Way::Password => ("Password", "opens this device\u{2019}s copy".to_owned()),
        Way::Words => ("24 words", "on paper, open it anywhere".to_owned()),
        Way::Passkey { .. } => ("Passkey", "opens this device\u{2019}s copy".to_owned()),
        Way::Guardians { threshold } => {
            ("Shares of guardians", format!("{threshold} of them open it anywhere"))
        }
    };
    let remove = move |_| desk.run("ways", Command::Remove(number), |_| ());
    view! {
        <li class="line">
            <span>
                <strong>{name}</strong>
                <span class="quiet">" \u{b7} " {more}</span>
            </span>
            <button class="button" type="button" disabled=move || desk.busy.get() on:click=remove>
                "Remove"
                <span class="visually-hidden">" " {name}</span>
            </button>
        </li>
    }
}

/// In a line, whether a loss would be the end.
#[component]
fn Recovery() -> impl IntoView {
    let desk = Desk::get();
    let words = move || {
        let drilled = desk.keys.view.read().drilled_ms;
        let age = browser::now_ms().saturating_sub(drilled);
        match drilled {
            0 => "Your words were never entered here. Try them below, while you still can."
                .to_owned(),
            _ if age > DRILL_EVERY_MS => {
                "Your words were last tried more than half a year ago. Try them below.".to_owned()
            }
            _ => format!("Recoverable. Words last tried {} days ago.", age / (24 * 3_600_000)),
        }
    };
    view! { <p id="recovery" role="status">{words}</p> }
}

#[component]
fn LockAfter() -> impl IntoView {
    let desk = Desk::get();
    let now = move || desk.keys.view.read().lock_after_min;
    let choose = move |event: leptos::ev::Event| {
        if let Ok(minutes) = event_target_value(&event).parse() {
            desk.run("ways", Command::LockAfter(minutes), |_| ());
        }
    };
    view! {
        <label for="lock-after">"Locks by itself after"</label>
        <select id="lock-after" class="text-field" on:change=choose>
            {MINUTES
                .map(|minutes| {
                    view! {
                        <option value=minutes.to_string() selected=move || now() == minutes>
                            {format!("{minutes} minutes without a signature")}
                        </option>
                    }
                })
                .collect_view()}
        </select>
    }
}

/// Tries the words, and changes nothing.
#[component]
fn Drill() -> impl IntoView {
    view! {
        <details class="steps">
            <summary>"Try your words"</summary>
            <WordsForm
                name="drill"
                label="The 24 words on your paper"
                button="Try"
                command=|words: String| Command::Drill(Secret::text(&words))
                then=|desk: Desk, _| desk.tell("drill", "Right: these words bring your identity back.")
            />
        </details>
    }
}

/// What lies on this device, to be put on another.
#[component]
fn Backup() -> impl IntoView {
    let desk = Desk::get();
    let text = RwSignal::new(String::new());
    let show = move |_| {
        desk.run("backup", Command::Backup, move |answer| text.set(backup_text(&answer.bytes)));
    };
    view! {
        <details class="steps">
            <summary>"Bring it to another device"</summary>
            <p class="quiet">
                "A backup is what lies here: sealed, and open to your password or passkey. Anywhere is good enough for it if your password is good. Or enter your 24 words there. Credentials are not in it: ask their issuers for copies for the other device. What you issued has a backup of its own, on the Issue page."
            </p>
            <div class="dialog-actions">
                <button id="backup-show" class="button" type="button" disabled=move || desk.busy.get() on:click=show>
                    "Make a backup"
                </button>
            </div>
            <Said place="backup" />
            <Show when=move || !text.read().is_empty()>
                <CopyText label="the backup" text=text />
            </Show>
        </details>
    }
}

fn backup_text(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.fold(BACKUP.to_owned(), |text, byte| text + &byte)
}

/// The bytes of a backup's text.
pub(super) fn backup_bytes(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    let digits = text.strip_prefix(BACKUP).filter(|digits| digits.len() % 2 == 0)?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_survives_its_text_and_other_texts_are_none() {
        let bytes = vec![0, 7, 255];
        let text = backup_text(&bytes);
        assert_eq!(backup_bytes(&format!(" {text}\n")), Some(bytes));
        assert_eq!(backup_bytes(&text[1..]), None);
        assert_eq!(backup_bytes(&text[..text.len() - 1]), None);
        assert_eq!(backup_bytes("starling-backup-1.zz"), None);
    }
}
