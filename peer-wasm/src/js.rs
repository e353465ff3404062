//! The façade for JavaScript: two classes with camel-case names.
//!
//! Plain objects in and out; errors are `Error`s with a stable `code`.

use core::{cell::RefCell, time::Duration};

use js_sys::{Array, Promise};
use peer::{Playhead, SegmentUrl, Track, TrackSegment};
use primitives::SegmentId;
use serde::Serialize;

use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

use web_sys::{AbortController, ReadableStreamDefaultReader};

use crate::{
    LimitOptions, Load, OpenOptions, Peer, StartOptions, Stream,
    fields::{Field, Mismatch},
    js_error::coded_error,
    number,
};

/// A running peer. See the Rust [`Peer`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct StarlingPeer {
    peer: RefCell<Option<Peer>>,
}

/// One open stream. See the Rust [`Stream`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct StarlingStream {
    stream: RefCell<Option<Stream>>,
    swarm: String,
}

impl From<Peer> for StarlingPeer {
    fn from(peer: Peer) -> Self {
        Self { peer: RefCell::new(Some(peer)) }
    }
}

#[wasm_bindgen]
impl StarlingPeer {
    /// Starts a peer: `{signalUrl?, relayOnly?, uploadLimit?, cacheBytes?, memoryBytes?}`.
    ///
    /// # Errors
    /// Options of the wrong type, or a browser without what every peer needs.
    pub async fn start(options: JsValue) -> Result<Self, JsValue> {
        let options = StartOptions::from_js(&options).map_err(bad_argument)?;
        Peer::start(options).await.map(Self::from).map_err(|error| error.to_js())
    }

    /// Opens a stream: `{playlistUrl, swarm?, integrity?, publisher?, site?, region?}`.
    ///
    /// # Errors
    /// Options that make no stream; the peer is closed.
    pub fn open(&self, options: &JsValue) -> Result<StarlingStream, JsValue> {
        let peer = self.running()?;
        let stream = peer.open(OpenOptions::from_js(options).map_err(bad_argument)?)?;
        let swarm = stream.swarm().to_string();
        Ok(StarlingStream { stream: RefCell::new(Some(stream)), swarm })
    }

    /// What is shown now, as a plain object.
    ///
    /// # Errors
    /// The peer is closed.
    pub fn view(&self) -> Result<JsValue, JsValue> {
        write(&self.running()?.view())
    }

    /// Sets limits: `{uploadLimit?, memoryBytes?}`.
    ///
    /// # Errors
    /// Options of the wrong type; the peer is closed.
    #[wasm_bindgen(js_name = setLimits)]
    pub fn set_limits(&self, limits: &JsValue) -> Result<(), JsValue> {
        let peer = self.running()?;
        peer.set_limits(LimitOptions::from_js(limits).map_err(bad_argument)?);
        Ok(())
    }

    /// Connects through relays only, or not.
    ///
    /// # Errors
    /// The peer is closed.
    #[wasm_bindgen(js_name = setRelayOnly)]
    pub fn set_relay_only(&self, relay_only: bool) -> Result<(), JsValue> {
        self.running()?.set_relay_only(relay_only);
        Ok(())
    }

    /// Sets how many bytes are kept across reloads.
    ///
    /// # Errors
    /// The peer is closed.
    #[wasm_bindgen(js_name = setCacheBytes)]
    pub fn set_cache_bytes(&self, bytes: f64) -> Result<(), JsValue> {
        self.running()?.set_cache_bytes(number::whole(bytes));
        Ok(())
    }

    /// What is kept across reloads: `{usedBytes, limitBytes, segments}`.
    ///
    /// # Errors
    /// The peer is closed.
    #[wasm_bindgen(js_name = cacheInfo)]
    pub async fn cache_info(&self) -> Result<JsValue, JsValue> {
        let peer = self.running()?;
        write(&peer.cache_info().await)
    }

    /// Forgets everything kept across reloads.
    ///
    /// # Errors
    /// The browser refused; the peer is closed.
    #[wasm_bindgen(js_name = clearCache)]
    pub async fn clear_cache(&self) -> Result<(), JsValue> {
        let peer = self.running()?;
        peer.clear_cache().await.map_err(|error| error.to_js())
    }

