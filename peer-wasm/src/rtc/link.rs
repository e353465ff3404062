//! One connection: an `RTCPeerConnection` with a `control` and a `payload` channel.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{ArrayBuffer, Promise};
use peer::{Channel, Input, LinkId};

use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Event, MessageEvent, RtcConfiguration, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState,
    RtcDataChannelType, RtcIceCandidateInit, RtcOfferOptions, RtcPeerConnection,
    RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcSdpType, RtcSessionDescriptionInit,
};

use crate::{buffers::taken, js_error::BrowserError, listener::Listener, number, pump::Inbox};

/// Most messages kept from before both channels are open; an honest peer sends one hello.
const EARLY_MESSAGES_MAX: usize = 64;
/// Most remote candidates kept until the remote description is set.
const EARLY_CANDIDATES_MAX: usize = 64;
/// `negotiated` ids of the two channels: both sides make them, no handshake in band.
const CONTROL_ID: u16 = 0;
const PAYLOAD_ID: u16 = 1;

/// Owns the connection and what listens to it; closes it when dropped.
#[derive(Debug)]
pub(super) struct Link {
    wire: Rc<Wire>,
    _listeners: Vec<Listener>,
}

impl Link {
    /// A connection with its two channels, not yet negotiated.
    pub(super) fn new(
        id: LinkId,
        config: &RtcConfiguration,
        inbox: Inbox,
    ) -> Result<Self, BrowserError> {
        let connection = RtcPeerConnection::new_with_configuration(config)
            .map_err(|thrown| BrowserError::thrown("RTCPeerConnection", &thrown))?;
        let control = channel(&connection, "control", CONTROL_ID);
        let payload = channel(&connection, "payload", PAYLOAD_ID);
        let wire = Rc::new(Wire {
            id,
            inbox,
            connection,
            control,
            payload,
            state: Cell::new(State::Negotiating),
            described: Cell::new(false),
            local_candidates: RefCell::default(),
            remote_set: Cell::new(false),
            remote_candidates: RefCell::default(),
            early: RefCell::default(),
            sent_bytes: Cell::new(0),
            told_bytes: Cell::new(0),
        });
        Ok(Self { _listeners: listeners(&wire), wire })
    }

    /// What callbacks and tasks share.
    pub(super) fn wire(&self) -> Rc<Wire> {
        Rc::clone(&self.wire)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.wire.state.set(State::Closed);
        self.wire.connection.close();
    }
}

fn channel(connection: &RtcPeerConnection, label: &str, id: u16) -> RtcDataChannel {
    let init = RtcDataChannelInit::new();
    init.set_negotiated(true);
    init.set_id(id);
    let channel = connection.create_data_channel_with_data_channel_dict(label, &init);
    channel.set_binary_type(RtcDataChannelType::Arraybuffer);
    channel
}

/// Listeners hold the wire; the wire does not hold them: no cycle.
fn listeners(wire: &Rc<Wire>) -> Vec<Listener> {
    let connection = &wire.connection;
    let candidates = Rc::clone(wire);
    let changed = Rc::clone(wire);
    let drained = Rc::clone(wire);
    let mut all = vec![
        Listener::new(connection, "icecandidate", move |event: RtcPeerConnectionIceEvent| {
            let (line, mid) = event
                .candidate()
                .map_or_else(Default::default, |found| (found.candidate(), found.sdp_mid()));
            candidates.local_candidate(line, mid);
        }),
        Listener::new(connection, "connectionstatechange", move |_: Event| {
            use RtcPeerConnectionState::{Closed, Disconnected, Failed};
            match changed.connection.connection_state() {
                // It may heal by itself; ICE says `failed` when it has given up.
                Disconnected => changed.interrupted(),
                Failed | Closed => changed.fail(),
                _ => {}
            }
        }),
        Listener::new(&wire.payload, "bufferedamountlow", move |_: Event| drained.account()),
    ];
    for channel in [&wire.control, &wire.payload] {
        let (opened, closed, heard) = (Rc::clone(wire), Rc::clone(wire), Rc::clone(wire));
        all.push(Listener::new(channel, "open", move |_: Event| opened.channel_opened()));
        all.push(Listener::new(channel, "close", move |_: Event| closed.fail()));
        all.push(Listener::new(channel, "message", move |event: MessageEvent| {
            heard.message(bytes_of(&event.data()));
        }));
    }
    all
}

