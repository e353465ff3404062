//! DIDs of a ledger, made by a session's own ops and read back as a page does.

mod lists;

use identity::session::{self, Next, Secret, Session};
use ledger::{BlockContext, ChainId, Genesis, MemoryStore, Overlay, Params, Store};
use primitives::{KeyPair, Seed};

use super::*;

const NETWORK: [u8; 32] = [1; 32];
const HOUR_MS: u64 = 3_600_000;

/// A person with a seed that is open.
fn person(number: u8) -> Session {
    let mut session = Session::default();
    let mut call = |number: u8, command| {
        let (answer, _) = session.call(1, [number; 32], command);
        assert_eq!(answer.refused, None);
        answer
    };
    call(number, session::Command::Create);
    let words = call(1, session::Command::Words).texts;
    let words: Vec<&str> = words.iter().map(Secret::as_str).collect();
    call(2, session::Command::Confirm(Secret::text(&words.join(" "))));
    call(3, session::Command::Salt);
    let output = Secret::new(vec![9; 32]);
    call(4, session::Command::Passkey { id: vec![1].into(), output });
    session
}

/// A ledger that does what wallets are told, and shows its records.
struct World {
    store: MemoryStore,
    now_ms: u64,
    height: u64,
    /// Transactions so far.
    blocks: Vec<Vec<u8>>,
}

fn payer() -> KeyPair {
    KeyPair::from_seed(Seed::from_number(1))
}

impl World {
    fn new() -> Self {
        let allocations = vec![(AccountId::of_key(payer().id()), 100 * DEPOSIT)];
        let genesis = Genesis {
            name: "test".to_owned(),
            time_ms: 1_790_000_000_000,
            params: Params::default(),
            symbol: "STAR".to_owned(),
            decimals: 6,
            allocations,
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().unwrap());
        Self { store, now_ms: genesis.time_ms, height: 1, blocks: Vec::new() }
    }

    fn submit(&mut self, command: Command) -> Result<(), u16> {
        let Command::Did { action, .. } = command else { panic!("a command for a DID") };
        let action = Action::Identity(view::read(&action).unwrap());
        self.height += 1;
        let chain = ChainId::new(NETWORK);
        let context = BlockContext { chain, height: self.height, time_ms: self.now_ms };
        let signer = AccountId::of_key(payer().id());
        let mut state = Overlay::new(&self.store);
        let done = ledger::execute(&context, signer, &action, &mut state);
        let (changes, _) = state.into_parts();
        if done.is_ok() {
            self.store.commit(changes);
            let body = ledger::Body::new(chain, signer, 0, action);
            self.blocks.push(body.sign(&payer()).to_bytes());
        }
        done
    }

    /// Records, as a page has them proved.
    fn records(&self, keys: Vec<ByteVec>) -> Records {
        let record = |key: ByteVec| view::Record {
            record: self.store.get(&ledger::Key::from_bytes(key.to_vec())).map(Into::into),
            key,
            height: self.height,
            time_ms: self.now_ms,
        };
        Records { list: keys.into_iter().map(record).collect() }
    }

    /// What a page knows of a DID: it asks twice, the second time for the history.
    fn look(&self, id: StarlingId) -> Found {
        match look(&self.records(keys(id, None)), NETWORK, id) {
            Found::Here(name) => look(&self.records(keys(id, Some(name.head.seq))), NETWORK, id),
            other => other,
        }
    }

    fn name(&self, id: StarlingId) -> Name {
        match self.look(id) {
            Found::Here(name) => *name,
            other => panic!("{other:?}"),
        }
    }
}

fn ask(session: &mut Session, command: session::Command) -> session::Answer {
    let (answer, _) = session.call(2, [7; 32], command);
    assert_eq!(answer.refused, None);
    answer
}

fn register(world: &mut World, session: &mut Session) -> StarlingId {
    let op = ask(session, session::Command::Genesis(NETWORK)).bytes;
    let id = id_of(&op).unwrap();
    assert!(matches!(world.look(id), Found::Absent { .. }));
    world.submit(create(&op).unwrap()).unwrap();
    id
}

