//! A key is dealt by those who will have it, and dealt anew to others; what is wrong is named.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

use super::letter::{Dealing, Letter, Member};
use super::steps::{Mine, Texts};
use super::testing::{acknowledge, ceremony, deal, dealers, key, players, seal, take, text};
use super::*;
use crate::network::{Plan, Secrets, deal_keys};

const HEIGHT: u64 = 50;

fn keys(count: u64, from: u64) -> Vec<PrivateKey> {
    (from..from + count).map(PrivateKey::from_seed).collect()
}

fn plan() -> Plan {
    Plan {
        name: "ceremony".to_owned(),
        demo: false,
        time_ms: 1,
        addresses: Vec::new(),
        allocations: Vec::new(),
    }
}

/// A network of so many, dealt by one.
fn dealt(count: usize) -> (Network, Vec<Secrets>) {
    let addresses = vec![([127, 0, 0, 1], 1).into(); count];
    let keys = keys(u64::try_from(count).unwrap(), 0);
    deal_keys(&Plan { addresses, ..plan() }, keys, commonware_utils::sys_rng()).unwrap()
}

/// A round that begins a network of four, and the four.
fn fresh(id: u8) -> (Round, Vec<Mine>) {
    let players = players(&keys(4, 10));
    (Round::new(ceremony(id, Purpose::Network(plan()), &players)).unwrap(), players)
}

/// The same, with all dealings and whose they are known to whom.
fn dealt_and_acked() -> (Round, Vec<Mine>, Texts, Texts) {
    let (round, players) = fresh(1);
    let dealings = deal(&round, &players);
    let acks = acknowledge(&round, &players, &dealings);
    (round, players, dealings, acks)
}

fn members(network: &Network) -> crate::network::Members {
    network.members(Path::new("network")).unwrap()
}

/// Each one's newest epoch in a network.
fn seats(network: &Network, secrets: &[Secrets]) -> Vec<u64> {
    let seat = |one: &Secrets| members(network).seat(one).unwrap().0.epoch;
    secrets.iter().map(seat).collect()
}

fn without(texts: &Texts, count: usize) -> Texts {
    texts.iter().skip(count).map(|(key, text)| (key.clone(), text.clone())).collect()
}

#[test]
fn four_deal_to_each_other_and_each_has_a_share_of_one_key() {
    let (round, players, dealings, acks) = dealt_and_acked();
    assert_eq!((round.required(), round.quorum(), round.faulty_max()), (3, 3, 1));
    let logs = seal(&round, &players, &acks, &[]);
    let (made, secrets) = take(&round, players, &dealings, &logs);
    assert_eq!(made.revealed, Vec::<String>::new());
    assert_eq!(seats(&made.network, &secrets), [0; 4]);
    assert_eq!(made.network.validators.len(), 4);
    let again: Network = toml::from_str(&text(&made.network)).unwrap();
    assert_eq!(seats(&again, &secrets), [0; 4]);
}

#[test]
fn the_validators_of_a_network_deal_its_key_to_others() {
    let (network, old) = dealt(4);
    for count in [4, 7] {
        let (next, secrets) = testing::reshare(network.clone(), HEIGHT, &old, &keys(count, 20));
        let members = members(&next);
        let (before, after) = (members.eras.get(0).unwrap(), members.eras.get(1).unwrap());
        assert_eq!(before.group_key(), after.group_key());
        assert_ne!(before.sharing, after.sharing);
        assert_eq!((after.first, after.keys.len()), (HEIGHT, secrets.len()));
        assert!(seats(&next, &secrets).iter().all(|epoch| *epoch == 1));
        assert_eq!(seats(&next, &old), [0; 4], "their shares are of before");
        // And again, by those who have it now; a fresh key may follow, but that one never again.
        let (third, _) = testing::reshare(next, HEIGHT + 1, &secrets, &keys(4, 30));
        let addresses: Vec<SocketAddr> = vec![([127, 0, 0, 1], 1).into(); 4];
        let rng = commonware_utils::sys_rng();
        let (mut later, _) =
            crate::network::succeed(third, HEIGHT + 9, &addresses, keys(4, 40), rng).unwrap();
        assert_eq!(members_or(&later), None);
        let back = later.successions[0].clone();
        later.successions.push(Succession { height: HEIGHT + 20, ..back });
        assert_eq!(members_or(&later), Some(SuccessionError::SameKey(HEIGHT + 20)));
    }
}

