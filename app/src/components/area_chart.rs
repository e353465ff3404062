//! Traffic over the last minutes: what came in stacked above the line, what was passed on below it.
//!
//! Segments arrive in bursts, so each point is the mean of the seconds before it; the caption says so.
//! Shapes are SVG stretched to the box; words are HTML, so that they are never stretched.

use std::fmt::Write;

use leptos::prelude::*;
use peer_wasm::view::Second;

use crate::format::{self, float};
use crate::session::Session;

/// Seconds shown.
const SPAN_S: usize = 180;
/// Seconds each point is the mean of.
const SMOOTH_S: usize = 8;
/// The drawing's own units.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 200.0;

/// Outlines of the areas, and the scale they are drawn to.
#[derive(Debug, Clone, PartialEq, Default)]
struct Drawing {
    peers: String,
    cache: String,
    origin: String,
    upload: String,
    /// Height of the line that stands for nothing, in drawing units.
    zero: f64,
    /// Bytes per second at the top.
    top_bytes_per_s: u64,
    /// Bytes per second at the bottom, downwards.
    bottom_bytes_per_s: u64,
}

/// Means per second: from peers, cache, origin, and to peers.
type Point = [f64; 4];

/// The chart of the stream on screen.
#[component]
pub(crate) fn AreaChart() -> impl IntoView {
    let session = Session::get();
    let drawing = Memo::new(move |_| draw(&session.stream.read().history));
    let top = move || format::trimmed(&format::rate(drawing.read().top_bytes_per_s));
    let area = move |class, outline: fn(&Drawing) -> &String| {
        view! { <path class=class d=move || outline(&drawing.read()).clone() /> }
    };
    view! {
        <figure class="card chart">
            <figcaption class="card-head">
                <h2>
                    "Over time " <span class="aside">{format!("mean of {SMOOTH_S} s")}</span>
                </h2>
                <Legend />
            </figcaption>
            <div class="chart-box">
                <svg
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=move || describe(&session.stream.read().history)
                >
                    {area("area area--peers", |drawing| &drawing.peers)}
                    {area("area area--cache", |drawing| &drawing.cache)}
                    {area("area area--origin", |drawing| &drawing.origin)}
                    {area("area area--upload", |drawing| &drawing.upload)}
                    <line
                        class="chart-zero"
                        x1="0"
                        x2=WIDTH
                        y1=move || drawing.read().zero
                        y2=move || drawing.read().zero
                    />
                </svg>
                <span class="chart-y chart-y--top num">{top}</span>
                <span class="chart-y chart-y--bottom num">
                    {move || match drawing.read().bottom_bytes_per_s {
                        0 => String::new(),
                        bytes => format::trimmed(&format::rate(bytes)),
                    }}
                </span>
            </div>
            <div class="chart-x num" aria-hidden="true">
                <span>"3 min ago"</span>
                <span>"2"</span>
                <span>"1"</span>
                <span>"now"</span>
            </div>
        </figure>
    }
}

/// What the colours mean; the same everywhere on the page.
#[component]
fn Legend() -> impl IntoView {
    view! {
        <ul class="legend">
            <li class="key key--peers">"from viewers"</li>
            <li class="key key--cache">"kept here"</li>
            <li class="key key--origin">"from the site"</li>
            <li class="key key--upload">"to viewers"</li>
        </ul>
    }
}

/// The last whole seconds as smoothed points, oldest first.
fn points(history: &[Second]) -> Vec<Point> {
    let whole = history.split_last().map_or(history, |(_running, whole)| whole);
    let start = whole.len().saturating_sub(SPAN_S);
    (start..whole.len())
        .map(|at| {
            let window = whole.get((at + 1).saturating_sub(SMOOTH_S)..=at).unwrap_or_default();
            let mut sums = [0_u64; 4];
            for second in window {
                for (sum, bytes) in sums.iter_mut().zip(columns(second)) {
                    *sum += u64::from(bytes);
                }
            }
            sums.map(|sum| float(sum) / format::count(window.len().max(1)))
        })
        .collect()
}

const fn columns(second: &Second) -> [u32; 4] {
    [second.peer_bytes, second.cache_bytes, second.origin_bytes, second.upload_bytes]
}

