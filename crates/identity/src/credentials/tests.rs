//! An issuer, a person and a verifier, each with a browser of their own, and a ledger that is asked.

use super::*;
use crate::{
    SecretKey,
    did::{
        StarlingId, did_key,
        starling::{Content, KeyMethod, promise, purposes},
    },
    status::{Bits, Status, StatusList, StatusToken, Terms, token_hash},
};

mod book;

pub(super) const NOW_S: u64 = 1_800_000_000;
const KIND: &str = "urn:starling:vct:person:1";

/// A browser.
pub(super) struct Browser {
    pub(super) root: Root,
    pub(super) store: Credentials,
    pub(super) kept: Option<Vec<u8>>,
    calls: u64,
    pub(super) now_s: u64,
}

impl Browser {
    pub(super) fn new(seed: u8) -> Self {
        let root = Root::new([seed; 32]);
        let store = Credentials::open(&root, None, [seed; 32]).unwrap();
        Self { root, store, kept: None, calls: 0, now_s: NOW_S }
    }

    pub(super) fn call(&mut self, command: Command) -> Reply {
        self.calls += 1;
        let drawn = Seed::from_number(self.calls).derive(&Credentials::name(&self.root));
        let entropy = *drawn.as_bytes();
        let (reply, keep) = self.store.call(&self.root, self.now_s, entropy, command);
        self.kept = keep.or(self.kept.take());
        reply
    }

    /// Does what must be done.
    pub(super) fn done(&mut self, command: Command) -> Reply {
        let reply = self.call(command);
        assert_eq!((reply.refused.clone(), reply.needs.clone()), (None, Vec::new()));
        reply
    }

    /// As after a reload.
    pub(super) fn reload(&mut self) {
        self.store = Credentials::open(&self.root, self.kept.as_deref(), [3; 32]).unwrap();
    }

    pub(super) fn did(&self) -> String {
        did_key::did(&self.root.identity_key().public())
    }

    fn take(&mut self, text: &str) -> Reply {
        self.done(Command::Take { text: text.to_owned(), facts: Facts::default() })
    }

    fn verdict(&mut self, answer: &str, facts: Facts) -> Verdict {
        let reply = self.call(Command::Check { answer: answer.to_owned(), facts });
        assert_eq!(reply.needs, []);
        reply.verdict.unwrap()
    }
}

fn said(path: &str, value: &str) -> Said {
    Said { path: path.to_owned(), value: value.to_owned() }
}

fn order(to: &str, revocable: bool) -> Order {
    Order {
        kind: KIND.to_owned(),
        claims: vec![
            said("given_name", "Ann"),
            said("birthdate", "1990-05-01"),
            said("age_equal_or_over/18", "yes"),
            said("age_equal_or_over/65", "no"),
        ],
        to: to.to_owned(),
        copies: 3,
        lasts_s: 86_400,
        revocable,
        label: "Ann".to_owned(),
        head: None,
    }
}

fn question() -> Question {
    let path = "age_equal_or_over/18".to_owned();
    Question {
        kind: KIND.to_owned(),
        claims: vec![Wanted { path, value: "true".to_owned() }],
        name: "The bar".to_owned(),
        purpose: "To sell you a beer".to_owned(),
        return_to: "https://bar.example/identity/verify".to_owned(),
        lasts_s: 600,
        head: None,
    }
}

/// A person who holds what an issuer made for keys that they gave.
fn held(issuer: &mut Browser, revocable: bool) -> Browser {
    let mut holder = Browser::new(2);
    let keys = holder.done(Command::Keys { kind: KIND.to_owned(), count: 3 }).text;
    let bundle = issuer.done(Command::Issue(order(&keys, revocable))).text;
    assert_eq!(holder.take(&bundle).taken, 3);
    holder
}

/// Everything a person would press to answer.
fn answered(holder: &mut Browser, request: &str) -> Reply {
    let request = request.to_owned();
    let read = Command::Read { request: request.clone(), facts: Facts::default() };
    let asking = holder.done(read).asking.unwrap();
    assert_eq!(asking.lacking, None);
    let pick = |part: &Part| Pick { part: part.id.clone(), card: part.choices[0].card };
    let picks = asking.parts.iter().map(pick).collect();
    let (read, facts) = (asking.read, Facts::default());
    holder.done(Command::Share { request, picks, read, facts })
}

