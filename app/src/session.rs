//! The one place that owns the peer.
//!
//! Everything shown is derived from [`Session::view`] and [`Session::player`]; everything a person
//! does to the peer goes through a method here. The peer starts with the page; where it cannot, the
//! player still plays by plain HTTP and the reason is one of the [`Session::problems`].

use js_sys::Reflect;
use leptos::prelude::*;
use leptos::task::spawn_local;
use peer_wasm::view::{Problem, SignalingState, StreamView, View};
use peer_wasm::{LimitOptions, Peer, StartOptions, Subscription, UploadLimit};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::browser;
use crate::components::header;
use crate::settings::{Settings, Theme};
use crate::sharing::Sharing;

/// How often the view is made anew.
const VIEW_EVERY_MS: u32 = 500;

/// The demo, as this host serves it.
const DEMO_PATH: &str = "/media/master.m3u8";

/// Handle to everything the pages share. Copied freely; lives as long as the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    /// The peer, as shown.
    pub(crate) view: RwSignal<View>,
    /// The stream on screen.
    pub(crate) stream: Memo<StreamView>,
    /// What the player last said of itself.
    pub(crate) player: RwSignal<PlayerReport>,
    /// What the person chose.
    pub(crate) settings: RwSignal<Settings>,
    /// The playlist on screen, absolute.
    pub(crate) source: Memo<Option<String>>,
    /// The fund that the link to it names: who pays those who pass it on.
    pub(crate) fund: Memo<Option<String>>,
    /// What the player tells of that; none: nothing, since no fund is named or the person did not choose to earn.
    pub(crate) funded: Memo<Option<Funded>>,
    /// What is wrong, with remedies: the peer's, and that there is none. The player tells its own.
    pub(crate) problems: Memo<Vec<Problem>>,
    /// Shares of files.
    pub(crate) sharing: Sharing,
    stage: RwSignal<Stage>,
    metered: RwSignal<bool>,
    running: StoredValue<Option<Running>, LocalStorage>,
}

/// How far the peer is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Starting.
    Starting,
    /// There.
    Running,
    /// It cannot reach others, or there is none, and why.
    Without(String),
}

/// What must live as long as the peer.
struct Running {
    peer: Peer,
    _subscription: Subscription,
}

/// What the player says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PlayerReport {
    /// `starling`, `hls`, `native` or `idle`.
    pub(crate) mode: String,
    /// Click to first frame.
    pub(crate) startup_ms: Option<u64>,
    /// Times playback stood still.
    pub(crate) stalls: u64,
    /// How far behind the live edge, in seconds; live streams only.
    pub(crate) latency_s: Option<f64>,
    /// Media bytes from the origin, with those that the player loaded by itself.
    pub(crate) http_bytes: u64,
    /// Something keeps it from playing; it says itself what.
    pub(crate) failed: bool,
    /// The sound is off.
    pub(crate) muted: bool,
    /// What the fund says was earned, where one is told of it.
    pub(crate) earned: Option<Earned>,
}

/// Who is told what came from whom, and whom that pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Funded {
    /// The fund, by its address.
    pub(crate) url: String,
    /// The account to pay; none: the wallet is not open here, or not yet.
    pub(crate) account: Option<String>,
}

/// What a fund says of this account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Earned {
    /// Units.
    pub(crate) units: u64,
    /// Of these, paid into the account.
    pub(crate) paid: u64,
    /// `starting`, `on`, `off` or `unreachable`.
    pub(crate) state: String,
    /// The ledger on which it pays, and its pool there; none: it did not answer yet.
    pub(crate) pool: Option<(String, u64)>,
}

impl Session {
    /// Makes the session, starts the peer, and puts it into the context.
    pub(crate) fn provide(source: Memo<Option<String>>, fund: Memo<Option<String>>) -> Self {
        let view = RwSignal::new(View::default());
        let player = RwSignal::new(PlayerReport::default());
        let stage = RwSignal::new(Stage::Starting);
        let settings = RwSignal::new(Settings::load(browser::kept));
        let sharing = Sharing::new();
        let funded = Memo::new(move |_| {
            let url = fund.get().filter(|_| settings.read().earn)?;
            Some(Funded { url, account: sharing.ledger.account() })
        });
        let session = Self {
            view,
            player,
            source,
            stage,
            stream: Memo::new(move |_| {
                let shown = on_screen(&view.read(), source.read().as_deref());
                with_players_own(shown, &player.read())
            }),
            problems: Memo::new(move |_| problems(&view.read(), &stage.read())),
            settings,
            metered: RwSignal::new(browser::is_metered()),
            sharing,
            fund,
            funded,
            running: StoredValue::new_local(None),
        };
        provide_context(session);
        session.watch_connection();
        session.watch_others();
        spawn_local(session.start());
        session
    }

    /// The session of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The absolute address of this host's demo.
    pub(crate) fn demo_url() -> String {
        format!("{}{DEMO_PATH}", browser::origin())
    }