fn draw(history: &[Second]) -> Drawing {
    let points = points(history);
    let highest = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let top = nice(highest(|[peers, cache, origin, _]| peers + cache + origin));
    let given = highest(|point| point[3]);
    let bottom = if given > 0.0 { nice(given) } else { 0.0 };
    let scale = HEIGHT / (top + bottom);
    let zero = top * scale;
    let outline = |from: fn(&Point) -> f64, to: fn(&Point) -> f64| {
        area(&points, |point| zero - from(point) * scale, |point| zero - to(point) * scale)
    };
    Drawing {
        peers: outline(|_| 0.0, |point| point[0]),
        cache: outline(|point| point[0], |point| point[0] + point[1]),
        origin: outline(|point| point[0] + point[1], |point| point[0] + point[1] + point[2]),
        upload: outline(|_| 0.0, |point| -point[3]),
        zero,
        top_bytes_per_s: format::whole(top),
        bottom_bytes_per_s: format::whole(bottom),
    }
}

/// The closed outline between two heights over all points; the newest point is at the right edge.
/// Empty where the two never differ, so that nothing leaves a hairline.
fn area(points: &[Point], from: impl Fn(&Point) -> f64, to: impl Fn(&Point) -> f64) -> String {
    if points.iter().all(|point| (from(point) - to(point)).abs() < 0.05) {
        return String::new();
    }
    let step = WIDTH / format::count(SPAN_S - 1);
    let x = |at: usize| WIDTH - format::count(points.len() - 1 - at) * step;
    let mut path = String::new();
    let along = points.iter().enumerate().map(|(at, point)| (x(at), to(point)));
    let back = points.iter().enumerate().rev().map(|(at, point)| (x(at), from(point)));
    for (place, (x, y)) in along.chain(back).enumerate() {
        let letter = if place == 0 { 'M' } else { 'L' };
        write!(path, "{letter}{x:.1} {y:.1}").expect("a String takes any text");
    }
    path.push('Z');
    path
}

/// A round number of bits at or above `bytes_per_s`, back in bytes: steps coarse enough that the
/// scale holds still while the traffic breathes.
fn nice(bytes_per_s: f64) -> f64 {
    const STEPS: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0];
    let mut unit = 125_000.0;
    while unit < 1e15 {
        if let Some(step) = STEPS.into_iter().find(|step| step * unit >= bytes_per_s) {
            return step * unit;
        }
        unit *= 10.0;
    }
    bytes_per_s
}

/// The chart in words.
fn describe(history: &[Second]) -> String {
    let Some(last) = points(history).last().copied() else {
        return "No traffic yet".to_owned();
    };
    let [peers, cache, origin, upload] = last.map(|bytes| format::rate(format::whole(bytes)));
    format!(
        "Traffic now: {peers} from viewers, {cache} from what is kept here, {origin} from the site, \
         {upload} to viewers"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(origin_bytes: u32, upload_bytes: u32) -> Second {
        Second { origin_bytes, upload_bytes, ..Second::default() }
    }

    #[test]
    fn no_history_draws_nothing_to_a_standing_scale() {
        let drawing = draw(&[]);
        assert_eq!(drawing.origin, "");
        assert_eq!(drawing.top_bytes_per_s, 125_000);
        assert!((drawing.zero - HEIGHT).abs() < 1e-9);
    }

    #[test]
    fn the_running_second_is_left_out() {
        assert_eq!(points(&[second(9, 0)]).len(), 0);
        assert_eq!(points(&[second(6, 0), second(1_000, 0)]), [[0.0, 0.0, 6.0, 0.0]]);
    }

    #[test]
    fn bursts_are_spread_over_the_window() {
        let mut history = vec![second(0, 0); SMOOTH_S];
        history[0] = second(800, 0);
        history.push(second(0, 0));
        let means: Vec<f64> = points(&history).iter().map(|point| point[2]).collect();
        assert_eq!(
            means,
            [800.0, 400.0, 800.0 / 3.0, 200.0, 160.0, 800.0 / 6.0, 800.0 / 7.0, 100.0]
        );
    }

    #[test]
    fn at_most_the_span_is_drawn() {
        assert_eq!(points(&vec![second(1, 1); 300]).len(), SPAN_S);
    }

    #[test]
    fn what_is_passed_on_gets_room_below_the_line() {
        let drawing = draw(&[second(125_000, 125_000), second(0, 0)]);
        assert!((drawing.zero - HEIGHT / 2.0).abs() < 1e-9);
        assert!(drawing.upload.contains("200.0"));
    }

    #[test]
    fn scales_are_round_and_high_enough() {
        for (bytes_per_s, expected) in [(0.0, 125_000), (125_001.0, 250_000), (700_000.0, 750_000)]
        {
            assert_eq!(format::whole(nice(bytes_per_s)), expected);
        }
    }
}
