//! Who may see what of mine, and who did; and opening what others gave.
//!
//! Grants are signed and sealed by [`crate::access`]; this is the holder's list of them, and the reader's side,
//! which keeps nothing. Laws: what was revoked or is over is not handed on again; a receipt is taken from who the
//! grant was sealed for and nobody else; nothing is opened but the grant that the person saw.

#[cfg(test)]
mod tests;
mod view;

use minicbor::{Decode, Encode};
use primitives::{Hash, sha256};
use zeroize::Zeroizing;

use super::{Credentials, Facts, Need, Resolved, Turn, signs, texts, words};
use crate::{
    PublicKey,
    access::{Access, AccessError, Consent, Envelope, Receipt},
    base64url,
    did::Did,
    limits::{GIVEN_MAX, GRANTED_NAME_BYTES_MAX, RECEIPTS_MAX},
    words::made_plain,
};

pub use view::{Give, Given, GrantAsk, Reading};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// A grant that was given, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct GivenOne {
    #[n(0)]
    number: u32,
    #[n(1)]
    access: Access,
    /// What was handed over.
    #[n(2)]
    text: String,
    #[n(3)]
    revoked_s: Option<u64>,
    /// At most [`RECEIPTS_MAX`].
    #[n(4)]
    receipts: Vec<Receipt>,
}

/// What a share's link holds.
struct Share {
    cid: String,
    key: Zeroizing<[u8; 32]>,
    ends_s: Option<u64>,
}

impl GivenOne {
    /// Why it does not hold any more; none: it does.
    fn over(&self, now_s: u64) -> Option<&'static str> {
        if self.revoked_s.is_some() {
            return Some("it was revoked");
        }
        self.access.hold(now_s).is_err().then_some("it has ended")
    }

    fn shown(&self) -> Given {
        let consent = self.access.consent().clone();
        Given {
            number: self.number,
            by: consent.giver().to_owned(),
            to: consent.to,
            resource: consent.resource,
            name: consent.name,
            purpose: consent.purpose,
            at_s: consent.at_s,
            until_s: consent.until_s,
            revoked_s: self.revoked_s,
            receipts: self.receipts.iter().map(Receipt::at_s).collect(),
        }
    }
}

impl Credentials {
    pub(super) fn grants(
        &mut self,
        ask: &GrantAsk,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        match ask {
            GrantAsk::Give(order) => self.give(order, facts, turn),
            GrantAsk::Again(number) => self.again(*number, turn),
            GrantAsk::Revoke(number) => self.revoke(*number, turn),
            GrantAsk::Forget(number) => self.forget_given(*number, turn),
            GrantAsk::Receive(text) => self.receive(text, turn),
            GrantAsk::Read(text) => read(text, None, facts, turn),
            GrantAsk::Open { text, read: seen } => read(text, Some(*seen), facts, turn),
        }
    }

    /// What was given, newest first.
    pub(super) fn shown_grants(&self) -> Vec<Given> {
        self.given.iter().rev().map(GivenOne::shown).collect()
    }

    fn give(&mut self, order: &Give, facts: &Facts, turn: &mut Turn<'_>) -> Result<(), String> {
        if self.given.len() >= GIVEN_MAX {
            return Err(format!(
                "at most {GIVEN_MAX} grants are remembered here: forget some that are over"
            ));
        }
        let share = read_share(&order.link)?;
        let who = signs(turn.root, order.head.as_ref())?;
        let to: Did = order.to.trim().parse().map_err(|_| words(AccessError::Name))?;
        let Some(reader) = reader_of(&to, facts, turn)? else { return Ok(()) };
        if to == who.did
            || reader == who.key.public()
            || reader == turn.root.identity_key().public()
        {
            return Err("that is your own name: paste the name of who shall read it".to_owned());
        }
        let asked_s = turn.now_s.saturating_add(u64::from(order.days) * DAY_S);
        // Nobody is promised what the share itself does not keep.
        let until_s = share.ends_s.map_or(asked_s, |ends_s| ends_s.min(asked_s));
        if share.ends_s.is_some_and(|ends_s| ends_s <= turn.now_s) {
            return Err("the share has ended: share it again".to_owned());
        }
        let consent = Consent {
            by: who.key_id,
            to: to.to_string(),
            reader,
            resource: share.cid,
            name: made_plain(&order.name, GRANTED_NAME_BYTES_MAX),
            purpose: order.purpose.trim().to_owned(),
            at_s: turn.now_s,
            until_s,
        };
        let access = Access::give(&share.key, consent, &who.key, turn.seed.derive("grants/key"));
        let access = access.map_err(words)?;
        let envelope = Envelope::seal(&access, turn.seed.derive("grants/envelope"));
        let text = envelope.map_err(words)?.to_text();
        let number = self.given.iter().map(|one| one.number).max().unwrap_or(0).saturating_add(1);
        turn.reply.text.clone_from(&text);
        self.given.push(GivenOne { number, access, text, revoked_s: None, receipts: Vec::new() });
        turn.changed = true;
        Ok(())
    }

    fn given(&mut self, number: u32) -> Result<&mut GivenOne, String> {
        let found = self.given.iter_mut().find(|one| one.number == number);
        found.ok_or_else(|| "that grant is not remembered here any more".to_owned())
    }