    /// The watch page of what is on screen.
    pub(crate) fn watch_path(self) -> String {
        header::watch_path(self.source.get().as_deref(), self.fund.get().as_deref())
    }

    /// Whether the player can be made: the peer is there, or will not come.
    pub(crate) fn is_settled(self) -> bool {
        *self.stage.read() != Stage::Starting
    }

    /// The peer for the player's `peer` property.
    pub(crate) fn handle(self) -> Option<JsValue> {
        self.running.with_value(|running| running.as_ref().map(|running| running.peer.handle()))
    }

    /// The connection is metered, and nothing is passed on because of it.
    pub(crate) fn holds_back(self) -> bool {
        self.metered.get() && !self.settings.read().upload_metered
    }

    /// What this viewer has is passed on to others.
    pub(crate) fn gives(self) -> bool {
        self.settings.read().upload_limit(self.metered.get()) != Some(0)
    }

    /// State of the signaling connection.
    pub(crate) fn signaling(self) -> SignalingState {
        self.view.read().signaling.state
    }

    /// Changes what was chosen, keeps it, and tells the peer.
    pub(crate) fn choose(self, change: impl FnOnce(&mut Settings)) {
        let before = self.settings.get_untracked();
        self.settings.update(change);
        self.settings.get_untracked().save(&before, browser::keep);
        self.apply();
    }

    /// Light to dark and back, from what is on screen now.
    pub(crate) fn toggle_theme(self, dark_now: bool) {
        self.choose(|settings| settings.theme = if dark_now { Theme::Light } else { Theme::Dark });
    }

    /// Bytes and segments kept between visits; `None` where that cannot be told.
    pub(crate) async fn cache(self) -> Option<Cache> {
        let peer = self.peer()?;
        let info = peer.cache_info().await;
        Some(Cache {
            used_bytes: info.used_bytes,
            limit_bytes: info.limit_bytes,
            segments: u64::from(info.segments),
        })
    }

    /// Throws away what is kept between visits.
    pub(crate) async fn clear_cache(self) {
        if let Some(peer) = self.peer() {
            // A store that cannot be cleared shows as still full, which is the truth.
            drop(peer.clear_cache().await);
        }
    }

    /// Takes the player's report from its `stats` object.
    pub(crate) fn report(self, stats: &JsValue, muted: bool) {
        let report = PlayerReport::read(stats, muted);
        if *self.player.read_untracked() != report {
            self.player.set(report);
        }
    }

    async fn start(self) {
        let settings = self.settings.get_untracked();
        let options = StartOptions {
            signal_url: browser::signal_url(),
            relay_only: settings.relay_only,
            upload_limit: limit(settings.upload_limit(self.metered.get_untracked())),
            cache_bytes: Some(settings.cache_bytes),
            ..StartOptions::default()
        };
        match Peer::start(options).await {
            Ok(peer) => {
                let _subscription = peer.subscribe(VIEW_EVERY_MS, move |view| {
                    if *self.view.read_untracked() != view {
                        self.view.set(view);
                    }
                });
                self.running.set_value(Some(Running { peer: peer.clone(), _subscription }));
                let stage = if browser::has_webrtc() {
                    Stage::Running
                } else {
                    Stage::Without("it has no WebRTC, or forbids it".to_owned())
                };
                self.stage.set(stage);
                self.apply();
                self.sharing.peer_is(peer);
            }
            Err(error) => self.stage.set(Stage::Without(error.to_string())),
        }
    }

    fn apply(self) {
        let settings = self.settings.get_untracked();
        let metered = self.metered.get_untracked();
        browser::use_theme(settings.theme.as_text());
        if let Some(peer) = self.peer() {
            peer.set_limits(LimitOptions {
                upload_limit: Some(limit(settings.upload_limit(metered))),
                ..LimitOptions::default()
            });
            self.sharing.set_upload_limit(settings.upload_limit(metered));
            peer.set_relay_only(settings.relay_only);
            peer.set_cache_bytes(settings.cache_bytes);
        }
    }

    fn peer(self) -> Option<Peer> {
        self.running.with_value(|running| running.as_ref().map(|running| running.peer.clone()))
    }

    /// Follows what another tab chooses; what may be paid in an hour, [`crate::paying`] tells the wallet.
    fn watch_others(self) {
        // The tab that pays, or tells a fund, is perhaps not the one in which it is chosen.
        window_event_listener(leptos::ev::storage, move |_| {
            let chosen = Settings::load(browser::kept);
            if *self.settings.read_untracked() != chosen {
                self.settings.set(chosen);
                self.apply();
            }
        });
    }

    /// Follows the connection from cable to mobile and back.
    fn watch_connection(self) {
        let Some(connection) = browser::connection() else { return };
        let changed = Closure::<dyn Fn()>::new(move || {
            self.metered.set(browser::is_metered());
            self.apply();
        });
        let listened =
            connection.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
        if listened.is_ok() {
            // Held by the root owner: the listener lives as long as the page.
            StoredValue::new_local(changed);
        }
    }
}

