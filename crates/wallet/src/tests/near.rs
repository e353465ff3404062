//! A wallet whose servers are gone, one that has some, and what passes between their pages.

mod turns;

use proptest::prelude::*;
use wire::{
    ledger::{Finality, StateProof},
    near::{Answer, Ask, Follows, NearMessage, NewHead, Submit},
};

use super::*;
use crate::view::{Carry, Told};

const ALONE_MS: u64 = 3_000;
/// Names of the two, as each other's pages know them.
const FIRST: [u8; 32] = [1; 32];
const LONE: [u8; 32] = [2; 32];

/// What the first one's frame becomes on its way; none: it is lost.
type Change = Box<dyn FnMut(NearMessage) -> Option<Vec<u8>>>;

/// Two tabs with a share between them.
struct Street {
    /// Has a server.
    first: Rig,
    /// Has none.
    lone: Rig,
    change: Change,
    /// What the lone one said, all of it.
    asked: Vec<NearMessage>,
}

fn told(told: Told) -> Command {
    Command::Near(told)
}

fn frame(from: [u8; 32], message: &NearMessage) -> Command {
    told(Told::Frame(from.into(), message.encode_to_vec().into()))
}

/// What a wallet says to neighbours since it was last looked at.
fn said(rig: &mut Rig) -> Vec<NearMessage> {
    let read = |carry| match carry {
        Carry::Tell { frame, .. } => Some(NearMessage::decode(&frame).unwrap()),
        _ => None,
    };
    std::mem::take(&mut rig.carried).into_iter().filter_map(read).collect()
}

impl Street {
    /// Both know each other; of the ledger's two blocks the lone one saw none.
    fn new() -> Self {
        let mut first = Rig::new();
        first.up();
        first.block(6_000_000, 0);
        first.block(7_000_000, 0);
        let mut lone =
            Rig::with(first.ledger.clone(), Saved::new(SEED, first.saved.root.clone(), false));
        lone.now_ms = first.now_ms;
        for (server, _) in std::mem::take(&mut lone.connects) {
            lone.step(Input::Down(server));
        }
        let change: Change = Box::new(|message| Some(message.encode_to_vec()));
        let mut street = Self { first, lone, change, asked: vec![] };
        street.first.command(told(Told::Up(LONE.into())));
        street.lone.command(told(Told::Up(FIRST.into())));
        street
    }

    /// Lets time pass for both, second by second.
    fn wait(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(1_000) {
            for rig in [&mut self.first, &mut self.lone] {
                rig.now_ms += 1_000;
                rig.step(Input::Tick);
            }
            self.carry();
        }
    }

    /// Carries frames until both are silent; the first one's server answers.
    fn carry(&mut self) {
        for _ in 0..20 {
            self.first.answer();
            for message in said(&mut self.first) {
                if let Some(bytes) = (self.change)(message) {
                    self.lone.command(told(Told::Frame(FIRST.into(), bytes.into())));
                }
            }
            for message in said(&mut self.lone) {
                self.first.command(frame(LONE, &message));
                self.asked.push(message);
            }
        }
    }

    /// A block that the first one hears of.
    fn block(&mut self, units: u128, nonce: u64) {
        self.first.block(units, nonce);
        self.lone.now_ms = self.first.now_ms;
        self.carry();
        self.wait(2_000);
    }

    fn units(&self) -> Option<(u128, u64)> {
        self.lone.view.balance.map(|one| (one.units, one.height))
    }

    /// What the neighbour is blamed for.
    fn blamed(&self) -> (bool, Vec<String>) {
        match &self.lone.view.neighbours[..] {
            [one] => (one.lies, one.faults.clone()),
            other => panic!("one neighbour, not {other:?}"),
        }
    }
}

/// Changes answers that bring a proof, and nothing else.
fn proofs(mut change: impl FnMut(StateProof) -> Vec<u8> + 'static) -> Change {
    Box::new(move |message| {
        let NearMessage::Answer(Answer { request, bytes: Some(bytes) }) = &message else {
            return Some(message.encode_to_vec());
        };
        let Some(proof) = StateProof::read(bytes) else { return Some(message.encode_to_vec()) };
        let bytes = Some(change(proof).into());
        Some(NearMessage::Answer(Answer { request: *request, bytes }).encode_to_vec())
    })
}