fn change(world: &mut World, session: &mut Session, id: StarlingId, change: Next) {
    let head = world.name(id).head;
    let op = ask(session, session::Command::Next { head, change }).bytes;
    world.submit(apply(id, &op).unwrap()).unwrap();
}

fn sign(world: &World, session: &mut Session, id: StarlingId, text: &str, at_ms: u64) -> String {
    let head = Some(world.name(id).head);
    let sign = session::Command::Sign { text: text.to_owned(), head };
    let (answer, _) = session.call(at_ms, [7; 32], sign);
    answer.texts[0].as_str().to_owned()
}

#[test]
fn a_statement_signed_before_a_change_of_keys_holds_by_the_version_of_its_time() {
    let mut world = World::new();
    let mut ann = person(1);
    let id = register(&mut world, &mut ann);
    let before = world.now_ms + HOUR_MS;
    let op = ann.call(
        before,
        [7; 32],
        session::Command::Unlock { slot: 1, with: Secret::new(vec![9; 32]) },
    );
    assert_eq!(op.0.refused, None);
    let signed = sign(&world, &mut ann, id, "mine", before);
    world.now_ms += 2 * HOUR_MS;
    change(&mut world, &mut ann, id, Next::Rotate);
    let name = world.name(id);
    assert_eq!((name.head.seq, name.versions.len()), (1, 2));

    let read = identity::statement::Statement::parse(&signed).unwrap();
    assert_eq!(read.did(), format!("did:starling:{id}"));
    let (seq, version) = name.version_at(read.at_s).unwrap();
    assert_eq!(seq, 0);
    let then = content(&world.blocks, version.content).unwrap();
    let key = key_named(&then, read.key_name()).unwrap();
    assert_eq!(read.verify(&key), Ok(()));
    // The key is none of the DID's now: signed after the change, it would prove nothing.
    let now = content(&world.blocks, name.head.content).unwrap();
    assert_eq!(key_named(&now, read.key_name()), None);
    assert_eq!(name.version_at(1), None, "there was no DID");

    // Stopped: nothing is signed by it or sealed for it any more. What was signed before stays good.
    world.now_ms += 2 * HOUR_MS;
    change(&mut world, &mut ann, id, Next::Stop);
    let name = world.name(id);
    assert_eq!(name.version_at(world.now_ms / 1000 + 1), None, "it has no keys from then on");
    assert_eq!(name.version_at(read.at_s).map(|(seq, _)| seq), Some(0));
}

#[test]
fn guardians_approve_and_the_owner_says_no() {
    let mut world = World::new();
    let (mut ann, mut bob, mut carol, mut thief) = (person(1), person(2), person(3), person(4));
    let id = register(&mut world, &mut ann);
    let mut members: Vec<identity::did::Did> =
        [&bob, &carol].iter().map(|one| one.view().did.parse().unwrap()).collect();
    members.sort();
    let guardians = identity::did::starling::Guardians { threshold: 2, members };
    change(&mut world, &mut ann, id, Next::Guardians(Some(guardians)));

    let head = world.name(id).head;
    let asked = ask(&mut thief, session::Command::Ask(head.clone())).texts[0].as_str().to_owned();
    let mut approvals = Vec::new();
    for guardian in [&mut bob, &mut carol] {
        let approve = session::Command::Approve { head: head.clone(), asked: asked.clone() };
        let text = ask(guardian, approve).texts[0].as_str().to_owned();
        approvals.push(identity::did::starling::HandedApproval::parse(&text).unwrap().approval);
    }
    let approve = session::Command::Approve { head: head.clone(), asked: asked.clone() };
    let (answer, _) = thief.call(2, [7; 32], approve);
    assert_eq!(answer.refused, Some(session::Refusal::NoGuardian));

    let text = identity::did::starling::AskText::parse(&asked).unwrap();
    world.submit(guard(id, text.guard.clone(), approvals[..1].to_vec())).unwrap_err();
    world.submit(guard(id, text.guard, approvals)).unwrap();
    let (pending, ready_s) = world.name(id).pending.unwrap();
    assert_eq!(ready_s, world.now_ms / 1000 + 7 * 24 * 3600);
    world.submit(finish(id)).unwrap_err();

    let no = session::Command::Veto { head: world.name(id).head, guard: pending };
    let no = ask(&mut ann, no).bytes;
    world.submit(veto(id, &no).unwrap()).unwrap();
    assert_eq!(world.name(id).pending, None);
    world.now_ms += 8 * 24 * HOUR_MS;
    world.submit(finish(id)).unwrap_err();
}

