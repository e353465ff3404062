//! Who proposes blocks, which certificates prove; and whom a host names beside them, which nothing proves.

use js_sys::{Array, JSON, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::view::{Proposer, Sight};
use wasm_bindgen::JsCast;

use crate::browser;
use crate::components::avatar::Avatar;
use crate::components::proof_badge::{Badge, FORKED, FORKED_MORE};
use crate::format::{counted, short_key, whole};
use crate::ledger::{Ledger, readable};

/// Most validators of a ledger: a longer list is none.
const NAMED_MAX: usize = 100;
/// Longest answer of a host, in bytes, and how long it may take, in milliseconds.
const ANSWER_BYTES_MAX: usize = 32 << 10;
const ANSWER_MS_MAX: u32 = 5_000;

/// Whom a host names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    host: String,
    /// Its validators' epoch.
    epoch: u64,
    keys: Vec<String>,
}

/// What a host says of itself.
#[derive(Debug, Clone)]
struct Told {
    root: String,
    epoch: u64,
    count: u64,
    keys: Vec<String>,
}

impl Told {
    /// Of the answer to `GET /ledger/status`.
    fn read(bytes: &[u8]) -> Option<Self> {
        let object = JSON::parse(core::str::from_utf8(bytes).ok()?).ok()?;
        let field = |name: &str| Reflect::get(&object, &name.into()).ok();
        let number = |name: &str| Some(whole(field(name)?.as_f64()?));
        let keys: Array = field("keys")?.dyn_into().ok()?;
        Some(Self {
            root: field("root")?.as_string()?,
            epoch: number("epoch")?,
            count: number("validators")?,
            keys: keys
                .iter()
                .take(NAMED_MAX + 1)
                .map(|key| key.as_string())
                .collect::<Option<_>>()?,
        })
    }

    /// Whether it is of this ledger, of those who make its blocks now, and agrees with itself.
    fn holds(&self, root: &str, epoch: u64) -> bool {
        let is_key = |key: &String| {
            key.len() == 64 && key.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        };
        let mut keys: Vec<&String> = self.keys.iter().collect();
        keys.sort_unstable();
        keys.dedup();
        self.root == root
            && self.epoch == epoch
            && (1..=NAMED_MAX).contains(&keys.len())
            && keys.len() == self.keys.len()
            && u64::try_from(keys.len()).is_ok_and(|count| count == self.count)
            && keys.into_iter().all(is_key)
    }
}

impl Named {
    /// Whether whoever proposed is among them: a list without them is of others.
    fn agrees(&self, seen: &[Proposer]) -> bool {
        seen.iter().all(|one| self.keys.contains(&one.key))
    }

    /// How many there are, and what follows from that.
    fn words(&self) -> String {
        let count = u64::try_from(self.keys.len()).unwrap_or_default();
        let faulty = count.saturating_sub(1) / 3;
        let all = counted(count, "validator", "validators");
        let may = if faulty == 0 {
            "none may be faulty or away".to_owned()
        } else {
            format!("at most {faulty} may be faulty or away")
        };
        format!(
            "{} names {all}. If that is so, {may}, and a block is final with the votes of {}. Neither is proved.",
            self.host,
            count - faulty,
        )
    }
}

/// The first server's that names those who make blocks now.
async fn ask(root: &str, epoch: u64, servers: &[String]) -> Option<Named> {
    for server in servers {
        let url = format!("{server}/ledger/status");
        let answer = browser::told(&url, None, ANSWER_BYTES_MAX, ANSWER_MS_MAX).await;
        let told = answer.filter(|(status, _)| *status == 200);
        let told = told.and_then(|(_, bytes)| Told::read(&bytes));
        if let Some(told) = told.filter(|told| told.holds(root, epoch)) {
            return Some(Named { host: browser::host_of(server), epoch, keys: told.keys });
        }
    }
    None
}

/// Whom a host names, asked anew when others are asked or took over; none: it is being asked, none within: nobody
/// names any.
fn named(ledger: Ledger) -> Signal<Option<Option<Named>>> {
    let about = Memo::new(move |_| {
        let view = ledger.view.read();
        let epoch = view.succession.map_or(0, |one| one.count);
        (view.root.clone(), epoch, readable(&view))
    });
    let found = RwSignal::new(None::<Option<Named>>);
    Effect::new(move |_| {
        let asked = about.get();
        spawn_local(async move {
            let (root, epoch, servers) = &asked;
            let named = ask(root, *epoch, servers).await;
            // The page may be gone, or somebody else is asked meanwhile.
            if about.try_get_untracked().as_ref() == Some(&asked) {
                drop(found.try_set(Some(named)));
            }
        });
    });
    Signal::derive(move || {
        let epoch = about.read().1;
        // Those who were replaced are nobody now.
        let is_of_now = |one: &Option<Named>| one.as_ref().is_none_or(|named| named.epoch == epoch);
        found.get().filter(is_of_now)
    })
}

/// How much of what was seen one proposed.
fn proposed(one: &Proposer, all: u64) -> String {
    let blocks = counted(all, "block seen", "blocks seen");
    format!("proposed {} of the last {blocks}, last at\u{a0}{}", one.count, one.height)
}

/// How many blocks are counted.
fn all(seen: &[Proposer]) -> u64 {
    seen.iter().map(|one| one.count).sum()
}

