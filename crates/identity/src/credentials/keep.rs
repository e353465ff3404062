//! What is kept on the device: sealed under the seed, so that who reads the device's storage reads nothing.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use minicbor::{Decode, Encode};
use primitives::{Hash, Seed};

use super::{Credentials, GivenOne, Issued, Mark, Told, Wait};
use crate::{
    PublicKey,
    custody::Root,
    holder::Holder,
    limits::{
        ASKED_MAX, CREDENTIALS_BYTES_MAX, GIVEN_MAX, ISSUED_MAX, LISTS_MAX, MADE_MAX, SEEN_MAX,
        TOLD_MAX,
    },
    session,
    status::token_hash,
};

/// Which of the things that are sealed under the seed this is; authenticated with it.
pub(super) const WHAT: &str = "credentials/1";
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// An issuer's signed list, checked when it came.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct HeldList {
    #[n(0)]
    pub(super) issuer: String,
    #[n(1)]
    pub(super) uri: String,
    #[n(2)]
    pub(super) issued_s: u64,
    #[n(3)]
    pub(super) token: String,
    /// The key that its issuer signed with.
    #[n(4)]
    pub(super) key: PublicKey,
}

/// A credential that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct IssuedOne {
    #[n(0)]
    pub(super) shown: Issued,
    /// Places of its copies in the issuer's list.
    #[n(1)]
    pub(super) places: Vec<u64>,
    /// When it was last said whether it holds, in seconds since 1970-01-01 UTC; none: when it was issued.
    #[n(2)]
    pub(super) marked_s: Option<u64>,
}

impl IssuedOne {
    /// Says whether it holds.
    pub(super) const fn set(&mut self, mark: Mark, at_s: u64) {
        (self.shown.mark, self.marked_s) = (mark, Some(at_s));
    }

    /// Whether it holds no more by its own end.
    pub(super) fn is_over(&self, now_s: u64) -> bool {
        self.shown.until_s.is_some_and(|until_s| until_s <= now_s)
    }
}

/// A list of this issuer's own, as it was signed last.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Made {
    #[n(0)]
    pub(super) issuer: String,
    #[n(1)]
    pub(super) uri: String,
    #[n(2)]
    pub(super) token: String,
    /// Places that a list signed elsewhere took from credentials that are not in this book, each with its value,
    /// in order: they stay taken.
    #[n(3)]
    pub(super) also: Option<Vec<(u64, u8)>>,
    /// Hashes of lists that say nothing which this book does not, the newest last; none: only of `token`.
    #[n(4)]
    pub(super) seen: Option<Vec<Hash>>,
}

impl Made {
    /// What it says that is of no credential in the book.
    pub(super) fn also(&self) -> &[(u64, u8)] {
        self.also.as_deref().unwrap_or_default()
    }

    /// Lists that say nothing new.
    pub(super) fn seen(&self) -> Vec<Hash> {
        self.seen.clone().unwrap_or_else(|| vec![token_hash(&self.token)])
    }

    /// One more.
    pub(super) fn note(&mut self, token: Hash) {
        let mut seen = self.seen();
        seen.retain(|one| *one != token);
        seen.push(token);
        let over = seen.len().saturating_sub(SEEN_MAX);
        self.seen = Some(seen.split_off(over));
    }
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Asked {
    #[n(0)]
    pub(super) shown: Wait,
    #[n(1)]
    pub(super) issued_s: u64,
    /// The key that signed it.
    #[n(2)]
    pub(super) key: PublicKey,
}

#[derive(Encode, Decode)]
struct Written {
    #[cbor(n(0), with = "minicbor::bytes")]
    holder: Vec<u8>,
    #[n(1)]
    lists: Vec<HeldList>,
    #[n(2)]
    issued: Vec<IssuedOne>,
    #[n(3)]
    made: Vec<Made>,
    #[n(4)]
    asked: Vec<Asked>,
    /// None: it was kept before there were grants.
    #[n(5)]
    given: Option<Vec<GivenOne>>,
    #[n(6)]
    saved_s: Option<u64>,
    #[n(7)]
    unsaved: Option<u32>,
    /// None: it was kept before answers were remembered.
    #[n(8)]
    told: Option<Vec<Told>>,
}

impl Credentials {
    /// As it is kept: a nonce, and XChaCha20-Poly1305 of everything.
    pub(super) fn sealed(&self, root: &Root, seed: &Seed) -> Vec<u8> {
        let written = Written {
            holder: self.holder.to_bytes(),
            lists: self.lists.clone(),
            issued: self.issued.clone(),
            made: self.made.clone(),
            asked: self.asked.clone(),
            given: Some(self.given.clone()),
            saved_s: self.saved_s,
            unsaved: Some(self.unsaved),
            told: Some(self.told.clone()),
        };
        seal(root, WHAT, seed, &session::to_bytes(&written))
    }