fn list_facts(issuer: &Browser, token: Option<&str>) -> Facts {
    let newest = token.map(|token| Newest { number: 1, token: token_hash(token), since: 5 });
    let issuer = issuer.did();
    let uri = format!("{issuer}/status/1");
    let lists = vec![ListFact { issuer, uri, newest, height: 9 }];
    // Nobody gives what is asked for, unless a test says who.
    let missing = newest.iter().map(|newest| newest.token).collect();
    Facts { lists, missing, ..Facts::default() }
}

#[test]
fn a_person_shows_that_they_are_old_enough_and_nothing_else() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let mut verifier = Browser::new(3);
    let request = verifier.done(Command::Ask(question())).text;
    let link = format!("https://bar.example/identity/present#request={request}");

    let read = Command::Read { request: link, facts: Facts::default() };
    let asking = holder.done(read).asking.unwrap();
    assert_eq!(asking.verifier, verifier.did());
    assert_eq!(asking.purpose.as_deref(), Some("To sell you a beer"));
    let shown: Vec<(&str, Show)> = asking.parts[0].choices[0]
        .claims
        .iter()
        .map(|claim| (claim.name.as_str(), claim.show))
        .collect();
    assert_eq!(
        shown,
        [
            ("age equal or over \u{b7} 18", Show::Asked),
            ("age equal or over \u{b7} 65", Show::Hidden),
            ("birthdate", Show::Hidden),
            ("given name", Show::Hidden),
        ]
    );

    let answer = answered(&mut holder, &request);
    assert_eq!((answer.view.cards[0].copies, answer.view.cards[0].fresh), (3, 2));
    assert!(!answer.text.contains("Ann"));
    verifier.reload();
    let link = format!("https://bar.example/identity/verify#{}", answer.text);
    let verdict = verifier.verdict(&link, Facts::default());
    assert!(verdict.good, "{verdict:?}");
    assert_eq!(verdict.issuers, [issuer.did()]);
    let claims: Vec<_> = verdict.claims.iter().map(|claim| claim.value.as_str()).collect();
    assert_eq!(claims, ["yes"]);

    verifier.reload();
    let again = verifier.verdict(&answer.text, Facts::default());
    assert!(!again.good && again.refused.contains("answered before"), "{again:?}");
}

#[test]
fn what_was_not_looked_at_is_not_answered() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let (mut bar, mut other) = (Browser::new(3), Browser::new(4));
    let [seen, unseen] = [&mut bar, &mut other].map(|one| one.done(Command::Ask(question())).text);
    let read = Command::Read { request: seen, facts: Facts::default() };
    let asking = holder.done(read).asking.unwrap();
    let pick = |part: &Part| Pick { part: part.id.clone(), card: part.choices[0].card };
    let picks = asking.parts.iter().map(pick).collect();
    let (read, facts) = (asking.read, Facts::default());
    let reply = holder.call(Command::Share { request: unseen, picks, read, facts });
    assert!(reply.refused.unwrap().contains("another request"));
    assert_eq!((reply.text.as_str(), reply.view.cards[0].fresh), ("", 3));
}

#[test]
fn a_tampered_answer_is_refused_with_its_reason() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let mut verifier = Browser::new(3);
    let request = verifier.done(Command::Ask(question())).text;
    let answer = answered(&mut holder, &request).text;
    let response = crate::request::Response::parse(&answer).unwrap();
    // The disclosure says the contrary, under the same salt and the same signatures.
    let presentation = response.presentations["credential"].clone();
    let mut parts: Vec<String> = presentation.split('~').map(str::to_owned).collect();
    let yes = parts.iter().position(|part| {
        let bytes = crate::base64url::decode(part).unwrap_or_default();
        String::from_utf8(bytes).is_ok_and(|text| text.contains(",\"18\",true]"))
    });
    let yes = &mut parts[yes.unwrap()];
    let text = String::from_utf8(crate::base64url::decode(yes).unwrap()).unwrap();
    *yes = crate::base64url::encode(text.replace("true", "1234").as_bytes());
    let tampered = answer_with(&response, &parts.join("~"));
    let verdict = verifier.verdict(&tampered, Facts::default());
    assert!(!verdict.good);
    assert!(verdict.refused.contains("a disclosure is not the issuer's"), "{verdict:?}");
    assert_eq!(verdict.claims, []);

    // A refusal answers nothing: the right answer is still taken.
    assert!(verifier.verdict(&answer, Facts::default()).good);
}

fn answer_with(response: &crate::request::Response, presentation: &str) -> String {
    let mut response = response.clone();
    response.presentations.insert("credential".to_owned(), presentation.to_owned());
    response.to_json()
}

