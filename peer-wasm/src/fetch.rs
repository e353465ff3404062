//! The origin: streamed fetches of segments, and small requests for manifests and digests.

mod window;

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::Uint8Array;
use peer::{
    FetchId, Input, RequestId,
    input::{HTTP_BODY_BYTES_MAX, HttpAnswer, HttpError},
};
use primitives::{SegmentId, SortedMap, SwarmId};

use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, AbortSignal, Headers, ReadableStreamDefaultReader, ReadableStreamReadResult,
    RequestCache, RequestCredentials, RequestInit, Response,
};

use crate::pump::Inbox;
pub(crate) use window::FileRange;
use window::{Coming, Window};

/// Longest wait for the whole answer to a small request, in milliseconds.
const REQUEST_MS_MAX: u32 = 20_000;

/// Names one origin fetch of this page.
type FetchKey = (SwarmId, FetchId);

/// Most loads that players hand over and the core has not answered for: it does so at once.
const OFFERED_MAX: usize = 4;

/// All running requests. Dropping it stops them.
#[derive(Debug)]
pub(crate) struct Fetches {
    inbox: Inbox,
    running: Running,
    offered: RefCell<SortedMap<(SwarmId, SegmentId), Load>>,
}

/// A load under way that a player hands over.
#[derive(Debug)]
pub struct Load {
    /// Gives the bytes still to come.
    pub reader: ReadableStreamDefaultReader,
    /// Breaks it off.
    pub controller: AbortController,
    /// Size of the whole segment, if the origin told it.
    pub segment_bytes: Option<u32>,
}

type Running = Rc<RefCell<SortedMap<FetchKey, Run>>>;

/// One running fetch.
#[derive(Debug)]
struct Run {
    stop: Stop,
    state: Rc<RunState>,
}

/// What a fetch's task and its owner share.
#[derive(Debug, Default)]
struct RunState {
    /// Nobody wants to hear of it any longer.
    is_silent: Cell<bool>,
    /// All its bytes are here, only the end is still to be read.
    is_drained: Cell<bool>,
}

/// Stops a request when dropped; that of a finished one does nothing.
#[derive(Debug)]
struct Stop(Option<AbortController>);

impl Stop {
    /// Lets the request run to its end.
    fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

impl Fetches {
    /// Nothing runs yet.
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self { inbox, running: Running::default(), offered: RefCell::default() }
    }

    /// Fetches part of a segment and tells bytes as they come.
    pub(crate) fn start(&self, key: FetchKey, url: String, range: FileRange, segment_at: u64) {
        let (swarm, fetch) = key;
        let Ok(controller) = AbortController::new() else {
            return self.inbox.push(Input::FetchFailed { swarm, fetch, status: 0 });
        };
        let signal = controller.signal();
        self.run(key, controller, async move |told| {
            stream(&url, range, segment_at, &signal, told).await
        });
    }

    /// Keeps a player's load until the core says which fetch it is.
    pub(crate) fn offer(&self, key: (SwarmId, SegmentId), load: Load) {
        let mut offered = self.offered.borrow_mut();
        if offered.len() >= OFFERED_MAX {
            offered.clear();
        }
        offered.insert(key, load);
    }

    /// A load that was offered is this fetch.
    pub(crate) fn adopt(&self, key: FetchKey, segment: SegmentId) {
        let (swarm, fetch) = key;
        let load = self.offered.borrow_mut().remove(&(swarm, segment));
        let Some(Load { reader, controller, .. }) = load else {
            return self.inbox.push(Input::FetchFailed { swarm, fetch, status: 0 });
        };
        let body = Body(reader);
        self.run(key, controller, async move |told| {
            while let Some(chunk) = body.next().await? {
                told(chunk.to_vec(), None, false);
            }
            Ok(())
        });
    }

    /// Runs a fetch that tells its bytes, and tells how it ends.
    fn run<W>(&self, key: FetchKey, controller: AbortController, work: W)
    where
        W: AsyncFnOnce(&dyn Fn(Vec<u8>, Option<u32>, bool)) -> Result<(), Refused> + 'static,
    {
        let (swarm, fetch) = key;
        let state = Rc::<RunState>::default();
        let run = Run { stop: Stop(Some(controller)), state: Rc::clone(&state) };
        self.running.borrow_mut().insert(key, run);
        let (inbox, running) = (self.inbox.clone(), Rc::clone(&self.running));
        spawn_local(async move {
            let told = |bytes, segment_bytes, is_drained| {
                state.is_drained.set(is_drained);
                if !state.is_silent.get() {
                    inbox.push(Input::Fetched { swarm, fetch, segment_bytes, bytes });
                }
            };
            let outcome = work(&told).await;
            if state.is_silent.get() {
                return;
            }
            // Taken out in a statement of its own: what is pushed next may start another fetch.
            let done = running.borrow_mut().remove(&key);
            drop(done);
            inbox.push(match outcome {
                Ok(()) => Input::FetchEnded { swarm, fetch },
                Err(Refused { status }) => Input::FetchFailed { swarm, fetch, status },
            });
        });
    }

    /// Stops a fetch; nothing more is told of it.
    ///
    /// The core has no more use for a fetch once it has the last byte. To break it off there would
    /// cost the connection, and the next fetch a handshake: its end is read instead.
    pub(crate) fn abort(&self, key: FetchKey) {
        let Some(run) = self.running.borrow_mut().remove(&key) else { return };
        run.state.is_silent.set(true);
        if run.state.is_drained.get() {
            run.stop.defuse();
        }
    }

