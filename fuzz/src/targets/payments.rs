//! A till that pays and earns, under frames of strangers and a ledger that says anything: the first two bytes of
//! each step choose what happens and how long it is.
//!
//! What must hold: no panic; a frame that is read survives being written; the next wake is after now; frames go only
//! to peers that are up; never more is promised than may be spent, than was set aside, and than came.

use std::{collections::BTreeSet, sync::LazyLock};

use ledger::{AccountId, AssetId, ChainId};
use payments::{Earning, Input, LaneProof, Output, Paying, Reserved, Setup, Till};
use primitives::{KeyPair, PeerId, Seed, Time};
use wire::pay::{Keep, Lane, PayMessage, Promise, Terms};

/// Peers that speak.
const PEERS: u8 = 3;
/// Longest script, in steps.
const STEPS_MAX: usize = 200;
const SPEND_MAX: u128 = 1_000_000;
const PER_MIB: u64 = 1 << 20;

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_seed(Seed::from_number(1)));

fn till() -> Till {
    let chain = ChainId::new([3; 32]);
    let paying = Paying {
        pool: 1,
        asset: AssetId::NATIVE,
        signer: KEY.clone(),
        per_mib_max: PER_MIB,
        spend_max: SPEND_MAX / 2,
    };
    let earning = Earning {
        account: AccountId::of_key(KEY.id()),
        asset: AssetId::NATIVE,
        per_mib: PER_MIB,
        required: true,
        claim_from: 10,
        claim_least: 1,
    };
    Till::new(Setup { chain, paying: Some(paying), earning: Some(earning) }, Time::ZERO)
}

/// Plays the script.
pub fn run(bytes: &[u8]) {
    if let Ok(message) = PayMessage::decode(bytes) {
        let again = PayMessage::decode(&message.encode_to_vec());
        assert_eq!(again, Ok(message), "it survives being written");
    }
    let (mut till, mut up, mut now) = (till(), BTreeSet::new(), Time::ZERO);
    let (mut came, mut all) = ([0_u64; PEERS as usize], 0_u128);
    let mut rest = bytes;
    for _ in 0..STEPS_MAX {
        let Some(([what, length], tail)) = rest.split_first_chunk::<2>() else { return };
        let (frame, tail) = tail.split_at(usize::from(*length % 128).min(tail.len()));
        rest = tail;
        let who = what % PEERS;
        let peer = PeerId::new([1 + who; 32]);
        now = now.offset_ms(i64::from(*length) * 10);
        if !up.contains(&peer) {
            up.insert(peer);
            step(&mut till, now, Input::Up(peer), &mut up, *length);
        }
        let input = match what / PEERS % 8 {
            0 => Input::Down(peer),
            1 | 2 => Input::Frame { from: peer, bytes: frame.to_vec() },
            3 => {
                let total = &mut came[usize::from(who)];
                *total += u64::from(*length) * 1_000;
                all += u128::from(*length) * 1_500;
                Input::Moved { peer, received: *total, spared: *total / 2, sent: *total }
            }
            4 => Input::Tick,
            5 => Input::Limit(SPEND_MAX / 256 * u128::from(*length)),
            6 => Input::Whole,
            _ if length % 2 == 0 => {
                till.allow(Some(SPEND_MAX / 256 * u128::from(*length)));
                Input::GoOn
            }
            _ => Input::Stop,
        };
        if matches!(input, Input::Down(_)) {
            up.remove(&peer);
            came[usize::from(who)] = 0;
        }
        step(&mut till, now, input, &mut up, *length);
        let paid = till.paid();
        assert!(paid.promised <= SPEND_MAX && paid.promised <= paid.reserved, "spends too much");
        assert!(paid.promised <= all, "pays for more than came");
    }
}

/// One step, and what a ledger in some mood answers.
fn step(till: &mut Till, now: Time, input: Input, up: &mut BTreeSet<PeerId>, mood: u8) {
    let mut todo = vec![input];
    // A ledger answers later in the world; here at once, so not for ever.
    for _ in 0..64 {
        let Some(input) = todo.pop() else { return };
        let mut out = Vec::new();
        let wake = till.step(now, input, &mut out);
        assert!(wake > now, "a wake that has come makes a driver spin");
        for output in out {
            match output {
                Output::Send { to, .. } => assert!(up.contains(&to), "sends to nobody"),
                Output::Reserve { payee, amount } => {
                    let (epoch, used) = (u32::from(mood % 2), u128::from(mood % 5));
                    let lane = Reserved { epoch, reserve: amount + used, used };
                    let lane = (mood % 3 > 0).then_some(lane);
                    todo.push(Input::Reserved { payee, lane });
                }
                Output::Prove { peer, lane } => {
                    let proof = (mood % 4 > 0).then(|| LaneProof {
                        signer: KEY.id(),
                        asset: AssetId::NATIVE,
                        reserve: u128::from(mood),
                        redeemed: u128::from(mood % 7),
                        epoch: lane.epoch,
                        left_s: u64::from(mood) * 1_000,
                    });
                    todo.push(Input::Proved { peer, lane, proof });
                }
                Output::Claim { peer, .. } => {
                    let redeemed = (mood % 2 == 0).then_some(u128::from(mood));
                    todo.push(Input::Claimed { peer, redeemed });
                }
                Output::Remember(_)
                | Output::Forget(_)
                | Output::Keep(_)
                | Output::Entrusted { .. }
                | Output::Hold { .. }
                | Output::Event(_) => {}
            }
        }
    }
}

/// Scripts that get somewhere.
pub fn seeds() -> Vec<Vec<u8>> {
    let terms = PayMessage::Terms(Terms {
        chain: [3; 32].into(),
        account: [9; 32].into(),
        asset: 0,
        per_mib: PER_MIB,
        quantum_bytes: 1 << 19,
        required: true,
    });
    let lane = PayMessage::Lane(Lane { pool: 1, epoch: 1 });
    let mut script = Vec::new();
    for message in [terms, lane] {
        let frame = message.encode_to_vec();
        script.extend([3, u8::try_from(frame.len()).expect("frames about payment are short")]);
        script.extend(frame);
    }
    script.extend([9, 200].repeat(20));
    vec![script, keep().encode_to_vec()]
}

/// What a payee leaves with a neighbour.
fn keep() -> PayMessage {
    let lane = Lane { pool: 1, epoch: 1 };
    let promise = Promise { lane, cumulative: 90_000, signature: [7; 64].into() };
    PayMessage::Keep(Keep { chain: [3; 32].into(), payee: [9; 32].into(), promise, turn: 1 })
}