#[test]
fn an_answer_is_for_one_verifier_and_one_time() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let (mut bar, mut other) = (Browser::new(3), Browser::new(4));
    let request = bar.done(Command::Ask(question())).text;
    other.done(Command::Ask(question()));
    let answer = answered(&mut holder, &request).text;
    let stolen = other.verdict(&answer, Facts::default());
    assert!(stolen.refused.contains("no question of yours"), "{stolen:?}");
    bar.now_s += 400;
    let old = bar.verdict(&answer, Facts::default());
    assert!(old.refused.contains("too old"), "{old:?}");
    bar.now_s += 400;
    let late = bar.verdict(&answer, Facts::default());
    assert!(late.refused.contains("had expired"), "{late:?}");
}

#[test]
fn a_revoked_credential_is_refused_by_the_list_that_the_ledger_names() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, true);
    let list = issuer.done(Command::List(None, 0)).text;
    let mut verifier = Browser::new(3);
    let request = verifier.done(Command::Ask(question())).text;
    let answer = answered(&mut holder, &request).text;

    let asked = verifier.call(Command::Check { answer: answer.clone(), facts: Facts::default() });
    let uri = format!("{}/status/1", issuer.did());
    assert_eq!(asked.needs, [Need::List { issuer: issuer.did(), uri }]);
    let absent = verifier.verdict(&answer, list_facts(&issuer, None));
    assert!(absent.refused.contains("nothing proves"), "{absent:?}");

    // The issuer revokes, and the ledger knows: what the holder brings along is of no use any more.
    issuer.now_s += 60;
    let revoked = issuer.done(Command::Mark { entry: 1, mark: Mark::Revoked, head: None }).text;
    assert_ne!(revoked, list);
    let old = verifier.verdict(&answer, list_facts(&issuer, Some(&revoked)));
    assert!(old.refused.contains("the newest status list is not here"), "{old:?}");
    verifier.now_s += 60;
    verifier.take(&revoked);
    let verdict = verifier.verdict(&answer, list_facts(&issuer, Some(&revoked)));
    assert!(verdict.refused.contains("revoked"), "{verdict:?}");
    assert!(verdict.refused.contains("proved at block 9"), "{verdict:?}");
    // Until the ledger says so, the list before is the newest.
    assert!(verifier.verdict(&answer, list_facts(&issuer, Some(&list))).good);

    holder.now_s += 60;
    assert_eq!(holder.take(&revoked).view.cards[0].mark, Some(Mark::Revoked));
    let again = issuer.call(Command::Mark { entry: 1, mark: Mark::Valid, head: None });
    assert!(again.refused.unwrap().contains("stays revoked"));
}

#[test]
fn of_lists_that_no_ledger_names_the_newest_counts_in_whatever_order() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, true);
    let mut verifier = Browser::new(3);
    let request = verifier.done(Command::Ask(question())).text;
    let answer = answered(&mut holder, &request).text;
    let key = issuer.root.identity_key();
    let key_id = did_key::key_id(&key.public());
    let list = |uri: &str, issued_s: u64, status: Status| {
        let mut list = StatusList::new(Bits::Two, 1 << 16).unwrap();
        for place in issuer.store.issued.iter().flat_map(|one| one.places.clone()) {
            list.set(place, status.value()).unwrap();
        }
        let (expires_s, ttl_s) = (Some(NOW_S + 1000), None);
        let terms = Terms { uri: uri.to_owned(), issued_s, expires_s, ttl_s };
        StatusToken::sign(&list, &terms, &key, &key_id)
    };
    let uri = format!("{}/status/1", issuer.did());
    let made = [
        list(&uri, NOW_S - 60, Status::Valid),
        list(&uri, NOW_S, Status::Invalid),
        list(&uri, NOW_S, Status::Valid),
        list("did:key:other/status/1", NOW_S, Status::Valid),
    ];
    let [good, revoked, same, other] = made.each_ref().map(String::as_str);
    let mut judged = |lists: &[&str]| {
        let mut response = crate::request::Response::parse(&answer).unwrap();
        response.status_lists = lists.iter().map(|list| (*list).to_owned()).collect();
        verifier.verdict(&response.to_json(), list_facts(&issuer, None))
    };
    for lists in [
        [good, revoked, other],
        [other, revoked, good],
        [same, revoked, good],
        [revoked, same, good],
    ] {
        let verdict = judged(&lists);
        assert!(verdict.refused.contains("revoked"), "{verdict:?}");
    }
    let none = judged(&[other]);
    assert!(none.refused.contains("is not here"), "{none:?}");
    let verdict = judged(&[other, "junk", good]);
    assert!(verdict.good, "{verdict:?}");
}

