//! Who sends me what, now: me in the middle, the site above, other viewers around.
//!
//! A dotted line moves the way the bytes go; its dots are as thick as the rate is high. Where
//! motion is unwanted the dots stand still and the words say the same.

use leptos::prelude::*;
use peer_wasm::view::{LinkState, PeerView, Second};

use crate::components::avatar::hue;
use crate::components::logo::BIRD;
use crate::format::{self, count, float, short_key};
use crate::session::Session;

/// The drawing's own units.
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 330.0;
/// Me.
const CENTRE: Spot = Spot { x: 190.0, y: 172.0 };
/// The site.
const ORIGIN: Spot = Spot { x: 190.0, y: 34.0 };
/// How far out the others stand.
const RADIUS: Spot = Spot { x: 132.0, y: 112.0 };
/// Most peers drawn; more are counted in words.
const PEERS_MAX: usize = 12;
/// Most peers with their rate in words; beyond, words would lie on each other.
const WORDY_PEERS_MAX: usize = 6;
/// Seconds the origin's rate is the mean of.
const RATE_S: usize = 4;

/// A place in the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    x: f64,
    y: f64,
}

impl Spot {
    fn translate(self) -> String {
        format!("translate({:.1} {:.1})", self.x, self.y)
    }

    /// A gently bent line to `to`, shifted sideways so that two directions do not lie on each other.
    fn line_to(self, to: Self, shift: f64) -> String {
        let (dx, dy) = (to.x - self.x, to.y - self.y);
        let length = dx.hypot(dy).max(1.0);
        let (nx, ny) = (-dy / length, dx / length);
        let bend = length * 0.1 + shift * 2.0;
        let (cx, cy) = ((self.x + to.x) / 2.0 + nx * bend, (self.y + to.y) / 2.0 + ny * bend);
        let at = |spot: Self| format!("{:.1} {:.1}", spot.x + nx * shift, spot.y + ny * shift);
        format!("M{}Q{cx:.1} {cy:.1} {}", at(self), at(to))
    }
}

/// The picture with its caption.
#[component]
pub(crate) fn SwarmGraph() -> impl IntoView {
    let session = Session::get();
    let peers = Memo::new(move |_| {
        let mut peers = session.stream.read().peers.clone();
        // By key, so that nobody jumps about as rates change.
        peers.sort_by(|one, other| one.peer.cmp(&other.peer));
        peers
    });
    let origin_rate = Memo::new(move |_| origin_bytes_per_s(&session.stream.read().history));
    let drawn = move || {
        let peers = peers.read();
        let shown = peers.len().min(PEERS_MAX);
        let spots = (0..shown).map(|place| spot(place, shown));
        let wordy = shown <= WORDY_PEERS_MAX;
        peers.iter().zip(spots).map(|(peer, at)| neighbour(peer, at, wordy)).collect_view()
    };
    view! {
        <figure class="card graph">
            <figcaption class="card-head">
                <h2>"Right now"</h2>
                <p class="quiet num">{move || beyond(peers.read().len())}</p>
            </figcaption>
            <svg
                viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                role="img"
                aria-label=move || describe(&peers.read(), origin_rate.get())
            >
                {flow("flow flow--origin", move || ORIGIN.line_to(CENTRE, 0.0), move || origin_rate.get())}
                {drawn}
                <g transform=ORIGIN.translate()>
                    <rect class="node node--origin" x="-17" y="-17" width="34" height="34" rx="9" />
                    <path
                        class="node-glyph"
                        d="M0-8a8 8 0 1 0 0 16A8 8 0 0 0 0-8ZM-8 0H8M0-8c-5 5-5 11 0 16 5-5 5-11 0-16Z"
                    />
                    <text class="node-name" x="26" y="-2">
                        "The site"
                    </text>
                    <text class="node-rate num" x="26" y="13">
                        {move || rate_or_idle(origin_rate.get())}
                    </text>
                </g>
                <g transform=CENTRE.translate()>
                    <circle class="node node--me" r="25" />
                    <path class="node-bird" d=BIRD transform="rotate(-30) scale(1.35)" />
                </g>
            </svg>
            <p class="graph-empty quiet" hidden=move || !peers.read().is_empty()>
                "No other viewers yet. Send someone the link."
            </p>
        </figure>
    }
}

fn neighbour(peer: &PeerView, at: Spot, wordy: bool) -> impl IntoView + use<> {
    let open = peer.state == LinkState::Open;
    let (received, sent) = (peer.receive_bytes_per_s, peer.send_bytes_per_s);
    let ring = format!("{:.1} 100", f64::from(peer.has_percent.min(100)));
    let rate = (wordy && received > 0).then(|| format::rate(received));
    let label = label(at, wordy, rate.is_some());
    let name = match (open, wordy) {
        (false, true) => "connecting".to_owned(),
        (false, false) => "…".to_owned(),
        (true, true) => short_key(&peer.peer),
        (true, false) => peer.peer.get(..4).unwrap_or_default().to_owned(),
    };
    view! {
        <g class="peer" class:peer--connecting=!open>
            {flow("flow flow--in", move || at.line_to(CENTRE, 2.5), move || received)}
            {flow("flow flow--out", move || CENTRE.line_to(at, 2.5), move || sent)}
            <g transform=at.translate()>
                <circle class="node-ring" r="16.5" />
                <circle
                    class="node-held"
                    r="16.5"
                    pathLength="100"
                    stroke-dasharray=ring
                    transform="rotate(-90)"
                />
                <circle class="node node--peer" r="12.5" style:--hue=hue(&peer.peer).to_string() />
                <text class="node-name num" text-anchor=label.anchor x=label.x y=label.name_y>
                    {name}
                </text>
                <text class="node-rate num" text-anchor=label.anchor x=label.x y=label.rate_y>
                    {rate}
                </text>
            </g>
        </g>
    }
}