    fn again(&mut self, number: u32, turn: &mut Turn<'_>) -> Result<(), String> {
        let one = self.given(number)?;
        if let Some(why) = one.over(turn.now_s) {
            return Err(format!("{why}: give a new one"));
        }
        turn.reply.text.clone_from(&one.text);
        Ok(())
    }

    fn revoke(&mut self, number: u32, turn: &mut Turn<'_>) -> Result<(), String> {
        let one = self.given(number)?;
        if let Some(why) = one.over(turn.now_s) {
            return Err(format!("{why} already"));
        }
        one.revoked_s = Some(turn.now_s);
        turn.changed = true;
        Ok(())
    }

    fn forget_given(&mut self, number: u32, turn: &mut Turn<'_>) -> Result<(), String> {
        if self.given(number)?.over(turn.now_s).is_none() {
            return Err("it still holds: revoke it first".to_owned());
        }
        self.given.retain(|one| one.number != number);
        turn.changed = true;
        Ok(())
    }

    fn receive(&mut self, text: &str, turn: &mut Turn<'_>) -> Result<(), String> {
        let receipt = Receipt::parse(&texts::bare(text)).map_err(
            |_| "expected a receipt, which begins with starling-receipt-1., or a link with one",
        )?;
        let found = self.given.iter_mut().find(|one| one.access.id() == receipt.access());
        let one = found.ok_or_else(|| words(AccessError::Other))?;
        receipt.verify(&one.access, turn.now_s).map_err(words)?;
        if !one.receipts.contains(&receipt) {
            if one.receipts.len() >= RECEIPTS_MAX {
                return Err(format!("at most {RECEIPTS_MAX} receipts of a grant are kept"));
            }
            one.receipts.push(receipt);
            turn.changed = true;
        }
        turn.reply.taken = 1;
        Ok(())
    }
}

/// What a share's link holds, as far as it can be granted.
fn read_share(link: &str) -> Result<Share, String> {
    let (_, rest) = link.split_once("#/get/").ok_or("choose a share of this browser")?;
    let (cid, query) = rest.split_once('?').unwrap_or((rest, ""));
    let member = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(one, _)| *one == name).map(|(_, value)| value)
    };
    if member("p").is_some() {
        return Err("a password opens this share, and its link holds no key to grant: share it again without one".to_owned());
    }
    let key = member("k").ok_or(
        "this share is public: whoever has its CID reads it, so there is nothing to grant",
    )?;
    let key: Option<[u8; 32]> = base64url::decode(key).and_then(|key| key.try_into().ok());
    let key = Zeroizing::new(key.ok_or("the share\u{2019}s key is damaged")?);
    let ends_s = member("x").and_then(|ends| ends.parse().ok());
    Ok(Share { cid: cid.to_owned(), key, ends_s })
}

/// The key that is sealed for in somebody's name; none: the ledger has to prove it first.
fn reader_of(to: &Did, facts: &Facts, turn: &mut Turn<'_>) -> Result<Option<PublicKey>, String> {
    match to {
        Did::Key(key) => Ok(Some(*key)),
        Did::Web(_) => Err(words(AccessError::Name)),
        Did::Starling(_) => {
            let did = to.to_string();
            let Some(fact) = facts.key(&did, None) else {
                turn.reply.needs.push(Need::Key { did: did.clone(), id: did, at_s: None });
                return Ok(None);
            };
            let height = fact.height;
            fact.key.map(Some).ok_or_else(|| {
                format!("the ledger knows no key of that name to seal for (proved at block {height}): ask them for the did:key that their page \u{201c}Shared with\u{201d} shows")
            })
        }
    }
}

/// Reads a grant of somebody's; opens it, if it is the one that was seen.
fn read(text: &str, seen: Option<Hash>, facts: &Facts, turn: &mut Turn<'_>) -> Result<(), String> {
    let text = texts::bare(text);
    let envelope = Envelope::parse(&text).map_err(words)?;
    let generation = turn.root.generation_of(envelope.reader()).ok_or_else(|| {
        format!("this grant is for {}, and not for you: nothing here opens it", envelope.to())
    })?;
    let reader = turn.root.recipient_at(generation);
    let access = envelope.open(&reader).map_err(words)?;
    let keys = Resolved::new(facts);
    let verified = access.verify(&keys);
    turn.reply.needs = keys.missing();
    verified.map_err(words)?;
    access.hold(turn.now_s).map_err(words)?;
    let consent = access.consent();
    let mut reading = Reading {
        by: consent.giver().to_owned(),
        proved: keys.fact(consent.giver()).map(|fact| (fact.version, fact.since, fact.height)),
        to: consent.to.clone(),
        resource: consent.resource.clone(),
        name: consent.name.clone(),
        purpose: consent.purpose.clone(),
        at_s: consent.at_s,
        until_s: consent.until_s,
        read: sha256(text.as_bytes()),
        link: String::new(),
        receipt: String::new(),
    };
    if let Some(seen) = seen {
        if seen != reading.read {
            return Err("that is another grant than the one you saw: look at it again".to_owned());
        }
        let key = Zeroizing::new(access.open(&reader).map_err(words)?);
        // The page that fetches holds to the end as well.
        let (cid, until_s) = (&consent.resource, consent.until_s);
        reading.link = format!("#/get/{cid}?k={}&x={until_s}", base64url::encode(&*key));
        let signer = turn.root.signing_key(generation);
        reading.receipt = Receipt::sign(&access, &signer, turn.now_s).to_text();
    }
    turn.reply.reading = Some(reading);
    Ok(())
}
