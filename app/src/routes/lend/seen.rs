//! At which blocks a group of numbers is proved.

use leptos::prelude::*;
use wallet::lending::Seen;
use wallet::view::Sight;

use crate::components::proof_badge::{Badge, CHECKED, FORKED, FORKED_MORE};

use super::desk::Desk;

/// The newest block seen, and the ledger's time now.
#[derive(Debug, Clone, Copy)]
struct Now {
    height: u64,
    time_ms: u64,
}

/// How good a group of numbers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The ledger has two histories.
    Forked,
    /// They are not proved.
    Unproved,
    /// They are proved, and this device's clock is off.
    ClockOff,
    /// They are proved at the newest block, and that is old.
    Still,
    /// They are old; newer blocks were seen, but no proofs from there.
    Behind,
    /// They are proved and new.
    Good,
}

impl State {
    fn of(sight: Sight, seen: Option<Seen>, now: Option<Now>) -> Self {
        match (sight, seen, now) {
            (Sight::Forked, ..) => Self::Forked,
            (_, None, _) => Self::Unproved,
            (Sight::ClockBehind | Sight::ClockAhead, ..) => Self::ClockOff,
            (Sight::Fresh, Some(seen), Some(now)) if !seen.is_old(now.time_ms) => Self::Good,
            (_, Some(seen), Some(now)) if seen.from_height < now.height => Self::Behind,
            _ => Self::Still,
        }
    }

    /// What the badge means.
    fn more(self) -> String {
        let told = match self {
            Self::Forked => FORKED_MORE,
            Self::Unproved => {
                "Records that these numbers come from were not proved yet, or are of another version. Nothing is shown on a server\u{2019}s word."
            }
            Self::ClockOff => {
                "It was so, and is proved. This device\u{2019}s clock is off, so how new that is can\u{2019}t be told by it. The Wallet page says by how much."
            }
            Self::Still => {
                "It was so, and is proved. No new block was seen since: the ledger stands still, or every server asked keeps newer blocks back."
            }
            Self::Behind => {
                "It was so, and is proved. Newer blocks were seen since, but no proof of these numbers came from there: the servers asked are slow, or keep it back."
            }
            Self::Good => {
                return format!(
                    "{CHECKED}, and proofs from there to every record these numbers come from. Interest since that block is added by the ledger\u{2019}s own rules."
                );
            }
        };
        told.to_owned()
    }

    fn words(self, seen: Option<Seen>) -> String {
        match (self, seen) {
            (Self::Forked, _) => FORKED.to_owned(),
            (Self::Unproved, _) | (_, None) => "Not proved".to_owned(),
            (Self::ClockOff, Some(seen)) => {
                format!("Proved at {}, but the clock is off", blocks(seen))
            }
            (Self::Still | Self::Behind, Some(seen)) => {
                format!("Proved, but old: {}", blocks(seen))
            }
            (Self::Good, Some(seen)) => format!("Proved at {}", blocks(seen)),
        }
    }
}

/// What is said of a group of numbers: whether they are proved and new, that in words, and what it means.
/// `now`: the newest block seen, and the ledger's time.
pub(in crate::routes) fn told(
    sight: Sight,
    seen: Option<Seen>,
    now: Option<(u64, u64)>,
) -> (bool, String, String) {
    let now = now.map(|(height, time_ms)| Now { height, time_ms });
    let state = State::of(sight, seen, now);
    (state == State::Good, state.words(seen), state.more())
}

/// The badge of a group of numbers; opens to say what it means.
#[component]
pub(super) fn SeenBadge(
    /// When they were so; none: they are not proved.
    seen: Signal<Option<Seen>>,
) -> impl IntoView {
    let desk = Desk::get();
    let state = Memo::new(move |_| {
        let time_ms = desk.now_ms();
        let view = desk.ledger.view.read();
        let newest = view.blocks.first().map(|block| block.height);
        let now = newest.zip(time_ms).map(|(height, time_ms)| Now { height, time_ms });
        State::of(view.sight, seen.get(), now)
    });
    let good = Signal::derive(move || state.get() == State::Good);
    let words = Signal::derive(move || state.get().words(seen.get()));
    let more = Signal::derive(move || state.get().more());
    view! { <Badge good words more /> }
}

fn blocks(seen: Seen) -> String {
    if seen.from_height == seen.to_height {
        format!("block {}", seen.to_height)
    } else {
        format!("blocks {} to {}", seen.from_height, seen.to_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_were_not_proved_anew_have_no_shield_though_blocks_are_new() {
        let seen = Some(Seen { from_height: 7, to_height: 9, from_ms: 1_000 });
        let of = |sight, height, time_ms| State::of(sight, seen, Some(Now { height, time_ms }));
        assert_eq!(of(Sight::Fresh, 9, 31_000), State::Good);
        assert_eq!(of(Sight::Fresh, 9, 31_001), State::Behind);
        assert_eq!(of(Sight::Fresh, 7, 31_001), State::Still);
        assert_eq!(of(Sight::Stale, 7, 2_000), State::Still);
        assert_eq!(of(Sight::ClockAhead, 9, 2_000), State::ClockOff);
        assert_eq!(of(Sight::Forked, 9, 2_000), State::Forked);
        assert_eq!(State::of(Sight::Fresh, None, None), State::Unproved);
        assert_eq!(State::Behind.words(seen), "Proved, but old: blocks 7 to 9");
    }
}
