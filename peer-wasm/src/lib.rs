//! The browser driver of a peer.
//!
//! The core ([`peer::Peer`]) decides; this crate feeds it what the browser tells and does what it
//! asks: WebRTC (`rtc`), the signaling WebSocket (`socket`), origin HTTP (`fetch`), IndexedDB (`idb`),
//! shares of files ([`files`]), clock and timer (`clock`), entropy (`entropy`), the page's own life (`page`). `pump` is the loop.
//!
//! Two façades over the same thing: [`Peer`] for Rust pages, [`StarlingPeer`] and [`StarlingStream`]
//! for JavaScript (`static/embed.js`).
//!
//! Laws: no protocol `if` in here; every callback only queues; every listener is taken back when its
//! owner is dropped; nothing grows without a named bound; no `JsValue` is an error beyond `js_error`.

mod buffers;
mod clock;
mod entropy;
mod fetch;
mod fields;
pub mod files;
mod idb;
mod js;
mod js_error;
mod listener;
mod number;
mod options;
mod page;
mod panic;
mod pump;
mod rtc;
mod socket;
#[cfg(test)]
mod test_sink;
mod waiters;

use core::{fmt, time::Duration};
use std::rc::Rc;

use gloo_timers::callback::Interval;
use js_sys::Promise;
use peer::{Input, Limits, PeerConfig, Playhead, SegmentUrl, Track};
use primitives::{SegmentId, Signature, SwarmId};

use wasm_bindgen::JsValue;

pub use fetch::Load;
pub use idb::CacheInfo;
pub use js::{StarlingPeer, StarlingStream};
pub use js_error::BrowserError;
pub use listener::Listener;
pub use options::{IntegrityOption, LimitOptions, OpenOptions, StartOptions, UploadLimit};
pub use peer::view;

use pump::Driver;
use view::View;

/// A running peer. A cheap handle: clones are the same peer, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Peer(Rc<Driver>);

/// Calls back at an interval until dropped.
#[must_use]
pub struct Subscription {
    _interval: Interval,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

impl Peer {
    /// Starts a peer with a fresh key. It contacts nobody before a stream is opened.
    ///
    /// # Errors
    /// A browser without clock or entropy, or a signaling URL that is none. A browser without WebRTC
    /// or IndexedDB is no error: the peer works without.
    #[expect(clippy::unused_async, reason = "callers await the start; what it takes may change")]
    pub async fn start(options: StartOptions) -> Result<Self, BrowserError> {
        panic::tell_the_page();
        let signal_url = page::socket_url(&options.signal_url)?;
        let mut limits = Limits {
            upload_bytes_per_s: options.upload_limit.resolve(page::is_metered()),
            ..Limits::default()
        };
        if let Some(memory_bytes) = options.memory_bytes {
            limits.memory_bytes = memory_bytes;
        }
        let config = PeerConfig { limits, relay_only: options.relay_only };
        Driver::start(signal_url, config, options.cache_bytes).map(Self)
    }

    /// What is shown now.
    pub fn view(&self) -> View {
        self.0.view()
    }

    /// Calls `on_view` with a fresh view every `every_ms` milliseconds (the browser may make it a
    /// second while the page is hidden) until the subscription is dropped.
    pub fn subscribe(
        &self,
        every_ms: u32,
        mut on_view: impl FnMut(View) + 'static,
    ) -> Subscription {
        let peer = self.clone();
        Subscription { _interval: Interval::new(every_ms, move || on_view(peer.view())) }
    }

    /// Sets limits; what is absent stays as it is.
    pub fn set_limits(&self, options: LimitOptions) {
        self.0.change_limits(|limits| {
            if let Some(upload) = options.upload_limit {
                limits.upload_bytes_per_s = upload.resolve(page::is_metered());
            }
            if let Some(memory_bytes) = options.memory_bytes {
                limits.memory_bytes = memory_bytes;
            }
        });
    }

    /// Connects through relays only, or not. Turning it on closes direct connections.
    pub fn set_relay_only(&self, relay_only: bool) {
        self.0.push(Input::RelayOnly(relay_only));
    }

    /// Sets how much is kept across reloads, and makes room for it; 0 keeps nothing.
    pub fn set_cache_bytes(&self, limit_bytes: u64) {
        self.0.store().set_limit(limit_bytes);
    }

