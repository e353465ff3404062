//! An issuer's own lists: what is signed, what the ledger is told, and what lists that were signed elsewhere say.
//!
//! An issuer has as many lists as its credentials need, each a list of its own on the ledger; all copies of a credential
//! are in one. A list is made of the book each time it is wanted. What a list of this issuer once took, and the book does
//! not know of (another browser revoked it, and this one has an older book), is taken from then on as well
//! ([`Credentials::learn`]). No list is named on the ledger after one of which that is not known.

use std::collections::BTreeSet;

use primitives::Hash;

use super::{
    Credentials, Facts, IssuedOne, Made, Mark, Resolved, Turn, hold::issuer_of, shown::count,
    signs, words,
};
use crate::{
    limits::{LIST_BYTES_MAX, MADE_MAX},
    session::{Head, Signer, to_bytes},
    status::{Anchor, Bits, ListError, Status, StatusList, StatusToken, Terms, token_hash},
};

/// Bits of a place within its list; those above say in which of the issuer's lists it is.
const PLACE_BITS: u32 = 16;
/// Places of a list: many more than are used, so that a place says nothing about when it was given.
pub(super) const PLACES: usize = 1 << PLACE_BITS;

/// In which of an issuer's lists a place is, and where there.
pub(super) const fn split(place: u64) -> (u64, u64) {
    (place >> PLACE_BITS, place & ((1 << PLACE_BITS) - 1))
}

/// The place of an issuer that is there in this list.
pub(super) const fn joined(list: u64, at: u64) -> u64 {
    (list << PLACE_BITS) | at
}

/// Where a place is in this list; none: it is in another.
fn within(place: u64, list: u64) -> Option<u64> {
    let (of, at) = split(place);
    (of == list).then_some(at)
}

impl Credentials {
    pub(super) fn list(
        &mut self,
        head: Option<&Head>,
        list: u32,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let who = signs(turn.root, head)?;
        turn.reply.text = self.own_list(&who, list.into(), turn)?;
        Ok(())
    }

    /// Signs for a ledger that a list is the newest. `last` is the one that the ledger names now.
    pub(super) fn anchor(
        &mut self,
        (network, number, list): (&[u8; 32], u64, u32),
        (last, despite): (Option<Hash>, bool),
        head: Option<&Head>,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let who = signs(turn.root, head)?;
        let token = self.own_list(&who, list.into(), turn)?;
        let uri = list_name(&who.did.to_string(), list.into());
        let known =
            |made: &Made| made.uri == uri && last.is_none_or(|last| made.seen().contains(&last));
        if !despite && !self.made.iter().any(known) {
            return Err("the ledger names a list that was not signed in this browser: what it revoked would hold again".to_owned());
        }
        let (by, key) = (who.changing.0, &who.changing.1);
        let anchor = Anchor::sign((who.did, uri.as_str()), number, &token, (by, key), network);
        turn.reply.bytes = to_bytes(&anchor);
        turn.reply.text = token;
        Ok(())
    }

    /// One of the issuer's lists as it is now: as it was signed last, if that says the same.
    pub(super) fn own_list(
        &mut self,
        who: &Signer,
        list: u64,
        turn: &mut Turn<'_>,
    ) -> Result<String, String> {
        let uri = list_name(&who.did.to_string(), list);
        let made = self.made.iter().find(|made| made.uri == uri);
        if let Some(made) = made.filter(|made| says(made, &self.issued)) {
            return Ok(made.token.clone());
        }
        turn.changed = true;
        self.sign_list(who, list, turn.now_s)
    }