#[test]
fn a_tab_without_a_server_proves_its_balance_by_a_neighbour_and_follows_it() {
    let mut street = Street::new();
    street.carry();
    assert_eq!(street.asked, [], "a server may come in a moment");
    street.wait(ALONE_MS);
    assert_eq!(street.units(), Some((7_000_000, 2)));
    assert_eq!((street.lone.view.sight, street.lone.view.by_neighbour), (Sight::Fresh, true));
    let [one] = &street.lone.view.neighbours[..] else { panic!("it is shown") };
    assert_eq!((one.url.clone(), one.height), ("01".repeat(32), 2));
    assert_eq!(street.blamed(), (false, vec![]));

    street.block(8_000_000, 0);
    assert_eq!(street.units(), Some((8_000_000, 3)), "it was told of the block");
    assert_eq!(street.first.view.neighbours, [], "who has a server asks nobody");
}

#[test]
fn who_follows_another_ledger_or_said_nothing_is_not_asked() {
    let mut street = Street::new();
    street.change = Box::new(|message| match message {
        NearMessage::Follows(_) => {
            Some(NearMessage::Follows(Follows { chain: [9; 32].into() }).encode_to_vec())
        }
        other => Some(other.encode_to_vec()),
    });
    street.wait(ALONE_MS * 2);
    assert_eq!((street.asked.len(), street.units()), (0, None));
}

#[test]
fn a_server_that_comes_back_is_asked_again_and_neighbours_are_not() {
    let mut street = Street::new();
    street.wait(ALONE_MS);
    street.lone.ledger = street.first.ledger.clone();
    street.lone.up();
    assert_eq!(street.lone.view.neighbours, []);
    street.asked.clear();
    street.first.block(9_000_000, 0);
    street.lone.ledger = street.first.ledger.clone();
    let bytes = street.lone.ledger.finality(3, 0).to_bytes();
    street.lone.now_ms = street.first.now_ms;
    (0..20).for_each(|server| street.lone.step(Input::Pushed(ServerId(server), &bytes)));
    street.lone.answer();
    street.carry();
    assert_eq!((street.units(), street.lone.view.by_neighbour), (Some((9_000_000, 3)), false));
    let asks = |message: &&NearMessage| !matches!(message, NearMessage::Follows(_));
    assert_eq!(street.asked.iter().find(asks), None);
}

#[test]
fn a_tab_pays_through_a_neighbour_and_tells_it_again_until_it_is_proved() {
    let mut street = Street::new();
    street.wait(ALONE_MS);
    street.lone.command(send(somebody(), 1_000_000));
    street.carry();
    assert_eq!(street.lone.view.refused, "");
    let bytes = street.lone.saved.sent[0].bytes.clone();
    let count = street.first.submitted.len();
    assert!(count > 0, "it is handed on");
    assert_eq!(street.lone.view.sent[0].fate, Fate::Sending, "its word counts for nothing");
    street.wait(4_000);
    assert!(street.first.submitted.len() > count, "it is told again");
    assert!(street.first.submitted.iter().all(|one| *one == bytes));
    street.block(5_900_000, 1);
    assert_eq!(
        (street.lone.view.sent[0].fate, street.units()),
        (Fate::Final, Some((5_900_000, 3)))
    );
    let count = street.first.submitted.len();
    street.wait(6_000);
    assert_eq!(street.first.submitted.len(), count, "and no more then");
}

