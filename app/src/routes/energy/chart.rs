//! Slots of a day as bars: what was taken above the line, what was given below it, each by neighbours
//! and grid; and the price between neighbours against the grid's.
//!
//! Shapes are SVG stretched to the box; words are HTML, so that they are never stretched.

use std::fmt::Write as _;

use leptos::prelude::*;
use wallet::energy::{Flow, Shown, State};

use crate::format::{count, float};

use super::clock;
use super::desk::Desk;
use super::words::{energy, price};

/// The drawing's own units.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 200.0;
const PRICE_HEIGHT: f64 = 70.0;
/// Share of a slot's width that its bar has.
const BAR: f64 = 0.8;
/// Wh at the top that a day without energy is drawn to.
const TOP_MIN_WH: u64 = 100;

/// Bars of one kind, as one path each.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Bars {
    /// From neighbours, and to them.
    local: String,
    /// From the grid, and to it.
    grid: String,
    /// Read, and not settled: by whom it is not known yet.
    waiting: String,
    /// Slots that one of my meters did not read.
    missing: String,
    /// Where nothing is, in the drawing.
    zero: f64,
    top_wh: u64,
    bottom_wh: u64,
}

/// The chart of the day.
#[component]
pub(super) fn DayChart() -> impl IntoView {
    let desk = Desk::get();
    let length = move || desk.span.get().map_or(96, |span| span.to - span.from);
    let first = move || desk.span.get().map_or(0, |span| span.from);
    let bars = Memo::new(move |_| {
        let day = desk.day.read();
        let slots = day.as_ref().map(|day| day.slots.as_slice()).unwrap_or_default();
        draw(slots, first(), length())
    });
    let path = move |class, outline: fn(&Bars) -> &String| {
        view! { <path class=class d=move || outline(&bars.read()).clone() /> }
    };
    let chosen = move || {
        desk.slot.get().map(|slot| bar(slot.saturating_sub(first()), length(), 0.0, HEIGHT))
    };
    view! {
        <figure class="chart">
            <ul class="legend">
                <li class="key key--peers">"with neighbours"</li>
                <li class="key key--origin">"with the grid"</li>
                <li class="key key--cache">"read, not settled yet"</li>
                <li class="key key--gone">"reading missing"</li>
            </ul>
            <div class="chart-box">
                <svg
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=move || describe(desk)
                >
                    <path class="slot-chosen" d=chosen />
                    {path("area area--peers", |bars| &bars.local)}
                    {path("area area--origin", |bars| &bars.grid)}
                    {path("area area--cache", |bars| &bars.waiting)}
                    {path("slot-missing", |bars| &bars.missing)}
                    <line
                        class="chart-zero"
                        x1="0"
                        x2=WIDTH
                        y1=move || bars.read().zero
                        y2=move || bars.read().zero
                    />
                </svg>
                <span class="chart-y chart-y--top num">
                    {move || format!("{} taken", energy(bars.read().top_wh))}
                </span>
                <span class="chart-y chart-y--bottom num">
                    {move || match bars.read().bottom_wh {
                        0 => String::new(),
                        wh => format!("{} given", energy(wh)),
                    }}
                </span>
            </div>
            <Hours />
        </figure>
    }
}

/// What the hours below a chart are.
#[component]
fn Hours() -> impl IntoView {
    view! {
        <div class="chart-x num" aria-hidden="true">
            <span>"0:00"</span>
            <span>"6:00"</span>
            <span>"12:00"</span>
            <span>"18:00"</span>
            <span>"24:00"</span>
        </div>
    }
}

/// A bar from one height to another, as a path.
fn bar(at: u64, length: u64, y: f64, height: f64) -> String {
    let width = WIDTH / float(length.max(1));
    let x = float(at) * width + width * (1.0 - BAR) / 2.0;
    format!("M{x:.1} {y:.1}h{:.1}v{height:.1}h-{:.1}z", width * BAR, width * BAR)
}

