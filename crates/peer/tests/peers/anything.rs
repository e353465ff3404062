//! Whatever comes in: no panic, no spinning, bounded memory, and the same again from the same seed.

use peer::{
    Input, Integrity, LinkId, Output, Peer, PeerConfig, RequestId, SegmentUrl,
    input::{HttpAnswer, HttpError},
};
use primitives::{KeyPair, Seed, SegmentId, SwarmId, Time};
use proptest::prelude::*;
use swarm::{FetchId, Limits, Playhead, Track, TrackSegment};
use wire::signaling::{
    Base64, Description, ErrorCode, FromServer, Neighbour, Signal, WitnessStatement,
};

use crate::world::{BEST, config};

/// Strangers whose keys the test holds, so that some signatures are right.
fn stranger(number: u8) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(u64::from(number % 24) + 1_000))
}

fn swarm_id() -> SwarmId {
    config(BEST).swarm_id()
}

fn arb_link() -> impl Strategy<Value = LinkId> {
    (0..40_u32).prop_map(LinkId)
}

fn arb_segment() -> impl Strategy<Value = SegmentId> {
    (0..3_u16, 0..12_u32).prop_map(|(track, index)| SegmentId::new(track, index))
}

fn arb_swarm() -> impl Strategy<Value = SwarmId> {
    prop_oneof![4 => Just(swarm_id()), 1 => Just(SwarmId::new([9; 32]))]
}

fn arb_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..64)
}

/// Signals: descriptions rightly and wrongly signed for the peer of seed 1.
fn arb_signal() -> impl Strategy<Value = (u8, Signal)> {
    let me = Peer::new(PeerConfig::default(), Seed::from_number(1), Time::ZERO).id();
    (any::<u8>(), 0..6_u32, 0..5_u8, any::<bool>()).prop_map(
        move |(from, connection, kind, good)| {
            let sdp = format!("v=0\r\na=fingerprint:sha-256 {from:02X}\r\n");
            let key = stranger(if good { from } else { from.wrapping_add(1) });
            let from_id = stranger(from).id();
            let description =
                Description { swarm: swarm_id(), from: from_id, to: me, connection, sdp: &sdp };
            let signature = description.sign(&key).expect("it has one fingerprint");
            let signal = match kind {
                0 | 1 => Signal::Offer { connection, sdp, signature },
                2 => Signal::Answer { connection, sdp, signature },
                3 => Signal::Candidate { connection, candidate: "c".repeat(40), mid: None },
                _ => Signal::Decline { connection },
            };
            (from, signal)
        },
    )
}

fn arb_server() -> impl Strategy<Value = FromServer> {
    let server = stranger(0).id();
    let challenge = FromServer::Challenge { version: 1, nonce: Base64(vec![1; 32]), server };
    let welcome = any::<u32>().prop_map(|ms| FromServer::Welcome {
        resume: "token".to_owned(),
        lease_ms: ms,
        resumed: false,
        ping_ms: ms,
        ice_servers: Vec::new(),
    });
    let peers = proptest::collection::vec(any::<u8>(), 0..40).prop_map(|numbers| {
        numbers.into_iter().map(|n| Neighbour { peer: stranger(n).id(), region: None }).collect()
    });
    let neighbours = (arb_swarm(), any::<u32>(), peers, any::<bool>(), any::<bool>()).prop_map(
        |(swarm, size, peers, joined, relay_only)| {
            if joined {
                FromServer::Joined { swarm, size, peers, relay_only }
            } else {
                FromServer::Neighbours { swarm, size, peers }
            }
        },
    );
    let signal = (arb_swarm(), arb_signal()).prop_map(|(swarm, (from, signal))| {
        FromServer::Signal { swarm, from: stranger(from).id(), signal }
    });
    let gone = (arb_swarm(), any::<u8>())
        .prop_map(|(swarm, from)| FromServer::Gone { swarm, peer: stranger(from).id() });
    let codes = [ErrorCode::TooMany, ErrorCode::NotJoined, ErrorCode::NoWitness];
    let error = (proptest::sample::select(codes.to_vec()), any::<Option<u32>>(), 0..9_u32)
        .prop_map(|(code, retry_after_ms, id)| FromServer::Error {
            code,
            message: "no".to_owned(),
            swarm: Some(swarm_id()),
            id: (id < 6).then_some(id),
            retry_after_ms,
        });
    let witness = (0..9_u32, any::<u32>(), arb_bytes()).prop_map(|(id, size_bytes, pieces)| {
        let sha256 = primitives::sha256(&pieces);
        let url = "https://media.example/0".to_owned();
        let statement = WitnessStatement { url, size_bytes, sha256, pieces: Base64(pieces) };
        let signature = statement.sign(&stranger(0));
        FromServer::Witness { id, statement, signature }
    });
    let goodbye = any::<u32>()
        .prop_map(|ms| FromServer::Goodbye { reason: String::new(), reconnect_after_ms: ms });
    prop_oneof![
        3 => Just(challenge),
        3 => welcome,
        4 => neighbours,
        8 => signal,
        1 => gone,
        2 => error,
        2 => witness,
        1 => goodbye,
        1 => Just(FromServer::Pong),
    ]
}