    /// What is kept across reloads.
    pub async fn cache_info(&self) -> CacheInfo {
        let store = self.0.store().clone();
        store.info().await
    }

    /// Forgets everything kept across reloads.
    ///
    /// # Errors
    /// The browser refused the transaction.
    pub async fn clear_cache(&self) -> Result<(), BrowserError> {
        let store = self.0.store().clone();
        store.clear().await
    }

    /// Leaves all swarms politely; what is held stays.
    pub fn pause(&self) {
        self.0.push(Input::Pause);
    }

    /// Joins again.
    pub fn resume(&self) {
        self.0.push(Input::Resume);
    }

    /// Opens a stream. The same stream opened twice is one stream, closed when both are dropped.
    ///
    /// # Errors
    /// A code and text in a JavaScript `Error`: the URL or the publisher is none, or too many streams
    /// are open.
    pub fn open(&self, options: OpenOptions) -> Result<Stream, JsValue> {
        let playlist_url = page::absolute_url(&options.playlist_url).map_err(|e| e.to_js())?;
        let config = options
            .into_config(playlist_url)
            .map_err(|bad| js_error::coded_error(bad.code, bad.what, None))?;
        let swarm = config.swarm_id();
        if !self.0.open_stream(swarm, config) {
            return Err(js_error::coded_error(
                "too-many-streams",
                "too many streams are open",
                None,
            ));
        }
        Ok(Stream { driver: Rc::clone(&self.0), swarm })
    }

    /// Signs a report to who pays those who gave it bytes (`docs/spec/payments.md`, "Funds"). The signature holds for
    /// nothing else.
    pub fn attest(&self, said: &str) -> Signature {
        self.0.attest(said)
    }

    /// Its shares of files.
    pub fn files(&self) -> files::Files {
        files::Files::new(&self.0)
    }

    /// The same peer for JavaScript: set it as the `peer` property of a `<starling-player>`.
    pub fn handle(&self) -> JsValue {
        StarlingPeer::from(self.clone()).into()
    }
}

/// One open stream. Closed when dropped.
#[derive(Debug)]
pub struct Stream {
    driver: Rc<Driver>,
    swarm: SwarmId,
}

impl Stream {
    /// Its swarm.
    pub const fn swarm(&self) -> SwarmId {
        self.swarm
    }

    /// The player's list of one track.
    pub fn set_track(&self, track: Track, urls: Vec<SegmentUrl>) {
        self.driver.push(Input::Track { swarm: self.swarm, track, urls });
    }

    /// A segment the player needs now or soon: resolves to its bytes and where they came from, or
    /// rejects with an `Error` that has `code` and `status`.
    pub fn load(&self, segment: SegmentId) -> Promise {
        let promise = self.driver.waiters().wait((self.swarm, segment));
        self.driver.push(Input::Want(self.swarm, segment));
        promise
    }

    /// The player no longer waits for it: its promise rejects with the code `aborted`.
    pub fn abort(&self, segment: SegmentId) {
        let key = (self.swarm, segment);
        if self.driver.waiters().has(key) {
            self.driver.push(Input::Unwant(self.swarm, segment));
            self.driver.waiters().abort(key);
        }
    }

    /// The player loads this segment by itself.
    pub fn elsewhere(&self, segment: SegmentId) {
        self.driver.push(Input::Elsewhere(self.swarm, segment));
    }

    /// What the player loaded by itself in that time, to be shared and kept; `None`: it gave up.
    pub fn give(&self, segment: SegmentId, bytes: Option<Vec<u8>>, took: Duration) {
        self.driver.push(Input::Given { swarm: self.swarm, segment, bytes, took });
    }

    /// The player loads this segment by itself and hands that load over: `came` of it is here, the rest
    /// is read on from `reader`, and `controller` breaks it off. Not for a range of a file.
    pub fn hand_over(&self, segment: SegmentId, load: Load, came: Vec<u8>, took: Duration) {
        self.driver.hand_over((self.swarm, segment), load, came, took);
    }

    /// Where the player is.
    pub fn playback(&self, playhead: Playhead) {
        self.driver.push(Input::Playback(self.swarm, playhead));
    }

    /// What is shown of this stream.
    pub fn view(&self) -> view::StreamView {
        let swarm = self.swarm.to_string();
        let mut streams = self.driver.view().streams.into_iter();
        streams.find(|stream| stream.swarm == swarm).unwrap_or_default()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.driver.close_stream(self.swarm);
    }
}