/// Bars of a day's slots.
fn draw(slots: &[Shown], first: u64, length: u64) -> Bars {
    let flows = || slots.iter().filter_map(|shown| shown.mine);
    let top_wh = flows().map(|flow| flow.import_wh).max().unwrap_or_default();
    let bottom_wh = flows().map(|flow| flow.export_wh).max().unwrap_or_default();
    let top = top_wh.max(if bottom_wh == 0 { TOP_MIN_WH } else { 0 });
    let scale = HEIGHT / float((top + bottom_wh).max(1));
    let zero = float(top) * scale;
    let mut bars = Bars { zero, top_wh, bottom_wh, ..Bars::default() };
    for shown in slots {
        let at = shown.slot.saturating_sub(first);
        if shown.missing > 0 {
            bars.missing.push_str(&bar(at, length, zero - 3.0, 6.0));
        }
        let Some(flow) = shown.mine else { continue };
        let mut stack = |outline: fn(&mut Bars) -> &mut String, from_wh: u64, wh: u64, up: bool| {
            if wh > 0 {
                let height = float(wh) * scale;
                let from = float(from_wh) * scale;
                let y = if up { zero - from - height } else { zero + from };
                outline(&mut bars).push_str(&bar(at, length, y, height));
            }
        };
        let Flow { import_wh, export_wh, local_import_wh, local_export_wh, .. } = flow;
        if matches!(shown.state, State::Settled(_)) {
            stack(|bars| &mut bars.local, 0, local_import_wh, true);
            stack(
                |bars| &mut bars.grid,
                local_import_wh,
                import_wh - local_import_wh.min(import_wh),
                true,
            );
            stack(|bars| &mut bars.local, 0, local_export_wh, false);
            stack(
                |bars| &mut bars.grid,
                local_export_wh,
                export_wh - local_export_wh.min(export_wh),
                false,
            );
        } else {
            stack(|bars| &mut bars.waiting, 0, import_wh, true);
            stack(|bars| &mut bars.waiting, 0, export_wh, false);
        }
    }
    bars
}

fn describe(desk: Desk) -> String {
    let day = desk.day.read();
    let Some(day) = day.as_ref() else { return "Nothing is proved yet".to_owned() };
    let all = wallet::energy::sum(&day.slots);
    format!(
        "Taken {}, of it {} from neighbours; given {}, of it {} to neighbours. The table below has every slot.",
        energy(all.import_wh),
        energy(all.local_import_wh),
        energy(all.export_wh),
        energy(all.local_export_wh)
    )
}

/// The price between neighbours, against the grid's.
#[component]
pub(super) fn PriceChart() -> impl IntoView {
    let desk = Desk::get();
    let drawn = Memo::new(move |_| {
        let (day, span) = (desk.day.read(), desk.span.get());
        let slots = day.as_ref().map(|day| day.slots.as_slice()).unwrap_or_default();
        let (first, length) = span.map_or((0, 96), |span| (span.from, span.to - span.from));
        lines(slots, first, length)
    });
    let path = move |class, which: usize| {
        view! {
            <path class=class d=move || drawn.read().get(which).cloned().unwrap_or_default() />
        }
    };
    let words = move || {
        let community = desk.community.read();
        let Some(community) = community.as_ref() else { return String::new() };
        let tariff = community.rules.tariff;
        let day = desk.day.read();
        let slots = day.as_ref().map(|day| day.slots.as_slice()).unwrap_or_default();
        let prices: Vec<u64> = slots.iter().filter_map(price_of).collect();
        let mean =
            prices.iter().map(|price| float(*price)).sum::<f64>() / count(prices.len().max(1));
        let mean = match prices.len() {
            0 => "nobody traded yet".to_owned(),
            _ => format!(
                "mean {} between neighbours, before the fee",
                price(crate::format::whole(mean), &community.asset)
            ),
        };
        format!(
            "Grid {}, feed-in {}; {mean}",
            price(tariff.retail, &community.asset),
            price(tariff.feed_in, &community.asset)
        )
    };
    view! {
        <figure class="chart chart--price">
            <div class="chart-box chart-box--low">
                <svg
                    viewBox=format!("0 -2 {WIDTH} {}", PRICE_HEIGHT + 4.0)
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=words
                >
                    {path("price-line price-line--retail", 0)}
                    {path("price-line price-line--feed-in", 1)}
                    {path("area area--peers", 2)}
                </svg>
            </div>
            <figcaption class="quiet num">{words}</figcaption>
        </figure>
    }
}