#[test]
fn copies_have_places_and_keys_of_their_own() {
    let mut issuer = Browser::new(1);
    let holder = held(&mut issuer, true);
    let places: std::collections::BTreeSet<u64> =
        issuer.store.issued.iter().flat_map(|one| one.places.clone()).collect();
    assert_eq!(places.len(), 3);
    assert_eq!(holder.store.holder.cards().len(), 1);
    assert_eq!(holder.store.holder.cards()[0].copies, 3);
}

#[test]
fn an_issuer_that_knows_a_name_only_binds_to_its_key() {
    let (mut issuer, mut holder) = (Browser::new(1), Browser::new(2));
    let did = holder.did();
    let text = issuer.done(Command::Issue(order(&did, false))).text;
    assert_eq!(holder.take(&text).taken, 1);
    let mut verifier = Browser::new(3);
    let request = verifier.done(Command::Ask(question())).text;
    let answer = answered(&mut holder, &request);
    assert!(verifier.verdict(&answer.text, Facts::default()).good);
    assert_eq!(answered(&mut holder, &request).seen_before, 1);

    let mut stranger = Browser::new(4);
    let refused = stranger.call(Command::Take { text, facts: Facts::default() });
    assert!(refused.refused.unwrap().contains("somebody else's key"));
}

#[test]
fn a_name_on_the_ledger_signs_once_its_key_is_proved() {
    let mut issuer = Browser::new(1);
    let key = issuer.root.identity_key().public();
    let rotation = vec![issuer.root.rotation_key(0).public()];
    let all = purposes::AUTHENTICATION
        | purposes::ASSERTION
        | purposes::AGREEMENT
        | purposes::INVOCATION
        | purposes::DELEGATION;
    let content = Content {
        rotation: rotation.clone(),
        next: vec![promise(&issuer.root.rotation_key(1).public())],
        methods: vec![KeyMethod { id: "key-0".to_owned(), key, purposes: all }],
        services: Vec::new(),
        aliases: Vec::new(),
        guardians: None,
    };
    let did = StarlingId::new([7; 20]);
    let head = Head {
        network: [0; 32],
        did,
        op: primitives::Hash::new([1; 32]),
        seq: 0,
        rotation,
        content: content.hash(),
        guardians: None,
    };
    let mut holder = Browser::new(2);
    let mut order = order(&holder.did(), false);
    order.head = Some(head);
    let text = issuer.done(Command::Issue(order)).text;
    let asked = holder.call(Command::Take { text: text.clone(), facts: Facts::default() });
    assert_eq!(asked.refused, None);
    let id = format!("did:starling:{did}#key-0");
    let need = Need::Key { did: format!("did:starling:{did}"), id: id.clone(), at_s: Some(NOW_S) };
    assert_eq!(asked.needs, [need]);
    assert_eq!(asked.view.cards, []);
    let fact =
        |key| KeyFact { id: id.clone(), at_s: Some(NOW_S), key, version: 0, since: 3, height: 8 };
    let facts = |key| Facts { keys: vec![fact(key)], ..Facts::default() };
    let none = holder.call(Command::Take { text: text.clone(), facts: facts(None) });
    assert!(none.refused.unwrap().contains("not the issuer's"));
    let other = SecretKey::ed25519(&[9; 32]).public();
    let wrong = holder.call(Command::Take { text: text.clone(), facts: facts(Some(other)) });
    assert!(wrong.refused.unwrap().contains("the issuer did not sign this"));
    assert_eq!(holder.done(Command::Take { text, facts: facts(Some(key)) }).taken, 1);

    let mut verifier = Browser::new(3);
    let request = verifier.done(Command::Ask(question())).text;
    let answer = answered(&mut holder, &request).text;
    let verdict = verifier.verdict(&answer, facts(Some(key)));
    assert!(verdict.good, "{verdict:?}");
    assert!(
        verdict
            .holds
            .iter()
            .any(|line| line.contains("block 3") && line.contains("proved at block 8"))
    );
}

#[test]
fn what_is_kept_is_read_by_its_own_seed_only() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let kept = holder.kept.clone().unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("vct"));
    assert!(Credentials::open(&Root::new([8; 32]), Some(&kept), [3; 32]).is_none());
    let mut damaged = kept.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert!(Credentials::open(&holder.root, Some(&damaged), [3; 32]).is_none());
    holder.reload();
    assert_eq!(holder.done(Command::Look).view.cards.len(), 1);
    assert_ne!(Credentials::name(&holder.root), Credentials::name(&issuer.root));
}