#[test]
fn a_neighbour_that_lies_is_named_and_asked_no_more() {
    let old = Street::new().first.ledger;
    let mut forged = Ledger::new(9);
    (0..2).for_each(|_| {
        forged.add(1_790_000_000_000, state(99_000_000, 0));
    });
    let key = balance_key(account(), AssetId::NATIVE).as_bytes().to_vec();
    let early = old.state_proof(1, &key);
    let lies: [(&str, Change); 6] = [
        (
            "false-proof",
            proofs(|proof| StateProof { record: Some(vec![0].into()), ..proof }.to_bytes()),
        ),
        (
            "malformed",
            proofs(|proof| {
                let mut bytes = proof.to_bytes();
                bytes.pop();
                bytes
            }),
        ),
        // True once: of the block before the one that it showed.
        ("backwards", proofs(move |_| old.state_proof(1, &key).to_bytes())),
        // The newest block, and a proof of the state before it.
        (
            "false-proof",
            proofs(move |proof| {
                StateProof { finality: proof.finality, ..early.clone() }.to_bytes()
            }),
        ),
        (
            "forged",
            proofs(move |proof| StateProof { finality: forged.finality(2, 0), ..proof }.to_bytes()),
        ),
        (
            "malformed",
            Box::new(|message| match message {
                NearMessage::Answer(Answer { request, bytes: Some(_) }) => {
                    let bytes = Some(vec![0x80].into());
                    Some(NearMessage::Answer(Answer { request, bytes }).encode_to_vec())
                }
                other => Some(other.encode_to_vec()),
            }),
        ),
    ];
    for (fault, change) in lies {
        let mut street = Street::new();
        street.change = change;
        street.wait(ALONE_MS);
        let (lies, faults) = street.blamed();
        assert!(lies && faults.iter().any(|one| one == fault), "{fault}: {faults:?}");
        assert_eq!(street.units(), None, "{fault}");
        street.asked.clear();
        street.change = Box::new(|message| Some(message.encode_to_vec()));
        // It goes and comes back, and is honest now.
        street.lone.command(told(Told::Down(FIRST.into())));
        street.lone.command(told(Told::Up(FIRST.into())));
        street.block(8_000_000, 0);
        street.wait(ALONE_MS);
        assert_eq!((street.asked.len(), street.units()), (0, None), "{fault}");
        assert!(street.blamed().0, "{fault}: it stays named");
    }
}

#[test]
fn a_forged_block_that_nobody_asked_for_is_a_lie_too() {
    let mut street = Street::new();
    street.wait(ALONE_MS);
    let mut forged = Ledger::new(9);
    for _ in 0..4 {
        forged.add(street.lone.now_ms, state(99_000_000, 0));
    }
    let finality = forged.finality(4, 0).to_bytes().into();
    street.lone.command(frame(FIRST, &NearMessage::NewHead(NewHead { finality })));
    street.wait(1_000);
    assert_eq!(street.blamed(), (true, vec!["forged".to_owned()]));
    assert_eq!(street.units(), Some((7_000_000, 2)), "what was proved stays");
}

#[test]
fn a_neighbour_that_keeps_silent_or_says_too_much_is_named_until_it_answers() {
    let mut street = Street::new();
    street.change = Box::new(|message| match message {
        // Longer than any frame may be: it is not read.
        NearMessage::Answer(Answer { request, bytes: Some(_) }) => {
            let bytes = Some(vec![0; 70_000].into());
            Some(NearMessage::Answer(Answer { request, bytes }).encode_to_vec())
        }
        other => Some(other.encode_to_vec()),
    });
    street.wait(ALONE_MS + 20_000);
    assert_eq!((street.lone.view.sight, street.units()), (Sight::Blind, None));
    assert_eq!(street.blamed(), (false, vec!["withholds".to_owned()]));
    street.change = Box::new(|message| Some(message.encode_to_vec()));
    street.block(8_000_000, 0);
    street.wait(20_000);
    assert_eq!(street.blamed(), (false, vec![]));
    assert_eq!(street.units().map(|(units, _)| units), Some(8_000_000));
}

#[test]
fn what_was_not_asked_or_is_anothers_to_answer_is_not_heard() {
    let mut street = Street::new();
    street.wait(ALONE_MS);
    let proofs = street.lone.view.proofs;
    street.block(8_000_000, 0);
    assert!(street.lone.view.proofs > proofs);
    let number = |message: &NearMessage| match message {
        NearMessage::Ask(ask) => Some(ask.request),
        _ => None,
    };
    let asked: Vec<u32> = street.asked.iter().filter_map(number).collect();
    assert!(!asked.is_empty());
    for request in asked.into_iter().chain(0..40) {
        let bytes = Some(vec![1, 2, 3].into());
        let answer = NearMessage::Answer(Answer { request, bytes });
        // A stranger, and one that is here but was not asked.
        street.lone.command(frame([7; 32], &answer));
        street.lone.command(told(Told::Up([8; 32].into())));
        street.lone.command(frame([8; 32], &answer));
    }
    assert_eq!(street.blamed(), (false, vec![]));
}

