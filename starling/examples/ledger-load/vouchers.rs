//! Promises between two tills, in memory: for each quantum of bytes that came, the payer signs a voucher, and the
//! payee checks and counts it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ledger::{AccountId, AssetId, ChainId};
use peer_native::payments::{
    Earning, Input, LaneProof, Output, Paying, Reserved, Setup, Till, config::QUANTUM_BYTES,
};
use primitives::{KeyPair, PeerId, Seed, Time};
use serde_json::{Value, json};

use super::{Fault, per_s};

const POOL: u64 = 7;
const PER_MIB: u64 = 1_000;
/// Numbers of keys.
const SIGNER: u64 = 9;
const PAYER: u64 = 20;
const PAYEE: u64 = 21;
/// Time between two quanta: at 50 MB/s.
const EVERY: Duration = Duration::from_millis(10);

/// Two tills with a lane between them.
struct Pair {
    now: Time,
    payer: Side,
    payee: Side,
    /// Units set aside in the lane.
    reserve: u128,
    /// Promises that the payee would write down.
    kept: usize,
    /// Bytes of all frames.
    frames_bytes: usize,
}

/// One of them, and the time it took.
struct Side {
    till: Till,
    id: PeerId,
    took: Duration,
}

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

/// So many promises, each for a quantum.
pub(crate) fn measure(count: u32) -> Result<Value, Fault> {
    let mut pair = Pair::new();
    pair.meet();
    let began = Instant::now();
    for number in 1..=count {
        pair.bring(u64::from(QUANTUM_BYTES) * u64::from(number));
    }
    let seconds = began.elapsed().as_secs_f64();
    let (promised, sure) = (pair.payer.till.paid().promised, pair.payee.till.earned().sure);
    let wanted = usize::try_from(count)?;
    if promised != sure || pair.kept != wanted {
        let kept = pair.kept;
        return Err(format!("{kept} promises of {count}, {promised} units and {sure}").into());
    }
    Ok(json!({
        "count": count,
        "per_s": per_s(wanted, seconds),
        "signed_per_s": per_s(wanted, pair.payer.took.as_secs_f64()),
        "counted_per_s": per_s(wanted, pair.payee.took.as_secs_f64()),
        "bytes": pair.frames_bytes / wanted.max(1),
    }))
}

impl Pair {
    fn new() -> Self {
        let chain = ChainId::new([3; 32]);
        let paying = Paying {
            pool: POOL,
            asset: AssetId::NATIVE,
            signer: key(SIGNER),
            per_mib_max: PER_MIB,
            spend_max: u128::from(u64::MAX),
        };
        let earning = Earning {
            account: AccountId::of_key(key(PAYEE).id()),
            asset: AssetId::NATIVE,
            per_mib: PER_MIB,
            required: true,
            claim_from: u128::MAX,
            claim_least: u128::MAX,
        };
        let pays = Setup { chain, paying: Some(paying), earning: None };
        let earns = Setup { chain, paying: None, earning: Some(earning) };
        Self {
            now: Time::ZERO,
            payer: Side::new(pays, PAYER),
            payee: Side::new(earns, PAYEE),
            reserve: 0,
            kept: 0,
            frames_bytes: 0,
        }
    }

    fn meet(&mut self) {
        let (payer, payee) = (self.payer.id, self.payee.id);
        self.run(true, Input::Up(payee));
        self.run(false, Input::Up(payer));
    }

    /// So many bytes came from the payee to the payer in all.
    fn bring(&mut self, total: u64) {
        let (payer, payee) = (self.payer.id, self.payee.id);
        self.now = self.now + EVERY;
        self.run(false, Input::Moved { peer: payer, received: 0, spared: 0, sent: total });
        self.run(true, Input::Moved { peer: payee, received: total, spared: 0, sent: 0 });
    }

    /// One input for the payer or for the payee, and what follows until both are content.
    fn run(&mut self, for_payer: bool, input: Input) {
        let mut waiting = VecDeque::from([(for_payer, input)]);
        while let Some((for_payer, input)) = waiting.pop_front() {
            let side = if for_payer { &mut self.payer } else { &mut self.payee };
            let (from, mut out) = (side.id, Vec::new());
            let began = Instant::now();
            side.till.step(self.now, input, &mut out);
            side.took += began.elapsed();
            for output in out {
                self.perform(for_payer, from, output, &mut waiting);
            }
        }
    }

    fn perform(
        &mut self,
        of_payer: bool,
        from: PeerId,
        output: Output,
        waiting: &mut VecDeque<(bool, Input)>,
    ) {
        match output {
            Output::Send { bytes, .. } => {
                self.frames_bytes += bytes.len();
                waiting.push_back((!of_payer, Input::Frame { from, bytes }));
            }
            // A ledger that does at once what it is asked for.
            Output::Reserve { payee, amount } => {
                self.reserve += amount;
                let lane = Reserved { epoch: 1, reserve: self.reserve, used: 0 };
                waiting.push_back((of_payer, Input::Reserved { payee, lane: Some(lane) }));
            }
            Output::Prove { peer, lane } => {
                let proof = Some(LaneProof {
                    signer: key(SIGNER).id(),
                    asset: AssetId::NATIVE,
                    reserve: self.reserve,
                    redeemed: 0,
                    epoch: 1,
                    left_s: 86_400,
                });
                waiting.push_back((of_payer, Input::Proved { peer, lane, proof }));
            }
            Output::Keep(_) => self.kept += 1,
            Output::Claim { .. }
            | Output::Entrusted { .. }
            | Output::Forget(_)
            | Output::Remember(_)
            | Output::Hold { .. }
            | Output::Event(_) => {}
        }
    }
}

impl Side {
    fn new(setup: Setup, number: u64) -> Self {
        let till = Till::new(setup, Time::ZERO);
        Self { till, id: key(number).id(), took: Duration::ZERO }
    }
}