/// Where a neighbour's words stand, from its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Label {
    anchor: &'static str,
    x: f64,
    name_y: f64,
    rate_y: f64,
}

/// Above or below while there is room for it; outwards where neighbours stand close.
fn label(at: Spot, wordy: bool, two_lines: bool) -> Label {
    let below = at.y > CENTRE.y + 40.0;
    let beside = !wordy && (at.x - CENTRE.x).abs() > RADIUS.x * 0.45;
    if beside && at.x > CENTRE.x {
        return Label { anchor: "start", x: 22.0, name_y: 4.0, rate_y: 4.0 };
    }
    if beside {
        return Label { anchor: "end", x: -22.0, name_y: 4.0, rate_y: 4.0 };
    }
    let (name_y, rate_y) = match (below, two_lines) {
        (true, _) => (31.0, 45.0),
        (false, true) => (-38.0, -24.0),
        (false, false) => (-24.0, -24.0),
    };
    Label { anchor: "middle", x: 0.0, name_y, rate_y }
}

/// A line of moving dots; thinner than a hair and still, where nothing flows.
fn flow(
    class: &'static str,
    path: impl Fn() -> String + Clone + Send + Sync + 'static,
    bytes_per_s: impl Fn() -> u64 + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let rate = bytes_per_s.clone();
    let path_again = path.clone();
    view! {
        <path class="wire" d=path />
        <path
            class=class
            class:flow--still=move || rate() == 0
            d=path_again
            stroke-width=move || format!("{:.1}", thickness(bytes_per_s()))
        />
    }
}

/// Line width for a rate: grows with its root, 2 at a trickle, 8 at 16 Mbit/s and more.
fn thickness(bytes_per_s: u64) -> f64 {
    if bytes_per_s == 0 {
        return 0.0;
    }
    (float(bytes_per_s) / 2_000_000.0).sqrt().clamp(0.0, 1.0).mul_add(6.0, 2.0)
}

/// Where the neighbour at `place` of `total` stands: evenly around, leaving the top to the site.
fn spot(place: usize, total: usize) -> Spot {
    const OPENING_RADIANS: f64 = 1.5;
    let sweep = std::f64::consts::TAU - OPENING_RADIANS;
    let turn = sweep * (count(place) + 0.5) / count(total.max(1));
    let angle = -std::f64::consts::FRAC_PI_2 + OPENING_RADIANS / 2.0 + turn;
    Spot { x: RADIUS.x.mul_add(angle.cos(), CENTRE.x), y: RADIUS.y.mul_add(angle.sin(), CENTRE.y) }
}

fn origin_bytes_per_s(history: &[Second]) -> u64 {
    let whole = history.split_last().map_or(history, |(_running, whole)| whole);
    let recent = whole.get(whole.len().saturating_sub(RATE_S)..).unwrap_or_default();
    let sum: u64 = recent.iter().map(|second| u64::from(second.origin_bytes)).sum();
    sum / u64::try_from(recent.len().max(1)).unwrap_or(1)
}

fn rate_or_idle(bytes_per_s: u64) -> String {
    if bytes_per_s == 0 { "resting".to_owned() } else { format::rate(bytes_per_s) }
}

fn beyond(peers: usize) -> String {
    match peers.saturating_sub(PEERS_MAX) {
        0 => String::new(),
        more => format!("and {more} more"),
    }
}

/// The picture in words.
fn describe(peers: &[PeerView], origin_bytes_per_s: u64) -> String {
    let site = rate_or_idle(origin_bytes_per_s);
    let open = peers.iter().filter(|peer| peer.state == LinkState::Open);
    let each: Vec<String> = open
        .map(|peer| {
            format!(
                "viewer {} sends {} and gets {}",
                short_key(&peer.peer),
                format::rate(peer.receive_bytes_per_s),
                format::rate(peer.send_bytes_per_s),
            )
        })
        .collect();
    if each.is_empty() {
        return format!("The site: {site}. No other viewers connected.");
    }
    format!("The site: {site}; {}.", each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_stands_inside_the_drawing_and_apart_from_the_site() {
        for total in 1..=PEERS_MAX {
            for place in 0..total {
                let at = spot(place, total);
                assert!((40.0..WIDTH - 40.0).contains(&at.x), "{total} {at:?}");
                assert!((40.0..HEIGHT - 34.0).contains(&at.y), "{total} {at:?}");
                assert!((at.x - ORIGIN.x).hypot(at.y - ORIGIN.y) > 70.0, "{total} {at:?}");
            }
        }
    }

    #[test]
    fn one_neighbour_stands_straight_below() {
        let at = spot(0, 1);
        assert!((at.x - CENTRE.x).abs() < 1e-6 && at.y > CENTRE.y);
    }

    #[test]
    fn thickness_grows_with_the_rate_and_ends() {
        assert!(thickness(0).abs() < 1e-9);
        assert!(thickness(1_000) >= 2.0);
        assert!(thickness(100_000) < thickness(400_000));
        assert!((thickness(u64::MAX) - 8.0).abs() < 1e-9);
    }

    #[test]
    fn the_origins_rate_is_of_whole_seconds() {
        let second = |origin_bytes| Second { origin_bytes, ..Second::default() };
        assert_eq!(origin_bytes_per_s(&[]), 0);
        assert_eq!(origin_bytes_per_s(&[second(100), second(9_999)]), 100);
        let history: Vec<Second> = [9, 4, 4, 4, 4, 9_999].map(second).to_vec();
        assert_eq!(origin_bytes_per_s(&history), 4);
    }
}
