//! Frames about the ledger from neighbours, and vouchers that they leave, into a wallet that has a server and into one
//! that asks them: the first two bytes of each step choose who hears it and how long it is.
//!
//! What must hold: no panic; what is read survives being written; no wake that has come; frames go only to neighbours
//! that are here; what is shown of a balance is what the ledger holds.

use light_client::{
    ServerId,
    testing::{Ledger, State},
};
use wallet::{
    Input, Output, Saved, Wallet,
    view::{Carry, Command, Told, Wish},
};
use wire::{
    near::{Answer, Ask, Follows, NearMessage, NewHead, Submit},
    pay::{Keep, Lane, PayMessage, Promise},
};

const NOW_MS: u64 = 1_790_000_000_000;
/// Longest script, in steps.
const STEPS_MAX: usize = 60;
const NEIGHBOURS: u8 = 3;
/// Ticks at one time until there is nothing more to do.
const TURNS_MAX: u32 = 3;

/// A wallet and its time.
struct Tab {
    wallet: Wallet,
    now_ms: u64,
}

impl Tab {
    /// Its servers, if it has any, keep silent but for one block.
    fn new(ledger: &Ledger, has_server: bool) -> Self {
        let mut out = Vec::new();
        let saved = Saved::new([5; 32], ledger.root().to_string(), false);
        let wallet = Wallet::new(saved, "http://one.example", false, &mut out).expect("a root");
        let mut tab = Self { wallet, now_ms: NOW_MS };
        let first = ServerId(0);
        if has_server {
            tab.step(Input::Up(first));
            tab.step(Input::Pushed(first, &ledger.finality(2, 0).to_bytes()));
        } else {
            tab.step(Input::Down(first));
        }
        tab.step(Input::Command(Command::Purse(Wish::HandIn(true))));
        let follows =
            NearMessage::Follows(Follows { chain: (*ledger.root().chain.as_bytes()).into() });
        for number in 0..NEIGHBOURS {
            tab.tell(Told::Up([number; 32].into()));
            tab.tell(Told::Frame([number; 32].into(), follows.encode_to_vec().into()));
        }
        tab.now_ms += 4_000;
        tab.step(Input::Tick);
        tab
    }

    fn tell(&mut self, told: Told) {
        self.step(Input::Command(Command::Near(told)));
    }

    fn step(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        let mut wake = self.wallet.step(self.now_ms, input, &mut out);
        for turn in 0.. {
            if wake.is_none_or(|at| at > self.now_ms) {
                break;
            }
            assert!(turn < TURNS_MAX, "a wake that stays makes a driver spin");
            wake = self.wallet.step(self.now_ms, Input::Tick, &mut out);
        }
        for output in out {
            match output {
                Output::Carry(Carry::Tell { to, frame }) => {
                    assert!(to[0] < NEIGHBOURS, "speaks to nobody");
                    assert!(NearMessage::decode(&frame).is_ok(), "what it says can be read");
                }
                Output::Show(view) => {
                    assert!(view.balance.is_none_or(|one| one.units == 0), "nobody holds anything");
                }
                _ => {}
            }
        }
    }
}

/// Plays the script.
pub fn run(bytes: &[u8]) {
    if let Ok(message) = NearMessage::decode(bytes) {
        assert_eq!(
            NearMessage::decode(&message.encode_to_vec()),
            Ok(message),
            "it survives being written"
        );
    }
    let ledger = ledger();
    let mut tabs = [Tab::new(&ledger, true), Tab::new(&ledger, false)];
    let mut rest = bytes;
    for _ in 0..STEPS_MAX {
        let Some(([what, length], tail)) = rest.split_first_chunk::<2>() else { return };
        let (frame, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        let from = [what % NEIGHBOURS; 32];
        for tab in &mut tabs {
            tab.now_ms += u64::from(*length) * 10;
            match what / NEIGHBOURS % 8 {
                0 => tab.tell(Told::Down(from.into())),
                1 => tab.tell(Told::Up(from.into())),
                2 => tab.step(Input::Tick),
                _ => tab.tell(Told::Frame(from.into(), frame.to_vec().into())),
            }
        }
    }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(1);
    for number in 1..=3u8 {
        let records: [(&[u8], &[u8]); 2] = [(b"held", &[number]), (b"other", b"x")];
        ledger.add(NOW_MS, State::of(&records, 5, 0));
    }
    ledger
}

/// Scripts that get somewhere, and frames alone.
pub fn seeds() -> Vec<Vec<u8>> {
    let ledger = ledger();
    let proof = ledger.state_proof(3, b"gone").to_bytes();
    let short = proof.get(..200).unwrap_or(&proof).to_vec();
    let frames = [
        NearMessage::Follows(Follows { chain: (*ledger.root().chain.as_bytes()).into() }),
        NearMessage::Ask(Ask { request: 1, key: None }),
        NearMessage::Ask(Ask { request: 2, key: Some(b"held".to_vec().into()) }),
        NearMessage::Answer(Answer { request: 0, bytes: Some(short.into()) }),
        NearMessage::Answer(Answer { request: 1, bytes: None }),
        NearMessage::NewHead(NewHead { finality: vec![1; 40].into() }),
        NearMessage::Submit(Submit { transaction: vec![1; 90].into() }),
    ];
    let mut frames: Vec<Vec<u8>> = frames.iter().map(NearMessage::encode_to_vec).collect();
    let promise =
        Promise { lane: Lane { pool: 1, epoch: 1 }, cumulative: 90_000, signature: [7; 64].into() };
    let chain = (*ledger.root().chain.as_bytes()).into();
    let keep = Keep { chain, payee: [9; 32].into(), promise, turn: 0 };
    frames.push(PayMessage::Keep(keep).encode_to_vec());
    let mut script = Vec::new();
    for frame in &frames {
        script.extend([9, u8::try_from(frame.len()).unwrap_or(u8::MAX)]);
        script.extend(frame.iter().take(usize::from(u8::MAX)));
    }
    let mut seeds = frames;
    seeds.push(
        NearMessage::Answer(Answer { request: 0, bytes: Some(proof.into()) }).encode_to_vec(),
    );
    seeds.push(script);
    seeds
}