fn arb_text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => arb_server().prop_map(|message| serde_json::to_string(&message).unwrap()),
        1 => ".{0,80}",
        1 => "\\{\"type\":\"(signal|joined|witness|welcome)\",\"[a-z]{1,8}\":[0-9]{1,20}\\}",
    ]
}

fn arb_app() -> impl Strategy<Value = Input> {
    let track = (0..3_u16, any::<bool>(), 0..20_u32, 0..12_u32, 0..12_usize).prop_map(
        |(track, live, first, count, urls)| {
            let segment = |index: u32| TrackSegment {
                index,
                start_ms: u64::from(index) * 4_000,
                duration_ms: 4_000,
            };
            let url = |index| SegmentUrl {
                url: format!("https://media.example/{index}"),
                range: (index % 3 == 0).then_some((10, 5)),
            };
            let segments = (first..first + count).map(segment).collect();
            Input::Track {
                swarm: swarm_id(),
                track: Track { track, live, segments },
                urls: (0..urls).map(url).collect(),
            }
        },
    );
    let playback = (0..3_u16, any::<u64>(), any::<u64>(), any::<u16>()).prop_map(
        |(track, position_ms, buffered_ms, rate_percent)| {
            let playhead = Playhead { track, position_ms, buffered_ms, rate_percent };
            Input::Playback(swarm_id(), playhead)
        },
    );
    prop_oneof![
        4 => Just(Input::Open(config(BEST))),
        1 => Just(Input::Open(config(Integrity::None))),
        1 => arb_swarm().prop_map(Input::Close),
        1 => Just(Input::Pause),
        2 => Just(Input::Resume),
        1 => Just(Input::NetworkChanged),
        1 => any::<bool>().prop_map(Input::RelayOnly),
        1 => any::<Option<u64>>().prop_map(|upload_bytes_per_s| {
            Input::Limits(Limits { upload_bytes_per_s, memory_bytes: 1 << 20 })
        }),
        1 => any::<u64>().prop_map(Input::Shares),
        4 => track,
        4 => (arb_swarm(), arb_segment()).prop_map(|(swarm, id)| Input::Want(swarm, id)),
        1 => (arb_swarm(), arb_segment()).prop_map(|(swarm, id)| Input::Unwant(swarm, id)),
        3 => playback,
    ]
}