/// The price of a slot in which neighbours traded.
fn price_of(shown: &Shown) -> Option<u64> {
    match shown.state {
        State::Settled(summary) if summary.price > 0 => Some(summary.price),
        _ => None,
    }
}

/// What the grid asks, what it gives, and what neighbours paid.
fn lines(slots: &[Shown], first: u64, length: u64) -> [String; 3] {
    let top = slots.iter().map(|shown| shown.rules.tariff.retail).max().unwrap_or(1).max(1);
    let y = |price: u64| PRICE_HEIGHT * (1.0 - float(price.min(top)) / float(top));
    let width = WIDTH / float(length.max(1));
    let [mut retail, mut feed_in, mut traded] = [String::new(), String::new(), String::new()];
    for shown in slots {
        let at = shown.slot.saturating_sub(first);
        let x = float(at) * width;
        for (line, price) in
            [(&mut retail, shown.rules.tariff.retail), (&mut feed_in, shown.rules.tariff.feed_in)]
        {
            write!(line, "M{x:.1} {:.1}h{width:.1}", y(price)).expect("a String takes any text");
        }
        if let Some(price) = price_of(shown) {
            traded.push_str(&bar(at, length, y(price) - 1.5, 3.0));
        }
    }
    [retail, feed_in, traded]
}

/// What the day is called.
pub(super) fn day_name(desk: Desk) -> String {
    let from_ms = desk.span.get().map(|span| wallet::energy::starts_ms(span.from));
    let date = from_ms.map(clock::date).unwrap_or_default();
    match desk.days_ago.get() {
        0 => format!("Today, {date}"),
        1 => format!("Yesterday, {date}"),
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use wallet::energy::{Mode, Rules, Summary, Tariff, Trust};

    use super::*;

    fn shown(slot: u64, state: State, mine: Flow, missing: usize) -> Shown {
        let tariff = Tariff { retail: 300_000, feed_in: 100_000, grid_fee: 0 };
        let rules =
            Rules { mode: Mode::Sharing, tariff, loss_ppm: 0, trust_min: Trust::SelfReported };
        Shown { slot, state, rules, readings: 1, revised: 0, mine: Some(mine), missing }
    }

    #[test]
    fn bars_are_stacked_from_the_line_and_fill_the_drawing() {
        let settled = State::Settled(Summary { price: 200_000, ..Summary::default() });
        let taken = Flow { import_wh: 300, local_import_wh: 100, ..Flow::default() };
        let given = Flow { export_wh: 100, ..Flow::default() };
        let slots = [shown(10, settled, taken, 0), shown(11, State::Due, given, 1)];
        let bars = draw(&slots, 10, 2);
        assert_eq!((bars.zero, bars.top_wh, bars.bottom_wh), (150.0, 300, 100));
        assert_eq!(bars.local, "M30.0 100.0h240.0v50.0h-240.0z");
        assert_eq!(bars.grid, "M30.0 0.0h240.0v100.0h-240.0z");
        assert_eq!(bars.waiting, "M330.0 150.0h240.0v50.0h-240.0z");
        assert_eq!(bars.missing, "M330.0 147.0h240.0v6.0h-240.0z");
        let [retail, _, traded] = lines(&slots, 10, 2);
        assert_eq!(retail, "M0.0 0.0h300.0M300.0 0.0h300.0");
        assert_eq!(traded.matches('M').count(), 1, "only where neighbours traded");
    }

    #[test]
    fn a_day_without_energy_has_a_line_at_the_bottom() {
        let bars = draw(&[], 0, 96);
        assert_eq!((bars.zero, bars.local.as_str()), (HEIGHT, ""));
    }
}
