//! The steps, without files: who deals what, who has what, what comes of it.

use std::collections::BTreeMap;

use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    Signer as _,
    bls12381::{
        dkg::feldman_desmedt::{
            self as engine, Dealer, DealerLogSummary, DealerPrivMsg, DealerPubMsg, Failure,
            FinalizeError, Logs, Output, Player, PlayerAck, SignedDealerLog, observe,
        },
        primitives::{group::Share, variant::MinSig},
    },
    ed25519::PrivateKey,
    transcript::{Transcript, Version},
};
use commonware_parallel::Sequential;
use commonware_utils::{N3f1, ordered::Quorum as _};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;

use super::error::{CeremonyError, Kind, LetterFault};
use super::letter::{Acks, Dealing, Letter, Log, bytes, hex};
use super::{NAMESPACE, Round, bound, sealed};
use crate::header::PublicKey;
use crate::network::Network;

/// What a participant has to itself.
pub(crate) struct Mine {
    pub(crate) key: PrivateKey,
    /// What a dealing and the key to seal for follow from.
    pub(crate) secret: [u8; 32],
    /// Of the key that is dealt anew.
    pub(crate) share: Option<Share>,
}

/// What others handed on, by whose it is.
pub(crate) type Texts = BTreeMap<PublicKey, String>;
type Started = (Dealer<MinSig, PrivateKey>, DealerPubMsg<MinSig>, Vec<(PublicKey, DealerPrivMsg)>);

/// A player with the dealings that it was given.
pub(crate) struct Heard {
    player: Player<MinSig, PrivateKey>,
    /// By dealer, that the player has its dealing.
    pub(crate) acks: BTreeMap<String, String>,
    /// Whose dealing is missing or none.
    pub(crate) wrong: Vec<(String, LetterFault)>,
}

/// Last words of dealers.
struct Ended {
    logs: Logs<MinSig, PublicKey, N3f1>,
    /// Who says that a player has their dealing: their names, by player.
    acked: BTreeMap<PublicKey, Vec<String>>,
}

/// What all of them made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) network: Network,
    /// Whose share anybody may know.
    pub(crate) revealed: Vec<String>,
}

fn letter(who: &str, kind: Kind, fault: LetterFault) -> CeremonyError {
    CeremonyError::Letter { who: who.to_owned(), kind, fault }
}

/// What a sealed part is bound to, beside the ceremony.
fn between(dealer: &PublicKey, player: &PublicKey) -> Vec<u8> {
    [&dealer.encode()[..], &player.encode()[..]].concat()
}

impl Round {
    /// What a key is called as a dealer.
    pub(crate) fn dealer(&self, key: &PublicKey) -> Result<&str, CeremonyError> {
        let not = || CeremonyError::NotADealer(self.dealer_names().join(", "));
        self.dealers.get(key).map(String::as_str).ok_or_else(not)
    }

    /// What a key is called as a player.
    pub(crate) fn player(&self, key: &PublicKey) -> Result<&str, CeremonyError> {
        let not = || CeremonyError::NotAPlayer(self.player_names().join(", "));
        self.players.get(key).map(|seat| seat.name.as_str()).ok_or_else(not)
    }

    pub(crate) fn dealer_names(&self) -> Vec<String> {
        self.dealers.values().cloned().collect()
    }

    pub(crate) fn player_names(&self) -> Vec<String> {
        self.players.values().map(|seat| seat.name.clone()).collect()
    }

    /// A dealer that always deals the same: it follows from its secret and the ceremony.
    fn start(&self, mine: &Mine) -> Result<Started, CeremonyError> {
        let me = mine.key.public_key();
        self.dealer(&me)?;
        let share = match &self.previous {
            None => None,
            Some(set) => {
                let share = mine.share.as_ref().ok_or(CeremonyError::WrongShare)?;
                let place = set.keys.index(&me).ok_or(CeremonyError::WrongShare)?;
                let public = set.sharing.partial_public(place);
                let fits = public.is_ok_and(|public| public == share.public::<MinSig>());
                if place != share.index || !fits {
                    return Err(CeremonyError::WrongShare);
                }
                Some(share.clone())
            }
        };
        let mut transcript = Transcript::new(NAMESPACE, Version::V1);
        transcript.commit(&mine.secret[..]).commit(&self.digest.as_bytes()[..]);
        let rng = transcript.noise(b"dealing");
        Dealer::start::<N3f1>(rng, self.info.clone(), mine.key.clone(), share)
            .map_err(|error| CeremonyError::Round(error.to_string()))
    }

    /// What a dealer deals.
    ///
    /// # Errors
    /// [`CeremonyError::NotADealer`], [`CeremonyError::WrongShare`], or a player whose key is none.
    pub(crate) fn deal(&self, mine: &Mine) -> Result<Letter<Dealing>, CeremonyError> {
        let (me, (_, public, parts)) = (mine.key.public_key(), self.start(mine)?);
        let mut sealed = BTreeMap::new();
        for (player, part) in parts {
            let name = self.player(&player)?.to_owned();
            let seat = self.players.get(&player).ok_or(CeremonyError::Count)?;
            let about = between(&me, &player);
            let text = sealed::seal(&seat.encryption, &self.sealing(), &about, &part.encode());
            let text = text.ok_or_else(|| letter(&name, Kind::Join, LetterFault::Form))?;
            sealed.insert(name, HEX.encode(&text));
        }
        Ok(Letter::sign(self, &mine.key, Dealing { commitment: hex(&public), sealed }))
    }

