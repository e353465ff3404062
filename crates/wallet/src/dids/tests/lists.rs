//! Credentials of a name, and the status list that the ledger names: three browsers and one ledger.

use identity::credentials::{
    Command, Credentials, Facts, Give, GrantAsk, KeyFact, Mark, Need, Order, Pick, Question, Reply,
    Said, Verdict, Wanted,
};

use super::*;

/// A browser with an identity that is open.
struct Browser {
    session: Session,
    store: Credentials,
    calls: u8,
}

impl Browser {
    fn new(number: u8) -> Self {
        let mut session = person(number);
        let store = Credentials::open(session.root(2).unwrap(), None, [number; 32]).unwrap();
        Self { session, store, calls: 0 }
    }

    /// Does it, with all that the ledger has to prove for it.
    fn call(&mut self, world: &World, command: Command) -> Reply {
        let mut facts = Facts::default();
        loop {
            self.calls += 1;
            let root = self.session.root(2).unwrap();
            let again = command.clone().with(facts.clone());
            let now_s = world.now_ms / 1000;
            let (reply, _) = self.store.call(root, now_s, [self.calls; 32], again);
            if reply.needs.is_empty() {
                return reply;
            }
            reply.needs.iter().for_each(|need| world.prove(need, &mut facts));
        }
    }

    fn done(&mut self, world: &World, command: Command) -> Reply {
        let reply = self.call(world, command);
        assert_eq!(reply.refused, None);
        reply
    }

    fn verdict(&mut self, world: &World, answer: &str) -> Verdict {
        let command = Command::Check { answer: answer.to_owned(), facts: Facts::default() };
        self.call(world, command).verdict.unwrap()
    }
}

impl World {
    fn prove(&self, need: &Need, facts: &mut Facts) {
        match need {
            Need::List { issuer, uri } => {
                let records = self.records(vec![list_key(issuer, uri).unwrap()]);
                facts.lists.push(look_list(&records, issuer, uri).unwrap());
            }
            Need::Key { did, id, at_s } => {
                let Ok(Did::Starling(name)) = did.parse() else { panic!("{did}") };
                let name = self.name(name);
                let now_s = self.now_ms / 1000;
                let (seq, version) = name.version_at(at_s.unwrap_or(now_s)).unwrap();
                let said = content(&self.blocks, version.content).unwrap();
                let key = match id.split_once('#') {
                    Some((_, key_name)) => issuing_key(&said, key_name),
                    None => sealing_key(&said),
                };
                let (since, height) = (version.height, name.height);
                let (id, at_s) = (id.clone(), *at_s);
                facts.keys.push(KeyFact { id, at_s, key, version: seq, since, height });
            }
            // Nobody has it but who is asked by hand.
            Need::Token(token) => facts.missing.push(*token),
            Need::Web { .. } => panic!("no issuer here is a web server's"),
        }
    }

    /// Has the ledger name the newest list of an issuer.
    fn anchor(&mut self, issuer: &mut Browser, id: StarlingId, number: u64) -> Result<(), u16> {
        let head = Some(self.name(id).head);
        let (last, despite, list) = (None, false, 0);
        let anchor_it = Command::Anchor { network: NETWORK, number, head, last, despite, list };
        let reply = issuer.done(self, anchor_it);
        self.submit(anchor(&reply.bytes).unwrap())
    }
}

const KIND: &str = "urn:starling:vct:age:1";

fn order(to: String, head: Option<Head>) -> Order {
    let said = Said { path: "age_equal_or_over/18".to_owned(), value: "yes".to_owned() };
    let (kind, claims, label) = (KIND.to_owned(), vec![said], String::new());
    Order { kind, claims, to, copies: 2, lasts_s: 86_400, revocable: true, label, head }
}

fn question() -> Question {
    let wanted = Wanted { path: "age_equal_or_over/18".to_owned(), value: "yes".to_owned() };
    Question {
        kind: KIND.to_owned(),
        claims: vec![wanted],
        name: String::new(),
        purpose: String::new(),
        return_to: String::new(),
        lasts_s: 600,
        head: None,
    }
}

