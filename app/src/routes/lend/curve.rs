//! What borrowing costs by how much is lent out, with the point where the reserve is now.

use std::fmt::Write as _;

use leptos::prelude::*;
use wallet::lending::{self, Place, Point, Reserve};

use crate::format::float;

use super::desk::Desk;
use super::words::percent;

/// The drawing's own units.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 110.0;
const MILLION: f64 = 1_000_000.0;
/// Rate at the top that flat curves are drawn to: 1 %.
const TOP_MIN_PPM: u64 = 10_000;

/// The curve of a reserve.
#[component]
pub(super) fn Curve(
    /// Which.
    place: Place,
    /// As it is now.
    now: Signal<Option<Reserve>>,
) -> impl IntoView {
    let desk = Desk::get();
    // The curve is one of a reserve's rules, which are fixed.
    let points = Memo::new(move |_| lending::curve(&desk.book.read(), place));
    let at =
        Signal::derive(move || now.get().map_or((0, 0), |now| (now.used_ppm, now.borrow_rate_ppm)));
    let words = Signal::derive(move || {
        let words = now.get().map(|now| {
            format!(
                "{} is lent out; borrowing costs {} a year before interest on interest",
                percent(now.used_ppm),
                percent(now.borrow_rate_ppm)
            )
        });
        words.unwrap_or_default()
    });
    view! { <Drawn points=points.into() at words /> }
}

/// A curve, whoever has it.
#[component]
pub(super) fn Drawn(
    /// Rates over the share that is lent out.
    points: Signal<Vec<Point>>,
    /// The share and the rate that are marked.
    at: Signal<(u64, u64)>,
    /// That in words.
    words: Signal<String>,
) -> impl IntoView {
    let top = move || top_ppm(&points.read());
    let spot = move || {
        let (used, rate) = at.get();
        spot(used, rate, top())
    };
    view! {
        <figure class="curve">
            <svg
                viewBox=format!("-4 -4 {} {}", WIDTH + 8.0, HEIGHT + 8.0)
                role="img"
                aria-label=move || words.get()
            >
                <path class="curve-line curve-line--supply" d=move || line(&points.read(), top(), |one| one.supply_ppm) />
                <path class="curve-line" d=move || line(&points.read(), top(), |one| one.borrow_ppm) />
                <line class="chart-zero" x1="0" x2=WIDTH y1=HEIGHT y2=HEIGHT />
                <line class="curve-drop" x1=move || spot().0 x2=move || spot().0 y1=HEIGHT y2=move || spot().1 />
                <circle class="curve-spot" r="4" cx=move || spot().0 cy=move || spot().1 />
            </svg>
            <figcaption class="quiet num">
                <span class="key key--borrow">"borrowing"</span>
                <span class="key key--supply">"supplying"</span>
                <span>{move || format!("up to {}", percent(top()))}</span>
                <span>"0 to 100\u{a0}% lent out"</span>
            </figcaption>
        </figure>
    }
}

fn top_ppm(points: &[Point]) -> u64 {
    points.iter().map(|point| point.borrow_ppm).max().unwrap_or_default().max(TOP_MIN_PPM)
}

/// Where a share and a rate are in the drawing.
fn spot(used_ppm: u64, rate_ppm: u64, top_ppm: u64) -> (f64, f64) {
    let x = WIDTH * float(used_ppm.min(1_000_000)) / MILLION;
    let y = HEIGHT * (1.0 - float(rate_ppm.min(top_ppm)) / float(top_ppm.max(1)));
    (x, y)
}

fn line(points: &[Point], top_ppm: u64, rate: fn(&Point) -> u64) -> String {
    let mut path = String::new();
    for (place, point) in points.iter().enumerate() {
        let (x, y) = spot(point.used_ppm, rate(point), top_ppm);
        let letter = if place == 0 { 'M' } else { 'L' };
        write!(path, "{letter}{x:.1} {y:.1}").expect("a String takes any text");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spot_lies_on_the_line_and_in_the_drawing() {
        let points = [
            Point { used_ppm: 0, borrow_ppm: 0, supply_ppm: 0 },
            Point { used_ppm: 500_000, borrow_ppm: 20_000, supply_ppm: 9_000 },
            Point { used_ppm: 1_000_000, borrow_ppm: 40_000, supply_ppm: 36_000 },
        ];
        let top = top_ppm(&points);
        assert_eq!(line(&points, top, |one| one.borrow_ppm), "M0.0 110.0L150.0 55.0L300.0 0.0");
        assert_eq!(spot(500_000, 20_000, top), (150.0, 55.0));
        assert_eq!(spot(2_000_000, 90_000, top), (WIDTH, 0.0));
    }
}