    /// Takes dealings as a player. Those that are missing or none are named, and stop nobody.
    ///
    /// # Errors
    /// [`CeremonyError::NotAPlayer`].
    pub(crate) fn hear(&self, mine: &Mine, dealings: &Texts) -> Result<Heard, CeremonyError> {
        self.player(&mine.key.public_key())?;
        let player = Player::new(self.info.clone(), mine.key.clone())
            .map_err(|error| CeremonyError::Round(error.to_string()))?;
        let mut heard = Heard { player, acks: BTreeMap::new(), wrong: Vec::new() };
        for (dealer, name) in &self.dealers {
            let text = dealings.get(dealer).ok_or(LetterFault::Missing);
            match text.and_then(|text| self.hear_one(mine, &mut heard.player, dealer, text)) {
                Ok(ack) => {
                    heard.acks.insert(name.clone(), ack);
                }
                Err(fault) => heard.wrong.push((name.clone(), fault)),
            }
        }
        Ok(heard)
    }

    fn hear_one(
        &self,
        mine: &Mine,
        player: &mut Player<MinSig, PrivateKey>,
        dealer: &PublicKey,
        text: &str,
    ) -> Result<String, LetterFault> {
        let me = mine.key.public_key();
        let Dealing { commitment, sealed } = Letter::<Dealing>::read(text, self, dealer)?;
        let public = DealerPubMsg::<MinSig>::decode_cfg(Copying(&bytes(&commitment)?), &bound());
        let public = public.map_err(|_| LetterFault::Form)?;
        let name = self.player(&me).map_err(|_| LetterFault::Sealed)?;
        let part = bytes(sealed.get(name).ok_or(LetterFault::Sealed)?)?;
        let part = sealed::open(&mine.secret, &self.sealing(), &between(dealer, &me), &part);
        let part = part.ok_or(LetterFault::Sealed)?;
        let part = DealerPrivMsg::decode(Copying(&part[..])).map_err(|_| LetterFault::Dealing)?;
        let ack = player.dealer_message::<N3f1>(dealer.clone(), public, part);
        match ack {
            Ok(Some(ack)) => Ok(hex(&ack)),
            Ok(None) | Err(_) => Err(LetterFault::Dealing),
        }
    }

    /// That a player has what it heard.
    pub(crate) fn acknowledge(&self, mine: &Mine, heard: &Heard) -> Letter<Acks> {
        Letter::sign(self, &mine.key, Acks { acks: heard.acks.clone() })
    }

    /// A dealer's last word: who has its dealing. The shares of those in `reveal` who did not say so are said in
    /// the open.
    ///
    /// # Errors
    /// In order: the dealer's own, [`CeremonyError::Stranger`], a wrong file,
    /// [`CeremonyError::Unacknowledged`], [`CeremonyError::Reveals`].
    pub(crate) fn seal(
        &self,
        mine: &Mine,
        acks: &Texts,
        reveal: &[String],
    ) -> Result<Letter<Log>, CeremonyError> {
        let (mut dealer, _, _) = self.start(mine)?;
        let me = self.dealer(&mine.key.public_key())?.to_owned();
        self.know(reveal, &self.player_names())?;
        let (mut waits, mut open) = (Vec::new(), Vec::new());
        for (player, seat) in &self.players {
            let excused = reveal.contains(&seat.name);
            let found = match acks.get(player) {
                Some(text) => self.acked(&mut dealer, &me, player, text),
                None => Ok(false),
            };
            match found {
                Ok(true) => {}
                Ok(false) | Err(_) if excused => open.push(seat.name.clone()),
                Ok(false) => waits.push(seat.name.clone()),
                Err(fault) => return Err(letter(&seat.name, Kind::Acks, fault)),
            }
        }
        if !waits.is_empty() {
            return Err(CeremonyError::Unacknowledged(waits.join(", ")));
        }
        let most = self.faulty_max();
        if u32::try_from(open.len()).unwrap_or(u32::MAX) > most {
            return Err(CeremonyError::Reveals { who: open.join(", "), most });
        }
        Ok(Letter::sign(self, &mine.key, Log { log: hex(&dealer.finalize::<N3f1>()) }))
    }

    /// Whether a player says that it has the dealing of a dealer, which is told.
    fn acked(
        &self,
        dealer: &mut Dealer<MinSig, PrivateKey>,
        name: &str,
        player: &PublicKey,
        text: &str,
    ) -> Result<bool, LetterFault> {
        let Acks { acks } = Letter::<Acks>::read(text, self, player)?;
        let Some(ack) = acks.get(name) else { return Ok(false) };
        let ack = PlayerAck::<PublicKey>::decode(Copying(&bytes(ack)?));
        let ack = ack.map_err(|_| LetterFault::Form)?;
        dealer.receive_player_ack(player.clone(), ack).map_err(|_| LetterFault::Ack)?;
        Ok(true)
    }