    pub(super) fn unsealed(root: &Root, kept: &[u8]) -> Option<Self> {
        if kept.len() > CREDENTIALS_BYTES_MAX {
            return None;
        }
        let bytes = unseal(root, WHAT, kept)?;
        let written: Written = session::read(&bytes)?;
        let Written { holder, lists, issued, made, asked, given, saved_s, unsaved, told } = written;
        let (given, told) = (given.unwrap_or_default(), told.unwrap_or_default());
        let fits = lists.len() <= LISTS_MAX
            && issued.len() <= ISSUED_MAX
            && made.len() <= MADE_MAX
            && asked.len() <= ASKED_MAX
            && given.len() <= GIVEN_MAX
            && told.len() <= TOLD_MAX;
        let holder = Holder::from_bytes(&holder).filter(|_| fits)?;
        let unsaved = unsaved.unwrap_or(0);
        Some(Self {
            holder,
            before: None,
            lists,
            issued,
            made,
            asked,
            given,
            told,
            saved_s,
            unsaved,
            handed: None,
            sought: String::new(),
        })
    }
}

/// Seals something of a person's (`what`: its kind): a nonce, drawn from `seed`, and XChaCha20-Poly1305.
pub(super) fn seal(root: &Root, what: &str, seed: &Seed, bytes: &[u8]) -> Vec<u8> {
    let drawn = seed.derive(&format!("{what}/nonce"));
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&drawn.as_bytes()[..NONCE_BYTES]);
    let payload = Payload { msg: bytes, aad: what.as_bytes() };
    let sealed = cipher(root, what).encrypt(&XNonce::from(nonce), payload);
    [nonce.as_slice(), &sealed.expect("a few megabytes can be sealed")].concat()
}

/// What was sealed; none: by another seed, as something else, or it is damaged.
pub(super) fn unseal(root: &Root, what: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload { msg: sealed, aad: what.as_bytes() };
    cipher(root, what).decrypt(&XNonce::from(*nonce), payload).ok()
}

fn cipher(root: &Root, what: &str) -> XChaCha20Poly1305 {
    let (key, _) = root.keeping(what);
    XChaCha20Poly1305::new((&*key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Encode)]
    struct Before {
        #[cbor(n(0), with = "minicbor::bytes")]
        holder: Vec<u8>,
        #[n(1)]
        lists: Vec<HeldList>,
        #[n(2)]
        issued: Vec<IssuedOne>,
        #[n(3)]
        made: Vec<Made>,
        #[n(4)]
        asked: Vec<Asked>,
    }

    #[test]
    fn what_was_kept_before_there_were_grants_is_read() {
        let (root, seed) = (Root::new([1; 32]), Seed::from_number(1));
        let made = Made {
            issuer: "i".to_owned(),
            uri: "u".to_owned(),
            token: "t".to_owned(),
            also: None,
            seen: None,
        };
        let before = Before {
            holder: Holder::new(Seed::from_number(2)).to_bytes(),
            lists: Vec::new(),
            issued: Vec::new(),
            made: vec![made.clone()],
            asked: Vec::new(),
        };
        let kept = seal(&root, WHAT, &seed, &session::to_bytes(&before));
        let read = Credentials::unsealed(&root, &kept).unwrap();
        assert_eq!((read.made, read.given, read.told), (vec![made], Vec::new(), Vec::new()));
    }
}
