//! Connections as browsers make them: they open when both ends hold the other's fingerprint and a
//! candidate of the other's, and break the test when used in an order that browsers refuse.

use std::collections::BTreeMap;

use peer::LinkId;

/// One end: the peer's number and its link.
pub(crate) type End = (usize, LinkId);

/// One `RTCPeerConnection`.
#[derive(Default)]
pub(crate) struct Connection {
    /// Restarts of ICE: candidates of an earlier one are of no use.
    generation: u32,
    remote: Option<String>,
    candidates: Vec<String>,
    pub(crate) relay_only: bool,
    pub(crate) open: bool,
}

#[derive(Default)]
pub(crate) struct Rtc {
    pub(crate) ends: BTreeMap<End, Connection>,
}

/// What the driver tells the peer: description and candidates.
pub(crate) struct Local {
    pub(crate) sdp: String,
    pub(crate) candidates: Vec<String>,
}

impl Rtc {
    pub(crate) fn create(&mut self, end: End, relay_only: bool) -> Local {
        let connection = Connection { relay_only, ..Connection::default() };
        assert!(self.ends.insert(end, connection).is_none(), "a link id is never reused");
        self.local(end)
    }

    pub(crate) fn restart(&mut self, end: End) -> Local {
        self.ends.get_mut(&end).expect("restart of a link that is there").generation += 1;
        self.local(end)
    }

    pub(crate) fn set_remote(&mut self, end: End, sdp: &str) {
        let connection = self.ends.get_mut(&end).expect("a description for a link that is there");
        connection.remote = Some(sdp.to_owned());
        connection.candidates.clear();
    }

    pub(crate) fn add_candidate(&mut self, end: End, candidate: &str) {
        let connection = self.ends.get_mut(&end).expect("a candidate for a link that is there");
        assert!(
            connection.remote.is_some(),
            "a candidate before the remote description is refused"
        );
        connection.candidates.push(candidate.to_owned());
    }

    /// The answer or the description of a restart.
    pub(crate) fn local(&self, end: End) -> Local {
        let ufrag = ufrag(end, self.ends[&end].generation);
        let sdp = format!("v=0\r\na=ice-ufrag:{ufrag}\r\na=fingerprint:{}\r\n", fingerprint(end));
        let host = if self.ends[&end].relay_only { "relay" } else { "host" };
        Local { sdp, candidates: vec![format!("candidate:1 {host} {ufrag}"), String::new()] }
    }

    /// The other end, once each holds the other's description and a candidate of it.
    pub(crate) fn paired(&self, end: End) -> Option<End> {
        let other = self.ends.keys().copied().find(|other| self.fits(end, *other));
        other.filter(|other| self.fits(*other, end))
    }

    fn fits(&self, end: End, other: End) -> bool {
        let (Some(mine), Some(theirs)) = (self.ends.get(&end), self.ends.get(&other)) else {
            return false;
        };
        let ufrag = ufrag(other, theirs.generation);
        end != other
            && mine.remote.as_ref().is_some_and(|sdp| sdp.contains(&fingerprint(other)))
            && mine.remote.as_ref().is_some_and(|sdp| sdp.contains(&ufrag))
            && mine.candidates.iter().any(|candidate| candidate.ends_with(&ufrag))
    }
}

fn fingerprint((node, link): End) -> String {
    format!("sha-256 {node:02X}:{:08X}", link.0)
}

fn ufrag((node, link): End, generation: u32) -> String {
    format!("u{node}.{}.{generation}", link.0)
}