/// A text message is no frame of ours; its bytes go to the core all the same, which refuses them.
fn bytes_of(message: &JsValue) -> Vec<u8> {
    match message.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => taken(buffer),
        None => message.as_string().unwrap_or_default().into_bytes(),
    }
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Descriptions and candidates go back and forth.
    Negotiating,
    /// Both channels are open.
    Open,
    /// It failed or was closed; nothing more is told of it.
    Closed,
}

/// What the listeners and tasks of one connection share.
#[derive(Debug)]
pub(super) struct Wire {
    id: LinkId,
    inbox: Inbox,
    connection: RtcPeerConnection,
    control: RtcDataChannel,
    payload: RtcDataChannel,
    state: Cell<State>,
    /// The local description was told; candidates may follow.
    described: Cell<bool>,
    local_candidates: RefCell<Vec<(String, Option<String>)>>,
    /// The remote description is set; candidates may be added.
    remote_set: Cell<bool>,
    remote_candidates: RefCell<Vec<(String, Option<String>)>>,
    early: RefCell<Vec<Vec<u8>>>,
    /// Payload bytes given to the browser.
    sent_bytes: Cell<u64>,
    /// Of these, told as [`Input::RtcSent`].
    told_bytes: Cell<u64>,
}

impl Wire {
    pub(super) const fn id(&self) -> LinkId {
        self.id
    }

    pub(super) const fn connection(&self) -> &RtcPeerConnection {
        &self.connection
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.get() == State::Open
    }

    /// Servers and policy of paths found from now on. A browser that refuses keeps what it had.
    pub(super) fn configure(&self, config: &RtcConfiguration) {
        let _ = self.connection.set_configuration_with_configuration(config);
    }

    /// Makes a new offer with new ICE credentials and tells it (what `restartIce()` leads to).
    pub(super) async fn restart_ice(&self) -> Result<(), BrowserError> {
        let options = RtcOfferOptions::new();
        options.set_ice_restart(true);
        let offering = self.connection.create_offer_with_rtc_offer_options(&options);
        let offer = settled("RTCPeerConnection.createOffer", offering).await?;
        self.describe(offer.unchecked_into()).await
    }

    /// Makes our offer and tells it.
    pub(super) async fn offer(&self) -> Result<(), BrowserError> {
        let offer =
            settled("RTCPeerConnection.createOffer", self.connection.create_offer()).await?;
        self.describe(offer.unchecked_into()).await
    }

    /// Sets their offer, makes our answer and tells it.
    pub(super) async fn answer(&self, sdp: &str) -> Result<(), BrowserError> {
        self.set_remote(RtcSdpType::Offer, sdp).await?;
        let answer =
            settled("RTCPeerConnection.createAnswer", self.connection.create_answer()).await?;
        self.describe(answer.unchecked_into()).await
    }

    /// Sets the answer to our offer.
    pub(super) async fn remote_answer(&self, sdp: &str) -> Result<(), BrowserError> {
        self.set_remote(RtcSdpType::Answer, sdp).await
    }

    async fn describe(&self, local: RtcSessionDescriptionInit) -> Result<(), BrowserError> {
        const API: &str = "RTCPeerConnection.setLocalDescription";
        let sdp = local.get_sdp().ok_or_else(|| BrowserError::missing(API))?;
        // Candidates of this description are told after it.
        self.described.set(false);
        settled(API, self.connection.set_local_description(&local)).await?;
        self.tell(Input::RtcDescription { link: self.id, sdp });
        self.described.set(true);
        for (candidate, mid) in self.local_candidates.take() {
            self.tell(Input::RtcCandidate { link: self.id, candidate, mid });
        }
        Ok(())
    }

