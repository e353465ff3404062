//! The ledger as this tab sees it: blocks, validators, servers, and what was checked.

mod servers;
mod validators;

use std::time::Duration;

use leptos::prelude::*;
use wallet::view::{Block, Sight};

use crate::browser;
use crate::components::avatar::Avatar;
use crate::components::copy::CopyText;
use crate::components::fact::fact;
use crate::components::proof_badge::ProofBadge;
use crate::components::proof_steps::ProofSteps;
use crate::format::{counted, duration, short_key, whole};
use crate::ledger::Ledger;
use crate::routes::wallet::BelowWallet;

use servers::Servers;
use validators::Validators;

/// How often ages are told anew.
const TICK: Duration = Duration::from_secs(1);

/// The ledger page.
#[component]
pub(crate) fn LedgerPage() -> impl IntoView {
    view! {
        <BelowWallet title="Ledger" about="Final blocks as this tab saw and checked them.">
            <Facts />
            <Proof />
            <Servers />
            <Validators />
            <div class="pair">
                <Blocks />
                <Root />
            </div>
        </BelowWallet>
    }
}

/// The time of day, told anew every second while the page is shown.
fn clock() -> Signal<u64> {
    let now = RwSignal::new(browser::now_ms());
    if let Ok(ticking) = set_interval_with_handle(move || now.set(browser::now_ms()), TICK) {
        on_cleanup(move || ticking.clear());
    }
    now.into()
}

