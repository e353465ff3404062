//! What was bid and offered in a slot: both curves, and where they cross.

use std::fmt::Write as _;

use leptos::prelude::*;
use wallet::energy::{self, Asset, Step};

use crate::format::float;

use super::desk::Desk;
use super::words::{energy as wh, price};

/// The drawing's own units.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 140.0;

/// The curves of a slot.
#[component]
pub(super) fn DepthChart(id: u32, at: u64) -> impl IntoView {
    let desk = Desk::get();
    let depth = Memo::new(move |_| energy::depth(&desk.book.read(), id, at));
    move || {
        let (depth, community) = (depth.get()?, desk.street.get()?);
        let words = match depth.cross {
            Some((volume_wh, cleared)) => format!(
                "Bids and offers cross at {} and {}",
                wh(volume_wh),
                price(cleared, &community.asset)
            ),
            None => "Bids and offers do not cross: nobody traded".to_owned(),
        };
        let (bids, offers, cross) = (depth.bids, depth.offers, depth.cross);
        Some(view! { <Curves bids offers cross words id="depth" /> })
    }
}

/// Orders that wait on a book: what is nearest on both sides, in words.
pub(super) fn nearest(bids: &[Step], offers: &[Step], asset: &Asset) -> String {
    let best = |steps: &[Step]| steps.first().map(|step| price(step.price, asset));
    match (best(bids), best(offers)) {
        (None, None) => "Nobody bids or offers yet".to_owned(),
        (Some(bid), None) => format!("Best bid {bid}, less the fee; nobody offers"),
        (None, Some(offer)) => format!("Best offer {offer}; nobody bids"),
        (Some(bid), Some(offer)) => format!("Best bid {bid}, less the fee; best offer {offer}"),
    }
}

/// Both curves.
#[component]
pub(super) fn Curves(
    bids: Vec<Step>,
    offers: Vec<Step>,
    /// Where they cross: Wh and price.
    cross: Option<(u64, u64)>,
    /// What they say, for who does not see them, too.
    words: String,
    id: &'static str,
) -> impl IntoView {
    let (wh_max, price_max) = extent(&bids, &offers);
    let cross = cross.map(|(volume_wh, cleared)| {
        let (x, y) = spot(volume_wh, cleared, wh_max, price_max);
        view! {
            <line class="curve-drop" x1=x x2=x y1=HEIGHT y2=y />
            <line class="curve-drop" x1="0" x2=x y1=y y2=y />
            <circle class="curve-spot" r="4" cx=x cy=y />
        }
    });
    view! {
        <figure class="curve" id=id>
            <svg
                viewBox=format!("-4 -4 {} {}", WIDTH + 8.0, HEIGHT + 8.0)
                role="img"
                aria-label=words.clone()
            >
                <path class="curve-line" d=line(&bids, wh_max, price_max) />
                <path class="curve-line curve-line--supply" d=line(&offers, wh_max, price_max) />
                <line class="chart-zero" x1="0" x2=WIDTH y1=HEIGHT y2=HEIGHT />
                {cross}
            </svg>
            <figcaption class="quiet num">
                <span class="key key--borrow">"bids, less the fee"</span>
                <span class="key key--supply">"offers"</span>
                <span>{words}</span>
                <span>{format!("0 to {}", wh(wh_max))}</span>
            </figcaption>
        </figure>
    }
}

/// Most Wh and dearest price of both.
fn extent(bids: &[Step], offers: &[Step]) -> (u64, u64) {
    let steps = || bids.iter().chain(offers);
    let wh_max = steps().map(|step| step.to_wh).max().unwrap_or_default();
    let price_max = steps().map(|step| step.price).max().unwrap_or_default();
    (wh_max.max(1), price_max.max(1))
}

fn spot(wh: u64, price: u64, wh_max: u64, price_max: u64) -> (f64, f64) {
    let x = WIDTH * float(wh) / float(wh_max);
    (x, HEIGHT * (1.0 - float(price) / float(price_max)))
}

fn line(steps: &[Step], wh_max: u64, price_max: u64) -> String {
    let mut path = String::new();
    for step in steps {
        let (x, y) = spot(step.from_wh, step.price, wh_max, price_max);
        let (end, _) = spot(step.to_wh, step.price, wh_max, price_max);
        let letter = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{letter}{x:.1} {y:.1}H{end:.1}").expect("a String takes any text");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_steps_from_price_to_price() {
        let steps = [
            Step { from_wh: 0, to_wh: 50, price: 100 },
            Step { from_wh: 50, to_wh: 100, price: 200 },
        ];
        assert_eq!(line(&steps, 100, 200), "M0.0 70.0H150.0L150.0 0.0H300.0");
        assert_eq!(line(&[], 1, 1), "");
    }
}