    /// Signs a list as it is now. It has no time limit of its own: which one is the newest, the ledger says.
    pub(super) fn sign_list(
        &mut self,
        who: &Signer,
        list: u64,
        now_s: u64,
    ) -> Result<String, String> {
        let issuer = who.did.to_string();
        let uri = list_name(&issuer, list);
        let last = self.made.iter().find(|made| made.uri == uri);
        if last.is_none() && self.made.len() >= MADE_MAX {
            return Err(format!(
                "at most {MADE_MAX} status lists are kept in one browser: issue in another"
            ));
        }
        let also = last.map(Made::also).unwrap_or_default();
        let list = contents(&self.issued, also, (&issuer, list)).map_err(words)?;
        // Whoever keeps both keeps the later: another browser's clock may be ahead.
        let issued_s = last.map_or(0, Made::issued_s).max(now_s);
        let terms = Terms { uri: uri.clone(), issued_s, expires_s: None, ttl_s: None };
        let token = StatusToken::sign(&list, &terms, &who.key, &who.key_id);
        match self.made.iter_mut().find(|made| made.uri == uri) {
            Some(made) => {
                made.note(token_hash(&token));
                made.token.clone_from(&token);
            }
            None => {
                self.made.push(Made { issuer, uri, token: token.clone(), also: None, seen: None });
            }
        }
        Ok(token)
    }

    /// Learns from a list of this issuer that was signed elsewhere: what does not hold by it, does not hold here.
    pub(super) fn learn(
        &mut self,
        token: &str,
        facts: &Facts,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        if token.len() > LIST_BYTES_MAX {
            return Err(format!("the status list is larger than {LIST_BYTES_MAX} bytes"));
        }
        let uri = StatusToken::name(token).map_err(words)?;
        let issuer = issuer_of(token).ok_or("the status list names no issuer")?;
        let is_it = |made: &&mut Made| made.issuer == issuer && made.uri == uri;
        let made = self.made.iter_mut().find(is_it).ok_or("that is no status list of yours")?;
        let keys = Resolved::new(facts);
        let opened = StatusToken::open(token, &uri, &issuer, &keys, turn.now_s);
        turn.reply.needs = keys.missing();
        let StatusToken { terms, list } = opened.map_err(words)?;
        let is_newer = terms.issued_s >= made.issued_s();
        if is_newer {
            made.forgive();
        }
        let (mut learned, before) = (0, made.also().len());
        for one in self.issued.iter_mut().filter(|one| one.shown.issuer == issuer) {
            learned += usize::from(one.hear((made.list(), &list), terms.issued_s));
        }
        for place in (0_u64..).take(PLACES.min(list.count())) {
            made.take(place, list.get(place).unwrap_or(0));
        }
        settle(made, &mut self.issued);
        learned += made.also().len().saturating_sub(before);
        made.note(token_hash(token));
        if is_newer {
            token.clone_into(&mut made.token);
        }
        turn.reply.taken = count(learned);
        self.change_book(turn);
        Ok(())
    }
}

impl IssuedOne {
    /// Hears what a list of its issuer says of it, which was signed at that second; whether that is worse than what
    /// is known. Whoever signed it need not have known what was suspended here: nothing gets better by it.
    fn hear(&mut self, (number, list): (u64, &StatusList), at_s: u64) -> bool {
        let value = |place: &u64| list.get(within(*place, number)?);
        let said = self.places.iter().filter_map(value).map(mark);
        let said = worst(said);
        let is_later = at_s > self.marked_s.unwrap_or(self.shown.at_s);
        let counts = said == Mark::Revoked || is_later;
        let is_worse = counts && badness(said) > badness(self.shown.mark);
        if is_worse {
            self.set(said, at_s);
        }
        is_worse
    }
}

impl Made {
    /// Which of its issuer's it is; the first is 0.
    pub(super) fn list(&self) -> u64 {
        let number = self.uri.rsplit_once('/').and_then(|(_, number)| number.parse::<u64>().ok());
        number.and_then(|number| number.checked_sub(1)).unwrap_or(0)
    }

    /// When it was signed.
    fn issued_s(&self) -> u64 {
        StatusToken::unchecked(&self.token).map_or(0, |signed| signed.terms.issued_s)
    }

    /// Forgets what was suspended elsewhere, and keeps what was revoked: a newer list says whether it still is.
    fn forgive(&mut self) {
        if let Some(also) = &mut self.also {
            also.retain(|(_, value)| mark(*value) == Mark::Revoked);
        }
    }

