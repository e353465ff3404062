//! The one sentence that says where the video comes from, and what its integrity means.
//!
//! Only what was measured is claimed: bytes by source, and the peers that sent some.

use peer_wasm::view::{IntegrityView, LinkState, SignalingState, StreamView, Totals};

use crate::format::{counted, percent, share};

/// Media bytes that were needed, from wherever they came.
pub(crate) const fn needed_bytes(totals: &Totals) -> u64 {
    totals.origin_bytes + totals.peer_bytes + totals.cache_bytes
}

/// Share of the video that did not come from the site: peers and cache, 0 to 1.
pub(crate) fn offload(totals: &Totals) -> f64 {
    share(totals.peer_bytes + totals.cache_bytes, needed_bytes(totals))
}

/// The sentence: where my video came from so far. `gives`: this viewer passes on what it has.
pub(crate) fn sentence(stream: &StreamView, signaling: SignalingState, gives: bool) -> String {
    let totals = &stream.totals;
    let needed = needed_bytes(totals);
    if needed == 0 {
        return "Getting the first seconds of video.".to_owned();
    }
    let senders = stream.peers.iter().filter(|peer| peer.received_bytes > 0).count();
    let kept = share(totals.cache_bytes, needed);
    if totals.peer_bytes > 0 {
        let from = match u64::try_from(senders).unwrap_or_default() {
            0 => "other viewers".to_owned(),
            count => counted(count, "other viewer", "other viewers"),
        };
        let also = if kept < 0.01 {
            String::new()
        } else {
            format!(", {} from your last visit", percent(kept))
        };
        let shared = percent(share(totals.peer_bytes, needed));
        return format!("{shared} of your video came from {from}{also}.");
    }
    if totals.cache_bytes > 0 {
        return format!("{} of your video was kept here from your last visit.", percent(kept));
    }
    alone(stream, signaling, gives)
}

/// The sentence while nothing has come from peers or cache.
fn alone(stream: &StreamView, signaling: SignalingState, gives: bool) -> String {
    let open = stream.peers.iter().any(|peer| peer.state == LinkState::Open);
    let text = match signaling {
        // Nothing is shared of it, with whoever joins.
        _ if stream.integrity == IntegrityView::HttpOnly => {
            "All of your video comes from the site."
        }
        SignalingState::Reconnecting => "Playing from the site alone for now.",
        _ if open => "The first seconds come from the site; other viewers take over next.",
        _ if !stream.peers.is_empty() => "Found other viewers, connecting to them.",
        SignalingState::Connecting => "Looking for other viewers.",
        _ if !gives => "You are the first here. Passing on to others is off.",
        _ => "You are the first here. Whoever joins next gets the video from you.",
    };
    text.to_owned()
}

/// How sure we are of what strangers send: a short name, one sentence, and whether it is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assurance {
    /// Two or three words for the badge.
    pub(crate) name: &'static str,
    /// What it means, for a person.
    pub(crate) meaning: &'static str,
    /// Bytes from strangers are checked.
    pub(crate) checked: bool,
}

/// What an integrity source means.
pub(crate) const fn assurance(integrity: IntegrityView) -> Assurance {
    match integrity {
        IntegrityView::Unknown => Assurance {
            name: "Checking",
            meaning: "Finding out who vouches for this video. Until then, everything comes from the site.",
            checked: true,
        },
        IntegrityView::Manifest => Assurance {
            name: "Signed by the publisher",
            meaning: "The publisher signed a list of fingerprints. Every piece from another viewer is \
                      compared with it before it is shown or passed on.",
            checked: true,
        },
        IntegrityView::Digest => Assurance {
            name: "Verified by the site",
            meaning: "The site states a fingerprint for every segment. What other viewers send is \
                      compared with it before it is shown or passed on.",
            checked: true,
        },
        IntegrityView::Witness => Assurance {
            name: "Witnessed",
            meaning: "The signaling server fetched each segment itself and signed its fingerprint. What \
                      other viewers send is compared with that.",
            checked: true,
        },
        IntegrityView::Unchecked => Assurance {
            name: "Not verified",
            meaning: "Whoever embedded this player chose to take what other viewers send unchecked.",
            checked: false,
        },
        IntegrityView::HttpOnly => Assurance {
            name: "From the site only",
            meaning: "Nobody vouches for this video with fingerprints, so nothing is taken from other \
                      viewers. Publishing it with a signed list turns sharing on.",
            checked: true,
        },
    }
}

/// The state of the signaling connection, in words.
pub(crate) const fn signaling_words(state: SignalingState) -> &'static str {
    match state {
        SignalingState::Off => "Not needed now",
        SignalingState::Connecting => "Connecting",
        SignalingState::Connected => "Connected",
        SignalingState::Reconnecting => "Lost, trying again",
    }
}

#[cfg(test)]
mod tests {
    use peer_wasm::view::PeerView;

    use super::*;

    fn stream(origin_bytes: u64, peer_bytes: u64, cache_bytes: u64, senders: usize) -> StreamView {
        let sender = PeerView { state: LinkState::Open, received_bytes: 1, ..PeerView::default() };
        StreamView {
            totals: Totals { origin_bytes, peer_bytes, cache_bytes, ..Totals::default() },
            peers: vec![sender; senders],
            ..StreamView::default()
        }
    }

    fn check(stream: &StreamView, signaling: SignalingState, expected: &str) {
        assert_eq!(sentence(stream, signaling, true).replace('\u{a0}', " "), expected);
    }

    #[test]
    fn the_sentence_says_what_was_measured() {
        let connected = SignalingState::Connected;
        check(&stream(38, 62, 0, 3), connected, "62 % of your video came from 3 other viewers.");
        check(&stream(0, 62, 0, 1), connected, "100 % of your video came from 1 other viewer.");
        check(&stream(38, 62, 0, 0), connected, "62 % of your video came from other viewers.");
        check(
            &stream(30, 60, 10, 2),
            connected,
            "60 % of your video came from 2 other viewers, 10 % from your last visit.",
        );
        check(
            &stream(50, 0, 50, 0),
            connected,
            "50 % of your video was kept here from your last visit.",
        );
        check(&stream(0, 0, 0, 2), connected, "Getting the first seconds of video.");
    }

    #[test]
    fn alone_is_told_by_its_reason() {
        let lone = stream(10, 0, 0, 0);
        check(
            &lone,
            SignalingState::Connected,
            "You are the first here. Whoever joins next gets the video from you.",
        );
        assert_eq!(
            sentence(&lone, SignalingState::Connected, false),
            "You are the first here. Passing on to others is off."
        );
        check(&lone, SignalingState::Reconnecting, "Playing from the site alone for now.");
        check(&lone, SignalingState::Connecting, "Looking for other viewers.");
        let unproved = StreamView { integrity: IntegrityView::HttpOnly, ..lone };
        check(&unproved, SignalingState::Connected, "All of your video comes from the site.");
    }

    #[test]
    fn offload_counts_peers_and_cache() {
        assert!((offload(&stream(50, 25, 25, 1).totals) - 0.5).abs() < 1e-9);
        assert!(offload(&Totals::default()).abs() < 1e-9);
    }
}