/// Why successions are refused.
fn members_or(network: &Network) -> Option<SuccessionError> {
    match network.members(Path::new("network")).map(drop) {
        Ok(()) => None,
        Err(NetworkError::Succession(error)) => Some(error),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn who_stays_may_keep_its_key_and_the_key_of_one_alone_stays_with_nobody() {
    let (network, old) = dealt(4);
    let keys: Vec<PrivateKey> =
        old[1..].iter().map(|one| one.key.clone()).chain(keys(1, 50)).collect();
    let (next, secrets) = testing::reshare(network, HEIGHT, &old, &keys);
    assert_eq!(seats(&next, &secrets), [1; 4]);
    assert_eq!(seats(&next, &old), [0; 4], "a share of before does not vote later");

    let (alone, _) = dealt(1);
    let purpose = Purpose::Succession { network: alone, height: HEIGHT, reshare: true };
    let refused = Round::new(ceremony(1, purpose, &players(&keys))).err();
    assert!(matches!(
        refused,
        Some(CeremonyError::Network(NetworkError::Succession(SuccessionError::Alone(HEIGHT))))
    ));
}

#[test]
fn with_one_dealer_silent_the_others_are_enough_and_with_two_not() {
    let (round, players) = fresh(1);
    let dealings = without(&deal(&round, &players), 1);
    let heard = round.hear(&players[0], &dealings).unwrap();
    assert_eq!(heard.acks.len(), 3);
    assert!(matches!(heard.wrong.as_slice(), [(_, LetterFault::Missing)]));
    let acks = acknowledge(&round, &players, &dealings);
    let dealing: Vec<Mine> = players
        .iter()
        .filter(|one| dealings.contains_key(&key(one)))
        .map(|one| Mine { key: one.key.clone(), secret: one.secret, share: None })
        .collect();
    let logs = seal(&round, &dealing, &acks, &[]);
    let few = round.observe(&without(&logs, 1)).unwrap_err();
    assert!(matches!(few, CeremonyError::TooFew { required: 3, found: 2, .. }), "{few}");
    assert!(few.to_string().contains("ended with nothing"), "{few}");
    let (made, secrets) = take(&round, players, &dealings, &logs);
    assert_eq!(seats(&made.network, &secrets), [0; 4]);
}

#[test]
fn a_player_who_says_nothing_is_waited_for_or_its_share_is_said_in_the_open() {
    let (round, players, dealings, acks) = dealt_and_acked();
    let heard = without(&acks, 1);
    let silent = players.iter().find(|one| !heard.contains_key(&key(one))).unwrap();
    let name = round.player(&key(silent)).unwrap().to_owned();
    let waits = round.seal(&players[0], &heard, &[]).unwrap_err();
    assert!(matches!(&waits, CeremonyError::Unacknowledged(who) if *who == name), "{waits}");
    let logs = seal(&round, &players, &heard, std::slice::from_ref(&name));
    let made = round.observe(&logs).unwrap();
    assert_eq!(made.revealed, [name]);
    // It has a share nevertheless, without any dealing.
    let (own, _) = round.take(silent, &Texts::new(), &logs).unwrap();
    assert_eq!(text(&own.network), text(&made.network));
    // Another needs what it said that it has.
    let other = players.iter().find(|one| heard.contains_key(&key(one))).unwrap();
    let lost = round.take(other, &Texts::new(), &logs).unwrap_err();
    assert!(matches!(&lost, CeremonyError::Lost(who) if who.matches("p").count() >= 3), "{lost}");
    assert!(round.take(other, &dealings, &logs).is_ok());

    let two = round.player_names()[..2].to_vec();
    let refused = round.seal(&players[0], &Texts::new(), &round.player_names()).unwrap_err();
    assert!(matches!(refused, CeremonyError::Reveals { most: 1, .. }), "{refused}");
    let refused = round.seal(&players[0], &Texts::new(), &two).unwrap_err();
    assert!(matches!(refused, CeremonyError::Unacknowledged(_)), "{refused}");
    let stranger = round.seal(&players[0], &acks, &["zoe".to_owned()]).unwrap_err();
    assert!(matches!(stranger, CeremonyError::Stranger(_)), "{stranger}");
}

#[test]
fn a_dealing_that_was_changed_or_is_none_is_named() {
    let (round, players) = fresh(1);
    let dealings = deal(&round, &players);
    let (liar, me) = (&players[1], &players[0]);
    let name = round.dealer(&key(liar)).unwrap().to_owned();
    let fault = |text: String| {
        let mut dealings = dealings.clone();
        dealings.insert(key(liar), text);
        let heard = round.hear(me, &dealings).unwrap();
        assert_eq!(heard.acks.len(), 3, "the others' are as good as before");
        assert_eq!(heard.wrong.len(), 1);
        assert_eq!(heard.wrong[0].0, name);
        heard.wrong[0].1
    };
    let own = round.dealer(&key(me)).unwrap();
    let Dealing { commitment, sealed } = round.deal(liar).unwrap().body;
    let signed = |sealed| {
        Letter::sign(&round, &liar.key, Dealing { commitment: commitment.clone(), sealed })
            .to_text()
    };
    // A share of another dealing.
    let mut other = sealed.clone();
    let about = [&key(liar).encode()[..], &key(me).encode()[..]].concat();
    let to = super::sealed::public(&me.secret);
    let text = super::sealed::seal(&to, &round.sealing(), &about, &[7; 32]).unwrap();
    other.insert(own.to_owned(), HEX.encode(&text));
    assert_eq!(fault(signed(other.clone())), LetterFault::Dealing);
    // What is for somebody else, nothing, no hexadecimal.
    let elsewhere = sealed.iter().find(|(name, _)| *name != own).unwrap().1.clone();
    other.insert(own.to_owned(), elsewhere);
    assert_eq!(fault(signed(other.clone())), LetterFault::Sealed);
    other.remove(own);
    assert_eq!(fault(signed(other.clone())), LetterFault::Sealed);
    other.insert(own.to_owned(), "x".to_owned());
    assert_eq!(fault(signed(other)), LetterFault::Form);
    // Signed by somebody else, of another ceremony, no text of ours.
    let (another, _) = fresh(2);
    assert_eq!(fault(dealings[&key(&players[2])].clone()), LetterFault::Signature);
    assert_eq!(fault(another.deal(liar).unwrap().to_text()), LetterFault::Foreign);
    assert_eq!(fault("hello".to_owned()), LetterFault::Form);
}

#[test]
fn no_changed_byte_of_any_file_is_taken() {
    let (round, players, dealings, acks) = dealt_and_acked();
    let logs = seal(&round, &players, &acks, &[]);
    let me = &players[0];
    let before = round.hear(me, &dealings).unwrap().acks;
    let made = text(&round.observe(&logs).unwrap().network);
    let changed = |texts: &Texts, place: usize| {
        let mut texts = texts.clone();
        let text = texts.get_mut(&key(&players[1])).unwrap();
        let mut bytes = text.clone().into_bytes();
        let at = place % bytes.len();
        bytes[at] ^= 1 << (place % 7);
        *text = String::from_utf8_lossy(&bytes).into_owned();
        texts
    };
    for place in (0..4_000).step_by(37) {
        let heard = round.hear(me, &changed(&dealings, place)).unwrap();
        assert!(heard.acks == before || heard.wrong.len() == 1, "dealing, byte {place}");
        let sealed = round.seal(me, &changed(&acks, place), &[]);
        assert!(
            sealed.is_err()
                || sealed.unwrap().body.log == round.seal(me, &acks, &[]).unwrap().body.log,
            "acks, byte {place}"
        );
        let seen = round.observe(&changed(&logs, place));
        assert!(seen.is_err() || text(&seen.unwrap().network) == made, "log, byte {place}");
    }
}

#[test]
fn who_deals_twice_is_found_out_by_its_own_acknowledgements() {
    let (round, players, dealings, acks) = dealt_and_acked();
    let liar = Mine { key: players[1].key.clone(), secret: [99; 32], share: None };
    let refused = round.seal(&liar, &acks, &[]).unwrap_err();
    assert!(matches!(refused, CeremonyError::Letter { fault: LetterFault::Ack, .. }), "{refused}");
    // It ends with another dealing than the one that was acknowledged: only those who have that one go on.
    let mut others = dealings.clone();
    others.insert(key(&liar), round.deal(&liar).unwrap().to_text());
    let late = acknowledge(&round, &players, &others);
    let mut logs = seal(&round, &players, &acks, &[]);
    logs.insert(key(&liar), round.seal(&liar, &late, &[]).unwrap().to_text());
    // The first three are used: leave out one of the honest ones, so that the liar is among them.
    let left = players.iter().find(|one| key(one) != key(&liar)).unwrap();
    logs.remove(&key(left));
    let name = round.dealer(&key(&liar)).unwrap();
    let lost = round.take(&players[0], &dealings, &logs).unwrap_err();
    assert!(matches!(&lost, CeremonyError::Lost(who) if who == name), "{lost}");
    assert!(round.take(&players[0], &others, &logs).is_ok());
}

#[test]
fn a_dealer_deals_the_same_again_and_needs_its_own_share() {
    let (network, old) = dealt(4);
    let purpose = Purpose::Succession { network, height: HEIGHT, reshare: true };
    let players = players(&keys(4, 20));
    let round = Round::new(ceremony(1, purpose, &players)).unwrap();
    let mut dealers = dealers(&old);
    let commitment = |mine: &Mine| round.deal(mine).unwrap().body.commitment;
    assert_eq!(commitment(&dealers[0]), commitment(&dealers[0]));
    dealers[0].share = Some(old[1].share.clone());
    assert!(matches!(round.deal(&dealers[0]), Err(CeremonyError::WrongShare)));
    dealers[0].share = None;
    assert!(matches!(round.deal(&dealers[0]), Err(CeremonyError::WrongShare)));
    assert!(matches!(round.deal(&players[0]), Err(CeremonyError::NotADealer(_))));
    assert!(matches!(
        round.hear(&dealers[1], &Texts::new()).err(),
        Some(CeremonyError::NotAPlayer(_))
    ));
}

#[test]
fn a_ceremony_that_can_not_be_is_refused() {
    let (network, _) = dealt(4);
    let four = players(&keys(4, 20));
    let at = |height| Purpose::Succession { network: network.clone(), height, reshare: false };
    assert!(Round::new(ceremony(1, at(2), &four)).is_ok());
    for height in [0, 1, u64::MAX] {
        let early = Round::new(ceremony(1, at(height), &four)).err();
        let order = |error: CeremonyError| match error {
            CeremonyError::Network(NetworkError::Succession(error)) => Some(error),
            _ => None,
        };
        assert_eq!(early.and_then(order), Some(SuccessionError::Order(height)));
    }
    assert!(matches!(Round::new(ceremony(1, at(2), &four[..1])).err(), Some(CeremonyError::Count)));
    let mut twice = ceremony(1, at(2), &four);
    twice.players[1] = twice.players[0].clone();
    assert!(matches!(Round::new(twice).err(), Some(CeremonyError::Twice(_))));
    let mut moved = ceremony(1, at(2), &four);
    moved.players[1].address = ([127, 0, 0, 2], 1).into();
    let moved = Round::new(moved).err();
    let fault = |fault| Some(("p2".to_owned(), Kind::Join, fault));
    let told = |error: Option<CeremonyError>| match error {
        Some(CeremonyError::Letter { who, kind, fault }) => Some((who, kind, fault)),
        _ => None,
    };
    assert_eq!(told(moved), fault(LetterFault::Signature));
    let mut begun = ceremony(1, Purpose::Network(plan()), &four);
    begun.network = network.clone();
    assert!(matches!(Round::new(begun).err(), Some(CeremonyError::Form { .. })));
    // Spaces and lines make no other ceremony.
    let one = ceremony(1, at(2), &four);
    let text = one.to_text().replace(" = ", "  =   ");
    assert_eq!(Ceremony::read(&text).unwrap().digest(), one.digest());
    assert_ne!(ceremony(2, at(2), &four).digest(), one.digest());
}

/// Four folders and a shared one, up to the ceremony.
fn folders() -> (tempfile::TempDir, PathBuf, Vec<(String, PathBuf)>) {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    let homes: Vec<(String, PathBuf)> = ["ada", "bob", "carl", "dora"]
        .map(|name| (name.to_owned(), folder.path().join(name)))
        .into_iter()
        .collect();
    for (name, home) in &homes {
        join(home, &shared, name, ([127, 0, 0, 1], 1).into()).unwrap();
    }
    (folder, shared, homes)
}

#[test]
fn by_files_everybody_comes_to_the_same_network() {
    let (_folder, shared, homes) = folders();
    let names: Vec<String> = homes.iter().map(|(name, _)| name.clone()).collect();
    let address = ([127, 0, 0, 1], 1).into();
    assert!(matches!(join(&homes[0].1, &shared, "ada", address), Err(CeremonyError::There(_))));
    assert!(matches!(join(&homes[0].1, &shared, "Old ../x", address), Err(CeremonyError::Name(_))));
    let missing = [&names[..], &["zoe".to_owned()]].concat();
    let refused = begin(&shared, Purpose::Network(plan()), &missing).unwrap_err();
    assert_eq!(refused.to_string(), "zoe.join.toml is not there yet");
    let begun = begin(&shared, Purpose::Network(plan()), &names).unwrap();
    assert_eq!((begun.dealers.len(), begun.players.len(), begun.required), (4, 4, 3));
    assert_eq!(begun.fingerprint.len(), 39);
    assert!(matches!(
        begin(&shared, Purpose::Network(plan()), &names),
        Err(CeremonyError::There(_))
    ));
    for (_, home) in &homes[..3] {
        assert_eq!(super::deal(home, &shared).unwrap().overview.fingerprint, begun.fingerprint);
    }
    let early = super::acknowledge(&homes[0].1, &shared).unwrap();
    assert_eq!(early.wrong, [("dora".to_owned(), LetterFault::Missing)]);
    super::deal(&homes[3].1, &shared).unwrap();
    let waits = super::seal(&homes[0].1, &shared, &[]).unwrap_err();
    assert_eq!(waits.to_string().matches(", ").count(), 2, "{waits}");
    for (_, home) in &homes {
        let said = super::acknowledge(home, &shared).unwrap();
        assert_eq!((said.from.len(), said.wrong.len()), (4, 0));
    }
    // What was acknowledged is kept: another's hand on the shared folder takes nothing away.
    std::fs::write(shared.join("bob.dealing.toml"), "gone").unwrap();
    for (_, home) in &homes[..3] {
        super::seal(home, &shared, &[]).unwrap();
    }
    let waits = super::take(&homes[0].1, &shared, &[]).unwrap_err();
    assert_eq!(waits.to_string(), "not there yet: dora.log.toml");
    let without = ["dora".to_owned()];
    let mut seen = Vec::new();
    for (_, home) in &homes {
        let taken = super::take(home, &shared, &without).unwrap();
        seen.push((taken.fingerprint, std::fs::read_to_string(taken.file).unwrap()));
        let secrets = Secrets::read(home).unwrap();
        let network = Network::read(&home.join("network.toml")).unwrap();
        assert_eq!(seats(&network, &[secrets]), [0]);
        assert!(home.join(crate::network::FRESH).exists());
        let config = std::fs::read_to_string(home.join("validator.toml")).unwrap();
        let config: crate::Config = toml::from_str(&config).unwrap();
        assert_eq!(config.within(home).network, Some(home.join("network.toml")));
        assert!(matches!(super::take(home, &shared, &without), Err(CeremonyError::There(_))));
    }
    let host = shared.join("host");
    let finished = finish(&shared, &host, &without).unwrap();
    seen.push((finished.fingerprint, std::fs::read_to_string(finished.file).unwrap()));
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

#[test]
fn files_that_are_too_long_are_not_read() {
    let (_folder, shared, homes) = folders();
    let long = "#".repeat(300_000);
    std::fs::write(shared.join("bob.join.toml"), &long).unwrap();
    let names: Vec<String> = homes.iter().map(|(name, _)| name.clone()).collect();
    let refused = begin(&shared, Purpose::Network(plan()), &names).unwrap_err();
    assert!(matches!(refused, CeremonyError::TooLarge { .. }), "{refused}");
    assert!(matches!(look(&shared), Err(CeremonyError::Io { .. })));
    // Bob's file under Carl's name.
    std::fs::copy(shared.join("carl.join.toml"), shared.join("bob.join.toml")).unwrap();
    let refused = begin(&shared, Purpose::Network(plan()), &names).unwrap_err();
    assert!(refused.to_string().starts_with("bob.join.toml was signed"), "{refused}");
    let text = std::fs::read_to_string(shared.join("carl.join.toml")).unwrap();
    assert!(toml::from_str::<Member>(&text).unwrap().keys().is_ok());
}

/// Folders of a ceremony that begins a network, in which all have dealt and said whose dealings they have.
fn acked_folders() -> (tempfile::TempDir, PathBuf, Vec<(String, PathBuf)>) {
    let (folder, shared, homes) = folders();
    let names: Vec<String> = homes.iter().map(|(name, _)| name.clone()).collect();
    begin(&shared, Purpose::Network(plan()), &names).unwrap();
    for (_, home) in &homes {
        super::deal(home, &shared).unwrap();
    }
    for (_, home) in &homes {
        super::acknowledge(home, &shared).unwrap();
    }
    (folder, shared, homes)
}

#[test]
fn the_first_last_word_of_a_dealer_is_its_last() {
    let (folder, shared, homes) = acked_folders();
    let home = &homes[0].1;
    let lost = |name: &str| {
        let acks = format!("{name}.acks.toml");
        std::fs::rename(shared.join(&acks), folder.path().join(&acks)).unwrap();
    };
    let found = |name: &str| {
        let acks = format!("{name}.acks.toml");
        std::fs::rename(folder.path().join(&acks), shared.join(&acks)).unwrap();
    };
    let sealed = |reveal: &str| {
        let sealed = super::seal(home, &shared, &[reveal.to_owned()]).unwrap();
        std::fs::read_to_string(sealed.file).unwrap()
    };
    lost("bob");
    let waits = super::seal(home, &shared, &[]).unwrap_err();
    assert!(matches!(waits, CeremonyError::Unacknowledged(_)), "nothing is kept of what failed");
    let first = sealed("bob");
    found("bob");
    lost("carl");
    assert_eq!(sealed("carl"), first, "with both, whoever has a share has the dealing");
    std::fs::remove_file(shared.join("ada.log.toml")).unwrap();
    found("carl");
    assert_eq!(sealed("dora"), first);
}

#[test]
fn a_share_that_is_taken_again_is_not_said_to_be_fresh() {
    let (_folder, shared, homes) = acked_folders();
    for (_, home) in &homes {
        super::seal(home, &shared, &[]).unwrap();
    }
    let home = &homes[0].1;
    super::take(home, &shared, &[]).unwrap();
    // Its validator ran, and lost the network's file.
    std::fs::remove_file(home.join(crate::network::FRESH)).unwrap();
    std::fs::remove_file(home.join("network.toml")).unwrap();
    super::take(home, &shared, &[]).unwrap();
    assert!(!home.join(crate::network::FRESH).exists());
}

#[test]
fn a_player_whose_secret_is_lost_is_told_so() {
    let (_folder, shared, homes) = acked_folders();
    let secret = homes[0].1.join("ceremony.key");
    std::fs::remove_file(&secret).unwrap();
    let lost = super::deal(&homes[0].1, &shared).unwrap_err();
    assert!(matches!(lost, CeremonyError::SecretLost(_)), "{lost}");
    assert!(!secret.exists());
}

#[test]
fn who_begins_a_succession_does_not_change_the_network_that_runs() {
    let (folder, shared, homes) = folders();
    let names: Vec<String> = homes.iter().map(|(name, _)| name.clone()).collect();
    let (network, old) = dealt(4);
    let home = folder.path().join("old");
    crate::network::write_network(&network, &home).unwrap();
    crate::network::make(&home.join("validator.key"), &old[0].key.encode()).unwrap();
    crate::network::make(&home.join("validator.share"), &old[0].share.encode()).unwrap();
    let purpose = |network| Purpose::Succession { network, height: HEIGHT, reshare: true };
    let mut other = network.clone();
    other.decimals += 1;
    let changed = begin(&shared, purpose(other), &names).unwrap();
    let refused = super::deal(&home, &shared).unwrap_err();
    assert!(matches!(refused, CeremonyError::OtherNetwork(_)), "{refused}");
    std::fs::remove_file(shared.join("ceremony.toml")).unwrap();
    let begun = begin(&shared, purpose(network), &names).unwrap();
    assert!(begun.runs.is_some() && begun.runs != changed.runs);
    assert_eq!(super::deal(&home, &shared).unwrap().overview.runs, begun.runs);
}

#[test]
fn who_has_what_in_a_new_network_is_shown() {
    let (_folder, shared, homes) = folders();
    let names: Vec<String> = homes.iter().map(|(name, _)| name.clone()).collect();
    let key = primitives::KeyPair::from_seed(primitives::Seed::from_number(1));
    let owner = ledger::AccountId::of_key(key.id());
    let plan = Plan { allocations: vec![(owner, 7)], ..plan() };
    let begun = begin(&shared, Purpose::Network(plan), &names).unwrap();
    assert_eq!((begun.allocations, begun.runs), (vec![(owner, "7".to_owned())], None));
}

#[cfg(unix)]
#[test]
fn what_lies_in_the_way_of_a_file_is_not_written_through() {
    let (folder, shared, homes) = folders();
    let names: Vec<String> = homes.iter().map(|(name, _)| name.clone()).collect();
    begin(&shared, Purpose::Network(plan()), &names).unwrap();
    let mine = folder.path().join("mine");
    std::fs::write(&mine, "mine").unwrap();
    std::os::unix::fs::symlink(&mine, shared.join("ada.dealing.part")).unwrap();
    super::deal(&homes[0].1, &shared).unwrap();
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    assert!(!shared.join("ada.dealing.toml").is_symlink());
}
