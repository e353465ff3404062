//! Other tariffs and ways of trading, announced a day ahead.

use leptos::prelude::*;
use wallet::energy::{Community, NOTICE_SLOTS, Rules, Tariff, Wish, slot_at, starts_ms};

use super::clock;
use super::desk::Desk;
use super::open::{Choice, Field, MODES, TRUSTS};
use super::words::{mode, mode_more, price, price_of, trust, typed};

/// Seconds from the press to the block: looking at it, signing, a block.
const WAY_S: u64 = 60;
/// Seconds of a slot of a clock that is not for trying out.
const SLOT_S: u64 = wallet::energy::SLOT_S;

/// The first slot that may still get other rules, if they are signed now: by a community's own clock, which
/// may be fast.
fn first_slot(shown_ms: u64, pace: u32) -> u64 {
    let way = (WAY_S * u64::from(pace)).div_ceil(SLOT_S);
    slot_at(shown_ms) + NOTICE_SLOTS + way
}

/// The card of an operator.
#[component]
pub(super) fn Announce() -> impl IntoView {
    let desk = Desk::get();
    // What was typed stays while blocks come; another community is another form.
    let first = Memo::new(move |before: Option<&Option<Community>>| {
        let now = desk.street.get();
        let before = before.cloned().flatten();
        match (before, now) {
            (Some(before), Some(now)) if before.id == now.id => Some(before),
            (_, now) => now,
        }
    });
    move || first.get().map(|community| view! { <Form community /> })
}

/// What was typed.
#[derive(Debug, Clone, Copy)]
struct Draft {
    retail: RwSignal<String>,
    feed_in: RwSignal<String>,
    grid_fee: RwSignal<String>,
    mode: RwSignal<usize>,
    trust: RwSignal<usize>,
    loss_ppm: u32,
}

impl Draft {
    fn of(rules: &Rules) -> Self {
        let text = |price: u64| RwSignal::new(typed(price));
        let at = |found: Option<usize>| RwSignal::new(found.unwrap_or_default());
        Self {
            retail: text(rules.tariff.retail),
            feed_in: text(rules.tariff.feed_in),
            grid_fee: text(rules.tariff.grid_fee),
            mode: at(MODES.iter().position(|one| *one == rules.mode)),
            trust: at(TRUSTS.iter().position(|one| *one == rules.trust_min)),
            loss_ppm: rules.loss_ppm,
        }
    }

    /// The rules; none: a price is none.
    fn read(self) -> Option<Rules> {
        let tariff = Tariff {
            retail: price_of(&self.retail.read())?,
            feed_in: price_of(&self.feed_in.read())?,
            grid_fee: price_of(&self.grid_fee.read())?,
        };
        let (mode, trust_min) = (*MODES.get(self.mode.get())?, *TRUSTS.get(self.trust.get())?);
        Some(Rules { mode, tariff, loss_ppm: self.loss_ppm, trust_min })
    }
}

#[component]
fn Form(community: Community) -> impl IntoView {
    let desk = Desk::get();
    let Community { id, asset, pace, rules, next, .. } = community;
    // What was announced last is what one goes on from.
    let draft = Draft::of(&next.map_or(rules, |(_, rules)| rules));
    let from_slot = move || {
        let now_ms = desk.now_ms()?;
        Some(first_slot(wallet::energy::shown_ms(&desk.book.read(), id, now_ms), pace))
    };
    let is_same = move || {
        let holds = desk.street.read();
        let holds = holds.as_ref().map(|one| one.next.map_or(one.rules, |(_, rules)| rules));
        draft.read() == holds
    };
    let begin = move |_| {
        let (Some(rules), Some(from)) = (untrack(|| draft.read()), untrack(from_slot)) else {
            return;
        };
        let lines = vec![
            ("From", clock::moment(starts_ms(from))),
            ("From the grid", price(rules.tariff.retail, &asset)),
            ("To the grid", price(rules.tariff.feed_in, &asset)),
            ("Fee between neighbours", price(rules.tariff.grid_fee, &asset)),
            ("Neighbours trade by", mode(rules.mode).to_owned()),
            ("Meters that may trade, at least", trust(rules.trust_min).to_owned()),
        ];
        desk.begin(
            "Announce rules",
            lines,
            "Everybody sees them at once, and a day is theirs to leave or to set other limits. They take the place of what was announced for later.",
            Wish::Rules(from, rules),
        );
    };
    let options = |words: [&'static str; 3]| {
        let option = |(at, one): (usize, &'static str)| {
            view! { <option value=at.to_string()>{one}</option> }
        };
        words.into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="announce-title" id="announce">
            <h2 id="announce-title">"Other rules"</h2>
            <div class="pair pair--form">
                <Field id="next-retail" name="Grid asks, per kWh" value=draft.retail />
                <Field id="next-feed-in" name="Grid pays, per kWh" value=draft.feed_in />
                <Field id="next-grid-fee" name="Fee between neighbours, per kWh" value=draft.grid_fee />
                <Choice id="next-mode" name="Neighbours trade by" value=draft.mode>
                    {options(MODES.map(mode))}
                </Choice>
                <Choice id="next-trust" name="Meters that may trade, at least" value=draft.trust>
                    {options(TRUSTS.map(trust))}
                </Choice>
            </div>
            <p class="quiet">
                {move || MODES.get(draft.mode.get()).copied().map(mode_more)}
            </p>
            <p class="quiet num">
                {move || from_slot().map(|from| format!("They hold from {} at the earliest; until then the present ones do.", clock::moment(starts_ms(from))))}
            </p>
            <button
                class="button"
                type="button"
                data-do="announce"
                disabled=move || draft.read().is_none() || is_same()
                on:click=begin
            >
                "Announce these"
            </button>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_begin_a_day_and_the_way_to_a_block_later_by_the_communitys_clock() {
        let at = |slot: u64| starts_ms(slot) + 1;
        assert_eq!(first_slot(at(1_000), 1), 1_000 + 96 + 1);
        assert_eq!(first_slot(at(1_000), 900), 1_000 + 96 + 60);
    }
}
