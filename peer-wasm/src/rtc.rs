//! Connections to other peers: `RTCPeerConnection`s with two data channels each.
//!
//! This module does what the core asks and tells what the browser did. Which connections there are,
//! who may be trusted and what the messages mean is the core's business.

mod link;
mod path;
#[cfg(test)]
mod tests;

use js_sys::Array;
use peer::{Channel, Input, LinkId, RtcConfig};
use primitives::{SortedMap, Time};

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{RtcConfiguration, RtcIceServer, RtcIceTransportPolicy};

use crate::{js_error::BrowserError, pump::Inbox};
use link::{Link, Wire};

/// How often paths are looked up, in milliseconds: round-trip times move slowly, and `getStats` costs
/// a millisecond per connection.
const PATH_EVERY_MS: i64 = 3000;

/// All connections of this page.
#[derive(Debug)]
pub(crate) struct Links {
    inbox: Inbox,
    links: SortedMap<LinkId, Link>,
    paths_due: Time,
}

impl Links {
    /// No connections yet.
    pub(crate) const fn new(inbox: Inbox) -> Self {
        Self { inbox, links: SortedMap::new(), paths_due: Time::ZERO }
    }

    /// Makes a connection and its offer.
    pub(crate) fn dial(&mut self, id: LinkId, rtc: &RtcConfig) {
        self.add(id, rtc);
        self.negotiate(id, async |wire| wire.offer().await);
    }

    /// Makes a connection for an incoming offer, and its answer.
    pub(crate) fn accept(&mut self, id: LinkId, sdp: String, rtc: &RtcConfig) {
        self.add(id, rtc);
        self.answer(id, sdp);
    }

    /// Sets an offer of new paths for the same connection and makes our answer.
    pub(crate) fn remote_offer(&self, id: LinkId, sdp: String, rtc: &RtcConfig) {
        self.configure(id, rtc);
        self.answer(id, sdp);
    }

    fn answer(&self, id: LinkId, sdp: String) {
        self.negotiate(id, async move |wire| wire.answer(&sdp).await);
    }

    /// Sets the answer to our offer.
    pub(crate) fn remote_answer(&self, id: LinkId, sdp: String) {
        self.negotiate(id, async move |wire| wire.remote_answer(&sdp).await);
    }

    /// Makes a new offer that finds new paths for the same connection.
    pub(crate) fn restart_ice(&self, id: LinkId, rtc: &RtcConfig) {
        self.configure(id, rtc);
        self.negotiate(id, async |wire| wire.restart_ice().await);
    }

    /// Adds a remote candidate; empty: no more.
    pub(crate) fn remote_candidate(&self, id: LinkId, candidate: String, mid: Option<String>) {
        if let Some(link) = self.links.get(&id) {
            link.wire().remote_candidate(candidate, mid);
        }
    }

    /// Sends one message.
    pub(crate) fn send(&self, id: LinkId, channel: Channel, bytes: &[u8]) {
        if let Some(link) = self.links.get(&id) {
            link.wire().send(channel, bytes);
        }
    }

    /// Closes a connection and forgets it, without a word to the peer.
    pub(crate) fn close(&mut self, id: LinkId) {
        self.links.remove(&id);
    }

    /// Looks up how each open connection goes through the network, when that is due.
    pub(crate) fn look_up_paths(&mut self, now: Time) {
        if now < self.paths_due {
            return;
        }
        self.paths_due = now.offset_ms(PATH_EVERY_MS);
        for link in self.links.values().filter(|link| link.wire().is_open()) {
            let wire = link.wire();
            let inbox = self.inbox.clone();
            spawn_local(async move {
                let Some(path) = path::look_up(wire.connection()).await else { return };
                if wire.is_open() {
                    let (relayed, rtt_ms) = (path.relayed, path.rtt_ms);
                    inbox.push(Input::RtcPath { link: wire.id(), relayed, rtt_ms });
                }
            });
        }
    }

    /// Runs one step of the negotiation. A description the browser refuses ends the connection.
    fn negotiate(
        &self,
        id: LinkId,
        step: impl AsyncFnOnce(&Wire) -> Result<(), BrowserError> + 'static,
    ) {
        let Some(link) = self.links.get(&id) else { return };
        let wire = link.wire();
        spawn_local(async move {
            if step(&wire).await.is_err() {
                wire.fail();
            }
        });
    }

    fn configure(&self, id: LinkId, rtc: &RtcConfig) {
        if let Some(link) = self.links.get(&id) {
            link.wire().configure(&configuration(rtc));
        }
    }

    fn add(&mut self, id: LinkId, rtc: &RtcConfig) {
        match Link::new(id, &configuration(rtc), self.inbox.clone()) {
            Ok(link) => {
                self.links.insert(id, link);
                // The next look-up tells this one's path soon after it opens.
                self.paths_due = Time::ZERO;
            }
            // No WebRTC here, or too many connections: the core sees a connection that failed.
            Err(_) => self.inbox.push(Input::RtcClosed { link: id }),
        }
    }
}

/// `RTCConfiguration` of what the signaling server gave.
fn configuration(rtc: &RtcConfig) -> RtcConfiguration {
    let config = RtcConfiguration::new();
    let servers = Array::new();
    for server in &rtc.ice_servers {
        let entry = RtcIceServer::new();
        let urls: Array = server.urls.iter().map(|url| JsValue::from_str(url)).collect();
        entry.set_urls(&urls);
        if let Some(username) = &server.username {
            entry.set_username(username);
        }
        if let Some(credential) = &server.credential {
            entry.set_credential(credential);
        }
        servers.push(&entry);
    }
    config.set_ice_servers(&servers);
    if rtc.relay_only {
        config.set_ice_transport_policy(RtcIceTransportPolicy::Relay);
    }
    config
}