/// The one thing that a wallet says: its answer to this question.
fn answer(rig: &mut Rig, request: u32) -> Option<Vec<u8>> {
    let said = said(rig);
    match &said[..] {
        [NearMessage::Answer(one)] if one.request == request => one.bytes.clone().map(Into::into),
        other => panic!("one answer, not {other:?}"),
    }
}

/// Asks the first one for so many records, and for the newest block; how many answers there were, and how many
/// brought something.
fn flood(rig: &mut Rig, from: [u8; 32], count: u32) -> (usize, usize) {
    rig.carried.clear();
    for request in 0..count {
        let key = Some(request.to_be_bytes().to_vec().into());
        rig.command(frame(from, &NearMessage::Ask(Ask { request, key })));
    }
    let answers = said(rig).into_iter().filter_map(|message| match message {
        NearMessage::Answer(answer) => Some(answer.bytes.is_some()),
        _ => None,
    });
    let answers: Vec<bool> = answers.collect();
    (answers.len(), answers.iter().filter(|full| **full).count())
}

#[test]
fn a_flood_of_questions_reaches_no_server_and_holds_nothing_up() {
    let mut street = Street::new();
    street.first.answer();
    street.first.asks.clear();
    let (declined, full) = flood(&mut street.first, LONE, 1_000);
    assert_eq!((declined, full, street.first.asks.len()), (994, 0, 6));
    // Others ask, too: all together have their bound.
    for number in 10..20 {
        street.first.command(told(Told::Up([number; 32].into())));
        flood(&mut street.first, [number; 32], 1_000);
    }
    assert_eq!(street.first.asks.len(), 16);
    street.first.block(9_000_000, 0);
    assert_eq!(street.first.view.balance.unwrap().units, 9_000_000, "its own questions go through");
    // What it may ask comes back with time, no more than there was.
    street.first.now_ms += 3_600_000;
    street.first.carried.clear();
    for request in 0..100 {
        street.first.command(frame(LONE, &NearMessage::Ask(Ask { request, key: None })));
    }
    let full = |message: &&NearMessage| {
        matches!(message, NearMessage::Answer(Answer { bytes: Some(_), .. }))
    };
    assert_eq!(said(&mut street.first).iter().filter(full).count(), 32);
}

#[test]
fn a_flood_of_transactions_is_handed_on_as_far_as_the_budget_goes() {
    let mut street = Street::new();
    street.first.answer();
    for number in 0..100_u8 {
        let transaction = vec![number].into();
        street.first.command(frame(LONE, &NearMessage::Submit(Submit { transaction })));
    }
    street.first.answer();
    assert_eq!(street.first.submitted.len(), 4);
}

#[test]
fn the_same_question_at_the_same_block_is_asked_of_the_server_once() {
    let mut street = Street::new();
    street.first.answer();
    let ask =
        |request| NearMessage::Ask(Ask { request, key: Some(b"some record".to_vec().into()) });
    street.first.command(frame(LONE, &ask(0)));
    street.first.answer();
    street.first.carried.clear();
    street.first.command(frame(LONE, &ask(1)));
    assert!(street.first.asks.is_empty());
    assert!(StateProof::read(&answer(&mut street.first, 1).unwrap()).is_some());
    street.first.block(9_000_000, 0);
    street.first.command(frame(LONE, &ask(2)));
    assert_eq!(street.first.asks.len(), 1, "of a newer block it may be another");
}