/// What the holder answers, picking what comes first.
fn answered(world: &World, holder: &mut Browser, request: String) -> String {
    let facts = Facts::default();
    let read = Command::Read { request: request.clone(), facts: facts.clone() };
    let asking = holder.done(world, read).asking.unwrap();
    let part = &asking.parts[0];
    let picks = vec![Pick { part: part.id.clone(), card: part.choices[0].card }];
    let read = asking.read;
    holder.done(world, Command::Share { request, facts, picks, read }).text
}

#[test]
fn a_credential_of_a_name_holds_until_the_ledger_names_a_list_that_revokes_it() {
    let mut world = World::new();
    let (mut town, mut ann, mut bar) = (Browser::new(1), Browser::new(2), Browser::new(3));
    let id = register(&mut world, &mut town.session);
    world.now_ms += 1_000;
    let keys = ann.done(&world, Command::Keys { kind: KIND.to_owned(), count: 2 }).text;
    let head = Some(world.name(id).head);
    let issued = town.done(&world, Command::Issue(order(keys, head))).text;
    // Keys that change afterwards change nothing about it.
    world.now_ms += 5_000;
    change(&mut world, &mut town.session, id, Next::Rotate);
    let take = |text: String| Command::Take { text, facts: Facts::default() };
    assert_eq!(ann.done(&world, take(issued)).taken, 2);

    let request = bar.done(&world, Command::Ask(question())).text;
    let answer = answered(&world, &mut ann, request);
    let unnamed = bar.verdict(&world, &answer);
    assert!(unnamed.refused.contains("has not put the status list on the ledger"), "{unnamed:?}");
    assert!(world.anchor(&mut town, id, 2).is_err(), "versions have no gap");
    assert_eq!(world.anchor(&mut town, id, 1), Ok(()));
    let good = bar.verdict(&world, &answer);
    assert!(good.good, "{good:?}");
    assert!(good.holds.iter().any(|line| line.contains("status list version 1 (block")));

    let second = bar.done(&world, Command::Ask(question())).text;
    let second = answered(&world, &mut ann, second);
    world.now_ms += 1_000;
    let head = Some(world.name(id).head);
    let list = town.done(&world, Command::Mark { entry: 1, mark: Mark::Revoked, head }).text;
    assert_eq!(world.anchor(&mut town, id, 2), Ok(()));
    let old = bar.verdict(&world, &second);
    assert!(old.refused.contains("the ledger names version 2"), "{old:?}");
    assert_eq!(bar.done(&world, take(list)).taken, 1);
    let revoked = bar.verdict(&world, &second);
    assert!(revoked.refused.contains("was revoked: status list version 2"), "{revoked:?}");
}

#[test]
fn a_share_is_granted_from_name_to_name_and_opens_after_both_changed_keys() {
    let mut world = World::new();
    let (mut ann, mut bob) = (Browser::new(1), Browser::new(2));
    let hers = register(&mut world, &mut ann.session);
    let his = register(&mut world, &mut bob.session);
    world.now_ms += 1_000;
    change(&mut world, &mut bob.session, his, Next::Rotate);
    world.now_ms += 1_000;
    let give = Give {
        link: format!("#/get/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3?k={}", "A".repeat(43)),
        name: "x-ray.png".to_owned(),
        to: format!("did:starling:{his}"),
        purpose: "A second opinion".to_owned(),
        days: 7,
        head: Some(world.name(hers).head),
    };
    let grants = |ask| Command::Grants { ask, facts: Facts::default() };
    let text = ann.done(&world, grants(GrantAsk::Give(Box::new(give)))).text;
    world.now_ms += 1_000;
    change(&mut world, &mut ann.session, hers, Next::Rotate);
    change(&mut world, &mut bob.session, his, Next::Rotate);

    let seen = bob.done(&world, grants(GrantAsk::Read(text.clone()))).reading.unwrap();
    assert_eq!(seen.by, format!("did:starling:{hers}"));
    let (version, _, _) = seen.proved.unwrap();
    assert_eq!(version, 0, "the key of when it was signed");
    let open = GrantAsk::Open { text: text.clone(), read: seen.read };
    let opened = bob.done(&world, grants(open)).reading.unwrap();
    assert!(opened.link.contains(&"A".repeat(43)), "{}", opened.link);
    ann.done(&world, grants(GrantAsk::Receive(opened.receipt)));
    let mut cleo = Browser::new(3);
    let refused = cleo.call(&world, grants(GrantAsk::Read(text))).refused.unwrap();
    assert!(refused.contains("not for you"), "{refused}");
}