    /// Signs a report to who pays those who gave it bytes: an Ed25519 signature, by the key that `view().peer` tells.
    ///
    /// # Errors
    /// The peer is closed.
    pub fn attest(&self, said: &str) -> Result<Vec<u8>, JsValue> {
        Ok(self.running()?.attest(said).to_vec())
    }

    /// Leaves all swarms politely; what is held stays.
    ///
    /// # Errors
    /// The peer is closed.
    pub fn pause(&self) -> Result<(), JsValue> {
        self.running()?.pause();
        Ok(())
    }

    /// Joins again.
    ///
    /// # Errors
    /// The peer is closed.
    pub fn resume(&self) -> Result<(), JsValue> {
        self.running()?.resume();
        Ok(())
    }

    /// Ends this handle. The peer ends with its last handle and stream.
    pub fn close(&self) {
        self.peer.take();
    }

    fn running(&self) -> Result<Peer, JsValue> {
        self.peer.borrow().clone().ok_or_else(closed)
    }
}

#[wasm_bindgen]
extern "C" {
    /// A load under way, as `static/player/streamed.js` hands it over.
    #[derive(Debug)]
    pub type HandedLoad;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &HandedLoad) -> Vec<u8>;
    #[wasm_bindgen(method, getter)]
    fn size(this: &HandedLoad) -> Option<u32>;
    #[wasm_bindgen(method, getter, js_name = tookMs)]
    fn took_ms(this: &HandedLoad) -> f64;
    #[wasm_bindgen(method, getter)]
    fn reader(this: &HandedLoad) -> ReadableStreamDefaultReader;
    #[wasm_bindgen(method, getter)]
    fn controller(this: &HandedLoad) -> AbortController;

    /// One segment of a list.
    #[derive(Debug)]
    type SegmentEntry;
    #[wasm_bindgen(method, getter)]
    fn index(this: &SegmentEntry) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = startMs)]
    fn start_ms(this: &SegmentEntry) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = durationMs)]
    fn duration_ms(this: &SegmentEntry) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn url(this: &SegmentEntry) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = rangeFrom)]
    fn range_from(this: &SegmentEntry) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = rangeTo)]
    fn range_to(this: &SegmentEntry) -> JsValue;
}

/// Fractions of a millisecond are dropped.
fn read_segment(entry: &JsValue) -> Result<(TrackSegment, SegmentUrl), Mismatch> {
    fn read<T: Field>(value: &JsValue, name: &'static str) -> Result<T, Mismatch> {
        T::from_js(value).ok_or(Mismatch(name))
    }
    if !entry.is_object() {
        return Err(Mismatch("segment"));
    }
    let entry: &SegmentEntry = entry.unchecked_ref();
    let duration_ms = number::whole(read(&entry.duration_ms(), "durationMs")?);
    let segment = TrackSegment {
        index: read(&entry.index(), "index")?,
        start_ms: number::whole(read(&entry.start_ms(), "startMs")?),
        duration_ms: u32::try_from(duration_ms).unwrap_or(u32::MAX),
    };
    let from: Option<f64> = read(&entry.range_from(), "rangeFrom")?;
    let to: Option<f64> = read(&entry.range_to(), "rangeTo")?;
    let range = from.zip(to).map(|(from, to)| (number::whole(from), number::whole(to)));
    Ok((segment, SegmentUrl { url: read(&entry.url(), "url")?, range }))
}

#[wasm_bindgen]
impl StarlingStream {
    /// The swarm's id, in hexadecimal.
    #[wasm_bindgen(getter)]
    pub fn swarm(&self) -> String {
        self.swarm.clone()
    }

    /// The player's list of one track:
    /// `[{index, startMs, durationMs, url, rangeFrom?, rangeTo?}]`, `rangeTo` one past the last byte.
    ///
    /// # Errors
    /// A list of the wrong shape; the stream is closed.
    #[wasm_bindgen(js_name = setTrack)]
    pub fn set_track(&self, track: u16, live: bool, segments: &JsValue) -> Result<(), JsValue> {
        let list: Option<&Array> = segments.dyn_ref();
        let list = list.ok_or(Mismatch("array")).map_err(bad_argument)?;
        let (mut segments, mut urls) = (Vec::new(), Vec::new());
        for entry in list.iter() {
            let (segment, url) = read_segment(&entry).map_err(bad_argument)?;
            segments.push(segment);
            urls.push(url);
        }
        self.with(|stream| stream.set_track(Track { track, live, segments }, urls))
    }

