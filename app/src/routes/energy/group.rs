//! Who settles disputes: for whom what meters' registers showed is sealed, and the letters on their way there.

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use peer_wasm::files::Item;
use wallet::energy::{self, Meter, NoGroup};
use web_sys::File;

use crate::browser;
use crate::components::copy::CopyText;
use crate::format::counted;
use crate::session::Session;

use super::desk::Desk;

/// Letters of a DID that are shown in front and at the end.
const SHOWN: (usize, usize) = (16, 4);

/// Under which name a person's choice is kept in this browser.
fn place(root: &str, community: u32) -> String {
    format!("starling.energy.group {root} {community}")
}

/// Whom this person chose for a community of a ledger.
pub(super) fn kept(root: &str, community: u32) -> Vec<String> {
    let text = browser::kept(&place(root, community)).unwrap_or_default();
    energy::readers(&text).unwrap_or_default()
}

/// A DID, short.
fn short(did: &str) -> String {
    let (front, end) = SHOWN;
    match (did.get(..front), did.len().checked_sub(end).and_then(|at| did.get(at..))) {
        (Some(first), Some(last)) if did.len() > front + end => format!("{first}\u{2026}{last}"),
        _ => did.to_owned(),
    }
}

/// Who can read it, in words.
fn told(group: &[String]) -> String {
    let names: Vec<String> = group.iter().map(|did| short(did)).collect();
    let names = names.join(", ");
    match group.len() {
        0 => "Nobody can read it: no letters are made. What is signed now can be sealed later."
            .to_owned(),
        1 => format!("One can read it: {names}. Nobody else can, whoever carries the letters."),
        many => {
            format!("{many} can read it: {names}. Nobody else can, whoever carries the letters.")
        }
    }
}

fn wrong(why: &NoGroup) -> String {
    match why {
        NoGroup::NoDid(text) => {
            format!("{} is no did:key of Ed25519 (did:key:z6Mk\u{2026}).", short(text))
        }
        NoGroup::TooMany => "Sixteen at most.".to_owned(),
    }
}

/// The card of a household.
#[component]
pub(super) fn GroupCard() -> impl IntoView {
    let desk = Desk::get();
    let sealing = Memo::new(move |_| {
        let signs = |meter: &Meter| meter.device.is_some();
        desk.mine().into_iter().filter(signs).collect::<Vec<_>>()
    });
    view! {
        <Show when=move || !sealing.read().is_empty()>
            <section class="card" aria-labelledby="group-title" id="group">
                <h2 id="group-title">"Who settles disputes"</h2>
                <p class="quiet">
                    "The ledger keeps the Wh that are traded and a commitment to what your meters\u{2019} registers showed. The rest is yours: each time this page signs readings, it is sealed for the people you name here, and for nobody else."
                </p>
                <p id="group-told" role="status">{move || told(&desk.group.read())}</p>
                <Readers />
                <Letters sealing />
            </section>
        </Show>
    }
}

/// Whom I name.
#[component]
fn Readers() -> impl IntoView {
    let desk = Desk::get();
    // A link may name them; nothing is taken from it before a person says so.
    let first = browser::query("group")
        .map_or_else(|| desk.group.get_untracked().join("\n"), |named| named.replace(',', "\n"));
    let typed = RwSignal::new(first);
    let read = Memo::new(move |_| energy::readers(&typed.read()));
    let is_same = move || read.read().as_ref().is_ok_and(|named| *named == *desk.group.read());
    let problem = move || match read.get() {
        Err(why) => wrong(&why),
        Ok(_) if desk.ledger.view.read().refused == "readers" => {
            "One of these is no key to seal for: ask for it again.".to_owned()
        }
        Ok(_) => String::new(),
    };
    let begin = move |_| {
        let (Ok(named), Some(community)) = (read.get_untracked(), desk.chosen.get_untracked())
        else {
            return;
        };
        let root = desk.ledger.view.read_untracked().root.clone();
        browser::keep(&place(&root, community), &named.join("\n"));
        // What is ready is sealed for who was named before. It can be sealed again.
        desk.ledger.letters.set(Vec::new());
        desk.regrouped.update(|count| *count = count.wrapping_add(1));
        if !named.is_empty() {
            desk.ledger.command(&energy::look_at(&named));
        }
    };
    view! {
        <div class="labelled">
            <label for="group-readers">"Their DIDs (did:key), one in a line; none: nobody reads it"</label>
            <textarea
                id="group-readers"
                class="text-field mono"
                rows="3"
                autocomplete="off"
                spellcheck="false"
                aria-describedby="group-problem"
                prop:value=move || typed.get()
                on:input=move |event| typed.set(event_target_value(&event))
            ></textarea>
        </div>
        <p id="group-problem" class="quiet quiet--warn" role="alert">
            {problem}
        </p>
        <button
            class="button"
            type="button"
            data-do="group"
            disabled=move || read.read().is_err() || is_same()
            on:click=begin
        >
            {move || match read.read().as_ref() {
                Ok(named) if named.is_empty() => "Seal for nobody",
                _ => "Seal for these",
            }}
        </button>
    }
}