    /// A place is taken, if this value takes one.
    pub(super) fn take(&mut self, place: u64, value: u8) {
        let mark = mark(value);
        if mark == Mark::Valid {
            return;
        }
        let value = status(mark).value();
        let also = self.also.get_or_insert_default();
        match also.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(at) => {
                if let Some((_, known)) = also.get_mut(at)
                    && badness(mark) > badness(self::mark(*known))
                {
                    *known = value;
                }
            }
            Err(at) => also.insert(at, (place, value)),
        }
    }
}

/// Takes out what a list says of credentials that are in the book: there it stands.
pub(super) fn settle(made: &mut Made, issued: &mut [IssuedOne]) {
    let mut also = made.also.take().unwrap_or_default();
    let (mut here, list) = (BTreeSet::new(), made.list());
    for one in issued.iter_mut().filter(|one| one.shown.issuer == made.issuer) {
        let value = |place: &u64| {
            let place = &within(*place, list)?;
            let at = also.binary_search_by_key(place, |(place, _)| *place).ok()?;
            also.get(at).map(|(_, value)| mark(*value))
        };
        let said = worst(one.places.iter().filter_map(value));
        let counts = said == Mark::Revoked || one.marked_s.is_none();
        if counts && badness(said) > badness(one.shown.mark) {
            one.shown.mark = said;
        }
        here.extend(one.places.iter().filter_map(|place| within(*place, list)));
    }
    also.retain(|(place, _)| !here.contains(place));
    made.also = Some(also).filter(|also| !also.is_empty());
}

/// A list of an issuer, by its number, as a book has it.
pub(super) fn contents(
    issued: &[IssuedOne],
    also: &[(u64, u8)],
    (issuer, number): (&str, u64),
) -> Result<StatusList, ListError> {
    let mut list = StatusList::new(Bits::Two, PLACES)?;
    for (place, value) in also {
        list.set(*place, *value)?;
    }
    // Where two credentials have one place, the worse counts.
    for mark in [Mark::Suspended, Mark::Revoked] {
        let of_issuer = |one: &&IssuedOne| one.shown.issuer == issuer && one.shown.mark == mark;
        for one in issued.iter().filter(of_issuer) {
            for place in one.places.iter().filter_map(|place| within(*place, number)) {
                list.set(place, status(mark).value())?;
            }
        }
    }
    Ok(list)
}

/// Whether the list that was signed last says what the book says.
pub(super) fn says(made: &Made, issued: &[IssuedOne]) -> bool {
    let signed = StatusToken::unchecked(&made.token);
    let now = contents(issued, made.also(), (&made.issuer, made.list()));
    matches!((signed, now), (Ok(signed), Ok(now)) if signed.list == now)
}

/// What a list says of what is so marked.
pub(super) const fn status(mark: Mark) -> Status {
    match mark {
        Mark::Valid => Status::Valid,
        Mark::Revoked => Status::Invalid,
        Mark::Suspended => Status::Suspended,
    }
}

/// What a value of a list says.
pub(super) const fn mark(value: u8) -> Mark {
    match Status::of(value) {
        Status::Valid => Mark::Valid,
        Status::Suspended | Status::Other(_) => Mark::Suspended,
        Status::Invalid => Mark::Revoked,
    }
}

/// How far it is from holding.
pub(super) const fn badness(mark: Mark) -> u8 {
    match mark {
        Mark::Valid => 0,
        Mark::Suspended => 1,
        Mark::Revoked => 2,
    }
}

/// The worst of these.
fn worst(marks: impl Iterator<Item = Mark>) -> Mark {
    marks.max_by_key(|mark| badness(*mark)).unwrap_or_default()
}

/// What a list of an issuer is called: a path of its DID.
pub(super) fn list_name(issuer: &str, list: u64) -> String {
    format!("{issuer}/status/{}", list.saturating_add(1))
}
