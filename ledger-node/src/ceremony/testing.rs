//! Whole ceremonies in memory.

use std::net::SocketAddr;

use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

use super::letter::Member;
use super::steps::{Made, Mine, Texts};
use super::{Ceremony, Purpose, Round};
use crate::header::PublicKey;
use crate::network::{Network, Secrets};

/// Participants by key.
pub(crate) fn key(mine: &Mine) -> PublicKey {
    mine.key.public_key()
}

fn address() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}

/// Players with these keys.
pub(crate) fn players(keys: &[PrivateKey]) -> Vec<Mine> {
    let player = |(number, key): (u8, &PrivateKey)| Mine {
        key: key.clone(),
        secret: [number; 32],
        share: None,
    };
    (1..).zip(keys).map(player).collect()
}

/// Validators that there are.
pub(crate) fn dealers(old: &[Secrets]) -> Vec<Mine> {
    let dealer = |(number, one): (u8, &Secrets)| Mine {
        key: one.key.clone(),
        secret: [number; 32],
        share: Some(one.share.clone()),
    };
    (101..).zip(old).map(dealer).collect()
}

/// A ceremony in which players are called `p1`, `p2` and so on.
pub(crate) fn ceremony(id: u8, purpose: Purpose, players: &[Mine]) -> Ceremony {
    let member = |(number, mine): (usize, &Mine)| {
        Member::new(&format!("p{number}"), address(), &mine.key, &mine.secret)
    };
    let members = (1..).zip(players).map(member).collect();
    Ceremony::new([id; 32], purpose, members)
}

pub(crate) fn deal(round: &Round, dealers: &[Mine]) -> Texts {
    let dealt = |mine: &Mine| (key(mine), round.deal(mine).unwrap().to_text());
    dealers.iter().map(dealt).collect()
}

pub(crate) fn acknowledge(round: &Round, players: &[Mine], dealings: &Texts) -> Texts {
    let acked = |mine: &Mine| {
        let heard = round.hear(mine, dealings).unwrap();
        (key(mine), round.acknowledge(mine, &heard).to_text())
    };
    players.iter().map(acked).collect()
}

pub(crate) fn seal(round: &Round, dealers: &[Mine], acks: &Texts, reveal: &[String]) -> Texts {
    let sealed = |mine: &Mine| (key(mine), round.seal(mine, acks, reveal).unwrap().to_text());
    dealers.iter().map(sealed).collect()
}

/// What each player has in the end, in their order.
pub(crate) fn take(
    round: &Round,
    players: Vec<Mine>,
    dealings: &Texts,
    logs: &Texts,
) -> (Made, Vec<Secrets>) {
    let made = round.observe(logs).unwrap();
    let taken = |mine: Mine| {
        let (own, share) = round.take(&mine, dealings, logs).unwrap();
        assert_eq!(text(&own.network), text(&made.network), "all have the same network");
        Secrets { key: mine.key, share }
    };
    let secrets = players.into_iter().map(taken).collect();
    (made, secrets)
}

pub(crate) fn text(network: &Network) -> String {
    toml::to_string(network).unwrap()
}

/// The network whose validators of these keys take over at a height, with shares of the key that there is, and
/// each one's secrets.
pub(crate) fn reshare(
    network: Network,
    height: u64,
    old: &[Secrets],
    keys: &[PrivateKey],
) -> (Network, Vec<Secrets>) {
    let purpose = Purpose::Succession { network, height, reshare: true };
    let (dealers, players) = (dealers(old), players(keys));
    let round = Round::new(ceremony(1, purpose, &players)).unwrap();
    let dealings = deal(&round, &dealers);
    let acks = acknowledge(&round, &players, &dealings);
    let logs = seal(&round, &dealers, &acks, &[]);
    let (made, secrets) = take(&round, players, &dealings, &logs);
    (made.network, secrets)
}
