//! A share under frames of strangers: the first two bytes of each choose who speaks and how long it is,
//! the rest is what is said, now and then in front of it a greeting that counts.
//!
//! What must hold: no panic; the next wake is after now; frames go only to peers that are up; nothing is
//! kept that does not hash to its name, and nothing but this share's blocks is read for strangers.

use std::collections::BTreeSet;

use content::{
    Cid, Codec,
    share::{Secret, ShareKey, ShareLink},
};
use files::{Config, Input, Output, Share};
use primitives::{PeerId, Seed, Time, sha256};
use wire::{
    blocks::{Ask, AskedBlock, BlockMessage, Holds, Part},
    peer::{Hello, Run},
};

/// Peers that speak.
const PEERS: u8 = 3;
/// Longest script, in frames.
const FRAMES_MAX: usize = 200;

fn share() -> Share {
    let cid = Cid::of(Codec::Raw, b"manifest");
    let key = ShareKey::new([7; 32]);
    let link = ShareLink::new(cid, Secret::Key(key.clone()));
    let (me, seed) = (PeerId::new([200; 32]), Seed::from_number(1));
    Share::new(Config { link, key, me, seed, started_s: 0 }, Time::ZERO)
}

/// Plays the script.
pub fn run(bytes: &[u8]) {
    let (mut share, mut up, mut now) = (share(), BTreeSet::new(), Time::ZERO);
    let mut rest = bytes;
    for _ in 0..FRAMES_MAX {
        let Some(([who, length], tail)) = rest.split_first_chunk::<2>() else { return };
        let (frame, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        let peer = PeerId::new([1 + who % PEERS; 32]);
        now = now.offset_ms(i64::from(*who));
        let mut inputs = Vec::new();
        if !up.contains(&peer) {
            up.insert(peer);
            inputs.push(Input::PeerUp(peer));
            let swarm = share.swarm();
            let hello = BlockMessage::Hello(Hello { version: 1, swarm, uploads: true });
            inputs.push(Input::Frame { from: peer, bytes: hello.encode_to_vec() });
        }
        inputs.push(Input::Frame { from: peer, bytes: frame.to_vec() });
        for input in inputs {
            step(&mut share, now, input, &mut up);
        }
    }
}

/// One step and all that the driver would say to it.
fn step(share: &mut Share, now: Time, input: Input, up: &mut BTreeSet<PeerId>) {
    let mut todo = vec![input];
    while let Some(input) = todo.pop() {
        let mut out = Vec::new();
        let wake = share.step(now, input, &mut out);
        assert!(wake > now, "a wake that has come makes a driver spin");
        for output in out {
            match output {
                Output::Send { to, .. } => assert!(up.contains(&to), "sends to nobody"),
                Output::Hangup { peer, .. } => drop(up.remove(&peer)),
                Output::Look(cids) => {
                    todo.push(Input::Looked(cids.into_iter().map(|cid| (cid, false)).collect()));
                }
                Output::Check { cid, from, bytes } => {
                    let digest = sha256(&bytes);
                    todo.push(Input::Checked { cid, from, digest, bytes });
                }
                Output::Keep { cid, bytes } => {
                    assert_eq!(*cid.digest(), sha256(&bytes), "keeps something else");
                    todo.push(Input::Kept(cid));
                }
                Output::Load(_) => panic!("reads what it does not hold"),
                Output::Fetch(_) => panic!("asks a gateway that is not there"),
                Output::Neighbours(_) | Output::Event(_) => {}
            }
        }
    }
}

/// Scripts that get somewhere: greetings, holdings, a block that is asked for and one that is not.
pub fn seeds() -> Vec<Vec<u8>> {
    let cid = Cid::of(Codec::Raw, b"manifest").to_bytes().into();
    let said = |message: BlockMessage<'_>| {
        let bytes = message.encode_to_vec();
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        [&[1, length], &bytes[..]].concat()
    };
    let holds = Holds { added: vec![Run { first: 0, count: 9 }], removed: vec![] };
    let part = |id, bytes: &'static [u8]| {
        BlockMessage::Part(Part { id, block_bytes: 8, offset: 0, bytes: bytes.into() })
    };
    let ask =
        BlockMessage::Ask(Ask { blocks: vec![AskedBlock { id: 1, cid }], due_in_ms: Some(9) });
    let holds = said(BlockMessage::Holds(holds));
    vec![
        [holds.clone(), said(part(0, b"manifest")), said(ask)].concat(),
        [holds, said(part(0, b"manifold")), said(part(5, b"whatever"))].concat(),
    ]
}