/// Letters that are ready, and those of the day that is looked at.
#[component]
fn Letters(sealing: Memo<Vec<Meter>>) -> impl IntoView {
    let desk = Desk::get();
    let sharing = Session::get().sharing;
    let navigate = use_navigate();
    let ready = Memo::new(move |_| ready(&desk.ledger.letters.read()));
    let words = move || match ready.read().len() {
        0 => String::new(),
        count => {
            let count = u64::try_from(count).unwrap_or_default();
            format!(
                "{} ready, and nobody has {} yet.",
                counted(count, "letter is", "letters are"),
                if count == 1 { "it" } else { "them" }
            )
        }
    };
    let again = move |_| {
        let (group, span) = (desk.group.get_untracked(), desk.span.get_untracked());
        let Some(span) = span else { return };
        let commands = untrack(|| {
            desk.look(|scene| {
                let of = |meter: &Meter| {
                    let device = meter.device?;
                    Some(energy::seal_day(scene, span, meter.number, device, &group))
                };
                Some(sealing.read_untracked().iter().filter_map(of).flatten().collect::<Vec<_>>())
            })
        });
        for command in commands.unwrap_or_default() {
            desk.ledger.command(&command);
        }
    };
    let share = move |_| {
        let community = desk.chosen.get_untracked().unwrap_or_default();
        let letters = ready.get_untracked();
        sharing.hand(letters.iter().filter_map(|letter| item(community, letter)).collect());
        desk.ledger.letters.set(Vec::new());
        navigate("/share", leptos_router::NavigateOptions::default());
    };
    view! {
        <p class="quiet num" id="letters" role="status">{words}</p>
        <div class="ways">
            <button
                class="button"
                type="button"
                data-do="seal-day"
                disabled=move || desk.group.read().is_empty()
                on:click=again
            >
                "Seal the day above again"
            </button>
            <button
                class="button button--strong"
                type="button"
                data-do="share-letters"
                disabled=move || ready.read().is_empty()
                on:click=share
            >
                "Share the letters"
            </button>
        </div>
        <p class="quiet">
            "Sharing gives a link for the group. Anybody may carry such a share, this tab or a neighbour\u{2019}s: the letters are all of one length, and open only to those named. They hold each against the ledger, and a meter that traded more than it metered is cut."
        </p>
    }
}

/// A letter's name and file.
type Letter = (String, Vec<u8>);

/// Letters that came, each once: the newest of a name.
fn ready(came: &[Vec<u8>]) -> Vec<Letter> {
    let mut all: Vec<Letter> = Vec::new();
    for (name, file) in came.iter().flat_map(|bytes| energy::letters(bytes)) {
        all.retain(|known| known.0 != name);
        all.push((name, file));
    }
    all
}

/// As a file of a folder.
fn item(community: u32, (name, file): &Letter) -> Option<Item> {
    let parts = Array::of1(&Uint8Array::from(file.as_slice()));
    let file = File::new_with_u8_array_sequence(&parts, name).ok()?;
    Some(Item { path: format!("letters-{community}/{name}"), file })
}

/// For who runs a community: a link that names the group to households, who each decide.
#[component]
pub(super) fn GroupLink() -> impl IntoView {
    let desk = Desk::get();
    let typed = RwSignal::new(String::new());
    let read = Memo::new(move |_| energy::readers(&typed.read()));
    let link = Memo::new(move |_| {
        let named = read.get().ok().filter(|named| !named.is_empty())?;
        let community = desk.chosen.get()?;
        let (origin, group) = (browser::origin(), named.join(","));
        Some(format!("{origin}/energy?community={community}&group={group}#group"))
    });
    let problem = move || read.get().err().map(|why| wrong(&why));
    view! {
        <section class="card" aria-labelledby="group-link-title" id="group-link">
            <h2 id="group-link-title">"Who settles disputes"</h2>
            <p class="quiet">
                "Name the people who may read what meters\u{2019} registers showed. The link tells households whom you propose; each decides for itself, and its page seals for them from then on."
            </p>
            <div class="labelled">
                <label for="group-proposed">"Their DIDs (did:key), one in a line"</label>
                <textarea
                    id="group-proposed"
                    class="text-field mono"
                    rows="3"
                    autocomplete="off"
                    spellcheck="false"
                    aria-describedby="group-proposed-problem"
                    on:input=move |event| typed.set(event_target_value(&event))
                ></textarea>
            </div>
            <p id="group-proposed-problem" class="quiet quiet--warn" role="alert">
                {problem}
            </p>
            {move || {
                link.get().map(|link| view! { <CopyText text=Signal::stored(link) label="the link for households" /> })
            }}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use wallet::view;

    use super::*;

    #[test]
    fn who_can_read_it_is_said_by_name() {
        let did = |end: &str| format!("did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJ{end}");
        assert!(told(&[]).starts_with("Nobody can read it"));
        assert_eq!(
            told(&[did("gvVd"), did("sdvk")]),
            "2 can read it: did:key:z6MkehRg\u{2026}gvVd, did:key:z6MkehRg\u{2026}sdvk. Nobody else can, whoever carries the letters."
        );
        assert_eq!(short("did:web:a"), "did:web:a");
    }

    #[test]
    fn a_letter_that_is_made_again_is_there_once() {
        let came = |name: &str, file: u8| {
            let letter = view::Letter { name: name.to_owned(), file: vec![file] };
            view::to_bytes(&view::Letters { list: vec![letter] })
        };
        let all = ready(&[came("a", 1), came("b", 2), came("a", 3), vec![0xff]]);
        assert_eq!(all, [("b".to_owned(), vec![2]), ("a".to_owned(), vec![3])]);
    }
}