    /// Whether all these names are among those.
    pub(crate) fn know(&self, names: &[String], among: &[String]) -> Result<(), CeremonyError> {
        match names.iter().find(|name| !among.contains(name)) {
            Some(stranger) => Err(CeremonyError::Stranger(stranger.clone())),
            None => Ok(()),
        }
    }

    /// Reads last words.
    fn ended(&self, texts: &Texts) -> Result<Ended, CeremonyError> {
        let mut logs = Logs::<MinSig, PublicKey, N3f1>::new(self.info.clone());
        let mut acked = BTreeMap::<PublicKey, Vec<String>>::new();
        for (dealer, text) in texts {
            let name = self.dealer(dealer)?;
            let wrong = |fault| letter(name, Kind::Log, fault);
            let Log { log } = Letter::<Log>::read(text, self, dealer).map_err(wrong)?;
            let log = bytes(&log).map_err(wrong)?;
            let log = SignedDealerLog::<MinSig, PublicKey>::decode_cfg(Copying(&log), &bound());
            let log = log.map_err(|_| wrong(LetterFault::Form))?;
            let signed = log.check(&self.info).filter(|(from, _)| from == dealer);
            let (_, log) = signed.ok_or_else(|| wrong(LetterFault::Signature))?;
            if let DealerLogSummary::Ok { acks, .. } = log.summary() {
                for player in acks.iter() {
                    acked.entry(player.clone()).or_default().push(name.to_owned());
                }
            }
            logs.record(dealer.clone(), log);
        }
        Ok(Ended { logs, acked })
    }

    /// What comes of it, for whoever has no share in it.
    ///
    /// # Errors
    /// A wrong file, [`CeremonyError::TooFew`], [`CeremonyError::Revealed`].
    pub(crate) fn observe(&self, logs: &Texts) -> Result<Made, CeremonyError> {
        let Ended { logs, .. } = self.ended(logs)?;
        let output =
            observe::<MinSig, PublicKey, N3f1>(&mut commonware_utils::sys_rng(), logs, &Sequential);
        self.made(&output.map_err(|failure| self.too_few(failure))?)
    }

    /// What comes of it, and a player's share.
    ///
    /// # Errors
    /// As [`Self::observe`], and [`CeremonyError::NotAPlayer`], [`CeremonyError::Lost`].
    pub(crate) fn take(
        &self,
        mine: &Mine,
        dealings: &Texts,
        logs: &Texts,
    ) -> Result<(Made, Share), CeremonyError> {
        let heard = self.hear(mine, dealings)?;
        let Ended { logs, acked } = self.ended(logs)?;
        let rng = &mut commonware_utils::sys_rng();
        let taken = heard.player.finalize::<N3f1>(rng, logs, &Sequential);
        let (output, share) = taken.map_err(|error| match error {
            FinalizeError::Failure(failure) => self.too_few(failure),
            FinalizeError::Error(engine::Error::MissingPlayerDealing) => {
                let said = acked.get(&mine.key.public_key()).into_iter().flatten();
                let lost = said.filter(|name| !heard.acks.contains_key(*name)).cloned();
                CeremonyError::Lost(lost.collect::<Vec<_>>().join(" or "))
            }
            FinalizeError::Error(engine::Error::InvalidPersistedDealing { dealer }) => {
                let shown = |(key, _): &(&PublicKey, &String)| format!("{key:?}") == dealer;
                let name = self.dealers.iter().find(shown).map_or(&dealer, |(_, name)| name);
                CeremonyError::Lost(name.clone())
            }
            FinalizeError::Error(error) => CeremonyError::Round(error.to_string()),
        })?;
        Ok((self.made(&output)?, share))
    }

    fn made(&self, output: &Output<MinSig, PublicKey>) -> Result<Made, CeremonyError> {
        let name = |key: &PublicKey| self.player(key).map(str::to_owned);
        let revealed: Vec<String> = output.revealed().iter().map(name).collect::<Result<_, _>>()?;
        if u32::try_from(revealed.len()).unwrap_or(u32::MAX) > self.faulty_max() {
            return Err(CeremonyError::Revealed(revealed.join(", ")));
        }
        Ok(Made { network: self.network(output.public())?, revealed })
    }

    fn too_few(&self, failure: Failure<PublicKey>) -> CeremonyError {
        let Failure::InsufficientLogs { required, found, faults, unavailable } = failure;
        let name = |key: &PublicKey| self.dealers.get(key).cloned().unwrap_or_default();
        let mut what = String::new();
        for key in unavailable.iter() {
            what.push_str(&format!("; {} ended with nothing", name(key)));
        }
        for (key, reason) in faults.iter_pairs() {
            what.push_str(&format!("; {} is at fault: {reason}", name(key)));
        }
        CeremonyError::TooFew { required, found, what }
    }
}