    /// A segment, when it is here:
    /// `Promise<{data: ArrayBuffer, originBytes, peerBytes, cacheBytes, bytesPerS}>`.
    ///
    /// # Errors
    /// The stream is closed.
    pub fn load(&self, track: u16, index: u32) -> Result<Promise, JsValue> {
        self.with(|stream| stream.load(SegmentId::new(track, index)))
    }

    /// The player no longer waits for that segment.
    ///
    /// # Errors
    /// The stream is closed.
    pub fn abort(&self, track: u16, index: u32) -> Result<(), JsValue> {
        self.with(|stream| stream.abort(SegmentId::new(track, index)))
    }

    /// The player loads that segment by itself: the peer leaves it alone.
    ///
    /// # Errors
    /// The stream is closed.
    pub fn elsewhere(&self, track: u16, index: u32) -> Result<(), JsValue> {
        self.with(|stream| stream.elsewhere(SegmentId::new(track, index)))
    }

    /// What the player loaded by itself in `took_ms` milliseconds, all of the segment, to be shared and
    /// kept; without `data`: it gave up.
    ///
    /// # Errors
    /// The stream is closed.
    pub fn give(
        &self,
        track: u16,
        index: u32,
        data: Option<Vec<u8>>,
        took_ms: Option<f64>,
    ) -> Result<(), JsValue> {
        let took = Duration::from_millis(number::whole(took_ms.unwrap_or(0.0)));
        self.with(|stream| stream.give(SegmentId::new(track, index), data, took))
    }

    /// The player's own load of a segment is the peer's from now on: `{bytes, size?, tookMs, reader,
    /// controller}`. `bytes` of it are here, the rest of the answer (to a request without a range) is read
    /// from `reader`, and `controller` breaks it off. Call [`StarlingStream::load`] after it.
    ///
    /// # Errors
    /// The stream is closed.
    #[wasm_bindgen(js_name = handOver)]
    pub fn hand_over(&self, track: u16, index: u32, handed: &HandedLoad) -> Result<(), JsValue> {
        let took = Duration::from_millis(number::whole(handed.took_ms()));
        let load = Load {
            reader: handed.reader(),
            controller: handed.controller(),
            segment_bytes: handed.size(),
        };
        self.with(|stream| {
            stream.hand_over(SegmentId::new(track, index), load, handed.bytes(), took);
        })
    }

    /// Where the player is: on the timeline of [`StarlingStream::set_track`], `buffered_ms` the end
    /// of what is buffered from there without a gap.
    ///
    /// # Errors
    /// The stream is closed.
    pub fn playback(
        &self,
        track: u16,
        position_ms: f64,
        buffered_ms: f64,
        rate_percent: u16,
    ) -> Result<(), JsValue> {
        let (position_ms, buffered_ms) = (number::whole(position_ms), number::whole(buffered_ms));
        self.with(|stream| {
            stream.playback(Playhead { track, position_ms, buffered_ms, rate_percent });
        })
    }

    /// What is shown of this stream, as a plain object.
    ///
    /// # Errors
    /// The stream is closed.
    pub fn view(&self) -> Result<JsValue, JsValue> {
        write(&self.with(Stream::view)?)
    }

    /// Closes the stream.
    pub fn close(&self) {
        let closing = self.stream.take();
        drop(closing);
    }

    fn with<T>(&self, work: impl FnOnce(&Stream) -> T) -> Result<T, JsValue> {
        self.stream.borrow().as_ref().map(work).ok_or_else(closed)
    }
}

fn closed() -> JsValue {
    coded_error("closed", "it is closed", None)
}

fn bad_argument(Mismatch(name): Mismatch) -> JsValue {
    coded_error("bad-argument", &["expected another value as ", name].concat(), None)
}

fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(value)
        .map_err(|error| coded_error("bad-value", &error.to_string(), None))
}