#[test]
fn no_question_goes_round() {
    let mut street = Street::new();
    street.wait(ALONE_MS);
    // The first one's servers go, too: each of the two knows that the other follows the ledger.
    let server = ServerId(0);
    street.first.step(Input::Down(server));
    let follows = Follows { chain: street.first.ledger.root().chain.as_bytes().to_owned().into() };
    street.first.command(frame(LONE, &NearMessage::Follows(follows)));
    street.first.now_ms += ALONE_MS;
    street.first.step(Input::Tick);
    assert_eq!(street.first.view.neighbours.len(), 1, "it asks the lone one now");
    street.first.carried.clear();
    let key = Some(b"some record".to_vec().into());
    street.first.command(frame(LONE, &NearMessage::Ask(Ask { request: 77, key })));
    assert_eq!(answer(&mut street.first, 77), None);
    // What it holds itself it still tells: the newest block.
    street.first.command(frame(LONE, &NearMessage::Ask(Ask { request: 78, key: None })));
    let newest = answer(&mut street.first, 78).unwrap();
    assert_eq!(Finality::read(&newest).unwrap().headers.len(), 1);
    // And a transaction has nowhere to go.
    let transaction = vec![1].into();
    street.first.command(frame(LONE, &NearMessage::Submit(Submit { transaction })));
    assert_eq!(said(&mut street.first), []);
}

#[test]
fn a_servers_lie_is_not_handed_on() {
    let mut street = Street::new();
    street.first.liar = Some(ORIGIN);
    street.wait(ALONE_MS);
    assert_eq!(street.units(), None);
    let (lies, faults) = street.blamed();
    assert!(!lies, "{faults:?}");
    let server = &street.first.view.servers[0];
    assert!(server.lies, "{server:?}");
}

#[test]
fn an_answer_of_an_earlier_block_than_was_shown_is_not_given() {
    let Street { mut first, .. } = Street::new();
    first.command(frame(LONE, &NearMessage::Ask(Ask { request: 0, key: None })));
    // The server that told of the block goes. Another is a block behind, and honest.
    first.command(Command::AddServer(OTHER.to_owned()));
    let (server, _) = first.connects.remove(0);
    first.step(Input::Up(server));
    let (request, ..) = first.asks.remove(0);
    let early = first.ledger.finality(1, 0).to_bytes();
    first.step(Input::Answered(request, 200, "", &early));
    first.step(Input::Down(ServerId(0)));
    first.carried.clear();
    let key = b"some record".to_vec();
    first
        .command(frame(LONE, &NearMessage::Ask(Ask { request: 1, key: Some(key.clone().into()) })));
    let (request, ..) = first.asks.remove(0);
    let early = first.ledger.state_proof(1, &key).to_bytes();
    first.step(Input::Answered(request, 200, "", &early));
    assert_eq!(answer(&mut first, 1), None);
    assert!(!first.view.servers.iter().any(|server| server.lies));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever a neighbour's frames become, what is shown is what the ledger holds at that height.
    #[test]
    fn no_change_of_a_frame_shows_what_the_ledger_does_not_hold(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
        which in 0usize..6,
    ) {
        let mut street = Street::new();
        let mut count = 0;
        street.change = Box::new(move |message| {
            let mut bytes = message.encode_to_vec();
            count += 1;
            if count % 6 == which {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                if cut {
                    bytes.truncate(at);
                }
            }
            Some(bytes)
        });
        street.wait(ALONE_MS);
        street.block(8_000_000, 0);
        street.wait(20_000);
        let held = [(6_000_000, 1), (7_000_000, 2), (8_000_000, 3)];
        prop_assert!(street.units().is_none_or(|shown| held.contains(&shown)), "{:?}", street.units());
    }

    /// Any frames of a stranger: no panic, and no more questions to servers than the bounds say.
    #[test]
    fn any_frames_of_a_stranger_do_no_harm(
        frames in prop::collection::vec((40u8..=44, prop::collection::vec(any::<u8>(), 0..80)), 0..60),
    ) {
        let mut street = Street::new();
        street.first.answer();
        for (kind, tail) in frames {
            let bytes = [&[0x82, 0x18, kind][..], &tail].concat();
            street.first.command(told(Told::Frame(LONE.into(), bytes.into())));
        }
        prop_assert!(street.first.asks.len() <= 16 + 8);
        street.first.block(9_000_000, 0);
        prop_assert_eq!(street.first.view.balance.unwrap().units, 9_000_000);
    }
}