    /// A small request, answered as a whole.
    pub(crate) fn request(&self, request: RequestId, url: String, head: bool, fresh: bool) {
        let inbox = self.inbox.clone();
        spawn_local(async move {
            let answer = whole(&url, head, fresh).await;
            inbox.push(Input::Http { request, answer });
        });
    }
}

impl Drop for Fetches {
    fn drop(&mut self) {
        self.running.borrow_mut().clear();
    }
}

/// The origin did not give what was asked: its status, or 0 when no answer came or it broke off.
#[derive(Debug, Clone, Copy)]
struct Refused {
    status: u16,
}

const UNREACHABLE: Refused = Refused { status: 0 };

async fn stream(
    url: &str,
    range: FileRange,
    segment_at: u64,
    signal: &AbortSignal,
    told: &dyn Fn(Vec<u8>, Option<u32>, bool),
) -> Result<(), Refused> {
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    if let Some(value) = window::range_header(range) {
        let headers = Headers::new().map_err(|_| UNREACHABLE)?;
        headers.set("range", &value).map_err(|_| UNREACHABLE)?;
        init.set_headers_headers(&headers);
    }
    let response = send(url, &init).await?;
    let header = |name| response.headers().get(name).ok().flatten();
    let coming = Coming {
        status: response.status(),
        content_range: header("content-range"),
        content_length: header("content-length"),
    };
    let mut window = Window::new(range, segment_at, &coming)
        .map_err(|window::Unusable| Refused { status: coming.status })?;
    let segment_bytes = window.segment_bytes();
    let Some(body) = Body::of(&response)? else { return Ok(()) };
    while !window.is_done() {
        let Some(chunk) = body.next().await? else { break };
        let (from, to) = window.take(chunk.length());
        if from < to {
            told(chunk.subarray(from, to).to_vec(), segment_bytes, window.is_drained());
        }
    }
    Ok(())
}

async fn send(url: &str, init: &RequestInit) -> Result<Response, Refused> {
    send_as(url, init, RequestCredentials::SameOrigin).await
}

async fn send_as(
    url: &str,
    init: &RequestInit,
    credentials: RequestCredentials,
) -> Result<Response, Refused> {
    let window = web_sys::window().ok_or(UNREACHABLE)?;
    init.set_credentials(credentials);
    let response = JsFuture::from(window.fetch_with_str_and_init(url, init)).await;
    Ok(response.map_err(|_| UNREACHABLE)?.unchecked_into())
}

/// Why a small answer did not come: its status, or 0 when none came or it was too long.
pub(crate) type Status = u16;

/// The body of an answer, if it is at most `bytes_max` long and comes within `ms_max`. Sends no cookies.
pub(crate) async fn bounded(url: &str, bytes_max: usize, ms_max: u32) -> Result<Vec<u8>, Status> {
    let controller = AbortController::new().map_err(|_| 0_u16)?;
    let init = RequestInit::new();
    init.set_signal(Some(&controller.signal()));
    let stop = Stop(Some(controller));
    let _deadline = Timeout::new(ms_max, move || drop(stop));
    let refused = |Refused { status }| status;
    let response = send_as(url, &init, RequestCredentials::Omit).await.map_err(refused)?;
    if !response.ok() {
        return Err(response.status());
    }
    let mut bytes = Vec::new();
    if let Some(body) = Body::of(&response).map_err(refused)? {
        while let Some(chunk) = body.next().await.map_err(refused)? {
            bytes.extend_from_slice(&chunk.to_vec());
            if bytes.len() > bytes_max {
                return Err(0);
            }
        }
    }
    Ok(bytes)
}

async fn whole(url: &str, head: bool, fresh: bool) -> Result<HttpAnswer, HttpError> {
    let controller = AbortController::new().map_err(|_| HttpError::Unreachable)?;
    let init = RequestInit::new();
    init.set_method(if head { "HEAD" } else { "GET" });
    if fresh {
        init.set_cache(RequestCache::NoCache);
    }
    init.set_signal(Some(&controller.signal()));
    let stop = Stop(Some(controller));
    let _deadline = Timeout::new(REQUEST_MS_MAX, move || drop(stop));
    let unreachable = |_| HttpError::Unreachable;
    let response = send(url, &init).await.map_err(unreachable)?;
    let mut answer = HttpAnswer {
        status: response.status(),
        repr_digest: response.headers().get("repr-digest").ok().flatten(),
        body: Vec::new(),
    };
    if let Some(body) = Body::of(&response).map_err(unreachable)? {
        while let Some(chunk) = body.next().await.map_err(unreachable)? {
            answer.body.extend_from_slice(&chunk.to_vec());
            if answer.body.len() > HTTP_BODY_BYTES_MAX {
                return Err(HttpError::TooLong);
            }
        }
    }
    Ok(answer)
}

/// The bytes of an answer as they come; what is not read is cancelled when dropped.
struct Body(ReadableStreamDefaultReader);

impl Body {
    fn of(response: &Response) -> Result<Option<Self>, Refused> {
        let Some(body) = response.body() else { return Ok(None) };
        let reader = ReadableStreamDefaultReader::new(&body).map_err(|_| UNREACHABLE)?;
        Ok(Some(Self(reader)))
    }

    async fn next(&self) -> Result<Option<Uint8Array>, Refused> {
        let read = JsFuture::from(self.0.read()).await.map_err(|_| UNREACHABLE)?;
        let read: ReadableStreamReadResult = read.unchecked_into();
        Ok((!read.get_done().unwrap_or(false)).then(|| read.get_value().unchecked_into()))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let cancelled = self.0.cancel();
        // Rejects when the request was aborted, which is no news to anyone.
        spawn_local(async move {
            let _ = JsFuture::from(cancelled).await;
        });
    }
}