#[test]
fn who_lost_everything_goes_on_with_the_keys_that_guardians_gave() {
    let mut world = World::new();
    let (mut ann, mut bob) = (person(1), person(2));
    let id = register(&mut world, &mut ann);
    let guardians = identity::did::starling::Guardians {
        threshold: 1,
        members: vec![bob.view().did.parse().unwrap()],
    };
    change(&mut world, &mut ann, id, Next::Guardians(Some(guardians)));
    let mut anew = person(5);
    let head = world.name(id).head;
    let asked = ask(&mut anew, session::Command::Ask(head.clone())).texts[0].as_str().to_owned();
    let text = ask(&mut bob, session::Command::Approve { head, asked: asked.clone() });
    let approval =
        identity::did::starling::HandedApproval::parse(text.texts[0].as_str()).unwrap().approval;
    let ask_text = identity::did::starling::AskText::parse(&asked).unwrap();
    world.submit(guard(id, ask_text.guard, vec![approval])).unwrap();
    world.now_ms += 8 * 24 * HOUR_MS;
    world.submit(finish(id)).unwrap();

    // Until it is changed, the DID still says the key that was lost.
    let head = Some(world.name(id).head);
    let (answer, _) = anew.call(2, [7; 32], session::Command::Sign { text: "x".to_owned(), head });
    assert_eq!(answer.refused, Some(session::Refusal::NotYours));
    change(&mut world, &mut anew, id, Next::Rotate);
    let head = world.name(id).head;
    assert_eq!(head.seq, 3);
    let said = content(&world.blocks, head.content).unwrap();
    assert_eq!(said.methods[0].id, "key-1");
    let next = session::Command::Next { head, change: Next::Rotate };
    let (answer, _) = ann.call(2, [7; 32], next);
    assert_eq!(answer.refused, Some(session::Refusal::NotYours), "the old keys are out");
}

#[test]
fn a_name_that_guardians_gave_is_found_again_after_the_next_recovery() {
    let mut world = World::new();
    let (mut ann, mut bob, mut anew) = (person(1), person(2), person(5));
    let id = register(&mut world, &mut ann);
    let own = register(&mut world, &mut anew);
    let members = vec![bob.view().did.parse().unwrap()];
    let guardians = identity::did::starling::Guardians { threshold: 1, members };
    change(&mut world, &mut ann, id, Next::Guardians(Some(guardians)));
    let head = world.name(id).head;
    let asked = ask(&mut anew, session::Command::Ask(head.clone())).texts[0].as_str().to_owned();
    let text = ask(&mut bob, session::Command::Approve { head, asked: asked.clone() });
    let approval =
        identity::did::starling::HandedApproval::parse(text.texts[0].as_str()).unwrap().approval;
    let ask_text = identity::did::starling::AskText::parse(&asked).unwrap();
    world.submit(guard(id, ask_text.guard, vec![approval])).unwrap();
    world.now_ms += 8 * 24 * HOUR_MS;
    let early = session::Command::Mine(world.name(id).head);
    let (answer, _) = anew.call(2, [7; 32], early);
    assert_eq!(answer.refused, Some(session::Refusal::NotYours), "it is not given yet");
    world.submit(finish(id)).unwrap();
    ask(&mut anew, session::Command::Adopt(Some(id)));
    change(&mut world, &mut anew, id, Next::Rotate);

    // Another device has the words, and knows nothing of it; nothing is pending there.
    let words = ask(&mut anew, session::Command::Words).texts;
    let words: Vec<&str> = words.iter().map(Secret::as_str).collect();
    let mut device = Session::default();
    ask(&mut device, session::Command::Recover(Secret::text(&words.join(" "))));
    ask(&mut device, session::Command::Salt);
    let output = Secret::new(vec![8; 32]);
    ask(&mut device, session::Command::Passkey { id: vec![2].into(), output });
    assert_eq!((device.view().adopted, world.name(id).pending), (None, None));
    let answer = ask(&mut device, session::Command::Mine(world.name(id).head));
    assert_eq!(answer.view.adopted, Some(id));
    change(&mut world, &mut device, id, Next::Rotate);
    // The one of the seed itself, and nobody's.
    let answer = ask(&mut device, session::Command::Mine(world.name(own).head));
    assert_eq!(answer.view.adopted, None);
    let mine = session::Command::Mine(world.name(id).head);
    let (answer, _) = ann.call(2, [7; 32], mine);
    assert_eq!(answer.refused, Some(session::Refusal::NotYours));
}