/// Who is shown, with what is said of them and whether that is proved: in the order of their keys, so that rows stay
/// where they are.
fn rows(seen: &[Proposer], named: Option<&Named>) -> Vec<(String, String, bool)> {
    let of = all(seen);
    let mut rows: Vec<_> =
        seen.iter().map(|one| (one.key.clone(), proposed(one, of), true)).collect();
    if let Some(named) = named.filter(|named| named.agrees(seen)) {
        let host = &named.host;
        let unseen = named.keys.iter().filter(|key| seen.iter().all(|one| one.key != **key));
        rows.extend(unseen.map(|key| {
            let words =
                format!("named by {host}, has proposed none of the blocks seen here (not proved)");
            (key.clone(), words, false)
        }));
    }
    rows.sort_unstable();
    rows
}

fn row((key, words, is_proved): (String, String, bool)) -> impl IntoView {
    view! {
        <li class="block" data-proved=is_proved.to_string()>
            <Avatar key=key.clone() />
            <div class="row-words">
                <code class="mono" title=key.clone()>
                    {short_key(&key)}
                </code>
                <span class="quiet num">{words}</span>
            </div>
        </li>
    }
}

/// The validators.
#[component]
pub(super) fn Validators() -> impl IntoView {
    let ledger = Ledger::get();
    let seen = Memo::new(move |_| ledger.view.read().proposers.clone());
    let is_forked = Memo::new(move |_| ledger.view.read().sight == Sight::Forked);
    let named = named(ledger);
    let good = Signal::derive(move || !is_forked.get() && !seen.read().is_empty());
    let words = Signal::derive(move || match all(&seen.read()) {
        _ if is_forked.get() => FORKED.to_owned(),
        0 => "No block was seen yet".to_owned(),
        count => format!("Proved by {}", counted(count, "block", "blocks")),
    });
    let more = Signal::derive(move || {
        let told = if is_forked.get() {
            FORKED_MORE
        } else {
            "A block\u{2019}s header says who proposed it, and this page checked the certificate of each: more than two thirds of the validators signed it. Who else is a validator no block says; for that there is a host\u{2019}s word."
        };
        told.to_owned()
    });
    let shown = move || {
        let named = named.get().flatten();
        rows(&seen.read(), named.as_ref()).into_iter().map(row).collect_view()
    };
    let told = move || match named.get() {
        None => "A server is asked whom it names.".to_owned(),
        Some(None) => "No server that is asked names those who agree now.".to_owned(),
        Some(Some(named)) if named.agrees(&seen.read()) => named.words(),
        Some(Some(Named { host, .. })) => {
            format!("{host} names others than who proposed these blocks, so its list is not shown.")
        }
    };
    view! {
        <section class="card" aria-labelledby="validators-title" id="validators">
            <div class="card-head">
                <h2 id="validators-title">"Validators"</h2>
                <Badge good words more />
            </div>
            <ul class="servers">{shown}</ul>
            <p class="quiet" role="status">
                {told}
            </p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn told(keys: &[char]) -> Told {
        let keys: Vec<String> = keys.iter().map(|digit| key(*digit)).collect();
        let count = u64::try_from(keys.len()).unwrap();
        Told { root: "root".to_owned(), epoch: 1, count, keys }
    }

    #[test]
    fn a_list_is_of_this_ledger_of_now_and_agrees_with_itself() {
        let good = told(&['a', 'b']);
        assert!(good.holds("root", 1));
        assert!(!good.holds("other", 1));
        assert!(!good.holds("root", 2), "others took over");
        assert!(!good.holds("root", 0), "they do not make blocks yet");
        assert!(!Told { count: 3, ..good.clone() }.holds("root", 1));
        assert!(!told(&['a', 'a']).holds("root", 1));
        assert!(!told(&['A', 'b']).holds("root", 1));
        assert!(!told(&[]).holds("root", 1));
        let many: Vec<String> = (0..=NAMED_MAX).map(|number| format!("{number:064}")).collect();
        let many = Told { count: 101, keys: many, ..good };
        assert!(!many.holds("root", 1));
    }

    #[test]
    fn who_proposed_is_proved_and_who_is_only_named_is_not() {
        let seen = [('c', 3, 9), ('a', 1, 8)].map(|(digit, count, height)| Proposer {
            key: key(digit),
            count,
            height,
        });
        let named = |keys: &[char]| Named {
            host: "one.example".to_owned(),
            epoch: 1,
            keys: told(keys).keys,
        };
        let four = named(&['a', 'b', 'c', 'd']);
        let all = rows(&seen, Some(&four));
        let proved: Vec<bool> = all.iter().map(|(.., is_proved)| *is_proved).collect();
        assert_eq!(proved, [true, false, true, false], "in the order of their keys");
        assert_eq!(all[0].1, "proposed 1 of the last 4\u{a0}blocks seen, last at\u{a0}8");
        assert!(all[1].1.contains("one.example") && all[1].1.ends_with("(not proved)"));
        assert!(four.words().contains("4\u{a0}validators. If that is so, at most 1 may"));
        assert!(four.words().contains("the votes of 3"));
        // A list without one of them is not believed of anybody else.
        let others = named(&['a', 'b']);
        assert!(!others.agrees(&seen));
        assert_eq!(rows(&seen, Some(&others)).len(), 2);
        assert!(rows(&seen, None).iter().all(|(.., is_proved)| *is_proved));
    }
}