    async fn set_remote(&self, kind: RtcSdpType, sdp: &str) -> Result<(), BrowserError> {
        let remote = RtcSessionDescriptionInit::new(kind);
        remote.set_sdp(sdp);
        let set = self.connection.set_remote_description(&remote);
        settled("RTCPeerConnection.setRemoteDescription", set).await?;
        self.remote_set.set(true);
        for (candidate, mid) in self.remote_candidates.take() {
            self.add_candidate(&candidate, mid.as_deref());
        }
        Ok(())
    }

    fn local_candidate(&self, candidate: String, mid: Option<String>) {
        if self.described.get() {
            self.tell(Input::RtcCandidate { link: self.id, candidate, mid });
        } else {
            self.local_candidates.borrow_mut().push((candidate, mid));
        }
    }

    /// Adds a remote candidate, once the remote description is there.
    pub(super) fn remote_candidate(&self, candidate: String, mid: Option<String>) {
        if self.remote_set.get() {
            return self.add_candidate(&candidate, mid.as_deref());
        }
        let mut early = self.remote_candidates.borrow_mut();
        if early.len() < EARLY_CANDIDATES_MAX {
            early.push((candidate, mid));
        }
    }

    fn add_candidate(&self, candidate: &str, mid: Option<&str>) {
        let init = RtcIceCandidateInit::new(candidate);
        init.set_sdp_mid(Some(mid.unwrap_or("0")));
        let added = self.connection.add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init));
        // A candidate this browser can't use (mDNS, another address family) is no fault of anyone.
        spawn_local(async move {
            let _ = JsFuture::from(added).await;
        });
    }

    fn channel_opened(&self) {
        let both = [&self.control, &self.payload]
            .iter()
            .all(|channel| channel.ready_state() == RtcDataChannelState::Open);
        if !both || self.state.get() != State::Negotiating {
            return;
        }
        self.state.set(State::Open);
        self.inbox.push(Input::RtcOpen { link: self.id });
        for bytes in self.early.take() {
            self.tell(Input::RtcMessage { link: self.id, bytes });
        }
    }

    fn message(&self, bytes: Vec<u8>) {
        if self.is_open() {
            return self.inbox.push(Input::RtcMessage { link: self.id, bytes });
        }
        // One channel may open, and speak, a moment before the other.
        let full = {
            let mut early = self.early.borrow_mut();
            early.push(bytes);
            early.len() > EARLY_MESSAGES_MAX
        };
        if full {
            self.fail();
        }
    }

    /// Sends one message; a channel that refuses it is lost.
    pub(super) fn send(&self, channel: Channel, bytes: &[u8]) {
        let sent = match channel {
            Channel::Control => self.control.send_with_u8_array(bytes),
            Channel::Payload => self.payload.send_with_u8_array(bytes),
        };
        if sent.is_err() {
            return self.fail();
        }
        if channel == Channel::Payload {
            self.sent_bytes.set(self.sent_bytes.get() + number::count(bytes.len()));
            self.account();
        }
    }

    /// Tells what left the browser's buffer since the last time. The next event comes when half of
    /// what is left has gone: a few events per buffer, and the last one at zero.
    fn account(&self) {
        let buffered = self.payload.buffered_amount();
        self.payload.set_buffered_amount_low_threshold(buffered / 2);
        let left = self.sent_bytes.get().saturating_sub(u64::from(buffered));
        let bytes = left.saturating_sub(self.told_bytes.get());
        if bytes > 0 {
            self.told_bytes.set(left);
            self.tell(Input::RtcSent { link: self.id, bytes });
        }
    }

    fn interrupted(&self) {
        if self.is_open() {
            self.inbox.push(Input::RtcInterrupted { link: self.id });
        }
    }

    /// It is of no more use; tells so, once.
    pub(super) fn fail(&self) {
        if self.state.replace(State::Closed) != State::Closed {
            self.inbox.push(Input::RtcClosed { link: self.id });
        }
    }

    fn tell(&self, input: Input) {
        if self.state.get() != State::Closed {
            self.inbox.push(input);
        }
    }
}

async fn settled(api: &'static str, promise: Promise) -> Result<JsValue, BrowserError> {
    JsFuture::from(promise).await.map_err(|thrown| BrowserError::thrown(api, &thrown))
}