#[test]
fn what_the_ledger_refused_is_told_where_it_was_asked_for() {
    let sent = |signed_ms, fate, act| view::Sent {
        id: String::new(),
        to: "me".to_owned(),
        units: 0,
        fee: 1,
        signed_ms,
        fate,
        height: 7,
        took_ms: 1,
        act,
        pool: None,
        by_balance: None,
        note: None,
        counted: None,
    };
    let act = view::Act { action: Vec::new(), code: 1, amount: None, seized: None, domain: None };
    let check = |list: &[view::Sent], expected: bool| {
        let view = view::View { sent: list.to_vec(), ..view::View::default() };
        assert_eq!(failed(&view, 10).is_some(), expected);
    };
    let fate = view::Fate::Refused;
    check(&[], false);
    check(&[sent(10, fate, None)], true);
    check(&[sent(11, view::Fate::Expired, None)], true);
    check(&[sent(9, fate, None)], false);
    check(&[sent(11, view::Fate::Waiting, None)], false);
    check(&[sent(12, view::Fate::Done, None), sent(11, fate, None)], false);
    check(&[sent(12, fate, Some(act))], false);
}

#[test]
fn what_is_on_its_way_waits_until_the_records_know_of_it() {
    use view::Fate;
    let sent = |to: &str, fate, height, pool| view::Sent {
        id: String::new(),
        to: to.to_owned(),
        units: 0,
        fee: 1,
        signed_ms: 1,
        fate,
        height,
        took_ms: 1,
        act: None,
        pool,
        by_balance: None,
        note: None,
        counted: None,
    };
    let check = |list: &[view::Sent], expected: bool| {
        let (account, sent) = ("me".to_owned(), list.to_vec());
        let view = view::View { account, sent, ..view::View::default() };
        assert_eq!(waits(&view, 7), expected, "{list:?}");
    };
    check(&[], false);
    check(&[sent("me", Fate::Sending, 0, None)], true);
    check(&[sent("me", Fate::Waiting, 0, None)], true);
    check(&[sent("me", Fate::Done, 8, None)], true);
    check(&[sent("me", Fate::Final, 7, None)], false);
    // No server has told the block yet.
    let counted = |at| view::Sent { counted: Some(at), ..sent("me", Fate::Final, 0, None) };
    check(&[counted(8)], true);
    check(&[counted(7)], false);
    check(&[sent("me", Fate::Refused, 8, None)], false);
    check(&[sent("me", Fate::Expired, 0, None)], false);
    // What goes to others is none of it, whatever came of it.
    let gift = sent("you", Fate::Waiting, 0, None);
    check(std::slice::from_ref(&gift), false);
    check(&[gift, sent("me", Fate::Sending, 0, None)], true);
}