/// What is kept between visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cache {
    /// Bytes in use.
    pub(crate) used_bytes: u64,
    /// Bytes allowed.
    pub(crate) limit_bytes: u64,
    /// Segments held.
    pub(crate) segments: u64,
}

impl PlayerReport {
    fn read(stats: &JsValue, muted: bool) -> Self {
        let field = |name: &str| Reflect::get(stats, &name.into()).unwrap_or_default();
        let number = |name: &str| field(name).as_f64().filter(|number| number.is_finite());
        Self {
            mode: field("mode").as_string().unwrap_or_default(),
            startup_ms: number("startupMs").map(crate::format::whole),
            stalls: number("stalls").map_or(0, crate::format::whole),
            latency_s: number("latencyS"),
            http_bytes: number("httpBytes").map_or(0, crate::format::whole),
            failed: field("error").is_object(),
            muted,
            earned: Earned::read(&field("earned")),
        }
    }
}

impl Earned {
    /// As `static/fund/reports.js` tells it; none: there is no fund.
    fn read(told: &JsValue) -> Option<Self> {
        let field = |name: &str| Reflect::get(told, &name.into()).unwrap_or_default();
        let number = |name: &str| field(name).as_f64().map(crate::format::whole);
        told.is_object().then(|| Self {
            units: number("units").unwrap_or_default(),
            paid: number("paid").unwrap_or_default(),
            state: field("state").as_string().unwrap_or_default(),
            pool: field("chain").as_string().zip(number("pool")),
        })
    }
}

/// The limit as the peer takes it; whether the connection is metered is weighed already.
fn limit(bytes_per_s: Option<u64>) -> UploadLimit {
    bytes_per_s.map_or(UploadLimit::Unlimited, UploadLimit::BytesPerS)
}

/// The stream that plays `source`, or else the only one there is.
fn on_screen(view: &View, source: Option<&str>) -> StreamView {
    let plays = |stream: &&StreamView| Some(stream.playlist_url.as_str()) == source;
    view.streams.iter().find(plays).or(view.streams.last()).cloned().unwrap_or_default()
}

/// The stream with what its player fetched before the peer took over: the first segment of all.
fn with_players_own(mut stream: StreamView, player: &PlayerReport) -> StreamView {
    if player.mode == "starling" {
        stream.totals.origin_bytes = stream.totals.origin_bytes.max(player.http_bytes);
    }
    stream
}

/// Everything wrong now, one of a kind.
fn problems(view: &View, stage: &Stage) -> Vec<Problem> {
    let mut all = Vec::new();
    if let Stage::Without(why) = stage {
        all.push(Problem {
            code: "no-peer".to_owned(),
            what: format!("sharing with other viewers is off in this browser: {why}"),
            remedy:
                "The video plays from the site alone. A current browser outside strict privacy \
                     modes can share."
                    .to_owned(),
        });
    }
    if view.signaling.state == SignalingState::Reconnecting
        && !view.problems.iter().any(|problem| problem.code == "signaling-unreachable")
    {
        all.push(Problem {
            code: "signaling-unreachable".to_owned(),
            what: "the signaling server can't be reached".to_owned(),
            remedy: "The video plays on, and new viewers are found as soon as it is back. Nothing \
                     needs doing."
                .to_owned(),
        });
    }
    all.extend(view.problems.iter().cloned());
    let mut seen = Vec::new();
    all.retain(|problem| {
        let new = !seen.contains(&problem.code);
        seen.push(problem.code.clone());
        new
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn playing(url: &str) -> StreamView {
        StreamView { playlist_url: url.to_owned(), ..StreamView::default() }
    }

    #[test]
    fn the_stream_on_screen_is_the_one_of_the_source() {
        let view = View { streams: vec![playing("a"), playing("b")], ..View::default() };
        assert_eq!(on_screen(&view, Some("a")).playlist_url, "a");
        assert_eq!(on_screen(&view, Some("c")).playlist_url, "b");
        assert_eq!(on_screen(&View::default(), Some("a")), StreamView::default());
    }

    #[test]
    fn what_the_player_loaded_by_itself_came_from_the_site() {
        let player = |mode: &str| PlayerReport {
            mode: mode.to_owned(),
            http_bytes: 700,
            ..PlayerReport::default()
        };
        let shown = |mode| with_players_own(playing("a"), &player(mode)).totals.origin_bytes;
        assert_eq!((shown("starling"), shown("hls")), (700, 0));
    }

    #[test]
    fn each_problem_is_told_once() {
        let problem = |code: &str| Problem {
            code: code.to_owned(),
            what: "what".to_owned(),
            remedy: String::new(),
        };
        let view = View {
            problems: vec![problem("peer-lied"), problem("origin-refused"), problem("peer-lied")],
            ..View::default()
        };
        let all = problems(&view, &Stage::Without("no WebRTC".to_owned()));
        let codes: Vec<_> = all.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!(codes, ["no-peer", "peer-lied", "origin-refused"]);
    }
}