/// From the time that a block says to when it was seen here, in the middle of those shown. The first
/// one of a visit was made before it.
fn finality_ms(blocks: &[Block]) -> Option<u64> {
    let seen = blocks.split_last().map(|(_, rest)| rest).unwrap_or_default();
    let mut all: Vec<u64> =
        seen.iter().map(|block| block.heard_ms.saturating_sub(block.time_ms)).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

/// Whether times of blocks say nothing here: this device's clock is off.
fn is_clock_off(ledger: Ledger) -> bool {
    matches!(ledger.view.read().sight, Sight::ClockBehind | Sight::ClockAhead)
}

#[component]
fn Facts() -> impl IntoView {
    let ledger = Ledger::get();
    let view = ledger.view;
    let now = clock();
    let dash = || "\u{2013}".to_owned();
    let height = move || view.read().blocks.first().map_or_else(dash, |one| one.height.to_string());
    let age = move || {
        let time_ms = view.read().blocks.first().map(|one| one.time_ms);
        match time_ms {
            Some(_) if is_clock_off(ledger) => {
                "how long ago, this device\u{2019}s clock can\u{2019}t tell".to_owned()
            }
            Some(time_ms) => {
                let age_ms = now.get().saturating_sub(time_ms) / 1_000 * 1_000;
                format!("made {} ago", duration(age_ms.max(1_000)))
            }
            None => "none was seen yet".to_owned(),
        }
    };
    view! {
        <dl class="card facts-row">
            {fact("Newest block", Signal::derive(height), Signal::derive(age))}
            {fact(
                "Time to final",
                Signal::derive(move || {
                    let found = finality_ms(&view.read().blocks).filter(|_| !is_clock_off(ledger));
                    found.map_or_else(dash, duration)
                }),
                Signal::derive(|| "median, from proposed to checked here".to_owned()),
            )}
            {fact(
                "Validators seen",
                Signal::derive(move || view.read().proposers.len().to_string()),
                Signal::derive(|| "that proposed a block seen here".to_owned()),
            )}
            {fact(
                "Checked by this tab",
                Signal::derive(move || counted(view.read().certificates, "certificate", "certificates")),
                Signal::derive(move || {
                    let proofs = counted(view.read().proofs, "proof", "proofs");
                    format!("{proofs}, at most {} at a time", duration(whole(ledger.took_ms.get()).max(1)))
                }),
            )}
        </dl>
    }
}

/// How the balance is proved, for who wants to follow.
#[component]
fn Proof() -> impl IntoView {
    let ledger = Ledger::get();
    let steps = Memo::new(move |_| ledger.view.read().steps.clone());
    view! {
        <section class="card" aria-labelledby="proof-title">
            <div class="card-head">
                <h2 id="proof-title">"Your balance, proved"</h2>
                <ProofBadge />
            </div>
            <details class="steps">
                <summary>"Show me the proof"</summary>
                <ProofSteps steps />
                <p class="quiet" hidden=move || !steps.read().is_empty()>
                    "Nothing is proved yet."
                </p>
                <p class="quiet">
                    "Last, the signature is checked against the ledger\u{2019}s key below: two pairings on the curve. Every line above was computed here; one bit changed anywhere and none of this would hold."
                </p>
            </details>
        </section>
    }
}

#[component]
fn Blocks() -> impl IntoView {
    let ledger = Ledger::get();
    let blocks = Memo::new(move |_| ledger.view.read().blocks.clone());
    let now = clock();
    let row = move |block: Block| {
        let time_ms = block.time_ms;
        let age = move || {
            let is_known = !is_clock_off(ledger);
            let age_ms = now.get().saturating_sub(time_ms) / 1_000 * 1_000;
            is_known.then(|| duration(age_ms.max(1_000)))
        };
        view! {
            <li class="block">
                <span class="block-height num">{block.height}</span>
                <code class="mono" title=block.name.clone()>
                    {short_key(&block.name)}
                </code>
                <span class="who" title=format!("Proposed by validator {}", block.leader)>
                    <Avatar key=block.leader.clone() />
                </span>
                <span class="quiet num">{age}</span>
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="blocks-title">
            <h2 id="blocks-title">"Blocks"</h2>
            <p class="quiet" hidden=move || !blocks.read().is_empty()>
                "None was seen yet. An idle ledger makes one every ten seconds."
            </p>
            <ul class="blocks">
                {move || blocks.get().into_iter().map(row).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn Root() -> impl IntoView {
    let ledger = Ledger::get();
    let root = Signal::derive(move || ledger.view.read().root.clone());
    let how = move || {
        if ledger.view.read().pinned_by_link {
            "Pinned by the link that you opened. Everything is checked against it."
        } else {
            "Pinned at your first visit, from this host. Everything since is checked against it. Compare it with somebody you trust, or open their link."
        }
    };
    let succession = Memo::new(move |_| ledger.view.read().succession);
    let changed = move || {
        succession.get().map(|one| {
            let what = if one.count > 1 {
                format!("The validators changed {} times, last at block\u{a0}{} (proved).", one.count, one.height)
            } else {
                format!("The validators changed at block\u{a0}{} (proved).", one.height)
            };
            format!("{what} The root stays: those before named the key of the next in their last block, and are believed of no later one.")
        })
    };
    view! {
        <section class="card receive" aria-labelledby="root-title">
            <h2 id="root-title">"Trust root"</h2>
            <p class="quiet">{how}</p>
            <CopyText label="the trust root" text=root />
            <p class="quiet num" role="status" hidden=move || succession.read().is_none()>
                {changed}
            </p>
            <p class="quiet">
                "The ledger\u{2019}s name and the one key that its validators share. Whoever holds enough shares of that key can sign a block, and nobody else can."
            </p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finality_is_the_middle_of_what_was_seen_live() {
        let block = |height, took: u64| Block {
            height,
            name: String::new(),
            time_ms: 1_000,
            heard_ms: 1_000 + took,
            leader: String::new(),
            round: height,
        };
        assert_eq!(finality_ms(&[]), None);
        assert_eq!(finality_ms(&[block(1, 9_000)]), None, "made before the visit");
        let seen = [block(4, 30), block(3, 10), block(2, 20), block(1, 9_000)];
        assert_eq!(finality_ms(&seen), Some(20));
    }
}