fn arb_driver() -> impl Strategy<Value = Input> {
    let http = (0..30_u32, 0..4_u8, arb_bytes()).prop_map(|(request, kind, body)| {
        let answer = match kind {
            0 => Err(HttpError::Unreachable),
            1 => Err(HttpError::TooLong),
            2 => Ok(HttpAnswer { status: 404, repr_digest: None, body }),
            _ => Ok(HttpAnswer { status: 200, repr_digest: Some("sha-256=:AA==:".into()), body }),
        };
        Input::Http { request: RequestId(request), answer }
    });
    let sdp = prop_oneof![Just("a=fingerprint:sha-256 AB\r\n".to_owned()), ".{0,20}"];
    prop_oneof![
        3 => Just(Input::SocketOpen),
        12 => arb_text().prop_map(Input::SocketText),
        1 => Just(Input::SocketClosed),
        6 => (arb_link(), sdp).prop_map(|(link, sdp)| Input::RtcDescription { link, sdp }),
        3 => arb_link().prop_map(|link| Input::RtcCandidate {
            link,
            candidate: "candidate".to_owned(),
            mid: None,
        }),
        4 => arb_link().prop_map(|link| Input::RtcOpen { link }),
        1 => arb_link().prop_map(|link| Input::RtcInterrupted { link }),
        1 => arb_link().prop_map(|link| Input::RtcClosed { link }),
        1 => (arb_link(), any::<bool>(), any::<Option<u32>>())
            .prop_map(|(link, relayed, rtt_ms)| Input::RtcPath { link, relayed, rtt_ms }),
        4 => (arb_link(), arb_bytes()).prop_map(|(link, bytes)| Input::RtcMessage { link, bytes }),
        1 => (arb_link(), any::<u64>()).prop_map(|(link, bytes)| Input::RtcSent { link, bytes }),
        4 => http,
        4 => (0..9_u64, any::<Option<u32>>(), arb_bytes()).prop_map(|(fetch, size, bytes)| {
            let fetch = FetchId(fetch);
            Input::Fetched { swarm: swarm_id(), fetch, segment_bytes: size, bytes }
        }),
        1 => (0..9_u64).prop_map(|fetch| {
            Input::FetchEnded { swarm: swarm_id(), fetch: FetchId(fetch) }
        }),
        1 => (0..9_u64, any::<u16>()).prop_map(|(fetch, status)| {
            Input::FetchFailed { swarm: swarm_id(), fetch: FetchId(fetch), status }
        }),
        1 => proptest::collection::vec(arb_segment(), 0..9)
            .prop_map(|held| Input::StoreOpen { swarm: swarm_id(), held }),
        1 => (arb_segment(), proptest::option::of(arb_bytes())).prop_map(|(segment, bytes)| {
            Input::Loaded { swarm: swarm_id(), segment, bytes }
        }),
        1 => proptest::collection::vec(arb_segment(), 0..9)
            .prop_map(|segments| Input::Evicted { swarm: swarm_id(), segments }),
        3 => Just(Input::Tick),
    ]
}

fn arb_steps() -> impl Strategy<Value = Vec<(u64, Input)>> {
    let step = (
        prop_oneof![8 => 0..200_u64, 1 => 0..40_000_u64],
        prop_oneof![1 => arb_app(), 3 => arb_driver()],
    );
    proptest::collection::vec(step, 1..120)
}

/// Runs the steps; returns everything that came out.
fn run(steps: &[(u64, Input)]) -> Vec<Vec<Output>> {
    let mut peer = Peer::new(PeerConfig::default(), Seed::from_number(1), Time::ZERO);
    let (mut now, mut outputs) = (0, Vec::new());
    // Get past the handshake, so that most runs reach what lies behind it.
    let server = stranger(0).id();
    let challenge = FromServer::Challenge { version: 1, nonce: Base64(vec![1; 32]), server };
    let opening = [
        Input::Open(config(BEST)),
        Input::SocketOpen,
        Input::SocketText(serde_json::to_string(&challenge).unwrap()),
    ];
    let opening = opening.into_iter().map(|input| (0, input));
    for (ms, input) in opening.chain(steps.iter().cloned()) {
        now += ms;
        let at = Time::from_ms(now);
        let mut out = Vec::new();
        let wake = peer.step(at, input, &mut out);
        assert!(wake.at > at, "a wake that has come makes a driver spin: {wake:?}");
        outputs.push(out);
        let view = peer.view(at);
        assert!(view.problems.len() <= peer::view::PROBLEMS_MAX);
        let links: usize = view.streams.iter().map(|stream| stream.peers.len()).sum();
        assert!(links <= 32, "{links} links");
    }
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_it_panic_and_the_same_inputs_replay(steps in arb_steps()) {
        let first = run(&steps);
        prop_assert_eq!(first, run(&steps));
    }
}
