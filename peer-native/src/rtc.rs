//! Connections to other peers: one task for each, with two data channels.
//!
//! This module does what the core asks and tells what WebRTC did. Which connections there are, who may be
//! trusted and what the messages mean is the core's business.

mod connection;
mod link;
mod runtime;

use std::collections::BTreeMap;

use peer::{Channel, LinkId, RtcConfig};
use tokio::sync::{mpsc, oneshot};

use crate::pump::Inbox;
use link::{COMMANDS_MAX, Command};

/// All connections of a peer. How many there are is the core's to bound.
#[derive(Debug)]
pub(crate) struct Links {
    inbox: Inbox,
    /// Peers may be on this machine: its loopback addresses are candidates too.
    loopback: bool,
    links: BTreeMap<LinkId, Link>,
    /// Took no more commands; to be told to the core.
    lost: Vec<LinkId>,
}

/// One connection. Its task closes it when this is dropped.
#[derive(Debug)]
struct Link {
    commands: mpsc::Sender<Command>,
    _open: oneshot::Sender<()>,
}

impl Links {
    /// No connections yet.
    pub(crate) const fn new(inbox: Inbox, loopback: bool) -> Self {
        Self { inbox, loopback, links: BTreeMap::new(), lost: Vec::new() }
    }

    /// Makes a connection and its offer.
    pub(crate) fn dial(&mut self, id: LinkId, rtc: RtcConfig) {
        self.add(id, rtc);
        self.tell(id, Command::Offer);
    }

    /// Makes a connection for an incoming offer, and its answer.
    pub(crate) fn accept(&mut self, id: LinkId, sdp: String, rtc: RtcConfig) {
        self.add(id, rtc);
        self.tell(id, Command::Answer(sdp));
    }

    /// Sets the answer to our offer.
    pub(crate) fn remote_answer(&mut self, id: LinkId, sdp: String) {
        self.tell(id, Command::RemoteAnswer(sdp));
    }

    /// Makes a new offer that finds new paths for the same connection.
    pub(crate) fn restart_ice(&mut self, id: LinkId, rtc: RtcConfig) {
        self.tell(id, Command::Configure(rtc));
        self.tell(id, Command::Restart);
    }

    /// Sets an offer of new paths for the same connection and makes our answer.
    pub(crate) fn remote_offer(&mut self, id: LinkId, sdp: String, rtc: RtcConfig) {
        self.tell(id, Command::Configure(rtc));
        self.tell(id, Command::Answer(sdp));
    }

    /// Adds a remote candidate; empty: no more.
    pub(crate) fn remote_candidate(&mut self, id: LinkId, candidate: String) {
        self.tell(id, Command::RemoteCandidate(candidate));
    }

    /// Sends one message.
    pub(crate) fn send(&mut self, id: LinkId, channel: Channel, bytes: Vec<u8>) {
        self.tell(id, Command::Send(channel, bytes));
    }

    /// Closes a connection and forgets it, without a word to the peer.
    pub(crate) fn close(&mut self, id: LinkId) {
        self.links.remove(&id);
    }

    /// Connections that were lost here, each told once.
    pub(crate) fn take_lost(&mut self) -> Vec<LinkId> {
        std::mem::take(&mut self.lost)
    }

    fn add(&mut self, id: LinkId, rtc: RtcConfig) {
        let (commands, waiting) = mpsc::channel(COMMANDS_MAX);
        let (open, closed) = oneshot::channel();
        let (inbox, found) = (self.inbox.clone(), commands.clone());
        tokio::spawn(link::run(id, rtc, self.loopback, inbox, found, waiting, closed));
        self.links.insert(id, Link { commands, _open: open });
    }

    fn tell(&mut self, id: LinkId, command: Command) {
        let Some(link) = self.links.get(&id) else { return };
        if link.commands.try_send(command).is_err() {
            self.links.remove(&id);
            self.lost.push(id);
        }
    }
}