#[test]
fn what_was_removed_comes_back_until_something_else_happens() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let card = holder.done(Command::Look).view.cards[0].id;
    let removed = holder.done(Command::Remove(card));
    assert!(removed.view.can_undo && removed.view.cards.is_empty());
    let back = holder.done(Command::Undo);
    assert_eq!((back.view.cards.len(), back.view.can_undo), (1, false));
    holder.done(Command::Remove(card));
    holder.reload();
    assert!(holder.call(Command::Undo).refused.is_some());
    assert_eq!(holder.done(Command::Look).view.cards, []);
}

#[test]
fn an_offer_is_read_and_answered_with_keys_for_its_type() {
    let mut issuer = Browser::new(1);
    let offer = Offer { kind: KIND.to_owned(), count: 5, issuer: issuer.did() };
    let text = issuer.done(Command::Offer(offer.clone())).text;
    let mut holder = Browser::new(2);
    let link = format!("https://town.example/identity/credentials#offer={text}");
    assert_eq!(holder.take(&link).offer, Some(offer));
    let keys = holder.done(Command::Keys { kind: "urn:other".to_owned(), count: 5 }).text;
    let refused = issuer.call(Command::Issue(order(&keys, false)));
    assert!(refused.refused.unwrap().contains("another type"));
}

#[test]
fn an_order_that_makes_no_credential_is_refused() {
    let mut issuer = Browser::new(1);
    let did = Browser::new(2).did();
    let mut refused = |change: &dyn Fn(&mut Order)| {
        let mut order = order(&did, true);
        change(&mut order);
        let reply = issuer.call(Command::Issue(order));
        assert_eq!(reply.view.issued, []);
        reply.refused.unwrap()
    };
    assert!(refused(&|order| order.claims.clear()).contains("says 1 to"));
    assert!(refused(&|order| order.kind.clear()).contains("which type"));
    assert!(refused(&|order| order.to = "Ann".to_owned()).contains("did:key"));
    assert!(refused(&|order| order.claims.push(said("given_name", "Bo"))).contains("twice"));
    assert!(refused(&|order| order.claims.push(said("given_name/a", "Bo"))).contains("twice"));
    assert!(refused(&|order| order.claims.push(said("exp", "1"))).contains("by itself"));
    assert!(refused(&|order| order.claims.push(said("a//b", "1"))).contains("no name"));
    assert!(refused(&|order| order.claims.push(said("_sd", "1"))).contains("reserved"));
}

#[test]
fn what_was_shown_to_whom_is_remembered_without_what_it_said() {
    let mut issuer = Browser::new(1);
    let mut holder = held(&mut issuer, false);
    let mut verifier = Browser::new(3);
    let mut asked = question();
    (asked.name, asked.purpose) = ("The bar".to_owned(), "Adults only".to_owned());
    let request = verifier.done(Command::Ask(asked)).text;
    holder.done(Command::Read { request: request.clone(), facts: Facts::default() });
    assert_eq!(holder.done(Command::Look).view.told, [], "a look shows nothing");
    answered(&mut holder, &request);
    holder.reload();
    let told = holder.done(Command::Look).view.told;
    let [told] = &told[..] else { panic!("one answer was given: {told:?}") };
    assert_eq!((told.at_s, &told.verifier), (holder.now_s, &verifier.did()));
    assert_eq!(
        (told.name.as_deref(), told.purpose.as_deref()),
        (Some("The bar"), Some("Adults only"))
    );
    assert_eq!(told.kinds, [KIND]);
    assert_eq!(told.claims, ["age equal or over \u{b7} 18"]);
    for number in 0..crate::limits::TOLD_MAX {
        let told = Told { at_s: u64::try_from(number).unwrap(), ..told.clone() };
        holder.store.remember(told);
    }
    let all = holder.done(Command::Look).view.told;
    assert_eq!(
        (all.len(), all[0].at_s),
        (256, 255),
        "the oldest is forgotten, the newest comes first"
    );
    assert_eq!(holder.done(Command::ForgetTold).view.told, []);
}

#[test]
fn what_only_a_web_server_vouches_for_is_told_as_that() {
    let (mut issuer, mut holder) = (Browser::new(1), Browser::new(2));
    let bundle = issuer.done(Command::Issue(order(&holder.did(), false))).text;
    assert!(!Browser::new(2).take(&bundle).unproved);
    let by = WebWord::Server("town.example".to_owned());
    let id = "did:web:town.example#key".to_owned();
    let facts = Facts { web: vec![WebFact { id, at_s: None, key: None, by }], ..Facts::default() };
    let taken = holder.done(Command::Take { text: bundle, facts });
    assert_eq!((taken.taken, taken.unproved), (1, true));
}
